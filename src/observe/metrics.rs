//! The table of metrics: name, kind, labels and help on a line each. Label values come from the configuration or from closed lists, never from a packet.

mod distrust;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use foldhash::fast::RandomState;
use prometheus::core::Collector;
use prometheus::process_collector::ProcessCollector;
use prometheus::{
    GaugeVec, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, Opts, Registry, TextEncoder,
};

use crate::event::{Authentication, Event, Listener, MessageAuthenticator, Outcome, Reason, RequestCode, TlsVersion};
use crate::lock::lock;
use crate::now::Wall;
use crate::pki::CrlSummary;
use distrust::Distrusts;

macro_rules! families {
    ($($field:ident: $kind:ident $name:literal [$($label:literal),*] $help:literal;)+) => {
        #[derive(Debug)]
        struct Families { $($field: $kind,)+ }

        impl Families {
            fn new(registry: &Registry) -> prometheus::Result<Self> {
                Ok(Self { $($field: register(registry, $kind::family($name, $help, &[$($label),*])?)?,)+ })
            }
        }
    };
}

families! {
    requests: IntCounterVec "sekisho_requests_total" ["listener", "code", "outcome"] "Requests received, by what was done with them.";
    nas_requests: IntCounterVec "sekisho_nas_requests_total" ["nas", "message_authenticator"] "Requests of each NAS, by what their Message-Authenticator was like.";
    drops: IntCounterVec "sekisho_drops_total" ["reason"] "Packets that were not answered, by reason.";
    authentications: IntCounterVec "sekisho_authentications_total" ["service", "method", "outcome", "reason"] "Decisions about who logs in.";
    authentication_seconds: HistogramVec "sekisho_authentication_seconds" ["service", "tls", "resumed"] "From the first request of a conversation to its decision, the supplicant's and the network's time included.";
    conversations: IntGauge "sekisho_conversations" [] "Conversations that are alive.";
    steps_waiting: IntGauge "sekisho_steps_waiting" [] "Pieces of public-key work that wait for a processor.";
    sessions: GaugeVec "sekisho_sessions" ["service"] "Live sessions: let in and not known to have ended.";
    disconnects: IntCounterVec "sekisho_disconnects_total" ["result"] "Times that a NAS was told to end a session, or should have been, by what came of it.";
    held: IntGauge "sekisho_disconnects_held" [] "Live sessions that have to go and wait for an operator, who releases or discards them: an alarm while it isn't 0.";
    crl_this_update: GaugeVec "sekisho_crl_this_update_seconds" ["authority", "crl"] "thisUpdate of the CRL in use, since 1970.";
    crl_next_update: GaugeVec "sekisho_crl_next_update_seconds" ["authority", "crl"] "nextUpdate of the CRL in use, since 1970.";
    crl_last_success: GaugeVec "sekisho_crl_last_success_seconds" ["authority", "crl"] "When the CRL was last read or fetched and found good, since 1970; 0: never.";
    crl_entries: GaugeVec "sekisho_crl_entries" ["authority", "crl"] "Revoked certificates in the CRL in use.";
    crl_number: GaugeVec "sekisho_crl_number" ["authority", "crl"] "cRLNumber of the CRL in use.";
    revocation_fetches: IntCounterVec "sekisho_revocation_fetches_total" ["authority", "kind", "result"] "Fetches of revocation data, by what came of them.";
    crl_vanished: GaugeVec "sekisho_crl_vanished_entries" ["authority"] "Certificates that a CRL has listed and lists no more although they haven't expired: they stay revoked here, and somebody must ask the CA why.";
    ocsp_responder_up: GaugeVec "sekisho_ocsp_responder_up" ["authority", "responder"] "1: the responder is asked; 0: it failed so often that it is left alone for a while, and only tried now and then.";
    ocsp_last_success: GaugeVec "sekisho_ocsp_last_success_seconds" ["authority", "responder"] "When the responder last gave an answer that was good, since 1970.";
    ocsp_answers: IntGauge "sekisho_ocsp_answers" [] "Certificates of which an OCSP answer is in memory.";
    distrust_authentications: IntCounterVec "sekisho_distrust_authentications_total" ["authority", "outcome"] "Logins with certificates that the authority's `distrust` concerns: accepted before its date, refused from then on.";
    distrust_certificates: GaugeVec "sekisho_distrust_certificates" ["authority"] "Certificates that the authority's `distrust` concerns and that somebody has logged in with since this process began; at 100000 it counts no further.";
    distrust_from: GaugeVec "sekisho_distrust_from_seconds" ["authority"] "From when on certificates that the authority's `distrust` concerns are refused, since 1970.";
    admin_refusals: IntCounterVec "sekisho_admin_refusals_total" ["why"] "Requests and connections that the admin door turned away, by why.";
    identity_not_after: GaugeVec "sekisho_identity_not_after_seconds" ["identity"] "End of this server's own certificate, since 1970.";
    identity_staple_next_update: GaugeVec "sekisho_identity_staple_next_update_seconds" ["identity"] "nextUpdate of the OCSP answer that is stapled to this server's own certificate, since 1970; 0: nothing is stapled although the certificate names a responder.";
    identity_revoked: GaugeVec "sekisho_identity_revoked" ["identity"] "1: the responder says that this server's own certificate is revoked; 0: it doesn't, or nobody could be asked.";
    identity_staple_fetches: IntCounterVec "sekisho_identity_staple_fetches_total" ["identity", "result"] "Times that a responder was asked about this server's own certificate, by what came of it.";
    reload_successful: IntGauge "sekisho_config_last_reload_successful" [] "1: the last attempt to load the configuration succeeded; 0: it failed and the one before is in use.";
    reload_success: IntGauge "sekisho_config_last_reload_success_timestamp_seconds" [] "When a configuration was last loaded, since 1970.";
    registry_up: IntGauge "sekisho_registry_up" [] "1: the registry can be written; 0: the disk is full or the file is damaged. Absent where none is kept.";
    registry_failed: IntGauge "sekisho_registry_failed_changes" [] "Changes that could not be written since this process began.";
    registry_dropped: IntGauge "sekisho_registry_dropped_decisions" [] "Decisions that were not kept since this process began.";
    certificates: GaugeVec "sekisho_certificates" ["status"] "Certificates that the registry knows, by status. Counted now and then.";
    unconfirmed: IntGauge "sekisho_unconfirmed_blocks" [] "Certificates that are blocked here and not revoked by their authority yet.";
    unconfirmed_overdue: IntGauge "sekisho_unconfirmed_blocks_overdue" [] "Of them, those that have been for longer than `unconfirmed-after`.";
    otp_keys: GaugeVec "sekisho_otp_keys" ["seal"] "Keys of one-time passwords, by the seal-key that opens them: the first, an older one, none (no code of those is right: an alarm).";
    unconfirmed_oldest: IntGauge "sekisho_unconfirmed_blocks_oldest_timestamp_seconds" [] "Since when the oldest of them is blocked, since 1970; 0: there is none.";
    log_dropped: IntCounter "sekisho_log_dropped_total" [] "Log lines lost because whoever reads the log is too slow.";
    build_info: GaugeVec "sekisho_build_info" ["version"] "Always 1.";
}

