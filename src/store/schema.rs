//! The tables, area by area. A file that has been released never changes: what is to be different is another file.

use sqlx::SqlSafeStr;
use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::sqlite::SqliteConnection;

/// Number, name, text.
const MIGRATIONS: [(i64, &str, &str); 7] = [
    (1, "certificates", include_str!("migrations/0001_certificates.sql")),
    (2, "accounting", include_str!("migrations/0002_accounting.sql")),
    (3, "disconnects", include_str!("migrations/0003_disconnects.sql")),
    (4, "first_seen", include_str!("migrations/0004_first_seen.sql")),
    (5, "indexes", include_str!("migrations/0005_indexes.sql")),
    (6, "otp", include_str!("migrations/0006_otp.sql")),
    (7, "names", include_str!("migrations/0007_names.sql")),
];

/// Brings the file's tables up to date.
pub(super) async fn migrate(connection: &mut SqliteConnection) -> Result<(), MigrateError> {
    let migration = |(number, name, text): (i64, &'static str, &'static str)| {
        Migration::new(number, name.into(), MigrationType::Simple, text.into_sql_str(), false)
    };
    Migrator::with_migrations(MIGRATIONS.into_iter().map(migration).collect()).run(connection).await
}
