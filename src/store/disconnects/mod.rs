//! Sessions that have to go: what waits, what was decided, what became of each.

mod history;
mod kept;

use sqlx::{Row, SqliteConnection};

pub use history::{Ending, Endings};

use super::record::Audited;
use super::{Failure, Store, audit, number};
use crate::event::Reason;
use crate::now::Wall;
use crate::sessions::SessionId;
use crate::sessions::disconnect::{Batch, BatchId, Cause, Past};

pub(super) use history::{forget, told};
pub(super) use kept::{going, held, pardoned};

/// What an operator decides about a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// They go.
    Released,
    /// They stay.
    Discarded,
}

impl Decision {
    /// Its fixed name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Released => "released",
            Self::Discarded => "discarded",
        }
    }
}

/// What became of a decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settled {
    /// It is made now.
    Now(Batch),
    /// It had been made before.
    Before(Batch),
    /// The other one had been made before.
    Otherwise,
    /// There is no such batch.
    Missing,
}

impl Store {
    /// Writes down what is decided about a batch, which may not have been written yet; the first decision counts.
    pub async fn settle(
        &self,
        id: BatchId,
        batch: Option<Batch>,
        decision: Decision,
        at: Wall,
        audited: Audited,
    ) -> Result<Settled, Failure> {
        self.write(move |connection| {
            Box::pin(async move {
                if let Some(batch) = &batch {
                    held(connection, batch).await?;
                }
                let Some((kept, before)) = find(connection, id).await? else { return Ok(Settled::Missing) };
                // As it is now, less what has ended.
                let batch = batch.unwrap_or(kept);
                match before.as_deref() {
                    Some(before) if before == decision.name() => return Ok(Settled::Before(batch)),
                    Some(_) => return Ok(Settled::Otherwise),
                    None => {}
                }
                let decide = "UPDATE batch SET decision = ?, decided = ?, decided_by = ? WHERE id = ?";
                let query = sqlx::query(decide).bind(decision.name()).bind(at.0).bind(&audited.caller);
                query.bind(number(id.0)).execute(&mut *connection).await?;
                audit::insert(connection, &audited).await?;
                Ok(Settled::Now(batch))
            })
        })
        .await
    }

    /// What a restart must not forget, of sessions that are live. `since`: how far back what went by itself is counted.
    pub async fn past(&self, since: Wall) -> Result<Past, Failure> {
        self.read(move |connection| Box::pin(async move { kept::past(connection, since).await })).await
    }
}

async fn find(connection: &mut SqliteConnection, id: BatchId) -> Result<Option<(Batch, Option<String>)>, sqlx::Error> {
    let find = "SELECT reason, authority, since, decision FROM batch WHERE id = ?";
    let row = sqlx::query(find).bind(number(id.0)).fetch_optional(&mut *connection).await?;
    let Some(row) = row else { return Ok(None) };
    let (cause, since) = (cause(row.try_get(0)?, row.try_get(1)?)?, Wall(row.try_get(2)?));
    let sessions = sqlx::query("SELECT session FROM batch_session WHERE batch = ?").bind(number(id.0));
    let sessions = sessions.fetch_all(connection).await?;
    let sessions = sessions.iter().map(|row| session(row.try_get(0)?)).collect::<Result<_, sqlx::Error>>()?;
    Ok(Some((Batch { id, cause, since, sessions }, row.try_get(3)?)))
}

fn cause(reason: &str, authority: Option<String>) -> Result<Cause, sqlx::Error> {
    let known = Reason::ALL.iter().copied().find(|known| known.name() == reason);
    let reason = known.ok_or_else(|| sqlx::Error::Decode(format!("\"{reason}\" is no reason").into()))?;
    Ok(Cause { reason, authority: authority.map(Into::into) })
}

fn session(number: i64) -> Result<SessionId, sqlx::Error> {
    u64::try_from(number).map(SessionId).map_err(|error| sqlx::Error::Decode(error.into()))
}
