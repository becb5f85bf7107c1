//! Extensions as certificates, CRLs and OCSP messages have them (RFC 5280 section 4.1.2.9).

use super::der::{self, BadDer, OCTET_STRING, OID, Reader, SEQUENCE};

/// One of a list of extensions.
pub(super) struct Extension<'a> {
    /// The OID's content.
    pub(super) oid: &'a [u8],
    pub(super) critical: bool,
    /// What is in its OCTET STRING.
    pub(super) value: &'a [u8],
}

impl<'a> Extension<'a> {
    /// The next of a list.
    pub(super) fn read(list: &mut Reader<'a>) -> Result<Self, BadDer> {
        let mut reader = Reader::new(list.expect(SEQUENCE)?);
        let oid = reader.expect(OID)?;
        let critical = reader.boolean(der::BOOLEAN)?;
        let value = reader.expect(OCTET_STRING)?;
        reader.end()?;
        Ok(Self { oid, critical, value })
    }
}
