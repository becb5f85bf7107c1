//! One login each, from datagram in to datagram out; the supplicant's part isn't counted.

use sekisho::event::TlsVersion;

use crate::campus::{Campus, KeyKind};
use crate::counting::{done, measured};
use crate::world::World;

/// Which of [`KINDS`], in their order.
pub(crate) const NAMES: [&str; 4] =
    ["full login, TLS 1.2 RSA", "full login, TLS 1.3 P-256", "resumed login, TLS 1.2", "resumed login, TLS 1.3"];

const KINDS: [Kind; 4] = [
    Kind { keys: KeyKind::Rsa, version: TlsVersion::Tls12, resumed: false },
    Kind { keys: KeyKind::P256, version: TlsVersion::Tls13, resumed: false },
    Kind { keys: KeyKind::P256, version: TlsVersion::Tls12, resumed: true },
    Kind { keys: KeyKind::P256, version: TlsVersion::Tls13, resumed: true },
];

/// Answers of ten logins are kept, so from the eleventh on each login makes the hop forget one.
const WARM: u32 = 12;

struct Kind {
    keys: KeyKind,
    version: TlsVersion,
    resumed: bool,
}

pub(crate) fn run(times: usize) {
    let campuses = [KeyKind::Rsa, KeyKind::P256].map(|keys| Campus::new(keys, keys, 1));
    for kind in &KINDS {
        let campus = campuses.iter().find(|campus| campus.client_kind == kind.keys).expect("both");
        log_in(campus, kind, times);
    }
}

fn log_in(campus: &Campus, kind: &Kind, times: usize) {
    let mut world = World::new(campus);
    let supplicant = campus.supplicant(0, kind.version);
    for number in 0..WARM {
        world.log_in(&supplicant, number, kind.resumed);
    }
    for (_, number) in (0..times).zip(WARM..) {
        if !kind.resumed {
            // The cache of verified chains is cold.
            world.forget_chains(campus);
        }
        let login = world.log_in_within(&supplicant, number, kind.resumed, |serve| measured(serve));
        assert_eq!(login.resumed, kind.resumed);
        done();
    }
}
