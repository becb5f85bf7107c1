//! The core from datagram to datagram, with supplicants in memory, a clock that is turned by hand, and a network that loses what it is told to lose.

#[path = "../interop/pki.rs"]
#[expect(dead_code, reason = "the real peers' tests use more of it")]
mod pki;
#[path = "../interop/scratch.rs"]
#[expect(dead_code, reason = "the real peers' tests use more of it")]
mod scratch;

mod chance;
mod flood;
mod logins;
mod loss;
mod mangled;
mod raw;
mod replays;
mod world;
