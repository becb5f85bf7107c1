//! Anchors and authorities; a chain → [`Facts`]; CRLs and OCSP answers; facts → [`Verdict`]. It fetches nothing, and what "unknown" leads to isn't decided here but in policy.
//!
//! - Configuration → [`Trust`]: `settings`, `prepare`, `ca`, `trust`.
//! - A client's chain → [`Facts`], which a ticket can carry: `certificate`, `name`, `signature`, `trust`, `facts`, `ticket`.
//! - Where revocation data is: `locations`, as certificates say; `configured`, as far as that is known before anybody has logged in.
//! - A CRL's octets → [`Crl`] → [`Revocation`]: `crl`, `serials`, `points`, `signers`, `revocation`.
//! - One set of CRLs after another → [`Vanished`], what is on no list any more and stays revoked: `vanished`.
//! - A responder's octets → [`OcspAnswer`] → [`Answers`]: `ocsp`.
//! - Facts at a moment → [`Verdict`]: `verdict`, `purpose`. What is said of a certificate of which there are none: `listed`. What will be missing for one: `gaps`. Which certificates of many are worth one: `suspicion`.
//! - What a live session keeps, to be judged again: `imprint`.
//!
//! `der` reads what strangers send before any other parser does, `extension` what certificates, CRLs and OCSP messages share; `digest` is what they are known by.

mod ca;
mod certificate;
mod configured;
mod crl;
mod der;
mod digest;
mod extension;
mod facts;
mod gaps;
mod imprint;
mod listed;
mod locations;
mod name;
mod ocsp;
mod points;
mod prepare;
mod purpose;
mod revocation;
mod serials;
mod settings;
mod signature;
mod signers;
mod suspicion;
mod ticket;
mod trust;
mod vanished;
mod verdict;

#[cfg(test)]
pub(crate) mod tests;

pub use certificate::claimed;
pub use crl::{BadCrl, Crl, CrlSummary};
pub use facts::{AltName, Facts, Link, NoPath};
pub use gaps::{Coverage, Gap};
pub use imprint::Imprint;
pub use listed::listed;
pub use locations::Locations;
pub use name::{is_attribute_name, short_names};
pub use ocsp::{Answers, BadOcsp, Inserted, OcspAnswer, Origin, OwnCertificate, Question, Unanswerable};
pub use points::Point;
pub use revocation::Revocation;
pub use settings::{AuthoritySettings, BadAuthority, Distrust, Purpose, RevocationSource, SubjectRule};
pub use ticket::names;
pub use trust::{AuthoritySummary, Trust};
pub use vanished::{Disappeared, Vanished, VanishedEntry};
pub use verdict::{Verdict, condemned, questions, verdict};
