//! What the world outside may rely on, where no other module shows it.

use std::net::{SocketAddr, UdpSocket};
use std::thread;
use std::time::Duration;

use sekisho::exchange::Asker;
use sekisho::radius::{Attributes, Code, Packet, Type};
use sekisho::secret::Secret;
use serde_json::Value;

use crate::eapol::{BOTH, Login, SECRET};
use crate::pki::{Credential, pki};
use crate::process::{Place, run};
use crate::scratch::Scratch;
use crate::server::{SEKISHO, Server};

const PROXY_STATE: u8 = 33;
const MESSAGE_AUTHENTICATOR: u8 = 80;
const CUI: u8 = 89;
const KEY_NAME: u8 = 102;

#[test]
fn accept_has_what_the_contract_lists_and_proxy_state_in_order() {
    let server = Server::start();
    for tls in BOTH {
        let asks = ["89:x:00", "102:x:00", "33:s:one", "33:s:two", "33:s:one"];
        let login = asks.iter().fold(Login::new(&pki().member_p256, tls), |login, ask| login.attribute(ask));
        let outcome = login.run(server.port);
        let accept = &outcome.assert_accepted(1).attempts[0];
        let kinds: Vec<u8> = accept.granted.iter().map(|(kind, _)| *kind).collect();
        // User-Name, Session-Timeout, Termination-Action, the VLAN, Class, EAP-Key-Name, CUI, MS-MPPE-Recv-Key and -Send-Key.
        let wanted = [1, 27, 29, 64, 65, 81, 25, KEY_NAME, CUI, 26, 26];
        assert_eq!(kinds.first(), Some(&MESSAGE_AUTHENTICATOR), "{outcome}");
        assert!(wanted.iter().all(|kind| kinds.contains(kind)), "{kinds:?}: {outcome}");
        assert_eq!(accept.values(29), ["1"], "RADIUS-Request: {outcome}");
        assert_eq!(accept.values(KEY_NAME)[0].len(), 2 * 65, "type and 64 octets: {outcome}");
        assert_eq!(accept.values(PROXY_STATE), ["6f6e65", "74776f", "6f6e65"], "{outcome}");
    }
}

#[test]
fn what_nobody_asked_for_is_not_in_the_accept() {
    let server = Server::start();
    let outcome = Login::new(&pki().member_p256, BOTH[0]).run(server.port);
    let accept = &outcome.assert_accepted(1).attempts[0];
    assert!([CUI, KEY_NAME, PROXY_STATE].iter().all(|kind| accept.values(*kind).is_empty()), "{outcome}");
}

#[test]
fn chargeable_user_identity_is_one_for_a_user_and_an_operator_on_every_node() {
    let cui = |server: &Server, member: &Credential, operator: Option<&str>| {
        let login = Login::new(member, BOTH[1]).attribute("89:x:00");
        let login = operator.into_iter().fold(login, |login, name| login.attribute(&format!("126:s:{name}")));
        let outcome = login.run(server.port);
        outcome.assert_accepted(1).attempts[0].values(CUI).concat()
    };
    let (one, other) = (Server::start(), Server::start());
    let (hanako, yuki) = (&pki().member_p256, &pki().member_pub_ca8);
    let home = cui(&one, hanako, None);
    assert!(!home.is_empty() && !home.contains("jaist"), "{home}");
    assert_eq!(cui(&other, hanako, Some("1jaist.ac.jp")), home, "who names no operator is ours");
    assert_ne!(cui(&one, hanako, Some("1example.ac.jp")), home);
    assert_ne!(cui(&one, yuki, None), home);
}

