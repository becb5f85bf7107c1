//! Who means ill on the roads without EAP, on the real program: what he types, how often, how fast, and what is left of it.

use std::fs;
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::time::Duration;

use data_encoding::{BASE32_NOPAD, HEXLOWER, HEXUPPER};
use sekisho::radius::Code;
use serde_json::{Value, json};

use super::Serving;
use super::afar::login;
use super::otp::{App, OTP, answer_to_password, enrol};
use super::registry::{Said, ask, good, let_in, register};
use super::sessions::sessions;
use super::vpn::{COMMON, HANAKO, PASSWORD, Vpn, Wish, accepted, answer, by_name, receive, rejected, send};

/// What a terminal, a list of lines, a page and a question to a database would take for more than a name.
const POISON: [&str; 12] = [
    "\u{1b}[2J\u{1b}[31mhanako\u{7}",
    "hanako\n2026-01-01T00:00:00Z INFO accept ok user=root",
    "hanako\r\nX-Forged: 1",
    "hanako\0",
    "\u{9b}31mhanako",
    "\u{202e}oknah",
    "hanako\u{2028}reject",
    "\u{feff}hanako\u{200b}",
    "hanako\" reason=ok outcome=\"accept",
    "{\"user\":\"root\"}",
    "<script>alert(1)</script>",
    "hanako'; DROP TABLE otp; --",
];

fn decisions(serving: &Serving) -> (Vec<Value>, String) {
    let said = ask(serving, "viewer", "GET", "/api/v1/authentications?limit=100", None);
    let text = said.2.clone();
    (good(said)["items"].as_array().expect("a list").clone(), text)
}

fn series(serving: &Serving) -> Vec<String> {
    let metrics = serving.get("/metrics");
    let names = metrics.lines().filter(|line| line.starts_with("sekisho_"));
    names.map(|line| line.rsplit_once(' ').expect("a value").0.to_owned()).collect()
}

#[test]
fn o01_a_name_is_one_line_of_the_log_one_text_of_the_history_and_no_series() {
    let vpn = Vpn::new();
    let mut serving = vpn.campus.start();
    enrol(&serving);
    // What the first of each kind brings into being.
    rejected(&vpn.asa, &serving, &Wish::of("taro@example.ac.jp", COMMON), "no-good-certificate");
    rejected(&vpn.ocserv, &serving, &Wish::of("taro@example.ac.jp", "123456"), "otp-wrong");
    rejected(&vpn.ocserv, &serving, &Wish::of("\u{7f}@example.ac.jp", "123456"), "no-good-certificate");
    let refusals = |log: &str| log.matches(" reject ").count();
    serving.process.wait_until("done writing", |process| refusals(&process.log()) == 3);
    let (before, log) = (series(&serving), serving.log().lines().count());
    for name in POISON {
        for (nas, password) in [(&vpn.asa, COMMON), (&vpn.ocserv, "123456")] {
            let (name, home) = (format!("{name}@example.ac.jp"), "203.0.113.5".to_owned());
            let station = if password == COMMON { home } else { name.clone() };
            let answer = answer(nas, &serving, &Wish { station: &station, ..Wish::of(&name, password) });
            assert_eq!(answer.code, Code::ACCESS_REJECT, "{name:?}");
        }
    }
    let all = 3 + 2 * POISON.len();
    serving.process.wait_until("done writing", |process| refusals(&process.log()) >= all);
    let (items, text) = decisions(&serving);
    assert_eq!(items.len(), all);
    assert!(!text.split("\r\n\r\n").nth(1).expect("a body").contains(|c: char| c.is_control()), "{text}");
    assert_eq!(series(&serving), before, "names are no labels");
    let log: Vec<String> = serving.log().lines().skip(log).map(str::to_owned).collect();
    assert_eq!(log.len(), 2 * POISON.len(), "{log:#?}");
    let shows_more = |c: char| c.is_control() || "\u{202e}\u{2028}\u{feff}\u{200b}\u{9b}".contains(c);
    for line in log {
        assert!(line.contains(" reject ") && !line.contains(shows_more), "{line:?}");
    }
    assert_eq!(serving.end(), Some(0));
}

