//! Sekisho: a RADIUS server that terminates EAP-TLS.
#![forbid(unsafe_code)]

pub mod access;
pub mod eap;
pub mod engine;
pub mod exchange;
pub mod pki;
pub mod policy;
pub mod radius;
pub mod standing;
pub mod supplicant;
pub mod tls;

pub mod event;
pub mod now;
pub mod secret;

#[cfg(feature = "daemon")]
pub mod admin;
#[cfg(feature = "daemon")]
pub mod cli;
#[cfg(feature = "daemon")]
pub mod config;
#[cfg(feature = "daemon")]
pub mod daemon;
#[cfg(feature = "daemon")]
pub mod fetch;
#[cfg(feature = "daemon")]
pub mod net;
#[cfg(feature = "daemon")]
pub mod observe;
