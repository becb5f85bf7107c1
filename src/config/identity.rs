//! What supplicants dislike in a server's certificate although it is valid. One function a complaint.

use x509_parser::certificate::X509Certificate;
use x509_parser::der_parser::oid;
use x509_parser::extensions::GeneralName;
use x509_parser::oid_registry::OID_PKCS1_SHA1WITHRSA;
use x509_parser::prelude::FromDer;
use x509_parser::public_key::PublicKey;

use super::reader::Item;
use crate::now::Wall;
use crate::pki::OwnCertificate;

const DAY: i64 = 86_400;

/// Warns of everything that some client refuses; gives the leaf's notAfter.
pub(super) fn examine(item: &Item<'_>, chain: &[Vec<u8>], now: Wall) -> Option<Wall> {
    let mut parsed = Vec::new();
    for (index, der) in chain.iter().enumerate() {
        match X509Certificate::from_der(der) {
            Ok(([], certificate)) => parsed.push(certificate),
            _ => item.error(format!("certificate {} of the file can't be read", index + 1)),
        }
    }
    let leaf = parsed.first().filter(|_| parsed.len() == chain.len())?;
    order(item, &parsed);
    dates(item, leaf, now);
    names(item, leaf);
    constraints(item, leaf);
    purposes(item, leaf);
    strength(item, &parsed);
    Some(Wall(leaf.validity().not_after.timestamp()))
}

/// Leaf first, each issued by the next, no root.
fn order(item: &Item<'_>, chain: &[X509Certificate<'_>]) {
    for (index, pair) in chain.windows(2).enumerate() {
        let [subject, issuer] = pair else { continue };
        if subject.issuer() == issuer.subject() {
            continue;
        }
        let elsewhere = chain.iter().any(|other| other.subject() == subject.issuer());
        let problem = match elsewhere {
            true => "stands in the wrong order",
            false => "is not the issuer of the one before it",
        };
        item.warning(format!(
            "certificate {} of the file ({}) {problem}: clients that don't sort a chain can't verify it; write the leaf first, then each issuer",
            index + 2,
            issuer.subject()
        ));
    }
    let mut roots = chain.iter().enumerate().filter(|(_, certificate)| certificate.subject() == certificate.issuer());
    match roots.next() {
        Some((0, _)) => item.warning("the certificate is self-signed: every device has to be told to trust exactly this one, and again when it is renewed"),
        Some((index, root)) => item.warning(format!(
            "certificate {} of the file ({}) is a root: clients trust their own copy of it only, some refuse the chain, and it costs a fragment in every login; leave it out{}",
            index + 1,
            root.subject(),
            unless_stapled(index, chain)
        )),
        None => {}
    }
}

/// What a root is good for all the same: answers about what it has issued itself are verified with it.
fn unless_stapled(index: usize, chain: &[X509Certificate<'_>]) -> &'static str {
    let names_responder = |leaf: &X509Certificate<'_>| !OwnCertificate::responders_in(leaf.as_raw()).is_empty();
    match chain.first() {
        Some(leaf) if index == 1 && names_responder(leaf) => {
            ", unless devices insist on a stapled OCSP answer: without the root none can be verified"
        }
        _ => "",
    }
}

fn dates(item: &Item<'_>, leaf: &X509Certificate<'_>, now: Wall) {
    let begin = leaf.validity().not_before.timestamp();
    let end = leaf.validity().not_after.timestamp();
    if end < now.0 {
        item.warning(format!(
            "the certificate EXPIRED on {}: nobody whose device checks it can log in; renew it now",
            date(end)
        ));
    } else if end < now.0.saturating_add(30 * DAY) {
        item.warning(format!("the certificate expires on {}, within 30 days; renew it", date(end)));
    }
    if begin > now.0 {
        item.warning(format!("the certificate is valid from {} on only: until then clients refuse it", date(begin)));
    }
    let days = end.saturating_sub(begin) / DAY;
    if end.saturating_sub(begin) > 397 * DAY {
        item.warning(format!(
            "the certificate is valid for {days} days: Apple's devices refuse more than 397 where a public CA issued it; ask for 397 or less"
        ));
    }
}

fn date(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds)
        .map_or_else(|_| "a day beyond all calendars".to_owned(), |time| time.strftime("%Y-%m-%d").to_string())
}

fn names(item: &Item<'_>, leaf: &X509Certificate<'_>) {
    let dns = dns_names(leaf);
    let common: Vec<&str> = leaf.subject().iter_common_name().filter_map(|name| name.as_str().ok()).collect();
    if dns.is_empty() {
        item.warning("the certificate has no DNS name in subjectAltName: Android and Apple's devices check the server by it; have one put in");
    }
    for name in
        common.iter().filter(|name| !dns.is_empty() && !dns.iter().any(|known| known.eq_ignore_ascii_case(name)))
    {
        item.warning(format!("the certificate's CN \"{name}\" isn't among its subjectAltNames ({}): devices that are told the one don't find the other", dns.join(", ")));
    }
    if let Some(name) = dns.iter().chain(&common).find(|name| name.contains('*')) {
        item.warning(format!(
            "the certificate has the wildcard \"{name}\": Windows refuses such a RADIUS server; use one name"
        ));
    }
}

fn dns_names<'a>(leaf: &'a X509Certificate<'_>) -> Vec<&'a str> {
    let extension = leaf.subject_alternative_name().ok().flatten();
    let names = extension.map(|extension| extension.value.general_names.as_slice()).unwrap_or_default();
    names.iter().filter_map(|name| if let GeneralName::DNSName(name) = name { Some(*name) } else { None }).collect()
}

fn constraints(item: &Item<'_>, leaf: &X509Certificate<'_>) {
    match leaf.basic_constraints().ok().flatten() {
        Some(extension) if extension.value.ca => {
            item.warning(
                "the first certificate of the file is a CA's, not a server's: clients refuse it; write the leaf first",
            );
        }
        Some(extension) if extension.critical => {}
        _ => {
            item.warning("the certificate lacks a critical basicConstraints CA:FALSE: macOS refuses it; have it put in")
        }
    }
}

fn purposes(item: &Item<'_>, leaf: &X509Certificate<'_>) {
    if !leaf.extended_key_usage().ok().flatten().is_some_and(|usage| usage.value.server_auth) {
        item.warning("the certificate lacks the extended key usage serverAuth: Windows and Apple's devices refuse it; have it put in");
    }
    if leaf.key_usage().ok().flatten().is_some_and(|usage| !usage.value.digital_signature()) {
        item.warning(
            "the certificate's keyUsage lacks digitalSignature, which every handshake of today needs; have it put in",
        );
    }
}

fn strength(item: &Item<'_>, chain: &[X509Certificate<'_>]) {
    let sha1 = [OID_PKCS1_SHA1WITHRSA, oid!(1.2.840.10045.4.1)];
    for certificate in chain.iter().filter(|certificate| certificate.subject() != certificate.issuer()) {
        if sha1.contains(&certificate.signature_algorithm.algorithm) {
            item.warning(format!("{} is signed with SHA-1: clients refuse it", certificate.subject()));
        }
        if let Ok(PublicKey::RSA(key)) = certificate.public_key().parsed()
            && key.key_size() < 2048
        {
            item.warning(format!(
                "{} has an RSA key of {} bits: clients refuse less than 2048",
                certificate.subject(),
                key.key_size()
            ));
        }
    }
}
