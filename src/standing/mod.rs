//! What we know of certificates and people: groups and blocks. Immutable, swapped whole.

use std::collections::HashMap;
use std::sync::Arc;

mod blocks;
mod status;
#[cfg(test)]
mod tests;

pub use blocks::{BY_LIST, Block, BlockedCertificate, Blocks};
pub use status::Status;

/// Groups by user, and blocks.
#[derive(Debug, Default)]
pub struct Standing {
    groups: Arc<Groups>,
    blocks: Arc<Blocks>,
}

#[derive(Debug, Default)]
struct Groups {
    groups: Vec<Arc<str>>,
    /// ASCII lower-case name → indices into `groups`, ascending.
    members: HashMap<String, Vec<usize>>,
}

impl Standing {
    /// From each group's name and its file's text: a user a line, `#` (at the beginning or after a blank) begins a comment, compared without ASCII case.
    #[must_use]
    pub fn new(groups: &[(Arc<str>, String)]) -> Self {
        let mut members = HashMap::<String, Vec<usize>>::new();
        for (index, (_, text)) in groups.iter().enumerate() {
            for user in users(text) {
                let of = members.entry(user.to_ascii_lowercase()).or_default();
                if of.last() != Some(&index) {
                    of.push(index);
                }
            }
        }
        let groups = Groups { groups: groups.iter().map(|(name, _)| name.clone()).collect(), members };
        Self { groups: Arc::new(groups), blocks: Arc::default() }
    }

    /// The same groups, these blocks.
    #[must_use]
    pub fn with_blocks(&self, blocks: Arc<Blocks>) -> Self {
        Self { groups: Arc::clone(&self.groups), blocks }
    }

    /// What is blocked.
    #[must_use]
    pub fn blocks(&self) -> &Arc<Blocks> {
        &self.blocks
    }

    /// The groups that a user is in, in the order of the configuration.
    #[must_use]
    pub fn groups_of(&self, user: &str) -> Vec<Arc<str>> {
        let indices = self.groups.members.get(&user.to_ascii_lowercase()).map_or(&[][..], Vec::as_slice);
        indices.iter().filter_map(|index| self.groups.groups.get(*index).cloned()).collect()
    }
}

fn users(text: &str) -> impl Iterator<Item = &str> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    text.lines().map(|line| without_comment(line).trim()).filter(|user| !user.is_empty())
}

/// A `#` inside of a name is part of it: a mail address may hold one (RFC 5322 section 3.2.3).
fn without_comment(line: &str) -> &str {
    let begins = |(at, _): &(usize, &str)| {
        line.get(..*at).is_none_or(|before| before.is_empty() || before.ends_with(char::is_whitespace))
    };
    line.match_indices('#').find(begins).and_then(|(at, _)| line.get(..at)).unwrap_or(line)
}
