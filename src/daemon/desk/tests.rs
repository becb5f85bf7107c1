use std::thread::JoinHandle;

use super::*;
use crate::now::Wall;
use crate::otp::{Key, PERIOD, Sealer};
use crate::secret::Secret;
use crate::store::{Audited, Enrolled, Known, Sighting, Trace};
use crate::support::scratch::Scratch;

/// A registry, and who looks into it.
struct Here {
    clerk: Clerk,
    thread: Option<JoinHandle<()>>,
    _scratch: Scratch,
}

impl Here {
    fn new(each: u32) -> Self {
        let scratch = Scratch::new();
        let (store, thread) = Store::open(scratch.path()).expect("a thread");
        let attempts = Attempts { each, per: Duration::from_secs(86_400) };
        let sealer = Arc::new(Sealer::new(&Secret::new("seal")).expect("a key"));
        let settings = Settings { issuer: "Campus".into(), sealer, window: 5, attempts };
        let otp = Arc::new(ArcSwapOption::from_pointee(settings));
        Self { clerk: Clerk::new(store, &otp, Clock::start()), thread: Some(thread), _scratch: scratch }
    }

    fn settings(&self) -> Arc<Settings> {
        self.clerk.otp.load_full().expect("set")
    }

    /// A user with a key.
    async fn enrol(&self, user: &str) -> Key {
        let key = Key::random().expect("randomness");
        self.enrol_sealed(user, self.settings().sealer.seal(user, &key).expect("randomness")).await;
        key
    }

    async fn enrol_sealed(&self, user: &str, sealed: Vec<u8>) {
        let enrolled = Enrolled { user: user.into(), sealed, last: None, at: Wall(0), by: "desk".into() };
        self.clerk.store.enrol(enrolled, false, line()).await.expect("it can be written");
    }

    async fn code(&self, user: &str, code: &[u8], station: &str) -> Found {
        let attempt =
            Attempt { user: user.into(), code: Secret::new(code), nas: "vpn".into(), station: station.into() };
        self.clerk.look(Lookup::Code(attempt)).await
    }

    /// The registry can't be used any more.
    fn close(&mut self) {
        self.clerk.store.close();
        self.thread.take().expect("it runs").join().expect("it ends");
    }
}

fn line() -> Audited {
    let text = || "x".to_owned();
    Audited { row: 0, at: Wall(0), caller: text(), role: text(), action: text(), target: text(), detail: "{}".into() }
}

/// The step that is now.
fn present(here: &Here) -> u64 {
    u64::try_from(here.clerk.clock.now().wall.0 / PERIOD).expect("after 1970")
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(future)
}

fn by_name(name: &str) -> Lookup {
    Lookup::Certificates(Search::Name(name.into()))
}

const RIGHT: Found = Found::Code(Checked::Right);
const WRONG: Found = Found::Code(Checked::Wrong);

#[test]
fn a_code_is_right_once_whoever_else_types_it_at_the_same_moment() {
    let here = Here::new(100);
    run(async {
        let key = here.enrol("Hanako@x").await;
        let code = key.code(present(&here));
        let tries = (0..20).map(|number| {
            let clerk = here.clerk.clone();
            let (user, nas) = ("hanako@X".into(), "vpn".into());
            let attempt = Attempt { user, code: Secret::new(code), nas, station: vec![number] };
            tokio::spawn(async move { clerk.look(Lookup::Code(attempt)).await })
        });
        let mut right = 0;
        for one in tries.collect::<Vec<_>>() {
            match one.await.expect("no panic") {
                RIGHT => right += 1,
                other => assert_eq!(other, WRONG),
            }
        }
        assert_eq!(right, 1);
        assert_eq!(here.code("hanako@x", &key.code(present(&here) + 2), "home").await, RIGHT);
        assert_eq!(here.code("hanako@x", &key.code(present(&here) + 1), "home").await, WRONG, "it is past");
        assert_eq!(here.code("taro@x", &code, "home").await, Found::Code(Checked::NotEnrolled));
    });
}

#[test]
fn guessing_is_slowed_and_settings_count_at_once() {
    let here = Here::new(2);
    run(async {
        let key = here.enrol("hanako@x").await;
        for _ in 0..2 {
            assert_eq!(here.code("hanako@x", b"wrong", "a").await, WRONG);
        }
        let code = key.code(present(&here));
        assert_eq!(here.code("HANAKO@x", &code, "a").await, Found::Code(Checked::Throttled), "by another case");
        assert_eq!(here.code("hanako@x", &code, "b").await, RIGHT);
        let attempts = Attempts { each: 9, ..here.settings().attempts };
        here.clerk.otp.store(Some(Arc::new(Settings { attempts, ..Settings::clone(&here.settings()) })));
        assert_eq!(here.code("hanako@x", &key.code(present(&here) + 1), "a").await, RIGHT);
        here.clerk.otp.store(None);
        assert_eq!(here.code("hanako@x", &key.code(present(&here) + 2), "a").await, Found::Nothing);
    });
}

