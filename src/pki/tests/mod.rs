//! `make` writes certificates and CRLs of any shape; `campus` has a look-alike of a campus' CAs.

pub(crate) mod campus;
pub(crate) mod make;

mod chains;
mod crls;
mod der;
mod names;
#[cfg(feature = "daemon")]
mod rcgen;
mod scopes;
mod settings;
mod signers;
mod size;
mod tickets;
mod verdicts;
