//! How the hall has others look for the revocation data that it lacks.

use std::fmt;
use std::sync::Arc;

use tokio::sync::mpsc;

use crate::engine::{Facts, Question, Ticket};

/// Who looks for revocation data, and how the hall hears that all there is has been found.
pub struct Inquiry {
    /// Has these questions answered, then says so through `answers`, with the same ticket, also where there is nobody to ask; must not wait.
    pub ask: Box<dyn FnMut(Ticket, Vec<Question>) + Send>,
    /// Is shown every certificate that was judged after its client had proved to hold its key; must not wait.
    pub seen: Box<dyn FnMut(Arc<Facts>) + Send>,
    /// Tickets that have been answered. When it is closed nobody answers any more, and what is asked is decided when its time is up.
    pub answers: mpsc::Receiver<Ticket>,
}

impl fmt::Debug for Inquiry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inquiry").finish_non_exhaustive()
    }
}

impl Inquiry {
    /// Answers every question at once with what is known already, and looks at no certificate. `most`: how many answers may wait for the hall.
    #[must_use]
    pub fn nobody(most: usize) -> Self {
        let (answered, answers) = mpsc::channel(most.max(1));
        let ask = move |ticket, _| {
            // One that finds no room is decided when its time is up.
            let _ = answered.try_send(ticket);
        };
        Self { ask: Box::new(ask), seen: Box::new(drop), answers }
    }
}
