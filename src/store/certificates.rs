//! Certificates: registered, seen, blocked, revoked.

use data_encoding::HEXLOWER;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{QueryBuilder, Row, Sqlite};

use super::known::{conflict, upsert};
use super::people::person;
use super::record::{Audited, Blocked, Device, Id, Known, Record, Request, Revoked};
use super::{Failure, Store, audit};
use crate::now::Wall;

/// What is read of a certificate.
const COLUMNS: &str = "c.id, c.fingerprint, c.der, c.facts, c.authority, c.serial, c.issuer, c.application, c.subject, c.cn, c.mail, c.user, c.not_before, c.not_after, c.listed, c.requested, c.requested_by, c.requested_reason, c.requested_note, c.block, c.revoked, c.revoked_reason, c.revoked_source, c.registered, c.first_seen, c.last_seen";

/// What became of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change<T> {
    /// It is made.
    Made(T),
    /// There is no such thing.
    Missing,
    /// There is nothing to change.
    Nothing,
    /// It would take back what only lifting it takes back.
    Held,
    /// It isn't what it was when it was looked at.
    Other,
}

/// Whether a change may be made to what there is now.
pub type Condition = Box<dyn FnOnce(Option<&Record>) -> bool + Send>;

/// Whose certificate it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Owner {
    /// The user by the certificate, in ASCII lower case.
    User(String),
    /// Where no user is known, the mail address in lower case.
    Mail(String),
}

impl Owner {
    /// Of what is known of a certificate.
    #[must_use]
    pub fn of(known: &Known) -> Option<Self> {
        let user = known.user.as_ref().map(|user| Self::User(user.to_ascii_lowercase()));
        user.or_else(|| known.mail.as_ref().map(|mail| Self::Mail(mail.to_lowercase())))
    }
}

/// A certificate at a login.
#[derive(Clone, Debug)]
pub struct Sighting {
    /// What is known of it.
    pub known: Known,
    /// When.
    pub at: Wall,
    /// From which device, if it was let in.
    pub device: Option<Device>,
}

impl Store {
    /// Registers a certificate or a record of one, or adds to what is known of it; whether it is new.
    pub async fn register(
        &self,
        known: Known,
        by: &str,
        at: Wall,
        audited: Audited,
    ) -> Result<(Record, bool), Failure> {
        let by = by.to_owned();
        let registered = self.write(move |connection| {
            Box::pin(async move {
                if let Some(other) = conflict(connection, &known).await? {
                    return Ok(Err(Failure::Conflict(other.into())));
                }
                let (row, is_new) = upsert(connection, &known, &by, at).await?;
                audit::insert(connection, &audited).await?;
                let record = by_row(connection, row).await?.ok_or(sqlx::Error::RowNotFound)?;
                Ok(Ok((record, is_new)))
            })
        });
        registered.await?
    }

    /// One certificate.
    pub async fn certificate(&self, id: Id) -> Result<Option<Record>, Failure> {
        self.read(move |connection| Box::pin(async move { find(connection, &id).await })).await
    }

    /// The devices of certificates, by row, the newest first.
    pub async fn devices(&self, rows: Vec<i64>) -> Result<Vec<(i64, Device)>, Failure> {
        self.read(move |connection| {
            Box::pin(async move {
                let mut query = QueryBuilder::<Sqlite>::new(
                    "SELECT certificate, mac, service, nas, last_seen FROM device WHERE certificate IN (",
                );
                let mut list = query.separated(", ");
                for row in &rows {
                    list.push_bind(*row);
                }
                query.push(") ORDER BY certificate, last_seen DESC");
                let rows = query.build().fetch_all(connection).await?;
                rows.iter().map(|row| Ok((row.try_get(0)?, device(row)?))).collect()
            })
        })
        .await
    }

