//! What a half-open conversation holds: TLS, the unsent flight, what the engine's tables know of it, and the answers kept for repeats.

use sekisho::event::TlsVersion;

use crate::campus::{Campus, KeyKind};
use crate::world::{KEEP_ANSWER, World};

/// Begun before measuring, so that what is made once is there.
const BEFORE: u32 = 100;

/// Leaves so many conversations after the server's first flight, of either version, and as many whose users have been asked for a code, and prints what each holds.
pub(crate) fn report(conversations: u16) {
    println!(
        "{conversations} conversations left after the server's first flight, RSA, two certificates; or after the question for a code; KiB each"
    );
    println!("       allocated, answers kept   allocated, answers gone   resident");
    // All stay alive, so that the next takes no memory that an earlier one has given back.
    let mut worlds = Vec::new();
    for version in [TlsVersion::Tls12, TlsVersion::Tls13] {
        let campus = Campus::new(KeyKind::Rsa, KeyKind::Rsa, 1);
        let supplicant = campus.supplicant(0, version);
        let mut world = World::new(&campus);
        let leave = |world: &mut World, number| world.leave_half_open(&supplicant, number, 1);
        print(&format!("{version:?}"), conversations, &mut world, leave);
        worlds.push(world);
    }
    let mut world = World::new(&Campus::new(KeyKind::P256, KeyKind::P256, 1));
    print("a code", conversations, &mut world, World::leave_prompted);
}

fn print(what: &str, conversations: u16, world: &mut World, mut leave: impl FnMut(&mut World, u32)) {
    (0..BEFORE).for_each(|number| leave(world, number));
    let before = resident();
    let (mut resident_after, mut forgotten) = (0, 0);
    let held = allocation_counter::measure(|| {
        (BEFORE..BEFORE + u32::from(conversations)).for_each(|number| leave(world, number));
        resident_after = resident();
        forgotten = allocation_counter::measure(|| world.wait(KEEP_ANSWER)).bytes_current;
    });
    assert_eq!(world.conversations(), usize::from(conversations) + BEFORE as usize, "they are all alive");
    let each = |octets: i64| octets as f64 / 1_024.0 / f64::from(conversations);
    let (gone, kept) = (each(held.bytes_current), each(held.bytes_current - forgotten));
    println!("{what:6} {kept:>23.1} {gone:>25.1} {:>10.1}", each(resident_after - before));
}

/// Octets of this process in memory.
fn resident() -> i64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("VmRSS");
    let kibibytes: i64 = line.trim().trim_end_matches(" kB").parse().expect("a number");
    kibibytes * 1_024
}
