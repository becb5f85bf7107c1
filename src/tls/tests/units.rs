//! The parts by themselves.

use proptest::prelude::*;
use rustls::pki_types::CertificateDer;
use rustls::server::{ProducesTickets, StoresServerSessions};

use super::dealings::Dealings;
use super::session::{Facts, Remembered, Session, SessionIds, all_zero, find};
use super::ticket::Keys;
use super::wire::Wire;
use super::*;

fn facts() -> Facts {
    Facts { issued: START, kept: KEPT.to_vec() }
}

fn session(state: &[u8], chain: &[&[u8]]) -> Session {
    let chain: Vec<CertificateDer<'_>> = chain.iter().map(|der| CertificateDer::from(*der)).collect();
    Session::new(facts(), state, find(state, &chain).unwrap()).unwrap()
}

#[test]
fn a_session_comes_back_with_zeros_for_its_certificates() {
    let session = session(b"head LEAF middle ISSUER tail", &[b"LEAF", b"ISSUER"]);
    let mut octets = Vec::new();
    session.encode(&mut octets).unwrap();
    assert!(!octets.windows(4).any(|window| window == b"LEAF"));
    let again = Session::decode(&octets).unwrap();
    assert_eq!((again.facts.issued, again.facts.kept.as_slice()), (START, KEPT));
    let state = again.state().unwrap();
    assert_eq!(state, b"head \0\0\0\0 middle \0\0\0\0\0\0 tail");
    assert!(all_zero(&state, &again.pieces));
    assert!(!all_zero(b"head LEAF middle \0\0\0\0\0\0 tail", &again.pieces));
    assert!(!all_zero(b"short", &again.pieces));
}

