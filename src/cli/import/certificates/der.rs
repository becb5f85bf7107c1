//! DER, element by element: nothing is kept but the certificate at hand, nothing is allocated by a declared length.

use std::io::{self, BufRead, Read};
use std::sync::Arc;

use super::super::item::{Flow, Found, Sink};
use super::{CUT_OFF, LONGEST, Position, Stop, TOO_LONG, certificate, on};

const INTEGER: u8 = 0x02;
const OID: u8 = 0x06;
const SEQUENCE: u8 = 0x30;
/// `[0]`, constructed.
const CONTEXT: u8 = 0xa0;

/// id-signedData (RFC 5652 section 5.1).
const SIGNED_DATA: [u8; 9] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2];

/// Certificates one after the other, or PKCS#7.
pub(in super::super) fn read(file: &Arc<str>, mut reader: impl BufRead, sink: &mut Sink<'_>) -> io::Result<Flow> {
    let position = Position { file: Arc::clone(file), line: None };
    let mut number = 0;
    loop {
        if reader.fill_buf()?.is_empty() {
            return Ok(Flow::Continue(()));
        }
        number += 1;
        let outcome = element(&mut reader, &position, number, sink);
        match outcome {
            Ok(Rest::More) => {}
            Ok(Rest::Nothing) => return Ok(Flow::Continue(())),
            Err(Stop::Enough) => return Ok(Flow::Break(())),
            Err(Stop::Io(error)) => return Err(error),
            Err(Stop::Broken(why)) => return Ok(sink(Found::refused(position.place(Some(number)), why))),
        }
    }
}

/// Whether what follows is looked at.
enum Rest {
    More,
    /// The certificates of PKCS#7 were read, and signatures are nobody's affair.
    Nothing,
}

fn element(reader: &mut impl BufRead, position: &Position, number: u64, sink: &mut Sink<'_>) -> Result<Rest, Stop> {
    let header = Header::read(reader)?.ok_or(Stop::Broken(CUT_OFF))?;
    if header.tag != SEQUENCE {
        return Err(Stop::Broken("it is not DER of a certificate"));
    }
    match reader.fill_buf()?.first() {
        Some(&OID) => signed_data(reader, position, sink).map(|()| Rest::Nothing),
        Some(&INTEGER) => Err(Stop::Broken(
            "it is PKCS#12 or a private key, which has no business here; openssl pkcs12 -in FILE -nokeys gives its certificates",
        )),
        _ => {
            let der = header.whole(reader)?.ok_or(Stop::Broken(TOO_LONG))?;
            on(sink(certificate(position.place((number > 1).then_some(number)), &der)))?;
            Ok(Rest::More)
        }
    }
}

/// All of PKCS#7: the element around it included.
pub(super) fn pkcs7(mut reader: impl BufRead, position: &Position, sink: &mut Sink<'_>) -> Result<(), Stop> {
    match Header::read(&mut reader)? {
        Some(Header { tag: SEQUENCE, .. }) => signed_data(&mut reader, position, sink),
        _ => Err(Stop::Broken("it is no PKCS#7 in DER")),
    }
}

/// The certificates of ContentInfo, the inside of its SEQUENCE; what follows them is not looked at.
fn signed_data(reader: &mut impl BufRead, position: &Position, sink: &mut Sink<'_>) -> Result<(), Stop> {
    const NONE: Stop = Stop::Broken("it is no PKCS#7 with certificates");
    let kind = expect(reader, OID)?;
    let mut oid = [0; SIGNED_DATA.len()];
    if kind.length != oid.len() as u64 {
        return Err(NONE);
    }
    reader.read_exact(&mut oid)?;
    if oid != SIGNED_DATA {
        return Err(NONE);
    }
    expect(reader, CONTEXT)?;
    expect(reader, SEQUENCE)?;
    // version, digestAlgorithms, encapContentInfo
    for _ in 0..3 {
        let header = Header::read(reader)?.ok_or(NONE)?;
        skip(reader, header.length)?;
    }
    let set = expect(reader, CONTEXT).map_err(|stop| match stop {
        Stop::Broken(_) => NONE,
        stop => stop,
    })?;
    let mut rest = reader.take(set.length);
    let mut number = 0;
    while let Some(header) = Header::read(&mut rest)? {
        // Other choices of CertificateChoices have other tags.
        if header.tag != SEQUENCE {
            skip(&mut rest, header.length)?;
            continue;
        }
        number += 1;
        let place = position.place(Some(number));
        on(match header.whole(&mut rest)? {
            Some(der) => sink(certificate(place, &der)),
            None => sink(Found::refused(place, TOO_LONG)),
        })?;
    }
    // A `take` that the file didn't fill looks like its end.
    if rest.limit() == 0 { Ok(()) } else { Err(Stop::Broken(CUT_OFF)) }
}

fn expect(reader: &mut impl Read, tag: u8) -> Result<Header, Stop> {
    match Header::read(reader)? {
        Some(header) if header.tag == tag => Ok(header),
        Some(_) => Err(Stop::Broken("it is no PKCS#7 in DER")),
        None => Err(Stop::Broken(CUT_OFF)),
    }
}

fn skip(reader: &mut impl Read, length: u64) -> Result<(), Stop> {
    let skipped = io::copy(&mut reader.take(length), &mut io::sink())?;
    if skipped == length { Ok(()) } else { Err(Stop::Broken(CUT_OFF)) }
}

/// Tag and length of an element.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Header {
    tag: u8,
    length: u64,
    /// As they stand.
    raw: Vec<u8>,
}

impl Header {
    /// `None`: nothing follows.
    fn read(reader: &mut impl Read) -> Result<Option<Self>, Stop> {
        let mut raw = Vec::with_capacity(6);
        reader.by_ref().take(1).read_to_end(&mut raw)?;
        let Some(&tag) = raw.first() else { return Ok(None) };
        if tag & 0x1f == 0x1f {
            return Err(Stop::Broken("it holds a tag that neither certificates nor PKCS#7 have"));
        }
        let first = octet(reader, &mut raw)?;
        let length = match first {
            0..=0x7f => u64::from(first),
            0x81..=0x87 => {
                let mut length = 0;
                for _ in 0..(first & 0x0f) {
                    length = length << 8 | u64::from(octet(reader, &mut raw)?);
                }
                length
            }
            _ => return Err(Stop::Broken("it holds a length that DER doesn't have")),
        };
        Ok(Some(Self { tag, length, raw }))
    }

    /// All of the element; `None`: it was too long, and skipped.
    fn whole(self, reader: &mut impl Read) -> Result<Option<Vec<u8>>, Stop> {
        if self.length > LONGEST {
            skip(reader, self.length)?;
            return Ok(None);
        }
        let mut whole = self.raw;
        let read = reader.take(self.length).read_to_end(&mut whole)?;
        if read as u64 == self.length { Ok(Some(whole)) } else { Err(Stop::Broken(CUT_OFF)) }
    }
}

fn octet(reader: &mut impl Read, raw: &mut Vec<u8>) -> Result<u8, Stop> {
    let mut octet = [0];
    reader.read_exact(&mut octet)?;
    raw.extend(octet);
    Ok(octet[0])
}
