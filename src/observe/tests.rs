mod distrusting;
mod explaining;
mod limiting;
mod lines;
mod measuring;
mod sinking;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use super::{Format, Language, LogSettings};
use crate::event::{
    Authentication, CertificateName, Event, Evidence, Listener, MessageAuthenticator, Method, Outcome, Reason,
    RequestCode, TlsVersion,
};
use crate::now::{Mono, Now, Wall};

/// 2026-11-22T09:00:00+09:00
const WALL: Wall = Wall(1_795_305_600);

fn settings(format: Format) -> LogSettings {
    LogSettings { format, level: "info".into(), language: Language::Ja, timezone: "Asia/Tokyo".into() }
}

/// A rejected login of Hanako.
fn rejected(reason: Reason) -> Event {
    Event {
        at: Now { mono: Mono(Duration::from_secs(10)), wall: WALL },
        listener: Listener::Auth,
        peer: SocketAddr::from(([10, 1, 2, 3], 50_000)),
        code: Some(RequestCode::AccessRequest),
        nas: Some("ap-controllers".into()),
        message_authenticator: Some(MessageAuthenticator::Present),
        outcome: Outcome::Reject,
        reason,
        authentication: Some(Box::new(authentication())),
    }
}

fn authentication() -> Authentication {
    Authentication {
        service: Some("JAIST".into()),
        method: Method::EapTls,
        user: Some("hanako@jaist.ac.jp".into()),
        outer_identity: Some("anonymous@jaist.ac.jp".into()),
        certificate: Some(CertificateName {
            fingerprint: [0xab; 32],
            authority: Some("ca16".into()),
            serial: vec![0x4a, 0x3f],
            subject: "CN=Hokuriku Hanako,O=JAIST,C=JP".into(),
            not_after: WALL,
        }),
        mac: Some("02:00:00:00:00:01".into()),
        ssid: Some("JAIST".into()),
        tls: Some(TlsVersion::Tls13),
        resumed: false,
        duration: Duration::from_millis(42),
        rounds: 7,
        evidence: vec![Evidence::Revoked {
            at: Wall(WALL.0 - 7_200),
            reason: Some("keyCompromise"),
            intermediate: false,
        }],
    }
}

fn accepted() -> Event {
    let mut event = rejected(Reason::Ok);
    event.outcome = Outcome::Accept;
    event.authentication.as_mut().expect("set above").evidence.clear();
    event
}

fn dropped(reason: Reason, peer: SocketAddr, mono: Duration) -> Event {
    Event {
        at: Now { mono: Mono(mono), wall: WALL },
        peer,
        nas: None,
        message_authenticator: None,
        outcome: Outcome::Drop,
        authentication: None,
        ..rejected(reason)
    }
}

fn name(text: &str) -> Option<Arc<str>> {
    Some(text.into())
}
