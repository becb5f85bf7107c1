//! What members' certificates have told, on disk.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};

use super::super::{file, keep};
use super::places::Place;

const NAME: &str = "learned.json";
/// More than [`super::places::MOST`] URLs of each kind take for dozens of authorities.
const MAX_OCTETS: u64 = 16 << 20;

/// Every place that a member has told of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Page {
    pub(super) crls: Vec<Place>,
    pub(super) responders: Vec<Place>,
}

/// The file, and whether it is as it should be.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    pub(super) path: PathBuf,
    /// Whether more is known than stands in it.
    pub(super) unwritten: bool,
    pub(super) problem: Option<String>,
}

#[derive(Default, Serialize, Deserialize)]
struct Lists {
    crls: Vec<Line>,
    responders: Vec<Line>,
}

/// One place.
#[derive(Serialize, Deserialize)]
struct Line {
    authority: String,
    /// In hex.
    issuer: String,
    url: String,
}

impl Kept {
    pub(super) fn new(state_dir: &Path) -> Self {
        Self { path: state_dir.join(NAME), unwritten: false, problem: None }
    }

    /// What stands in it; nothing where there is no such file.
    pub(super) fn read(&mut self) -> Page {
        let lists = match file::read(&self.path, MAX_OCTETS) {
            Ok((json, _)) => serde_json::from_slice(&json).map_err(io::Error::from),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Lists::default()),
            Err(error) => Err(error),
        };
        let Lists { crls, responders } = lists.unwrap_or_else(|error| {
            self.problem = Some(format!(
                "cannot be read: {error}; where members' CRLs are is learned anew from their next logins"
            ));
            Lists::default()
        });
        let places = |lines: Vec<Line>| lines.iter().filter_map(Line::place).collect();
        Page { crls: places(crls), responders: places(responders) }
    }

    pub(super) fn wrote(&mut self, result: Result<(), String>) {
        self.unwritten = result.is_err();
        let missing = |error| {
            format!("cannot be written: {error}; what stands in members' certificates is forgotten at a restart")
        };
        self.problem = result.err().map(missing);
    }
}

impl Line {
    fn of(place: &Place) -> Self {
        let Place { authority, issuer, url } = place;
        Self { authority: authority.to_string(), issuer: HEXLOWER.encode(issuer), url: url.to_string() }
    }

    /// Read as strictly as if a certificate had told of it now.
    fn place(&self) -> Option<Place> {
        let issuer = HEXLOWER.decode(self.issuer.as_bytes()).ok()?.try_into().ok()?;
        Place::parse(&Arc::from(self.authority.as_str()), issuer, &self.url)
    }
}

/// A page that isn't on disk yet.
#[derive(Debug)]
pub(crate) struct Unwritten {
    pub(super) page: Page,
    pub(super) path: PathBuf,
}

impl Unwritten {
    /// Writes it in the place of what was there. When this returns well, it is there after a power cut too.
    pub(crate) fn write(&self) -> Result<(), String> {
        let lines = |places: &[Place]| places.iter().map(Line::of).collect();
        let lists = Lists { crls: lines(&self.page.crls), responders: lines(&self.page.responders) };
        self.replace(&lists).map_err(|error| error.to_string())
    }

    fn replace(&self, lists: &Lists) -> io::Result<()> {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder)?;
        keep::replace(folder, NAME, &serde_json::to_vec_pretty(lists)?)?;
        keep::sync(folder)
    }
}
