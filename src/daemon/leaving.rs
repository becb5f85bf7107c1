//! What is told of sessions that have to go, and written down.

use std::sync::Arc;

use super::books::Notes;
use crate::admin::span;
use crate::engine::{Batch, Cause, Disconnected, Notice, Told};
use crate::net::{Clock, Held};
use crate::now::Wall;
use crate::observe::Metrics;

/// Counts and writes what the hall says of them; how often is bounded by how often it tells a NAS.
pub(super) fn notices(metrics: Arc<Metrics>, notes: Notes, clock: Clock) -> Box<dyn FnMut(Notice) + Send> {
    Box::new(move |notice| {
        match &notice {
            Notice::Disconnected(done) => {
                metrics.disconnected(done.told.name());
                disconnected(done);
            }
            Notice::Held(batch) => held(batch),
            Notice::Going(cause, sessions) => going(cause, sessions.len()),
        }
        notes.note(notice, clock.now().wall);
    })
}

/// That somebody has to decide, for `/readyz`.
pub(super) fn complaint(held: &Held, now: Wall) -> String {
    let Held { id, cause, since, sessions } = held;
    let authority = cause.authority.as_deref().map(|authority| format!(" (authority {authority})")).unwrap_or_default();
    let (reason, waited) = (cause.reason, span(since.until(now)));
    format!(
        "disconnects: {sessions} live sessions have to go, `{reason}`{authority}, and have waited for an operator for {waited}: release or discard batch {}",
        id.0
    )
}

fn going(cause: &Cause, sessions: usize) {
    let authority = cause.authority.as_deref().unwrap_or("none");
    tracing::info!(sessions, reason = %cause.reason, authority, "their NAS are told to disconnect them");
}

fn disconnected(done: &Disconnected) {
    let Some(session) = &done.session else { return };
    let (user, station) =
        (session.user.as_deref().unwrap_or("unknown"), session.station.as_deref().unwrap_or("unknown"));
    let (nas, id, others) = (&*session.device.nas, done.id.0, done.ended.len().saturating_sub(1));
    match done.told {
        Told::Ack => tracing::info!(user, nas, station, session = id, others, "disconnected"),
        Told::Nak(cause) => {
            tracing::warn!(user, nas, station, session = id, error_cause = cause, "its NAS refuses to disconnect it");
        }
        Told::NoAnswer => {
            tracing::warn!(user, nas, station, session = id, "its NAS doesn't answer to be told to disconnect it")
        }
        Told::NotPossible(why) => {
            tracing::warn!(user, nas, station, session = id, why = why.text(), "it can't be disconnected");
        }
    }
}

fn held(batch: &Batch) {
    let (reason, authority) = (batch.cause.reason, batch.cause.authority.as_deref().unwrap_or("none"));
    tracing::error!(
        batch = batch.id.0,
        sessions = batch.sessions.len(),
        %reason,
        authority,
        "more sessions than [disconnect].at-most have to go: they wait for an operator, who releases or discards them"
    );
}
