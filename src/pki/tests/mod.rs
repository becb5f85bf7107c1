//! `make` writes certificates and CRLs of any shape, `ocsp_make` OCSP responses; `campus` has a look-alike of a campus' CAs.

pub(crate) mod campus;
pub(crate) mod make;
pub(crate) mod ocsp_make;

mod chains;
mod crls;
mod der;
mod locations;
mod names;
mod ocsp_answers;
mod ocsp_oracle;
mod ocsp_own;
mod ocsp_responses;
mod ocsp_signers;
mod ocsp_verdicts;
#[cfg(feature = "daemon")]
mod rcgen;
mod scopes;
mod settings;
mod signers;
mod size;
mod tickets;
mod vanished;
mod verdicts;
