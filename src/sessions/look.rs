//! Looking somebody up among the live sessions: piece by piece, since the hall does nothing else meanwhile.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::session::{Session, SessionId, Tie};
use super::table::Sessions;

/// Sessions that are looked at in one go: about a millisecond.
const PIECE: usize = 8_192;

/// Which of the live sessions; everything that is set must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Which {
    /// The user by the certificate, else by what the NAS says; without ASCII case.
    pub user: Option<Box<str>>,
    /// The certificate.
    pub certificate: Option<Named>,
    /// Name of the service.
    pub service: Option<Box<str>>,
    /// One of these.
    pub among: Option<Arc<BTreeSet<SessionId>>>,
}

/// A certificate, by either of its names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Named {
    /// SHA-256 of the DER.
    pub fingerprint: Option<[u8; 32]>,
    /// Name of its authority in the configuration, and its serial, big-endian without leading zeros.
    pub name: Option<(Box<str>, Box<[u8]>)>,
}

/// What was found in one go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Looked {
    /// In the order of their numbers.
    pub found: Vec<Session>,
    /// After which to go on, if fewer were found than were wanted and not all have been looked at.
    pub on: Option<SessionId>,
}

impl Which {
    fn is(&self, session: &Session) -> bool {
        let user = || session.user.as_deref().or(session.user_name.as_deref());
        let is_user = |wanted: &str| user().is_some_and(|user| user.eq_ignore_ascii_case(wanted));
        self.among.as_ref().is_none_or(|ids| ids.contains(&session.id))
            && self.service.as_deref().is_none_or(|wanted| session.service.as_deref() == Some(wanted))
            && self.user.as_deref().is_none_or(is_user)
            && self.certificate.as_ref().is_none_or(|named| session.tie.as_ref().is_some_and(|tie| named.is(tie)))
    }
}

impl Named {
    fn is(&self, tie: &Tie) -> bool {
        let is_called = |(authority, serial): &(Box<str>, Box<[u8]>)| match tie {
            Tie::Known(imprint) => **imprint.authority() == **authority && imprint.serial() == &**serial,
            Tie::Fingerprint(_) => false,
        };
        self.fingerprint.as_ref() == Some(tie.fingerprint()) || self.name.as_ref().is_some_and(is_called)
    }
}

impl Sessions {
    /// The first after one, `most` at most.
    #[must_use]
    pub fn look(&self, which: &Which, after: Option<SessionId>, most: usize) -> Looked {
        let mut looked = Looked::default();
        for (count, session) in self.after(after).enumerate() {
            if looked.found.len() >= most {
                return looked;
            }
            if count >= PIECE {
                looked.on = Some(SessionId(session.id.0.saturating_sub(1)));
                return looked;
            }
            if which.is(session) {
                looked.found.push(session.clone());
            }
        }
        looked
    }
}
