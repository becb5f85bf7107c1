//! `sekisho ticket-key`: the keys that seal tickets.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, fchown};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::json;
use zeroize::Zeroizing;

use crate::tls;

/// How many of the old keys still open tickets: with a new key each day or two, those of the seven days that a ticket may live at most.
const OLD_KEYS: usize = 4;
const HEADER: &str = "# Ticket keys, one a line; the first seals, all open. The same file on every node. Whoever holds it can resume as anybody.\n";

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Put a new first key into the file; the four before it still open tickets. The file is made if there is none
    Rotate {
        /// [tls].ticket-key-file
        file: PathBuf,
        /// JSON instead of text
        #[arg(long)]
        json: bool,
    },
}

/// Exit code 0: done; 1: the file is as it was.
pub(crate) fn run(args: Args) -> ExitCode {
    let Command::Rotate { file, json } = args.command;
    match rotate(&file) {
        Ok(old) if json => {
            println!("{}", json!({ "file": file.display().to_string(), "old": old }));
            ExitCode::SUCCESS
        }
        Ok(old) => {
            println!("{}: a new first key, {old} old; reload every node that uses it", file.display());
            ExitCode::SUCCESS
        }
        Err(text) => {
            eprintln!("{}: {text}", file.display());
            ExitCode::FAILURE
        }
    }
}

/// Puts a new key first; tells how many old ones are still in it.
fn rotate(file: &Path) -> Result<usize, String> {
    let words = |error: io::Error| error.to_string();
    let file = match fs::canonicalize(file) {
        Ok(target) => target,
        Err(error) if error.kind() == io::ErrorKind::NotFound => file.to_owned(),
        Err(error) => return Err(words(error)),
    };
    let mut old = old_keys(&file)?;
    old.truncate(OLD_KEYS);
    let mut text = Zeroizing::new(HEADER.as_bytes().to_vec());
    text.extend_from_slice(tls::new_ticket_key_line()?.expose());
    for key in &old {
        text.extend_from_slice(tls::ticket_key_line(key).expose());
    }
    replace(&file, &text).map_err(words)?;
    Ok(old.len())
}

/// The keys of the file; none where there is no file, or nothing but space and comments in it.
fn old_keys(file: &Path) -> Result<Vec<crate::secret::Secret>, String> {
    let text = match fs::read_to_string(file) {
        Ok(text) => Zeroizing::new(text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error.to_string()),
    };
    let empty = text.lines().all(|line| line.trim().is_empty() || line.trim().starts_with('#'));
    if empty { Ok(Vec::new()) } else { tls::ticket_keys(&text) }
}

/// Writes a file beside it and moves it into place: whoever reads sees the old keys or the new, whole. It keeps its owner, who may not be who runs this.
fn replace(file: &Path, text: &[u8]) -> io::Result<()> {
    let mut name = file.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let beside = file.with_file_name(name);
    let written = write_beside(file, &beside, text).and_then(|()| fs::rename(&beside, file));
    if written.is_err() {
        // It may not even be there; what matters is the error that we have.
        let _ = fs::remove_file(&beside);
    }
    written?;
    let directory = file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(directory)?.sync_all()
}

fn write_beside(file: &Path, beside: &Path, text: &[u8]) -> io::Result<()> {
    let mut new = OpenOptions::new().write(true).create_new(true).mode(0o600).open(beside)?;
    new.write_all(text)?;
    if let Ok(old) = fs::metadata(file) {
        let own = new.metadata()?;
        if (old.uid(), old.gid()) != (own.uid(), own.gid()) {
            fchown(&new, Some(old.uid()), Some(old.gid()))?;
        }
    }
    new.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::support::scratch::Scratch;

    fn keys(file: &Path) -> Vec<crate::secret::Secret> {
        tls::ticket_keys(&fs::read_to_string(file).unwrap()).unwrap()
    }

    #[test]
    fn rotating_makes_the_file_then_keeps_four_old_keys_in_order() {
        let directory = Scratch::new();
        let file = directory.path().join("ticket.keys");
        let mut before = Vec::new();
        for round in 0..7 {
            assert_eq!(rotate(&file), Ok(before.len().min(OLD_KEYS)), "{round}");
            let after = keys(&file);
            assert_eq!(after.len(), (round + 1).min(OLD_KEYS + 1));
            assert!(after[1..] == before[..before.len().min(OLD_KEYS)]);
            assert!(!before.contains(&after[0]));
            before = after;
        }
        assert_eq!(fs::metadata(&file).unwrap().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn rotating_narrows_a_file_that_others_could_read_and_follows_a_link() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let directory = Scratch::new();
        let (file, link) = (directory.path().join("real"), directory.path().join("link"));
        fs::write(&file, "# empty yet\n").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        symlink(&file, &link).unwrap();
        assert_eq!(rotate(&link), Ok(0));
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::metadata(&file).unwrap().mode() & 0o777, 0o600);
        assert_eq!(keys(&file).len(), 1);
    }

    #[test]
    fn a_file_that_cant_be_read_stays_as_it_was() {
        let directory = Scratch::new();
        let file = directory.path().join("ticket.keys");
        fs::write(&file, "not a key\n").unwrap();
        assert_eq!(rotate(&file), Err("line 1: neither hex nor base64".to_owned()));
        assert_eq!(fs::read_to_string(&file).unwrap(), "not a key\n");
        assert!(rotate(directory.path()).is_err());
        assert!(rotate(&directory.path().join("nowhere/ticket.keys")).is_err());
    }
}
