//! One CRL (RFC 5280 section 5): walked once in its raw DER, its signature checked once.

use std::cmp::Ordering;
use std::sync::Arc;

use data_encoding::HEXLOWER;
use rustls::pki_types::CertificateRevocationListDer;
use rustls::pki_types::pem::PemObject;

use super::ca::Ca;
use super::der::{self, BadDer, CONTEXT_CONSTRUCTED, ENUMERATED, Element, INTEGER, Reader, SEQUENCE, only_sequence};
use super::extension::Extension;
use super::name;
use super::points::{self, BadScope, Scope};
use super::serials::{CERTIFICATE_HOLD, Entry, REMOVE_FROM_CRL, Serials};
use super::signature::{BadSignature, Signed};
use super::trust::Trust;
use crate::event::CrlName;
use crate::now::Wall;

/// Octets of an issuer's name.
const MAX_NAME: usize = 4096;
/// Issuers about whose certificates one indirect CRL may be.
const MAX_ISSUERS: usize = 256;
/// Extensions of the list, and of an entry.
const MAX_EXTENSIONS: usize = 32;

const CRL_NUMBER: &[u8] = &[0x55, 0x1d, 20];
const REASON_CODE: &[u8] = &[0x55, 0x1d, 21];
const INVALIDITY_DATE: &[u8] = &[0x55, 0x1d, 24];
const DELTA_CRL_INDICATOR: &[u8] = &[0x55, 0x1d, 27];
const ISSUING_DISTRIBUTION_POINT: &[u8] = &[0x55, 0x1d, 28];
const CERTIFICATE_ISSUER: &[u8] = &[0x55, 0x1d, 29];
const AUTHORITY_KEY_IDENTIFIER: &[u8] = &[0x55, 0x1d, 35];

/// A verified CRL: signature checked once, serials in an index of our own.
#[derive(Debug)]
pub struct Crl {
    pub(super) authority: Arc<str>,
    pub(super) source: Arc<str>,
    /// Its issuer, as in [`super::Link`].
    pub(super) issuer: [u8; 32],
    /// Without leading zeros.
    number: Option<Vec<u8>>,
    /// BaseCRLNumber of a delta CRL.
    base: Option<Vec<u8>>,
    pub(super) this_update: Wall,
    pub(super) next_update: Option<Wall>,
    pub(super) scope: Scope,
    /// By the name of who has issued the certificates ([`name::id`]): the CRL's issuer first, then others, if it is indirect.
    pub(super) lists: Vec<(u64, Serials)>,
}

/// Why a CRL is not used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadCrl {
    /// What is wrong, for an administrator.
    pub text: String,
}

/// What metrics and `/api/v1/authorities` say of a CRL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CrlSummary {
    /// Name of the authority whose table named it.
    pub authority: Arc<str>,
    /// Where it came from.
    pub source: Arc<str>,
    /// cRLNumber, big-endian octets.
    pub number: Option<Vec<u8>>,
    /// thisUpdate
    pub this_update: Wall,
    /// nextUpdate
    pub next_update: Option<Wall>,
    /// Revoked certificates in it.
    pub entries: usize,
}

impl Crl {
    /// Reads a CRL (DER or PEM), finds its issuer among the anchors and intermediates of `trust`, and checks signature, cRLSign and extensions.
    ///
    /// Of several CAs of one name it belongs to the one whose key verifies it. Those about attribute certificates aren't used.
    /// How old it is doesn't matter here: that is judged whenever it is consulted.
    ///
    /// # Errors
    /// [`BadCrl`] says in a sentence why it can't be used.
    pub fn load(octets: &[u8], authority: &Arc<str>, source: &Arc<str>, trust: &Trust) -> Result<Self, BadCrl> {
        let der = der(octets)?;
        let signed = Signed::read(&der).map_err(|BadDer| bad("it isn't a CRL in DER or PEM"))?;
        let list = List::read(&signed).map_err(|BadDer| bad("it isn't a CRL: its header is malformed"))?;
        let issuer = issuer(&signed, &list, trust)?;
        let header = Extensions::read(&list)?;
        let lists = entries(&list, header.scope.indirect)?;
        Ok(Self {
            authority: Arc::clone(authority),
            source: Arc::clone(source),
            issuer: issuer.id,
            number: header.number,
            base: header.base,
            this_update: list.this_update,
            next_update: list.next_update,
            scope: header.scope,
            lists,
        })
    }

