//! One login: the access point's requests around the supplicant's EAP.

use std::fmt;
use std::sync::Arc;

use super::chance;
use super::client::{Client, Station};
use super::handshake::Handshake;
use crate::eap::{self, Peer, Told};
use crate::event::TlsVersion;
use crate::exchange::{Asker, BadReply};
use crate::now::Wall;
use crate::radius::{Attributes, Code, Packet, TooLong, Type};

/// Service-Type (RFC 2865 section 5.6).
const FRAMED: u32 = 2;
/// NAS-Port-Type (RFC 3580 section 3.34).
const WIRELESS_802_11: u32 = 19;
/// The access point's address in Called-Station-Id.
const ACCESS_POINT: &str = "02-00-00-00-00-01";

/// Longest message taken from a server.
const MAX_MESSAGE: usize = 64 * 1024;
/// Requests after which a server is thought to go round in circles: a whole message each way in fragments of 50 octets is far below.
const MAX_REQUESTS: u32 = 4_000;

/// How a login ended.
#[derive(Clone, Default)]
pub struct Report {
    /// Whether Access-Accept came.
    pub accepted: bool,
    /// Whether a supplicant takes it for a login: Access-Accept with EAP-Success after a finished handshake, in TLS 1.3 with the protected success; and no MPPE key that contradicts the MSK.
    pub logged_in: bool,
    /// Whether the handshake is finished as we see it; in TLS 1.3 the server may still refuse.
    pub finished: bool,
    /// TLS version of the handshake.
    pub version: Option<TlsVersion>,
    /// Whether the handshake was abbreviated.
    pub resumed: bool,
    /// Requests sent, repeats not counted.
    pub requests: u32,
    /// TLS messages (flights, alerts, not acknowledgements) that we sent, whatever their fragments.
    pub messages_sent: u32,
    /// TLS messages of the server.
    pub messages_received: u32,
    /// The alert that the server sent, by number.
    pub alert_received: Option<u8>,
    /// The alert that we sent.
    pub alert_sent: Option<u8>,
    /// Whether EAP-Success or EAP-Failure came with the last answer.
    pub eap_success: Option<bool>,
    /// Whether the one octet 0x00 of RFC 9190 section 2.1.1 came; `None`: not TLS 1.3.
    pub protected_success: Option<bool>,
    /// Whether the MPPE keys agree with the MSK; `None`: there were none.
    pub keys_agree: Option<bool>,
    /// Whether EAP-Key-Name is our Session-Id; `None`: there was none.
    pub key_name_agrees: Option<bool>,
    /// Octets of the OCSP answer that the server stapled to its certificate (RFC 6066 section 8), which nobody here verifies; 0: it stapled none; `None`: no certificate came, as in a resumed handshake.
    pub stapled: Option<usize>,
    /// What was wrong with the server's certificate.
    pub server_certificate: Option<String>,
    /// What went wrong in EAP or TLS, in words.
    pub fault: Option<String>,
    /// The last answer's octets, for whoever wants its attributes.
    pub reply: Vec<u8>,
}

impl fmt::Debug for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not the reply: sealed keys are in it.
        f.debug_struct("Report")
            .field("accepted", &self.accepted)
            .field("logged_in", &self.logged_in)
            .field("version", &self.version)
            .field("resumed", &self.resumed)
            .field("requests", &self.requests)
            .field("alert_received", &self.alert_received)
            .field("alert_sent", &self.alert_sent)
            .field("eap_success", &self.eap_success)
            .field("protected_success", &self.protected_success)
            .field("keys_agree", &self.keys_agree)
            .field("fault", &self.fault)
            .finish_non_exhaustive()
    }
}

impl Report {
    /// Whether a supplicant that doesn't insist on RFC 9190's protected success takes it for a login: hostapd 2.10 ends a resumed TLS 1.3 handshake without it.
    #[must_use]
    pub(crate) fn is_believed(&self) -> bool {
        self.accepted && self.eap_success == Some(true) && self.finished && self.keys_agree != Some(false)
    }
}

/// What to do next.
#[derive(Debug)]
pub enum Next {
    /// Send this request (and again, unchanged, when no answer comes).
    Send(Vec<u8>),
    /// Not our reply: keep waiting.
    Ignored,
    /// It has ended.
    Done(Box<Report>),
}

