//! What became of each.

use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row, Sqlite, SqliteConnection};

use crate::now::Wall;
use crate::sessions::disconnect::{Cause, Disconnected, Told};
use crate::sessions::{SessionId, State};
use crate::store::certificates::hash;
use crate::store::number;
use crate::store::{Failure, Store};

/// What became of a session that was to end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ending {
    /// Its number, upwards in time.
    pub row: i64,
    /// When.
    pub at: Wall,
    /// Which.
    pub session: SessionId,
    /// Whose, by the certificate, else by what the NAS said.
    pub user: Option<String>,
    /// SHA-256 of the certificate's DER.
    pub fingerprint: Option<[u8; 32]>,
    /// The service.
    pub service: Option<String>,
    /// Name of the NAS.
    pub nas: String,
    /// Calling-Station-Id.
    pub mac: Option<String>,
    /// Why it had to go; `None`: nothing stood against it.
    pub reason: Option<String>,
    /// The authority that says so.
    pub authority: Option<String>,
    /// Who ordered it; `None`: it went by itself.
    pub ordered_by: Option<String>,
    /// What its NAS said.
    pub result: String,
    /// Error-Cause.
    pub error_cause: Option<u32>,
    /// In words.
    pub detail: Option<String>,
    /// The sessions that ended by it: a JSON array of their numbers in text.
    pub ended: String,
}

/// Which; everything that is set must hold.
#[derive(Clone, Debug, Default)]
pub struct Endings {
    /// The user, without ASCII case.
    pub user: Option<String>,
    /// The certificate.
    pub fingerprint: Option<[u8; 32]>,
    /// The session.
    pub session: Option<SessionId>,
    /// What the NAS said.
    pub result: Option<String>,
}

impl Store {
    /// What became of sessions that were to end, the newest first, after a position (time, number).
    pub(crate) async fn endings(
        &self,
        which: Endings,
        after: Option<(i64, i64)>,
        most: i64,
    ) -> Result<Vec<Ending>, Failure> {
        self.read(move |connection| {
            Box::pin(async move {
                let mut query = QueryBuilder::<Sqlite>::new("SELECT * FROM disconnect WHERE 1");
                for (column, value) in [("user", which.user), ("result", which.result)] {
                    if let Some(value) = value {
                        query.push(" AND ").push(column).push(" = ").push_bind(value);
                    }
                }
                if let Some(fingerprint) = which.fingerprint {
                    query.push(" AND fingerprint = ").push_bind(fingerprint.to_vec());
                }
                if let Some(session) = which.session {
                    query.push(" AND session = ").push_bind(number(session.0));
                }
                if let Some((at, row)) = after {
                    query.push(" AND (at, id) < (").push_bind(at).push(", ").push_bind(row).push(")");
                }
                query.push(" ORDER BY at DESC, id DESC LIMIT ").push_bind(most);
                query.build().fetch_all(connection).await?.iter().map(ending).collect()
            })
        })
        .await
    }
}

/// Keeps what became of one. What its NAS has answered about a condemned session is not told again after a restart.
pub(in crate::store) async fn told(
    connection: &mut SqliteConnection,
    done: &Disconnected,
    at: Wall,
) -> Result<(), sqlx::Error> {
    let Some(session) = done.session.as_deref() else { return Ok(()) };
    let cause = match &session.state {
        State::Good => None,
        State::Condemned(why) => Some(Cause::from(&**why)),
    };
    let error_cause = match done.told {
        Told::Nak(cause) => cause,
        _ => None,
    };
    let by: Vec<&str> = done.by.iter().map(|name| &**name).collect();
    let ended: Vec<String> = done.ended.iter().map(|id| id.0.to_string()).collect();
    let insert = "INSERT INTO disconnect (at, session, user, fingerprint, service, nas, mac, reason, authority, ordered_by, result, error_cause, detail, ended) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    let query = sqlx::query(insert)
        .bind(at.0)
        .bind(number(done.id.0))
        .bind(session.user.as_deref().or(session.user_name.as_deref()))
        .bind(session.fingerprint().map(<[u8; 32]>::as_slice))
        .bind(session.service.as_deref())
        .bind(&*session.device.nas)
        .bind(session.station.as_deref())
        .bind(cause.as_ref().map(|cause| cause.reason.name()))
        .bind(cause.as_ref().and_then(|cause| cause.authority.as_deref()))
        .bind((!by.is_empty()).then(|| by.join(", ")))
        .bind(done.told.name())
        .bind(error_cause)
        .bind(done.told.detail())
        .bind(serde_json::Value::from(ended).to_string());
    query.execute(&mut *connection).await?;
    if cause.is_some() && matches!(done.told, Told::Ack | Told::Nak(_)) {
        let tell = "INSERT INTO leaving (session, since, counted, told) VALUES (?, ?, 0, 1) ON CONFLICT (session) DO UPDATE SET told = 1";
        sqlx::query(tell).bind(number(done.id.0)).bind(at.0).execute(connection).await?;
    }
    Ok(())
}

/// Throws away, some at a time, what is older than a time and concerns no live session; how many.
pub(in crate::store) async fn forget(
    connection: &mut SqliteConnection,
    before: Wall,
    most: i64,
) -> Result<u64, sqlx::Error> {
    const FORGET: [&str; 3] = [
        "DELETE FROM disconnect WHERE id IN (SELECT id FROM disconnect WHERE at < ? LIMIT ?)",
        "DELETE FROM leaving WHERE session IN (SELECT session FROM leaving l WHERE since < ? \
         AND NOT EXISTS (SELECT 1 FROM session WHERE id = l.session AND ended IS NULL) LIMIT ?)",
        "DELETE FROM batch WHERE id IN (SELECT id FROM batch b WHERE since < ? \
         AND NOT EXISTS (SELECT 1 FROM batch_session s JOIN session ON session.id = s.session WHERE s.batch = b.id AND ended IS NULL) LIMIT ?)",
    ];
    let mut forgotten = 0;
    for sql in FORGET {
        forgotten += sqlx::query(sql).bind(before.0).bind(most).execute(&mut *connection).await?.rows_affected();
    }
    Ok(forgotten)
}

fn ending(row: &SqliteRow) -> Result<Ending, sqlx::Error> {
    Ok(Ending {
        row: row.try_get("id")?,
        at: Wall(row.try_get("at")?),
        session: super::session(row.try_get("session")?)?,
        user: row.try_get("user")?,
        fingerprint: hash(row, "fingerprint")?,
        service: row.try_get("service")?,
        nas: row.try_get("nas")?,
        mac: row.try_get("mac")?,
        reason: row.try_get("reason")?,
        authority: row.try_get("authority")?,
        ordered_by: row.try_get("ordered_by")?,
        result: row.try_get("result")?,
        error_cause: row.try_get("error_cause")?,
        detail: row.try_get("detail")?,
        ended: row.try_get("ended")?,
    })
}
