//! A certificate as the API shows it.

use std::collections::HashMap;

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::view::Judged;
use super::{Registry, View, id};
use crate::admin::etag::ETag;
use crate::admin::problem::Problem;
use crate::admin::time::Time;
use crate::now::Wall;
use crate::observe;
use crate::observe::Asked;
use crate::store::{self, Record};

/// A certificate.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct Certificate {
    /// SHA-256 of the DER; else `authority:serial` or `application:number`.
    pub(super) id: String,
    pub(super) authority: Option<String>,
    /// In hex.
    pub(super) serial: Option<String>,
    /// Number of the application at the CA.
    pub(super) application: Option<String>,
    /// RFC 4514.
    pub(super) subject: String,
    pub(super) mail: Option<String>,
    /// By the authority's `username`.
    pub(super) user: Option<String>,
    pub(super) not_before: Option<Time>,
    pub(super) not_after: Option<Time>,
    /// `revoked`, `revocation-requested`, `distrusted`, `expired`, `valid` or `applied`: the first that applies.
    pub(super) status: &'static str,
    /// The same in Japanese.
    pub(super) status_ja: &'static str,
    /// Since when it is so, where that is known.
    pub(super) since: Option<Time>,
    /// What that rests on.
    #[schema(value_type = Vec<Object>)]
    pub(super) evidence: Vec<Value>,
    /// The same in sentences, and what to do next.
    pub(super) explanation: String,
    /// From 30 days before the end.
    pub(super) renewable: bool,
    /// A revocation that was asked for here, if it is refused here.
    pub(super) blocked: Option<Blocked>,
    /// A revocation that was asked for here without a block.
    pub(super) requested: Option<Blocked>,
    /// The block of its owner.
    pub(super) user_blocked: Option<PersonBlocked>,
    /// Its authority's own revocation.
    pub(super) revoked: Option<Revoked>,
    pub(super) first_seen: Option<Time>,
    pub(super) last_seen: Option<Time>,
    pub(super) devices: Vec<Device>,
}

/// A revocation that was asked for here.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct Blocked {
    pub(super) since: Time,
    pub(super) by: String,
    pub(super) reason: String,
    pub(super) note: String,
}

/// A person's block.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct PersonBlocked {
    pub(super) since: Time,
    pub(super) until: Option<Time>,
    pub(super) by: String,
    pub(super) reason: String,
}

/// An authority's revocation.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct Revoked {
    pub(super) since: Time,
    pub(super) reason: Option<String>,
    /// Where it is said: a CRL, a responder.
    pub(super) source: String,
}

/// Where it was last seen from a device.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct Device {
    pub(super) mac: String,
    pub(super) service: Option<String>,
    pub(super) nas: Option<String>,
    pub(super) last_seen: Time,
}

/// Certificates as they are shown, with their devices.
pub(super) async fn shown(registry: &dyn Registry, records: &[Record], now: Wall) -> Result<Vec<Certificate>, Problem> {
    let mut devices = HashMap::<i64, Vec<Device>>::new();
    if !records.is_empty() {
        let rows = records.iter().map(|record| record.row).collect();
        for (row, device) in registry.store().devices(rows).await? {
            devices.entry(row).or_default().push(device.into());
        }
    }
    let view = registry.view();
    let show = |record: &Record| certificate(&view, record, devices.remove(&record.row).unwrap_or_default(), now);
    Ok(records.iter().map(show).collect())
}

fn certificate(view: &View, record: &Record, devices: Vec<Device>, now: Wall) -> Certificate {
    let Judged { status, since, evidence, renewable, revoked, owner, reason, standing } = view.judge(record, now);
    let known = &record.known;
    let asked = Asked { at: now, user: known.user.as_deref(), ..Asked::default() };
    let explanation = match standing {
        Some(standing) => view.explainer.standing(standing, &evidence, now),
        None => view.explainer.explain(reason, &evidence, &asked),
    };
    let request = |block| record.request.as_ref().filter(|request| request.block == block).map(Blocked::from);
    Certificate {
        id: id::of(known),
        authority: known.authority.clone(),
        serial: known.serial.clone(),
        application: known.application.clone(),
        subject: known.subject.clone(),
        mail: known.mail.clone(),
        user: known.user.clone(),
        not_before: known.not_before.map(Time),
        not_after: known.not_after.map(Time),
        status: status.name(),
        status_ja: status.japanese(),
        since: since.map(Time),
        evidence: observe::revocation(&evidence, now, &view.explainer.zone),
        explanation: explanation.sentence(),
        renewable,
        blocked: request(true),
        requested: request(false),
        user_blocked: owner.map(|block| PersonBlocked {
            since: Time(block.since),
            until: block.until.map(Time),
            by: block.by.to_string(),
            reason: block.reason.to_string(),
        }),
        revoked: revoked.map(|it| Revoked { since: Time(it.since), reason: it.reason, source: it.source }),
        first_seen: record.first_seen.map(Time),
        last_seen: record.last_seen.map(Time),
        devices,
    }
}

/// Its version: of what callers change, not of what logins and time do.
pub(super) fn version(record: &Record) -> ETag {
    let Record { known, request, revoked, .. } = record;
    ETag::of(format!("{known:?} {request:?} {revoked:?}").as_bytes())
}

impl From<&store::Request> for Blocked {
    fn from(request: &store::Request) -> Self {
        let store::Request { since, by, reason, note, .. } = request.clone();
        Self { since: Time(since), by, reason, note }
    }
}

impl From<store::Device> for Device {
    fn from(device: store::Device) -> Self {
        let named = |name: String| Some(name).filter(|name| !name.is_empty());
        let store::Device { mac, service, nas, last_seen } = device;
        Self { mac, service: named(service), nas: named(nas), last_seen: Time(last_seen) }
    }
}
