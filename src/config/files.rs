//! The files that a configuration names: certificates, keys, secrets.

use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rustix::fs::{Access, access};
use zeroize::Zeroizing;

use super::pem;
use super::reader::{Item, Table};
use crate::exchange::SHORT_SECRET;
use crate::secret::Secret;

/// More than any chain or key takes.
const MAX_PEM: u64 = 1 << 20;
/// More than any shared secret takes.
const MAX_SECRET: u64 = 4096;

/// A whole regular file of at most `max` octets; the error is a sentence without a full stop.
pub(super) fn octets(path: &Path, max: u64) -> Result<Zeroizing<Vec<u8>>, String> {
    let cannot = |error: std::io::Error| format!("can't read {}: {error}", path.display());
    // A pipe or device may never end; it isn't even opened.
    let meta = std::fs::metadata(path).map_err(cannot)?;
    if !meta.is_file() {
        return Err(format!("can't read {}: it is no regular file", path.display()));
    }
    let room = usize::try_from(meta.len().min(max)).unwrap_or(0);
    let mut octets = Zeroizing::new(Vec::with_capacity(room.saturating_add(1)));
    let file = std::fs::File::open(path).map_err(cannot)?;
    file.take(max.saturating_add(1)).read_to_end(&mut octets).map_err(cannot)?;
    match octets.len() as u64 > max {
        true => Err(format!("can't read {}: it is longer than {max} octets", path.display())),
        false => Ok(octets),
    }
}

/// Why a folder of the server's own is of no use to whoever runs this.
pub(super) enum Useless {
    /// What stands in it can't be read: nobody knows who has to stay out.
    Unreadable(String),
    /// Nothing can be kept in it.
    Unwritable(String),
}

/// Whether files can be read and written in a folder; one that isn't there yet is made when it is wanted. Nothing is written to find out.
pub(super) fn useful(folder: &Path) -> Result<(), Useless> {
    let there = folder.ancestors().find(|folder| !folder.as_os_str().is_empty() && folder.exists());
    let there = there.unwrap_or_else(|| Path::new("."));
    if !there.is_dir() {
        return Err(Useless::Unreadable(format!("{} is no folder", there.display())));
    }
    let wants = |mode| access(there, mode).map_err(std::io::Error::from);
    if there == folder {
        wants(Access::READ_OK | Access::EXEC_OK)
            .map_err(|error| Useless::Unreadable(format!("can't read {}: {error}", folder.display())))?;
    }
    wants(Access::WRITE_OK | Access::EXEC_OK).map_err(|error| {
        Useless::Unwritable(match there == folder {
            true => format!("can't write into {}: {error}", folder.display()),
            false => format!("can't make {}: {}: {error}", folder.display(), there.display()),
        })
    })
}

/// Warns where a file that holds something secret can be read by others.
fn guard(item: &Item<'_>, path: &Path, what: &str) {
    let Ok(meta) = std::fs::metadata(path) else { return };
    let mode = meta.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        item.warning(format!(
            "{} holds {what}, and others may use it (mode {mode:03o}); chmod 600, owned by who runs the server",
            path.display()
        ));
    }
}

/// The certificates in a PEM file, or the one in a DER file; at least one.
pub(super) fn certificates(item: &Item<'_>) -> Option<Vec<Vec<u8>>> {
    let path = item.path()?;
    let octets = octets(&path, MAX_PEM).map_err(|text| item.error(text)).ok()?;
    pem::certificates(&octets).map_err(|text| item.error(format!("{}: {text}", path.display()))).ok()
}

/// The one certificate in a file.
pub(super) fn certificate(item: &Item<'_>) -> Option<Vec<u8>> {
    let mut found = certificates(item)?;
    if found.len() > 1 {
        item.error(
            "holds several certificates; name a file with the anchor alone, and put the others under `intermediates`",
        );
    }
    (found.len() == 1).then(|| found.swap_remove(0))
}

