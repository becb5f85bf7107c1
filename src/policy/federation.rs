//! What a federation's other side is not told.

use crate::radius::{Attributes, Type};

/// Attributes that put somebody into a VLAN or behind a filter of the network that he visits: ours mean nothing there, or something else.
/// Filter-Id (RFC 2865), Egress-VLANID, Ingress-Filters, Egress-VLAN-Name, User-Priority-Table (RFC 4675), Tunnel-Type, Tunnel-Medium-Type, Tunnel-Private-Group-ID, Tunnel-Preference (RFC 2868), NAS-Filter-Rule (RFC 4849).
const OURS_ALONE: [u8; 10] = [11, 56, 57, 58, 59, 64, 65, 81, 83, 92];

/// The others, in their order.
pub(super) fn without_vlan_and_filter(attributes: &Attributes) -> Attributes {
    let mut kept = Attributes::default();
    let mut rest = attributes.octets();
    while let Some((kind, value, after)) = split(rest) {
        if !OURS_ALONE.contains(&kind) {
            // What came out of an attribute fits into one.
            let _ = kept.push(Type(kind), value);
        }
        rest = after;
    }
    kept
}

/// Type, value and what follows of the first attribute (RFC 2865 section 5).
fn split(octets: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let [kind, length, ..] = *octets else { return None };
    let (attribute, after) = octets.split_at_checked(length.into())?;
    Some((kind, attribute.get(2..)?, after))
}
