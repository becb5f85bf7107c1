//! What operators ask the API, and how long the answers take.

use std::time::{Duration, Instant};

use serde_json::Value;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection};

use crate::house::{House, Serving};

/// Calls of one question, and how long they may take together.
const CALLS: usize = 50;
const TOGETHER: Duration = Duration::from_millis(1_500);
/// Rows that a deep page lies behind.
const DEEP: usize = 100_000;

/// A question of the API.
pub(crate) struct Question {
    pub(crate) name: String,
    path: String,
    csv: bool,
}

/// How long it took.
#[derive(Clone, Debug)]
pub(crate) struct Times {
    /// The first, after the system had forgotten the file.
    pub(crate) cold: Duration,
    pub(crate) median: Duration,
    pub(crate) p99: Duration,
    pub(crate) most: Duration,
    /// What was answered: rows, or octets of a table.
    pub(crate) found: usize,
    pub(crate) status: u16,
}

/// What is asked of a registry of this content.
pub(crate) async fn questions(house: &House) -> Vec<Question> {
    let options = SqliteConnectOptions::new().filename(house.file()).read_only(true);
    let mut connection = options.connect().await.expect("the registry");
    // Somebody in the middle of it.
    let sample = "SELECT lower(hex(fingerprint)), serial, user, (SELECT mac FROM device d WHERE d.certificate = c.id) FROM certificate c WHERE fingerprint IS NOT NULL AND last_seen IS NOT NULL AND authority = 'campus' AND id >= (SELECT max(id) / 2 FROM certificate) ORDER BY id LIMIT 1";
    let sample = sqlx::query_as(sample).fetch_optional(&mut connection).await.expect("a look");
    let sample: Option<(String, String, String, String)> = match sample {
        Some(sample) => Some(sample),
        None => {
            let any = "SELECT lower(hex(fingerprint)), serial, coalesce(user, ''), coalesce((SELECT mac FROM device d WHERE d.certificate = c.id), '') FROM certificate c WHERE fingerprint IS NOT NULL LIMIT 1";
            sqlx::query_as(any).fetch_optional(&mut connection).await.expect("a look")
        }
    };
    connection.close().await.expect("closed");
    let (fingerprint, serial, user, mac) = sample.expect("the models are there");
    let month = "2027-01-01T00:00:00Z";
    let week = jiff_text(crate::campus::wall().0 - 7 * 86_400);
    let begin = |text: &str| text.chars().take(4).collect::<String>();
    let mut all = Vec::new();
    let mut ask = |name: &str, path: String| all.push(Question { name: name.to_owned(), path, csv: false });
    let certificates = "/api/v1/certificates";
    ask("certificates", certificates.to_owned());
    for status in ["valid", "revoked", "revocation-requested", "distrusted", "expired", "applied"] {
        ask(&format!("  status={status}"), format!("{certificates}?status={status}"));
    }
    ask("  authority=old", format!("{certificates}?authority=old"));
    ask("  status=valid authority=campus", format!("{certificates}?status=valid&authority=campus"));
    ask("  status=valid authority=nobody's", format!("{certificates}?status=valid&authority=nobodys"));
    ask("  expiring-within=30", format!("{certificates}?expiring-within=30"));
    ask("  expiring-within=30 authority=old", format!("{certificates}?expiring-within=30&authority=old"));
    ask("  expiring-within=30 status=valid", format!("{certificates}?expiring-within=30&status=valid"));
    ask("  q= a mail address", format!("{certificates}?q={user}%40"));
    ask("  q=s, nearly all mail addresses", format!("{certificates}?q=s"));
    ask("  q= a CN", format!("{certificates}?q=Member%20{user}"));
    ask("  q= a serial's first four", format!("{certificates}?q={}", begin(&serial)));
    ask("  q=s status=applied, few of all", format!("{certificates}?q=s&status=applied"));
    ask("  q=s status=revoked", format!("{certificates}?q=s&status=revoked"));
    ask("one by fingerprint, its devices", format!("{certificates}/{fingerprint}"));
    ask("one by name", format!("{certificates}/campus:{serial}"));
    ask("its status alone", format!("{certificates}/{fingerprint}/status"));
    ask("its authentications", format!("{certificates}/{fingerprint}/authentications"));
    let decisions = "/api/v1/authentications";
    ask("authentications", decisions.to_owned());
    ask("  user=", format!("{decisions}?user={user}"));
    ask("  mac=", format!("{decisions}?mac={mac}"));
    ask("  since= a week ago", format!("{decisions}?since={week}"));
    ask("  since= to come", format!("{decisions}?since={month}"));
    ask("  outcome=accept", format!("{decisions}?outcome=accept"));
    ask("  outcome=reject", format!("{decisions}?outcome=reject"));
    ask("  outcome=drop, none", format!("{decisions}?outcome=drop"));
    ask("  reason=ok", format!("{decisions}?reason=ok"));
    ask("  reason=revoked", format!("{decisions}?reason=revoked"));
    ask("  reason=internal, none", format!("{decisions}?reason=internal"));
    ask("  user= outcome=accept", format!("{decisions}?user={user}&outcome=accept"));
    ask("  user= outcome=reject", format!("{decisions}?user={user}&outcome=reject"));
    ask("  mac= reason=ok since=", format!("{decisions}?mac={mac}&reason=ok&since={week}"));
    ask("  user= mac= reason=revoked", format!("{decisions}?user={user}&mac={mac}&reason=revoked"));
    ask("  outcome=accept reason=revoked, none", format!("{decisions}?outcome=accept&reason=revoked"));
    ask("  outcome=reject reason=ok, none", format!("{decisions}?outcome=reject&reason=ok"));
    for report in ["expiring", "old-authority", "unused", "unconfirmed"] {
        ask(&format!("report {report}"), format!("/api/v1/reports/{report}"));
    }
    ask("audit", "/api/v1/audit".to_owned());
    for report in ["expiring", "old-authority", "unused", "unconfirmed"] {
        let path = format!("/api/v1/reports/{report}");
        all.push(Question { name: format!("report {report}, whole CSV"), path, csv: true });
    }
    all
}

