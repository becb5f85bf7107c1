//! Whether the server can decide anything, and what is not as it should be.

use std::sync::Arc;
use std::time::Duration;

use crate::event::Reason;
use crate::now::Wall;
use crate::pki::{Coverage, Gap};

/// What `/readyz` says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Readiness {
    /// Whether requests should be sent here.
    pub ready: bool,
    /// What is not as it should be, in sentences.
    pub degraded: Vec<String>,
}

/// Judges a snapshot: ready if at least one service has an authority that can be decided about. `services`: each with its authorities.
#[must_use]
pub fn assess<'a>(services: impl IntoIterator<Item = &'a [Arc<str>]>, coverage: &[Coverage], now: Wall) -> Readiness {
    let gaps = coverage.iter().flat_map(|authority| &authority.gaps);
    let mut degraded: Vec<String> = gaps.map(|gap| complaint(gap, now)).collect();
    let decides = |name: &Arc<str>| coverage.iter().any(|authority| authority.authority == *name && authority.decides);
    let ready = services.into_iter().any(|authorities| authorities.iter().any(decides));
    if !ready {
        degraded.push("no service can decide anything".into());
    }
    Readiness { ready, degraded }
}

/// What is missing, in words.
pub(crate) fn complaint(gap: &Gap, now: Wall) -> String {
    let Gap { authority, issuer, .. } = gap;
    let grace = if gap.finding == Reason::OkGrace { " (within its grace)" } else { "" };
    let missing = match gap.next_update {
        _ if !gap.wants_crl => return format!("authority {authority}: no OCSP responder is known for {issuer}"),
        Some(end) => format!("authority {authority}: no fresh CRL for {}{grace}: {issuer}", span(end.until(now))),
        None => format!("authority {authority}: no CRL of {issuer}"),
    };
    match gap.wants_responder {
        true => format!("{missing}, and no OCSP responder is known"),
        false => missing,
    }
}

/// What becomes of certificates below a CA about which something is missing: they are ...
pub(crate) fn consequence(finding: Reason) -> String {
    match finding {
        Reason::OkGrace => "still let in, as `ok-grace`".to_owned(),
        reason => format!("refused, `{reason}`"),
    }
}

/// A length of time in its largest whole unit.
pub(crate) fn span(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3_600 => format!("{}m", seconds / 60),
        3_600..172_800 => format!("{}h", seconds / 3_600),
        _ => format!("{}d", seconds / 86_400),
    }
}
