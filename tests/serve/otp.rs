//! One-time passwords, on the real program: enrolled by API and command, right once, slowed.

use std::process::{Command, Output};
use std::time::Duration;

use aws_lc_rs::hmac;
use data_encoding::BASE32_NOPAD;
use sekisho::radius::Code;
use serde_json::{Value, json};

use super::afar::login;
use super::nas::Nas;
use super::registry::{Disk, Said, ask, good, let_in, register, wait_for};
use super::sessions::sessions;
use super::vpn::{Answer, HANAKO, PASSWORD, Vpn, Wish, accepted, answer, by_name, receive, rejected, revocation, send};
use super::{Campus, Serving, said};

pub(super) const OTP: &str = "/api/v1/users/hanako@example.ac.jp/otp";

/// How an authenticator app makes codes.
pub(super) struct App {
    key: Vec<u8>,
    present: u64,
}

impl App {
    pub(super) fn read(uri: &str) -> Self {
        let query = uri.strip_prefix("otpauth://totp/Campus:hanako%40example.ac.jp?").expect("what apps read");
        let key = query.split('&').find_map(|pair| pair.strip_prefix("secret=")).expect("a key");
        assert!(query.contains("issuer=Campus") && query.contains("digits=6") && query.contains("period=30"), "{uri}");
        let key = BASE32_NOPAD.decode(key.as_bytes()).expect("base 32");
        assert_eq!(key.len(), 20);
        Self { key, present: now() / 30 }
    }

    /// The code of so many steps after the present one.
    pub(super) fn code(&self, after: i64) -> String {
        let counter = self.present.checked_add_signed(after).expect("a time");
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &self.key);
        let tag = hmac::sign(&key, &counter.to_be_bytes());
        let begin = usize::from(tag.as_ref()[19] & 15);
        let number = u32::from_be_bytes(tag.as_ref()[begin..begin + 4].try_into().expect("four")) & 0x7fff_ffff;
        format!("{:06}", number % 1_000_000)
    }

    /// What it shares with the server.
    pub(super) fn key(&self) -> &[u8] {
        &self.key
    }

    /// A code of none of the steps about now.
    pub(super) fn wrong(&self) -> String {
        let near: Vec<_> = (-20..=20).map(|after| self.code(after)).collect();
        (0..).map(|number| format!("{number:06}")).find(|code| !near.contains(code)).expect("there are enough")
    }
}

#[expect(clippy::disallowed_methods, reason = "an app has a clock of its own")]
fn now() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_secs()
}

pub(super) fn enrol(serving: &Serving) -> App {
    let said = good(ask(serving, "operator", "POST", OTP, None));
    App::read(said["uri"].as_str().expect("a URI"))
}

#[test]
fn a_user_is_enrolled_by_an_operator_and_her_key_is_told_once() {
    let vpn = Vpn::new();
    let serving = vpn.campus.start();
    for (method, least) in [("GET", 1), ("POST", 3), ("DELETE", 3)] {
        for (rank, role) in ["status", "viewer", "registrar", "operator"].into_iter().enumerate() {
            let code = ask(&serving, role, method, "/api/v1/users/nobody/otp", Some(json!({ "no": 1 }))).0;
            assert_eq!(code == 403, rank < least, "{method} {role}: {code}");
        }
    }
    assert_eq!(ask(&serving, "viewer", "GET", OTP, None).0, 404);
    let Said(status, told, text) = ask(&serving, "operator", "POST", "/api/v1/users/Hanako@EXAMPLE.ac.jp/otp", None);
    assert_eq!((status, told["user"].as_str()), (201, Some(HANAKO)), "{text}");
    assert!(text.contains("cache-control: no-store") && told["enrolled"].is_string(), "{text}");
    let first = told["uri"].as_str().expect("a URI").to_owned();
    let Said(status, problem, _) = ask(&serving, "operator", "POST", OTP, Some(json!({ "replace": false })));
    assert_eq!((status, problem["status"].as_u64()), (409, Some(409)));
    let shown = good(ask(&serving, "viewer", "GET", OTP, None));
    assert_eq!(shown, json!({ "user": HANAKO, "enrolled": told["enrolled"], "by": "operator1" }));
    let second = good(ask(&serving, "operator", "POST", OTP, Some(json!({ "replace": true }))));
    let second = second["uri"].as_str().expect("a URI").to_owned();
    assert_ne!(first, second);
    // The old key makes no right codes any more.
    rejected(&vpn.ocserv, &serving, &Wish::of(HANAKO, &App::read(&first).code(0)), "otp-wrong");
    accepted(&vpn.ocserv, &serving, &Wish::of(HANAKO, &App::read(&second).code(0)));
    assert_eq!(ask(&serving, "operator", "DELETE", OTP, None).0, 204);
    assert_eq!(ask(&serving, "operator", "DELETE", OTP, None).0, 404);
    let last = rejected(&vpn.ocserv, &serving, &Wish::of(HANAKO, &App::read(&second).code(1)), "otp-wrong");
    assert!(last["explanation"].as_str().is_some_and(|text| text.contains("enrolled")), "{last}");
    assert_eq!(ask(&serving, "operator", "POST", "/api/v1/users/%20/otp", None).0, 400);

    let audit = good(ask(&serving, "operator", "GET", "/api/v1/audit", None));
    let actions: Vec<_> = audit["items"].as_array().expect("a list").iter().map(|it| it["action"].as_str()).collect();
    assert_eq!(actions.iter().filter(|action| **action == Some("enrol-otp")).count(), 2, "{audit}");
    assert_eq!(actions.iter().filter(|action| **action == Some("remove-otp")).count(), 1, "{audit}");
    for uri in [&first, &second] {
        let key = uri.split("secret=").nth(1).and_then(|rest| rest.split('&').next()).expect("a key");
        assert!(!audit.to_string().contains(key) && !serving.log().contains(key), "a secret was written down");
        let key = BASE32_NOPAD.decode(key.as_bytes()).expect("base 32");
        for file in ["registry.sqlite", "registry.sqlite-wal"] {
            let kept = std::fs::read(vpn.campus.path(file)).expect("it is there");
            assert!(!kept.windows(key.len()).any(|octets| octets == key), "{file} holds a key that nobody has sealed");
        }
    }
    assert_eq!(serving.end(), Some(0));
}

