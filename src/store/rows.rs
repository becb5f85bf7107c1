//! Many rows by one statement: each statement costs two switches of threads, whatever it does.

use sqlx::sqlite::SqliteConnection;

use super::{Doing, Failure};

/// Rows of one statement, at most.
const MOST: usize = 128;

/// Writes some rows, by few statements; how many it left out because they can't be. If it fails it may be done again.
pub(super) type Write<T> = for<'c> fn(&'c mut SqliteConnection, &'c [T]) -> Doing<'c, usize>;

/// Pieces whose lengths are powers of two: few lengths, so that a statement of each is prepared once and kept, and few pieces.
pub(super) fn pieces<T>(rows: &[T]) -> impl Iterator<Item = &[T]> {
    let mut rest = rows;
    std::iter::from_fn(move || {
        let length = MOST.min(1 << rest.len().checked_ilog2()?);
        let (piece, after) = rest.split_at_checked(length)?;
        rest = after;
        Some(piece)
    })
}

/// Writes rows piece by piece, and one by one where the database refuses a piece; how many of them it refuses.
///
/// # Errors
///
/// Nothing can be written.
pub(super) async fn write<T: Sync>(
    connection: &mut SqliteConnection,
    rows: &[T],
    write: Write<T>,
) -> Result<usize, Failure> {
    let mut refused = 0;
    for piece in pieces(rows) {
        match left_out(write(connection, piece).await)? {
            Some(rows) => refused += rows,
            // Of one alone it is known already.
            None if piece.len() == 1 => refused += 1,
            None => {
                for row in piece.chunks(1) {
                    refused += left_out(write(connection, row).await)?.unwrap_or(1);
                }
            }
        }
    }
    Ok(refused)
}

/// `None`: the database refuses the whole piece.
fn left_out(written: Result<usize, sqlx::Error>) -> Result<Option<usize>, Failure> {
    match written.map_err(|error| Failure::of(&error)) {
        Ok(rows) => Ok(Some(rows)),
        Err(failure @ Failure::Unusable(_)) => Err(failure),
        Err(failure) => {
            tracing::error!("the registry does not take what a login left: {failure}");
            Ok(None)
        }
    }
}
