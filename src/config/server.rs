//! `[server]`, `[listen]`, `[eap]`, `[log]` and the bounds that follow from them.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::files::{self, Useless};
use super::reader::{Item, Table};
use crate::{eap, engine, exchange, observe, sessions};

/// `[server]`
pub(super) struct Server {
    pub(super) node: Arc<str>,
    pub(super) state_dir: PathBuf,
    pub(super) workers: usize,
}

pub(super) fn server(mut table: Table<'_>) -> Server {
    let node = table.take("name").and_then(|item| item.name()).map_or_else(host_name, Arc::from);
    let state_dir = table.take("state-dir").and_then(|item| state_dir(&item));
    let workers = table.integer("workers", 0..=1024, 0);
    table.finish();
    Server {
        node,
        state_dir: state_dir.unwrap_or_else(|| PathBuf::from("/var/lib/sekisho")),
        workers: usize::try_from(workers).unwrap_or(0),
    }
}

fn state_dir(item: &Item<'_>) -> Option<PathBuf> {
    let path = item.path()?;
    match files::useful(&path) {
        Ok(()) => {}
        Err(Useless::Unreadable(why)) => item.error(why),
        Err(Useless::Unwritable(why)) => item.warning(format!(
            "{why}; whoever runs this could keep nothing there: no CRL for the next start, no accounting record, no decision, and the API could block nobody"
        )),
    }
    Some(path)
}

fn host_name() -> Arc<str> {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    match name.trim() {
        "" => "sekisho".into(),
        name => name.into(),
    }
}

/// `[listen]`
pub(super) struct Listen {
    pub(super) auth: Vec<SocketAddr>,
    pub(super) accounting: Vec<SocketAddr>,
    pub(super) admin: Vec<SocketAddr>,
}

/// `has_tls`: whether the admin door has a certificate.
pub(super) fn listen(mut table: Table<'_>, has_tls: bool) -> Listen {
    let auth = table.take("auth").map(|item| addresses(&item)).unwrap_or_default();
    if auth.is_empty() {
        table.missing(
            "auth",
            "without it no door is open and nobody can log in; add auth = [\"0.0.0.0:1812\", \"[::]:1812\"]",
        );
    }
    let admin = table.take("admin").map(|item| admin_addresses(&item, has_tls)).unwrap_or_default();
    let accounting = table.take("accounting").map(|item| accounting(&item, &auth)).unwrap_or_default();
    if let Some(item) = table.take("radsec").filter(|item| !item.is_empty()) {
        addresses(&item);
        item.not_built("RADIUS over TLS");
    }
    table.finish();
    Listen { auth, accounting, admin }
}

/// The door tells what a packet may be, so both can't be one.
fn accounting(item: &Item<'_>, auth: &[SocketAddr]) -> Vec<SocketAddr> {
    let accounting = addresses(item);
    for address in accounting.iter().filter(|address| address.port() != 0 && auth.contains(address)) {
        item.error(format!("{address} is in `auth` too; accounting has a port of its own: \"0.0.0.0:1813\""));
    }
    accounting
}

fn addresses(item: &Item<'_>) -> Vec<SocketAddr> {
    let mut known = Vec::new();
    item.list(|item| {
        let address = item.parsed(address)?;
        if known.contains(&address) && address.port() != 0 {
            item.error(format!("{address} stands here twice; it can be opened once only"));
        }
        known.push(address);
        Some(address)
    })
}

fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| {
        format!("\"{text}\" is no address to listen on; write ADDRESS:PORT: \"0.0.0.0:1812\", \"[::]:1812\", \"127.0.0.1:9812\"")
    })
}

/// Without TLS tokens must not leave this machine (A09).
fn admin_addresses(item: &Item<'_>, has_tls: bool) -> Vec<SocketAddr> {
    let is_open = |item: &Item<'_>| {
        let address = item.text_quietly().and_then(|text| text.parse::<SocketAddr>().ok());
        address.is_some_and(|address| !address.ip().to_canonical().is_loopback())
    };
    for item in item.items().iter().filter(|item| !has_tls && is_open(item)) {
        item.error(
            "can be reached from other machines, and without TLS tokens would cross the network in the clear; \
             add `chain` and `key` to [admin], or listen on 127.0.0.1 or [::1]",
        );
    }
    addresses(item)
}

/// `[eap]`
pub(super) struct Eap {
    pub(super) settings: eap::Settings,
    pub(super) conversation_timeout: Duration,
    pub(super) max_conversations: usize,
}

