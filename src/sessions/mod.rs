//! Accounting (RFC 2866) and who is online: a packet → [`Record`], which others write down; records and Accepts → [`Sessions`], which knows the live ones and judges them again.
//!
//! - What tells a session from others: `marks`.
//! - An Accounting-Request → [`Record`]: `record`.
//! - A live session, and as a database keeps it: `session`.
//! - The table of them, by number, by Acct-Session-Id, by station, by device: `table`, `index`, `ended`; who is looked for in it: `look`.
//! - Whether one has to go: `judge`; how it is made to: [`disconnect`].

pub mod disconnect;
mod ended;
mod index;
mod judge;
mod look;
mod marks;
mod record;
mod session;
mod table;

#[cfg(test)]
mod tests;

pub use judge::Law;
pub use look::{Looked, Named, Which};
pub use marks::{Device, Marks};
pub use record::{Key, Record, SLACK, Status};
pub use session::{Admitted, Condemned, Kept, Session, SessionId, Stage, State, Tie};
pub use table::{Change, End, Sessions, Settings};