#[test]
fn a_chain_that_is_not_there_in_order_is_not_found() {
    let find = |state: &[u8], chain: [&'static [u8]; 2]| find(state, &chain.map(CertificateDer::from));
    assert!(find(b"..LEAF..ISSUER", [b"LEAF", b"ISSUER"]).is_some());
    assert!(find(b"..ISSUER..LEAF", [b"LEAF", b"ISSUER"]).is_none());
    assert!(find(b"..LEAF", [b"LEAF", b"LEAF"]).is_none());
    assert!(find(b"", [b"LEAF", b"ISSUER"]).is_none());
}

#[test]
fn every_prefix_of_an_encoded_session_is_refused_or_harmless() {
    let mut octets = Vec::new();
    session(b"head LEAF tail", &[b"LEAF"]).encode(&mut octets).unwrap();
    for end in 0..octets.len() {
        if let Some(session) = Session::decode(&octets[..end]) {
            assert_ne!(session.state().as_deref(), Some(&b"head \0\0\0\0 tail"[..]));
        }
    }
}

#[test]
fn a_ticket_opens_with_its_key_and_context_and_not_when_touched() {
    let keys = Keys::new(&[Secret::new([1; 32]), Secret::new([2; 32])]).unwrap();
    let ticket = keys.seal(&session(b"head LEAF tail", &[b"LEAF"]), b"wifi").unwrap();
    assert!(keys.open(&ticket, b"wifi").is_some());
    assert!(keys.open(&ticket, b"wif").is_none());
    assert!(Keys::new(&[Secret::new([2; 32])]).unwrap().open(&ticket, b"wifi").is_none());
    for at in 0..ticket.len() {
        let mut touched = ticket.clone();
        touched[at] ^= 1;
        assert!(keys.open(&touched, b"wifi").is_none(), "octet {at}");
        assert!(keys.open(&ticket[..at], b"wifi").is_none());
    }
}

#[test]
fn two_tickets_of_one_session_differ() {
    let keys = Keys::new(&[Secret::new([1; 32])]).unwrap();
    let session = session(b"head LEAF tail", &[b"LEAF"]);
    assert_ne!(keys.seal(&session, b"wifi"), keys.seal(&session, b"wifi"));
}

#[test]
fn session_ids_are_bounded() {
    let ids = SessionIds::new(10, None);
    for id in 0..1_000_u32 {
        let remembered = Remembered { context: (*b"wifi").into(), session: Secret::new([0]) };
        ids.insert(id.to_be_bytes().to_vec(), remembered);
    }
    assert!(ids.count() <= 10, "{}", ids.count());
    assert_eq!(SessionIds::new(0, Some(&ids)).count(), 0);
}

#[test]
fn a_client_hello_full_of_tickets_is_opened_a_few_times_only() {
    let (server, judge) = (server(), Verdicts::good());
    let ticket = server.ticket_keys.seal(&session(b"head LEAF tail", &[b"LEAF"]), b"wifi").unwrap();
    let dealings = Dealings::new(Arc::clone(&server), [0].into(), b"wifi", Arc::clone(&judge) as _, START);
    let opened = (0..100).filter(|_| dealings.decrypt(&ticket).is_some()).count();
    assert_eq!((opened, judge.resumed.lock().unwrap().len()), (8, 8));
}

#[test]
fn s01_before_the_judgment_rustls_gets_nothing_to_send_or_to_store() {
    let dealings = Dealings::new(server(), [0].into(), b"wifi", Verdicts::good(), START);
    assert_eq!(dealings.encrypt(b"state"), None);
    assert!(!dealings.put(b"id".to_vec(), b"state".to_vec()));
    assert!(dealings.take_stash().is_none());
}

#[test]
fn the_random_of_a_hello_is_read_over_any_cut_and_past_other_records() {
    let random: Vec<u8> = (0..32).collect();
    let message = [&[1, 0, 0, 99, 3, 3][..], &random, &[9; 20]].concat();
    let record = |body: &[u8]| [&[22, 3, 1, 0, u8::try_from(body.len()).unwrap()][..], body].concat();
    let other = [20, 3, 3, 0, 1, 1];
    for cut in [1, 2, 7, 58] {
        let records: Vec<u8> = message.chunks(cut).flat_map(|body| [&other[..], &record(body)].concat()).collect();
        for call in [1, 3, 1_000] {
            let mut hello = Wire::default();
            records.chunks(call).for_each(|octets| hello.read(octets));
            assert_eq!(hello.random(), Some(random.as_slice()));
        }
    }
    let mut wire = Wire::default();
    [&record(&message)[..], &[21, 3, 3, 0, 2, 1, 90], &[21, 3, 3, 0, 26, 0]]
        .concat()
        .iter()
        .for_each(|octet| wire.read(&[*octet]));
    wire.read(&[0; 25]);
    assert!(!wire.closed(), "user_canceled, and an encrypted alert");
    wire.read(&[21, 3, 3, 0, 2, 1, 0]);
    assert!(wire.closed());
    let mut short = Wire::default();
    short.read(&record(&message[..37]));
    assert_eq!(short.random(), None);
}

#[test]
fn bad_settings_are_all_told_at_once() {
    let pki = pki();
    let mut settings = settings();
    settings.identities = vec![pki.server_rsa.identity("good"), pki.server_rsa.identity("mixed-up")];
    settings.identities[1].key = Secret::new(pki.server_ecdsa.key.clone());
    settings.identities.push(IdentitySettings { chain: Vec::new(), ..pki.server_rsa.identity("empty") });
    settings.identities.push(IdentitySettings { chain: vec![vec![1, 2, 3]], ..pki.server_rsa.identity("garbage") });
    settings.identities.push(IdentitySettings { key: Secret::new([4; 9]), ..pki.server_rsa.identity("no-key") });
    settings.versions.clear();
    settings.groups.clear();
    settings.ticket_keys = vec![Secret::new([1; 31])];
    let bad = Server::new(&settings, None).unwrap_err();
    let told: Vec<_> = bad.iter().map(|bad| (bad.identity.as_deref(), bad.key)).collect();
    assert_eq!(
        told,
        [
            (None, "versions"),
            (None, "groups"),
            (None, "ticket-key-file"),
            (Some("mixed-up"), "key"),
            (Some("empty"), "chain"),
            (Some("garbage"), "chain"),
            (Some("no-key"), "key"),
        ]
    );
    assert!(bad[3].text.contains("isn't the key of the chain's first certificate"), "{}", bad[3].text);
}

#[test]
fn without_an_identity_there_is_no_server() {
    let bad = Server::new(&Settings { identities: Vec::new(), ..settings() }, None).unwrap_err();
    assert_eq!(bad[0].key, "identity");
}

#[test]
fn tls12_cannot_do_with_the_hybrid_group_alone() {
    let only = |versions| Server::new(&Settings { groups: vec![Group::X25519MlKem768], versions, ..settings() }, None);
    assert_eq!(only(vec![TlsVersion::Tls13, TlsVersion::Tls12]).unwrap_err()[0].key, "groups");
    assert!(only(vec![TlsVersion::Tls13]).is_ok());
}

#[test]
fn ticket_keys_are_read_as_hex_or_base64_between_comments() {
    let hex = "00".repeat(32);
    let text = format!("# made by hand\n\n{hex} # old\n  AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=\r\n");
    let keys = ticket_keys(&text).unwrap();
    assert!(keys == [Secret::new([0; 32]), Secret::new([1; 32])]);
}

#[test]
fn bad_ticket_key_files_are_told_by_line_without_the_key() {
    for (text, says) in [
        ("", "no key"),
        ("# nothing\n", "no key"),
        ("\nhunter2!\n", "line 2: neither hex nor base64"),
        ("0011223344", "line 1: 5 octets"),
    ] {
        let wrong = ticket_keys(text).unwrap_err();
        assert!(wrong.contains(says), "{wrong}");
        assert!(!wrong.contains("hunter2") && !wrong.contains("00112233"), "{wrong}");
    }
}

#[test]
fn a_new_ticket_key_line_is_read_back_and_never_comes_twice() {
    let line = || String::from_utf8(new_ticket_key_line().unwrap().expose().to_vec()).unwrap();
    let (one, two) = (line(), line());
    assert_ne!(one, two);
    let keys = ticket_keys(&(one.clone() + &two)).unwrap();
    assert_eq!(keys.iter().map(Secret::len).collect::<Vec<_>>(), [32, 32]);
    assert!(ticket_key_line(&keys[0]) == Secret::new(one.as_bytes()));
}

proptest! {
    #[test]
    fn octets_of_any_kind_are_read_without_panic(octets in proptest::collection::vec(any::<u8>(), 0..300)) {
        Wire::default().read(&octets);
        let session = Session::decode(&octets);
        if let Some((state, pieces)) = session.and_then(|session| Some((session.state()?, session.pieces))) {
            prop_assert!(all_zero(&state, &pieces));
        }
        let keys = Keys::new(&[Secret::new([1; 32])]).unwrap();
        prop_assert!(keys.open(&octets, b"wifi").is_none());
    }

    #[test]
    fn a_key_file_of_any_kind_is_read_without_panic(text in "\\PC*") {
        let _ = ticket_keys(&text);
    }
}
