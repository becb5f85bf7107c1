//! How the hall has others look up certificates and one-time passwords.

use std::fmt;

use tokio::sync::mpsc;

use crate::engine::{Found, Lookup, Ticket};

/// Who looks things up, and how the hall hears what was found.
pub struct Desk {
    /// Has this looked up, then says through `found`, with the same ticket, what was found; must not wait.
    pub look: Box<dyn FnMut(Ticket, Lookup) + Send>,
    /// What has been found. When it is closed nobody finds anything any more, and what is looked for is found out not to be there when its time is up.
    pub found: mpsc::Receiver<(Ticket, Found)>,
}

impl fmt::Debug for Desk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Desk").finish_non_exhaustive()
    }
}

impl Desk {
    /// Finds nothing, at once. `most`: how many answers may wait for the hall.
    #[must_use]
    pub fn nobody(most: usize) -> Self {
        let (say, found) = mpsc::channel(most.max(1));
        let look = move |ticket, _| {
            // One that finds no room is decided when its time is up.
            let _ = say.try_send((ticket, Found::Nothing));
        };
        Self { look: Box::new(look), found }
    }
}
