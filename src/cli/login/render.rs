//! What a login looks like to a person and to a program.

use serde_json::{Value, json};

use super::Outcome;
use crate::cli::nas::Answer;
use crate::observe::explain::alert_name;
use crate::observe::visible;
use crate::radius::{Attribute, Packet};
use crate::supplicant::Report;

/// How an attribute's value is shown.
#[derive(Clone, Copy)]
enum Form {
    Text,
    /// A text that a tag octet of up to 0x1f may precede (RFC 2868).
    Tagged,
    Number,
}

/// Attributes of an answer that tell an administrator what was granted; others are left out, some of them hide keys.
const SHOWN: [(u8, &str, Form); 9] = [
    (1, "User-Name", Form::Text),
    (11, "Filter-Id", Form::Text),
    (18, "Reply-Message", Form::Text),
    (27, "Session-Timeout", Form::Number),
    (28, "Idle-Timeout", Form::Number),
    (29, "Termination-Action", Form::Number),
    (81, "Tunnel-Private-Group-ID", Form::Tagged),
    (85, "Acct-Interim-Interval", Form::Number),
    (89, "Chargeable-User-Identity", Form::Text),
];

/// The one line for a person.
pub(super) fn line(outcome: Outcome, answer: &Answer) -> String {
    let mut words = vec![outcome.name().to_owned()];
    if let Some(report) = &answer.report {
        words.extend(report.version.map(|version| format!("TLS {version}")));
        words.extend(report.finished.then(|| if report.resumed { "resumed" } else { "full handshake" }.to_owned()));
        words.push(format!("{} requests", report.requests));
        words.extend(report.stapled.map(stapled));
    }
    words.push(format!("{:.1} ms", answer.took.as_secs_f64() * 1e3));
    if answer.repeats > 0 {
        words.push(format!("{} sent again", answer.repeats));
    }
    let granted = granted(answer.report.as_deref());
    words.extend(granted.iter().map(|(name, value)| format!("{name}={value}")));
    words.join("  ")
}

/// What of an OCSP answer came with the server's certificate.
fn stapled(octets: usize) -> String {
    if octets == 0 { "no OCSP answer stapled".to_owned() } else { format!("OCSP answer of {octets} octets stapled") }
}

/// One object for a program.
pub(super) fn json(number: u32, outcome: Outcome, answer: &Answer) -> Value {
    let mut object = json!({
        "login": number,
        "outcome": outcome.name(),
        "duration_ms": (answer.took.as_secs_f64() * 1e4).round() / 10.0,
        "repeats": answer.repeats,
        "hint": answer.hint,
    });
    if let (Some(report), Some(fields)) = (&answer.report, object.as_object_mut()) {
        fields.extend(report_fields(report));
    }
    object
}

fn report_fields(report: &Report) -> serde_json::Map<String, Value> {
    let fields = [
        ("accepted", json!(report.accepted)),
        ("tls", json!(report.version.map(|version| version.to_string()))),
        ("resumed", json!(report.resumed)),
        ("requests", json!(report.requests)),
        ("messages_sent", json!(report.messages_sent)),
        ("messages_received", json!(report.messages_received)),
        ("alert_received", json!(report.alert_received)),
        ("alert_sent", json!(report.alert_sent)),
        ("eap_success", json!(report.eap_success)),
        ("protected_success", json!(report.protected_success)),
        ("keys_agree", json!(report.keys_agree)),
        ("key_name_agrees", json!(report.key_name_agrees)),
        ("ocsp_stapled", json!(report.stapled.map(|octets| octets > 0))),
        ("ocsp_stapled_octets", json!(report.stapled)),
        ("server_certificate", json!(report.server_certificate)),
        ("fault", json!(report.fault)),
        ("attributes", attributes(report)),
    ];
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn attributes(report: &Report) -> Value {
    granted(Some(report)).into_iter().map(|(name, value)| json!({"name": name, "value": value})).collect()
}

/// What the administrator should know beside the line.
pub(super) fn explain(answer: &Answer) -> Vec<String> {
    let mut sentences: Vec<String> = answer.hint.into_iter().map(str::to_owned).collect();
    let Some(report) = &answer.report else { return sentences };
    sentences
        .extend(report.server_certificate.iter().map(|why| format!("the server's certificate is not good: {why}")));
    sentences
        .extend(report.alert_received.map(|alert| format!("the server sent TLS alert {alert} {}", alert_name(alert))));
    sentences.extend(report.alert_sent.map(|alert| format!("we sent TLS alert {alert} {}", alert_name(alert))));
    if report.server_certificate.is_none() && report.alert_received.is_none() {
        sentences.extend(report.fault.iter().map(|fault| visible(fault).into_owned()));
    }
    let doubts = [
        (report.accepted && report.eap_success != Some(true), "Access-Accept came without EAP-Success"),
        (report.accepted && report.version.is_none(), "Access-Accept came before any handshake"),
        (report.accepted && report.protected_success == Some(false), "no protected success (RFC 9190) came"),
        (report.accepted && report.keys_agree.is_none(), "the answer holds no MPPE keys"),
        (report.keys_agree == Some(false), "the MPPE keys are not those of the handshake"),
        (report.key_name_agrees == Some(false), "EAP-Key-Name is not the handshake's"),
        (!report.accepted && report.eap_success.is_none(), "no EAP-Failure came"),
    ];
    sentences.extend(doubts.into_iter().filter(|(is_so, _)| *is_so).map(|(_, sentence)| sentence.to_owned()));
    if sentences.is_empty() && !report.accepted {
        sentences.push("the server gave no reason: its log knows".to_owned());
    }
    sentences
}

fn granted(report: Option<&Report>) -> Vec<(&'static str, String)> {
    let Some(packet) = report.and_then(|report| Packet::parse(&report.reply).ok()) else { return Vec::new() };
    packet.attributes().filter_map(|attribute| shown(&attribute)).collect()
}

fn shown(attribute: &Attribute<'_>) -> Option<(&'static str, String)> {
    let &(_, name, form) = SHOWN.iter().find(|(kind, _, _)| *kind == attribute.kind.0)?;
    let value = match (form, attribute.value) {
        (Form::Number, value) => u32::from_be_bytes(value.try_into().ok()?).to_string(),
        (Form::Tagged, [0..=0x1f, text @ ..]) | (_, text) => visible(&String::from_utf8_lossy(text)).into_owned(),
    };
    Some((name, value))
}
