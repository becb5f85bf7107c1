//! Beside an independent implementation of OCSP's messages: it reads our requests, and we read what it writes.

use std::sync::Arc;

use proptest::prelude::*;
use x509_cert::der::asn1::{BitString, GeneralizedTime, Null, ObjectIdentifier, OctetString};
use x509_cert::der::{DateTime, Decode, Encode};
use x509_cert::ext::pkix::CrlReason;
use x509_cert::serial_number::SerialNumber;
use x509_cert::spki::AlgorithmIdentifierOwned;
use x509_ocsp::{
    BasicOcspResponse, CertId, CertStatus, OcspGeneralizedTime, OcspRequest, OcspResponse, ResponderId, ResponseData,
    RevokedInfo, SingleResponse, Version,
};

use super::campus::*;
use super::make::*;
use super::ocsp_make::*;
use super::ocsp_responses::Asked;
use crate::event::OcspStatus;
use crate::now::Wall;
use crate::pki::{Origin, Question};

/// What a request says, in the oracle's eyes: serial as the INTEGER's octets, nonce.
fn read(request: &[u8], issuer: &TestCa) -> (Vec<u8>, Option<Vec<u8>>) {
    let request = OcspRequest::from_der(request).expect("a request");
    assert_eq!(request.optional_signature, None);
    let tbs = &request.tbs_request;
    assert_eq!((tbs.version, &tbs.requestor_name), (Version::V1, &None));
    let [one] = &tbs.request_list[..] else { panic!("{tbs:?}") };
    assert_eq!(one.single_request_extensions, None);
    let id = &one.req_cert;
    assert_eq!(id.hash_algorithm.oid, ObjectIdentifier::new_unwrap("1.3.14.3.2.26"));
    assert_eq!(id.hash_algorithm.parameters, Some(Null.into()));
    assert_eq!(id.issuer_name_hash.as_bytes(), sha1(&issuer.name));
    assert_eq!(id.issuer_key_hash.as_bytes(), sha1(key_octets(&issuer.key.spki())));
    (integer(&one.req_cert), request.nonce().map(|nonce| nonce.0.as_bytes().to_vec()))
}

/// The octets of the INTEGER in a CertID's DER, which is its last element.
fn integer(id: &CertId) -> Vec<u8> {
    use x509_parser::der_parser::ber::parse_ber_sequence;
    let der = id.to_der().unwrap();
    let (_, fields) = parse_ber_sequence(&der).unwrap();
    fields.as_sequence().unwrap()[3].content.as_slice().unwrap().to_vec()
}

#[test]
fn a_request_carries_the_certificates_own_serial() {
    let campus = Campus::new();
    let trust = campus.trust();
    let twenty = [0x7f; 20];
    let (mut negative, mut most_negative) = ([0x11; 20], [0; 20]);
    negative[0] = 0x80;
    most_negative[0] = 0x80;
    let serials: [&[u8]; 10] =
        [&[0], &[1], &[0x7f], &[0, 0x80], &[0, 0xff, 0xff], &twenty, &[0xff], &[0x80], &negative, &most_negative];
    for serial in serials {
        let facts = facts(&trust, &campus.ca16.issue(&member(serial)));
        let request = question_of(&facts).request(&trust, None).expect("a CA of ours");
        assert_eq!(read(&request, &campus.ca16), (serial.to_vec(), None));
    }
}

#[test]
fn a_request_about_an_intermediate_is_for_the_root_and_a_nonce_is_carried() {
    let campus = Campus::new();
    let trust = campus.trust();
    let facts = facts(&trust, &campus.pub_ca8.issue(&member(&[7])));
    let link = &facts.links[1];
    let question = Question { authority: "a".into(), issuer: link.issuer, serial: link.serial.clone() };
    for length in [1, 32, 128] {
        let nonce = vec![0xab; length];
        let request = question.request(&trust, Some(&nonce)).unwrap();
        assert_eq!(read(&request, &campus.root_ca2), (vec![8], Some(nonce)));
    }
}

fn moment(at: Wall) -> OcspGeneralizedTime {
    let since = std::time::Duration::from_secs(u64::try_from(at.0).unwrap());
    OcspGeneralizedTime(GeneralizedTime::from_date_time(DateTime::from_unix_duration(since).unwrap()))
}

/// A response as the oracle writes it.
struct Written {
    serial: Vec<u8>,
    status: CertStatus,
    this_update: Wall,
    next_update: Option<Wall>,
    by_key: bool,
}

