//! Sekisho (関所), a RADIUS server that terminates EAP-TLS for a campus.
//!
//! # A packet's way
//!
//! A datagram comes in through a socket of [`net`], the only part with a clock, which hands it to the [`engine`], the hall that owns every table.
//! [`exchange`] knows the hop: who asks, with which secret, whether it is a repeat, and which answers are owed.
//! [`radius`] is the view of the packet's octets, and writes those of the answer.
//! [`access`] carries the conversation from the first Access-Request to Accept or Reject, on the road that [`policy`] has found for the service.
//! [`eap`] takes the packets apart into identity, fragments and TLS octets, and puts ours together.
//! [`tls`] drives rustls with those octets, and asks a judge when the client has proved that it holds its key.
//! [`pki`] makes facts of the client's chain, and of the facts, the CRLs and the OCSP answers a verdict; [`standing`] says what we know of the person.
//! [`policy`] decides, from facts, verdict, standing and hints, once and for everybody: outcome, reason, evidence, grant.
//! Who was let in is online from then on: [`sessions`] knows whom, from Accepts and accounting records, judges them again when what we know changes, and has their NAS end those who have to go, or an operator decide.
//! The answer goes back the same way, sealed at the hop, and one [`event::Event`] says what became of the packet; [`observe`] renders it as metrics and log.
//!
//! # A question's way
//!
//! Where nobody knows yet whether a certificate is revoked, [`access`] holds our last flight back, and [`engine`] puts out [`Ask`](engine::Output::Ask) with a ticket; nobody else waits for that.
//! [`net`] hands it to [`daemon`], in whose own task `fetch::ocsp`, the desk, asks responders; what they say goes into [`pki::Answers`], which all snapshots share.
//! Then, or when its time is up, the ticket comes back as an [`Answer`](engine::Arrival::Answer), and it is decided by what is known: the flight leaves, or EAP-Failure does.
//!
//! # A look-up's way
//!
//! A NAS that asks without EAP has checked something itself. What [`access`] wants to know then, certificates of a name or whether a code is right, [`engine`] puts out as [`Look`](engine::Output::Look) with a ticket;
//! [`daemon`]'s own desk finds it in [`store`], uses the code up there by the rules of [`otp`], and the ticket comes back as [`Found`](engine::Arrival::Found).
//!
//! # What decisions rest on
//!
//! Immutable snapshots: [`config`] and [`fetch`] make them, [`daemon`] swaps them whole. What must outlive the process is in [`store`]. Of [`fetch`], `remote` asks for CRLs ahead of need, and `ocsp` for answers about whoever was seen;
//! `learned` knows where certificates say that either is, which [`Seen`](engine::Output::Seen) tells; `vanished` keeps what a CRL has lost, so that it stays revoked; `staple` asks about our own certificates.
//!
//! [`cli`] is what a command line asks for, [`admin`] what HTTP does; both explain a decision by the very code that decides.
//!
//! The core has no sockets, files or clock: octets and the time come in as arguments, and `cargo check --lib --no-default-features` builds it alone. [`supplicant`], the other side, is part of it.
//!
//! # Words, each for one thing
//!
//! * **exchange**: one request and its answer on one hop
//! * **conversation**: from the first Access-Request to Accept or Reject
//! * **handshake**: TLS
//! * **session**: an accounting session on a NAS
//! * **authority**: a CA that is trusted to issue
//! * **service**: what is asked for: an SSID, the VPN
//! * **road**: EAP-TLS, by name (the NAS has checked the certificate), by one-time password, or a refusal; others are to come
//! * **grant**: what policy gives
//! * **question**: one certificate of which a responder is to say whether it is revoked; its **answer** is what is believed of that
//! * **vanished**: what a CRL listed and lists no more although it was no hold; it stays revoked
//!
//! Else the RFCs' own words.
#![forbid(unsafe_code)]

// The core.
pub mod access;
pub mod eap;
pub mod engine;
pub mod exchange;
pub mod otp;
pub mod pki;
pub mod policy;
pub mod radius;
pub mod sessions;
pub mod standing;
pub mod supplicant;
pub mod tls;

// What all of them speak of.
pub mod event;
mod lock;
pub mod now;
mod quick;
pub mod secret;

// The shell: tokio, files, the clock.
#[cfg(feature = "daemon")]
pub mod admin;
#[cfg(feature = "daemon")]
pub mod cli;
#[cfg(feature = "daemon")]
pub mod config;
#[cfg(feature = "daemon")]
pub mod daemon;
#[cfg(feature = "daemon")]
mod explain;
#[cfg(feature = "daemon")]
pub mod fetch;
#[cfg(feature = "daemon")]
pub mod net;
#[cfg(feature = "daemon")]
pub mod observe;
#[cfg(feature = "daemon")]
pub mod store;

// What unit tests share with the integration tests.
#[cfg(test)]
#[path = "../tests/support"]
mod support {
    #[expect(dead_code, reason = "shared: others use more of it")]
    pub(crate) mod certificates;
    #[expect(dead_code, reason = "shared: others use more of it")]
    pub(crate) mod scratch;
}