/// A private key: PKCS#8, PKCS#1 or SEC1.
pub(super) fn private_key(item: &Item<'_>) -> Option<Secret> {
    let path = item.path()?;
    let octets = octets(&path, MAX_PEM).map_err(|text| item.error(text)).ok()?;
    guard(item, &path, "a private key");
    pem::private_key(&octets).map_err(|bad| item.error(format!("{}: {bad}", path.display()))).ok()
}

/// Keys that hold a secret: the one that says it and the one that names a file.
pub(super) struct SecretKeys {
    pub(super) inline: &'static str,
    pub(super) file: &'static str,
}

/// The two ways to write a shared secret.
pub(super) const SHARED: SecretKeys = SecretKeys { inline: "secret", file: "secret-file" };

/// The item that holds a secret, and whether it names a file: exactly one of the two must be there.
pub(super) fn either<'a>(table: &mut Table<'a>, keys: &SecretKeys) -> Option<(Item<'a>, bool)> {
    if table.take(keys.inline).is_none() && table.take(keys.file).is_none() {
        table.missing(keys.file, &format!("write the path of a file that holds it, or `{}` itself", keys.inline));
    }
    optional(table, keys)
}

/// As [`either`], where there may be no secret.
pub(super) fn optional<'a>(table: &mut Table<'a>, keys: &SecretKeys) -> Option<(Item<'a>, bool)> {
    match (table.take(keys.inline), table.take(keys.file)) {
        (Some(inline), None) => Some((inline, false)),
        (None, Some(file)) => Some((file, true)),
        (Some(_), Some(file)) => {
            file.error(format!("`{}` and `{}` both say it; leave one out", keys.inline, keys.file));
            None
        }
        (None, None) => None,
    }
}

/// The secret that an item holds or whose file it names.
pub(super) fn secret(item: &Item<'_>, is_file: bool, what: &str) -> Option<Secret> {
    if is_file {
        return secret_file(item, what);
    }
    guard(item, item.report.file(), what);
    item.text().map(Secret::new)
}

/// A shared secret; short ones are reported (W19).
pub(super) fn shared_secret(table: &mut Table<'_>) -> Option<Secret> {
    good_secret(either(table, &SHARED)?)
}

/// As [`shared_secret`], where there may be none.
pub(super) fn optional_shared_secret(table: &mut Table<'_>) -> Option<Secret> {
    good_secret(optional(table, &SHARED)?)
}

fn good_secret((item, is_file): (Item<'_>, bool)) -> Option<Secret> {
    let secret = secret(&item, is_file, "a shared secret")?;
    if secret.is_empty() {
        item.error("the shared secret is empty: anybody could speak for this NAS; make one: openssl rand -base64 24");
        return None;
    }
    if secret.len() <= SHORT_SECRET {
        item.warning(format!(
            "the shared secret has {} octets only; whoever hears one packet can find it by trying; use 16 or more: openssl rand -base64 24",
            secret.len()
        ));
    }
    Some(secret)
}

/// A file's octets without the line's end.
fn secret_file(item: &Item<'_>, what: &str) -> Option<Secret> {
    let path = item.path()?;
    let octets = octets(&path, MAX_SECRET).map_err(|text| item.error(text)).ok()?;
    guard(item, &path, what);
    let line = octets.strip_suffix(b"\n").unwrap_or(&octets);
    Some(Secret::new(line.strip_suffix(b"\r").unwrap_or(line)))
}

/// The keys of `ticket-key-file`.
pub(super) fn ticket_keys(item: &Item<'_>) -> Option<Vec<Secret>> {
    let path = item.path()?;
    let octets = octets(&path, MAX_PEM).map_err(|text| item.error(text)).ok()?;
    guard(item, &path, "what lets its holder resume as anybody");
    let text = std::str::from_utf8(&octets).map_err(|_| "it is no text".to_owned());
    text.and_then(crate::tls::ticket_keys).map_err(|text| item.error(format!("{}: {text}", path.display()))).ok()
}