/// Whatever a NAS and an administrator keep to themselves, as it would be written down.
fn secrets(app: &App, typed: &[&str]) -> Vec<Vec<u8>> {
    let texts = [COMMON, PASSWORD, "a key that is long enough", super::nas::SECRET];
    let texts = texts.iter().chain(typed).map(|text| text.as_bytes());
    let written = texts.flat_map(|it| [it.to_vec(), HEXLOWER.encode(it).into_bytes(), debugged(it)]);
    let key = app.key();
    let keys = [BASE32_NOPAD.encode(key), HEXLOWER.encode(key), HEXUPPER.encode(key)].map(String::into_bytes);
    written.chain(keys).chain([key.to_vec(), debugged(key)]).collect()
}

/// As `{:?}` shows octets.
fn debugged(octets: &[u8]) -> Vec<u8> {
    let text = format!("{octets:?}");
    text.trim_matches(['[', ']']).as_bytes().to_vec()
}

/// Those that are in there, looked for all at once.
fn found_in<'a>(haystack: &[u8], needles: &'a [Vec<u8>]) -> Vec<&'a [u8]> {
    let mut by_first = vec![Vec::new(); 256];
    for needle in needles {
        by_first[usize::from(needle[0])].push(needle.as_slice());
    }
    let mut found: Vec<&[u8]> = Vec::new();
    for (at, octet) in haystack.iter().enumerate() {
        for needle in &by_first[usize::from(*octet)] {
            if haystack[at..].starts_with(needle) && !found.contains(needle) {
                found.push(needle);
            }
        }
    }
    found
}

/// All that is ever done without EAP, with a log that says everything.
fn everything(vpn: &Vpn) -> (Serving, App, Vec<String>) {
    let text = fs::read_to_string(vpn.campus.path("sekisho.toml")).expect("it was written");
    vpn.campus.write("sekisho.toml", &text.replace("[log]\n", "[log]\nlevel = \"trace\"\n"));
    let serving = vpn.campus.start();
    register(&vpn.campus, &serving);
    let app = enrol(&serving);
    accepted(&vpn.asa, &serving, &by_name());
    rejected(&vpn.asa, &serving, &Wish::of(HANAKO, PASSWORD), "password-wrong");
    let mut typed = Vec::new();
    for (code, opens) in
        [("a wrong code in words".to_owned(), false), (app.code(0), true), ("8765432187".into(), false)]
    {
        let state = answer_to_password(&vpn.ocserv, &serving).state.expect("a State");
        let wish = Wish { state: Some(&state), ..Wish::of(HANAKO, &code) };
        let answer = answer(&vpn.ocserv, &serving, &wish);
        assert_eq!(answer.code == Code::ACCESS_ACCEPT, opens, "{code}");
        typed.push(code);
    }
    rejected(&vpn.ocserv, &serving, &Wish::of(HANAKO, "98765432"), "otp-wrong");
    typed.push("98765432".to_owned());
    rejected(&vpn.wifi, &serving, &Wish::of(HANAKO, PASSWORD), "method-not-allowed");
    (serving, app, typed)
}

