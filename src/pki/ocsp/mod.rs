//! OCSP (RFC 6960): what is asked of a responder, and what its answer may be believed for.
//!
//! - A certificate of a path → [`Question`] → the octets of a request: `request`.
//! - A responder's octets → [`OcspAnswer`], verified: `answer`.
//! - Every answer in use, in memory, bounded: `answers`.

mod answer;
mod answers;
mod question;

pub use answer::{BadOcsp, OcspAnswer};
pub use answers::{Answers, Inserted};
pub use question::Question;
