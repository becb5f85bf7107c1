//! [`Facts`] in a compact form. It says nothing of the path above the leaf: that is taken from the trust that reads it, so that a
//! ticket never keeps a CA alive.

use std::sync::Arc;

use super::der::MAX_SERIAL;
use super::facts::{AltName, Facts, Link};
use super::name::{ATTRIBUTE_TYPES, MAX_VALUE, short_names};
use super::points::{ALL_REASONS, Point};
use super::trust::Trust;
use crate::now::Wall;

/// Changes with every change of the form.
const VERSION: u8 = 2;
/// Octets that are looked at.
pub(super) const MAX_OCTETS: usize = 16 * 1024;
/// Octets of most certificates' facts.
const USUAL_OCTETS: usize = 256;
/// Octets of an issuer's id that are kept.
pub(super) const SHORT_ID: usize = 16;

/// OIDs that most certificates have, by position; append only.
const OIDS: [&str; 3] = ["1.3.6.1.5.5.7.3.2", "1.3.6.1.5.5.7.3.4", "1.3.6.1.4.1.311.20.2.2"];
/// Longest name in octets that anybody can be asked for by (RFC 2865 section 5.1).
const MAX_NAME: usize = 253;
/// Where a text follows instead of a position.
const TEXT: u8 = u8::MAX;

impl Facts {
    /// A compact form for a ticket: about 150 octets more than the names are long. Facts of more than 16 KiB are written, but not read back.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let leaf = self.links.first().cloned().unwrap_or_default();
        let mut writer = Writer(Vec::with_capacity(USUAL_OCTETS));
        writer.0.push(VERSION);
        writer.0.extend_from_slice(&self.fingerprint);
        writer.0.extend(leaf.issuer.iter().take(SHORT_ID));
        writer.octets(&self.serial);
        writer.0.extend_from_slice(&self.not_before.0.to_be_bytes());
        writer.0.extend_from_slice(&self.not_after.0.to_be_bytes());
        writer.list(&self.subject, |writer, (attribute, value)| {
            writer.position_or_text(short_names().position(|short| short == attribute), attribute);
            writer.octets(value.as_bytes());
        });
        writer.list(&self.alt_names, |writer, name| {
            writer.0.push(kind(name));
            writer.octets(name.text().as_bytes());
        });
        writer.0.push(u8::from(self.purposes.is_some()));
        writer.list(self.purposes.as_deref().unwrap_or_default(), Writer::oid);
        writer.list(&self.policies, Writer::oid);
        writer.list(&leaf.points, Writer::point);
        writer.0
    }

    /// Reads it back; `None`: made by another version, or its authority is gone from `trust`.
    ///
    /// The authority is the one whose table has the issuing CA now, and the path above is the one that this table has now.
    #[must_use]
    pub fn decode(octets: &[u8], trust: &Trust) -> Option<Self> {
        if octets.len() > MAX_OCTETS {
            return None;
        }
        let mut reader = Reader(octets);
        if reader.array::<1>()? != [VERSION] {
            return None;
        }
        let fingerprint = reader.array()?;
        let short_id = reader.array::<SHORT_ID>()?;
        let issuer = trust.issuers.iter().find(|issuer| issuer.id.starts_with(&short_id))?;
        let serial = reader.serial()?.to_vec();
        let not_before = Wall(i64::from_be_bytes(reader.array()?));
        let not_after = Wall(i64::from_be_bytes(reader.array()?));
        let subject = reader.list(|reader| Some((reader.attribute()?, reader.text()?)))?;
        let alt_names = reader.list(Reader::alt_name)?;
        let has_purposes = reader.array::<1>()? == [1];
        let purposes = reader.list(Reader::oid)?;
        let policies = reader.list(Reader::oid)?;
        let points = reader.list(Reader::point)?;
        if !reader.0.is_empty() {
            return None;
        }
        let leaf = Link { issuer: issuer.id, serial: serial.clone(), not_before, not_after, points };
        let links: Vec<Link> = std::iter::once(leaf).chain(issuer.links.iter().cloned()).collect();
        Some(Self {
            fingerprint,
            authority: Arc::clone(&issuer.authority.name),
            serial,
            subject,
            alt_names,
            not_before,
            not_after,
            path_not_after: links.iter().map(|link| link.not_after).fold(issuer.authority.anchor_not_after, Wall::min),
            purposes: has_purposes.then_some(purposes),
            policies,
            locations: Arc::default(),
            links,
        })
    }
}

