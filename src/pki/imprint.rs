//! What has to be remembered of a certificate in order to say later whether it has been revoked or distrusted since: a live session keeps one, and the database.

use std::sync::Arc;

use super::facts::{Facts, Link};
use super::points::Point;
use super::ticket::{MAX_OCTETS, Reader, SHORT_ID, Writer};
use super::trust::Trust;
use crate::now::Wall;

/// Changes with every change of the form.
const VERSION: u8 = 1;

/// A certificate whose chain was verified, by as little as says whether it has to go: about 200 octets. Of the path above the leaf it says nothing: that is taken from the trust that judges.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imprint {
    fingerprint: [u8; 32],
    authority: Arc<str>,
    issuer: [u8; SHORT_ID],
    serial: Box<[u8]>,
    not_before: Wall,
    not_after: Wall,
    points: Box<[Point]>,
}

impl From<&Facts> for Imprint {
    fn from(facts: &Facts) -> Self {
        let leaf = facts.links.first();
        let mut issuer = [0; SHORT_ID];
        for (to, from) in issuer.iter_mut().zip(leaf.map_or([0; 32], |leaf| leaf.issuer)) {
            *to = from;
        }
        Self {
            fingerprint: facts.fingerprint,
            authority: Arc::clone(&facts.authority),
            issuer,
            serial: facts.serial.as_slice().into(),
            not_before: facts.not_before,
            not_after: facts.not_after,
            points: leaf.map_or(&[][..], |leaf| &leaf.points).into(),
        }
    }
}

impl Imprint {
    /// SHA-256 of the certificate's DER.
    #[must_use]
    pub fn fingerprint(&self) -> &[u8; 32] {
        &self.fingerprint
    }

    /// Name of its authority when it logged in.
    #[must_use]
    pub fn authority(&self) -> &Arc<str> {
        &self.authority
    }

    /// Its serial, big-endian without leading zeros.
    #[must_use]
    pub fn serial(&self) -> &[u8] {
        &self.serial
    }

    /// For a database.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer(vec![VERSION]);
        writer.0.extend_from_slice(&self.fingerprint);
        writer.0.extend_from_slice(&self.issuer);
        writer.octets(&self.serial);
        writer.0.extend_from_slice(&self.not_before.0.to_be_bytes());
        writer.0.extend_from_slice(&self.not_after.0.to_be_bytes());
        writer.octets(self.authority.as_bytes());
        writer.list(&self.points, Writer::point);
        writer.0
    }

    /// Reads it back; `None`: made by another version, or damaged.
    #[must_use]
    pub fn decode(octets: &[u8]) -> Option<Self> {
        let mut reader = Reader(octets.get(..MAX_OCTETS).unwrap_or(octets));
        if reader.array::<1>()? != [VERSION] {
            return None;
        }
        let (fingerprint, issuer) = (reader.array()?, reader.array()?);
        let serial = reader.serial()?.into();
        let not_before = Wall(i64::from_be_bytes(reader.array()?));
        let not_after = Wall(i64::from_be_bytes(reader.array()?));
        let authority = reader.text()?.into();
        let points = reader.list(Reader::point)?.into();
        reader.0.is_empty().then_some(Self { fingerprint, authority, issuer, serial, not_before, not_after, points })
    }

    /// As much of its facts as revocation and distrust look at. `None`: its issuer is no longer configured.
    pub(super) fn facts(&self, trust: &Trust) -> Option<Facts> {
        let issuer = trust.issuers.iter().find(|issuer| issuer.id.starts_with(&self.issuer))?;
        let leaf = Link {
            issuer: issuer.id,
            serial: self.serial.to_vec(),
            not_before: self.not_before,
            not_after: self.not_after,
            points: self.points.to_vec(),
        };
        let links: Vec<Link> = std::iter::once(leaf).chain(issuer.links.iter().cloned()).collect();
        Some(Facts {
            fingerprint: self.fingerprint,
            authority: Arc::clone(&issuer.authority.name),
            serial: self.serial.to_vec(),
            subject: Vec::new(),
            alt_names: Vec::new(),
            not_before: self.not_before,
            not_after: self.not_after,
            path_not_after: links.iter().map(|link| link.not_after).fold(issuer.authority.anchor_not_after, Wall::min),
            purposes: None,
            policies: Vec::new(),
            locations: Arc::default(),
            links,
        })
    }

    /// Octets that it takes.
    #[cfg(test)]
    pub(super) fn weight(&self) -> usize {
        size_of::<Self>() + self.serial.len() + size_of_val(&*self.points)
    }
}