/// One login.
pub struct Login {
    client: Arc<Client>,
    asker: Arc<Asker>,
    /// In each request; `None`: they fit into none.
    attributes: Option<Attributes>,
    resume: bool,
    /// When the login began.
    now: Wall,
    peer: Peer,
    /// It is large, and a login is moved about.
    handshake: Option<Box<Handshake>>,
    request: Vec<u8>,
    identifier: u8,
    state: Option<Vec<u8>>,
    bad_reply: Option<BadReply>,
    report: Report,
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login").field("report", &self.report).finish_non_exhaustive()
    }
}

impl Login {
    pub(super) fn new(client: Arc<Client>, asker: Arc<Asker>, station: &Station, resume: bool, now: Wall) -> Self {
        let bounds = eap::Settings {
            fragment_size: client.settings.fragment_size,
            max_message: MAX_MESSAGE,
            max_idle_rounds: u32::MAX,
        };
        Self {
            attributes: describe(&client.settings.identity, station).ok(),
            peer: Peer::new(bounds, client.settings.always_length),
            client,
            asker,
            resume,
            now,
            handshake: None,
            request: Vec::new(),
            identifier: chance::octets().map_or(0, |[octet]| octet),
            state: None,
            bad_reply: None,
            report: Report::default(),
        }
    }

    /// Chooses the Identifier of the next request; else each is one above that before. For whoever has several logins behind one port.
    pub fn identify(&mut self, identifier: u8) {
        self.identifier = identifier.wrapping_sub(1);
    }

    /// The first request; empty when what the station says does not fit into one.
    pub fn begin(&mut self) -> Vec<u8> {
        let identity = self.peer.identity(&self.client.settings.identity);
        self.ask(&identity).unwrap_or_default()
    }

    /// Takes a datagram of the server.
    pub fn handle(&mut self, datagram: &[u8], now: Wall) -> Next {
        self.now = now;
        let asker = self.asker.clone();
        let reply = match asker.reply(&self.request, datagram) {
            Ok(reply) => reply,
            Err(bad) => {
                self.bad_reply = Some(bad);
                return Next::Ignored;
            }
        };
        self.report.reply.clear();
        self.report.reply.extend_from_slice(reply.octets());
        match reply.code() {
            Code::ACCESS_CHALLENGE => self.go_on(&reply),
            Code::ACCESS_ACCEPT | Code::ACCESS_REJECT => self.end(&reply),
            _ => Next::Ignored,
        }
    }

    /// Why the last datagram that was ignored is not our reply: where only such came, the secret is probably another.
    #[must_use]
    pub(crate) fn bad_reply(&self) -> Option<BadReply> {
        self.bad_reply
    }

    fn go_on(&mut self, reply: &Packet<'_>) -> Next {
        self.state = reply.first(Type::STATE).map(<[u8]>::to_vec);
        let mut eap = Vec::new();
        if !matches!(reply.join_eap(&mut eap), Ok(true)) {
            return self.give_up("Access-Challenge without an EAP packet");
        }
        let answer = match self.peer.hear(&eap) {
            Ok(Told::Identity) => Ok(self.peer.identity(&self.client.settings.identity)),
            Ok(Told::Start) => self.hello(),
            Ok(Told::Message(message)) => self.answer(&message),
            Ok(Told::Reply(packet)) => Ok(packet),
            Ok(Told::Other(_)) => Ok(self.peer.nak()),
            Ok(Told::Success | Told::Failure) => Err("EAP ends in an Access-Challenge".to_owned()),
            Err(fault) => Err(format!("the server's EAP packet: {fault}")),
        };
        match answer.and_then(|answer| self.ask(&answer)) {
            Ok(request) => Next::Send(request),
            Err(fault) => self.give_up(&fault),
        }
    }

    fn hello(&mut self) -> Result<Vec<u8>, String> {
        let handshake = self.client.handshake(self.resume, self.now).map_err(|error| format!("TLS: {error}"))?;
        let flight = self.handshake.insert(Box::new(handshake)).begin();
        self.report.messages_sent = self.report.messages_sent.saturating_add(1);
        Ok(self.peer.send(flight))
    }

    fn answer(&mut self, message: &[u8]) -> Result<Vec<u8>, String> {
        let handshake = self.handshake.as_mut().ok_or("TLS data before EAP-TLS start")?;
        let flight = if message.is_empty() { Vec::new() } else { handshake.receive(message, self.now) };
        let report = &mut self.report;
        report.messages_received = report.messages_received.saturating_add(u32::from(!message.is_empty()));
        report.messages_sent = report.messages_sent.saturating_add(u32::from(!flight.is_empty()));
        Ok(self.peer.send(flight))
    }

