//! Who is online, and who is told to go.
//!
//! - The live sessions: `live`.
//! - One of them is ended: `disconnect`.
//! - What the mass guard holds: `held`.
//! - What became of each that was to end: `history`.

mod disconnect;
mod held;
mod history;
mod live;

use std::sync::Arc;

use super::audit::Later;
use super::problem::Problem;
use super::route::Route;
use super::shared::Shared;
use crate::sessions::disconnect::{Batch, BatchId, Disconnected};
use crate::sessions::{Looked, SessionId, Which};

/// The running server's hall, which knows who is online: somebody who was let in a moment ago is there, and whose session has ended isn't any more. `None`: the server is stopping.
pub trait Online: Send + Sync + 'static {
    /// Live sessions, after one; fewer than `most` only if there are no more.
    fn look(&self, which: Which, after: Option<SessionId>, most: usize) -> Later<'_, Option<Looked>>;

    /// Has its NAS end a session, as somebody wants.
    fn disconnect(&self, id: SessionId, by: Arc<str>) -> Later<'_, Option<Disconnected>>;

    /// What the mass guard holds, the oldest first.
    fn held(&self) -> Later<'_, Option<Vec<Batch>>>;

    /// Lets a batch go, as has been written down; what there was to go.
    fn release(&self, id: BatchId) -> Later<'_, Option<Option<Batch>>>;

    /// Lets its sessions stay, as has been written down.
    fn discard(&self, id: BatchId) -> Later<'_, Option<Option<Batch>>>;
}

/// The routes.
pub(super) fn table() -> Vec<Route> {
    [live::table(), disconnect::table(), held::table(), history::table()].into_iter().flatten().collect()
}

impl Shared {
    /// The hall; where there is none, the problem that says so.
    fn online(&self) -> Result<&Arc<dyn Online>, Problem> {
        self.online.as_ref().ok_or_else(|| Problem::unavailable("nobody is let in here"))
    }
}

fn stopping() -> Problem {
    Problem::unavailable("the server is stopping")
}
