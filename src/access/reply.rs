//! What an answer carries besides its EAP packet.

use super::asked::Asked;
use super::gate::Decided;
use super::{Snapshot, State};
use crate::eap;
use crate::exchange::{Keys, Nas, Reply};
use crate::policy::Grant;
use crate::radius::{Attributes, Code, TooLong, Type};

/// RADIUS-Request: when the session times out the NAS asks again instead of ending it (RFC 2865 section 5.29).
const TERMINATION_ACTION_RADIUS_REQUEST: u32 = 1;

/// Octets of most Accepts' attributes.
const USUAL_ATTRIBUTES: usize = 256;

pub(super) fn challenge(eap: Vec<u8>, state: &State) -> Reply {
    let mut attributes = Attributes::default();
    // 40 octets always fit.
    let _ = attributes.push(Type::STATE, &state.octets);
    Reply { code: Code::ACCESS_CHALLENGE, eap, attributes, keys: None }
}

/// Asks the user for something (RFC 2865 section 4.4).
pub(super) fn prompt(text: &str, state: &State) -> Reply {
    let mut reply = challenge(Vec::new(), state);
    // Our own sentences fit.
    let _ = reply.attributes.push(Type::REPLY_MESSAGE, text.as_bytes());
    reply
}

pub(super) fn reject(eap: Vec<u8>) -> Reply {
    Reply { code: Code::ACCESS_REJECT, eap, attributes: Attributes::default(), keys: None }
}

/// Everything that goes into an Accept.
pub(super) struct Accept<'a> {
    pub(super) by: &'a Snapshot,
    pub(super) nas: &'a Nas,
    pub(super) asked: &'a Asked,
    pub(super) user_name: &'a str,
    pub(super) decided: &'a Decided,
    pub(super) grant: &'a Grant,
    /// Of the handshake; `None`: there was none.
    pub(super) keys: Option<&'a eap::Keys>,
    pub(super) success: Vec<u8>,
}

impl Accept<'_> {
    /// The error: an attribute is longer than it can be; the configuration's own were checked when it was read.
    pub(super) fn reply(self) -> Result<Reply, TooLong> {
        let mut attributes = Attributes::with_capacity(USUAL_ATTRIBUTES);
        attributes.push(Type::USER_NAME, self.user_name.as_bytes())?;
        let timeout = u32::try_from(self.grant.session_timeout.as_secs()).unwrap_or(u32::MAX);
        attributes.push_integer(Type::SESSION_TIMEOUT, timeout);
        attributes.push_integer(Type::TERMINATION_ACTION, TERMINATION_ACTION_RADIUS_REQUEST);
        if let Some(vlan) = &self.grant.vlan {
            attributes.push_vlan(vlan)?;
        }
        if let Some(filter) = &self.grant.filter_id {
            attributes.push(Type::FILTER_ID, filter.as_bytes())?;
        }
        if let Some(class) = self.class() {
            attributes.push(Type::CLASS, &class)?;
        }
        if let Some(keys) = self.keys.filter(|_| self.asked.wants_key_name) {
            attributes.push(Type::EAP_KEY_NAME, &keys.session_id)?;
        }
        if let Some(cui) = self.cui() {
            attributes.push(Type::CHARGEABLE_USER_IDENTITY, cui.as_bytes())?;
        }
        // RFC 3579 section 2.6.5: never beside an EAP packet; a supplicant would not see it anyway.
        let hidden: &[Type] = if self.keys.is_some() { &[Type::REPLY_MESSAGE] } else { &[] };
        attributes.extend(&self.grant.attributes.without(hidden));
        let keys = self.keys.map(|keys| Keys { msk: keys.msk.clone() });
        Ok(Reply { code: Code::ACCESS_ACCEPT, eap: self.success, attributes, keys })
    }

    fn class(&self) -> Option<Vec<u8>> {
        let fingerprint = self.decided.facts.as_ref().filter(|_| self.nas.class)?.fingerprint;
        self.by.handles.class(&fingerprint, &self.nas.name, &self.asked.calling_station)
    }

    fn cui(&self) -> Option<String> {
        self.asked.wants_cui.then(|| self.by.handles.cui(&self.grant.user, &self.asked.operator)).flatten()
    }
}