#[test]
fn a_key_that_nobody_can_open_opens_nothing() {
    let here = Here::new(100);
    run(async {
        let other = Sealer::new(&Secret::new("other")).expect("a key");
        let key = Key::random().expect("randomness");
        here.enrol_sealed("hanako@x", other.seal("hanako@x", &key).expect("randomness")).await;
        here.enrol_sealed("taro@x", here.settings().sealer.seal("hanako@x", &key).expect("randomness")).await;
        here.enrol_sealed("jiro@x", b"damaged".to_vec()).await;
        for user in ["hanako@x", "taro@x", "jiro@x"] {
            let code = key.code(present(&here));
            assert_eq!(here.code(user, &code, "home").await, Found::Code(Checked::Sealed), "{user}");
        }
    });
}

#[test]
fn a_right_code_is_right_while_its_key_is_sealed_anew() {
    let here = Here::new(100);
    run(async {
        let key = here.enrol("hanako@x").await;
        let settings = here.settings();
        let attempt = |code: [u8; 6]| {
            let (user, nas) = ("hanako@x".into(), "vpn".into());
            Attempt { user, code: Secret::new(code), nas, station: Vec::new() }
        };
        let enrolled = || async { here.clerk.store.otp_of("hanako@x").await.expect("read").expect("enrolled") };
        let before = enrolled().await;
        let anew = settings.sealer.seal("hanako@x", &key).expect("randomness");
        here.clerk.store.reseal(vec![("hanako@x".into(), before.sealed.clone(), anew)]).await.expect("written");
        let code = attempt(key.code(present(&here)));
        assert_eq!(here.clerk.check(&settings, &code, &key, before.clone()).await, Ok(true));
        assert_eq!(here.clerk.check(&settings, &code, &key, before).await, Ok(false), "and once");
        // Another key is another.
        let before = enrolled().await;
        let other = settings.sealer.seal("hanako@x", &Key::random().expect("randomness")).expect("randomness");
        here.clerk.store.reseal(vec![("hanako@x".into(), before.sealed.clone(), other)]).await.expect("written");
        let code = attempt(key.code(present(&here) + 1));
        assert_eq!(here.clerk.check(&settings, &code, &key, before).await, Ok(false));
    });
}

#[test]
fn who_is_not_enrolled_takes_no_place_in_what_is_remembered_of_guesses() {
    let here = Here::new(2);
    run(async {
        for number in 0..10 {
            let user = format!("nobody{number}");
            assert_eq!(here.code(&user, b"000000", "home").await, Found::Code(Checked::NotEnrolled));
        }
        assert_eq!(here.clerk.guess(|guesses| guesses.remembered()), [0, 0, 0]);
    });
}

#[test]
fn a_registry_that_cannot_be_used_finds_nothing_and_counts_no_guess() {
    let mut here = Here::new(2);
    let key = run(here.enrol("hanako@x"));
    here.close();
    for _ in 0..5 {
        assert_eq!(run(here.code("hanako@x", &key.code(present(&here)), "home")), Found::Nothing);
    }
    assert_eq!(run(here.clerk.look(by_name("hanako@x"))), Found::Nothing);
}

#[test]
fn a_certificate_that_has_just_been_seen_is_found() {
    let here = Here::new(2);
    run(async {
        let known = Known {
            fingerprint: Some([7; 32]),
            serial: Some("0a".into()),
            facts: Some(b"what a chain says".to_vec()),
            user: Some("hanako@x".into()),
            ..Known::default()
        };
        here.clerk.store.trace(Trace::Seen(Box::new(Sighting { known, at: Wall(0), device: None })));
        let (found, none) = tokio::join!(here.clerk.look(by_name("HANAKO@x")), here.clerk.look(by_name("nobody")));
        let facts = Found::Certificates(vec![b"what a chain says".to_vec()]);
        assert_eq!((found, none), (facts.clone(), Found::Certificates(Vec::new())));
        for search in [Search::Fingerprint([7; 32]), Search::Serial(vec![10])] {
            assert_eq!(here.clerk.look(Lookup::Certificates(search)).await, facts);
        }
    });
}

#[test]
fn without_a_registry_or_without_room_nothing_is_found_at_once() {
    run(async {
        let mut nobody = begin(None, &Arc::default(), 1, Clock::start());
        (nobody.look)(Ticket(1), by_name("hanako@x"));
        assert_eq!(nobody.found.try_recv(), Ok((Ticket(1), Found::Nothing)));

        let here = Here::new(2);
        let mut desk = begin(Some(here.clerk.store.clone()), &here.clerk.otp, 1, Clock::start());
        // Nobody has looked yet.
        (desk.look)(Ticket(1), by_name("hanako@x"));
        (desk.look)(Ticket(2), by_name("hanako@x"));
        assert_eq!(desk.found.try_recv(), Ok((Ticket(2), Found::NoRoom)));
        assert_eq!(desk.found.recv().await, Some((Ticket(1), Found::Certificates(Vec::new()))));
    });
}
