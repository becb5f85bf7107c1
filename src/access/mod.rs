//! One conversation, from the first Access-Request to Accept or Reject, on whichever road. It knows neither sockets, hops nor the database.

use std::sync::Arc;

use crate::{eap, pki, policy, standing, tls};

/// What a conversation decides by; immutable, swapped whole.
#[derive(Debug)]
pub struct Snapshot {
    /// Bounds of EAP.
    pub eap: eap::Settings,
    /// Services.
    pub policy: Arc<policy::Policy>,
    /// Authorities.
    pub trust: Arc<pki::Trust>,
    /// CRLs.
    pub revocation: Arc<pki::Revocation>,
    /// Groups.
    pub standing: Arc<standing::Standing>,
    /// Identities and resumption.
    pub tls: Arc<tls::Server>,
}