#[test]
fn o02_no_secret_is_in_a_log_that_says_everything_nor_in_metrics_history_or_registry() {
    let vpn = Vpn::new();
    let (mut serving, app, typed) = everything(&vpn);
    let replaced = good(ask(&serving, "operator", "POST", OTP, Some(json!({ "replace": true }))));
    let second = App::read(replaced["uri"].as_str().expect("a URI"));
    accepted(&vpn.ocserv, &serving, &Wish::of(HANAKO, &second.code(0)));
    assert_eq!(ask(&serving, "operator", "DELETE", OTP, None).0, 204);
    let paths =
        ["authentications?limit=100", "audit?limit=100", "certificates", "sessions", "users/blocked", "disconnects"];
    let mut told = vec![("/metrics".to_owned(), serving.get("/metrics")), ("/readyz".into(), serving.get("/readyz"))];
    for path in paths {
        for role in ["viewer", "operator"] {
            let Said(status, _, text) = ask(&serving, role, "GET", &format!("/api/v1/{path}"), None);
            assert!([200, 403, 404].contains(&status), "{path}: {text}");
            told.push((format!("{path} as {role}"), text));
        }
    }
    serving
        .process
        .wait_until("done writing", |process| process.log().contains(" TRACE ") || process.log().contains(" DEBUG "));
    told.push(("the log".to_owned(), serving.log()));
    let mut files: Vec<_> = told.into_iter().map(|(name, text)| (name, text.into_bytes())).collect();
    let look = |files: &mut Vec<(String, Vec<u8>)>| {
        for name in ["registry.sqlite", "registry.sqlite-wal", "registry.sqlite-shm"] {
            // At the end nothing but the first is left.
            let Ok(octets) = fs::read(vpn.campus.path(name)) else { continue };
            let mode = fs::metadata(vpn.campus.path(name)).expect("it is there").permissions().mode();
            assert_eq!(mode & 0o077, 0, "{name} is for others too: {mode:o}");
            files.push((name.to_owned(), octets));
        }
    };
    look(&mut files);
    assert_eq!(serving.end(), Some(0));
    look(&mut files);
    let typed: Vec<_> = typed.iter().map(String::as_str).filter(|text| text.len() > 6).collect();
    let mut secrets = [secrets(&app, &typed), secrets(&second, &[])].concat();
    // A right code is six digits, as many a number is: what counts is one that stands alone.
    for code in [app.code(0), second.code(0)] {
        secrets.extend([format!("\"{code}\""), format!(" {code} "), format!("={code} ")].map(String::into_bytes));
    }
    for (name, octets) in &files {
        let found: Vec<_> = found_in(octets, &secrets).into_iter().map(String::from_utf8_lossy).collect();
        assert!(found.is_empty(), "{name} holds {found:?}");
    }
}

/// All that the process could be made to give away by a dump: what it may write to and has used.
fn memory(serving: &Serving) -> Vec<u8> {
    const PAGE: u64 = 4_096;
    let process = serving.process.id();
    let open = |name: &str| fs::File::open(format!("/proc/{process}/{name}")).expect("a process of ours");
    let maps = fs::read_to_string(format!("/proc/{process}/maps")).expect("a process of ours");
    let (pages, memory) = (open("pagemap"), open("mem"));
    let mut all = Vec::new();
    for line in maps.lines().filter(|line| line.contains(" rw")) {
        let (from, to) = line.split(' ').next().and_then(|range| range.split_once('-')).expect("a range");
        let [from, to] = [from, to].map(|number| u64::from_str_radix(number, 16).expect("hexadecimal") / PAGE);
        let mut entries = vec![0; usize::try_from((to - from) * 8).expect("it fits")];
        pages.read_exact_at(&mut entries, from * 8).expect("a map of pages");
        for (page, entry) in (from..to).zip(entries.chunks(8)) {
            // In memory, or swapped out.
            if entry[7] & 0xc0 != 0 {
                let mut octets = [0; 4_096];
                memory.read_exact_at(&mut octets, page * PAGE).expect("a page that is there");
                all.extend(octets);
            }
        }
    }
    all
}

#[test]
fn no_password_code_or_key_is_left_in_memory_after_its_use() {
    let vpn = Vpn::new();
    let (serving, app, typed) = everything(&vpn);
    let memory = memory(&serving);
    let common = [COMMON.as_bytes().to_vec()];
    assert!(!found_in(&memory, &common).is_empty(), "what is compared with is there, so this looks at the right place");
    let typed = typed.iter().filter(|text| text.len() > 6).map(String::as_str).chain([PASSWORD]);
    let mut used: Vec<_> = typed.map(|text| text.as_bytes().to_vec()).collect();
    // What the operator was told is in no hand of ours any more: it went through his connection.
    used.push(app.key().to_vec());
    let left: Vec<_> = found_in(&memory, &used).into_iter().map(String::from_utf8_lossy).collect();
    assert!(left.is_empty(), "of {} octets: {left:?}", memory.len());
    assert_eq!(serving.end(), Some(0));
}

