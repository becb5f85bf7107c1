//! The live sessions.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};

use super::{Online, stopping};
use crate::admin::Role;
use crate::admin::audit::Caller;
use crate::admin::input::Listing;
use crate::admin::page::Page;
use crate::admin::problem::Problem;
use crate::admin::registry::id;
use crate::admin::route::Route;
use crate::admin::shared::Shared;
use crate::admin::time::Time;
use crate::sessions::{self, Named, SessionId, Stage, State as Deserves, Which};
use crate::store::Id;

pub(super) fn table() -> Vec<Route> {
    vec![
        Route::get(
            "/api/v1/sessions",
            Role::Viewer,
            list,
            "Who is online now, the oldest first: from the moment he is let in until his NAS says that he has gone.",
        )
        .lists::<Filter, Session>(),
    ]
}

/// Which sessions.
#[derive(Debug, Deserialize, IntoParams)]
struct Filter {
    /// The user by the certificate, else by what the NAS says; without ASCII case.
    user: Option<String>,
    /// An id of a certificate.
    certificate: Option<String>,
    /// Name of the service.
    service: Option<String>,
    /// The id of a batch that waits for an operator.
    batch: Option<String>,
}

/// A live session.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Session {
    pub(super) id: String,
    /// By the certificate; null: this server hasn't let him in, or has forgotten that it has.
    pub(super) user: Option<String>,
    /// SHA-256 of the certificate's DER.
    pub(super) certificate: Option<String>,
    pub(super) service: Option<String>,
    /// How he was let in; null where `user` is.
    pub(super) method: Option<&'static str>,
    pub(super) nas: String,
    /// Calling-Station-Id.
    pub(super) mac: Option<String>,
    /// What it is given inside: Framed-IP-Address; null: its NAS hasn't said.
    pub(super) framed_ip: Option<String>,
    /// Framed-IPv6-Address.
    pub(super) framed_ipv6: Option<String>,
    pub(super) started: Time,
    /// When it was heard of last.
    pub(super) last_update: Time,
    /// What the device has sent.
    pub(super) octets_in: u64,
    /// What it was sent.
    pub(super) octets_out: u64,
    /// User-Name, as the NAS says it.
    pub(super) user_name: Option<String>,
    /// Acct-Session-Id.
    pub(super) acct_session_id: Option<String>,
    /// Whether its NAS accounts for it; else he was let in, and no more is known.
    pub(super) accounted: bool,
    /// Why it has to go, where it has to and is still there.
    pub(super) condemned: Option<Condemned>,
}

/// Why a session has to go.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Condemned {
    /// As a login would be refused now.
    pub(super) reason: &'static str,
    /// Since when this is known here.
    pub(super) since: Time,
}

impl From<&sessions::Session> for Session {
    fn from(session: &sessions::Session) -> Self {
        let text = |text: Option<&str>| text.map(str::to_owned);
        Self {
            id: session.id.0.to_string(),
            user: text(session.user.as_deref()),
            certificate: session.fingerprint().map(|fingerprint| HEXLOWER.encode(fingerprint)),
            service: text(session.service.as_deref()),
            method: session.user.is_some().then(|| session.method.name()),
            nas: session.device.nas.to_string(),
            mac: text(session.station.as_deref()),
            framed_ip: session.framed_ip.map(|address| address.to_string()),
            framed_ipv6: session.framed_ipv6.map(|address| address.to_string()),
            started: Time(session.started),
            last_update: Time(session.updated),
            octets_in: session.octets_in,
            octets_out: session.octets_out,
            user_name: text(session.user_name.as_deref()),
            acct_session_id: text(session.acct_session.as_deref()),
            accounted: session.stage == Stage::Started,
            condemned: match &session.state {
                Deserves::Good => None,
                Deserves::Condemned(why) => Some(Condemned { reason: why.reason.name(), since: Time(why.since) }),
            },
        }
    }
}

async fn list(
    State(shared): State<Shared>,
    caller: Caller,
    listing: Listing<Filter>,
) -> Result<Json<Page<Session>>, Problem> {
    let online = shared.online()?;
    let after = listing.after::<u64>()?.map(SessionId);
    let Filter { user, certificate, service, batch } = &listing.filter;
    let named = match certificate {
        Some(text) => Some(named(&shared, text).await?),
        None => None,
    };
    let among = match batch {
        Some(id) => Some(sessions_of(&**online, id).await?),
        None => None,
    };
    // Where somebody is, is asked of a person; who is online, of nobody.
    if user.is_some() || certificate.is_some() {
        let target = user.as_ref().or(certificate.as_ref()).cloned().unwrap_or_default();
        let detail = json!({ "user": user, "certificate": certificate, "service": service });
        shared.audit(&caller, "look-at-sessions", target, detail).await?;
    }
    let boxed = |text: &Option<String>| text.as_deref().map(Into::into);
    let which = Which { user: boxed(user), certificate: named, service: boxed(service), among };
    let looked = online.look(which, after, listing.limit.saturating_add(1)).await.ok_or_else(stopping)?;
    Ok(Json(listing.page(looked.found, |session| session.id.0).map(|session| Session::from(&session))))
}

/// Those of a batch that are live; none of one that there isn't.
async fn sessions_of(online: &dyn Online, batch: &str) -> Result<Arc<BTreeSet<SessionId>>, Problem> {
    let held = online.held().await.ok_or_else(stopping)?;
    let batch = held.into_iter().find(|one| one.id.0.to_string() == batch);
    Ok(Arc::new(batch.map(|batch| batch.sessions).unwrap_or_default()))
}

/// The names of a certificate by which sessions know it: what somebody has said, and what the registry adds to that.
pub(super) async fn named(shared: &Shared, text: &str) -> Result<Named, Problem> {
    let id = id::parse(text).map_err(|_| {
        Problem::bad_request("the query can't be read").field("certificate", "is no id of a certificate")
    })?;
    let known = match (&id, &shared.registry) {
        (Id::Name(..) | Id::Application(_), Some(registry)) => registry.store().certificate(id.clone()).await?,
        _ => None,
    };
    let known = known.map(|record| record.known).unwrap_or_default();
    let fingerprint = match &id {
        Id::Fingerprint(fingerprint) => Some(*fingerprint),
        _ => known.fingerprint,
    };
    let name = match &id {
        Id::Name(authority, serial) => Some((authority.as_str(), serial.as_str())),
        _ => known.authority.as_deref().zip(known.serial.as_deref()),
    };
    Ok(Named { fingerprint, name: name.map(|(authority, serial)| (authority.into(), id::octets(serial).into())) })
}