#[test]
fn without_otp_in_the_configuration_nobody_is_enrolled() {
    let campus = super::registry::campus();
    let serving = campus.start();
    let said = ask(&serving, "operator", "POST", OTP, None);
    assert!(said.0 == 503 && said.2.contains("[otp]"), "{}", said.2);
    assert_eq!(ask(&serving, "viewer", "GET", OTP, None).0, 503);
    assert_eq!(ask(&serving, "operator", "DELETE", OTP, None).0, 404);
    assert_eq!(serving.end(), Some(0));
}

#[test]
fn a_code_is_right_once_and_asked_for_where_none_was_typed() {
    let vpn = Vpn::new();
    let serving = vpn.campus.start();
    let app = enrol(&serving);
    let code = app.code(0);
    let answer = accepted(&vpn.ocserv, &serving, &Wish::of(HANAKO, &code));
    assert_eq!(answer.user_name.as_deref(), Some(HANAKO));
    rejected(&vpn.ocserv, &serving, &Wish::of(HANAKO, &code), "otp-wrong");
    rejected(&vpn.ocserv, &serving, &Wish::of(HANAKO, &app.code(-1)), "otp-wrong");
    rejected(&vpn.ocserv, &serving, &Wish::of(HANAKO, &app.wrong()), "otp-wrong");
    rejected(&vpn.ocserv, &serving, &Wish::of("taro@example.ac.jp", &app.code(1)), "otp-wrong");
    rejected(&vpn.wifi, &serving, &Wish::of(HANAKO, &app.code(1)), "method-not-allowed");

    let asked = answer_to_password(&vpn.ocserv, &serving);
    let state = asked.state.expect("a State");
    let typed = app.code(1);
    let right = Wish { state: Some(&state), ..Wish::of(HANAKO, &typed) };
    accepted(&vpn.ocserv, &serving, &right);
    // Whoever reads along answers another question with it.
    let asked = answer_to_password(&vpn.ocserv, &serving);
    let state = asked.state.expect("a State");
    rejected(&vpn.ocserv, &serving, &Wish { state: Some(&state), ..Wish::of(HANAKO, &typed) }, "otp-wrong");

    let block = format!("/api/v1/users/{HANAKO}/block");
    good(ask(&serving, "operator", "POST", &block, None));
    rejected(&vpn.ocserv, &serving, &Wish::of(HANAKO, &app.code(2)), "user-blocked");
    good(ask(&serving, "operator", "DELETE", &block, None));
    accepted(&vpn.ocserv, &serving, &Wish::of(HANAKO, &app.code(2)));
    assert_eq!(serving.end(), Some(0));
}

pub(super) fn answer_to_password(nas: &Nas, serving: &Serving) -> Answer {
    let asked = answer(nas, serving, &Wish::of(HANAKO, PASSWORD));
    assert_eq!(asked.code, Code::ACCESS_CHALLENGE, "{asked:?}");
    assert!(asked.message.as_deref().is_some_and(|text| text.contains("One-time password")), "{asked:?}");
    asked
}

