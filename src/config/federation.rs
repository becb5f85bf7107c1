//! `[federation]`: what an Accept tells others of a user. The rest of it is proxying, which isn't built yet.

use super::files::{self, SecretKeys};
use super::names::Names;
use super::reader::{Item, Table};
use crate::access;
use crate::secret::Secret;

/// The two ways to write the key of Chargeable-User-Identity.
const CUI: SecretKeys = SecretKeys { inline: "cui-key", file: "cui-key-file" };
/// Whoever finds the key can tell which of the users he knows a value belongs to.
const SHORT: usize = 16;

pub(super) fn federation(root: &mut Table<'_>, names: &Names) -> access::CuiSettings {
    let Some(mut table) = root.table("federation") else { return access::CuiSettings::default() };
    let operator = table.take("operator-name").and_then(|item| operator_name(&item)).unwrap_or_default();
    let key = files::optional(&mut table, &CUI).and_then(|(item, is_file)| cui_key(&item, is_file));
    for key in ["home-realms", "blackhole-realms"] {
        if let Some(item) = table.take(key) {
            item.not_built(PROXYING);
            item.texts();
        }
    }
    if let Some(item) = table.take("servers") {
        item.not_built(PROXYING);
        names.home_servers.refer_all(&item);
    }
    table.finish();
    access::CuiSettings { key, operator }
}

const PROXYING: &str = "proxying to a federation";

/// RFC 5580 section 4.1: a digit that says of which kind the name is, then the name.
fn operator_name(item: &Item<'_>) -> Option<String> {
    let text = item.name()?;
    let good = text.strip_prefix(['0', '1', '2', '3']).is_some_and(|name| !name.is_empty());
    if !good {
        item.error("needs a digit for the kind of name, then the name: \"1jaist.ac.jp\" is the realm jaist.ac.jp (RFC 5580 section 4.1)");
    }
    good.then(|| text.to_owned())
}

fn cui_key(item: &Item<'_>, is_file: bool) -> Option<Secret> {
    let key = files::secret(item, is_file, "the key of Chargeable-User-Identity")?;
    if key.is_empty() {
        item.error("the key is empty: anybody could tell which user a Chargeable-User-Identity belongs to; make one: openssl rand -base64 24");
        return None;
    }
    if key.len() < SHORT {
        item.warning(format!(
            "the key has {} octets only; whoever knows the users' names can find it by trying; use {SHORT} or more: openssl rand -base64 24",
            key.len()
        ));
    }
    Some(key)
}
