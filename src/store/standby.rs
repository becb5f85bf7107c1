//! What is blocked, kept beside the database too: a small file, so that a block that somebody was told of holds while the database can't be read.
//!
//! Its first line holds the SHA-256 of all that follows: a line for each block, in JSON. [`Store::resume`] takes it back into the database.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use sqlx::Connection;
use sqlx::sqlite::SqliteConnection;

use super::known::{same, upsert};
use super::record::{Audited, Blocked, Known, Person, Record, Request};
use super::{Failure, Store, audit};
use crate::lock::lock;
use crate::now::Wall;

/// The file's name in `state-dir`.
pub const BLOCKS: &str = "blocks";

/// What the first line begins with.
const HEAD: &str = "sekisho blocks 1 ";
/// As `listed` has it.
const LISTED: &str = "revocation-requested";

/// What stands in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standby {
    /// There is none: nobody was ever blocked here.
    Absent,
    /// What was blocked when it was written.
    Good(Blocked),
    /// It can't be read, and why: nobody knows who is blocked.
    Bad(String),
}

/// What [`Store::resume`] takes back.
#[derive(Clone, Debug)]
pub struct Inherited {
    /// What stood in the file.
    pub blocked: Blocked,
    /// Who is to have registered what a list of the CA's asks to be revoked.
    pub by_list: &'static str,
}

/// A line.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
enum Line {
    Certificate {
        #[serde(skip_serializing_if = "Option::is_none")]
        fingerprint: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        authority: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        serial: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        not_after: Option<i64>,
        registered: i64,
        /// `None`: a list of the CA's says that its revocation is asked for.
        #[serde(skip_serializing_if = "Option::is_none")]
        request: Option<Asked>,
    },
    Person {
        name: String,
        since: i64,
        #[serde(skip_serializing_if = "Option::is_none")]
        until: Option<i64>,
        reason: String,
        by: String,
    },
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    since: i64,
    by: String,
    reason: String,
    note: String,
}

impl Standby {
    /// Reads what stands in a state directory.
    #[must_use]
    pub fn read(state_dir: &Path) -> Self {
        let bad = |why: &dyn std::fmt::Display| Self::Bad(format!("{}: {why}", state_dir.join(BLOCKS).display()));
        let text = match fs::read_to_string(state_dir.join(BLOCKS)) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Self::Absent,
            Err(error) => return bad(&error),
        };
        let Some((head, lines)) = text.split_once('\n') else { return bad(&"it is damaged") };
        if head.strip_prefix(HEAD) != Some(&*hash(lines)) {
            return bad(&"it is damaged, or was changed by hand");
        }
        match lines.lines().map(serde_json::from_str).collect::<Result<Vec<Line>, _>>() {
            Ok(lines) => Self::Good(blocked(lines)),
            Err(error) => bad(&error),
        }
    }
}

/// Where it is written, and what it holds.
#[derive(Debug)]
pub(super) struct Page {
    folder: PathBuf,
    /// What was last written; `None`: nothing, by this process.
    written: Mutex<Option<String>>,
}

impl Page {
    pub(super) fn new(state_dir: &Path) -> Self {
        Self { folder: state_dir.to_owned(), written: Mutex::default() }
    }

    /// When this returns well, it is there after a power cut too.
    fn write(&self, blocked: &Blocked) -> io::Result<()> {
        let text: String = lines(blocked).map(|line| json(&line)).collect::<Result<_, _>>()?;
        let head = hash(&text);
        let mut written = lock(&self.written);
        let path = self.folder.join(BLOCKS);
        if written.as_ref() == Some(&head) && path.exists() {
            return Ok(());
        }
        let temporary = self.folder.join(format!("{BLOCKS}.new"));
        // Names of people: for the owner alone.
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
        file.write_all(format!("{HEAD}{head}\n{text}").as_bytes())?;
        file.sync_all()?;
        fs::rename(&temporary, &path)?;
        File::open(&self.folder)?.sync_all()?;
        *written = Some(head);
        Ok(())
    }
}

impl Store {
    /// Keeps what is blocked beside the database, on disk when this returns.
    pub(crate) async fn keep_blocked(&self, blocked: Blocked) -> Result<(), Failure> {
        let page = Arc::clone(&self.page);
        let written = tokio::task::spawn_blocking(move || page.write(&blocked)).await;
        let failure = match written {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(format!("{}: {error}", self.page.folder.join(BLOCKS).display())),
            Err(_) => Some("writing what is blocked failed by a fault of ours".to_owned()),
        };
        let failure = failure.map(|why| Failure::Unusable(why.into()));
        self.watch.unkept(failure.as_ref());
        failure.map_or(Ok(()), Err)
    }
}

