//! One set of CRLs after another.

use std::sync::Arc;

use super::{Gathering, Gone, Key, Vanished, VanishedEntry};
use crate::now::Wall;
use crate::pki::crl::Crl;
use crate::pki::revocation::Revocation;
use crate::pki::serials::{CERTIFICATE_HOLD, Entry, REMOVE_FROM_CRL};

/// Entries that are told one by one.
const MAX_TOLD: usize = 100;

/// What has disappeared between one set of CRLs and the next.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Disappeared {
    /// The first hundred.
    pub entries: Vec<VanishedEntry>,
    /// How many there are.
    pub count: usize,
    /// How many that had disappeared before are listed again.
    pub returned: usize,
    /// How many there was no room for; they, with the oldest revocation dates of all, are revoked no more.
    pub left_out: u64,
}

impl Disappeared {
    /// Whether the set of vanished entries is another than before, and is to be persisted again.
    #[must_use]
    pub fn changed(&self) -> bool {
        self.count > 0 || self.returned > 0
    }
}

impl Revocation {
    /// Follows `previous`, whose vanished entries it takes over, and with them every entry that a CRL of `previous` had and its successor has no more.
    ///
    /// A CRL's successor has the same issuer and scope, or comes from the same source under the same issuer's name. One without a successor has failed or isn't wanted any more: then nothing is said to have disappeared.
    /// An entry that another CRL of the issuer has now has only moved, and a hold may end. An entry that is listed again is vanished no more.
    /// Of certificates that have expired a CA may drop the entries (RFC 5280 section 3.3); nothing here knows which those are, so they are kept like the others.
    #[must_use]
    pub fn succeed(self, previous: &Self, now: Wall) -> (Self, Disappeared) {
        let succession =
            Succession { before: previous.newest(), after: self.newest(), previous: previous.vanished(), now };
        match succession.settle() {
            (Some(vanished), told) => (self.with_vanished(Arc::new(vanished)), told),
            (None, told) => (self.with_vanished(Arc::clone(previous.vanished())), told),
        }
    }
}

struct Succession<'a> {
    /// The CRLs that count, of each line the newest. It doesn't matter whether its time has come: until then the one before it says what it says.
    before: Vec<&'a Arc<Crl>>,
    after: Vec<&'a Arc<Crl>>,
    previous: &'a Vanished,
    now: Wall,
}

impl<'a> Succession<'a> {
    /// The entries that are vanished now, if they are others than before.
    fn settle(&self) -> (Option<Vanished>, Disappeared) {
        let mut told = Disappeared::default();
        let mut all = Gathering::new(self.previous.most);
        for (key, serial, gone) in self.previous.all() {
            if self.has_returned(key, serial) {
                told.returned += 1;
            } else {
                all.add(key, serial, gone);
            }
        }
        let replaced: Vec<&Crl> = self.before.iter().filter(|crl| self.is_replaced(crl)).map(|crl| &***crl).collect();
        for (index, crl) in replaced.iter().enumerate() {
            self.compare(crl, replaced.get(..index).unwrap_or_default(), &mut all, &mut told);
        }
        if !told.changed() {
            return (None, told);
        }
        let mut vanished = all.settle();
        told.left_out = vanished.left_out;
        vanished.left_out = vanished.left_out.saturating_add(self.previous.left_out);
        (Some(vanished), told)
    }

    fn is_replaced(&self, crl: &Arc<Crl>) -> bool {
        let stays = self.after.iter().any(|other| Arc::ptr_eq(crl, other));
        !stays && self.after.iter().any(|other| is_near(crl, other) && follows(crl, other))
    }

    fn has_returned(&self, (signer, issuer): Key, serial: &[u8]) -> bool {
        let mut news = self.after.iter().filter(|crl| crl.issuer == signer);
        news.any(|crl| crl.find(issuer, serial).is_some_and(lasts))
    }

    /// Walks through a CRL's lists and those of its successors side by side. `seen`: the CRLs that have been compared.
    fn compare(&self, crl: &'a Crl, seen: &[&Crl], all: &mut Gathering<'a>, told: &mut Disappeared) {
        let near: Vec<&Crl> = self.after.iter().map(|other| &***other).filter(|other| is_near(crl, other)).collect();
        for (issuer, serials) in &crl.lists {
            let (deltas, complete): (Vec<&Crl>, Vec<&Crl>) = near.iter().partition(|other| other.scope.delta);
            let complete: Vec<_> = complete.iter().filter_map(|other| other.list(*issuer)).collect();
            serials.missing_from(&complete, lasts, |serial, entry| {
                let lifted = crl.scope.delta && entry.reason == Some(REMOVE_FROM_CRL);
                let moved = || deltas.iter().any(|delta| delta.find(*issuer, serial).is_some_and(lasts));
                let key = (crl.issuer, *issuer);
                let is_known = || {
                    let listed =
                        |other: &&Crl| other.issuer == crl.issuer && other.find(*issuer, serial).is_some_and(lasts);
                    self.previous.find(&key.0, key.1, serial).is_some() || seen.iter().any(listed)
                };
                if !lasts(entry) || lifted || moved() || is_known() {
                    return;
                }
                let gone = Gone { entry, since: self.now, authority: &crl.authority, source: &crl.source };
                told.count += 1;
                if told.entries.len() < MAX_TOLD {
                    told.entries.push(VanishedEntry::of(key, serial, gone));
                }
                all.add(key, serial, gone);
            });
        }
    }
}

/// Whether it can't end.
fn lasts(entry: Entry) -> bool {
    entry.reason != Some(CERTIFICATE_HOLD)
}

/// Whether what a CRL has lost may stand in the other: of the same CA, or of a new key of it in the same place.
fn is_near(crl: &Crl, other: &Crl) -> bool {
    crl.issuer == other.issuer || (crl.source == other.source && crl.own_name() == other.own_name())
}

/// Whether a CRL that is near should have all of what the other had.
fn follows(crl: &Crl, other: &Crl) -> bool {
    let has_changes = || other.scope.completes(&crl.scope) && other.age(crl).is_ge();
    other.scope == crl.scope || other.source == crl.source || has_changes()
}
