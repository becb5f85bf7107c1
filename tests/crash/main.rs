//! What a server that is killed, whose disk is full or whose file is damaged, still knows: nothing that it has acknowledged is lost, to an API caller or to a NAS.
//!
//! `cargo test --test crash` kills it 10 times, `SEKISHO_KILLS=100 cargo test --test crash kill_9` 100 times. What chance decided is printed as a seed; `SEKISHO_SEED=…` decides the same again,
//! but for the moment of the kill within what the server was doing.
#![expect(clippy::disallowed_types, reason = "these tests are the other side")]

use std::time::Duration;

mod accounts;
mod api;
mod batches;
mod blocks;
mod changes;
mod database;
mod disk;
mod kills;
mod nas;
mod odd;
mod place;
mod together;
mod traced;
#[path = "../support"]
mod support {
    pub(crate) mod campus;
    #[expect(dead_code, reason = "shared: others use more of it")]
    pub(crate) mod certificates;
    #[expect(dead_code, reason = "shared: others use more of it")]
    pub(crate) mod chance;
    #[expect(dead_code, reason = "shared: others use more of it")]
    pub(crate) mod process;
    #[expect(dead_code, reason = "shared: others use more of it")]
    pub(crate) mod scratch;
}
use support::chance;

/// Nothing here takes nearly as long on a machine that works.
const PATIENCE: Duration = Duration::from_secs(30);
