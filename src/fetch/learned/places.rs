//! A list of places, each once and never too many.

use std::sync::Arc;

use super::super::http::Url;

/// Places that one authority's certificates may name: a CA that cuts its CRL up may have several.
pub(super) const MOST: usize = 64;

/// Where revocation data of one CA's certificates is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// Name of the authority below which the CA is.
    pub(crate) authority: Arc<str>,
    /// The CA, as in [`crate::pki::Link`].
    pub(crate) issuer: [u8; 32],
    pub(crate) url: Url,
}

impl Place {
    /// `None`: it is no URL that may be fetched from.
    pub(super) fn parse(authority: &Arc<str>, issuer: [u8; 32], text: &str) -> Option<Self> {
        Some(Self { authority: Arc::clone(authority), issuer, url: Url::parse(text).ok()? })
    }
}

/// Who has told of a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// A certificate that the configuration names.
    Configured,
    /// The certificate of somebody who has logged in.
    ByMember,
}

/// Places of one kind.
#[derive(Clone, Debug)]
pub(super) struct Places {
    /// The authorities that want to know of them.
    authorities: Vec<Arc<str>>,
    /// What they are, for an administrator.
    kind: &'static str,
    all: Vec<(Place, Told)>,
    /// Authorities that have as many as they may.
    full: Vec<Arc<str>>,
}

impl Places {
    pub(super) fn new(authorities: Vec<Arc<str>>, kind: &'static str) -> Self {
        Self { authorities, kind, all: Vec::new(), full: Vec::new() }
    }

    /// Whether anybody wants to know of any.
    pub(super) fn wanted(&self) -> bool {
        !self.authorities.is_empty()
    }

    /// Adds one; whether it is wanted and new.
    pub(super) fn add(&mut self, place: Place, told: Told) -> bool {
        if !self.authorities.contains(&place.authority) || self.all.iter().any(|(known, _)| *known == place) {
            return false;
        }
        if self.all.iter().filter(|(known, _)| known.authority == place.authority).count() >= MOST {
            if !self.full.contains(&place.authority) {
                self.full.push(place.authority);
            }
            return false;
        }
        self.all.push((place, told));
        true
    }

    pub(super) fn all(&self) -> impl Iterator<Item = (&Place, Told)> {
        self.all.iter().map(|(place, told)| (place, *told))
    }

    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = &Place> {
        self.all.iter().map(|(place, _)| place)
    }

    pub(super) fn told_by_members(&self) -> impl Iterator<Item = &Place> {
        self.all.iter().filter(|(_, told)| *told == Told::ByMember).map(|(place, _)| place)
    }

    pub(super) fn complaints(&self) -> impl Iterator<Item = String> {
        let kind = self.kind;
        self.full.iter().map(move |authority| {
            format!(
                "authority {authority}: its certificates name more than {MOST} places of {kind}; none is added to those"
            )
        })
    }
}
