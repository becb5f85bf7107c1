//! As much DER as it takes to sign a fuzzer's certificate, CRL or OCSP response as one of the campus' CAs would.

const SEQUENCE: u8 = 0x30;
const BIT_STRING: u8 = 0x03;
/// ResponderID's two kinds.
const RESPONDER_BY_NAME: u8 = 0xa1;
const RESPONDER_BY_KEY: u8 = 0xa2;
/// AlgorithmIdentifier of ecdsa-with-SHA256.
const ECDSA_WITH_SHA256: &[u8] = &[SEQUENCE, 10, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2];

/// One element.
pub(super) struct Element<'a> {
    pub(super) tag: u8,
    pub(super) content: &'a [u8],
    pub(super) whole: &'a [u8],
}

/// The first element of some octets, and what follows it.
pub(super) fn split(octets: &[u8]) -> Option<(Element<'_>, &[u8])> {
    let (tag, rest) = octets.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(*first), rest),
        0x81..=0x83 => {
            let (length, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (length.iter().fold(0, |sum, octet| sum << 8 | usize::from(*octet)), rest)
        }
        _ => return None,
    };
    let (content, after) = rest.split_at_checked(length)?;
    let whole = octets.get(..octets.len() - after.len())?;
    Some((Element { tag: *tag, content, whole }, after))
}

/// The elements that stand one after the other, and what is left of them as the last one.
pub(super) fn elements(mut octets: &[u8]) -> Vec<&[u8]> {
    let mut found = Vec::new();
    while let Some((element, rest)) = split(octets) {
        found.push(element.whole);
        octets = rest;
    }
    if !octets.is_empty() {
        found.push(octets);
    }
    found
}

fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let mut octets = vec![tag];
    match length {
        0..=0x7f => octets.push(length.to_le_bytes()[0]),
        _ => {
            let length = length.to_be_bytes();
            let length: Vec<u8> = length.into_iter().skip_while(|octet| *octet == 0).collect();
            octets.push(0x80 | length.len().to_le_bytes()[0]);
            octets.extend(length);
        }
    }
    octets.extend(content);
    octets
}

/// A certificate or CRL as this issuer would have signed it: the same, but for the algorithm of the signature and the issuer's name. `None`: it isn't even
/// that far DER.
pub(super) fn adopt(octets: &[u8], issuer: &[u8], sign: impl Fn(&[u8]) -> Vec<u8>) -> Option<Vec<u8>> {
    let (outside, _) = split(octets)?;
    let (content, _) = split(outside.content)?;
    // Version and serial come first, then the algorithm and the issuer, in certificates and CRLs alike.
    let mut inside = Vec::new();
    let mut rest = content.content;
    let mut ours = [ECDSA_WITH_SHA256, issuer].into_iter().peekable();
    while ours.peek().is_some() {
        let (next, after) = split(rest)?;
        inside.extend(if next.tag == SEQUENCE { ours.next()? } else { next.whole });
        rest = after;
    }
    inside.extend(rest);
    Some(element(outside.tag, &signed(&element(content.tag, &inside), sign)))
}

/// What is signed, by which algorithm, the signature.
fn signed(content: &[u8], sign: impl Fn(&[u8]) -> Vec<u8>) -> Vec<u8> {
    let signature = [&[0], &*sign(content)].concat();
    [content, ECDSA_WITH_SHA256, &*element(BIT_STRING, &signature)].concat()
}

/// An OCSP response as this issuer would have signed it: the same, but for the signature and the responder's name. `None`: it isn't even that far DER.
pub(super) fn adopt_answer(octets: &[u8], issuer: &[u8], sign: impl Fn(&[u8]) -> Vec<u8>) -> Option<Vec<u8>> {
    let (outside, _) = split(octets)?;
    let (status, rest) = split(outside.content)?;
    let (tagged, _) = split(rest)?;
    let (bytes, _) = split(tagged.content)?;
    let (kind, rest) = split(bytes.content)?;
    let (response, _) = split(rest)?;
    let (basic, _) = split(response.content)?;
    let (data, _) = split(basic.content)?;
    let mut parts = elements(data.content);
    let by_name = element(RESPONDER_BY_NAME, issuer);
    let responder =
        parts.iter().position(|part| matches!(part.first(), Some(&RESPONDER_BY_NAME | &RESPONDER_BY_KEY)))?;
    parts[responder] = &by_name;
    let certificates = elements(basic.content).get(3..).unwrap_or_default().concat();
    let whole = [signed(&element(data.tag, &parts.concat()), sign), certificates].concat();
    let response = element(response.tag, &element(basic.tag, &whole));
    let bytes = element(tagged.tag, &element(bytes.tag, &[kind.whole, &response].concat()));
    Some(element(outside.tag, &[status.whole, &bytes].concat()))
}

/// The name of whom a certificate or CRL says that it has issued it.
pub(super) fn issuer(octets: &[u8]) -> Option<&[u8]> {
    let (outside, _) = split(octets)?;
    let (content, _) = split(outside.content)?;
    let mut sequences = elements(content.content).into_iter().filter(|element| element.first() == Some(&SEQUENCE));
    sequences.nth(1)
}
