use std::io::{self, Write};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};

use super::*;
use crate::observe::{Metrics, Observer, Sink};

/// What was written.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Kept {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().expect("no panic").clone()).expect("UTF-8")
    }
}

impl Write for Kept {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no panic").extend_from_slice(octets);
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Waits at each write until it is let on.
struct Stuck {
    entered: Sender<()>,
    leave: Receiver<()>,
    kept: Kept,
}

impl Write for Stuck {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        // After the test has let go of its ends nobody waits any more.
        let _ = self.entered.send(());
        let _ = self.leave.recv();
        self.kept.write(octets)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// All lines that `fill` leads to.
fn lines(settings: &LogSettings, fill: impl FnOnce(&Sink)) -> Vec<String> {
    let kept = Kept::default();
    let (sink, thread) =
        Observer::spawn_to(Box::new(kept.clone()), settings, Arc::new(Metrics::new()), "radius1").expect("a thread");
    fill(&sink);
    drop(sink);
    thread.join().expect("the log thread ends");
    kept.text().lines().map(str::to_owned).collect()
}

#[test]
fn what_waits_is_written_when_the_sink_is_dropped() {
    let lines = lines(&settings(Format::Json), |sink| (0..500).for_each(|_| sink.record(rejected(Reason::Revoked))));
    assert_eq!(lines.len(), 500);
    assert!(lines.iter().all(|line| line.starts_with("{\"time\":") && line.ends_with('}')));
}

#[test]
fn levels_below_the_settings_are_not_written_and_can_be_changed() {
    let warn = LogSettings { level: "warn".into(), ..settings(Format::Text) };
    let lines = lines(&warn, |sink| {
        sink.record(accepted());
        sink.set_log(&settings(Format::Text));
        sink.record(rejected(Reason::Expired));
    });
    assert_eq!(lines.len(), 1);
    assert!(lines[0].contains("reject expired"), "{lines:?}");
}

#[test]
fn a_flood_of_drops_is_a_line_a_second() {
    let peer = |port| SocketAddr::from(([192, 0, 2, 7], port));
    let lines = lines(&settings(Format::Text), |sink| {
        for n in 0..10_000 {
            sink.record(dropped(Reason::UnknownNas, peer(n), Duration::from_micros(u64::from(n) * 250)));
        }
    });
    assert_eq!(lines.len(), 3, "{lines:#?}");
    assert!(lines[1].contains(" suppressed=3999 "), "{}", lines[1]);
}

#[test]
fn every_line_comes_out_although_no_other_follows() {
    let (entered, has_entered) = channel();
    let (let_on, leave) = channel();
    let kept = Kept::default();
    let stuck = Stuck { entered, leave, kept: kept.clone() };
    let (sink, thread) =
        Observer::spawn_to(Box::new(stuck), &settings(Format::Text), Arc::default(), "radius1").expect("a thread");
    let peer = SocketAddr::from(([192, 0, 2, 7], 1));
    for second in 0..10 {
        // One that may wait, one that may not, and one of each while the others are being written.
        sink.record(accepted());
        has_entered.recv_timeout(Duration::from_secs(20)).expect("it is written");
        sink.record(accepted());
        sink.record(dropped(Reason::UnknownNas, peer, Duration::from_secs(2 * second + 1)));
        let_on.send(()).expect("the thread lives");
        has_entered.recv_timeout(Duration::from_secs(20)).expect("they are written");
        let_on.send(()).expect("the thread lives");
        sink.record(dropped(Reason::UnknownNas, peer, Duration::from_secs(2 * second + 2)));
        has_entered.recv_timeout(Duration::from_secs(20)).expect("it is written");
        let_on.send(()).expect("the thread lives");
    }
    drop(let_on);
    drop(sink);
    thread.join().expect("the log thread ends");
    assert_eq!(kept.text().lines().count(), 40);
}

#[test]
fn a_log_that_nobody_reads_stops_nobody_and_says_what_was_lost() {
    let (entered, has_entered) = channel();
    let (let_go, leave) = channel();
    let kept = Kept::default();
    let stuck = Stuck { entered, leave, kept: kept.clone() };
    let metrics = Arc::new(Metrics::new());
    let (sink, thread) =
        Observer::spawn_to(Box::new(stuck), &settings(Format::Text), metrics.clone(), "radius1").expect("a thread");
    sink.record(rejected(Reason::Revoked));
    has_entered.recv().expect("the first line is being written");
    for _ in 0..10_000 {
        sink.record(rejected(Reason::Expired));
    }
    let text = metrics.render();
    assert!(text.contains("sekisho_log_dropped_total 1808\n"), "10,000 less 8,192 that wait: {text}");
    assert!(text.contains(r#"reason="expired",service="JAIST"} 10000"#), "everything is counted");
    drop(let_go);
    drop(sink);
    thread.join().expect("the log thread ends");
    let text = kept.text();
    assert_eq!(text.lines().filter(|line| line.contains("reject expired")).count(), 8_192);
    assert!(text.contains(" WARN log lines were lost: whoever reads the log is too slow lost=1808\n"));
}
