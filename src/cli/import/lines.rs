//! Lines of bounded length.

use std::io::{self, BufRead};

/// Longest line in octets: a certificate may stand on one.
pub(super) const LONGEST: usize = 128 << 10;

/// Reads line after line, however long they are.
#[derive(Debug)]
pub(super) struct Lines<R> {
    reader: R,
    number: u64,
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// From 1 on.
    pub(super) number: u64,
    /// Without its end, LF or CRLF. `None`: it is longer than [`LONGEST`].
    pub(super) octets: Option<Vec<u8>>,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(reader: R) -> Self {
        Self { reader, number: 0 }
    }

    /// The next line; `None` after the last.
    pub(super) fn next(&mut self) -> io::Result<Option<Line>> {
        let mut octets = Vec::new();
        let mut is_whole = true;
        let mut is_there = false;
        loop {
            let available = match self.reader.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                available => available?,
            };
            if available.is_empty() {
                break;
            }
            is_there = true;
            let end = available.iter().position(|octet| *octet == b'\n');
            let taken = available.get(..end.unwrap_or(available.len())).unwrap_or_default();
            is_whole = is_whole && octets.len() + taken.len() <= LONGEST;
            if is_whole {
                octets.extend_from_slice(taken);
            }
            let used = taken.len() + usize::from(end.is_some());
            self.reader.consume(used);
            if end.is_some() {
                break;
            }
        }
        if !is_there {
            return Ok(None);
        }
        self.number += 1;
        if octets.last() == Some(&b'\r') {
            octets.pop();
        }
        Ok(Some(Line { number: self.number, octets: is_whole.then_some(octets) }))
    }
}