/// Upper bounds in seconds: a resumed login in one network takes milliseconds, a smartphone abroad seconds.
const BUCKETS: [f64; 15] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];

/// Names remembered in the life of a process; reloads may bring new ones. Those beyond are counted as [`OTHER`].
const MAX_SERVICES: usize = 256;
/// As [`MAX_SERVICES`].
const MAX_NAS: usize = 4_096;
/// Responders of all authorities together: certificates name them, and a CA may name many.
const MAX_RESPONDERS: usize = 1_024;
/// What may come of telling a NAS to end a session.
const DISCONNECTS: [&str; 4] = ["ack", "nak", "no-answer", "not-possible"];
/// The label of what is over a bound.
const OTHER: &str = "other";
/// The label of what there isn't.
const NONE: &str = "none";

/// All metrics of a process.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    families: Families,
    /// By listener, code and outcome, so that the hot path looks up no label.
    requests: Vec<IntCounter>,
    drops: Vec<IntCounter>,
    nas: Handles<Vec<IntCounter>>,
    services: Handles<Service>,
    distrusts: Distrusts,
    /// Held while series are replaced or read, so that nobody reads them half replaced.
    replacing: Mutex<()>,
}

/// Handles of one service.
#[derive(Debug)]
struct Service {
    label: String,
    /// By TLS version (none first) and whether it was resumed.
    seconds: Vec<Histogram>,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// All at zero.
    ///
    /// # Panics
    /// Only if the table of this file held a bad name, which its tests would find.
    #[must_use]
    pub fn new() -> Self {
        let registry = Registry::new();
        let families = Families::new(&registry).expect("names and labels of the table are good");
        registry.register(Box::new(ProcessCollector::for_self())).expect("no name of ours begins with process_");
        // All of them from the start, so that the first shows as an increase.
        for result in DISCONNECTS {
            families.disconnects.with_label_values(&[result]);
        }
        families.build_info.with_label_values(&[env!("CARGO_PKG_VERSION")]).set(1.0);
        Self {
            requests: every_request(&families.requests),
            drops: Reason::ALL.iter().map(|reason| families.drops.with_label_values(&[reason.name()])).collect(),
            nas: Handles::new(MAX_NAS),
            services: Handles::new(MAX_SERVICES),
            distrusts: Distrusts::default(),
            registry,
            families,
            replacing: Mutex::new(()),
        }
    }

