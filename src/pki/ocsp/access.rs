//! Which responders a certificate names, and its extensions as they stand in it.

use super::super::certificate::Certificate;
use super::super::der::{BadDer, CONTEXT_CONSTRUCTED, Element, OID, Reader, SEQUENCE, only_sequence};
use super::super::extension::Extension;

/// authorityInfoAccess
const INFORMATION_ACCESS: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x01, 0x01];
/// id-ad-ocsp
const OCSP: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01];

/// The GeneralNames of its responders (RFC 5280 section 4.2.2.1). None where the extension is malformed: then there is nobody to ask.
pub(super) fn responders<'a>(certificate: &Certificate<'a>) -> Vec<Element<'a>> {
    let read = |value: &'a [u8]| -> Result<Vec<Element<'a>>, BadDer> {
        let mut descriptions = only_sequence(value)?;
        let mut places = Vec::new();
        while !descriptions.is_empty() {
            let mut description = Reader::new(descriptions.expect(SEQUENCE)?);
            let method = description.expect(OID)?;
            let place = description.element()?;
            description.end()?;
            if method == OCSP {
                places.push(place);
            }
        }
        Ok(places)
    };
    extension(certificate, INFORMATION_ACCESS).and_then(|value| read(value).ok()).unwrap_or_default()
}

/// Value of a certificate's extension. `None`: it has none of this kind.
pub(super) fn extension<'a>(certificate: &Certificate<'a>, oid: &[u8]) -> Option<&'a [u8]> {
    const EXTENSIONS: u8 = CONTEXT_CONSTRUCTED | 3;
    let find = || -> Result<Option<&'a [u8]>, BadDer> {
        let mut fields = Reader::new(certificate.signed.content);
        while !fields.is_empty() {
            let field = fields.element()?;
            let mut list = if field.tag == EXTENSIONS { only_sequence(field.value)? } else { Reader::new(&[]) };
            while !list.is_empty() {
                let extension = Extension::read(&mut list)?;
                if extension.oid == oid {
                    return Ok(Some(extension.value));
                }
            }
        }
        Ok(None)
    };
    find().ok().flatten()
}
