//! Why, in words: a reason and its evidence → sentences for the user, the help desk and the administrator, and what to do next.

mod en;
mod ja;
mod names;

use std::net::IpAddr;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

pub(crate) use self::names::alert_name;
use super::Language;
use super::line::{capped, visible};
use crate::event::{Evidence, Reason};
use crate::now::Wall;

/// Longest text out of a certificate or packet in a sentence, in characters.
const MAX_QUOTED: usize = 160;
/// Most items of a list in a sentence.
const MAX_ITEMS: usize = 8;

/// The language and the time zone to explain in.
#[derive(Clone, Debug)]
pub struct Explainer {
    /// Language.
    pub language: Language,
    /// Zone of the dates in it.
    pub zone: TimeZone,
}

/// Who asked what, as far as it is known.
#[derive(Clone, Copy, Debug, Default)]
pub struct Asked<'a> {
    /// When it was decided.
    pub at: Wall,
    /// The user by the certificate.
    pub user: Option<&'a str>,
    /// Who sent the packet.
    pub peer: Option<IpAddr>,
    /// Name of the NAS.
    pub nas: Option<&'a str>,
    /// The service.
    pub service: Option<&'a str>,
}

/// A decision in words. Nothing in it holds a control or another character that does not show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// What was decided and why: one or two sentences.
    pub summary: String,
    /// What it rests on, a sentence each.
    pub evidence: Vec<String>,
    /// What the user, or an administrator, does next.
    pub next: String,
}

/// An OCSP answer that a login would wait for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unasked {
    /// About which certificate of a CA, by authority and serial; `None`: about the user's own.
    pub ca: Option<String>,
    /// Whether an answer is kept that counts no more; else there is none.
    pub is_kept: bool,
    /// Who would be asked.
    pub responders: Vec<String>,
    /// Who will be asked once somebody has logged in: the certificate itself says so.
    pub told: Vec<String>,
}

/// What is to be done about a certificate of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Note<'a> {
    /// Its owner needs a new one.
    Renew {
        /// By when, as far as it is known.
        before: Option<Wall>,
    },
    /// Its owner has a new one, and uses it.
    Renewed,
    /// Its owner has a new one, and not on every device.
    StillUsed {
        /// MAC addresses.
        by: &'a [String],
    },
    /// Nobody has used it.
    Unused,
    /// Its authority hasn't followed a block.
    Unconfirmed {
        /// For so many days.
        days: i64,
    },
}

/// What there is to say of a certificate that nobody logs in with at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It would be let in.
    Good,
    /// A list names it, and nobody has seen the certificate itself.
    Unseen,
    /// A revocation is asked for, and it is let in.
    Requested,
    /// Not issued yet.
    Applied,
    /// A list says that it is revoked.
    Listed,
}

impl Explanation {
    /// All of it in one paragraph.
    #[must_use]
    pub fn sentence(&self) -> String {
        let parts = [&self.summary].into_iter().chain(&self.evidence).chain([&self.next]);
        parts.filter(|part| !part.is_empty()).map(String::as_str).collect::<Vec<_>>().join(" ")
    }
}

/// What one language says of a reason. `{user}`, `{peer}`, `{nas}` and `{service}` stand for what was asked.
struct Words {
    summary: &'static str,
    next: &'static str,
}

impl Explainer {
    /// Explains a decision.
    #[must_use]
    pub fn explain(&self, reason: Reason, evidence: &[Evidence], asked: &Asked<'_>) -> Explanation {
        let (words, unknown) = match self.language {
            Language::Ja => (ja::words(reason), "不明"),
            Language::En => (en::words(reason), "unknown"),
        };
        let filled = |template: &str| fill(template, asked, unknown);
        Explanation {
            summary: filled(words.summary),
            evidence: evidence.iter().map(|fact| self.evidence(fact, asked.at)).collect(),
            next: match self.renew(reason, evidence, asked.at) {
                Some(renew) if reason == Reason::Ok => renew,
                Some(renew) => format!("{renew} {}", filled(words.next)),
                None => filled(words.next),
            },
        }
    }

    /// Explains what a certificate is like where no decision about a login says it. `evidence`: on what that rests.
    #[must_use]
    pub fn standing(&self, standing: Standing, evidence: &[Evidence], now: Wall) -> Explanation {
        let words = match self.language {
            Language::Ja => ja::standing(standing),
            Language::En => en::standing(standing),
        };
        let evidence = evidence.iter().map(|fact| self.evidence(fact, now)).collect();
        Explanation { summary: words.summary.into(), evidence, next: words.next.into() }
    }