    fn ask(&mut self, eap: &[u8]) -> Result<Vec<u8>, String> {
        if self.report.requests >= MAX_REQUESTS {
            return Err("the server goes round in circles".to_owned());
        }
        let too_long = |_| "the request would be too long for a packet".to_owned();
        let mut attributes = self.attributes.clone().ok_or(TooLong).map_err(too_long)?;
        if let Some(state) = &self.state {
            attributes.push(Type::STATE, state).map_err(too_long)?;
        }
        self.identifier = self.identifier.wrapping_add(1);
        self.request = self
            .asker
            .request(
                Code::ACCESS_REQUEST,
                self.identifier,
                chance::octets().map_err(|error| error.to_string())?,
                eap,
                &attributes,
            )
            .map_err(too_long)?;
        self.report.requests = self.report.requests.saturating_add(1);
        Ok(self.request.clone())
    }

    fn end(&mut self, reply: &Packet<'_>) -> Next {
        let mut eap = Vec::new();
        let told = matches!(reply.join_eap(&mut eap), Ok(true)).then(|| self.peer.hear(&eap));
        self.report.eap_success = match told {
            Some(Ok(Told::Success)) => Some(true),
            Some(Ok(Told::Failure)) => Some(false),
            _ => None,
        };
        self.report.accepted = reply.code() == Code::ACCESS_ACCEPT;
        self.compare_keys(reply);
        Next::Done(self.finish())
    }

    fn compare_keys(&mut self, reply: &Packet<'_>) {
        let handshake = self.handshake.as_deref();
        let sent = self.asker.keys(&self.request, reply);
        self.report.keys_agree = sent.map(|sent| handshake.and_then(Handshake::msk) == Some(sent));
        let name = reply.first(Type::EAP_KEY_NAME);
        let is_ours = |name| handshake.and_then(Handshake::session_id).is_some_and(|ours| ours == name);
        self.report.key_name_agrees = name.map(is_ours);
    }

    fn give_up(&mut self, fault: &str) -> Next {
        self.report.fault = Some(fault.to_owned());
        Next::Done(self.finish())
    }

    fn finish(&mut self) -> Box<Report> {
        let report = &mut self.report;
        if let Some(handshake) = &self.handshake {
            report.version = handshake.version();
            report.resumed = handshake.resumed();
            report.alert_received = handshake.alert_received();
            report.alert_sent = handshake.alert_sent();
            report.protected_success = handshake.protected_success();
            report.stapled = handshake.stapled();
            report.server_certificate = handshake.server_certificate();
            let error = || handshake.error().map(|error| format!("TLS: {error}"));
            report.fault = report.fault.take().or_else(error);
            report.finished = handshake.is_finished();
            report.logged_in = report.is_believed() && report.protected_success != Some(false);
        }
        Box::new(std::mem::take(report))
    }
}

/// What an access point says in each request (RFC 3580 section 3).
fn describe(identity: &str, station: &Station) -> Result<Attributes, TooLong> {
    let mut attributes = Attributes::default();
    // RFC 2865 section 5.1: User-Name has at least one octet.
    if !identity.is_empty() {
        attributes.push(Type::USER_NAME, identity.as_bytes())?;
    }
    attributes.push_integer(Type::SERVICE_TYPE, FRAMED);
    if station.attributes.integer(Type::NAS_PORT_TYPE).is_none() {
        attributes.push_integer(Type::NAS_PORT_TYPE, WIRELESS_802_11);
    }
    let called = station.ssid.as_ref().map_or_else(|| ACCESS_POINT.to_owned(), |ssid| format!("{ACCESS_POINT}:{ssid}"));
    attributes.push(Type::CALLED_STATION_ID, called.as_bytes())?;
    if !station.mac.is_empty() {
        attributes.push(Type::CALLING_STATION_ID, station.mac.as_bytes())?;
    }
    if let Some(mtu) = station.framed_mtu {
        attributes.push_integer(Type::FRAMED_MTU, mtu);
    }
    if let Some(identifier) = &station.nas_identifier {
        attributes.push(Type::NAS_IDENTIFIER, identifier.as_bytes())?;
    }
    attributes.push(Type::CONNECT_INFO, b"CONNECT 11Mbps 802.11b")?;
    attributes.extend(&station.attributes);
    Ok(attributes)
}
