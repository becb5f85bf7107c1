//! Where a certificate says that its revocation data is.

use super::der::{BadDer, CONTEXT, CONTEXT_CONSTRUCTED, OID, Reader, SEQUENCE};

/// id-ad-ocsp (RFC 5280 section 4.2.2.1)
pub(super) const OCSP: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 0x30, 1];
/// uniformResourceIdentifier in a GeneralName.
const URI: u8 = CONTEXT | 6;
/// Places of each kind that are kept of one certificate.
const MAX_PLACES: usize = 8;
/// Octets of one.
const MAX_OCTETS: usize = 1024;

/// Where a certificate says that revocation data about it is: URLs as they stand in it, http and https only, at most eight of each kind and 1,024 octets each. What else it names is left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Locations {
    /// Of CRLs (cRLDistributionPoints, RFC 5280 section 4.2.1.13); those of other issuers and for some reasons among them.
    pub crls: Vec<String>,
    /// Of OCSP responders (authorityInfoAccess with id-ad-ocsp, RFC 5280 section 4.2.2.1).
    pub ocsp: Vec<String>,
}

impl Locations {
    /// Takes the places that cRLDistributionPoints names; of one that is malformed those before the fault.
    pub(super) fn take_crls(&mut self, extension: &[u8]) {
        let mut read = || -> Result<(), BadDer> {
            let mut points = Reader::new(Reader::new(extension).expect(SEQUENCE)?);
            while !points.is_empty() {
                let mut point = Reader::new(points.expect(SEQUENCE)?);
                let Some(place) = point.optional(CONTEXT_CONSTRUCTED)? else { continue };
                let Some(full_name) = Reader::new(place).optional(CONTEXT_CONSTRUCTED)? else { continue };
                let mut names = Reader::new(full_name);
                while !names.is_empty() {
                    let name = names.element()?;
                    add(&mut self.crls, name.tag, name.value);
                }
            }
            Ok(())
        };
        // What stands behind the fault isn't looked for.
        let _ = read();
    }

    /// Takes the responders that authorityInfoAccess names, in the same way.
    pub(super) fn take_responders(&mut self, extension: &[u8]) {
        let mut read = || -> Result<(), BadDer> {
            let mut descriptions = Reader::new(Reader::new(extension).expect(SEQUENCE)?);
            while !descriptions.is_empty() {
                let mut description = Reader::new(descriptions.expect(SEQUENCE)?);
                if description.expect(OID)? == OCSP {
                    let place = description.element()?;
                    add(&mut self.ocsp, place.tag, place.value);
                }
            }
            Ok(())
        };
        let _ = read();
    }

    pub(super) fn is_empty(&self) -> bool {
        self.crls.is_empty() && self.ocsp.is_empty()
    }

    /// About how many octets of memory they take.
    pub(super) fn weight(&self) -> usize {
        self.crls.iter().chain(&self.ocsp).map(|place| place.len() + 32).sum()
    }
}

fn add(places: &mut Vec<String>, tag: u8, octets: &[u8]) {
    let Ok(place) = str::from_utf8(octets) else { return };
    let scheme = place.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
    let is_web = scheme.is_some_and(|scheme| ["http", "https"].contains(&scheme.as_str()));
    let is_sound = octets.len() <= MAX_OCTETS && octets.iter().all(u8::is_ascii_graphic);
    if tag == URI && is_web && is_sound && places.len() < MAX_PLACES && !places.iter().any(|known| known == place) {
        places.push(place.to_owned());
    }
}
