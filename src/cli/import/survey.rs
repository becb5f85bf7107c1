//! What a file is: looked through once, before it is read.

use std::io::{self, BufRead, Read};

use encoding_rs::SHIFT_JIS;

use super::lines::Lines;

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Pem,
    /// Certificates or PKCS#7.
    Der,
    List(Form),
}

/// How a list is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Form {
    pub(super) encoding: Encoding,
    pub(super) separator: Separator,
}

/// What its octets mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    Utf8,
    /// As Windows has it: CP932.
    ShiftJis,
}

/// What parts its columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Separator {
    Tab,
    Comma,
}

impl Encoding {
    /// The text; `None`: it is none.
    pub(super) fn decode(self, octets: &[u8]) -> Option<String> {
        match self {
            Self::Utf8 => str::from_utf8(octets).ok().map(str::to_owned),
            Self::ShiftJis => {
                SHIFT_JIS.decode_without_bom_handling_and_without_replacement(octets).map(|text| text.into_owned())
            }
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "UTF-8",
            Self::ShiftJis => "Shift_JIS",
        }
    }
}

impl Separator {
    pub(super) fn character(self) -> char {
        match self {
            Self::Tab => '\t',
            Self::Comma => ',',
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Tab => "tabs",
            Self::Comma => "commas",
        }
    }
}

/// The mark at the beginning of texts that Windows writes.
pub(super) const BOM: &[u8] = &[0xef, 0xbb, 0xbf];

/// Says what it is, or why it can't be imported.
pub(super) fn survey(mut reader: impl BufRead) -> io::Result<Result<Kind, &'static str>> {
    // As many octets as tell; a pipe may give fewer at a time.
    let mut start = Vec::new();
    reader.by_ref().take(16).read_to_end(&mut start)?;
    if let Some(known) = by_start(&start) {
        return Ok(known);
    }
    by_lines(Lines::new(start.as_slice().chain(reader)))
}

fn by_start(start: &[u8]) -> Option<Result<Kind, &'static str>> {
    match start {
        [] => Some(Err("it is empty")),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => Some(Err("it is UTF-16; save it as UTF-8 (\"CSV UTF-8\")")),
        [b'P', b'K', 3, 4, ..] | [0xd0, 0xcf, 0x11, 0xe0, ..] => {
            Some(Err("it is a workbook or an archive; save its sheet as CSV"))
        }
        [0x30, 0x80, ..] => {
            Some(Err("it is BER of indefinite length; openssl pkcs7 -inform DER -in FILE -print_certs makes PEM of it"))
        }
        [0x30, length @ 0x81..=0x84, rest @ ..] => {
            // After the length comes what all of it is made of; text has no such octets there.
            let inside = rest.get(usize::from(length & 0x0f)).copied();
            matches!(inside, Some(0x02 | 0x06 | 0x30)).then_some(Ok(Kind::Der))
        }
        _ => None,
    }
}

/// How many lines make no sense in either encoding.
#[derive(Default)]
struct Doubts {
    utf8: u64,
    shift_jis: u64,
}

fn by_lines(mut lines: Lines<impl BufRead>) -> io::Result<Result<Kind, &'static str>> {
    let mut separator = None;
    let mut doubts = Doubts::default();
    while let Some(line) = lines.next()? {
        let Some(octets) = line.octets else { continue };
        if octets.starts_with(b"-----BEGIN ")
            || octets.strip_prefix(BOM).is_some_and(|rest| rest.starts_with(b"-----BEGIN "))
        {
            return Ok(Ok(Kind::Pem));
        }
        if octets.contains(&0) {
            return Ok(Err("it is neither certificates (PEM, DER, PKCS#7) nor a text"));
        }
        if separator.is_none() && !octets.trim_ascii().is_empty() {
            let has_tab = octets.contains(&b'\t');
            separator = Some(if has_tab { Separator::Tab } else { Separator::Comma });
        }
        if !octets.is_ascii() {
            doubts.utf8 += u64::from(Encoding::Utf8.decode(&octets).is_none());
            doubts.shift_jis += u64::from(Encoding::ShiftJis.decode(&octets).is_none());
        }
    }
    let Some(separator) = separator else { return Ok(Err("it holds nothing but empty lines")) };
    // The encoding that fewer lines speak against: one broken line must not make nonsense of all others.
    let encoding = if doubts.utf8 <= doubts.shift_jis { Encoding::Utf8 } else { Encoding::ShiftJis };
    Ok(Ok(Kind::List(Form { encoding, separator })))
}
