//! What came of all the logins.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;

use crate::cli::nas;
use crate::now::Mono;
use crate::observe::explain::alert_name;
use crate::observe::visible;
use crate::supplicant::Report;
use crate::supplicant::crowd::{Counts, Ended};

/// The longest latency that is told apart, in microseconds: ten minutes.
const LONGEST: u64 = 600_000_000;
/// Digits of a latency that are right.
const DIGITS: u8 = 3;
/// Different reasons that are counted one by one: some hold a server's own words.
const MOST_REASONS: usize = 32;
const OTHERS: &str = "other reasons";

/// Logins that ended in the time that is looked at.
#[derive(Clone, Debug)]
pub(super) struct Tally {
    /// Those before this are not looked at.
    from: Mono,
    unprotected_success: bool,
    pub(super) full: Kind,
    pub(super) resumed: Kind,
    /// Those that offered a session and got a full handshake.
    pub(super) not_resumed: u64,
    /// By reason, of any time.
    pub(super) failures: BTreeMap<String, u64>,
    pub(super) repeats: u64,
    pub(super) late: u64,
    pub(super) abandoned: u64,
    pub(super) counts: Counts,
}

/// Successful logins of one kind.
#[derive(Clone, Debug)]
pub(super) struct Kind {
    pub(super) requests: u64,
    /// In microseconds.
    pub(super) latency: Histogram<u64>,
}

impl Kind {
    fn new() -> Result<Self, String> {
        let latency = Histogram::new_with_bounds(1, LONGEST, DIGITS).map_err(|error| error.to_string())?;
        Ok(Self { requests: 0, latency })
    }

    fn add(&mut self, ended: &Ended, report: &Report) {
        self.requests = self.requests.saturating_add(report.requests.into());
        let took = u64::try_from(ended.ended.since(ended.intended).as_micros()).unwrap_or(u64::MAX);
        self.latency.saturating_record(took.clamp(1, LONGEST));
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.requests = self.requests.saturating_add(other.requests);
        // Both have the same bounds, so all of it fits.
        let _ = self.latency.add(&other.latency);
    }
}

impl Tally {
    /// Of logins that should have begun at `from` or later. `unprotected_success`: TLS 1.3 without RFC 9190's protected success will do.
    pub(super) fn new(from: Mono, unprotected_success: bool) -> Result<Self, String> {
        Ok(Self {
            from,
            unprotected_success,
            full: Kind::new()?,
            resumed: Kind::new()?,
            not_resumed: 0,
            failures: BTreeMap::new(),
            repeats: 0,
            late: 0,
            abandoned: 0,
            counts: Counts::default(),
        })
    }

    /// Counts a login; whether it was one that a supplicant believes.
    pub(super) fn add(&mut self, ended: &Ended) -> bool {
        let counted = ended.intended >= self.from;
        if counted {
            self.repeats = self.repeats.saturating_add(ended.repeats.into());
        }
        match &ended.report {
            Some(report) if report.logged_in || (self.unprotected_success && report.is_believed()) => {
                if counted {
                    self.not_resumed += u64::from(ended.offered && !report.resumed);
                    let kind = if report.resumed { &mut self.resumed } else { &mut self.full };
                    kind.add(ended, report);
                }
                true
            }
            // A failure is one at any time.
            report => {
                self.fail(reason(report.as_deref(), ended), 1);
                false
            }
        }
    }

    fn fail(&mut self, reason: String, times: u64) {
        let known = self.failures.len() < MOST_REASONS || self.failures.contains_key(&reason);
        let count = self.failures.entry(if known { reason } else { OTHERS.to_owned() }).or_default();
        *count = count.saturating_add(times);
    }

    /// Together with what another thread has seen.
    pub(super) fn merge(&mut self, other: Self) {
        self.full.merge(&other.full);
        self.resumed.merge(&other.resumed);
        other.failures.into_iter().for_each(|(reason, times)| self.fail(reason, times));
        self.not_resumed += other.not_resumed;
        self.repeats += other.repeats;
        self.late += other.late;
        self.abandoned += other.abandoned;
        self.counts.begun += other.counts.begun;
        self.counts.strays += other.counts.strays;
        self.counts.unfit += other.counts.unfit;
    }

    /// Those that came to a good end.
    pub(super) fn all(&self) -> Kind {
        let mut all = self.full.clone();
        all.merge(&self.resumed);
        all
    }

    pub(super) fn failed(&self) -> u64 {
        self.failures.values().sum()
    }

    /// Whether every login ended as it should.
    pub(super) fn is_good(&self) -> bool {
        self.failures.is_empty() && self.counts.unfit == 0 && self.counts.begun > 0
    }
}

/// The part of the latencies at most as long as this, in milliseconds.
pub(super) fn milliseconds(latency: &Histogram<u64>, percentile: f64) -> f64 {
    Duration::from_micros(latency.value_at_percentile(percentile)).as_secs_f64() * 1e3
}

fn reason(report: Option<&Report>, ended: &Ended) -> String {
    let Some(report) = report else {
        return ended.hint.map_or("no answer", nas::describe).to_owned();
    };
    if let Some(why) = &report.server_certificate {
        return visible(&format!("the server's certificate is not good: {why}")).into_owned();
    }
    if let Some(alert) = report.alert_received {
        return format!("refused with TLS alert {alert} {}", alert_name(alert));
    }
    if let Some(fault) = &report.fault {
        return visible(fault).into_owned();
    }
    let reason = match (report.accepted, report.finished) {
        (false, _) => "refused without a reason",
        (true, false) => "accepted before the handshake was finished",
        (true, true) if report.eap_success != Some(true) => "accepted without EAP-Success",
        (true, true) if report.keys_agree == Some(false) => "accepted with MPPE keys that are not the handshake's",
        (true, true) => "accepted without protected success (RFC 9190)",
    };
    reason.to_owned()
}
