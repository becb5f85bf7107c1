//! Vanished entries as text, a line each, so that an operator can take one off by deleting its line.

use std::sync::Arc;

use data_encoding::{HEXLOWER, HEXLOWER_PERMISSIVE};

use super::{Gathering, Gone, Vanished};
use crate::now::Wall;
use crate::pki::der::MAX_SERIAL;
use crate::pki::digest::sha256;
use crate::pki::serials::Entry;

/// What the page begins with; lines that begin with # say nothing.
const HEAD: &str = "\
# Certificates that a CRL revoked and lists no more. They stay revoked; delete a line to end that for one.
# CA whose CRL it was, issuer, serial, revoked at, gone since (seconds since 1970), CRLReason, authority, source, check
";
/// Where no reason was given.
const NO_REASON: &str = "-";
/// Lines of which it is said one by one what is wrong with them.
const MAX_TOLD: usize = 20;

impl Vanished {
    /// A line for each entry, always in the same order.
    #[must_use]
    pub fn page(&self) -> String {
        let mut page = HEAD.to_owned();
        for ((signer, issuer), serial, Gone { entry, since, authority, source }) in self.all() {
            let (signer, serial) = (HEXLOWER.encode(&signer), HEXLOWER.encode(serial));
            let reason = entry.reason.map_or_else(|| NO_REASON.to_owned(), |reason| reason.to_string());
            let (authority, source) = (escaped(authority), escaped(source));
            let line = format!(
                "{signer}\t{issuer:016x}\t{serial}\t{}\t{}\t{reason}\t{authority}\t{source}",
                entry.at.0, since.0
            );
            page.push_str(&line);
            page.push('\t');
            page.push_str(&check(&line));
            page.push('\n');
        }
        page
    }

    /// Reads such a page, with room for `most`. The sentences say which lines can't be read, and how many; who was on those is not known.
    #[must_use]
    pub fn read(page: &str, most: usize) -> (Self, Vec<String>) {
        let lines = page.lines().zip(1_usize..).filter(|(line, _)| !line.is_empty() && !line.starts_with('#'));
        let (mut entries, mut faults, mut bad) = (Vec::new(), Vec::new(), 0_usize);
        let mut fault = |number: usize, what: &str| {
            bad += 1;
            if bad <= MAX_TOLD {
                faults.push(format!("line {number}: {what}"));
            }
        };
        for (line, number) in lines {
            match Line::read(line) {
                Some(line) => entries.push((line, number)),
                None => fault(number, "it is damaged or no line of such a page"),
            }
        }
        let mut all = Gathering::new(most);
        for (line, number) in &entries {
            let gone = Gone { entry: line.entry, since: line.since, authority: &line.authority, source: &line.source };
            if !all.add((line.signer, line.issuer), &line.serial, gone) {
                fault(*number, "there are too many sources");
            }
        }
        if bad > MAX_TOLD {
            faults.push(format!("{} more lines cannot be read", bad - MAX_TOLD));
        }
        (all.settle(), faults)
    }
}

struct Line {
    signer: [u8; 32],
    issuer: u64,
    serial: Vec<u8>,
    entry: Entry,
    since: Wall,
    authority: Arc<str>,
    source: Arc<str>,
}

impl Line {
    fn read(line: &str) -> Option<Self> {
        let (line, sum) = line.rsplit_once('\t')?;
        if check(line) != sum {
            return None;
        }
        let fields: Vec<&str> = line.split('\t').collect();
        let [signer, issuer, serial, at, since, reason, authority, source] = fields.as_slice() else { return None };
        let serial = HEXLOWER_PERMISSIVE.decode(serial.as_bytes()).ok()?;
        let reason = if *reason == NO_REASON { None } else { Some(reason.parse().ok()?) };
        if serial.is_empty() || serial.len() > MAX_SERIAL {
            return None;
        }
        Some(Self {
            signer: HEXLOWER_PERMISSIVE.decode(signer.as_bytes()).ok()?.try_into().ok()?,
            issuer: u64::from_str_radix(issuer, 16).ok()?,
            serial,
            entry: Entry { at: Wall(at.parse().ok()?), reason },
            since: Wall(since.parse().ok()?),
            authority: unescaped(authority)?.into(),
            source: unescaped(source)?.into(),
        })
    }
}

/// The first four octets of a line's SHA-256: a line cut short or changed by accident isn't believed.
fn check(line: &str) -> String {
    HEXLOWER.encode(&sha256(&[line.as_bytes()])[..4])
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\t', "\\t").replace('\n', "\\n").replace('\r', "\\r")
}

fn unescaped(text: &str) -> Option<String> {
    let mut plain = String::new();
    let mut rest = text.chars();
    while let Some(char) = rest.next() {
        plain.push(match char {
            '\\' => match rest.next()? {
                '\\' => '\\',
                't' => '\t',
                'n' => '\n',
                'r' => '\r',
                _ => return None,
            },
            plain => plain,
        });
    }
    Some(plain)
}
