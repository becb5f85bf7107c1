//! Certificates that an older version has written, which knew them by fewer names than they bear: piece by piece they come to be found by all.

use sqlx::Row;

use super::{Failure, Store, known};

/// Certificates that are looked at in one go: the writer has others to serve.
const PIECE: i64 = 64;

impl Store {
    /// Names some more of them; whether there are any left. How far it came outlives the process.
    pub async fn name_more(&self) -> Result<bool, Failure> {
        self.write(|connection| {
            Box::pin(async move {
                let piece = "SELECT c.id, c.facts, u.last FROM unnamed u JOIN certificate c ON c.id > u.done AND c.id <= u.last ORDER BY c.id LIMIT ?";
                let rows = sqlx::query(piece).bind(PIECE).fetch_all(&mut *connection).await?;
                let Some(last) = rows.last() else { return Ok(false) };
                for row in &rows {
                    if let Some(facts) = row.try_get::<Option<Vec<u8>>, _>("facts")? {
                        known::name(connection, row.try_get("id")?, &facts).await?;
                    }
                }
                let (done, end): (i64, i64) = (last.try_get("id")?, last.try_get("last")?);
                sqlx::query("UPDATE unnamed SET done = ?").bind(done).execute(connection).await?;
                Ok(done < end)
            })
        })
        .await
    }
}
