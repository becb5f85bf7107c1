//! Extended key usages by name.

use super::name::is_dotted_oid;

const NAMES: [(&str, &str); 9] = [
    ("serverAuth", "1.3.6.1.5.5.7.3.1"),
    ("clientAuth", "1.3.6.1.5.5.7.3.2"),
    ("codeSigning", "1.3.6.1.5.5.7.3.3"),
    ("emailProtection", "1.3.6.1.5.5.7.3.4"),
    ("timeStamping", "1.3.6.1.5.5.7.3.8"),
    ("OCSPSigning", "1.3.6.1.5.5.7.3.9"),
    ("eapOverLAN", "1.3.6.1.5.5.7.3.14"),
    ("smartcardLogon", "1.3.6.1.4.1.311.20.2.2"),
    ("anyExtendedKeyUsage", ANY),
];

/// anyExtendedKeyUsage (RFC 5280 section 4.2.1.12)
pub(super) const ANY: &str = "2.5.29.37.0";

/// The dotted OID of a name or dotted OID; `None`: neither.
pub(super) fn oid(name: &str) -> Option<String> {
    let known = NAMES.iter().find(|(known, _)| *known == name).map(|(_, oid)| (*oid).to_owned());
    known.or_else(|| is_dotted_oid(name).then(|| name.to_owned()))
}

/// The name of a dotted OID, else itself.
pub(super) fn name(oid: &str) -> String {
    NAMES.iter().find(|(_, known)| *known == oid).map_or(oid, |(name, _)| name).to_owned()
}

/// All names, for a message about one that isn't known.
pub(super) fn all_names() -> String {
    NAMES.map(|(name, _)| name).join(", ")
}
