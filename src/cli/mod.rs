//! The commands.

pub mod credentials;
pub mod login;