    /// For metrics.
    #[must_use]
    pub fn summary(&self) -> CrlSummary {
        CrlSummary {
            authority: Arc::clone(&self.authority),
            source: Arc::clone(&self.source),
            number: self.number.clone(),
            this_update: self.this_update,
            next_update: self.next_update,
            entries: self.lists.iter().map(|(_, serials)| serials.len()).sum(),
        }
    }

    /// Whether this CRL may follow `other` from the same source: never an older one (R07). Neither its number nor its thisUpdate may be lower.
    #[must_use]
    pub fn supersedes(&self, other: &Self) -> bool {
        let same_line = self.issuer == other.issuer && self.scope == other.scope;
        let numbered = match (&self.number, &other.number) {
            (Some(own), Some(number)) if same_line => compare(own, number) != Ordering::Less,
            _ => true,
        };
        numbered && self.this_update >= other.this_update
    }

    /// Which of two of the same issuer and scope counts, greater is newer: by number, then by thisUpdate; one without a number only by thisUpdate.
    pub(super) fn age(&self, other: &Self) -> Ordering {
        let numbers = match (&self.number, &other.number) {
            (Some(own), Some(number)) => compare(own, number),
            _ => Ordering::Equal,
        };
        numbers.then(self.this_update.cmp(&other.this_update))
    }

    /// The entry that revokes the certificate of this serial and issuer ([`name::id`]); `None`: there is none.
    pub(super) fn find(&self, issuer: u64, serial: &[u8]) -> Option<Entry> {
        self.entry(issuer, serial).filter(|entry| !self.scope.delta || entry.reason != Some(REMOVE_FROM_CRL))
    }

    /// Whether a delta CRL says that a certificate isn't revoked any more.
    pub(super) fn releases(&self, issuer: u64, serial: &[u8]) -> bool {
        self.scope.delta && self.entry(issuer, serial).is_some_and(|entry| entry.reason == Some(REMOVE_FROM_CRL))
    }

    fn entry(&self, issuer: u64, serial: &[u8]) -> Option<Entry> {
        self.list(issuer)?.find(serial)
    }

    /// What it lists of certificates that somebody of this name ([`name::id`]) has issued.
    pub(super) fn list(&self, issuer: u64) -> Option<&Serials> {
        self.lists.iter().find(|(name, _)| *name == issuer).map(|(_, serials)| serials)
    }

    /// Its issuer's name, as [`name::id`] has it.
    pub(super) fn own_name(&self) -> Option<u64> {
        self.lists.first().map(|(name, _)| *name)
    }

    /// Whether a delta CRL may be laid over a complete one of the same issuer (RFC 5280 section 5.2.4): same scope, the base not later than the complete one, and something new in it.
    pub(super) fn is_overlay_of(&self, complete: &Self) -> bool {
        let numbers = (&self.base, &complete.number, &self.number);
        let (Some(base), Some(number), Some(own)) = numbers else { return false };
        self.issuer == complete.issuer
            && complete.scope.completes(&self.scope)
            && compare(base, number) != Ordering::Greater
            && compare(number, own) == Ordering::Less
    }

    pub(super) fn name(&self) -> CrlName {
        CrlName {
            authority: Arc::clone(&self.authority),
            source: Arc::clone(&self.source),
            number: self.number.as_deref().map(number_text),
            this_update: self.this_update,
            next_update: self.next_update,
        }
    }
}

