//! The registry's file as it is, read beside the server that has it open.

use std::path::Path;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteRow};
use sqlx::{Connection, Row};

/// Rows of a question.
pub(crate) fn rows<T>(file: &Path, sql: &'static str, read: impl Fn(&SqliteRow) -> T) -> Vec<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let options = SqliteConnectOptions::new().filename(file).read_only(true);
        let mut connection = SqliteConnection::connect_with(&options).await.expect("the file can be opened");
        let rows = sqlx::query(sql).fetch_all(&mut connection).await.expect("the file can be read");
        let _ = connection.close().await;
        rows.iter().map(read).collect()
    })
}

/// The only number that is asked for.
pub(crate) fn count(file: &Path, sql: &'static str) -> i64 {
    rows(file, sql, |row| row.get(0))[0]
}

/// Every page, index and reference is sound.
pub(crate) fn assert_sound(file: &Path) {
    let said: Vec<String> = rows(file, "PRAGMA integrity_check", |row| row.get(0));
    assert_eq!(said, ["ok"]);
    let dangling: Vec<String> = rows(file, "PRAGMA foreign_key_check", |row| row.get(0));
    assert!(dangling.is_empty(), "{dangling:?}");
}
