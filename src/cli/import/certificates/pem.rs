//! PEM (RFC 7468): sections anywhere in a text.

use std::io::{self, BufRead, BufReader, Read};
use std::sync::Arc;

use data_encoding::BASE64;

use super::super::item::{Flow, Found, Sink};
use super::super::lines::{Line, Lines};
use super::super::survey::BOM;
use super::{LONGEST, Position, Stop, TOO_LONG, certificate, der, on};

/// All sections of a text.
pub(in super::super) fn read(file: &Arc<str>, reader: impl BufRead, sink: &mut Sink<'_>) -> io::Result<Flow> {
    let mut lines = Lines::new(reader);
    let mut begun = None;
    loop {
        let (line, label) = match begun.take() {
            Some(begun) => begun,
            None => match lines.next()? {
                None => return Ok(Flow::Continue(())),
                Some(line) => match label(&line) {
                    Some(label) => (line.number, label),
                    None => continue,
                },
            },
        };
        let position = Position { file: Arc::clone(file), line: Some(line) };
        let mut body = Body::new(&mut lines);
        let outcome = section(&label, &mut body, &position, sink).and_then(|()| body.finish());
        match outcome {
            Ok(()) => {}
            Err(Stop::Enough) => return Ok(Flow::Break(())),
            Err(Stop::Io(error)) => return Err(error),
            Err(Stop::Broken(why)) => {
                if sink(Found::refused(position.place(None), why)).is_break() {
                    return Ok(Flow::Break(()));
                }
            }
        }
        begun = body.begun;
    }
}

/// What a section that begins here holds.
fn label(line: &Line) -> Option<String> {
    let octets = line.octets.as_deref()?;
    let octets = octets.strip_prefix(BOM).unwrap_or(octets).trim_ascii_end();
    let label = octets.strip_prefix(b"-----BEGIN ")?.strip_suffix(b"-----")?;
    Some(String::from_utf8_lossy(label).into_owned())
}

fn section<R: BufRead>(
    label: &str,
    body: &mut Body<'_, R>,
    position: &Position,
    sink: &mut Sink<'_>,
) -> Result<(), Stop> {
    match label {
        "CERTIFICATE" | "X509 CERTIFICATE" | "TRUSTED CERTIFICATE" => {
            let mut der = Vec::new();
            body.take(LONGEST + 1).read_to_end(&mut der)?;
            let place = position.place(None);
            on(match der.len() as u64 > LONGEST {
                true => sink(Found::refused(place, TOO_LONG)),
                false => sink(certificate(place, &der)),
            })
        }
        "PKCS7" | "CMS" | "PKCS #7 SIGNED DATA" => der::pkcs7(BufReader::new(body), position, sink),
        label if label.contains("PRIVATE KEY") => {
            Err(Stop::Broken("a private key has no business in a list; it was not sent"))
        }
        _ => Err(Stop::Broken("this is no certificate, but something else in PEM")),
    }
}

/// The octets of a section, to its end.
struct Body<'a, R> {
    lines: &'a mut Lines<R>,
    /// Base64 that is no whole group yet.
    base64: Vec<u8>,
    octets: Vec<u8>,
    /// How many of `octets` are read.
    used: usize,
    /// Whether padding came: nothing may follow.
    is_padded: bool,
    is_over: bool,
    /// The next section, if it begins where this one has no end.
    begun: Option<(u64, String)>,
}

impl<'a, R: BufRead> Body<'a, R> {
    fn new(lines: &'a mut Lines<R>) -> Self {
        Self { lines, base64: Vec::new(), octets: Vec::new(), used: 0, is_padded: false, is_over: false, begun: None }
    }

    /// Goes to the end of the section, whatever is in it.
    fn finish(&mut self) -> Result<(), Stop> {
        io::copy(self, &mut io::sink())?;
        Ok(())
    }

    /// Reads one more line.
    fn more(&mut self) -> io::Result<()> {
        let Some(line) = self.lines.next()? else {
            self.is_over = true;
            return Err(io::ErrorKind::UnexpectedEof.into());
        };
        if let Some(label) = label(&line) {
            self.is_over = true;
            self.begun = Some((line.number, label));
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let octets = line.octets.ok_or(io::ErrorKind::InvalidData)?;
        if octets.starts_with(b"-----END ") {
            self.is_over = true;
            let is_whole = self.base64.is_empty();
            return if is_whole { Ok(()) } else { Err(io::ErrorKind::InvalidData.into()) };
        }
        self.decode(&octets)
    }

    fn decode(&mut self, line: &[u8]) -> io::Result<()> {
        let line = line.iter().filter(|octet| !octet.is_ascii_whitespace());
        self.base64.extend(line);
        let whole = self.base64.len() - self.base64.len() % 4;
        let rest = self.base64.split_off(whole);
        if self.is_padded && !self.base64.is_empty() {
            return Err(io::ErrorKind::InvalidData.into());
        }
        self.is_padded = self.base64.ends_with(b"=");
        self.octets = BASE64.decode(&self.base64).map_err(|_| io::ErrorKind::InvalidData)?;
        self.used = 0;
        self.base64 = rest;
        Ok(())
    }
}

impl<R: BufRead> Read for Body<'_, R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.used == self.octets.len() && !self.is_over {
            self.more()?;
        }
        let mut rest = self.octets.get(self.used..).unwrap_or_default();
        let read = rest.read(out)?;
        self.used += read;
        Ok(read)
    }
}