/// Takes into the database what was blocked when the file beside it was written, and isn't there; before anybody else changes anything in it. What is blocked there stays as it is.
pub(super) async fn adopt(connection: &mut SqliteConnection, inherited: &Inherited) -> Result<(), sqlx::Error> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    let Inherited { blocked: Blocked { certificates, people }, by_list } = inherited;
    let mut adopted = (0, 0);
    for record in certificates {
        adopted.0 += usize::from(adopt_certificate(&mut transaction, record, by_list).await?);
    }
    for person in people {
        adopted.1 += usize::from(adopt_person(&mut transaction, person).await?);
    }
    if adopted != (0, 0) {
        let now = sqlx::query_scalar("SELECT unixepoch()").fetch_one(&mut *transaction).await?;
        audit::insert(&mut transaction, &line(adopted, Wall(now))).await?;
    }
    transaction.commit().await?;
    let (certificates, people) = adopted;
    if adopted != (0, 0) {
        tracing::warn!(
            "{certificates} certificates and {people} people were blocked by {BLOCKS} alone; they stand in the registry now"
        );
    }
    Ok(())
}

fn line((certificates, people): (usize, usize), at: Wall) -> Audited {
    Audited {
        row: 0,
        at,
        caller: "sekisho".to_owned(),
        role: "operator".to_owned(),
        action: "adopt-blocks".to_owned(),
        target: BLOCKS.to_owned(),
        detail: serde_json::json!({ "certificates": certificates, "people": people }).to_string(),
    }
}

/// Whether it wasn't blocked.
async fn adopt_certificate(
    connection: &mut SqliteConnection,
    record: &Record,
    by_list: &str,
) -> Result<bool, sqlx::Error> {
    let is_blocked = match &record.request {
        Some(_) => "SELECT block = 1 FROM certificate WHERE id = ?",
        None => "SELECT block = 1 OR state < 2 FROM certificate WHERE id = ?",
    };
    if let Some(row) = same(connection, &record.known).await?
        && sqlx::query_scalar(is_blocked).bind(row).fetch_one(&mut *connection).await?
    {
        return Ok(false);
    }
    let by = record.request.as_ref().map_or(by_list, |request| &request.by);
    let (row, _) = upsert(connection, &record.known, by, record.registered).await?;
    if let Some(Request { since, by, reason, note, .. }) = &record.request {
        let block = "UPDATE certificate SET requested = ?, requested_by = ?, requested_reason = ?, requested_note = ?, block = 1 WHERE id = ?";
        let query = sqlx::query(block).bind(since.0).bind(by).bind(reason).bind(note).bind(row);
        query.execute(connection).await?;
    }
    Ok(true)
}

/// Whether he wasn't blocked, or by something older.
async fn adopt_person(connection: &mut SqliteConnection, person: &Person) -> Result<bool, sqlx::Error> {
    let block = "INSERT INTO person (name, since, until, reason, by) VALUES (?, ?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET since = excluded.since, until = excluded.until, reason = excluded.reason, by = excluded.by WHERE excluded.since > since";
    let query = sqlx::query(block).bind(&person.name).bind(person.since.0).bind(person.until.map(|at| at.0));
    let done = query.bind(&person.reason).bind(&person.by).execute(connection).await?;
    Ok(done.rows_affected() > 0)
}

fn lines(blocked: &Blocked) -> impl Iterator<Item = Line> {
    let certificates = blocked.certificates.iter().filter(|record| is_named(record)).map(|record| Line::Certificate {
        fingerprint: record.known.fingerprint.map(|fingerprint| HEXLOWER.encode(&fingerprint)),
        authority: record.known.authority.clone(),
        serial: record.known.serial.clone(),
        not_after: record.known.not_after.map(|at| at.0),
        registered: record.registered.0,
        request: record.request.clone().filter(|request| request.block).map(|request| {
            let Request { since, by, reason, note, .. } = request;
            Asked { since: since.0, by, reason, note }
        }),
    });
    let people = blocked.people.iter().cloned().map(|Person { name, since, until, reason, by }| {
        let (since, until) = (since.0, until.map(|at| at.0));
        Line::Person { name, since, until, reason, by }
    });
    certificates.chain(people)
}

/// By which it could be told that it comes; one that is only applied for doesn't.
fn is_named(record: &Record) -> bool {
    record.known.fingerprint.is_some() || record.known.serial.is_some()
}

fn blocked(lines: Vec<Line>) -> Blocked {
    let mut blocked = Blocked::default();
    for line in lines {
        match line {
            Line::Certificate { fingerprint, authority, serial, not_after, registered, request } => {
                let fingerprint = fingerprint.and_then(|text| HEXLOWER.decode(text.as_bytes()).ok()?.try_into().ok());
                let listed = request.is_none().then(|| LISTED.to_owned());
                let not_after = not_after.map(Wall);
                let known = Known { fingerprint, authority, serial, not_after, listed, ..Known::default() };
                let request = request.map(|Asked { since, by, reason, note }| Request {
                    since: Wall(since),
                    by,
                    reason,
                    note,
                    block: true,
                });
                let registered = Wall(registered);
                let (revoked, first_seen, last_seen) = (None, None, None);
                let record = Record { row: 0, known, request, revoked, registered, first_seen, last_seen };
                blocked.certificates.push(record);
            }
            Line::Person { name, since, until, reason, by } => {
                blocked.people.push(Person { name, since: Wall(since), until: until.map(Wall), reason, by });
            }
        }
    }
    blocked
}

fn json(line: &Line) -> serde_json::Result<String> {
    serde_json::to_string(line).map(|line| line + "\n")
}

fn hash(text: &str) -> String {
    HEXLOWER.encode(digest(&SHA256, text.as_bytes()).as_ref())
}
