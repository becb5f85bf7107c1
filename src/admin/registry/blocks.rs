//! What is blocked, from what is kept to what decides.

use data_encoding::HEXLOWER;

use crate::standing::{BY_LIST, Block, BlockedCertificate, Blocks};
use crate::store::{Blocked, Record};

/// What decides by it. `listed`: what a list of the CA's says is asked to be revoked is blocked, too.
#[must_use]
pub fn blocks(blocked: Blocked, listed: bool) -> Blocks {
    let Blocked { certificates, people } = blocked;
    let certificates = certificates.into_iter().filter_map(|record| certificate(record, listed)).collect();
    let people = people.into_iter().map(|one| {
        let block = Block { since: one.since, until: one.until, reason: one.reason.into(), by: one.by.into() };
        (one.name, block)
    });
    Blocks::new(certificates, people.collect())
}

fn certificate(record: Record, listed: bool) -> Option<BlockedCertificate> {
    let Record { known, request, registered, .. } = record;
    let serial = known.serial.as_deref().and_then(|serial| HEXLOWER.decode(serial.as_bytes()).ok());
    let name = known.authority.zip(serial).map(|(authority, serial)| (authority.into(), serial));
    let block = match request.filter(|request| request.block) {
        Some(it) => Block { since: it.since, until: None, reason: it.reason.into(), by: it.by.into() },
        None if listed => Block { since: registered, until: None, reason: "".into(), by: BY_LIST.into() },
        None => return None,
    };
    Some(BlockedCertificate { fingerprint: known.fingerprint, name, block })
}
