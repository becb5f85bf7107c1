//! Answers on disk: whole or not there, whenever the machine stops.
//!
//! One file an answer, named by a digest of authority, issuer and serial: a line of JSON that tells what it answers, then the OCSPResponse as it came.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};

use super::super::file;
use super::super::http::MAX_OCSP;
use super::super::keep;
use crate::now::Wall;
use crate::pki::Question;

/// How the files' names end.
const ENDING: &str = ".ocsp";
/// More than a header takes.
const MAX_HEADER: u64 = 8 << 10;

/// A folder of answers.
#[derive(Clone, Debug)]
pub(super) struct Store {
    pub(super) folder: PathBuf,
}

/// One answer, as it is on disk; nobody has verified it since.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sheet {
    pub(super) question: Question,
    /// Who gave it.
    pub(super) url: Arc<str>,
    pub(super) fetched: Wall,
    pub(super) der: Vec<u8>,
}

/// What is written before it.
#[derive(Serialize, Deserialize)]
struct Header {
    authority: String,
    url: String,
    /// In hex, and so is `serial`.
    issuer: String,
    serial: String,
    /// When it was fetched, in seconds since 1970.
    fetched: i64,
}

impl Store {
    /// In the state directory; nothing is made before there is something to write.
    pub(super) fn new(state_dir: &Path) -> Self {
        Self { folder: state_dir.join("ocsp") }
    }

    /// The names of all answers, and of what a killed process left.
    pub(super) fn names(&self) -> io::Result<(Vec<String>, Vec<String>)> {
        let folder = match fs::read_dir(&self.folder) {
            Ok(folder) => folder,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((Vec::new(), Vec::new())),
            Err(error) => return Err(error),
        };
        let (mut whole, mut left) = (Vec::new(), Vec::new());
        for entry in folder {
            let Ok(name) = entry?.file_name().into_string() else { continue };
            if name.ends_with(ENDING) {
                whole.push(name);
            } else if name.strip_suffix(".new").is_some_and(|name| name.ends_with(ENDING)) {
                left.push(name);
            }
        }
        Ok((whole, left))
    }

    /// # Errors
    ///
    /// It can't be read, or isn't an answer under its own name.
    pub(super) fn read(&self, name: &str) -> io::Result<Sheet> {
        let (octets, _) = file::read(&self.folder.join(name), MAX_HEADER + MAX_OCSP)?;
        let sheet = Sheet::parse(&octets).ok_or_else(|| io::Error::other("it has no header that can be read"))?;
        if self::name(&sheet.question) == name { Ok(sheet) } else { Err(io::Error::other("it has another's name")) }
    }

    pub(super) fn write(&self, sheet: &Sheet) -> io::Result<()> {
        fs::create_dir_all(&self.folder)?;
        keep::replace(&self.folder, &name(&sheet.question), &sheet.octets()?)
    }

    pub(super) fn remove(&self, name: &str) -> io::Result<()> {
        match fs::remove_file(self.folder.join(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

impl Sheet {
    fn parse(octets: &[u8]) -> Option<Self> {
        let end = octets.iter().position(|octet| *octet == b'\n')?;
        let (header, der) = octets.split_at_checked(end)?;
        let header: Header = serde_json::from_slice(header).ok()?;
        let question = Question {
            authority: header.authority.into(),
            issuer: HEXLOWER.decode(header.issuer.as_bytes()).ok()?.try_into().ok()?,
            serial: HEXLOWER.decode(header.serial.as_bytes()).ok()?,
        };
        Some(Self { question, url: header.url.into(), fetched: Wall(header.fetched), der: der.get(1..)?.to_vec() })
    }

    fn octets(&self) -> io::Result<Vec<u8>> {
        let header = Header {
            authority: self.question.authority.to_string(),
            url: self.url.to_string(),
            issuer: HEXLOWER.encode(&self.question.issuer),
            serial: HEXLOWER.encode(&self.question.serial),
            fetched: self.fetched.0,
        };
        let mut octets = serde_json::to_vec(&header)?;
        octets.push(b'\n');
        octets.extend_from_slice(&self.der);
        Ok(octets)
    }
}

/// Of an answer's file.
pub(super) fn name(question: &Question) -> String {
    // No authority's name has control characters and an issuer has its length, so no two questions share one.
    let of = [question.authority.as_bytes(), b"\0", &question.issuer, &question.serial].concat();
    format!("{}{ENDING}", keep::sha256(&of))
}
