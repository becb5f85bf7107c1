//! The look-alike campus' configuration, and what the tests vary of it.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use sekisho::access::{self, Handles};
use sekisho::engine::{Automatic, Bounds, Settings, Snapshot};
use sekisho::event::{Method, TlsVersion};
use sekisho::exchange::{self, DisconnectSettings, NasSettings, Peers, Prefix};
use sekisho::now::Wall;
use sekisho::pki::{Answers, AuthoritySettings, Crl, Distrust, Purpose, Revocation, RevocationSource, Trust};
use sekisho::policy::{
    Authorize, Grants, Match, OtpAfter, Policy, ReplyUsername, Rule, ServiceSettings, UsernameRule, UsernameSource,
    When,
};
use sekisho::secret::Secret;
use sekisho::standing::{Blocks, Standing};
use sekisho::tls::{self, Group, IdentitySettings};
use sekisho::{eap, sessions};

use crate::pki::{CAMPUS, Credential, crl, pki};

pub(crate) const SECRET: &[u8] = b"a secret of the tests";
pub(crate) const NAS: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
/// Another NAS: needs Message-Authenticator only with Proxy-State or EAP, gets no Class, and its users another VLAN.
pub(crate) const OTHER_NAS: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 1));
pub(crate) const OTHER_NAS_VLAN: &str = "140";

/// What the tests vary.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub(crate) max_conversations: usize,
    pub(crate) nas_max_conversations: usize,
    pub(crate) conversation_timeout: Duration,
    pub(crate) max_waiting: Duration,
    pub(crate) resumption: Duration,
    pub(crate) vlan: &'static str,
    pub(crate) realms: Option<Vec<String>>,
    pub(crate) suspended: &'static str,
    pub(crate) methods: Vec<Method>,
    pub(crate) nas_services: Option<Vec<Arc<str>>>,
    pub(crate) fragment_size: usize,
    pub(crate) filter_id: Option<&'static str>,
    pub(crate) session_timeout: Option<Duration>,
    pub(crate) reply_username: ReplyUsername,
    /// Where the authority "silent" has revocation data from.
    pub(crate) sources: RevocationSource,
    /// Its `grace`.
    pub(crate) grace: Duration,
    /// Its CRL: the number, and who is on it.
    pub(crate) silent_crl: Option<(u64, Vec<&'static Credential>)>,
    /// How many conversations may wait for a responder, in all and of one NAS.
    pub(crate) max_asking: (usize, usize),
    /// How many accounting records may wait.
    pub(crate) max_records: usize,
    /// How many sessions may be live.
    pub(crate) max_sessions: usize,
    /// How NAS are told to end sessions, and how many sessions go by themselves.
    pub(crate) disconnect: Option<DisconnectSettings>,
    pub(crate) automatic: Automatic,
    /// The access points' network is a NAS.
    pub(crate) is_nas: bool,
    /// What is blocked here.
    pub(crate) blocks: Arc<Blocks>,
    /// The services that there are.
    pub(crate) services: Vec<&'static str>,
    /// Their ways in without EAP.
    pub(crate) authorize: Option<Authorize>,
    pub(crate) otp: Option<OtpAfter>,
    /// A rule that wants a code of everybody.
    pub(crate) otp_rule: bool,
    /// Authorities of the services.
    pub(crate) authorities: Vec<&'static str>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            max_conversations: 1_000,
            nas_max_conversations: 0,
            conversation_timeout: Duration::from_secs(60),
            max_waiting: Duration::from_millis(500),
            resumption: Duration::from_secs(8 * 3_600),
            vlan: "120",
            realms: None,
            suspended: "",
            methods: vec![Method::EapTls],
            nas_services: None,
            fragment_size: 1_200,
            filter_id: None,
            session_timeout: None,
            reply_username: ReplyUsername::Certificate,
            sources: RevocationSource::Crl,
            grace: Duration::ZERO,
            silent_crl: None,
            max_asking: (4_096, 256),
            max_records: 4_096,
            max_sessions: 10_000,
            disconnect: None,
            automatic: Automatic::default(),
            is_nas: true,
            blocks: Arc::default(),
            services: vec!["JAIST", "eduroam"],
            authorize: None,
            otp: None,
            otp_rule: false,
            authorities: vec!["ca16", "pub-ca8", "odca-g4", "silent"],
        }
    }
}

