//! One conversation, from the first Access-Request to Accept or Reject, on whichever road. It knows neither sockets, hops nor the database.
//!
//! [`Asked`] is what a request means; a [`Dialogue`], by EAP or without, takes one after the other and answers with a [`Turn`].
//! `gate` decides: as the judge inside a handshake, else before the Accept.

mod admitted;
mod asked;
mod conversation;
mod dialogue;
mod gate;
mod handle;
mod lookup;
mod plain;
mod reply;
mod state;
mod turn;

use std::sync::Arc;

pub use crate::pki::{Facts, Question};
pub use asked::{Asked, FollowUp, Said};
pub use conversation::Conversation;
pub use dialogue::Dialogue;
pub use handle::{CuiSettings, Handles};
pub use lookup::{Attempt, Checked, Found, Lookup, Search};
pub use plain::Plain;
pub use state::{Keeper, State};
pub use turn::{Ended, Farewell, Lost, Turn, Worked, unreadable};

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
    /// What an Accept hands out besides: Class and Chargeable-User-Identity.
    pub handles: Arc<Handles>,
}