#[test]
fn of_many_who_type_a_code_at_the_same_moment_one_is_let_in() {
    let vpn = Vpn::new();
    let serving = vpn.campus.start();
    let app = enrol(&serving);
    let code = app.code(0);
    let stations: Vec<_> = (0..20).map(|number| format!("198.51.100.{number}")).collect();
    let asked: Vec<_> = stations
        .iter()
        .map(|station| send(&vpn.ocserv, &serving, &Wish { station, ..Wish::of(HANAKO, &code) }))
        .collect();
    let answers = asked.into_iter().map(|(socket, request)| receive(&socket, &request, &serving).code);
    assert_eq!(answers.filter(|code| *code == Code::ACCESS_ACCEPT).count(), 1);
    assert_eq!(serving.end(), Some(0));
}

#[test]
fn a_rule_asks_for_a_code_on_top_of_the_name_and_each_is_looked_up() {
    let vpn = Vpn::new();
    let text = std::fs::read_to_string(vpn.campus.path("sekisho.toml")).expect("it was written");
    let otp = "otp = { after = \"nas-password\" }\n";
    assert!(text.contains(otp), "{text}");
    let rule = "rules = [{ when = { nas = [\"asa\"] }, otp = true }]\n";
    vpn.campus.write("sekisho.toml", &text.replace(otp, &format!("{otp}{rule}")));
    let serving = vpn.campus.start();
    let app = enrol(&serving);
    rejected(&vpn.asa, &serving, &by_name(), "no-good-certificate");
    register(&vpn.campus, &serving);
    for (typed, opens) in [(app.wrong(), false), (app.code(0), true), (app.code(0), false), (app.code(1), true)] {
        let asked = answer(&vpn.asa, &serving, &by_name());
        assert_eq!(asked.code, Code::ACCESS_CHALLENGE, "{asked:?} {}", serving.log());
        let state = asked.state.expect("a State");
        let wish = Wish { state: Some(&state), ..Wish::of(HANAKO, &typed) };
        match opens {
            true => drop(accepted(&vpn.asa, &serving, &wish)),
            false => drop(rejected(&vpn.asa, &serving, &wish, "otp-wrong")),
        }
    }
    assert_eq!(serving.end(), Some(0));
}

#[test]
fn after_a_certificate_a_code_alone_opens_nothing() {
    let vpn = Vpn::new();
    let serving = vpn.campus.start();
    let app = enrol(&serving);
    rejected(&vpn.both, &serving, &Wish::of(HANAKO, &app.code(0)), "no-good-certificate");
    let path = revocation(&vpn.campus, &serving);
    accepted(&vpn.both, &serving, &Wish::of(HANAKO, &app.code(0)));
    good(ask(&serving, "registrar", "POST", &path, Some(json!({}))));
    rejected(&vpn.both, &serving, &Wish::of(HANAKO, &app.code(1)), "blocked");
    good(ask(&serving, "operator", "DELETE", &path, None));
    accepted(&vpn.both, &serving, &Wish::of(HANAKO, &app.code(1)));
    assert_eq!(serving.end(), Some(0));
}

#[test]
fn guessing_is_slowed_at_one_station_and_at_no_other() {
    let vpn = Vpn::with_attempts(3);
    let serving = vpn.campus.start();
    let app = enrol(&serving);
    let wrong = app.wrong();
    for _ in 0..3 {
        rejected(&vpn.ocserv, &serving, &Wish::of(HANAKO, &wrong), "otp-wrong");
    }
    let right = app.code(0);
    rejected(&vpn.ocserv, &serving, &Wish::of(HANAKO, &right), "otp-throttled");
    accepted(&vpn.ocserv, &serving, &Wish { station: "198.51.100.9", ..Wish::of(HANAKO, &right) });
    assert_eq!(serving.end(), Some(0));
}

#[test]
fn a_code_that_was_right_is_wrong_after_kill_minus_nine() {
    let vpn = Vpn::new();
    let mut serving = vpn.campus.start();
    let app = enrol(&serving);
    for number in 0..3 {
        let code = app.code(number);
        accepted(&vpn.ocserv, &serving, &Wish::of(HANAKO, &code));
        serving.signal("KILL");
        drop(serving);
        serving = vpn.campus.start();
        rejected(&vpn.ocserv, &serving, &Wish::of(HANAKO, &code), "otp-wrong");
    }
    assert_eq!(serving.end(), Some(0));
}

