//! What a stranger can cause becomes few lines: one a second for each source, in a bounded table, and no more than so many a second at all. Everything is counted elsewhere.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

use crate::now::Mono;

/// Between two lines of one source.
const INTERVAL: Duration = Duration::from_secs(1);
/// Sources remembered; all others share one place.
const MAX_SOURCES: usize = 1_024;
/// Lines in one [`INTERVAL`] from all sources together: source addresses of UDP are easily forged.
const MAX_LINES: u32 = 100;

/// Says which drop may be logged.
#[derive(Debug, Default)]
pub(super) struct Limiter {
    sources: HashMap<IpAddr, Source>,
    shared: Option<Source>,
    /// When the table was last cleared of those who have been quiet.
    swept: Mono,
    /// The current interval of [`MAX_LINES`], and the lines in it.
    interval: Mono,
    lines: u32,
}

#[derive(Clone, Copy, Debug)]
struct Source {
    logged: Mono,
    suppressed: u64,
}

impl Limiter {
    /// Whether a line about `source` may be written; if so, how many of it have been kept back since the last.
    pub(super) fn allow(&mut self, source: IpAddr, now: Mono) -> Option<u64> {
        let within_all = self.within_all(now);
        let allowed = match self.place(network(source), now) {
            Place::New => within_all.then_some(0),
            Place::Known(known) if within_all && now.since(known.logged) >= INTERVAL => {
                let suppressed = known.suppressed;
                *known = Source { logged: now, suppressed: 0 };
                Some(suppressed)
            }
            Place::Known(known) => {
                known.suppressed = known.suppressed.saturating_add(1);
                None
            }
        };
        if allowed.is_some() {
            self.lines = self.lines.saturating_add(1);
        }
        allowed
    }

    fn within_all(&mut self, now: Mono) -> bool {
        if now.since(self.interval) >= INTERVAL {
            self.interval = now;
            self.lines = 0;
        }
        self.lines < MAX_LINES
    }

    /// The source's place; a new one where there is room, the shared one where there isn't.
    fn place(&mut self, source: IpAddr, now: Mono) -> Place<'_> {
        if self.sources.len() >= MAX_SOURCES && now.since(self.swept) >= INTERVAL {
            self.sources.retain(|_, source| now.since(source.logged) < INTERVAL);
            self.swept = now;
        }
        let new = Source { logged: now, suppressed: 0 };
        if self.sources.contains_key(&source) || self.sources.len() < MAX_SOURCES {
            let mut is_new = false;
            let place = self.sources.entry(source).or_insert_with(|| {
                is_new = true;
                new
            });
            return if is_new { Place::New } else { Place::Known(place) };
        }
        match &mut self.shared {
            Some(shared) => Place::Known(shared),
            empty => {
                *empty = Some(new);
                Place::New
            }
        }
    }

    /// Sources remembered.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.sources.len()
    }
}

enum Place<'a> {
    New,
    Known(&'a mut Source),
}

/// Who counts as one source: an IPv4 address, an IPv6 network of 64 bits (anybody has 2^64 addresses in his).
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX))),
        v4 => v4,
    }
}
