//! Certificates that answer for their owners: those of which a verified chain has spoken. A row that a list has brought says nothing here, whatever it is called.

use sqlx::{QueryBuilder, Sqlite};

use super::certificates::serial_text;
use super::{Failure, Store};

/// The last to end first.
const ORDER: &str = " AND c.facts IS NOT NULL ORDER BY c.not_after DESC, c.id DESC LIMIT ";

impl Store {
    /// What verified chains have said of certificates that bear a name, in whatever part, without case: at most so many, the last to end first. Which part it may be is for whoever reads them to say.
    pub(crate) async fn facts_of_name(&self, name: &str, most: i64) -> Result<Vec<Vec<u8>>, Failure> {
        let mut query = beginning();
        query.push("c.id IN (SELECT certificate FROM search WHERE key = ").push_bind(name.to_lowercase());
        query.push(" UNION SELECT id FROM certificate WHERE user = ").push_bind(name.to_owned()).push(")");
        self.facts(query, most).await
    }

    /// The same of the one with this SHA-256.
    pub(crate) async fn facts_of_fingerprint(&self, fingerprint: &[u8; 32]) -> Result<Vec<Vec<u8>>, Failure> {
        let mut query = beginning();
        query.push("c.fingerprint = ").push_bind(fingerprint.to_vec());
        self.facts(query, 1).await
    }

    /// The same of those with this serial number, of whatever authority.
    pub(crate) async fn facts_of_serial(&self, serial: &[u8], most: i64) -> Result<Vec<Vec<u8>>, Failure> {
        let serial = serial_text(serial);
        let mut query = beginning();
        query.push("c.id IN (SELECT certificate FROM search WHERE key = ").push_bind(serial.clone());
        query.push(") AND c.serial = ").push_bind(serial);
        self.facts(query, most).await
    }

    async fn facts(&self, mut query: QueryBuilder<Sqlite>, most: i64) -> Result<Vec<Vec<u8>>, Failure> {
        query.push(ORDER).push_bind(most);
        self.read_urgently(move |connection| {
            Box::pin(async move { query.build_query_scalar().fetch_all(connection).await })
        })
        .await
    }
}

fn beginning() -> QueryBuilder<Sqlite> {
    QueryBuilder::new("SELECT c.facts FROM certificate c WHERE ")
}