#[test]
fn a_code_opens_once_at_whatever_moment_the_process_is_killed() {
    let vpn = Vpn::new();
    let mut serving = vpn.campus.start();
    let app = enrol(&serving);
    for number in 0..6 {
        let code = app.code(number);
        let wish = Wish::of(HANAKO, &code);
        let (socket, _) = send(&vpn.ocserv, &serving, &wish);
        let mut octets = [0; 4_096];
        let moment = Duration::from_micros(500 + 1_500 * u64::try_from(number).expect("it counts up"));
        socket.set_read_timeout(Some(moment)).expect("a time-out can be set");
        let early = socket.recv(&mut octets).is_ok();
        serving.signal("KILL");
        drop(serving);
        // What it had sent before it was killed.
        let answered = early || socket.recv(&mut octets).is_ok();
        let is_first_in = answered && octets[0] == Code::ACCESS_ACCEPT.0;
        serving = vpn.campus.start();
        let is_second_in = answer(&vpn.ocserv, &serving, &wish).code == Code::ACCESS_ACCEPT;
        assert!(!(is_first_in && is_second_in), "the code of round {number} has opened twice");
    }
    assert_eq!(serving.end(), Some(0));
}

#[test]
fn a_code_that_a_full_disk_does_not_take_opens_nothing_until_there_is_room_and_then_once() {
    let vpn = Vpn::new();
    let disk = Disk::mount(vpn.campus.path("small"));
    let text = std::fs::read_to_string(vpn.campus.path("sekisho.toml")).expect("it was written");
    vpn.campus.write("sekisho.toml", &text.replace("state-dir = \".\"", "state-dir = \"small\""));
    let mut serving = vpn.campus.start();
    let path = revocation(&vpn.campus, &serving);
    let app = enrol(&serving);
    let ballast = vpn.campus.path("small").join("ballast");
    let mut file = std::fs::File::create(&ballast).expect("there is room");
    while std::io::Write::write_all(&mut file, &[0; 4_096]).is_ok() {}
    drop(file);
    let note = json!({ "note": "x".repeat(4_000), "block": false });
    let is_full = (0..2_000).any(|_| ask(&serving, "registrar", "POST", &path, Some(note.clone())).0 == 503);
    assert!(is_full, "{}", serving.log());
    let code = app.code(0);
    let wish = Wish::of(HANAKO, &code);
    // What is so small may have found room all the same.
    let is_first_in = answer(&vpn.ocserv, &serving, &wish).code == Code::ACCESS_ACCEPT;
    std::fs::remove_file(&ballast).expect("ours");
    serving.wait_for_metric("sekisho_registry_up 1");
    let is_second_in = answer(&vpn.ocserv, &serving, &wish).code == Code::ACCESS_ACCEPT;
    assert!(is_first_in != is_second_in, "{is_first_in} {is_second_in} {}", serving.log());
    assert_eq!(serving.end(), Some(0));
    drop(disk);
}

#[test]
fn how_somebody_came_in_is_shown_and_outlives_a_restart() {
    let vpn = Vpn::new();
    let serving = vpn.campus.start();
    let_in(&login(&vpn.campus, &serving));
    let app = enrol(&serving);
    accepted(&vpn.asa, &serving, &by_name());
    accepted(&vpn.ocserv, &serving, &Wish::of(HANAKO, &app.code(0)));
    let methods = |serving: &Serving| {
        let shown = |it: &Value| {
            let text = |field: &str| it[field].as_str().map(str::to_owned);
            (text("nas"), text("method"), it["certificate"].is_string())
        };
        sessions(serving, "").iter().map(shown).collect::<Vec<_>>()
    };
    let text = |text: &str| Some(text.to_owned());
    let wanted = [
        (text("ap"), text("eap-tls"), true),
        (text("asa"), text("authorize"), true),
        (text("ocserv"), text("otp"), false),
    ];
    assert_eq!(methods(&serving), wanted);
    assert_eq!(serving.end(), Some(0));
    let serving = vpn.campus.start();
    assert_eq!(methods(&serving), wanted);
    assert_eq!(serving.end(), Some(0));
}

#[test]
fn with_another_seal_key_no_code_is_right_and_the_administrator_hears_why() {
    let vpn = Vpn::new();
    let mut serving = vpn.campus.start();
    let app = enrol(&serving);
    vpn.secret("otp.secret", "another key that is long enough");
    serving.signal("HUP");
    serving.wait_for("READY=1");
    rejected(&vpn.ocserv, &serving, &Wish::of(HANAKO, &app.code(0)), "otp-wrong");
    serving.wait_for_line("sealed with another seal-key");
    vpn.secret("otp.secret", "a key that is long enough");
    serving.signal("HUP");
    serving.wait_for("READY=1");
    accepted(&vpn.ocserv, &serving, &Wish::of(HANAKO, &app.code(0)));
    assert_eq!(serving.end(), Some(0));
}

