//! `openssl verify -crl_check`, the program itself.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{fs, io};

use data_encoding::BASE64;

use crate::campus::Campus;

/// Microseconds: /proc counts hundredths of a second.
const TICK: f64 = 10_000.0;

/// Microseconds of CPU time: a process of seconds is often interrupted.
pub(crate) struct Checks {
    /// A process that verifies one chain.
    pub(crate) once: f64,
    /// Each further chain.
    pub(crate) each: f64,
}

/// `None`: there is no openssl here.
pub(crate) fn measure(campus: &Campus, repeats: usize) -> Option<Checks> {
    let folder = Folder::new().expect("a folder for the bench");
    folder.write("ca.pem", &campus.anchor(), "CERTIFICATE").expect("a file");
    folder.write("member.pem", campus.member(0), "CERTIFICATE").expect("a file");
    folder.write("crl.pem", &campus.crl, "X509 CRL").expect("a file");
    if let Err(missing) = verify(&folder.0, 1) {
        assert_eq!(missing.kind(), io::ErrorKind::NotFound, "{missing}");
        return None;
    }
    let time = |chains: usize| {
        let spent = |_| {
            let before = spent_by_children();
            verify(&folder.0, chains).expect("it ran before");
            spent_by_children() - before
        };
        (0..repeats.min(3)).map(spent).min().unwrap_or_default() as f64 * TICK
    };
    // The shorter the CRL, the more chains: ticks are long.
    let more = if campus.crl.len() > 10_000_000 { 30 } else { 30 * repeats };
    let once = time(1);
    Some(Checks { once, each: (time(1 + more) - once) / more as f64 })
}

/// Ticks of CPU time of all processes that this one has started and seen end (proc_pid_stat(5): cutime, cstime).
fn spent_by_children() -> u64 {
    let stat = fs::read_to_string("/proc/self/stat").expect("Linux");
    let (_, fields) = stat.rsplit_once(')').expect("the name of the program");
    fields.split_whitespace().skip(13).take(2).map(|ticks| ticks.parse::<u64>().expect("a number")).sum()
}

/// Verifies so many times the same chain in one process.
fn verify(folder: &Path, chains: usize) -> io::Result<()> {
    let mut command = Command::new("openssl");
    command.current_dir(folder).stdout(Stdio::null()).stderr(Stdio::null());
    command.args(["verify", "-crl_check", "-CAfile", "ca.pem", "-CRLfile", "crl.pem"]);
    command.args(std::iter::repeat_n("member.pem", chains));
    let status = command.status()?;
    assert!(status.success(), "openssl finds the member's certificate good: {status}");
    Ok(())
}

/// One that ends with what holds it.
struct Folder(PathBuf);

impl Folder {
    fn new() -> io::Result<Self> {
        let path = std::env::temp_dir().join(format!("sekisho-bench-{}", std::process::id()));
        fs::create_dir_all(&path)?;
        Ok(Self(path))
    }

    fn write(&self, name: &str, der: &[u8], label: &str) -> io::Result<()> {
        let text = BASE64.encode(der);
        let mut pem = format!("-----BEGIN {label}-----\n");
        for line in text.as_bytes().chunks(64) {
            pem.push_str(&String::from_utf8_lossy(line));
            pem.push('\n');
        }
        pem.push_str(&format!("-----END {label}-----\n"));
        fs::write(self.0.join(name), pem)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What can't be removed lies in the folder of passing things.
        let _ = fs::remove_dir_all(&self.0);
    }
}