    /// Counts what became of a packet or a conversation.
    pub fn record(&self, event: &Event) {
        if let Some(code) = event.code {
            self.record_packet(event, code);
        }
        if let Some(authentication) = &event.authentication {
            self.record_authentication(event, authentication);
        }
    }

    fn record_packet(&self, event: &Event, code: RequestCode) {
        if let Some(requests) = self.requests.get(request_index(event.listener, code, event.outcome)) {
            requests.inc();
        }
        if event.outcome == Outcome::Drop
            && let Some(drops) = self.drops.get(event.reason as usize)
        {
            drops.inc();
        }
        if let (Some(nas), Some(message_authenticator)) = (&event.nas, event.message_authenticator) {
            let handles = self.nas.of(nas, |label| nas_requests(&self.families.nas_requests, label));
            if let Some(requests) = handles.get(message_authenticator as usize) {
                requests.inc();
            }
        }
    }

    fn record_authentication(&self, event: &Event, authentication: &Authentication) {
        self.distrusts.record(event, authentication);
        let service = authentication.service.as_deref().unwrap_or(NONE);
        let service = self.services.of(service, |label| Service::new(&self.families.authentication_seconds, label));
        let labels = [service.label.as_str(), authentication.method.name(), event.outcome.name(), event.reason.name()];
        self.families.authentications.with_label_values(&labels).inc();
        if matches!(event.outcome, Outcome::Accept | Outcome::Reject)
            && let Some(seconds) = service.seconds.get(seconds_index(authentication.tls, authentication.resumed))
        {
            seconds.observe(authentication.duration.as_secs_f64());
        }
    }

    /// A NAS was told to end a session, or should have been; `result` of a closed list.
    pub fn disconnected(&self, result: &'static str) {
        self.families.disconnects.with_label_values(&[result]).inc();
    }

