//! Who is asked about the certificates of one issuer, and who waits for that.

use std::collections::VecDeque;
use std::sync::Arc;

use super::super::http::Url;
use super::AuthoritySettings;

/// Most responders that certificates of one issuer may name.
const MAX_LEARNED: usize = 4;

/// An issuer below an authority.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) authority: Arc<AuthoritySettings>,
    pub(super) issuer: [u8; 32],
    /// What certificates name, the newest first.
    learned: Vec<Url>,
    /// Numbers of the certificates that somebody waits for, the longest first.
    pub(super) waiting: VecDeque<u64>,
    /// Queries under way that somebody waits for.
    pub(super) urgent: usize,
}

impl Line {
    pub(super) fn new(authority: Arc<AuthoritySettings>, issuer: [u8; 32]) -> Self {
        Self { authority, issuer, learned: Vec::new(), waiting: VecDeque::new(), urgent: 0 }
    }

    /// Who is asked, in this order.
    pub(super) fn responders(&self) -> &[Url] {
        match &*self.authority.responders {
            [] => &self.learned,
            configured => configured,
        }
    }

    /// A certificate names a responder. One that is new is the CA's latest word, and the oldest goes for it.
    pub(super) fn learn(&mut self, url: Url) {
        if !self.learned.contains(&url) {
            self.learned.insert(0, url);
            self.learned.truncate(MAX_LEARNED);
        }
    }

    /// What it knows of certificates, the oldest first.
    pub(super) fn learned(&self) -> impl Iterator<Item = &Url> {
        self.learned.iter().rev()
    }
}