pub(super) fn der(pem: &str) -> Vec<Vec<u8>> {
    CertificateDer::pem_slice_iter(pem.as_bytes()).map(|one| one.expect("PEM").to_vec()).collect()
}

pub(crate) fn key(credential: &Credential) -> Secret {
    Secret::new(PrivateKeyDer::from_pem_slice(credential.key.as_bytes()).expect("PEM").secret_der())
}

pub(crate) fn chain(credential: &Credential) -> Vec<Vec<u8>> {
    der(&credential.chain)
}

/// What a reload doesn't change.
pub(super) fn settings(options: &Options) -> Settings {
    Settings {
        exchange: exchange::Settings {
            keep_answer: Duration::from_secs(20),
            keep_unanswered: Duration::from_secs(60),
            max_exchanges: 100_000,
        },
        max_conversations: options.max_conversations,
        conversation_timeout: options.conversation_timeout,
        max_waiting: options.max_waiting,
        ask_timeout: Duration::from_secs(2),
        max_asking: options.max_asking.0,
        nas_max_asking: options.max_asking.1,
        reserved_asking: 0,
        records: Bounds {
            timeout: Duration::from_secs(2),
            most: options.max_records,
            nas_most: options.max_records,
            reserved: 0,
        },
        sessions: sessions::Settings { max_sessions: options.max_sessions },
    }
}

pub(super) fn authorities(options: &Options) -> Vec<AuthoritySettings> {
    let authority = |name: &str, anchor: String, intermediates: Vec<String>| AuthoritySettings {
        name: name.into(),
        anchor: der(&anchor).remove(0),
        fingerprint_sha1: None,
        fingerprint_sha256: None,
        intermediates: intermediates.iter().map(|pem| der(pem).remove(0)).collect(),
        subject: vec![("O".to_owned(), CAMPUS.to_owned()), ("C".to_owned(), "JP".to_owned())],
        purpose: Purpose { require: vec!["clientAuth".to_owned()], policies: Vec::new(), refuse_policies: Vec::new() },
        revocation: RevocationSource::Crl,
        grace: Duration::ZERO,
        distrust: None,
    };
    let pki = pki();
    let mut retired = authority("odca-g4", pki.root_ca2.pem(), vec![pki.retired.pem()]);
    retired.distrust =
        Some(Distrust { from: Wall(1_642_345_200), issued_before: Some(Wall(1_608_822_000)), issued_after: None });
    let silent = authority("silent", pki.silent.pem(), Vec::new());
    vec![
        authority("ca16", pki.ca16.pem(), Vec::new()),
        authority("pub-ca8", pki.root_ca2.pem(), vec![pki.pub_ca8.pem()]),
        retired,
        AuthoritySettings { revocation: options.sources, grace: options.grace, ..silent },
    ]
}

pub(super) fn tls_settings(options: &Options) -> tls::Settings {
    let identity = |name: &str, credential: &Credential| IdentitySettings {
        name: name.into(),
        chain: chain(credential),
        key: key(credential),
    };
    tls::Settings {
        identities: vec![identity("ecdsa", &pki().server_p256), identity("rsa", &pki().server_rsa)],
        versions: vec![TlsVersion::Tls13, TlsVersion::Tls12],
        groups: vec![Group::X25519, Group::Secp256r1],
        resumption: options.resumption,
        ticket_keys: Vec::new(),
        max_session_ids: 1_000,
    }
}