    /// Says what is to be done about a certificate of a report.
    #[must_use]
    pub fn note(&self, note: &Note<'_>, now: Wall) -> String {
        let clock = Clock { zone: &self.zone, now };
        match self.language {
            Language::Ja => ja::note(note, clock),
            Language::En => en::note(note, clock),
        }
    }

    /// Says what a login would ask, and whom. One or two sentences.
    #[must_use]
    pub(crate) fn unasked(&self, unasked: &Unasked) -> String {
        match self.language {
            Language::Ja => ja::unasked(unasked),
            Language::En => en::unasked(unasked),
        }
    }

    /// For who is let in as yet, although the end of its authority is planned.
    fn renew(&self, reason: Reason, evidence: &[Evidence], now: Wall) -> Option<String> {
        let ahead = |one: &Evidence| match one {
            Evidence::Distrust { from } if *from > now => Some(*from),
            _ => None,
        };
        let from = evidence.iter().find_map(ahead).filter(|_| matches!(reason, Reason::Ok | Reason::OkGrace))?;
        let clock = Clock { zone: &self.zone, now };
        Some(match self.language {
            Language::Ja => ja::renew(from, clock),
            Language::En => en::renew(from, clock),
        })
    }

    fn evidence(&self, evidence: &Evidence, now: Wall) -> String {
        let clock = Clock { zone: &self.zone, now };
        match self.language {
            Language::Ja => ja::evidence(evidence, clock),
            Language::En => en::evidence(evidence, clock),
        }
    }
}

/// Piece by piece, so that a value that looks like a placeholder stays what it is.
fn fill(template: &str, asked: &Asked<'_>, unknown: &str) -> String {
    let mut text = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}').unwrap_or((after, ""));
        let value = match name {
            "user" => asked.user.map(quoted),
            "nas" => asked.nas.map(quoted),
            "service" => asked.service.map(quoted),
            "peer" => asked.peer.map(|peer| peer.to_canonical().to_string()),
            _ => None,
        };
        text.push_str(before);
        text.push_str(value.as_deref().unwrap_or(unknown));
        rest = after;
    }
    text.push_str(rest);
    text
}

/// A text from outside, short and with everything visible.
fn quoted(text: &str) -> String {
    visible(&capped(text, MAX_QUOTED)).into_owned()
}

fn listed<T>(items: &[T], one: impl Fn(&T) -> String) -> String {
    let mut texts: Vec<_> = items.iter().take(MAX_ITEMS).map(one).collect();
    if items.len() > MAX_ITEMS {
        texts.push("…".into());
    }
    texts.join(", ")
}

/// Dates as people read them, and how far off they are.
#[derive(Clone, Copy)]
struct Clock<'a> {
    zone: &'a TimeZone,
    now: Wall,
}

impl Clock<'_> {
    /// `2027-03-31 23:59:59 +09:00`
    fn date(&self, at: Wall) -> String {
        match Timestamp::from_second(at.0) {
            Ok(at) => at.to_zoned(self.zone.clone()).strftime("%Y-%m-%d %H:%M:%S %:z").to_string(),
            // The end of certificates that have none (RFC 5280 section 4.1.2.5), and what no calendar reaches.
            Err(_) if at.0 > 0 => "9999-12-31".into(),
            Err(_) => "0000-01-01".into(),
        }
    }

    /// How long ago; `None`: it is still to come.
    fn ago(&self, at: Wall) -> Option<Span> {
        (at < self.now).then(|| Span::of(at.until(self.now)))
    }

    /// How long until; `None`: it is past.
    fn until(&self, at: Wall) -> Option<Span> {
        (at >= self.now).then(|| Span::of(self.now.until(at)))
    }
}

/// A duration in its most telling unit, rounded down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Span {
    Days(u64),
    Hours(u64),
    Minutes(u64),
    Seconds(u64),
}

impl Span {
    fn of(duration: Duration) -> Self {
        match duration.as_secs() {
            seconds @ 172_800.. => Self::Days(seconds / 86_400),
            seconds @ 7_200.. => Self::Hours(seconds / 3_600),
            seconds @ 120.. => Self::Minutes(seconds / 60),
            seconds => Self::Seconds(seconds),
        }
    }
}
