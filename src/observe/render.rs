//! An event → its log line.

use data_encoding::HEXLOWER;
use jiff::tz::TimeZone;
use tracing::Level;

use super::explain::{Asked, Explainer};
use super::line::Line;
use crate::event::{Authentication, CertificateName, Event, Evidence, Outcome, Reason, RequestCode};
use crate::now::Wall;

/// How much an event matters: decisions `info`, what somebody should look at `warn`, what is usual `debug`.
pub(super) fn level(event: &Event) -> Level {
    match (event.outcome, event.reason) {
        (_, Reason::Internal) => Level::ERROR,
        (_, Reason::Duplicate) => Level::DEBUG,
        (Outcome::Drop, Reason::ConversationExpired) => Level::INFO,
        (Outcome::Drop, _) => Level::WARN,
        (Outcome::Challenge, _) => Level::TRACE,
        // The answer to Status-Server.
        (Outcome::Accept, _) if event.authentication.is_none() => Level::DEBUG,
        (Outcome::Accept | Outcome::Reject | Outcome::Forward, _) => Level::INFO,
    }
}

/// `suppressed`: how many alike were kept back since the last of this source.
pub(super) fn line(event: &Event, suppressed: u64, explainer: &Explainer) -> Line {
    let mut line = Line::new(event.at.wall, level(event), format!("{} {}", event.outcome, event.reason));
    line.json_field("outcome", Some(event.outcome.name()));
    line.json_field("reason", Some(event.reason.name()));
    if let Some(authentication) = &event.authentication {
        who(&mut line, authentication);
    }
    line.field("nas", event.nas.as_deref());
    line.field("peer", Some(event.peer.to_string()));
    if let Some(authentication) = &event.authentication {
        how(&mut line, authentication);
        grounds(&mut line, event.at.wall, &authentication.evidence, &explainer.zone);
    } else {
        line.field("listener", Some(event.listener.name()));
        line.field("code", event.code.map(RequestCode::name));
    }
    line.field("suppressed", (suppressed > 0).then_some(suppressed));
    line.explanation = explanation(event, explainer);
    line
}

fn who(line: &mut Line, authentication: &Authentication) {
    line.field("service", authentication.service.as_deref());
    line.field("method", Some(authentication.method.name()));
    line.field("user", authentication.user.as_deref());
    line.field("outer_identity", authentication.outer_identity.as_deref());
    line.field("mac", authentication.mac.as_deref());
    line.field("ssid", authentication.ssid.as_deref());
}

fn how(line: &mut Line, authentication: &Authentication) {
    line.field("certificate", authentication.certificate.as_ref().map(certificate_id));
    line.field("subject", authentication.certificate.as_ref().map(|certificate| certificate.subject.as_str()));
    line.json_field("fingerprint", authentication.certificate.as_ref().map(|it| HEXLOWER.encode(&it.fingerprint)));
    line.field("tls", authentication.tls.map(|version| version.name()));
    line.field("resumed", Some(authentication.resumed));
    line.field("rounds", Some(authentication.rounds));
    line.field("duration_ms", Some(u64::try_from(authentication.duration.as_millis()).unwrap_or(u64::MAX)));
}

/// A text line's explanation says the same where there is one; who is let in before his authority ends is to be found in it too.
fn grounds(line: &mut Line, at: Wall, evidence: &[Evidence], zone: &TimeZone) {
    let revocation = super::revocation(evidence, at, zone);
    line.json_field("revocation", (!revocation.is_empty()).then_some(revocation));
    line.field("distrusted_from", super::distrusted_from(evidence, zone));
}

/// Who was simply let in needs no explanation.
fn explanation(event: &Event, explainer: &Explainer) -> Option<String> {
    if event.reason == Reason::Ok {
        return None;
    }
    let authentication = event.authentication.as_deref();
    let asked = Asked {
        at: event.at.wall,
        user: authentication.and_then(|it| it.user.as_deref()),
        peer: Some(event.peer.ip()),
        nas: event.nas.as_deref(),
        service: authentication.and_then(|it| it.service.as_deref()),
    };
    let evidence = authentication.map_or(&[][..], |it| &it.evidence);
    Some(explainer.explain(event.reason, evidence, &asked).sentence())
}

/// `{authority}:{serial hex}`, as the API takes it.
#[must_use]
pub fn certificate_id(certificate: &CertificateName) -> String {
    format!("{}:{}", certificate.authority.as_deref().unwrap_or("unknown"), HEXLOWER.encode(&certificate.serial))
}
