//! What had been decided about sessions that have to go when the last process ended.

use std::collections::HashMap;

use super::super::session::SessionId;
use super::guard::Batch;
use crate::now::Wall;

/// What a database has kept of it, of sessions that were live.
#[derive(Clone, Debug, Default)]
pub struct Past {
    /// What nobody has decided about.
    pub held: Vec<Batch>,
    /// Batches that an operator has discarded.
    pub discarded: Vec<Batch>,
    /// Each that was let go, whether by an operator or by itself, and whether its NAS has answered.
    pub left: HashMap<SessionId, bool>,
    /// How many went by themselves, and when.
    pub counted: Vec<(Wall, usize)>,
}
