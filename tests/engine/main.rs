//! The core from datagram to datagram, with supplicants in memory, a clock that is turned by hand, and a network that loses what it is told to lose.
//! Names that begin with a letter and two digits are rows of the catalogue of attacks and faults.

mod accept;
mod accounting;
mod asking;
mod certificates;
mod changes;
mod disconnecting;
mod eap;
mod flood;
mod hand;
mod load;
mod logins;
mod loss;
mod mangled;
mod outer;
mod plain;
mod replays;
mod resumption;
mod silence;
mod simulation;
mod states;
mod tls;
mod wire;
mod world;

#[path = "../support"]
mod support {
    #[expect(dead_code, reason = "shared: others use more of it")]
    pub(crate) mod certificates;
    #[expect(dead_code, reason = "shared: others use more of it")]
    pub(crate) mod chance;
    pub(crate) mod ocsp;
    #[expect(dead_code, reason = "shared: others use more of it")]
    pub(crate) mod pki;
    #[expect(dead_code, reason = "shared: others use more of it")]
    pub(crate) mod scratch;
}
use support::{chance, ocsp, pki};