/// Names by which the subject of facts may be called, whoever has vouched for them: each CN, and each alternative name. Of what can't be read, none.
#[must_use]
pub fn names(facts: &[u8]) -> Vec<String> {
    let read = |reader: &mut Reader<'_>| {
        let [version] = reader.array()?;
        reader.array::<32>()?;
        reader.array::<SHORT_ID>()?;
        reader.serial()?;
        reader.array::<16>()?;
        let subject = reader.list(|reader| Some((reader.attribute()?, reader.text()?)))?;
        let alt_names = reader.list(Reader::alt_name)?;
        (version == VERSION).then_some((subject, alt_names))
    };
    let Some((subject, alt_names)) = read(&mut Reader(facts)) else { return Vec::new() };
    let common = subject.into_iter().filter(|(kind, _)| kind == "CN").map(|(_, name)| name);
    common.chain(alt_names.iter().map(|name| name.text().to_owned())).filter(|name| name.len() <= MAX_NAME).collect()
}

fn kind(name: &AltName) -> u8 {
    match name {
        AltName::Email(_) => 0,
        AltName::Upn(_) => 1,
        AltName::Dns(_) => 2,
        AltName::Uri(_) => 3,
    }
}

pub(super) struct Writer(pub(super) Vec<u8>);

impl Writer {
    /// Two octets of length, then the octets. Longer ones, which [`Facts`] never hold, are cut.
    pub(super) fn octets(&mut self, octets: &[u8]) {
        let length = u16::try_from(octets.len()).unwrap_or(u16::MAX);
        self.0.extend_from_slice(&length.to_be_bytes());
        self.0.extend(octets.iter().take(usize::from(length)));
    }

    /// One octet of count, then the items.
    pub(super) fn list<T>(&mut self, items: &[T], write: impl Fn(&mut Self, &T)) {
        let count = u8::try_from(items.len()).unwrap_or(u8::MAX);
        self.0.push(count);
        items.iter().take(usize::from(count)).for_each(|item| write(self, item));
    }

    fn position_or_text(&mut self, position: Option<usize>, text: &str) {
        match position.and_then(|position| u8::try_from(position).ok()) {
            Some(position) => self.0.push(position),
            None => {
                self.0.push(TEXT);
                self.octets(text.as_bytes());
            }
        }
    }

    /// The name, and what else there is of it, which is seldom.
    pub(super) fn point(&mut self, point: &Point) {
        let reasons = Some(point.reasons).filter(|reasons| *reasons != ALL_REASONS);
        self.0.push(u8::from(reasons.is_some()) | u8::from(point.issuer.is_some()) << 1);
        self.0.extend_from_slice(&point.name.to_be_bytes());
        self.0.extend(reasons.into_iter().flat_map(u16::to_be_bytes));
        self.0.extend(point.issuer.into_iter().flat_map(u64::to_be_bytes));
    }

    fn oid(&mut self, oid: &String) {
        self.position_or_text(OIDS.iter().position(|known| known == oid), oid);
    }
}

pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (array, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*array)
    }

    fn octets(&mut self, most: usize) -> Option<&'a [u8]> {
        let length = usize::from(u16::from_be_bytes(self.array()?));
        let (octets, rest) = self.0.split_at_checked(length).filter(|_| length <= most)?;
        self.0 = rest;
        Some(octets)
    }

    /// A serial of any length that a certificate may have.
    pub(super) fn serial(&mut self) -> Option<&'a [u8]> {
        self.octets(MAX_SERIAL)
    }

    pub(super) fn text(&mut self) -> Option<String> {
        str::from_utf8(self.octets(MAX_VALUE)?).ok().map(str::to_owned)
    }

    pub(super) fn list<T>(&mut self, read: impl Fn(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let [count] = self.array()?;
        (0..count).map(|_| read(self)).collect()
    }

    /// A text that stands in `known`, or one that follows.
    fn position_or_text(&mut self, known: impl Fn(usize) -> Option<&'static str>) -> Option<String> {
        match self.array()? {
            [TEXT] => self.text(),
            [position] => known(usize::from(position)).map(str::to_owned),
        }
    }

    fn attribute(&mut self) -> Option<String> {
        self.position_or_text(|position| ATTRIBUTE_TYPES.get(position).map(|(short, ..)| *short))
    }

    pub(super) fn point(&mut self) -> Option<Point> {
        let [more] = self.array()?;
        let name = u64::from_be_bytes(self.array()?);
        let reasons = if more & 1 == 0 { ALL_REASONS } else { u16::from_be_bytes(self.array()?) & ALL_REASONS };
        let issuer = if more & 2 == 0 { None } else { Some(u64::from_be_bytes(self.array()?)) };
        Some(Point { name, issuer, reasons })
    }

    fn oid(&mut self) -> Option<String> {
        self.position_or_text(|position| OIDS.get(position).copied())
    }

    fn alt_name(&mut self) -> Option<AltName> {
        let [kind] = self.array()?;
        let text = self.text()?;
        Some(match kind {
            0 => AltName::Email(text),
            1 => AltName::Upn(text),
            2 => AltName::Dns(text),
            3 => AltName::Uri(text),
            _ => return None,
        })
    }
}
