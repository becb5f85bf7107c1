//! The commands.

pub mod credentials;
pub mod login;
pub mod ticket_key;