/// Two concentrators, two conversations each, the same code at the same moment: by State and beside the name.
#[test]
fn of_two_nas_and_many_conversations_one_gets_in_by_a_code() {
    let vpn = Vpn::new();
    let serving = vpn.campus.start();
    register(&vpn.campus, &serving);
    let app = enrol(&serving);
    for round in 0..3 {
        let code = app.code(round);
        let states: Vec<_> = [&vpn.ocserv, &vpn.both, &vpn.ocserv, &vpn.both]
            .map(|nas| (nas, answer_to_password(nas, &serving).state.expect("a State")))
            .into();
        let mut asked: Vec<_> = states
            .iter()
            .map(|(nas, state)| send(nas, &serving, &Wish { state: Some(state), ..Wish::of(HANAKO, &code) }))
            .collect();
        asked.extend([&vpn.ocserv, &vpn.both].map(|nas| send(nas, &serving, &Wish::of(HANAKO, &code))));
        let answers = asked.iter().map(|(socket, request)| receive(socket, request, &serving).code);
        assert_eq!(answers.filter(|code| *code == Code::ACCESS_ACCEPT).count(), 1, "round {round}");
    }
    // The codes of the steps between have not been used, and are worth nothing any more.
    for used in [2, 1, 0, -1] {
        rejected(&vpn.both, &serving, &Wish::of(HANAKO, &app.code(used)), "otp-wrong");
    }
    assert_eq!(serving.end(), Some(0));
}

/// A key that is replaced while its code is on its way.
#[test]
fn a_code_of_a_key_that_is_being_replaced_opens_once_at_most_and_never_by_the_new_one() {
    let vpn = Vpn::new();
    let serving = vpn.campus.start();
    let mut app = enrol(&serving);
    for round in 0..8 {
        let code = app.code(0);
        let asked: Vec<_> = (0..8)
            .map(|number| {
                let station = format!("198.51.100.{}", round * 8 + number);
                send(&vpn.ocserv, &serving, &Wish { station: &station, ..Wish::of(HANAKO, &code) })
            })
            .collect();
        let replaced = good(ask(&serving, "operator", "POST", OTP, Some(json!({ "replace": true }))));
        app = App::read(replaced["uri"].as_str().expect("a URI"));
        let answers = asked.iter().map(|(socket, request)| receive(socket, request, &serving).code);
        assert!(answers.filter(|code| *code == Code::ACCESS_ACCEPT).count() <= 1, "round {round}");
        let after = Wish { station: "203.0.113.77", ..Wish::of(HANAKO, &code) };
        if app.code(0) != code {
            rejected(&vpn.ocserv, &serving, &after, "otp-wrong");
        }
    }
    accepted(&vpn.ocserv, &serving, &Wish { station: "203.0.113.78", ..Wish::of(HANAKO, &app.code(0)) });
    assert_eq!(serving.end(), Some(0));
}

