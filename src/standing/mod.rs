//! What we know of certificates and people: groups (blocks and users follow with the registry). Immutable, swapped whole.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Groups by user.
#[derive(Debug, Default)]
pub struct Standing {
    _private: (),
}

impl Standing {
    /// From each group's name and its file's text: a user a line, `#` begins a comment, compared without case.
    #[must_use]
    pub fn new(groups: &[(Arc<str>, String)]) -> Self {
        todo!()
    }

    /// The groups that a user is in, in the order of the configuration.
    #[must_use]
    pub fn groups_of(&self, user: &str) -> Vec<Arc<str>> {
        todo!()
    }
}
