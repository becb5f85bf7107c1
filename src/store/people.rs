//! People who are blocked.

use sqlx::Row;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use super::record::{Audited, Person};
use super::{Change, Failure, Store, audit};
use crate::now::Wall;

/// Whether a change may be made to the block that there is now.
pub type PersonCondition = Box<dyn FnOnce(Option<&Person>) -> bool + Send>;

impl Store {
    /// Blocks a person. Of one who is blocked already reason and end change; it goes on since then.
    pub(crate) async fn block_person(
        &self,
        mut person: Person,
        condition: PersonCondition,
        audited: Audited,
    ) -> Result<Change<Person>, Failure> {
        person.name.make_ascii_lowercase();
        self.write(move |connection| {
            Box::pin(async move {
                let before = find(connection, &person.name).await?;
                if !condition(before.as_ref()) {
                    return Ok(Change::Other);
                }
                let holds = |before: &Person| before.until.is_none_or(|until| person.since < until);
                if let Some(before) = before.filter(holds) {
                    (person.since, person.by) = (before.since, before.by);
                }
                let block = "INSERT INTO person (name, since, until, reason, by) VALUES (?, ?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET since = excluded.since, until = excluded.until, reason = excluded.reason, by = excluded.by";
                let query = sqlx::query(block).bind(&person.name).bind(person.since.0);
                let query = query.bind(person.until.map(|at| at.0)).bind(&person.reason).bind(&person.by);
                query.execute(&mut *connection).await?;
                audit::insert(connection, &audited).await?;
                Ok(Change::Made(person))
            })
        })
        .await
    }

    /// Lifts a person's block.
    pub(crate) async fn unblock_person(
        &self,
        name: &str,
        condition: PersonCondition,
        audited: Audited,
    ) -> Result<Change<Person>, Failure> {
        let name = name.to_ascii_lowercase();
        self.write(move |connection| {
            Box::pin(async move {
                let before = find(connection, &name).await?;
                if !condition(before.as_ref()) {
                    return Ok(Change::Other);
                }
                let Some(before) = before else { return Ok(Change::Missing) };
                sqlx::query("DELETE FROM person WHERE name = ?").bind(&name).execute(&mut *connection).await?;
                audit::insert(connection, &audited).await?;
                Ok(Change::Made(before))
            })
        })
        .await
    }

    /// A person's block.
    pub async fn person(&self, name: &str) -> Result<Option<Person>, Failure> {
        let name = name.to_ascii_lowercase();
        self.read(move |connection| Box::pin(async move { find(connection, &name).await })).await
    }

    /// Blocks of people by name, after a name.
    pub async fn people(&self, after: Option<String>, most: i64) -> Result<Vec<Person>, Failure> {
        self.read(move |connection| {
            Box::pin(async move {
                let list = "SELECT name, since, until, reason, by FROM person WHERE name > ? ORDER BY name LIMIT ?";
                let query = sqlx::query(list).bind(after.unwrap_or_default()).bind(most);
                query.fetch_all(connection).await?.iter().map(person).collect()
            })
        })
        .await
    }
}

async fn find(connection: &mut SqliteConnection, name: &str) -> Result<Option<Person>, sqlx::Error> {
    let find = sqlx::query("SELECT name, since, until, reason, by FROM person WHERE name = ?").bind(name);
    find.fetch_optional(connection).await?.as_ref().map(person).transpose()
}

pub(super) fn person(row: &SqliteRow) -> Result<Person, sqlx::Error> {
    Ok(Person {
        name: row.try_get("name")?,
        since: Wall(row.try_get("since")?),
        until: row.try_get::<Option<i64>, _>("until")?.map(Wall),
        reason: row.try_get("reason")?,
        by: row.try_get("by")?,
    })
}
