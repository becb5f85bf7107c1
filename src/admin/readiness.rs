//! Whether the server can decide anything, and what is not as it should be.

use std::sync::Arc;
use std::time::Duration;

use crate::now::Wall;
use crate::pki::CrlSummary;

/// What `/readyz` says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Readiness {
    /// Whether requests should be sent here.
    pub ready: bool,
    /// What is not as it should be, in sentences.
    pub degraded: Vec<String>,
}

/// What an authority needs to answer for its certificates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authority {
    /// Its name.
    pub name: Arc<str>,
    /// Whether its certificates are refused without a CRL.
    pub wants_crl: bool,
    /// How long a CRL counts after its nextUpdate.
    pub grace: Duration,
}

/// Judges a snapshot: ready if at least one service has an authority that can be decided about. `services`: each with its authorities.
#[must_use]
pub fn assess<'a>(
    services: impl Iterator<Item = &'a [Arc<str>]>,
    authorities: &[Authority],
    crls: &[CrlSummary],
    now: Wall,
) -> Readiness {
    let mut degraded = Vec::new();
    let mut deciding = Vec::new();
    for authority in authorities.iter() {
        let (decides, complaints) = judge(authority, crls, now);
        if decides {
            deciding.push(&authority.name);
        }
        degraded.extend(complaints);
    }
    let mut services = services.map(|names| names.iter().any(|name| deciding.contains(&name)));
    let ready = services.any(|decides| decides);
    if !ready {
        degraded.push("no service can decide anything".into());
    }
    Readiness { ready, degraded }
}

/// Whether an authority's certificates can be decided about, and what is wrong with its CRLs.
fn judge(authority: &Authority, crls: &[CrlSummary], now: Wall) -> (bool, Vec<String>) {
    if !authority.wants_crl {
        return (true, Vec::new());
    }
    let name = &authority.name;
    let mut decides = false;
    let mut complaints = Vec::new();
    let mut none = true;
    for crl in crls.iter().filter(|crl| crl.authority == *name) {
        none = false;
        let Some(end) = crl.next_update.filter(|end| *end < now) else {
            decides = true;
            continue;
        };
        let late = end.until(now);
        decides |= late <= authority.grace;
        let grace = if late <= authority.grace { " (within its grace)" } else { "" };
        complaints.push(format!("authority {name}: no fresh CRL for {}{grace}: {}", span(late), crl.source));
    }
    if none {
        complaints.push(format!("authority {name}: no CRL"));
    }
    (decides, complaints)
}

/// A length of time in its largest whole unit.
fn span(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3_600 => format!("{}m", seconds / 60),
        3_600..172_800 => format!("{}h", seconds / 3_600),
        _ => format!("{}d", seconds / 86_400),
    }
}
