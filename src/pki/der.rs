//! A strict reader of DER: definite minimal lengths, one-octet tags, no recursion, nothing allocated by a declared length.

use std::borrow::Cow;

/// Octets that aren't DER, or not the element that was expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BadDer;

pub(super) const BOOLEAN: u8 = 0x01;
pub(super) const INTEGER: u8 = 0x02;
pub(super) const BIT_STRING: u8 = 0x03;
pub(super) const OCTET_STRING: u8 = 0x04;
pub(super) const NULL: u8 = 0x05;
pub(super) const OID: u8 = 0x06;
pub(super) const ENUMERATED: u8 = 0x0a;
pub(super) const UTF8_STRING: u8 = 0x0c;
pub(super) const UTC_TIME: u8 = 0x17;
pub(super) const GENERALIZED_TIME: u8 = 0x18;
pub(super) const SEQUENCE: u8 = 0x30;
pub(super) const SET: u8 = 0x31;
/// `[0]`, primitive: implicitly tagged.
pub(super) const CONTEXT: u8 = 0x80;
/// `[0]`, constructed.
pub(super) const CONTEXT_CONSTRUCTED: u8 = 0xa0;

const CONSTRUCTED: u8 = 0x20;
/// Certificates nest about ten deep.
const MAX_DEPTH: usize = 32;

/// One element.
#[derive(Clone, Copy, Debug)]
pub(super) struct Element<'a> {
    pub(super) tag: u8,
    pub(super) value: &'a [u8],
    /// Tag, length and value.
    pub(super) raw: &'a [u8],
}

/// Reads element after element.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) fn new(octets: &'a [u8]) -> Self {
        Self { rest: octets }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next element, whatever it is.
    pub(super) fn element(&mut self) -> Result<Element<'a>, BadDer> {
        let (tag, header, length) = header(self.rest)?;
        let end = header.checked_add(length).ok_or(BadDer)?;
        let (raw, rest) = self.rest.split_at_checked(end).ok_or(BadDer)?;
        let value = raw.get(header..).ok_or(BadDer)?;
        self.rest = rest;
        Ok(Element { tag, value, raw })
    }

    /// The value of the next element, which has this tag.
    pub(super) fn expect(&mut self, tag: u8) -> Result<&'a [u8], BadDer> {
        self.expect_element(tag).map(|element| element.value)
    }

    pub(super) fn expect_element(&mut self, tag: u8) -> Result<Element<'a>, BadDer> {
        self.optional_element(tag)?.ok_or(BadDer)
    }

    /// The value of the next element if it has this tag.
    pub(super) fn optional(&mut self, tag: u8) -> Result<Option<&'a [u8]>, BadDer> {
        Ok(self.optional_element(tag)?.map(|element| element.value))
    }

    fn optional_element(&mut self, tag: u8) -> Result<Option<Element<'a>>, BadDer> {
        if self.rest.first() == Some(&tag) { self.element().map(Some) } else { Ok(None) }
    }

    /// A BOOLEAN DEFAULT FALSE. An explicit FALSE is tolerated: CAs do write it.
    pub(super) fn boolean(&mut self, tag: u8) -> Result<bool, BadDer> {
        match self.optional(tag)? {
            None | Some([0x00]) => Ok(false),
            Some([0xff]) => Ok(true),
            Some(_) => Err(BadDer),
        }
    }

    /// A time as RFC 5280 section 4.1.2.5 has it.
    pub(super) fn time(&mut self) -> Result<i64, BadDer> {
        let element = self.element()?;
        time(element.tag, element.value)
    }

    /// A BIT STRING of whole octets.
    pub(super) fn whole_bits(&mut self) -> Result<&'a [u8], BadDer> {
        match self.expect(BIT_STRING)? {
            [0, octets @ ..] => Ok(octets),
            _ => Err(BadDer),
        }
    }

    /// Nothing may follow.
    pub(super) fn end(&self) -> Result<(), BadDer> {
        if self.is_empty() { Ok(()) } else { Err(BadDer) }
    }
}

/// What is in the one SEQUENCE that these octets are.
pub(super) fn only_sequence(octets: &[u8]) -> Result<Reader<'_>, BadDer> {
    let mut outside = Reader::new(octets);
    let inside = outside.expect(SEQUENCE)?;
    outside.end()?;
    Ok(Reader::new(inside))
}

/// Tag, octets of the header, octets of the value.
fn header(octets: &[u8]) -> Result<(u8, usize, usize), BadDer> {
    let (&tag, rest) = octets.split_first().ok_or(BadDer)?;
    if tag & 0x1f == 0x1f {
        return Err(BadDer);
    }
    let (&first, rest) = rest.split_first().ok_or(BadDer)?;
    if first < 0x80 {
        return Ok((tag, 2, usize::from(first)));
    }
    let count = usize::from(first & 0x7f);
    let digits = rest.get(..count).filter(|digits| (1..=4).contains(&digits.len())).ok_or(BadDer)?;
    let length = digits.iter().fold(0_u64, |length, &digit| length << 8 | u64::from(digit));
    let minimal = length >= 0x80 && digits.first() != Some(&0);
    let length = usize::try_from(length).ok().filter(|_| minimal).ok_or(BadDer)?;
    Ok((tag, 2 + count, length))
}

