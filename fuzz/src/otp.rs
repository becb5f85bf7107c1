//! One-time passwords: what a database gives back instead of a sealed key, what is typed instead of a code, at whatever time, and who guesses how often.

use std::sync::LazyLock;
use std::time::Duration;

use sekisho::now::{Mono, Wall};
use sekisho::otp::{Attempts, Guesses, Key, PERIOD, Sealer, Who, escaped};
use sekisho::secret::Secret;

use super::input::Input;

const USER: &str = "Hanako@campus.example";
const ATTEMPTS: Attempts = Attempts { each: 3, per: Duration::from_secs(60) };
/// So many times what one station may try, all together may from which a user has never got in.
const STRANGERS: usize = 10;
const NEVER: u64 = u64::MAX;

struct Enrolled {
    sealer: Sealer,
    key: Key,
    sealed: Vec<u8>,
}

/// What to change of a sealed key and whom to open it for; a code, a time and the last code used; then guesses.
pub fn run(data: &[u8]) -> bool {
    let mut input = Input::new(data);
    let done = opened(&mut input).and_then(|()| typed(&mut input));
    done.is_some_and(|()| guessed(&mut input))
}

fn enrolled() -> &'static Enrolled {
    static ENROLLED: LazyLock<Enrolled> = LazyLock::new(|| {
        let sealer = Sealer::new(&Secret::new("of the fuzzer")).expect("a key");
        let key = Key::random().expect("random octets");
        let sealed = sealer.seal(USER, &key).expect("random octets");
        Enrolled { sealer, key, sealed }
    });
    &ENROLLED
}

/// A sealed key opens untouched and for its user, and in no other way.
fn opened(input: &mut Input<'_>) -> Option<()> {
    let Enrolled { sealer, key, sealed } = enrolled();
    let (user, change) = (input.record()?, input.record()?);
    let user = if user.is_empty() { USER.to_uppercase() } else { String::from_utf8_lossy(user).into_owned() };
    let mut bent = sealed.clone();
    bent.resize(sealed.len().max(change.len()), 0);
    bent.iter_mut().zip(change).for_each(|(octet, change)| *octet ^= change);
    let is_it = bent == *sealed && user.eq_ignore_ascii_case(USER);
    assert_eq!(sealer.open(&user, &bent).ok().as_ref(), Some(key).filter(|_| is_it));
    assert!(sealer.open(&user, change).is_err(), "made up");
    let uri = key.uri(&user, &user);
    assert!(uri.expose().iter().all(u8::is_ascii_graphic) && escaped(&user).is_ascii());
    Some(())
}

/// The step whose code was typed, within the window and after the last, or none.
fn typed(input: &mut Input<'_>) -> Option<()> {
    let Enrolled { key, .. } = enrolled();
    let (choice, time, last) = (input.octet()?, eight(input)?, eight(input)?);
    let (typed, now, last) = (input.record()?, Wall(time.cast_signed()), (last != NEVER).then_some(last));
    let window = choice % 11;
    let present = u64::try_from(now.0.div_euclid(PERIOD)).ok();
    // Now and then a code that there is.
    let steps = u64::from(choice >> 4);
    let code = key.code(present.unwrap_or(0).wrapping_add(steps).wrapping_sub(8));
    let typed = if typed.is_empty() { &code[..] } else { typed };
    let may_be = |step: &u64| {
        let is_near = present.is_some_and(|present| step.abs_diff(present) <= window.into());
        is_near && last.is_none_or(|last| *step > last)
    };
    let good = |step: &u64| may_be(step) && key.code(*step) == typed;
    let found = key.step(typed, now, window, last);
    // In which other forms a code may be typed is not for this to say.
    if !typed.iter().all(u8::is_ascii_digit) {
        assert!(found.as_ref().is_none_or(may_be));
        return Some(());
    }
    let first = present.unwrap_or(0).saturating_sub(window.into());
    let some = (first..=first.saturating_add(20)).find(good);
    assert_eq!(found.is_some(), some.is_some(), "a code that is right is found");
    assert!(found.as_ref().is_none_or(good), "no other is");
    Some(())
}

fn eight(input: &mut Input<'_>) -> Option<u64> {
    (0..8).try_fold(0, |number, _| Some(number << 8 | u64::from(input.octet()?)))
}

/// Within no time at all nobody guesses more often than he may, alone or as many; who has got in gets in.
fn guessed(input: &mut Input<'_>) -> bool {
    let mut guesses = Guesses::new(ATTEMPTS);
    let (now, home) = (Mono(Duration::from_secs(1_000)), who(255, 0));
    guesses.right(&home);
    let mut looked = std::collections::BTreeMap::<u8, usize>::new();
    while let Some(station) = input.octet().filter(|_| looked.len() < 200) {
        if guesses.may_try(now, &who(station, 0)) {
            *looked.entry(station).or_default() += 1;
        }
    }
    assert!(looked.values().all(|tries| *tries <= 3));
    let strangers = looked.iter().filter(|(station, _)| **station != 255).map(|(_, tries)| tries).sum::<usize>();
    assert!(strangers <= 3 * STRANGERS);
    assert_eq!(guesses.may_try(now, &home), looked.get(&255).copied().unwrap_or(0) < 3);
    // At another NAS nothing has been tried, and after a while nothing here.
    assert!(guesses.may_try(now, &who(0, 1)) && guesses.may_try(now + ATTEMPTS.per, &who(0, 0)));
    true
}

fn who(station: u8, nas: u8) -> Who {
    Who { user: USER.to_ascii_lowercase(), nas: nas.to_string(), station: vec![station] }
}
