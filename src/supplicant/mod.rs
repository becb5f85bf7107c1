//! The other side: an EAP-TLS client and the access point before it, for `login`, `load`, `demo` and the tests. Sans-IO like the rest of the core.
//!
//! A [`Supplicant`] holds what somebody logs in with and remembers sessions; each [`Login`] is one conversation: [`Login::begin`] has the first request, [`Login::handle`] takes
//! what came back and says what is [`Next`], until a [`Report`] tells how it ended. Who drives it repeats the last request when no answer comes.
//! A [`crowd`] is many of them at once, and does that by itself.

mod chance;
mod client;
pub mod crowd;
mod handshake;
mod login;
mod memory;
mod share;
mod verifier;

#[cfg(test)]
pub(crate) mod tests;

pub use client::{Settings, Station, Supplicant, Thrift};
pub use login::{Login, Next, Report};