/// From one NAS that sends as fast as it can and waits for nothing.
#[test]
fn e11_while_one_nas_asks_for_names_that_there_are_not_others_log_in_by_every_road() {
    let vpn = Vpn::new();
    let serving = vpn.campus.start();
    register(&vpn.campus, &serving);
    let app = enrol(&serving);
    let begun = fs::metadata(vpn.campus.path("registry.sqlite-wal")).map_or(0, |it| it.len());
    for round in 0..4 {
        let names: Vec<_> = (0..400).map(|number| format!("nobody{round}-{number}@example.ac.jp")).collect();
        let flood: Vec<_> = names.iter().map(|name| send(&vpn.asa, &serving, &Wish::of(name, COMMON))).collect();
        let_in(&login(&vpn.campus, &serving));
        accepted(&vpn.ocserv, &serving, &Wish::of(HANAKO, &app.code(round)));
        let asked = answer(&vpn.both, &serving, &Wish::of(HANAKO, PASSWORD));
        assert_eq!(asked.code, Code::ACCESS_CHALLENGE, "{asked:?}");
        for (socket, _) in &flood {
            // For want of room some are not answered at all.
            socket.set_nonblocking(true).expect("a socket");
            let mut octets = [0; 4_096];
            assert!(socket.recv(&mut octets).is_err() || octets[0] == Code::ACCESS_REJECT.0);
        }
    }
    // Its own users too, when it asks again.
    let again = (0..30).find_map(|_| {
        let (socket, _) = send(&vpn.asa, &serving, &by_name());
        socket.set_read_timeout(Some(Duration::from_secs(1))).expect("a time-out can be set");
        let mut octets = [0; 4_096];
        socket.recv(&mut octets).is_ok().then_some(octets[0])
    });
    assert_eq!(again, Some(Code::ACCESS_ACCEPT.0));
    let ended = fs::metadata(vpn.campus.path("registry.sqlite-wal")).map_or(0, |it| it.len());
    assert!(ended.saturating_sub(begun) < 64 << 20, "{begun} {ended}");
    assert!(serving.get("/readyz").starts_with("HTTP/1.1 200"));
    assert_eq!(serving.end(), Some(0));
}

#[test]
fn a_path_that_is_no_name_enrols_nobody() {
    let vpn = Vpn::new();
    let serving = vpn.campus.start();
    let long = "x".repeat(254);
    for name in
        ["%00", "a%00b", "a%0Ab", "a%0D%0Ab", "%1B%5B31m", "a%E2%80%AEb", "%E2%80%8B", "%C2%A0", "%20", "%09", &long]
    {
        for (method, body) in
            [("GET", None), ("POST", None), ("POST", Some(json!({ "replace": true }))), ("DELETE", None)]
        {
            let Said(status, _, text) = ask(&serving, "operator", method, &format!("/api/v1/users/{name}/otp"), body);
            assert_eq!(status, 400, "{method} {name}: {text}");
        }
    }
    for path in ["users/%FF/otp", "users//otp", "users/a/b/otp", "users/a/otp/", "users/a%2Fb/otp/x"] {
        let Said(status, ..) = ask(&serving, "operator", "POST", &format!("/api/v1/{path}"), None);
        assert!([400, 404].contains(&status), "{path}: {status}");
    }
    let (lists, more) = ([json!([]), json!([true])], [json!({ "key": "GEZDGNBV" }), json!(1)]);
    for body in [json!({ "replace": "true" }), json!({ "replace": null })].into_iter().chain(lists).chain(more) {
        let Said(status, ..) = ask(&serving, "operator", "POST", OTP, Some(body.clone()));
        assert!([400, 422].contains(&status), "{body}: {status}");
    }
    assert_eq!(ask(&serving, "viewer", "GET", OTP, None).0, 404, "nobody is enrolled");
    let audit = good(ask(&serving, "operator", "GET", "/api/v1/audit", None));
    assert!(!audit.to_string().contains("enrol-otp"), "{audit}");
    // However she is written, she is one.
    enrol(&serving);
    for name in
        ["HANAKO@example.ac.jp", "%20hanako@example.ac.jp%20", "hanako%40EXAMPLE.ac.jp", "h%61nako@example.ac.jp"]
    {
        assert_eq!(ask(&serving, "operator", "POST", &format!("/api/v1/users/{name}/otp"), None).0, 409, "{name}");
    }
    assert_eq!(serving.end(), Some(0));
}

