//! What is done with a fuzzer's octets. Each target is a module with a `run`, which panics where something is wrong and says whether the octets got
//! past the first checks.
//!
//! `fuzz/run` drives them with libFuzzer; `tests/corpus.rs` of the server includes this file by its path and runs the seeds through it.

pub mod authority;
mod campus;
pub mod certificate;
pub mod conversation;
pub mod crl;
mod der;
pub mod eap;
pub mod exchange;
mod input;
pub mod ocsp;
pub mod otp;
pub mod packet;
pub mod text;
pub mod ticket;
