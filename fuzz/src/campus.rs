//! The campus on which everything happens: certificates made once (`fuzz/pki`), one NAS, a time that stands still unless a target turns it.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair};
use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;
use sekisho::event::{Listener, Method};
use sekisho::exchange::{Hop, NasSettings, Peers, Prefix};
use sekisho::now::{Mono, Now, Wall};
use sekisho::pki::{AuthoritySettings, Crl, Facts, Purpose, Revocation, RevocationSource, Trust, verdict};
use sekisho::policy::{
    Authorize, AuthorizePassword, Grants, Hints, Match, OtpAfter, Policy, ReplyUsername, ServiceSettings,
    UsernameSource,
};
use sekisho::secret::Secret;
use sekisho::standing::Standing;

use super::der;

pub(super) const SECRET: &[u8] = b"a secret of the fuzzer's";
/// The password of those who ask by name.
pub(super) const COMMON: &[u8] = b"by name";
pub(super) const NAS: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));

pub(super) const ROOT: &[u8] = include_bytes!("../pki/root.der");
pub(super) const ISSUING: &[u8] = include_bytes!("../pki/issuing.der");
pub(super) const SERVER: &[u8] = include_bytes!("../pki/server.der");
pub(super) const SERVER_KEY: &[u8] = include_bytes!("../pki/server.key");
pub(super) const MEMBER: &[u8] = include_bytes!("../pki/member.der");
pub(super) const MEMBER_KEY: &[u8] = include_bytes!("../pki/member.key");
pub(super) const REVOKED: &[u8] = include_bytes!("../pki/revoked.der");
pub(super) const REVOKED_KEY: &[u8] = include_bytes!("../pki/revoked.key");
pub(super) const ROOT_CRL: &[u8] = include_bytes!("../pki/root.crl");
const ISSUING_CRL: &[u8] = include_bytes!("../pki/issuing.crl");

/// Members are issued by the root, or by the CA below it: two tables.
const AUTHORITIES: [&str; 2] = ["root", "issuing"];
pub(super) const SERVICE: &str = "JAIST";

/// The 15th of January 2027.
pub(super) const NOW: Now = Now { mono: Mono(Duration::ZERO), wall: Wall(1_800_000_000) };

pub(super) struct Campus {
    pub(super) trust: Arc<Trust>,
    pub(super) revocation: Arc<Revocation>,
    pub(super) peers: Arc<Peers>,
    pub(super) policy: Arc<Policy>,
    root: Issuer,
    issuing: Issuer,
}

/// The one campus of this process.
pub(super) fn campus() -> &'static Campus {
    static CAMPUS: LazyLock<Campus> = LazyLock::new(Campus::new);
    &CAMPUS
}

impl Campus {
    fn new() -> Self {
        let (trust, _) =
            Trust::new(&[authority(AUTHORITIES[0], ROOT, &[]), authority(AUTHORITIES[1], ROOT, &[ISSUING])], NOW.wall)
                .expect("good authorities");
        let crls = [ROOT_CRL, ISSUING_CRL].map(|octets| Arc::new(load(octets, &trust).expect("a good CRL")));
        Self {
            trust: Arc::new(trust),
            revocation: Arc::new(Revocation::new(crls.to_vec())),
            peers: Arc::new(Peers::new(&[nas()]).expect("a good NAS")),
            policy: Arc::new(Policy::new(vec![service()], Vec::new())),
            root: Issuer::new(ROOT, include_bytes!("../pki/root.key")),
            issuing: Issuer::new(ISSUING, include_bytes!("../pki/issuing.key")),
        }
    }

    /// A certificate or CRL as the issuing CA would have signed it if it says so, else as the root would. `None`: it isn't DER at all.
    pub(super) fn adopt(&self, octets: &[u8]) -> Option<Vec<u8>> {
        let issuer = if der::issuer(octets) == Some(&*self.issuing.name) { &self.issuing } else { &self.root };
        der::adopt(octets, &issuer.name, |content| issuer.sign(content))
    }

    /// An OCSP response as the root would have signed it. `None`: it isn't one at all.
    pub(super) fn adopt_answer(&self, octets: &[u8]) -> Option<Vec<u8>> {
        der::adopt_answer(octets, &self.root.name, |content| self.root.sign(content))
    }

    /// All that is ever done with facts.
    pub(super) fn judge(&self, facts: &Facts) {
        assert!(AUTHORITIES.contains(&&*facts.authority));
        let service = self.policy.service_named(SERVICE).expect("it is the one service");
        let hints = Hints { ssid: Some(SERVICE.to_owned()), ..Hints::default() };
        for now in [NOW.wall, facts.not_before, facts.not_after, Wall(i64::MIN), Wall(i64::MAX)] {
            let verdict = verdict(&self.trust, &self.revocation, facts, now);
            let _ = self.policy.decide(service, facts, &verdict, &Standing::new(&[]), &hints, now);
        }
        let _ = facts.name();
    }

