//! What a desk wants done elsewhere.

use tokio::task::spawn_blocking;

use super::query::{Brought, Query};
use super::shelf::{Writing, Written};

/// A query or a piece of writing that is to be done.
#[derive(Debug)]
pub(crate) struct Job {
    /// The desk that it is for.
    pub(super) desk: u64,
    pub(super) work: Work,
}

#[derive(Debug)]
pub(super) enum Work {
    Query(Box<Query>),
    Write(Writing),
}

/// What a job brought.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(super) desk: u64,
    pub(super) done: Done,
}

#[derive(Debug)]
pub(super) enum Done {
    Query(Brought),
    Write(Written),
}

impl Job {
    /// Does it: what reads, verifies or writes, on threads of its own. Whatever happens in it costs this job alone.
    pub(crate) async fn run(self) -> Outcome {
        let done = match self.work {
            Work::Query(query) => Done::Query(query.run().await),
            Work::Write(writing) => {
                Done::Write(spawn_blocking(move || writing.run()).await.unwrap_or_else(|_| Written::none()))
            }
        };
        Outcome { desk: self.desk, done }
    }
}
