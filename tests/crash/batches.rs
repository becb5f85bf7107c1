//! Many NAS share an fdatasync: a disk that manages a hundred of them a second takes more records than that.

use std::path::Path;
use std::time::Duration;

use super::database::count;
use super::disk::record;
use super::kills::pause;
use super::nas::{Nas, Status, now};
use super::place::Campus;

const NASES: u8 = 40;
const ROUNDS: u32 = 15;
/// 40 NAS, each so often: 200 records a second.
const PACE: Duration = Duration::from_millis(200);

/// How often the log has been brought to the disk.
fn syncs(trace: &Path) -> usize {
    let trace = std::fs::read_to_string(trace).expect("strace writes");
    trace.lines().filter(|line| line.contains("registry.sqlite-wal>") && line.contains("sync(")).count()
}

#[test]
fn at_200_records_a_second_there_are_far_fewer_fsyncs_than_records() {
    let campus = Campus::new();
    let trace = campus.path("trace");
    let file = trace.to_str().expect("a plain path");
    let serving = campus.start_by(&["strace", "-D", "-f", "-q", "-y", "-e", "trace=fsync,fdatasync", "-o", file]);
    let mut nases: Vec<_> = (1..=NASES).map(|number| Nas::new(number, serving.listening("accounting"))).collect();
    let before = syncs(&trace);
    let begun = now();
    for round in 0..ROUNDS {
        let mut asked = Vec::new();
        for (number, nas) in (0..).zip(&mut nases) {
            // Evenly, not all at once; who is late catches up.
            let at = begun + PACE * round + PACE / u32::from(NASES) * number;
            pause(at.saturating_duration_since(now()));
            let (status, octets) = if round == 0 { (Status::Start, 0) } else { (Status::Interim, round) };
            asked.push(nas.send(&record(status, "s", octets)).expect("loopback"));
        }
        for (nas, asked) in nases.iter().zip(&asked) {
            assert!(nas.hears(asked, Duration::from_secs(20)).expect("loopback"), "nobody is left out");
        }
    }
    let (records, synced) = (usize::from(NASES) * ROUNDS as usize, syncs(&trace) - before);
    assert_eq!(count(&campus.registry(), "SELECT count(*) FROM accounting"), records as i64);
    eprintln!("{records} records, {synced} fsyncs of the log");
    assert!(synced > 0 && synced * 3 < records, "{records} records, {synced} fsyncs of the log");
    assert_eq!(serving.end(), Some(0));
}