    /// Facts as a ticket would bring them back: without the places that their certificate tells.
    pub(super) fn through_a_ticket(&self, facts: &Facts) {
        let encoded = facts.encode();
        match Facts::decode(&encoded, &self.trust) {
            Some(decoded) => assert_eq!(decoded, Facts { locations: Arc::default(), ..facts.clone() }),
            None => assert!(encoded.len() > 16 * 1_024, "facts that don't come back"),
        }
    }
}

/// A CA that can sign.
struct Issuer {
    name: Vec<u8>,
    key: EcdsaKeyPair,
}

impl Issuer {
    fn new(certificate: &[u8], key: &[u8]) -> Self {
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, key).expect("a key");
        Self { name: subject(certificate).expect("a certificate").to_vec(), key }
    }

    fn sign(&self, content: &[u8]) -> Vec<u8> {
        self.key.sign(&SystemRandom::new(), content).expect("a signature").as_ref().to_vec()
    }
}

/// The subject of a certificate of ours: the fourth sequence, after algorithm, issuer and validity.
fn subject(certificate: &[u8]) -> Option<&[u8]> {
    let (outside, _) = der::split(certificate)?;
    let (content, _) = der::split(outside.content)?;
    der::elements(content.content).into_iter().filter(|element| element.first() == Some(&0x30)).nth(3)
}

pub(super) fn load(octets: &[u8], trust: &Trust) -> Option<Crl> {
    Crl::load(octets, &AUTHORITIES[0].into(), &"fuzzer".into(), trust).ok()
}

/// An authority as an administrator would write it.
pub(super) fn authority(name: &str, anchor: &[u8], intermediates: &[&[u8]]) -> AuthoritySettings {
    AuthoritySettings {
        name: name.into(),
        anchor: anchor.to_vec(),
        fingerprint_sha1: None,
        fingerprint_sha256: None,
        intermediates: intermediates.iter().map(|der| der.to_vec()).collect(),
        subject: vec![("O".to_owned(), "Campus".to_owned())],
        purpose: Purpose { require: vec!["clientAuth".to_owned()], policies: Vec::new(), refuse_policies: Vec::new() },
        revocation: RevocationSource::Crl,
        grace: Duration::from_secs(3_600),
        distrust: None,
    }
}

fn nas() -> NasSettings {
    NasSettings {
        name: "ap".into(),
        address: vec![Prefix { address: NAS, bits: 32 }],
        secret: Secret::new(SECRET),
        services: None,
        methods: vec![Method::EapTls, Method::Authorize, Method::Otp],
        require_message_authenticator: true,
        limit_proxy_state: true,
        max_conversations: 0,
        class: true,
        federation: false,
        disconnect: None,
    }
}

pub(super) fn service() -> ServiceSettings {
    ServiceSettings {
        name: SERVICE.into(),
        matches: vec![Match::default()],
        authorities: AUTHORITIES.map(Into::into).to_vec(),
        identities: Vec::new(),
        realms: None,
        reply_username: ReplyUsername::Certificate,
        grants: Grants { vlan: Some("120".to_owned()), ..Grants::default() },
        rules: Vec::new(),
        authorize: Some(Authorize {
            name: UsernameSource::SanEmail,
            password: AuthorizePassword::Common(Secret::new(COMMON)),
            service_type: None,
            certificate: None,
        }),
        otp: Some(OtpAfter::Certificate),
    }
}

pub(super) fn hop(listener: Listener, peer: IpAddr, port: u16) -> Hop {
    Hop { listener, socket: 0, local: None, peer: SocketAddr::new(peer, port) }
}

/// Makes Message-Authenticator right, wherever it stands, and the Length too; where there is none it is put first.
pub(super) fn sign(datagram: &[u8]) -> Vec<u8> {
    const HEADER: usize = 20;
    const MESSAGE_AUTHENTICATOR: [u8; 2] = [80, 18];
    let mut octets = datagram.to_vec();
    if octets.len() < HEADER {
        return octets;
    }
    let at = position(&octets, MESSAGE_AUTHENTICATOR[0]).unwrap_or_else(|| {
        octets.splice(HEADER..HEADER, MESSAGE_AUTHENTICATOR.into_iter().chain([0; 16]));
        HEADER
    });
    if let Ok(length) = u16::try_from(octets.len()) {
        octets[2..4].copy_from_slice(&length.to_be_bytes());
    }
    if let Some(field) = octets.get_mut(at + 2..at + 18) {
        field.fill(0);
        let mut mac = Hmac::<Md5>::new_from_slice(SECRET).expect("a key of any length");
        mac.update(&octets);
        octets[at + 2..at + 18].copy_from_slice(&mac.finalize().into_bytes());
    }
    octets
}

/// Where the first attribute of a type begins.
fn position(octets: &[u8], kind: u8) -> Option<usize> {
    let mut at = 20;
    while let Some([found, length]) = octets.get(at..at + 2) {
        if *found == kind {
            return Some(at);
        }
        at += usize::from(*length).max(2);
    }
    None
}