    /// Conversations that are alive.
    pub(crate) fn set_conversations(&self, count: usize) {
        self.families.conversations.set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// Live sessions by service; `None`: of none that is known.
    pub(crate) fn set_sessions<'a>(&self, counts: impl IntoIterator<Item = (Option<&'a str>, usize)>) {
        let _replacing = lock(&self.replacing);
        self.families.sessions.reset();
        for (service, count) in counts {
            self.families.sessions.with_label_values(&[service.unwrap_or(NONE)]).set(count as f64);
        }
    }

    /// Sessions that wait for an operator.
    pub(crate) fn set_held(&self, count: usize) {
        self.families.held.set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// Steps that wait to be run.
    pub(crate) fn set_steps_waiting(&self, count: usize) {
        self.families.steps_waiting.set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// The CRLs in use, all of them, and when each source (authority, name of the source) was last read and found good: those of before are forgotten.
    pub(crate) fn set_crls<'a>(
        &self,
        crls: &[CrlSummary],
        last_success: impl IntoIterator<Item = (&'a str, &'a str, Wall)>,
    ) {
        let _replacing = lock(&self.replacing);
        let families = &self.families;
        let all = [
            &families.crl_this_update,
            &families.crl_next_update,
            &families.crl_last_success,
            &families.crl_entries,
            &families.crl_number,
        ];
        all.iter().for_each(|family| family.reset());
        for crl in crls {
            let labels = [&*crl.authority, &*crl.source];
            families.crl_this_update.with_label_values(&labels).set(seconds(crl.this_update));
            families.crl_entries.with_label_values(&labels).set(crl.entries as f64);
            if let Some(next_update) = crl.next_update {
                families.crl_next_update.with_label_values(&labels).set(seconds(next_update));
            }
            if let Some(number) = &crl.number {
                families.crl_number.with_label_values(&labels).set(big_endian(number));
            }
        }
        for (authority, source, at) in last_success {
            families.crl_last_success.with_label_values(&[authority, source]).set(seconds(at));
        }
    }

    /// How many entries have disappeared from each authority's CRLs, all of them: those of before are forgotten.
    pub(crate) fn set_vanished<'a>(&self, entries: impl IntoIterator<Item = (&'a str, usize)>) {
        let _replacing = lock(&self.replacing);
        self.families.crl_vanished.reset();
        for (authority, count) in entries {
            self.families.crl_vanished.with_label_values(&[authority]).set(count as f64);
        }
    }

    /// How the registry is: whether it can be written, what failed and what was dropped so far.
    pub(crate) fn set_registry(&self, is_up: bool, failed: u64, dropped: u64) {
        let set = |gauge: &IntGauge, count: u64| gauge.set(i64::try_from(count).unwrap_or(i64::MAX));
        set(&self.families.registry_up, u64::from(is_up));
        set(&self.families.registry_failed, failed);
        set(&self.families.registry_dropped, dropped);
    }

    /// How many certificates there are by status.
    pub(crate) fn set_certificates<'a>(&self, counts: impl IntoIterator<Item = (&'a str, u64)>) {
        for (status, count) in counts {
            self.families.certificates.with_label_values(&[status]).set(count as f64);
        }
    }

    /// How many keys of one-time passwords there are by what opens them, all of them: those of before are forgotten.
    pub fn set_otp_keys<'a>(&self, counts: impl IntoIterator<Item = (&'a str, u64)>) {
        let _replacing = lock(&self.replacing);
        self.families.otp_keys.reset();
        for (seal, count) in counts {
            self.families.otp_keys.with_label_values(&[seal]).set(count as f64);
        }
    }

    /// Blocks that no authority has followed: how many, how many for too long, and since when the oldest is.
    pub(crate) fn set_unconfirmed(&self, count: u64, overdue: u64, oldest: Option<Wall>) {
        let set = |gauge: &IntGauge, count: u64| gauge.set(i64::try_from(count).unwrap_or(i64::MAX));
        set(&self.families.unconfirmed, count);
        set(&self.families.unconfirmed_overdue, overdue);
        self.families.unconfirmed_oldest.set(oldest.unwrap_or_default().0);
    }

    /// The responders (authority, address), whether each is asked, and when it last gave a good answer, all of them: those of before are forgotten.
    pub(crate) fn set_responders<'a>(
        &self,
        responders: impl IntoIterator<Item = (&'a str, &'a str, bool, Option<Wall>)>,
    ) {
        let _replacing = lock(&self.replacing);
        let (up, last_success) = (&self.families.ocsp_responder_up, &self.families.ocsp_last_success);
        [up, last_success].iter().for_each(|family| family.reset());
        for (authority, responder, is_up, at) in responders.into_iter().take(MAX_RESPONDERS) {
            up.with_label_values(&[authority, responder]).set(f64::from(u8::from(is_up)));
            if let Some(at) = at {
                last_success.with_label_values(&[authority, responder]).set(seconds(at));
            }
        }
    }

    /// Certificates of which an OCSP answer is in memory.
    pub(crate) fn set_ocsp_answers(&self, count: u64) {
        self.families.ocsp_answers.set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// `distrust.from` of each authority that has one, all of them: those of before are forgotten, and what was counted of others goes on.
    pub(crate) fn set_distrust(&self, authorities: &[(Arc<str>, Wall)]) {
        let _replacing = lock(&self.replacing);
        self.distrusts.set(&self.families, authorities);
    }

    /// Revocation data of an authority was fetched, or not; `kind` (`crl` or `ocsp`) and `result` of closed lists.
    pub fn fetched(&self, authority: &str, kind: &'static str, result: &'static str) {
        self.families.revocation_fetches.with_label_values(&[authority, kind, result]).inc();
    }

    /// The admin door turned somebody away; `why`: of a closed list.
    pub(crate) fn admin_refused(&self, why: &'static str) {
        self.families.admin_refusals.with_label_values(&[why]).inc();
    }

    /// notAfter of each identity, all of them: those of before are forgotten.
    pub(crate) fn set_identities(&self, identities: &[(Arc<str>, Wall)]) {
        let _replacing = lock(&self.replacing);
        self.families.identity_not_after.reset();
        for (name, not_after) in identities {
            self.families.identity_not_after.with_label_values(&[&**name]).set(seconds(*not_after));
        }
    }

    /// The identities whose certificate names a responder, until when their stapled answer is good (`None`: there is none), and whether they are revoked, all of them: those of before are forgotten.
    pub(crate) fn set_staples<'a>(&self, staples: impl IntoIterator<Item = (&'a str, Option<Wall>, bool)>) {
        let _replacing = lock(&self.replacing);
        let (next_update, is_revoked) = (&self.families.identity_staple_next_update, &self.families.identity_revoked);
        [next_update, is_revoked].iter().for_each(|family| family.reset());
        for (identity, end, revoked) in staples {
            next_update.with_label_values(&[identity]).set(end.map_or(0.0, seconds));
            is_revoked.with_label_values(&[identity]).set(f64::from(u8::from(revoked)));
        }
    }

    /// A responder was asked about an identity; `result` of closed lists.
    pub(crate) fn staple_fetched(&self, identity: &str, result: &'static str) {
        self.families.identity_staple_fetches.with_label_values(&[identity, result]).inc();
    }

    /// A configuration was loaded, or could not be.
    pub(crate) fn set_reload(&self, successful: bool, at: Wall) {
        self.families.reload_successful.set(i64::from(successful));
        if successful {
            self.families.reload_success.set(at.0);
        }
    }

    /// A log line was lost.
    pub(super) fn log_dropped(&self) -> &IntCounter {
        &self.families.log_dropped
    }

    /// Everything in Prometheus' text format ([`prometheus::TEXT_FORMAT`]).
    #[must_use]
    pub(crate) fn render(&self) -> String {
        let _replacing = lock(&self.replacing);
        TextEncoder::new().encode_to_string(&self.registry.gather()).unwrap_or_default()
    }
}

