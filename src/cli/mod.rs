//! The commands.

pub mod ticket_key;
