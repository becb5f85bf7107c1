//! How the hall has others write down what must not be forgotten.

use std::fmt;

use tokio::sync::mpsc;

use crate::engine::{Change, Record, Ticket};

/// Who writes accounting records and sessions, and how the hall hears that a record is on disk.
pub struct Books {
    /// Has a record written, then says through `written`, with the same ticket, whether it is on disk; must not wait. A record of which nothing is said is asked for again by its NAS.
    pub record: Box<dyn FnMut(Ticket, Box<Record>) + Send>,
    /// Has what became of a session written, in this order; must not wait.
    pub session: Box<dyn FnMut(Change) + Send>,
    /// Tickets of records, and whether each is on disk.
    pub written: mpsc::Receiver<(Ticket, bool)>,
}

impl fmt::Debug for Books {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Books").finish_non_exhaustive()
    }
}

impl Books {
    /// Writes nothing, so that no NAS that accounts is answered.
    #[must_use]
    pub fn closed() -> Self {
        Self { record: Box::new(|_, _| {}), session: Box::new(drop), written: mpsc::channel(1).1 }
    }
}