impl Service {
    fn new(family: &HistogramVec, label: &str) -> Self {
        let versions = [NONE].into_iter().chain(TlsVersion::ALL.iter().map(|version| version.name()));
        let seconds = versions
            .flat_map(|version| ["false", "true"].map(|resumed| family.with_label_values(&[label, version, resumed])));
        Self { label: label.to_owned(), seconds: seconds.collect() }
    }
}

fn seconds_index(version: Option<TlsVersion>, resumed: bool) -> usize {
    version.map_or(0, |version| 1 + version as usize) * 2 + usize::from(resumed)
}

fn every_request(family: &IntCounterVec) -> Vec<IntCounter> {
    let mut requests = Vec::new();
    for listener in Listener::ALL {
        for code in RequestCode::ALL {
            for outcome in Outcome::ALL {
                requests.push(family.with_label_values(&[listener.name(), code.name(), outcome.name()]));
            }
        }
    }
    requests
}

/// Where [`every_request`] has put it.
fn request_index(listener: Listener, code: RequestCode, outcome: Outcome) -> usize {
    (listener as usize * RequestCode::ALL.len() + code as usize) * Outcome::ALL.len() + outcome as usize
}

fn nas_requests(family: &IntCounterVec, nas: &str) -> Vec<IntCounter> {
    MessageAuthenticator::ALL.iter().map(|kind| family.with_label_values(&[nas, kind.name()])).collect()
}

