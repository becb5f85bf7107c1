//! The core from datagram to datagram, with supplicants in memory, a clock that is turned by hand, and a network that loses what it is told to lose.
//! Names that begin with a letter and two digits are rows of the catalogue of attacks and faults.

#[path = "../interop/pki.rs"]
#[expect(dead_code, reason = "the real peers' tests use more of it")]
mod pki;
#[path = "../interop/scratch.rs"]
#[expect(dead_code, reason = "the real peers' tests use more of it")]
mod scratch;

mod accept;
mod certificates;
mod changes;
mod eap;
mod floods;
mod hand;
mod logins;
mod loss;
mod resumption;
mod simulation;
mod states;
mod tls;
mod wire;
mod world;