/// Big-endian numbers without leading zeros.
fn compare(one: &[u8], other: &[u8]) -> Ordering {
    one.len().cmp(&other.len()).then_with(|| one.cmp(other))
}

/// Decimal up to 64 bits, else hex.
fn number_text(number: &[u8]) -> String {
    if number.len() <= 8 {
        return number.iter().fold(0_u64, |value, &octet| value << 8 | u64::from(octet)).to_string();
    }
    format!("0x{}", HEXLOWER.encode(number))
}

fn bad(text: impl Into<String>) -> BadCrl {
    BadCrl { text: text.into() }
}

/// The DER of the one CRL in a file.
fn der(octets: &[u8]) -> Result<CertificateRevocationListDer<'_>, BadCrl> {
    if !octets.trim_ascii_start().starts_with(b"-----BEGIN") {
        return Ok(octets.into());
    }
    let mut crls = CertificateRevocationListDer::pem_slice_iter(octets);
    match (crls.next(), crls.next()) {
        (Some(Ok(crl)), None) => Ok(crl),
        (Some(Ok(_)), Some(_)) => Err(bad("there is more than one CRL in this PEM file: write each to its own")),
        _ => Err(bad("there is no X509 CRL in this PEM file")),
    }
}

/// The fields of a TBSCertList, its lists still unread.
struct List<'a> {
    version_2: bool,
    issuer: &'a [u8],
    this_update: Wall,
    next_update: Option<Wall>,
    entries: Reader<'a>,
    extensions: Option<Reader<'a>>,
}

impl<'a> List<'a> {
    fn read(signed: &Signed<'a>) -> Result<Self, BadDer> {
        let mut reader = Reader::new(signed.content);
        let version_2 = match reader.optional(INTEGER)? {
            None => false,
            Some([1]) => true,
            Some(_) => return Err(BadDer),
        };
        if reader.expect(SEQUENCE)? != signed.algorithm {
            return Err(BadDer);
        }
        let issuer = reader.expect_element(SEQUENCE)?.raw;
        let this_update = Wall(reader.time()?);
        let mut rest = reader;
        let next_update = match rest.time() {
            Ok(time) => {
                reader = rest;
                Some(Wall(time))
            }
            Err(BadDer) => None,
        };
        let entries = Reader::new(reader.optional(SEQUENCE)?.unwrap_or_default());
        let extensions = reader.optional(CONTEXT_CONSTRUCTED)?.map(only_sequence).transpose()?;
        reader.end()?;
        if issuer.len() > MAX_NAME {
            return Err(BadDer);
        }
        Ok(Self { version_2, issuer, this_update, next_update, entries, extensions })
    }
}

/// The CA whose key has signed it.
fn issuer<'t>(signed: &Signed<'_>, list: &List<'_>, trust: &'t Trust) -> Result<&'t Ca, BadCrl> {
    let mut named = trust.cas.iter().filter(|ca| ca.subject == list.issuer).peekable();
    if named.peek().is_none() {
        return Err(bad("its issuer is none of the configured CAs"));
    }
    let mut refusal = BadSignature::Wrong;
    for ca in named {
        match signed.verify(&ca.spki) {
            Ok(()) if ca.crl_sign => return Ok(ca),
            Ok(()) => return Err(bad(format!("{} may not sign CRLs: its keyUsage lacks cRLSign", ca.text))),
            Err(found) => refusal = found,
        }
    }
    Err(bad(match refusal {
        BadSignature::Wrong => "its signature is wrong: it was changed, or made with another key of this name",
        BadSignature::Weak => "its signature's algorithm isn't accepted",
    }))
}

/// What crlExtensions say.
struct Extensions {
    number: Option<Vec<u8>>,
    base: Option<Vec<u8>>,
    scope: Scope,
}