/// One element from end to end and every constructed one inside it, at most [`MAX_DEPTH`] deep. Each header is read once, so that a parser that recurses meets nothing worse afterwards.
pub(super) fn well_formed(octets: &[u8]) -> Result<(), BadDer> {
    let mut ends = [0_usize; MAX_DEPTH];
    let mut depth = 0_usize;
    let mut at = 0_usize;
    loop {
        let (tag, header, length) = header(octets.get(at..).ok_or(BadDer)?)?;
        let value = at.checked_add(header).ok_or(BadDer)?;
        let end = value.checked_add(length).ok_or(BadDer)?;
        let limit = depth.checked_sub(1).and_then(|above| ends.get(above).copied()).unwrap_or(octets.len());
        if end > limit {
            return Err(BadDer);
        }
        if tag & CONSTRUCTED != 0 {
            *ends.get_mut(depth).ok_or(BadDer)? = end;
            depth += 1;
            at = value;
        } else {
            at = end;
        }
        while depth > 0 && ends.get(depth - 1) == Some(&at) {
            depth -= 1;
        }
        if depth == 0 {
            return if at == octets.len() { Ok(()) } else { Err(BadDer) };
        }
    }
}

/// UTCTime `YYMMDDHHMMSSZ` or GeneralizedTime `YYYYMMDDHHMMSSZ`, nothing else (RFC 5280 sections 4.1.2.5.1 and 4.1.2.5.2), in seconds since 1970.
pub(super) fn time(tag: u8, value: &[u8]) -> Result<i64, BadDer> {
    let (year, rest) = match (tag, value.len()) {
        (UTC_TIME, 13) => {
            let (year, rest) = number(value, 2)?;
            (if year < 50 { 2000 + year } else { 1900 + year }, rest)
        }
        (GENERALIZED_TIME, 15) => number(value, 4)?,
        _ => return Err(BadDer),
    };
    let (month, rest) = number(rest, 2)?;
    let (day, rest) = number(rest, 2)?;
    let (hour, rest) = number(rest, 2)?;
    let (minute, rest) = number(rest, 2)?;
    let (second, rest) = number(rest, 2)?;
    let real = rest == b"Z"
        && (1..=12).contains(&month)
        && (1..=days_of_month(year, month)).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60;
    if !real {
        return Err(BadDer);
    }
    Ok(((days_since_1970(year, month, day) * 24 + hour) * 60 + minute) * 60 + second)
}

/// A number of so many decimal digits, and what follows.
fn number(text: &[u8], digits: usize) -> Result<(i64, &[u8]), BadDer> {
    let (digits, rest) = text.split_at_checked(digits).ok_or(BadDer)?;
    let value = digits
        .iter()
        .try_fold(0_i64, |value, digit| digit.is_ascii_digit().then(|| value * 10 + i64::from(digit - b'0')));
    Ok((value.ok_or(BadDer)?, rest))
}

fn days_of_month(year: i64, month: i64) -> i64 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Of the proleptic Gregorian calendar. The year is taken to begin in March, so that the leap day is its last.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month > 2 { year } else { year - 1 };
    let month = (month + 9) % 12;
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + day_of_year - 719_468
}

/// Octets of the longest serial number as [`serial`] has it.
pub(super) const MAX_SERIAL: usize = 21;

/// A serial number as it is compared everywhere: as [`trim_integer`] has it. A negative one, which no CA should issue, is its two's complement in 21 octets, one more than any other has: so -1 isn't 255.
pub(super) fn serial(value: &[u8]) -> Result<Cow<'_, [u8]>, BadDer> {
    if value.first().is_none_or(|octet| octet & 0x80 == 0) {
        return trim_integer(value).map(Cow::Borrowed);
    }
    let sign = MAX_SERIAL.checked_sub(value.len()).filter(|&more| more > 0).ok_or(BadDer)?;
    let mut wide = vec![0xff; sign];
    wide.extend_from_slice(value);
    Ok(Cow::Owned(wide))
}

/// The element of this tag and value.
pub(super) fn element(tag: u8, value: &[u8]) -> Vec<u8> {
    let digits: Vec<u8> = value.len().to_be_bytes().into_iter().skip_while(|&digit| digit == 0).collect();
    let mut element = vec![tag];
    if value.len() >= 0x80 {
        element.push(0x80 | u8::try_from(digits.len()).unwrap_or(0x7f));
        element.extend(digits);
    } else {
        element.push(digits.first().copied().unwrap_or(0));
    }
    element.extend_from_slice(value);
    element
}

/// A positive serial number or CRL number as it is compared everywhere: the INTEGER's octets without leading zeros, at least one, at most twenty (RFC 5280 sections 4.1.2.2 and 5.2.3).
pub(super) fn trim_integer(value: &[u8]) -> Result<&[u8], BadDer> {
    let zeros = value.iter().take_while(|&&octet| octet == 0).count();
    let start = zeros.min(value.len().saturating_sub(1));
    value.get(start..).filter(|trimmed| (1..=20).contains(&trimmed.len())).ok_or(BadDer)
}