#[test]
fn a_request_that_is_no_eap_is_refused_at_once_with_proxy_state() {
    let mut server = Server::start();
    let asker = Asker::new(Secret::new(SECRET));
    let authenticator = *b"0123456789abcdef";
    let mut attributes = Attributes::default();
    attributes.push(Type::USER_NAME, b"020000000001").expect("short");
    for state in [&b"b"[..], b"", b"a"] {
        attributes.push(Type::PROXY_STATE, state).expect("short");
    }
    asker.push_password(&authenticator, &Secret::new("020000000001"), &mut attributes).expect("short");
    let request = asker.request(Code::ACCESS_REQUEST, 7, authenticator, &[], &attributes).expect("it fits");

    let answer = ask(server.port, &request);
    let reply = asker.reply(&request, &answer).expect("an authentic answer");
    assert_eq!(reply.code(), Code::ACCESS_REJECT);
    assert_eq!(kinds(&reply), [80, 33, 33, 33]);
    let states: Vec<&[u8]> =
        reply.attributes().filter(|one| one.kind == Type::PROXY_STATE).map(|one| one.value).collect();
    assert_eq!(states, [&b"b"[..], b"", b"a"]);
    // It answers before it counts.
    server.log_with("reject method-not-allowed");
    server.assert_rejections("method-not-allowed", 1);
    assert_eq!(ask(server.port, &request), answer, "a repeat gets the same octets");
    // And is nothing new.
    server.assert_rejections("method-not-allowed", 1);
}

fn kinds(packet: &Packet<'_>) -> Vec<u8> {
    packet.attributes().map(|one| one.kind.0).collect()
}

/// The answer to a datagram; each time from the same port, so that it may be a repeat.
fn ask(port: u16, request: &[u8]) -> Vec<u8> {
    thread_local! {
        static SOCKET: UdpSocket = UdpSocket::bind("127.0.0.1:0").expect("a port");
    }
    SOCKET.with(|socket| {
        socket.set_read_timeout(Some(Duration::from_secs(10))).expect("a time-out");
        socket.send_to(request, ("127.0.0.1", port)).expect("sent");
        let mut answer = [0; 4_096];
        let length = socket.recv(&mut answer).expect("an answer");
        answer[..length].to_vec()
    })
}

/// A port behind which the first login goes to one server and what follows to another.
fn moves_on(first: u16, then: u16) -> SocketAddr {
    const ACCEPT: u8 = 2;
    let front = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let address = front.local_addr().expect("bound");
    let behind = UdpSocket::bind("127.0.0.1:0").expect("a port");
    behind.set_read_timeout(Some(Duration::from_secs(20))).expect("a time-out");
    front.set_read_timeout(Some(Duration::from_secs(60))).expect("a time-out");
    thread::spawn(move || {
        let (mut octets, mut server) = ([0; 4_096], first);
        while let Ok((length, nas)) = front.recv_from(&mut octets) {
            behind.send_to(&octets[..length], ("127.0.0.1", server)).expect("sent");
            let Ok(length) = behind.recv(&mut octets) else { return };
            front.send_to(&octets[..length], nas).expect("sent");
            if octets[0] == ACCEPT {
                server = then;
            }
        }
    });
    address
}

#[test]
fn a_session_resumes_on_another_node_by_the_common_ticket_keys() {
    let (one, other) = (Server::start(), Server::start());
    let (scratch, member) = (Scratch::new(), &pki().member_p256);
    for tls in ["1.2", "1.3"] {
        let mut command = Place::Host.command(SEKISHO);
        command.args(["login", "--json", "--resume", "1", "--ssid", "JAIST", "--secret", SECRET, "--tls", tls]);
        command.args(["--identity", "@jaist.ac.jp", "--server", &moves_on(one.port, other.port).to_string()]);
        command.arg("--cert").arg(scratch.write("member.pem", &member.chain));
        command.arg("--key").arg(scratch.write("member.key", &member.key));
        command.arg("--ca").arg(scratch.write("ca.pem", pki().server_ca.pem()));
        let output = run(&mut command, Duration::from_secs(60));
        let text = String::from_utf8_lossy(&output.stdout);
        let resumed: Vec<Option<bool>> =
            text.lines().map(|line| serde_json::from_str::<Value>(line).ok()?.get("resumed")?.as_bool()).collect();
        assert_eq!(resumed, [Some(false), Some(true)], "TLS {tls}: {text}");
        assert_eq!(output.status.code(), Some(0), "TLS {tls}: {text}");
    }
}
