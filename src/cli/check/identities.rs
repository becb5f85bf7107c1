//! What is known of the answers that are stapled to our own certificates, without asking anybody.

use jiff::Timestamp;
use serde::Serialize;

use crate::admin::span;
use crate::fetch::Settings;
use crate::fetch::staple::{Staples, State};
use crate::now::{Mono, Now, Wall};
use crate::observe::visible;

/// One identity.
#[derive(Debug, Serialize)]
pub(super) struct IdentityState {
    name: String,
    /// Those that the certificate names.
    responders: Vec<String>,
    /// Whether the certificate's issuer is in the chain; `None`: nobody would be asked, so it doesn't matter.
    issuer_in_chain: Option<bool>,
    /// Until when the answer that was kept is good.
    stapled_until: Option<String>,
    revoked: bool,
    /// As people read it.
    #[serde(skip)]
    words: String,
}

/// All of them, in the order of the configuration.
pub(super) fn identities(settings: &Settings, now: Wall) -> Vec<IdentityState> {
    let at = Now { mono: Mono::default(), wall: now };
    let staples = Staples::new(&settings.staple, &settings.remote.state_dir, at, None);
    staples.states(now).into_iter().map(|state| IdentityState::new(state, now)).collect()
}

impl IdentityState {
    fn new(state: State, now: Wall) -> Self {
        let words = words(&state, now);
        let State { name, responders, closed, end, revoked, .. } = state;
        Self {
            name: name.to_string(),
            issuer_in_chain: (!responders.is_empty()).then_some(closed.is_none()),
            responders,
            stapled_until: end
                .map(|end| Timestamp::from_second(end.0).map_or_else(|_| end.0.to_string(), |at| at.to_string())),
            revoked,
            words,
        }
    }
}

fn words(state: &State, now: Wall) -> String {
    let State { responders, closed, end, revoked, .. } = state;
    if responders.is_empty() {
        return "its certificate names no OCSP responder, so nothing is stapled".to_owned();
    }
    let names = format!("its certificate names the OCSP responder {}", responders.join(", "));
    let here = match (closed, end) {
        (Some(why), _) => return format!("{names}, but {why}"),
        (None, Some(end)) => format!("an answer that was kept is good for {} more", span(now.until(*end))),
        (None, None) => "no good answer is here yet; the server asks for one".to_owned(),
    };
    let alarm = if *revoked { "; it says that the certificate is REVOKED" } else { "" };
    format!("{names}, and its issuer is in the chain: {here}{alarm}")
}

/// A line each, for people.
pub(super) fn text(identities: &[IdentityState]) -> String {
    identities.iter().map(|one| format!("{}\n", visible(&format!("identity {}: {}", one.name, one.words)))).collect()
}