    /// A revocation is asked for. A serial that nobody has seen yet gets a record. What was asked for before goes on since then: a new reason doesn't make it younger, and one without a block takes no block back.
    pub async fn request(
        &self,
        id: Id,
        request: Request,
        condition: Condition,
        audited: Audited,
    ) -> Result<Change<Record>, Failure> {
        self.write(move |connection| {
            Box::pin(async move {
                let found = find(connection, &id).await?;
                if !condition(found.as_ref()) {
                    return Ok(Change::Other);
                }
                let before = found.as_ref().and_then(|found| found.request.clone());
                if before.as_ref().is_some_and(|before| before.block && !request.block) {
                    return Ok(Change::Held);
                }
                let goes_on = before.filter(|before| before.block == request.block);
                let (since, by) = goes_on.map_or((request.since, request.by), |before| (before.since, before.by));
                let row = match (found, id) {
                    (Some(found), _) if found.known.serial.is_none() => return Ok(Change::Nothing),
                    (Some(found), _) => found.row,
                    (None, Id::Name(authority, serial)) => {
                        let known =
                            Known { authority: Some(authority), serial: Some(serial), ..Known::default() };
                        upsert(connection, &known, &by, since).await?.0
                    }
                    (None, _) => return Ok(Change::Missing),
                };
                let ask = "UPDATE certificate SET requested = ?, requested_by = ?, requested_reason = ?, requested_note = ?, block = ? WHERE id = ?";
                let query = sqlx::query(ask).bind(since.0).bind(&by).bind(&request.reason);
                query.bind(&request.note).bind(request.block).bind(row).execute(&mut *connection).await?;
                audit::insert(connection, &audited).await?;
                Ok(by_row(connection, row).await?.map_or(Change::Missing, Change::Made))
            })
        })
        .await
    }

    /// Lifts what was asked for here; never what the authority has done.
    pub async fn lift(&self, id: Id, condition: Condition, audited: Audited) -> Result<Change<Record>, Failure> {
        self.write(move |connection| {
            Box::pin(async move {
                let found = find(connection, &id).await?;
                if !condition(found.as_ref()) {
                    return Ok(Change::Other);
                }
                let Some(found) = found else { return Ok(Change::Missing) };
                if found.request.is_none() {
                    return Ok(Change::Nothing);
                }
                let lift = "UPDATE certificate SET requested = NULL, requested_by = NULL, requested_reason = NULL, requested_note = NULL, block = 0 WHERE id = ?";
                sqlx::query(lift).bind(found.row).execute(&mut *connection).await?;
                audit::insert(connection, &audited).await?;
                Ok(by_row(connection, found.row).await?.map_or(Change::Missing, Change::Made))
            })
        })
        .await
    }

    /// Everything that is blocked, as the writer has it, but for the certificates' own octets. `listed`: what a list of the CA's says is asked to be revoked is blocked, too.
    pub async fn blocked(&self, listed: bool) -> Result<Blocked, Failure> {
        self.write(move |connection| {
            Box::pin(async move {
                let mut query = QueryBuilder::<Sqlite>::new("SELECT ");
                query.push(COLUMNS.replace("c.der, c.facts", "NULL AS der, NULL AS facts"));
                query.push(" FROM certificate c WHERE c.block = 1");
                if listed {
                    query.push(" OR c.state = 1");
                }
                let certificates = query.build().fetch_all(&mut *connection).await?;
                let certificates = certificates.iter().map(record).collect::<Result<_, _>>()?;
                let people = sqlx::query("SELECT name, since, until, reason, by FROM person ORDER BY name");
                let people = people.fetch_all(connection).await?;
                Ok(Blocked { certificates, people: people.iter().map(person).collect::<Result<_, _>>()? })
            })
        })
        .await
    }

    /// The newest certificates of people, by who it is: issued, and neither revoked nor asked to be.
    pub async fn latest(&self, people: Vec<Owner>) -> Result<Vec<(Owner, Record)>, Failure> {
        self.read(move |connection| {
            Box::pin(async move {
                let mut found = Vec::new();
                for owner in people {
                    let mut query = select();
                    match &owner {
                        Owner::User(user) => query.push(" FROM certificate c WHERE c.user = ").push_bind(user),
                        Owner::Mail(mail) => query
                            .push(" FROM search s CROSS JOIN certificate c ON c.id = s.certificate WHERE s.key = ")
                            .push_bind(mail),
                    };
                    query.push(" AND c.state = 2 AND c.not_after IS NOT NULL ORDER BY c.not_after DESC LIMIT 1");
                    let latest = query.build().fetch_optional(&mut *connection).await?;
                    if let Some(latest) = latest {
                        found.push((owner, record(&latest)?));
                    }
                }
                Ok(found)
            })
        })
        .await
    }

