//! Revocation data that goes missing or past its end while the server runs, whoever still serves it: said once in the log.

use std::sync::Mutex;

use crate::admin::{complaint, consequence};
use crate::lock::lock;
use crate::now::Wall;
use crate::pki::Gap;

/// What has been said of gaps.
#[derive(Debug, Default)]
pub(super) struct Told(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// Those of the look before: what is only about to be fetched is no news.
    seen: Vec<Gap>,
    told: Vec<Gap>,
}

/// A line for the log: good news, or bad.
pub(super) type Line = Result<String, String>;

impl Told {
    /// Of the gaps that there are now: what is to be said.
    pub(super) fn look(&self, gaps: Vec<Gap>, now: Wall) -> Vec<Line> {
        let State { seen, told } = &mut *lock(&self.0);
        let is_in = |gaps: &[Gap], gap: &Gap| gaps.iter().any(|other| is_same(other, gap));
        let (lasting, ended): (Vec<_>, Vec<_>) = told.drain(..).partition(|gap| is_in(&gaps, gap));
        let new: Vec<_> = gaps.iter().filter(|gap| is_in(seen, gap) && !is_in(&lasting, gap)).cloned().collect();
        let is_closed = |gap: &&Gap| !gaps.iter().any(|other| is_about_same(other, gap));
        let closed = ended.iter().filter(is_closed).map(|gap| {
            let Gap { authority, issuer, .. } = gap;
            Ok(format!("authority {authority}: what is known of {issuer} is fresh again"))
        });
        let opened = new
            .iter()
            .map(|gap| Err(format!("{}: certificates below it are {}", complaint(gap, now), consequence(gap.finding))));
        let lines = opened.chain(closed).collect();
        (*told, *seen) = (lasting.into_iter().chain(new).collect(), gaps);
        lines
    }
}

fn is_about_same(one: &Gap, other: &Gap) -> bool {
    one.authority == other.authority && one.issuer == other.issuer
}

fn is_same(one: &Gap, other: &Gap) -> bool {
    is_about_same(one, other) && one.finding == other.finding
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Reason;

    const NOW: Wall = Wall(1_800_000_000);

    fn gap(finding: Reason) -> Gap {
        Gap {
            authority: "ca".into(),
            issuer: "CN=CA".to_owned(),
            finding,
            next_update: (finding != Reason::RevocationUnknown).then_some(Wall(NOW.0 - 3 * 3_600)),
            wants_crl: true,
            wants_responder: false,
        }
    }

    #[test]
    fn r03_what_goes_past_its_end_is_said_once_and_so_is_what_becomes_of_it() {
        let told = Told::default();
        let look = |gaps: &[Reason]| told.look(gaps.iter().copied().map(gap).collect(), NOW);
        assert_eq!(look(&[Reason::RevocationUnknown]), [], "it may only be about to be fetched");
        assert_eq!(look(&[]), []);
        assert_eq!(look(&[Reason::OkGrace]), []);
        let within = "authority ca: no fresh CRL for 3h (within its grace): CN=CA: certificates below it are still let in, as `ok-grace`";
        assert_eq!(look(&[Reason::OkGrace]), [Err(within.to_owned())]);
        assert_eq!(look(&[Reason::OkGrace]), []);
        assert_eq!(look(&[Reason::RevocationStale]), []);
        let stale = "authority ca: no fresh CRL for 3h: CN=CA: certificates below it are refused, `revocation-stale`";
        assert_eq!(look(&[Reason::RevocationStale]), [Err(stale.to_owned())]);
        assert_eq!(look(&[]), [Ok("authority ca: what is known of CN=CA is fresh again".to_owned())]);
        assert_eq!(look(&[]), []);
    }
}
