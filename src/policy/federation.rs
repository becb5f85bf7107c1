//! What a federation's other side is not told.

use crate::radius::{Attributes, Type};

/// Attributes that put somebody into a VLAN or behind a filter of the network that he visits: ours mean nothing there, or something else.
/// Filter-Id (RFC 2865), Egress-VLANID, Ingress-Filters, Egress-VLAN-Name, User-Priority-Table (RFC 4675), Tunnel-Type, Tunnel-Medium-Type, Tunnel-Private-Group-ID, Tunnel-Preference (RFC 2868), NAS-Filter-Rule (RFC 4849).
const OURS_ALONE: [Type; 10] =
    [Type(11), Type(56), Type(57), Type(58), Type(59), Type(64), Type(65), Type(81), Type(83), Type(92)];

/// The others, in their order.
pub(super) fn without_vlan_and_filter(attributes: &Attributes) -> Attributes {
    attributes.without(&OURS_ALONE)
}
