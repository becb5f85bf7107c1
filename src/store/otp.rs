//! Keys of one-time passwords, sealed by whoever enrols them, and which of their codes have been used up.

use sqlx::Row;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use super::record::Audited;
use super::{Change, Failure, Store, audit};
use crate::now::Wall;

/// A user's key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enrolled {
    /// User in ASCII lower case.
    pub user: String,
    /// The key, sealed.
    pub sealed: Vec<u8>,
    /// The last step of time whose code was used up.
    pub last: Option<u64>,
    /// When.
    pub at: Wall,
    /// By whom.
    pub by: String,
}

impl Store {
    /// Keeps a user's key. One that is there already goes only with `replace`, else [`Change::Held`]; no code of the new one has been used.
    pub async fn enrol(
        &self,
        mut enrolled: Enrolled,
        replace: bool,
        audited: Audited,
    ) -> Result<Change<Enrolled>, Failure> {
        enrolled.user.make_ascii_lowercase();
        enrolled.last = None;
        self.write(move |connection| {
            Box::pin(async move {
                if !replace && find(connection, &enrolled.user).await?.is_some() {
                    return Ok(Change::Held);
                }
                let put =
                    "INSERT OR REPLACE INTO otp (user, sealed, last, enrolled, enrolled_by) VALUES (?, ?, NULL, ?, ?)";
                let query = sqlx::query(put).bind(&enrolled.user).bind(&enrolled.sealed);
                query.bind(enrolled.at.0).bind(&enrolled.by).execute(&mut *connection).await?;
                audit::insert(connection, &audited).await?;
                Ok(Change::Made(enrolled))
            })
        })
        .await
    }

    /// Forgets a user's key.
    pub async fn unenrol(&self, user: &str, audited: Audited) -> Result<Change<()>, Failure> {
        let user = user.to_ascii_lowercase();
        self.write(move |connection| {
            Box::pin(async move {
                let forget = sqlx::query("DELETE FROM otp WHERE user = ?").bind(&user);
                if forget.execute(&mut *connection).await?.rows_affected() == 0 {
                    return Ok(Change::Missing);
                }
                audit::insert(connection, &audited).await?;
                Ok(Change::Made(()))
            })
        })
        .await
    }

    /// A user's key.
    pub async fn otp_of(&self, user: &str) -> Result<Option<Enrolled>, Failure> {
        let user = user.to_ascii_lowercase();
        self.read_urgently(move |connection| Box::pin(async move { find(connection, &user).await })).await
    }

    /// Users after one and their sealed keys, in the order of their names, as many as that at most.
    pub async fn sealed_after(&self, after: String, most: i64) -> Result<Vec<(String, Vec<u8>)>, Failure> {
        self.read(move |connection| {
            Box::pin(async move {
                let page = "SELECT user, sealed FROM otp WHERE user > ? ORDER BY user LIMIT ?";
                sqlx::query_as(page).bind(after).bind(most).fetch_all(connection).await
            })
        })
        .await
    }

    /// The same keys, sealed anew: user, as it was, as it is to be. One that is another by now stays. Which of its codes have been used up stays known.
    pub async fn reseal(&self, keys: Vec<(String, Vec<u8>, Vec<u8>)>) -> Result<(), Failure> {
        self.write(move |connection| {
            Box::pin(async move {
                for (user, before, after) in keys {
                    let seal = sqlx::query("UPDATE otp SET sealed = ? WHERE user = ? AND sealed = ?");
                    seal.bind(after).bind(user).bind(before).execute(&mut *connection).await?;
                }
                Ok(())
            })
        })
        .await
    }

    /// Uses up the code of a step, and those of all steps before it; `false`: it was used before, or the key is another by now. When this returns well it is on disk: of two at the same moment one wins, and none does after a restart.
    pub async fn use_code(&self, enrolled: &Enrolled, step: u64) -> Result<bool, Failure> {
        let (user, sealed) = (enrolled.user.clone(), enrolled.sealed.clone());
        // Beyond what a database counts there is no time.
        let Ok(step) = i64::try_from(step) else { return Ok(false) };
        self.write(move |connection| {
            Box::pin(async move {
                let advance =
                    "UPDATE otp SET last = ?1 WHERE user = ?2 AND sealed = ?3 AND (last IS NULL OR last < ?1)";
                let query = sqlx::query(advance).bind(step).bind(&user).bind(&sealed);
                Ok(query.execute(connection).await?.rows_affected() == 1)
            })
        })
        .await
    }
}

async fn find(connection: &mut SqliteConnection, user: &str) -> Result<Option<Enrolled>, sqlx::Error> {
    let find = sqlx::query("SELECT user, sealed, last, enrolled, enrolled_by FROM otp WHERE user = ?").bind(user);
    find.fetch_optional(connection).await?.as_ref().map(enrolled).transpose()
}

fn enrolled(row: &SqliteRow) -> Result<Enrolled, sqlx::Error> {
    Ok(Enrolled {
        user: row.try_get("user")?,
        sealed: row.try_get("sealed")?,
        // Nobody has written a negative one; it must not make used codes good again.
        last: row.try_get::<Option<i64>, _>("last")?.map(|last| u64::try_from(last).unwrap_or(u64::MAX)),
        at: Wall(row.try_get("enrolled")?),
        by: row.try_get("enrolled_by")?,
    })
}
