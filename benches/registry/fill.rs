//! A registry of any size: rows that the server itself has written, multiplied in SQL. One by one through the server they would take hours.

use std::path::Path;
use std::time::{Duration, Instant};

use sekisho::event::TlsVersion;
use serde_json::json;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};

use crate::campus::{Campus, wall};
use crate::house::House;
use crate::pem;

/// Rows that are made at once, between two lines of progress.
const PIECE: i64 = 1_000_000;
/// From so many new decisions on it is quicker to make the indexes anew.
const MANY: i64 = 50_000;

/// How much there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Size {
    pub(crate) certificates: i64,
    pub(crate) decisions: i64,
}

/// Has the server write one of each: registered and seen, seen at logins alone, blocked, known from a list.
pub(crate) fn models(campus: &Campus, house: &House) {
    let serving = house.start();
    let pem = json!({ "pem": pem::certificate(campus.member(0)) });
    assert_eq!(serving.post("/api/v1/certificates", &pem).status, 201);
    for member in 0..3 {
        let supplicant = campus.supplicant(member, TlsVersion::Tls13);
        let number = u32::try_from(member).expect("few");
        assert!(serving.log_in(&supplicant, number, true).1, "the first login");
        assert!(serving.log_in(&supplicant, number, true).1, "the second login");
        if member == 2 {
            let known = || serving.get("/api/v1/certificates?q=member2").body["items"][0]["id"].clone();
            let id = until(known, |id| id.is_string());
            let path = format!("/api/v1/certificates/{}/revocation", id.as_str().expect("an id"));
            let reason = json!({ "reason": "keyCompromise", "note": "of the bench" });
            assert_eq!(serving.post(&path, &reason).status, 200);
            assert!(!serving.log_in(&supplicant, number, false).1, "it is blocked");
        }
    }
    let record = json!({ "application": "A0", "subject": "C=JP, O=JAIST, CN=member9", "mail": "member9@jaist.ac.jp", "status": "valid" });
    let mut named = record;
    named["authority"] = "campus".into();
    named["serial"] = "0123456789abcdef0123456789abcdef".into();
    assert_eq!(serving.post("/api/v1/certificates", &named).status, 201);
    until(
        || serving.get("/api/v1/authentications?outcome=reject").body,
        |body| body["items"].as_array().is_some_and(|items| !items.is_empty()),
    );
    serving.stop();
}

