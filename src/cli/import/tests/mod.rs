mod certificates;
mod lists;
mod mangled;

use std::sync::Arc;

use super::item::{Entry, Flow, Found, Record, What};
use super::list::{Asked, Columns};
use super::run::read_as;
use super::survey::survey;

/// What is found in a file, and what is said of it beforehand.
struct Reading {
    found: Vec<Found>,
    note: String,
}

/// Reads these octets as a file.
fn reading(octets: &[u8], asked: &Asked) -> Result<Reading, &'static str> {
    let kind = survey(octets).expect("octets in memory")?;
    let mut reading = Reading { found: Vec::new(), note: String::new() };
    let mut sink = |found| {
        reading.found.push(found);
        Flow::Continue(())
    };
    let name: Arc<str> = "list".into();
    let flow = read_as(kind, &name, octets, asked, &mut sink, &mut |note| reading.note = note);
    assert!(flow.expect("octets in memory").is_continue());
    Ok(reading)
}

fn asked(columns: &str) -> Asked {
    let columns: Columns = columns.parse().expect("columns");
    Asked { columns, ..Asked::default() }
}

impl Reading {
    fn records(&self) -> Vec<&Record> {
        let records = self.found.iter().filter_map(|found| match &found.what {
            What::Entry(Entry::Record(record)) => Some(record),
            _ => None,
        });
        records.collect()
    }

    fn certificates(&self) -> Vec<&[u8]> {
        let certificates = self.found.iter().filter_map(|found| match &found.what {
            What::Entry(Entry::Certificate(der)) => Some(der.as_slice()),
            _ => None,
        });
        certificates.collect()
    }

    /// Places and reasons.
    fn refused(&self) -> Vec<String> {
        let refused = self.found.iter().filter_map(|found| match &found.what {
            What::Refused(why) => Some(format!("{}: {why}", found.place)),
            _ => None,
        });
        refused.collect()
    }
}