impl Extensions {
    fn read(list: &List<'_>) -> Result<Self, BadCrl> {
        const MALFORMED: &str = "its extensions are malformed";
        let mut found = Self { number: None, base: None, scope: Scope::ALL };
        if !list.version_2 {
            let plain = list.extensions.is_none();
            return if plain { Ok(found) } else { Err(bad("it is a version 1 CRL with extensions")) };
        }
        let mut reader = list.extensions.unwrap_or(Reader::new(&[]));
        let mut seen: Vec<&[u8]> = Vec::new();
        while !reader.is_empty() {
            let extension = Extension::read(&mut reader).map_err(|BadDer| bad(MALFORMED))?;
            if seen.contains(&extension.oid) || seen.len() == MAX_EXTENSIONS {
                return Err(bad("an extension stands twice, or there are too many"));
            }
            seen.push(extension.oid);
            found.take(&extension, list.issuer)?;
        }
        // Its age can't be compared with that of another (RFC 5280 section 5.2.3).
        if found.number.is_none() {
            return Err(bad("it has no cRLNumber, as every version 2 CRL must"));
        }
        Ok(found)
    }

    fn take(&mut self, extension: &Extension<'_>, issuer: &[u8]) -> Result<(), BadCrl> {
        match extension.oid {
            CRL_NUMBER if extension.critical => return Err(bad("its cRLNumber is critical, which it must not be")),
            CRL_NUMBER => {
                self.number = Some(number(extension.value).map_err(|BadDer| bad("its cRLNumber is malformed"))?)
            }
            ISSUING_DISTRIBUTION_POINT => {
                let scope = points::of_crl(extension.value, issuer).map_err(bad_scope)?;
                self.scope = Scope { delta: self.scope.delta, ..scope };
            }
            DELTA_CRL_INDICATOR => {
                let base = number(extension.value).map_err(|BadDer| bad("its deltaCRLIndicator is malformed"))?;
                self.base = Some(base);
                self.scope.delta = true;
            }
            AUTHORITY_KEY_IDENTIFIER => {}
            _ if extension.critical => return Err(bad("it has a critical extension that isn't known")),
            _ => {}
        }
        Ok(())
    }
}

fn bad_scope(scope: BadScope) -> BadCrl {
    bad(match scope {
        BadScope::Malformed => "its issuingDistributionPoint is malformed",
        BadScope::AttributeCertificates => "it is about attribute certificates only",
    })
}

fn number(value: &[u8]) -> Result<Vec<u8>, BadDer> {
    let mut reader = Reader::new(value);
    let number = reader.expect(INTEGER)?;
    reader.end()?;
    if number.first().is_some_and(|octet| octet & 0x80 != 0) {
        return Err(BadDer);
    }
    der::trim_integer(number).map(<[u8]>::to_vec)
}

/// Why an entry makes the whole CRL unusable.
enum BadEntry {
    Malformed,
    UnknownCritical,
    TooManyIssuers,
}

impl From<BadDer> for BadEntry {
    fn from(BadDer: BadDer) -> Self {
        Self::Malformed
    }
}

/// revokedCertificates. `removeFromCRL` belongs into delta CRLs; in a complete one it is an entry like any other, since "revoked" must never be overlooked.
fn entries(list: &List<'_>, indirect: bool) -> Result<Vec<(u64, Serials)>, BadCrl> {
    let own = name::id(list.issuer).ok_or_else(|| bad("its issuer's name is malformed"))?;
    // Of an indirect one nobody knows yet whose certificates it lists.
    let room = if indirect { 0 } else { count(list.entries) };
    let mut lists = Lists { all: vec![(own, Serials::with_capacity(room))], current: 0, indirect };
    let mut reader = list.entries;
    let mut number = 0_usize;
    while !reader.is_empty() {
        number += 1;
        lists.read_entry(&mut reader, list.version_2).map_err(|what| {
            bad(match what {
                BadEntry::Malformed => format!("its entry {number} is malformed"),
                BadEntry::UnknownCritical => format!("its entry {number} has a critical extension that isn't known"),
                BadEntry::TooManyIssuers => format!("it is about certificates of more than {MAX_ISSUERS} issuers"),
            })
        })?;
    }
    Ok(lists.all.into_iter().map(|(issuer, serials)| (issuer, serials.settle())).collect())
}