fn seconds(at: Wall) -> f64 {
    at.0 as f64
}

/// As near as a float comes: cRLNumber may have 20 octets (RFC 5280 section 5.2.3).
fn big_endian(octets: &[u8]) -> f64 {
    octets.iter().fold(0.0, |number, octet| number * 256.0 + f64::from(*octet))
}

/// Handles by name, for a bounded number of names; all others share those of [`OTHER`].
#[derive(Debug)]
struct Handles<T> {
    most: usize,
    by_name: Mutex<HashMap<Arc<str>, Arc<T>, RandomState>>,
}

impl<T> Handles<T> {
    fn new(most: usize) -> Self {
        Self { most, by_name: Mutex::default() }
    }

    fn of(&self, name: &str, make: impl FnOnce(&str) -> T) -> Arc<T> {
        let mut by_name = lock(&self.by_name);
        if let Some(handles) = by_name.get(name) {
            return handles.clone();
        }
        let name: Arc<str> = if by_name.len() < self.most { name } else { OTHER }.into();
        by_name.entry(name.clone()).or_insert_with(|| Arc::new(make(&name))).clone()
    }
}

fn register<T: Collector + Clone + 'static>(registry: &Registry, family: T) -> prometheus::Result<T> {
    registry.register(Box::new(family.clone()))?;
    Ok(family)
}

/// One way to make each kind of family.
trait Family: Sized {
    fn family(name: &str, help: &str, labels: &[&str]) -> prometheus::Result<Self>;
}

impl Family for IntCounter {
    fn family(name: &str, help: &str, _labels: &[&str]) -> prometheus::Result<Self> {
        Self::new(name, help)
    }
}

impl Family for IntGauge {
    fn family(name: &str, help: &str, _labels: &[&str]) -> prometheus::Result<Self> {
        Self::new(name, help)
    }
}

impl Family for IntCounterVec {
    fn family(name: &str, help: &str, labels: &[&str]) -> prometheus::Result<Self> {
        Self::new(Opts::new(name, help), labels)
    }
}

impl Family for GaugeVec {
    fn family(name: &str, help: &str, labels: &[&str]) -> prometheus::Result<Self> {
        Self::new(Opts::new(name, help), labels)
    }
}

impl Family for HistogramVec {
    fn family(name: &str, help: &str, labels: &[&str]) -> prometheus::Result<Self> {
        Self::new(HistogramOpts::new(name, help).buckets(BUCKETS.to_vec()), labels)
    }
}
