//! Guessing is slowed: for each user at each NAS from each calling station, so that nobody locks somebody else out; and for all stations together from which a user has never got in, so that nobody gains by calling himself many.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::Attempts;
use crate::now::Mono;

/// Strangers choose the keys, so it hashes as the standard library does.
type Line<K, V> = hashlink::LinkedHashMap<K, V, std::hash::RandomState>;

/// Who tries.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Who {
    /// The user, in ASCII lower case.
    pub user: String,
    /// Name of the NAS.
    pub nas: String,
    /// Calling-Station-Id.
    pub station: Vec<u8>,
}

impl Who {
    /// Calling-Station-Id as it came. Of an address of the internet the port is left off, which changes with each attempt, and of IPv6 what a device makes up for itself: else whoever wants to guess would be somebody else each time, and whoever has got in would not be known again.
    #[must_use]
    pub fn new(user: &str, nas: &str, station: &[u8]) -> Self {
        Self { user: user.to_ascii_lowercase(), nas: nas.to_owned(), station: place(station) }
    }
}

fn place(station: &[u8]) -> Vec<u8> {
    let Ok(text) = std::str::from_utf8(station) else { return station.to_vec() };
    // strongSwan's 203.0.113.5[4500]
    let before_port = text.strip_suffix(']').and_then(|text| text.rsplit_once('['));
    let is_port = |port: &str| !port.is_empty() && port.bytes().all(|octet| octet.is_ascii_digit());
    let bare = before_port.filter(|(_, port)| is_port(port)).map_or(text, |(address, _)| address);
    let address = bare.parse::<IpAddr>().or_else(|_| bare.parse::<SocketAddr>().map(|address| address.ip()));
    match address.map(|address| address.to_canonical()) {
        Ok(IpAddr::V4(address)) => address.to_string().into(),
        Ok(IpAddr::V6(address)) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64").into()
        }
        Err(_) => text.to_ascii_lowercase().into(),
    }
}

/// Users and stations that are remembered, of each kind.
const MOST: usize = 16_384;
/// Strangers' share: so many times what one station may try, which comes back in so many times the time. Each of them may begin at once, and who knows a user's password and has all day makes no
/// more guesses than one station could (RFC 4226 section 7.3).
const STRANGERS: u32 = 10;

/// Wrong codes, by who typed them. In RAM: a restart forgives.
#[derive(Debug)]
pub struct Guesses {
    attempts: Attempts,
    stations: Line<Who, Spent>,
    strangers: Line<(String, String), Spent>,
    /// Where users have got in.
    known: Line<Who, ()>,
}

/// What has been spent of an allowance, at a time; it comes back evenly.
#[derive(Clone, Copy, Debug)]
struct Spent {
    attempts: f64,
    at: Mono,
}

impl Spent {
    fn now(self, now: Mono, allowed: f64, per: Duration) -> f64 {
        let back = now.since(self.at).as_secs_f64() / per.as_secs_f64().max(1.0) * allowed;
        (self.attempts - back).max(0.0)
    }
}

impl Guesses {
    /// Nobody has tried yet.
    #[must_use]
    pub fn new(attempts: Attempts) -> Self {
        Self { attempts, stations: Line::default(), strangers: Line::default(), known: Line::default() }
    }

    /// Other bounds from now on.
    pub fn set(&mut self, attempts: Attempts) {
        self.attempts = attempts;
    }

    /// Whether one more may be looked at; then it counts as wrong until [`Guesses::right`].
    pub fn may_try(&mut self, now: Mono, who: &Who) -> bool {
        let Attempts { each, per } = self.attempts;
        let own = f64::from(each);
        let of_station = self.stations.get(who).map_or(0.0, |spent| spent.now(now, own, per));
        if of_station + 1.0 > own {
            return false;
        }
        if self.known.get(who).is_none() {
            let all = f64::from(each.saturating_mul(STRANGERS));
            let group = (who.user.clone(), who.nas.clone());
            let of_strangers =
                self.strangers.get(&group).map_or(0.0, |spent| spent.now(now, all, per.saturating_mul(STRANGERS)));
            if of_strangers + 1.0 > all {
                return false;
            }
            remember(&mut self.strangers, group, Spent { attempts: of_strangers + 1.0, at: now });
        }
        remember(&mut self.stations, who.clone(), Spent { attempts: of_station + 1.0, at: now });
        true
    }

    /// How many of each kind are remembered.
    #[cfg(test)]
    pub(crate) fn remembered(&self) -> [usize; 3] {
        [self.stations.len(), self.strangers.len(), self.known.len()]
    }

    /// The code was right.
    pub fn right(&mut self, who: &Who) {
        self.stations.remove(who);
        remember(&mut self.known, who.clone(), ());
    }

    /// It could not be looked at after all, and doesn't count.
    pub fn forgive(&mut self, who: &Who) {
        let give_back = |spent: &mut Spent| spent.attempts = (spent.attempts - 1.0).max(0.0);
        self.stations.get_mut(who).map(give_back);
        if self.known.get(who).is_none() {
            self.strangers.get_mut(&(who.user.clone(), who.nas.clone())).map(give_back);
        }
    }
}

/// As the newest, at the cost of the oldest.
fn remember<K: std::hash::Hash + Eq + Clone, V>(line: &mut Line<K, V>, key: K, value: V) {
    line.insert(key, value);
    while line.len() > MOST {
        line.pop_front();
    }
}
