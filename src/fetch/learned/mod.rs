//! Where certificates say that their revocation data is: of `sample`, of the configured intermediates, and of members whose chain and subject were verified.
//!
//! [`Learned`] knows every place that counts and what is wrong; [`places`] is a bounded list of them; [`page`] is what of them is on disk, so that a restart with all hosts down
//! knows which CRLs and answers were kept. Only members' places are: the others are read from the configuration again.

mod page;
mod places;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use super::Problem;
use super::remote::{self, SourceSettings};
use crate::pki::{Facts, Locations, Trust};
use page::{Kept, Page};
use places::{Places, Told};

pub(crate) use page::Unwritten;
pub(crate) use places::Place;

/// Whose CRLs are looked for where certificates say that they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Settings {
    /// The authorities whose `revocation` consults CRLs and whose `crl` is empty, in the order of the configuration.
    pub(crate) authorities: Vec<AuthoritySettings>,
    /// `sample` of all authorities, each verified to be one of its authority's.
    pub(crate) samples: Vec<Arc<Facts>>,
}

/// One authority.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AuthoritySettings {
    /// Its name.
    pub(crate) authority: Arc<str>,
    /// `crl-refresh`
    pub(crate) refresh: Duration,
    /// `alarm-after`
    pub(crate) alarm_after: Duration,
}

/// Every place that certificates tell.
#[derive(Clone, Debug)]
pub(crate) struct Learned {
    authorities: Vec<AuthoritySettings>,
    crls: Places,
    responders: Places,
    kept: Kept,
}

/// Places that nobody knew of before.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Found {
    /// Of CRLs.
    pub(crate) crls: Vec<SourceSettings>,
    /// Of OCSP responders.
    pub(crate) responders: Vec<Place>,
}

impl Found {
    /// Whether there is nothing new.
    pub(crate) fn is_empty(&self) -> bool {
        self.crls.is_empty() && self.responders.is_empty()
    }
}

impl Learned {
    /// What the configuration tells, and what members told before the start. `previous`: whose knowledge counts on where it could not be written down.
    pub(crate) fn new(settings: &super::Settings, trust: &Trust, previous: Option<&Self>) -> Self {
        let asked = settings.ocsp.authorities.iter().filter(|authority| authority.responders.is_empty());
        let crls = settings.learned.authorities.iter().map(|one| Arc::clone(&one.authority)).collect();
        let mut learned = Self {
            authorities: settings.learned.authorities.clone(),
            crls: Places::new(crls, "CRLs"),
            responders: Places::new(asked.map(|one| Arc::clone(&one.authority)).collect(), "OCSP responders"),
            kept: Kept::new(&settings.remote.state_dir),
        };
        learned.take_configured(&settings.learned.samples, trust);
        learned.take_kept(trust, previous);
        learned
    }

    fn take_configured(&mut self, samples: &[Arc<Facts>], trust: &Trust) {
        for facts in samples {
            self.take(facts, trust, Told::Configured);
        }
        for (authority, issuer, locations) in trust.locations() {
            self.locations(authority, issuer, locations, Told::Configured);
        }
    }

    fn take_kept(&mut self, trust: &Trust, previous: Option<&Self>) {
        if !self.crls.wanted() && !self.responders.wanted() {
            return;
        }
        let mut pages = vec![self.kept.read()];
        pages.extend(previous.filter(|previous| previous.kept.unwritten).map(|previous| {
            self.kept.unwritten = true;
            previous.page()
        }));
        for Page { crls, responders } in pages {
            let stands = |place: &Place| trust.consulted(&place.authority).contains(&place.issuer);
            for place in crls.into_iter().filter(stands) {
                self.crls.add(place, Told::ByMember);
            }
            for place in responders.into_iter().filter(stands) {
                self.responders.add(place, Told::ByMember);
            }
        }
    }

    /// What a member's certificate tells that nobody has told before; the facts must be verified. What is found is to be written down: see [`Learned::unwritten`].
    pub(crate) fn see(&mut self, facts: &Facts, trust: &Trust) -> Found {
        let found = self.take(facts, trust, Told::ByMember);
        self.kept.unwritten |= !found.is_empty();
        found
    }

    fn take(&mut self, facts: &Facts, trust: &Trust, told: Told) -> Found {
        // A conversation that began before a reload brings facts of CAs that may be gone.
        match facts.links.first() {
            Some(link) if trust.consulted(&facts.authority).contains(&link.issuer) => {
                self.locations(&facts.authority, &link.issuer, &facts.locations, told)
            }
            _ => Found::default(),
        }
    }

    fn locations(&mut self, authority: &Arc<str>, issuer: &[u8; 32], locations: &Locations, told: Told) -> Found {
        let place = |text: &String| Place::parse(authority, *issuer, text);
        let new = |places: &mut Places, texts: &[String]| -> Vec<Place> {
            texts.iter().filter_map(place).filter(|place| places.add(place.clone(), told)).collect()
        };
        let crls = new(&mut self.crls, &locations.crls);
        let responders = new(&mut self.responders, &locations.ocsp);
        Found { crls: self.sources(crls.iter().map(|place| (place, told))), responders }
    }

    /// As what CRLs of these places are fetched.
    fn sources<'a>(&self, places: impl IntoIterator<Item = (&'a Place, Told)>) -> Vec<SourceSettings> {
        let source = |(place, told): (&Place, Told)| {
            let settings = self.authorities.iter().find(|settings| settings.authority == place.authority)?;
            Some(SourceSettings {
                authority: Arc::clone(&place.authority),
                url: place.url.clone(),
                refresh: settings.refresh,
                alarm_after: settings.alarm_after,
                by_member: told == Told::ByMember,
            })
        };
        places.into_iter().filter_map(source).collect()
    }

    /// Settings with every CRL that is known of added.
    pub(crate) fn added_to(&self, settings: &remote::Settings) -> remote::Settings {
        let mut settings = settings.clone();
        for source in self.sources(self.crls.all()) {
            if !settings.crls.iter().any(|other| other.authority == source.authority && other.url == source.url) {
                settings.crls.push(source);
            }
        }
        settings
    }

    /// Every OCSP responder that certificates name.
    pub(crate) fn responders(&self) -> impl DoubleEndedIterator<Item = &Place> {
        self.responders.iter()
    }

    /// What is to be written down, by [`Unwritten::write`] elsewhere; [`Learned::wrote`] takes what came of it. `None`: all that is known is on disk.
    pub(crate) fn unwritten(&self) -> Option<Unwritten> {
        self.kept.unwritten.then(|| Unwritten { page: self.page(), path: self.kept.path.clone() })
    }

    /// Whether all that was known when it was asked for is on disk now.
    pub(crate) fn wrote(&mut self, result: Result<(), String>) {
        self.kept.wrote(result);
    }

    fn page(&self) -> Page {
        let of = |places: &Places| places.told_by_members().cloned().collect();
        Page { crls: of(&self.crls), responders: of(&self.responders) }
    }

    /// What isn't as it should be.
    pub(crate) fn problems(&self) -> Vec<Problem> {
        let source: Arc<str> = self.kept.path.display().to_string().into();
        let texts = self.kept.problem.iter().cloned().chain(self.crls.complaints()).chain(self.responders.complaints());
        texts.map(|text| Problem { source: Arc::clone(&source), text, fatal: false }).collect()
    }
}