fn until<T>(look: impl Fn() -> T, good: impl Fn(&T) -> bool) -> T {
    let begun = Instant::now();
    loop {
        let found = look();
        if good(&found) {
            return found;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "what was done can't be seen");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Makes it grow from one size to another; nobody else has the file. Gives the time that making the rows took, and that of the indexes.
pub(crate) async fn grow(file: &Path, from: Size, to: Size) -> (Duration, Duration) {
    let mut filler = Filler::open(file).await;
    let (begun, many) = (Instant::now(), to.decisions - from.decisions >= MANY);
    let indexes = if many { filler.drop_indexes().await } else { Vec::new() };
    filler.certificates(from.certificates, to.certificates).await;
    filler.decisions(from.decisions, to.decisions, to.certificates).await;
    let rows = begun.elapsed();
    for index in indexes {
        let name: String = index.chars().take(60).collect();
        eprintln!("  {name} …");
        filler.run(&index).await;
    }
    filler.connection.close().await.expect("closed");
    (rows, begun.elapsed() - rows)
}

struct Filler {
    connection: SqliteConnection,
}

impl Filler {
    async fn open(file: &Path) -> Self {
        let options = SqliteConnectOptions::new().filename(file).foreign_keys(false);
        let connection = options.connect().await.expect("the registry");
        let mut filler = Self { connection };
        // What is lost in a crash is made anew.
        for pragma in [
            "journal_mode = OFF",
            "synchronous = OFF",
            "cache_size = -600000",
            "temp_store = MEMORY",
            "locking_mode = EXCLUSIVE",
        ] {
            filler.run(&format!("PRAGMA {pragma}")).await;
        }
        filler
    }

    async fn run(&mut self, sql: &str) {
        let done = sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut self.connection).await;
        done.unwrap_or_else(|error| panic!("{error}: {sql}"));
    }

    async fn number(&mut self, sql: &str) -> i64 {
        let found = sqlx::query_scalar(AssertSqlSafe(sql.to_owned())).fetch_one(&mut self.connection).await;
        found.unwrap_or_else(|error| panic!("{error}: {sql}"))
    }

    /// Drops what is made anew in one go; how.
    async fn drop_indexes(&mut self) -> Vec<String> {
        let all = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name IN ('certificate', 'authentication', 'search')";
        let all: Vec<(String, String)> = sqlx::query_as(all).fetch_all(&mut self.connection).await.expect("indexes");
        for (name, _) in &all {
            self.run(&format!("DROP INDEX {name}")).await;
        }
        all.into_iter().map(|(_, sql)| sql).collect()
    }

    async fn certificates(&mut self, from: i64, to: i64) {
        let first = self.number("SELECT coalesce(max(id), 0) FROM certificate").await + 1;
        let number = to - from;
        for begin in (0..number).step_by(PIECE.unsigned_abs() as usize) {
            let (low, high) = (first + begin, first + number.min(begin + PIECE) - 1);
            self.run(&certificates(low, high, first, number)).await;
            eprintln!("  {} certificates", from + number.min(begin + PIECE));
        }
        if number > 0 {
            let last = first + number - 1;
            for sql in [keys(first, last), devices(first, last), sessions(first, last), lines(first, last)] {
                self.run(&sql).await;
            }
        }
    }

    async fn decisions(&mut self, from: i64, to: i64, certificates: i64) {
        let models = "CREATE TEMP TABLE model AS SELECT row_number() OVER (ORDER BY resumed) AS number, a.* FROM (SELECT * FROM authentication WHERE id <= 16 AND outcome = 'accept' GROUP BY resumed UNION ALL SELECT * FROM authentication WHERE id <= 16 AND outcome = 'reject' GROUP BY outcome) a";
        self.run(models).await;
        self.run("UPDATE model SET number = CASE WHEN outcome = 'reject' THEN 3 WHEN resumed THEN 2 ELSE 1 END").await;
        let number = to - from;
        for begin in (0..number).step_by(PIECE.unsigned_abs() as usize) {
            let (low, high) = (from + begin, from + number.min(begin + PIECE) - 1);
            self.run(&decisions(low, high, from, number, certificates)).await;
            eprintln!("  {} decisions", high + 1);
        }
        self.run("DROP TABLE model").await;
    }
}

/// Half a year of logins, of certificates in no order; one in twenty is refused, for one of a few reasons.
fn decisions(low: i64, high: i64, from: i64, number: i64, certificates: i64) -> String {
    let (now, half_year) = (wall().0, 180 * 86_400);
    format!(
        "WITH RECURSIVE n (i) AS (SELECT {low} UNION ALL SELECT i + 1 FROM n WHERE i < {high}) \
         INSERT INTO authentication (at, outcome, reason, user, outer_identity, fingerprint, authority, serial, service, method, nas, peer, mac, ssid, tls, resumed, duration_ms, evidence) \
         SELECT {now} - {half_year} + (i - {from}) * {half_year} / {number}, m.outcome, \
         CASE m.outcome WHEN 'reject' THEN CASE i / 20 % 4 WHEN 0 THEN 'expired' WHEN 1 THEN 'revoked' WHEN 2 THEN 'blocked' ELSE 'untrusted-issuer' END ELSE m.reason END, \
         c.user, m.outer_identity, coalesce(c.fingerprint, zeroblob(32)), m.authority, coalesce(c.serial, '00'), m.service, m.method, m.nas, m.peer, \
         printf('02:00:%02x:%02x:%02x:%02x', c.id >> 24, c.id >> 16 & 255, c.id >> 8 & 255, c.id & 255), m.ssid, m.tls, m.resumed, m.duration_ms, m.evidence \
         FROM n CROSS JOIN model m ON m.number = CASE WHEN i % 20 = 0 THEN 3 ELSE 1 + i % 2 END CROSS JOIN certificate c ON c.id = 5 + (i * 7368787) % {certificates}"
    )
}

/// Ten years of certificates, each good for two: registered, seen, from a list; some revoked, asked for, distrusted, never seen.
fn certificates(low: i64, high: i64, first: i64, number: i64) -> String {
    const YEAR: i64 = 365 * 86_400;
    let now = wall().0;
    let people = number / 4 + 1;
    format!(
        "WITH RECURSIVE n (i) AS (SELECT {low} UNION ALL SELECT i + 1 FROM n WHERE i < {high}), \
         person (i, dice, user, born, bare) AS (SELECT i, i % 10, printf('s%07d', i * 7919 % {people}), {now} - ({first} + {number} - i) * {YEAR} * 10 / {number}, i % 50 = 7 OR i % 10 IN (4, 8) FROM n) \
         INSERT INTO certificate (id, fingerprint, der, facts, authority, serial, issuer, application, subject, cn, mail, user, not_before, not_after, listed, registered, registered_by, \
         requested, requested_by, requested_reason, requested_note, block, revoked, revoked_reason, revoked_source, first_seen, last_seen) \
         SELECT p.i, CASE WHEN m.fingerprint IS NOT NULL THEN randomblob(32) END, CASE WHEN NOT bare THEN m.der END, CASE WHEN NOT bare THEN m.facts END, \
         CASE WHEN p.i % 1000 = 9 THEN NULL WHEN dice IN (4, 8) THEN 'old' ELSE 'campus' END, CASE WHEN p.i % 1000 != 9 THEN lower(hex(randomblob(16))) END, m.issuer, \
         CASE WHEN m.application IS NOT NULL THEN 'A' || p.i END, 'C=JP, L=Ishikawa, O=Japan Advanced Institute of Science and Technology, OU=Members, CN=' || p.user, \
         'Member ' || p.user, p.user || '@jaist.ac.jp', p.user, \
         CASE WHEN dice < 8 THEN born END, CASE WHEN dice < 8 THEN born + 2 * {YEAR} END, CASE WHEN dice < 8 THEN NULL WHEN p.i % 1000 = 9 THEN 'applied' WHEN born < {now} - 2 * {YEAR} THEN 'expired' ELSE 'valid' END, \
         born, m.registered_by, CASE WHEN p.i % 1000 = 13 THEN {now} - p.i % 90 * 86400 END, CASE WHEN p.i % 1000 = 13 THEN 'bench' END, CASE WHEN p.i % 1000 = 13 THEN 'keyCompromise' END, CASE WHEN p.i % 1000 = 13 THEN '' END, p.i % 2000 = 13, \
         CASE WHEN p.i % 50 = 7 THEN born + 86400 END, CASE WHEN p.i % 50 = 7 THEN 'superseded' END, CASE WHEN p.i % 50 = 7 THEN 'campus.crl' END, \
         CASE WHEN dice < 8 AND p.i % 17 != 0 THEN born + 3600 END, CASE WHEN dice < 8 AND p.i % 17 != 0 THEN min(born + 2 * {YEAR}, {now}) - 3600 END \
         FROM person p CROSS JOIN certificate m ON m.id = CASE WHEN dice < 2 THEN (SELECT id FROM certificate WHERE der IS NOT NULL AND id < 8) \
         WHEN dice < 8 THEN (SELECT id FROM certificate WHERE der IS NULL AND facts IS NOT NULL AND requested IS NULL AND id < 8) ELSE (SELECT id FROM certificate WHERE application IS NOT NULL AND id < 8) END"
    )
}

fn keys(first: i64, last: i64) -> String {
    let of = |column: &str| {
        format!(
            "SELECT lower({column}) AS key, id FROM certificate WHERE id BETWEEN {first} AND {last} AND {column} IS NOT NULL"
        )
    };
    let all = ["mail", "cn", "serial"].map(of).join(" UNION ALL ");
    format!("INSERT OR IGNORE INTO search (key, certificate) SELECT key, id FROM ({all}) ORDER BY key, id")
}

fn devices(first: i64, last: i64) -> String {
    format!(
        "INSERT INTO device SELECT c.id, printf('02:00:%02x:%02x:%02x:%02x', c.id >> 24, c.id >> 16 & 255, c.id >> 8 & 255, c.id & 255), 'campus', n.nas, c.last_seen \
         FROM certificate c CROSS JOIN (SELECT 0 AS number, 'ap' AS nas UNION ALL SELECT 1, 'ap-2') n WHERE c.id BETWEEN {first} AND {last} AND c.last_seen IS NOT NULL AND (number = 0 OR c.id % 5 = 0)"
    )
}

/// One certificate in fifty is online; ten times as many were.
fn sessions(first: i64, last: i64) -> String {
    let now = wall().0;
    format!(
        "INSERT INTO session (id, nas, peer, provisional, service, user, imprint, fingerprint, user_name, acct_session, mac, called, started, updated, octets_in, octets_out, interims, until, ended, end) \
         SELECT m.id + c.id, m.nas, m.peer, 0, m.service, c.user, m.imprint, c.fingerprint, c.user, printf('%016x', c.id), \
         printf('02:00:%02x:%02x:%02x:%02x', c.id >> 24, c.id >> 16 & 255, c.id >> 8 & 255, c.id & 255), m.called, {now} - 3600, {now}, 0, 0, 3, {now} + 864000, \
         CASE WHEN c.id % 50 != 1 THEN {now} - c.id % 15000000 END, CASE WHEN c.id % 50 != 1 THEN 'stop' END \
         FROM certificate c CROSS JOIN (SELECT * FROM session ORDER BY id DESC LIMIT 1) m WHERE c.id BETWEEN {first} AND {last} AND c.id % 5 = 1"
    )
}

/// The audit: one line for ten certificates.
fn lines(first: i64, last: i64) -> String {
    format!(
        "INSERT INTO audit (at, caller, role, action, target, detail) SELECT a.at, a.caller, a.role, a.action, lower(hex(c.fingerprint)), a.detail \
         FROM certificate c CROSS JOIN (SELECT * FROM audit ORDER BY id LIMIT 1) a WHERE c.id BETWEEN {first} AND {last} AND c.id % 10 = 0"
    )
}
