//! What an Accept hands to the NAS so that it can name the login later: Class for us, Chargeable-User-Identity for others.

use std::sync::Arc;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, MAX_TAG_LEN, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hmac;
use data_encoding::HEXLOWER;

use crate::secret::{NoRandom, Secret, random};

/// First octet of a Class of ours.
const VERSION: u8 = 1;

/// `[federation]`: what others are told of a user.
#[derive(Clone, Debug, Default)]
pub struct CuiSettings {
    /// `cui-key`; `None`: Chargeable-User-Identity isn't sent.
    pub key: Option<Secret>,
    /// `operator-name`: our own (RFC 5580 section 4.1), for requests that name none; empty: there is none.
    pub operator: String,
}

/// Keys of Class and Chargeable-User-Identity.
#[derive(Debug)]
pub struct Handles {
    /// Lives as long as the process: a Class that an Accept handed out is good through every reload.
    class: Arc<LessSafeKey>,
    cui: Option<hmac::Key>,
    /// Whose users a request without Operator-Name is for.
    operator: Vec<u8>,
}

impl Handles {
    /// `cui`: the key of Chargeable-User-Identity; without one it isn't sent (RFC 4372 section 2.1 leaves that to the server).
    pub fn new(cui: Option<&Secret>) -> Result<Self, NoRandom> {
        let key = UnboundKey::new(&AES_256_GCM, &random::<32>()?).map_err(|_| NoRandom)?;
        Ok(Self { class: Arc::new(LessSafeKey::new(key)), cui: cui.map(cui_key), operator: Vec::new() })
    }

    /// The same Class, another Chargeable-User-Identity.
    #[must_use]
    pub fn with_cui(&self, settings: &CuiSettings) -> Self {
        let operator = settings.operator.as_bytes().to_vec();
        Self { class: Arc::clone(&self.class), cui: settings.key.as_ref().map(cui_key), operator }
    }

    /// The value of Class for a login with a certificate: sealed, and good only from this NAS and this calling station.
    #[must_use]
    pub fn class(&self, fingerprint: &[u8; 32], nas: &str, calling_station: &[u8]) -> Option<Vec<u8>> {
        let nonce = random::<NONCE_LEN>().ok()?;
        let mut sealed = Vec::with_capacity(fingerprint.len() + MAX_TAG_LEN);
        sealed.extend_from_slice(fingerprint);
        let bound = Aad::from(binding(nas, calling_station));
        self.class.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), bound, &mut sealed).ok()?;
        let mut class = Vec::with_capacity(1 + NONCE_LEN + sealed.len());
        class.push(VERSION);
        class.extend_from_slice(&nonce);
        class.extend_from_slice(&sealed);
        Some(class)
    }

    /// The fingerprint that a Class of ours was made for.
    #[must_use]
    pub fn open_class(&self, class: &[u8], nas: &str, calling_station: &[u8]) -> Option<[u8; 32]> {
        let (version, rest) = class.split_first()?;
        let (nonce, sealed) = rest.split_first_chunk::<NONCE_LEN>()?;
        let mut sealed = sealed.to_vec();
        let bound = Aad::from(binding(nas, calling_station));
        let opened = self.class.open_in_place(Nonce::assume_unique_for_key(*nonce), bound, &mut sealed).ok()?;
        (*version == VERSION).then(|| (&*opened).try_into().ok()).flatten()
    }

    /// Chargeable-User-Identity (RFC 4372): says nothing about the user, is always the same for a user and an operator. `operator`: of the request; empty: it names none.
    #[must_use]
    pub fn cui(&self, user: &str, operator: &[u8]) -> Option<String> {
        let operator = if operator.is_empty() { &self.operator } else { operator };
        let mut context = hmac::Context::with_key(self.cui.as_ref()?);
        context.update(&u32::try_from(operator.len()).ok()?.to_be_bytes());
        context.update(operator);
        context.update(user.as_bytes());
        Some(HEXLOWER.encode(context.sign().as_ref()))
    }
}

fn cui_key(key: &Secret) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, key.expose())
}

fn binding(nas: &str, calling_station: &[u8]) -> Vec<u8> {
    [nas.as_bytes(), &[0], calling_station].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> CuiSettings {
        CuiSettings { key: Some(Secret::new(*b"key")), operator: "1jaist.ac.jp".to_owned() }
    }

    #[test]
    fn class_is_good_only_from_its_nas_and_station() {
        let handles = Handles::new(None).expect("random octets");
        let class = handles.class(&[7; 32], "ap", b"02-00-00-00-00-01").expect("sealed");
        assert!(class.len() <= 253);
        assert_eq!(handles.open_class(&class, "ap", b"02-00-00-00-00-01"), Some([7; 32]));
        assert_eq!(handles.open_class(&class, "vpn", b"02-00-00-00-00-01"), None);
        assert_eq!(handles.open_class(&class, "ap", b"02-00-00-00-00-02"), None);
        for at in 0..class.len() {
            let mut bent = class.clone();
            bent[at] ^= 1;
            assert_eq!(handles.open_class(&bent, "ap", b"02-00-00-00-00-01"), None);
            assert_eq!(handles.open_class(&class[..at], "ap", b"02-00-00-00-00-01"), None);
        }
    }

    #[test]
    fn cui_differs_by_user_and_operator_and_nothing_else() {
        let handles = Handles::new(Some(&Secret::new(*b"key"))).expect("random octets");
        let again = Handles::new(Some(&Secret::new(*b"key"))).expect("random octets");
        assert_eq!(handles.cui("a", b"1jaist.ac.jp"), again.cui("a", b"1jaist.ac.jp"));
        assert_ne!(handles.cui("a", b"1jaist.ac.jp"), handles.cui("b", b"1jaist.ac.jp"));
        assert_ne!(handles.cui("a", b"1jaist.ac.jp"), handles.cui("a", b"1example.ac.jp"));
        assert_eq!(Handles::new(None).expect("random octets").cui("a", b""), None);
    }

    #[test]
    fn a_reload_changes_cui_and_leaves_class() {
        let before = Handles::new(None).expect("random octets");
        let class = before.class(&[7; 32], "ap", b"").expect("sealed");
        let after = before.with_cui(&settings());
        assert_eq!(after.open_class(&class, "ap", b""), Some([7; 32]));
        assert!(after.cui("a", b"").is_some());
        assert_eq!(after.with_cui(&CuiSettings::default()).cui("a", b""), None);
    }

    #[test]
    fn a_request_that_names_no_operator_is_for_our_own() {
        let handles = Handles::new(None).expect("random octets").with_cui(&settings());
        assert_eq!(handles.cui("a", b""), handles.cui("a", b"1jaist.ac.jp"));
        assert_ne!(handles.cui("a", b""), handles.cui("a", b"1example.ac.jp"));
    }
}