/// A State is worth nothing to the next process.
#[test]
fn e10_a_question_from_before_a_restart_is_answered_by_nobody() {
    let vpn = Vpn::new();
    let mut serving = vpn.campus.start();
    let app = enrol(&serving);
    let state = answer_to_password(&vpn.ocserv, &serving).state.expect("a State");
    serving.signal("KILL");
    drop(serving);
    serving = vpn.campus.start();
    let code = app.code(0);
    let late = Wish { state: Some(&state), ..Wish::of(HANAKO, &code) };
    assert_eq!(answer(&vpn.ocserv, &serving, &late).code, Code::ACCESS_REJECT);
    accepted(&vpn.ocserv, &serving, &Wish::of(HANAKO, &code));
    assert_eq!(sessions(&serving, "").len(), 1);
    assert_eq!(serving.end(), Some(0));
}

/// Across a reload the question stands, and what is in force then decides.
#[test]
fn a_question_from_before_a_reload_is_answered_by_what_is_in_force_then() {
    let vpn = Vpn::new();
    let mut serving = vpn.campus.start();
    let app = enrol(&serving);
    for (number, opens) in [(0, true), (1, false)] {
        let state = answer_to_password(&vpn.ocserv, &serving).state.expect("a State");
        if !opens {
            let text = fs::read_to_string(vpn.campus.path("sekisho.toml")).expect("it was written");
            vpn.campus.write("sekisho.toml", &text.replace("methods = [\"otp\"]", "methods = [\"eap-tls\"]"));
        }
        serving.signal("HUP");
        serving.wait_for("READY=1");
        let code = app.code(number);
        let wish = Wish { state: Some(&state), ..Wish::of(HANAKO, &code) };
        match opens {
            true => drop(accepted(&vpn.ocserv, &serving, &wish)),
            false => drop(rejected(&vpn.ocserv, &serving, &wish, "method-not-allowed")),
        }
    }
    assert_eq!(serving.end(), Some(0));
}

/// An hour of guessing in a moment: from as many addresses as he likes.
#[test]
fn who_guesses_from_hundreds_of_addresses_guesses_ten_times_what_one_may_and_locks_nobody_out() {
    let vpn = Vpn::with_attempts(3);
    let serving = vpn.campus.start();
    let app = enrol(&serving);
    accepted(&vpn.ocserv, &serving, &Wish::of(HANAKO, &app.code(0)));
    let wrong = app.wrong();
    for network in 0..3 {
        let stations: Vec<_> = (0..100).map(|number| format!("198.51.{network}.{number}")).collect();
        let send_from = |station| send(&vpn.ocserv, &serving, &Wish { station, ..Wish::of(HANAKO, &wrong) });
        let asked: Vec<_> = stations.iter().map(|station| send_from(station)).collect();
        for (socket, request) in &asked {
            assert_eq!(receive(socket, request, &serving).code, Code::ACCESS_REJECT);
        }
    }
    let looked = |serving: &Serving| {
        let (mut all, mut cursor) = (Vec::new(), String::new());
        loop {
            let path = format!("/api/v1/authentications?limit=100{cursor}");
            let page = good(ask(serving, "viewer", "GET", &path, None));
            all.extend(page["items"].as_array().expect("a list").clone());
            let Some(next) = page["next"].as_str() else { break };
            cursor = format!("&cursor={next}");
        }
        all.iter().filter(|it| it["reason"] == "otp-wrong").count()
    };
    // Her own first one counts among them: nobody knew her station.
    assert_eq!(looked(&serving), 10 * 3 - 1);
    rejected(
        &vpn.ocserv,
        &serving,
        &Wish { station: "192.0.2.200", ..Wish::of(HANAKO, &app.code(1)) },
        "otp-throttled",
    );
    // At home, and at another concentrator, she gets in.
    accepted(&vpn.ocserv, &serving, &Wish::of(HANAKO, &app.code(1)));
    register(&vpn.campus, &serving);
    accepted(&vpn.both, &serving, &Wish { station: "192.0.2.200", ..Wish::of(HANAKO, &app.code(2)) });
    assert_eq!(serving.end(), Some(0));
}
