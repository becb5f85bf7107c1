//! Who changed what, and who looked into somebody's history.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use serde_json::Value;

use super::Role;
use crate::now::Wall;

/// What comes later: as an `async fn` of a trait that is used through a pointer.
pub type Later<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Who asks: put into a request's extensions when its token was found to be good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The token's `name`.
    pub name: Arc<str>,
    /// What the token may do.
    pub role: Role,
    /// Whose client certificate came with the connection, where one did.
    pub certificate: Option<Arc<str>>,
}

/// One line of the audit.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// When.
    pub at: Wall,
    /// Who.
    pub caller: Caller,
    /// What was done, of a closed list: `block-certificate`, `look-into-history`…
    pub action: &'static str,
    /// To what: an id, a user's name.
    pub target: String,
    /// How, as far as somebody could want to know: a reason, a note.
    pub detail: Value,
}

/// The audit could not be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unwritten;

impl fmt::Display for Unwritten {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the audit can't be written")
    }
}

impl std::error::Error for Unwritten {}

/// Where the audit is written.
pub trait Audit: Send + Sync + 'static {
    /// Writes a line; it is kept when this is done.
    fn record(&self, entry: Entry) -> Later<'_, Result<(), Unwritten>>;
}

/// The log alone.
#[derive(Clone, Copy, Debug, Default)]
pub struct LogAudit;

impl Audit for LogAudit {
    fn record(&self, entry: Entry) -> Later<'_, Result<(), Unwritten>> {
        let Entry { caller, action, target, detail, .. } = entry;
        let certificate = caller.certificate.as_deref().unwrap_or_default();
        tracing::info!(
            "admin: audit: {:?} (certificate {certificate:?}): {action} {target:?} {}",
            caller.name,
            visible(&detail)
        );
        Box::pin(std::future::ready(Ok(())))
    }
}

/// JSON without characters that a terminal would obey; controls are escaped in it already.
fn visible(detail: &Value) -> String {
    let is_plain = |c: char| c.is_ascii_graphic() || c == ' ' || c.is_alphanumeric();
    let text = detail.to_string();
    text.chars().map(|c| if is_plain(c) { c.to_string() } else { c.escape_unicode().to_string() }).collect()
}
