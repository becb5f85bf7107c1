//! The demo's concentrator, where it asks without EAP.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};

use super::files::SECRET;
use super::{Error, LIMIT};
use crate::exchange::Asker;
use crate::radius::{Attributes, Code, MAX_PACKET, Type};
use crate::secret::{Secret, random};

/// Where it has an address of its own, as a real one has.
pub(super) const CONCENTRATOR: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);
/// NAS-Port-Type (RFC 2865 section 5.41).
const VIRTUAL: u32 = 5;

/// Asks whether a user may enter: by this password, which says what it has checked, or is a code. Whether he may.
pub(super) fn ask(server: SocketAddr, user: &str, password: &Secret, mac: &str) -> Result<bool, Error> {
    let asker = Asker::new(Secret::new(SECRET.as_bytes()));
    let authenticator = random::<16>().map_err(|_| "the system has no randomness".to_owned())?;
    let request = request(&asker, authenticator, user, password, mac);
    let request = request.ok_or_else(|| "what is to be sent does not fit into a packet".to_owned())?;
    let socket = UdpSocket::bind((CONCENTRATOR, 0))?;
    socket.connect(server)?;
    socket.set_read_timeout(Some(LIMIT))?;
    socket.send(&request)?;
    let mut answer = [0; MAX_PACKET];
    let length = socket.recv(&mut answer)?;
    let reply = asker.reply(&request, answer.get(..length).unwrap_or_default());
    let reply = reply.map_err(|bad| Error(format!("{user}: {bad:?}")))?;
    Ok(reply.code() == Code::ACCESS_ACCEPT)
}

fn request(asker: &Asker, authenticator: [u8; 16], user: &str, password: &Secret, mac: &str) -> Option<Vec<u8>> {
    let mut attributes = Attributes::default();
    attributes.push(Type::USER_NAME, user.as_bytes()).ok()?;
    asker.push_password(&authenticator, password, &mut attributes).ok()?;
    attributes.push(Type::CALLING_STATION_ID, mac.as_bytes()).ok()?;
    attributes.push_integer(Type::NAS_PORT_TYPE, VIRTUAL);
    asker.request(Code::ACCESS_REQUEST, 0, authenticator, &[], &attributes).ok()
}