fn jiff_text(at: i64) -> String {
    jiff::Timestamp::from_second(at).map(|at| at.to_string()).unwrap_or_default()
}

/// Lists, of which a page behind many rows is asked for.
pub(crate) const DEEP_LISTS: [(&str, &str); 4] = [
    ("certificates, deep", "/api/v1/certificates"),
    ("  status=expired, deep", "/api/v1/certificates?status=expired"),
    ("  q=s, deep", "/api/v1/certificates?q=s"),
    ("authentications, deep", "/api/v1/authentications"),
];

/// The page behind [`DEEP`] rows, or the last.
pub(crate) fn deep(serving: &Serving, name: &str, path: &str) -> Question {
    let and = |path: &str| if path.contains('?') { '&' } else { '?' };
    let (mut seen, mut cursor) = (0, String::new());
    while seen < DEEP {
        let page = serving.get(&format!("{path}{}limit=1000{cursor}", and(path))).body;
        seen += page["items"].as_array().map_or(0, Vec::len);
        let Some(next) = page["next"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    let cursor = cursor.trim_start_matches('&');
    Question { name: name.to_owned(), path: format!("{path}{}{cursor}", and(path)), csv: false }
}

/// Asks again and again.
pub(crate) fn measure(house: &House, serving: &Serving, question: &Question) -> Times {
    house.cool();
    let (cold, mut found, mut status) = once(serving, question);
    let (mut times, begun) = (Vec::new(), Instant::now());
    while times.len() < CALLS && (times.is_empty() || begun.elapsed() < TOGETHER) {
        let (time, again, code) = once(serving, question);
        times.push(time);
        (found, status) = (again, code);
    }
    times.sort();
    let at = |part: f64| times[((times.len() - 1) as f64 * part).round() as usize];
    Times { cold, median: at(0.5), p99: at(0.99), most: at(1.0), found, status }
}

fn once(serving: &Serving, question: &Question) -> (Duration, usize, u16) {
    let begun = Instant::now();
    let answer = if question.csv { serving.csv(&question.path) } else { serving.get(&question.path) };
    let time = begun.elapsed();
    let found = match &answer.body["items"] {
        Value::Array(items) => items.len(),
        _ => answer.octets,
    };
    (time, found, answer.status)
}