pub(super) fn snapshot(
    options: &Options,
    trust: &Arc<Trust>,
    tls: &Arc<tls::Server>,
    handles: &Arc<Handles>,
    answers: &Arc<Answers>,
    ca16: &[(u64, &[&Credential])],
) -> Arc<Snapshot> {
    let load = |name: &str, octets: Vec<u8>| {
        Arc::new(Crl::load(&octets, &name.into(), &"memory".into(), trust).expect("a good CRL"))
    };
    let pki = pki();
    let mut crls = vec![
        load("pub-ca8", crl(&pki.root_ca2, 1, &[])),
        load("pub-ca8", crl(&pki.pub_ca8, 1, &[])),
        load("odca-g4", crl(&pki.retired, 1, &[])),
    ];
    crls.extend(ca16.iter().map(|(number, revoked)| load("ca16", crl(&pki.ca16, *number, revoked))));
    crls.extend(options.silent_crl.iter().map(|(number, revoked)| load("silent", crl(&pki.silent, *number, revoked))));
    let network = |a, b, c, bits| Prefix { address: IpAddr::V4(Ipv4Addr::new(a, b, c, 0)), bits };
    let networks = if options.is_nas { vec![network(192, 0, 2, 24), network(10, 0, 0, 8)] } else { Vec::new() };
    let nas = NasSettings {
        services: options.nas_services.clone(),
        methods: options.methods.clone(),
        max_conversations: options.nas_max_conversations,
        disconnect: options.disconnect.clone(),
        ..NasSettings::new("ap", networks, Secret::new(SECRET))
    };
    let other = NasSettings {
        name: "other".into(),
        address: vec![network(198, 51, 100, 24)],
        require_message_authenticator: false,
        class: false,
        ..nas.clone()
    };
    let access = access::Snapshot {
        eap: eap::Settings { fragment_size: options.fragment_size, max_message: 16 * 1_024, max_idle_rounds: 50 },
        policy: Arc::new(policy(options)),
        trust: trust.clone(),
        revocation: Arc::new(Revocation::new(crls).with_answers(answers.clone())),
        standing: Arc::new(
            Standing::new(&[("suspended".into(), options.suspended.to_owned())])
                .with_blocks(Arc::clone(&options.blocks)),
        ),
        tls: tls.clone(),
        handles: handles.clone(),
    };
    Arc::new(Snapshot {
        peers: Arc::new(Peers::new(&[nas, other]).expect("two NAS")),
        access: Arc::new(access),
        disconnect: options.automatic,
    })
}

fn policy(options: &Options) -> Policy {
    let service = |name: &str, vlan: &str| ServiceSettings {
        name: name.into(),
        matches: vec![Match { ssid: Some(vec![name.to_owned()]), ..Match::default() }],
        authorities: options.authorities.iter().copied().map(Into::into).collect(),
        identities: Vec::new(),
        realms: options.realms.clone(),
        reply_username: options.reply_username,
        grants: Grants {
            vlan: Some(vlan.to_owned()),
            filter_id: options.filter_id.map(str::to_owned),
            session_timeout: options.session_timeout,
            ..Grants::default()
        },
        rules: vec![
            Rule {
                when: When { group: Some(vec!["suspended".into()]), ..When::default() },
                grants: Grants::default(),
                deny: true,
                otp: false,
            },
            Rule {
                when: When { nas: Some(vec!["other".into()]), ..When::default() },
                grants: Grants { vlan: Some(OTHER_NAS_VLAN.to_owned()), ..Grants::default() },
                deny: false,
                otp: false,
            },
            Rule {
                when: When { group: (!options.otp_rule).then(Vec::new), ..When::default() },
                grants: Grants::default(),
                deny: false,
                otp: true,
            },
        ],
        authorize: options.authorize.clone(),
        otp: options.otp,
    };
    let username = |authority: &str| UsernameRule {
        authority: authority.into(),
        sources: vec![UsernameSource::SanEmail, UsernameSource::Cn],
        lowercase: true,
        strip_realm: false,
    };
    let usernames = ["ca16", "pub-ca8", "odca-g4", "silent"].map(username).to_vec();
    let vlan = |name| if name == "JAIST" { options.vlan } else { "130" };
    Policy::new(options.services.iter().map(|name| service(name, vlan(*name))).collect(), usernames)
}
