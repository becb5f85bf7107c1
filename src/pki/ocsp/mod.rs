//! OCSP (RFC 6960): what is asked of a responder, and what its answer may be believed for.
//!
//! - A certificate of a path → [`Question`] → the octets of a request: `question`, `issuer`.
//! - A responder's octets → [`OcspAnswer`], verified: `response` reads, `signer` says who speaks, `answer` what it is worth, `refusal` why it is worth nothing.
//! - Every answer in use, in memory, bounded: `answers`. What they say of a certificate at a moment: `standing`.
//! - The server's own certificate, for stapling: `own`.

mod answer;
mod answers;
mod issuer;
mod own;
mod question;
mod refusal;
mod response;
mod signer;
mod standing;

pub use answer::{OcspAnswer, Origin};
pub use answers::{Answers, Inserted, Unanswerable};
pub use own::OwnCertificate;
pub use question::Question;
pub use refusal::BadOcsp;