/// How many entries there are, as far as they can be such at all: so that they take no more memory than they need, and at no time twice of that.
fn count(mut entries: Reader<'_>) -> usize {
    // A serial number of one octet and a date.
    const SHORTEST: usize = 20;
    let is_entry = |element: &Element<'_>| element.raw.len() >= SHORTEST;
    std::iter::from_fn(|| entries.element().ok().filter(is_entry)).count()
}

/// Serials by who has issued the certificates.
struct Lists {
    all: Vec<(u64, Serials)>,
    /// That of the entry before: an entry of an indirect CRL that names nobody is about the same issuer (RFC 5280 section 5.3.3).
    current: usize,
    indirect: bool,
}

impl Lists {
    fn read_entry(&mut self, list: &mut Reader<'_>, version_2: bool) -> Result<(), BadEntry> {
        let mut reader = Reader::new(list.expect(SEQUENCE)?);
        let serial = der::serial(reader.expect(INTEGER)?)?;
        let at = Wall(reader.time()?);
        let more = match reader.optional(SEQUENCE)? {
            Some(extensions) if version_2 => EntryExtensions::read(Reader::new(extensions), self.indirect)?,
            Some(_) => return Err(BadEntry::Malformed),
            None => EntryExtensions::default(),
        };
        reader.end()?;
        if let Some(issuer) = more.issuer {
            self.turn_to(issuer)?;
        }
        let (_, serials) = self.all.get_mut(self.current).ok_or(BadEntry::Malformed)?;
        if serials.push(&serial, Entry { at, reason: more.reason }) { Ok(()) } else { Err(BadEntry::Malformed) }
    }

    fn turn_to(&mut self, issuer: u64) -> Result<(), BadEntry> {
        let known = self.all.iter().position(|(name, _)| *name == issuer);
        if known.is_none() {
            if self.all.len() == MAX_ISSUERS {
                return Err(BadEntry::TooManyIssuers);
            }
            self.all.push((issuer, Serials::new()));
        }
        self.current = known.unwrap_or(self.all.len() - 1);
        Ok(())
    }
}

/// What crlEntryExtensions say.
#[derive(Default)]
struct EntryExtensions {
    reason: Option<u8>,
    /// certificateIssuer
    issuer: Option<u64>,
}

impl EntryExtensions {
    fn read(mut extensions: Reader<'_>, indirect: bool) -> Result<Self, BadEntry> {
        let mut found = Self::default();
        let mut count = 0;
        while !extensions.is_empty() {
            let extension = Extension::read(&mut extensions)?;
            count += 1;
            match extension.oid {
                _ if count > MAX_EXTENSIONS => return Err(BadEntry::Malformed),
                REASON_CODE => {
                    let mut reader = Reader::new(extension.value);
                    let [code] = reader.expect(ENUMERATED)? else { return Err(BadEntry::Malformed) };
                    reader.end()?;
                    found.reason = Some(*code);
                }
                INVALIDITY_DATE => {}
                CERTIFICATE_ISSUER if indirect => found.issuer = Some(points::certificate_issuer(extension.value)?),
                _ if extension.critical => return Err(BadEntry::UnknownCritical),
                _ => {}
            }
        }
        Ok(found)
    }
}

/// CRLReason's names (RFC 5280 section 5.3.1).
pub(super) fn reason_name(code: u8) -> Option<&'static str> {
    Some(match code {
        0 => "unspecified",
        1 => "keyCompromise",
        2 => "cACompromise",
        3 => "affiliationChanged",
        4 => "superseded",
        5 => "cessationOfOperation",
        CERTIFICATE_HOLD => "certificateHold",
        REMOVE_FROM_CRL => "removeFromCRL",
        9 => "privilegeWithdrawn",
        10 => "aACompromise",
        _ => return None,
    })
}