impl Written {
    fn sign(&self, issuer: &TestCa) -> Vec<u8> {
        let spki = issuer.key.spki();
        let octets = |octets: Vec<u8>| OctetString::new(octets).unwrap();
        let algorithm = AlgorithmIdentifierOwned {
            oid: ObjectIdentifier::new_unwrap("1.3.14.3.2.26"),
            parameters: Some(Null.into()),
        };
        let cert_id = CertId {
            hash_algorithm: algorithm,
            issuer_name_hash: octets(sha1(&issuer.name)),
            issuer_key_hash: octets(sha1(key_octets(&spki))),
            serial_number: SerialNumber::new(&self.serial).unwrap(),
        };
        let single = SingleResponse {
            cert_id,
            cert_status: self.status,
            this_update: moment(self.this_update),
            next_update: self.next_update.map(moment),
            single_extensions: None,
        };
        let responder_id = if self.by_key {
            ResponderId::ByKey(octets(sha1(key_octets(&spki))))
        } else {
            ResponderId::ByName(Decode::from_der(&issuer.name).unwrap())
        };
        let tbs = ResponseData {
            version: Version::V1,
            responder_id,
            produced_at: moment(self.this_update),
            responses: vec![single],
            response_extensions: None,
        };
        let signature = issuer.key.sign(&tbs.to_der().unwrap());
        let basic = BasicOcspResponse {
            tbs_response_data: tbs,
            signature_algorithm: Decode::from_der(&issuer.key.algorithm()).unwrap(),
            signature: BitString::from_bytes(&signature).unwrap(),
            certs: None,
        };
        OcspResponse::successful(basic).unwrap().to_der().unwrap()
    }
}

fn reason(code: u8) -> CrlReason {
    CrlReason::from_der(&[0x0a, 1, code]).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn r16_answers_of_another_implementation_are_read_alike(
        serial in proptest::collection::vec(any::<u8>(), 1..19),
        kind in 0..3,
        reason_code in proptest::option::of(proptest::sample::select(vec![0_u8, 1, 2, 3, 4, 5, 6, 8, 9, 10])),
        this_update in -400_i64 * DAY..300,
        validity in proptest::option::of(1_i64..900 * DAY),
        by_key in any::<bool>(),
    ) {
        let asked = Asked::new();
        let serial = [&[1], &serial[..]].concat();
        let at = days(-500);
        let status = match kind {
            0 => CertStatus::good(),
            1 => CertStatus::unknown(),
            _ => CertStatus::revoked(RevokedInfo {
                revocation_time: moment(at),
                revocation_reason: reason_code.map(reason),
            }),
        };
        let this_update = Wall(NOW.0 + this_update);
        let next_update = validity.map(|validity| Wall(this_update.0 + validity));
        let written = Written { serial: serial.clone(), status, this_update, next_update, by_key };
        let octets = written.sign(&asked.campus.ca16);
        let question = Question { serial, ..asked.question.clone() };
        let loaded = load_answer(&octets, &question, FETCHED, &asked.trust, NOW);
        let is_current = next_update.is_some_and(|next| next >= NOW);
        prop_assert_eq!(loaded.is_ok(), is_current, "{:?}", loaded);
        let Ok(answer) = loaded else { return Ok(()) };
        let statuses = [OcspStatus::Good, OcspStatus::Unknown, OcspStatus::Revoked];
        prop_assert_eq!(answer.name().status, statuses[usize::try_from(kind).unwrap()]);
        prop_assert_eq!(answer.name().this_update, this_update);
        let year = Wall(this_update.0 + 366 * DAY);
        prop_assert_eq!(Some(answer.name().next_update), next_update.map(|next| next.min(year)));
        prop_assert_eq!(answer.entry(), (kind == 2).then_some((at, reason_code)));
        let other = Question { serial: vec![9; 20], ..question };
        prop_assert!(load_answer(&octets, &other, FETCHED, &asked.trust, NOW).is_err());
    }

    #[test]
    fn p10_any_octets_are_read_without_a_panic(octets in proptest::collection::vec(any::<u8>(), 0..200)) {
        let asked = Asked::new();
        prop_assert!(asked.load(&octets).is_err());
        let element = der(0x30, &[&der(0x0a, &[&[0]]), &der(0xa0, &[&octets])]);
        prop_assert!(asked.load_at(&element, Origin::Kept, NOW).is_err());
    }
}

#[test]
fn r16_what_we_write_in_tests_the_other_implementation_reads_alike() {
    let asked = Asked::new();
    let draft = OcspDraft::new(&[asked.single(revoked(days(-3), Some(4)))]).nonce(&[3; 32]);
    let octets = draft.sign_delegated(&delegate(&asked.campus.ca16, |draft| draft));
    let response = OcspResponse::from_der(&octets).unwrap();
    let basic = BasicOcspResponse::from_der(response.response_bytes.unwrap().response.as_bytes()).unwrap();
    let single = &basic.tbs_response_data.responses[0];
    let CertStatus::Revoked(info) = single.cert_status else { panic!("{single:?}") };
    assert_eq!((info.revocation_time, info.revocation_reason), (moment(days(-3)), Some(reason(4))));
    assert_eq!(single.this_update, moment(Wall(NOW.0 - 3600)));
    assert_eq!(single.next_update, Some(moment(days(1))));
    assert_eq!(basic.nonce().unwrap().0.as_bytes(), [3; 32]);
    assert_eq!(basic.certs.map(|certificates| certificates.len()), Some(1));
    assert_eq!(Arc::<str>::from("ca16"), asked.question.authority);
}