/// Below, a flight needs more rounds than supplicants endure (RFC 5216 section 2.1.5 lets go as low as one likes).
const MIN_FRAGMENT: u64 = 50;
/// Above, State, Message-Authenticator and Proxy-State don't fit beside the EAP-Message attributes into a packet of 4,096 octets.
const MAX_FRAGMENT: u64 = 3500;
/// Above, packets are cut up by IP on a path of 1,500 octets (48 of IPv6 and UDP, 20 of RADIUS, at most 90 of attributes).
const MAX_WHOLE_FRAGMENT: u64 = 1340;

pub(super) fn eap(mut table: Table<'_>) -> Eap {
    let fragment_size = table.take("fragment-size").and_then(|item| fragment_size(&item)).unwrap_or(1200);
    let conversation_timeout = table.take("conversation-timeout").and_then(|item| conversation_timeout(&item));
    let max_conversations = table.integer("max-conversations", 1..=10_000_000, 20_000);
    let max_message = table.take("max-message").and_then(|item| max_message(&item)).unwrap_or(16 << 10);
    table.finish();
    Eap {
        settings: eap::Settings { fragment_size, max_message, max_idle_rounds: 50 },
        conversation_timeout: conversation_timeout.unwrap_or(Duration::from_secs(60)),
        max_conversations: usize::try_from(max_conversations).unwrap_or(20_000),
    }
}

fn fragment_size(item: &Item<'_>) -> Option<usize> {
    let size = item.integer(MIN_FRAGMENT..=MAX_FRAGMENT)?;
    if size > MAX_WHOLE_FRAGMENT {
        item.warning(format!(
            "with fragments over {MAX_WHOLE_FRAGMENT} octets the UDP packets are cut up on the way, and firewalls that drop the pieces make logins hang; 1200 is safe"
        ));
    }
    usize::try_from(size).ok()
}

fn conversation_timeout(item: &Item<'_>) -> Option<Duration> {
    let timeout = item.duration()?;
    if !(5..=600).contains(&timeout.as_secs()) {
        item.error("must be from \"5s\" to \"10m\": shorter, slow supplicants never finish; longer, half-open logins fill the table");
        return None;
    }
    Some(timeout)
}

fn max_message(item: &Item<'_>) -> Option<usize> {
    let size = item.size()?;
    if !(4 << 10..=64 << 10).contains(&size) {
        item.error("must be from \"4KiB\", which a client's chain needs, to \"64KiB\", which anybody may make this server keep for a while");
        return None;
    }
    usize::try_from(size).ok()
}

/// The bounds of the hall.
pub(super) fn engine(eap: &Eap, max_sessions: usize) -> engine::Settings {
    engine::Settings {
        exchange: exchange::Settings {
            keep_answer: Duration::from_secs(20),
            keep_unanswered: eap.conversation_timeout,
            max_exchanges: eap.max_conversations.saturating_mul(4).max(1024),
        },
        max_conversations: eap.max_conversations,
        conversation_timeout: eap.conversation_timeout,
        max_waiting: Duration::from_millis(500),
        ask_timeout: Duration::from_secs(2),
        max_asking: 4_096,
        nas_max_asking: 256,
        reserved_asking: 16,
        records: engine::Bounds { timeout: Duration::from_secs(2), most: 4_096, nas_most: 1_024, reserved: 0 },
        sessions: sessions::Settings { max_sessions },
    }
}

/// `[log]`
pub(super) fn log(mut table: Table<'_>) -> observe::LogSettings {
    use observe::{Format, Language};
    let levels = ["error", "warn", "info", "debug", "trace"].map(|level| (level, level));
    let timezone = timezone(&mut table);
    let settings = observe::LogSettings {
        format: table.choice("format", &[("text", Format::Text), ("json", Format::Json)], Format::Text),
        level: table.choice("level", &levels, "info").to_owned(),
        language: table.choice("language", &[("ja", Language::Ja), ("en", Language::En)], Language::Ja),
        timezone,
    };
    table.finish();
    settings
}

fn timezone(table: &mut Table<'_>) -> String {
    let item = table.take("timezone");
    let name = item.as_ref().map_or(Some("Asia/Tokyo"), Item::text).unwrap_or("UTC");
    if jiff::tz::TimeZone::get(name).is_err() {
        let place = item.as_ref().map_or(&table.place, |item| &item.place);
        let text = "is no time zone that this machine knows; write an IANA name such as \"Asia/Tokyo\", and see that tzdata is installed";
        table.report.error(place, format!("\"{name}\" {text}"));
    }
    name.to_owned()
}
