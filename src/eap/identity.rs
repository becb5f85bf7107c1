//! The outer identity.

use std::fmt;

/// Octets from which on an identity is refused: User-Name, which repeats it, ends at 253 octets, so one of that length may have been cut short and its realm be another's.
const TOO_LONG: usize = 253;

/// Most octets of one label of a realm (RFC 7542 section 2.2, RFC 1035 section 2.3.4).
const MAX_LABEL: usize = 63;

/// The outer identity (RFC 7542, RFC 3748 section 5.1): routes, and is never the user's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The text as it came.
    pub text: String,
    /// What follows the last `@`, lower case; `None`: a bare name or nothing at all.
    pub realm: Option<String>,
}

/// Why an identity is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadIdentity {
    /// Not UTF-8, or with control characters.
    Text,
    /// 253 octets or more: it may have been cut short.
    Length,
    /// `user@`, or a realm that is no host name's form (RFC 7542 section 2.2).
    Realm,
}

impl fmt::Display for BadIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text => "not UTF-8, or with control characters",
            Self::Length => "so long that it may have been cut short",
            Self::Realm => "its realm isn't formed like a host's name",
        })
    }
}

impl Identity {
    /// Reads what an EAP-Response/Identity carries. "@realm" and the empty text are anonymous and good; so is a bare name of any form ("host/pc", "DOMAIN\user", a common name with spaces).
    ///
    /// # Errors
    /// What is wrong with it. A realm of one label is good here: whether it is one of the service's is policy's question.
    pub fn parse(octets: &[u8]) -> Result<Self, BadIdentity> {
        if octets.len() >= TOO_LONG {
            return Err(BadIdentity::Length);
        }
        let text = std::str::from_utf8(octets).map_err(|_| BadIdentity::Text)?;
        if text.chars().any(char::is_control) {
            return Err(BadIdentity::Text);
        }
        let realm = text.rsplit_once('@').map(|(_, realm)| realm);
        if realm.is_some_and(|realm| !realm.split('.').all(is_label)) {
            return Err(BadIdentity::Realm);
        }
        Ok(Self { text: text.to_owned(), realm: realm.map(str::to_lowercase) })
    }
}

/// Letters, digits, hyphens inside, anything beyond ASCII (RFC 7542 section 2.2, `label`).
fn is_label(label: &str) -> bool {
    let inner = |c: char| c.is_ascii_alphanumeric() || c == '-' || !c.is_ascii();
    (1..=MAX_LABEL).contains(&label.len())
        && label.chars().all(|c| inner(c) && !c.is_whitespace())
        && !label.starts_with('-')
        && !label.ends_with('-')
}