    /// What authorities say of certificates, by row; `None`: nothing any more.
    pub(crate) async fn set_revoked(&self, found: Vec<(i64, Option<Revoked>)>) -> Result<(), Failure> {
        self.write(move |connection| {
            Box::pin(async move {
                for (row, revoked) in found {
                    let set = "UPDATE certificate SET revoked = ?, revoked_reason = ?, revoked_source = ? WHERE id = ?";
                    let (since, reason, source) = match revoked {
                        Some(Revoked { since, reason, source }) => (Some(since.0), reason, Some(source)),
                        None => (None, None, None),
                    };
                    let query = sqlx::query(set).bind(since).bind(reason).bind(source).bind(row);
                    query.execute(&mut *connection).await?;
                }
                Ok(())
            })
        })
        .await
    }
}

async fn find(connection: &mut SqliteConnection, id: &Id) -> Result<Option<Record>, sqlx::Error> {
    let mut query = QueryBuilder::<Sqlite>::new("SELECT ");
    query.push(COLUMNS).push(" FROM certificate c WHERE ");
    match id {
        Id::Fingerprint(fingerprint) => query.push("c.fingerprint = ").push_bind(fingerprint.to_vec()),
        Id::Name(authority, serial) => {
            query.push("c.authority = ").push_bind(authority).push(" AND c.serial = ").push_bind(serial)
        }
        Id::Application(number) => query.push("c.application = ").push_bind(number),
    };
    let found = query.push(" ORDER BY c.id DESC LIMIT 1").build().fetch_optional(connection).await?;
    found.as_ref().map(record).transpose()
}

pub(super) async fn by_row(connection: &mut SqliteConnection, row: i64) -> Result<Option<Record>, sqlx::Error> {
    let mut query = QueryBuilder::<Sqlite>::new("SELECT ");
    query.push(COLUMNS).push(" FROM certificate c WHERE c.id = ").push_bind(row);
    query.build().fetch_optional(connection).await?.as_ref().map(record).transpose()
}

/// The beginning of a question for certificates, as [`record`] reads them.
pub(super) fn select() -> QueryBuilder<Sqlite> {
    let mut query = QueryBuilder::new("SELECT ");
    query.push(COLUMNS);
    query
}

pub(super) fn record(row: &SqliteRow) -> Result<Record, sqlx::Error> {
    let wall = |at: Option<i64>| at.map(Wall);
    let known = Known {
        fingerprint: hash(row, "fingerprint")?,
        der: row.try_get("der")?,
        facts: row.try_get("facts")?,
        authority: row.try_get("authority")?,
        serial: row.try_get("serial")?,
        issuer: hash(row, "issuer")?,
        application: row.try_get("application")?,
        subject: row.try_get("subject")?,
        cn: row.try_get("cn")?,
        mail: row.try_get("mail")?,
        user: row.try_get("user")?,
        not_before: wall(row.try_get("not_before")?),
        not_after: wall(row.try_get("not_after")?),
        listed: row.try_get("listed")?,
    };
    let requested: Option<i64> = row.try_get("requested")?;
    let text = |column: &str| row.try_get::<Option<String>, _>(column).map(Option::unwrap_or_default);
    let request = match requested {
        None => None,
        Some(since) => Some(Request {
            since: Wall(since),
            by: text("requested_by")?,
            reason: text("requested_reason")?,
            note: text("requested_note")?,
            block: row.try_get("block")?,
        }),
    };
    let revoked = match row.try_get::<Option<i64>, _>("revoked")? {
        None => None,
        Some(since) => Some(Revoked {
            since: Wall(since),
            reason: row.try_get("revoked_reason")?,
            source: text("revoked_source")?,
        }),
    };
    let (first_seen, last_seen) = (wall(row.try_get("first_seen")?), wall(row.try_get("last_seen")?));
    let registered = Wall(row.try_get("registered")?);
    Ok(Record { row: row.try_get("id")?, known, request, revoked, registered, first_seen, last_seen })
}

fn device(row: &SqliteRow) -> Result<Device, sqlx::Error> {
    Ok(Device {
        mac: row.try_get("mac")?,
        service: row.try_get("service")?,
        nas: row.try_get("nas")?,
        last_seen: Wall(row.try_get("last_seen")?),
    })
}

/// A hash; one of another length was written by nobody, and is none.
pub(super) fn hash(row: &SqliteRow, column: &str) -> Result<Option<[u8; 32]>, sqlx::Error> {
    let found: Option<Vec<u8>> = row.try_get(column)?;
    Ok(found.and_then(|octets| octets.try_into().ok()))
}

/// Octets of a serial as they are kept.
#[must_use]
pub fn serial_text(serial: &[u8]) -> String {
    HEXLOWER.encode(serial)
}
