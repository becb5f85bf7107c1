//! The user's name, out of a certificate.

use std::sync::Arc;

use super::{UsernameRule, UsernameSource};
use crate::pki::{AltName, Facts};

/// Longest name in octets: a User-Name attribute's value (RFC 2865 section 5.1), a NAI (RFC 7542 section 2.3).
const MAX_NAME: usize = 253;
/// How many of the names that stand in the way are kept as evidence.
const MAX_EVIDENCE: usize = 8;

impl UsernameRule {
    /// The default: mail address, else UPN, else CN; in lower case, with its realm.
    #[must_use]
    pub fn new(authority: Arc<str>) -> Self {
        let sources = vec![UsernameSource::SanEmail, UsernameSource::SanUpn, UsernameSource::Cn];
        Self { authority, sources, lowercase: true, strip_realm: false }
    }

    /// The first source that is there names the user. What it says must be one good name: a bad one never falls back to the next source, by which whoever can add
    /// to a certificate could choose who he is. A certificate that names nobody is refused too, with no names as evidence: nobody could be told, blocked or found by it.
    pub(super) fn read(&self, facts: &Facts) -> Result<Arc<str>, Vec<String>> {
        let found = self.sources.iter().map(|source| source.values(facts)).find(|values| !values.is_empty());
        let names = self.distinct(found.unwrap_or_default());
        match names.as_slice() {
            [name] => self.finish(name).ok_or(names),
            _ => Err(names),
        }
    }

    /// Whether a certificate gives its user this name, without ASCII case: in any part that may name him, or as it is finished.
    pub(super) fn is_borne(&self, facts: &Facts, name: &str) -> bool {
        self.sources.iter().any(|source| source.is_borne(facts, name))
            || self.read(facts).is_ok_and(|user| user.eq_ignore_ascii_case(name))
    }

    /// Those names.
    pub(super) fn names(&self, facts: &Facts) -> Vec<String> {
        let values = self.sources.iter().flat_map(|source| source.values(facts)).map(str::to_owned);
        let mut names: Vec<String> = Vec::new();
        for name in values.chain(self.read(facts).map(|user| user.to_string())).filter(|name| is_good(name)) {
            if names.len() < MAX_EVIDENCE && !names.iter().any(|known| known.eq_ignore_ascii_case(&name)) {
                names.push(name);
            }
        }
        names
    }

    /// Different realms are different people even where the realm is stripped afterwards.
    fn distinct(&self, values: Vec<&str>) -> Vec<String> {
        let mut names = Vec::new();
        for value in values {
            let name = if self.lowercase { value.to_ascii_lowercase() } else { value.to_owned() };
            if !names.contains(&name) {
                names.push(name);
            }
            if names.len() == MAX_EVIDENCE {
                break;
            }
        }
        names
    }

    fn finish(&self, name: &str) -> Option<Arc<str>> {
        if !is_good(name) {
            return None;
        }
        let local = name.rsplit_once('@').map(|(local, _)| local).filter(|_| self.strip_realm);
        let name = local.unwrap_or(name);
        (!name.trim().is_empty()).then(|| name.into())
    }
}

impl UsernameSource {
    /// Whether a certificate has this name there, without ASCII case.
    pub(super) fn is_borne(self, facts: &Facts, name: &str) -> bool {
        is_good(name) && self.values(facts).into_iter().any(|value| value.eq_ignore_ascii_case(name))
    }

    /// What the certificate has of it.
    fn values(self, facts: &Facts) -> Vec<&str> {
        match self {
            Self::Cn => facts.subject.iter().filter(|(kind, _)| kind == "CN").map(|(_, cn)| cn.as_str()).collect(),
            _ => facts.alt_names.iter().filter_map(|name| self.of(name)).collect(),
        }
    }

    fn of(self, name: &AltName) -> Option<&str> {
        match (self, name) {
            (Self::SanEmail, AltName::Email(text))
            | (Self::SanUpn, AltName::Upn(text))
            | (Self::SanDns, AltName::Dns(text))
            | (Self::SanUri, AltName::Uri(text)) => Some(text),
            _ => None,
        }
    }
}

/// A name that says nothing but a realm (RFC 7542 section 2.4, RFC 9190 section 2.1.8): "@realm", "anonymous@realm", "anonymous".
#[must_use]
pub fn is_anonymous(name: &str) -> bool {
    let local = name.rsplit_once('@').map_or(name, |(local, _)| local);
    local.is_empty() || local.eq_ignore_ascii_case("anonymous")
}

/// A name that every log, NAS and list shows as what it is.
pub(super) fn is_good(name: &str) -> bool {
    !name.is_empty() && name.len() <= MAX_NAME && name.trim() == name && !name.contains(is_hidden)
}

/// Characters that show nothing or change how their neighbours show: control, format, bidirectional, line and paragraph separators, fillers, variation selectors, tags.
#[must_use]
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}
