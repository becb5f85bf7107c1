//! What is shown of all that the core holds, by whoever has it printed: no password, no code, no key.

use sekisho::engine::{Checked, Found};
use sekisho::otp::{Attempts, Guesses, Key, Sealer, Settings, Who};
use sekisho::policy::OtpAfter;
use sekisho::secret::Secret;

use super::gateway::{COMMON, Gateway, TARO, answer, by_both, found};
use crate::pki::pki;
use crate::world::{Options, SECRET, World};

const TYPED: &[u8] = b"her own password";
const CODE: &[u8] = b"86420975";

/// As text, and as the octets that `{:?}` shows.
fn written(secret: &[u8]) -> [String; 3] {
    let octets = format!("{secret:?}");
    let hexadecimal = secret.iter().map(|octet| format!("{octet:02x}")).collect();
    [String::from_utf8_lossy(secret).into_owned(), octets.trim_matches(['[', ']']).to_owned(), hexadecimal]
}

#[track_caller]
fn holds_none(what: &str, shown: &str, secrets: &[&[u8]]) {
    for secret in secrets.iter().flat_map(|secret| written(secret)) {
        assert!(!shown.contains(&secret), "{what} shows {secret}");
    }
}

#[test]
fn o02_nothing_that_the_hall_holds_or_tells_shows_a_secret() {
    for after in [OtpAfter::NasPassword, OtpAfter::Certificate] {
        let mut world = World::with(Options { otp_rule: true, ..by_both(after) });
        let secrets = [SECRET, COMMON, TYPED, CODE];
        let look = |world: &World, when: &str| {
            let shown = format!("{:?}", world.engine);
            assert!(shown.contains(TARO), "it is in there {when}");
            holds_none(when, &shown, &secrets);
            holds_none(when, &format!("{:?} {:?} {:?}", world.events, world.looks, world.options), &secrets);
        };
        let mut asked = Gateway::here();
        let first = asked.ask(&mut world, TARO, Some(TYPED));
        look(&world, "before the code");
        if first.is_empty() {
            let found = found(&world, &[&pki().member_p256]);
            let sent = answer(&mut world, found);
            asked.keep(&sent);
        }
        assert!(asked.ask(&mut world, TARO, Some(CODE)).is_empty());
        look(&world, "while it is looked at");
        let mut typed = Gateway::here();
        typed.peer.set_port(1_900);
        assert!(typed.ask(&mut world, TARO, Some(CODE)).is_empty());
        let mut by_name = Gateway::here();
        by_name.peer.set_port(1_901);
        by_name.look(&mut world, TARO);
        look(&world, "while all wait");
        let (code, _) = world.looks[world.looks.len() - 3].clone();
        let found = sekisho::engine::Arrival::Found(code, Found::Code(Checked::Right));
        world.engine.handle(world.now, found);
        world.sent();
        look(&world, "after the end");
    }
}

#[test]
fn o02_no_key_of_codes_is_shown() {
    let key = Key::random().expect("random octets");
    let uri = key.uri("Campus", TARO);
    let uri = std::str::from_utf8(uri.expose()).expect("text");
    let base32 = uri.split("secret=").nth(1).and_then(|rest| rest.split('&').next()).expect("a key");
    let octets = data_encoding::BASE32_NOPAD.decode(base32.as_bytes()).expect("base 32");
    let seal = Secret::new("a key that is long enough");
    let sealer = Sealer::new(&seal).expect("a key");
    let attempts = Attempts { each: 5, per: std::time::Duration::from_secs(300) };
    let shown = format!("{key:?} {:?} {sealer:?} {seal:?} {:?}", key.uri("Campus", TARO), Some(&key));
    let secrets: [&[u8]; 4] = [&octets, base32.as_bytes(), seal.expose(), &key.code(1)];
    holds_none("a key", &shown, &secrets);
    let settings = Settings { issuer: "Campus".into(), sealer: sealer.into(), window: 1, attempts };
    let mut guesses = Guesses::new(attempts);
    guesses.may_try(sekisho::now::Mono::default(), &Who { user: TARO.into(), nas: "vpn".into(), station: Vec::new() });
    holds_none("settings", &format!("{settings:?} {guesses:?}"), &secrets);
}