#[test]
fn a_block_throws_people_off_the_vpn_however_they_came() {
    let vpn = Vpn::new();
    let mut serving = vpn.campus.start();
    register(&vpn.campus, &serving);
    let app = enrol(&serving);
    accepted(&vpn.asa, &serving, &by_name());
    accepted(&vpn.ocserv, &serving, &Wish::of(HANAKO, &app.code(0)));
    assert_eq!(sessions(&serving, "").len(), 2);
    good(ask(&serving, "operator", "POST", &format!("/api/v1/users/{HANAKO}/block"), None));
    for nas in [&vpn.asa, &vpn.ocserv] {
        serving.process.wait_until(&format!("told at {}", nas.name), |_| !nas.told().is_empty());
        assert_eq!(nas.told()[0].user, HANAKO);
    }
    wait_for(&mut serving, "/api/v1/sessions", "without sessions", |it| it["items"] == json!([]));
    assert_eq!(serving.end(), Some(0));
}

fn otp(campus: &Campus, verb: &str, place: &[&str], more: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sekisho"));
    command.current_dir(campus.scratch.path()).args(["otp", verb]).args(place).args(more).arg("Hanako@example.ac.jp");
    command.output().expect("the program was built")
}

#[test]
fn sekisho_otp_enrols_by_the_api_of_a_server_that_runs_and_else_in_its_registry() {
    let vpn = Vpn::new();
    let campus = &vpn.campus;
    vpn.secret("operator.token", "operator\n");
    let direct = ["--config", "sekisho.toml"];
    let early = otp(campus, "enrol", &direct, &["--uri"]);
    assert_eq!(early.status.code(), Some(78), "{}", said(&early));
    assert!(!campus.path("registry.sqlite").exists(), "nobody but a server begins one");

    let serving = campus.start();
    let url = format!("http://127.0.0.1:{}", serving.admin);
    let api = ["--api", &url, "--token-file", "operator.token"];
    let hidden = otp(campus, "enrol", &api, &[]);
    assert_eq!(hidden.status.code(), Some(78), "standard output is no terminal: {}", said(&hidden));
    assert_eq!(ask(&serving, "viewer", "GET", OTP, None).0, 404, "nothing was changed");
    let enrolled = otp(campus, "enrol", &api, &["--uri"]);
    assert_eq!(enrolled.status.code(), Some(0), "{}", said(&enrolled));
    let uri = |output: &Output| String::from_utf8_lossy(&output.stdout).trim().to_owned();
    accepted(&vpn.ocserv, &serving, &Wish::of(HANAKO, &App::read(&uri(&enrolled)).code(0)));
    let again = otp(campus, "enrol", &api, &["--uri"]);
    assert!(again.status.code() == Some(1) && said(&again).contains("409"), "{}", said(&again));
    let taken = otp(campus, "enrol", &direct, &["--uri", "--replace"]);
    assert!(taken.status.code() == Some(78) && said(&taken).contains("--api"), "{}", said(&taken));
    assert_eq!(serving.end(), Some(0));

    let again = otp(campus, "enrol", &direct, &["--uri"]);
    assert!(again.status.code() == Some(1) && said(&again).contains("--replace"), "{}", said(&again));
    let replaced = otp(campus, "enrol", &direct, &["--uri", "--replace"]);
    assert_eq!(replaced.status.code(), Some(0), "{}", said(&replaced));
    let mut serving = campus.start();
    accepted(&vpn.ocserv, &serving, &Wish::of(HANAKO, &App::read(&uri(&replaced)).code(0)));
    let by = good(ask(&serving, "viewer", "GET", OTP, None));
    assert_eq!(by["by"], "command line");
    wait_for(&mut serving, "/api/v1/audit?limit=1", "audited", |it| it["items"][0]["caller"] == "command line");
    let url = format!("http://127.0.0.1:{}", serving.admin);
    let removed = otp(campus, "remove", &["--api", &url, "--token-file", "operator.token"], &[]);
    assert_eq!(removed.status.code(), Some(0), "{}", said(&removed));
    assert_eq!(ask(&serving, "viewer", "GET", OTP, None).0, 404);
    assert_eq!(serving.end(), Some(0));
    let removed = otp(campus, "remove", &direct, &[]);
    assert_eq!(removed.status.code(), Some(1), "{}", said(&removed));
}
