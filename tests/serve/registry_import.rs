//! The CA's lists on the real server: its configuration says where the columns are, and what a revocation that is asked for at the CA does.

use std::process::{Command, Output};

use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::HEXLOWER;
use serde_json::{Value, json};

use super::afar::login;
use super::registry::{ask, campus_with, good, let_in, refused};
use super::{Campus, Serving, said};

fn import(campus: &Campus, serving: &Serving, more: &[&str], list: &str) -> Output {
    campus.write("token", "registrar\n");
    import_with(campus, serving, more, list)
}

fn import_with(campus: &Campus, serving: &Serving, more: &[&str], list: &str) -> Output {
    campus.write("list.tsv", list);
    let mut command = Command::new(env!("CARGO_BIN_EXE_sekisho"));
    let api = format!("http://127.0.0.1:{}", serving.admin);
    command.current_dir(campus.scratch.path()).args(["import", "--api", &api, "--token-file", "token"]);
    command.args(["--authority", "ca"]).args(more).arg("list.tsv").output().expect("the program was built")
}

fn shown(serving: &Serving) -> Value {
    good(ask(serving, "viewer", "GET", "/api/v1/certificates/ca:05", None))
}

/// A list without a header, whose columns are in an order of their own.
fn list(status: &str) -> String {
    format!("{status}\tA-7\thanako@example.ac.jp\t05\tCN=Hanako,O=Example University\n")
}

#[test]
fn columns_of_the_servers_configuration_are_used_and_overridden() {
    let columns = "import-columns = { application = 2, subject = 5, mail = 3, serial = 4, status = 1 }";
    let campus = campus_with(columns);
    let serving = campus.start();
    let output = import(&campus, &serving, &[], &list("有効"));
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(said(&output).contains("columns application=2,subject=5,mail=3,serial=4,status=1"), "{}", said(&output));
    let one = shown(&serving);
    let wanted = ("ca:05", "A-7", "hanako@example.ac.jp");
    let found = ["id", "application", "mail"].map(|field| one[field].as_str().unwrap_or_default().to_owned());
    assert_eq!((&*found[0], &*found[1], &*found[2]), wanted, "{one}");
    // What the command says, and what the list says itself, is said better.
    let output = import(&campus, &serving, &["--columns", "status=0"], &list("失効済"));
    assert!(said(&output).contains("columns application=2,subject=5,mail=3,serial=4\n"), "{}", said(&output));
    assert_eq!(shown(&serving)["status"], "valid");
    let header = "申請番号\t主体者DN\tメールアドレス\t申請状況\tx\n";
    let output = import(&campus, &serving, &[], &format!("{header}A-8\tCN=B\tb@example.ac.jp\t有効\t\n"));
    assert!(said(&output).contains("columns application=1,subject=2,mail=3,serial=4,status=4"), "{}", said(&output));
    assert_eq!(serving.end(), Some(0));
}

#[test]
fn an_imported_request_shows_or_refuses_as_the_configuration_says() {
    let columns = "import-columns = { application = 2, subject = 5, mail = 3, serial = 4, status = 1 }";
    let campus = campus_with(columns);
    let mut serving = campus.start();
    assert_eq!(import(&campus, &serving, &[], &list("失効申請中")).status.code(), Some(0));
    assert_eq!(shown(&serving)["status"], "revocation-requested");
    let_in(&login(&campus, &serving));
    // The same list means something else by another configuration.
    let text = std::fs::read_to_string(campus.path("sekisho.toml")).expect("it was written");
    campus.write("sekisho.toml", &text.replace("[registry]\n", "[registry]\nrequested = \"block\"\n"));
    serving.signal("HUP");
    serving.wait_for("READY=1");
    refused(&login(&campus, &serving), "blocked", &mut serving);
    // It holds without the database, too.
    assert_eq!(serving.end(), Some(0));
    std::fs::write(campus.path("registry.sqlite"), vec![7; 40_000]).expect("ours");
    let mut serving = campus.start();
    refused(&login(&campus, &serving), "blocked", &mut serving);
    for name in ["registry.sqlite", "registry.sqlite-wal", "registry.sqlite-shm"] {
        let _ = std::fs::remove_file(campus.path(name));
    }
    serving.wait_for_metric("sekisho_registry_up 1");
    refused(&login(&campus, &serving), "blocked", &mut serving);
    // The CA has done nothing, and the next list says so.
    for status in ["有効", "新規申請PIN取得済"] {
        assert_eq!(import(&campus, &serving, &[], &list(status)).status.code(), Some(0));
        let_in(&login(&campus, &serving));
    }
    assert_eq!(import(&campus, &serving, &[], &list("失効申請中")).status.code(), Some(0));
    refused(&login(&campus, &serving), "blocked", &mut serving);
    let audit = good(ask(&serving, "operator", "GET", "/api/v1/audit", None));
    assert!(audit["items"].as_array().is_some_and(|it| it.iter().any(|it| it["action"] == "adopt-blocks")));
    assert_eq!(ask(&serving, "viewer", "GET", "/api/v1/import-columns", None).0, 403);
    let told = good(ask(&serving, "registrar", "GET", "/api/v1/import-columns", None));
    let wanted = json!({ "application": 2, "subject": 5, "mail": 3, "serial": 4, "authority": 0, "status": 1 });
    assert_eq!(told, wanted);
    assert_eq!(serving.end(), Some(0));
}

/// What nobody may read in a log: the token that changes are made with.
const TOKEN: &str = "5f1c09a17be84d2c93aa6e07d1f4b8c2";

#[test]
fn o02_nothing_that_callers_or_the_database_are_told_in_confidence_is_in_a_log_at_its_loudest() {
    let campus = campus_with("import-columns = { application = 2, subject = 5, mail = 3, serial = 4, status = 1 }");
    let text = std::fs::read_to_string(campus.path("sekisho.toml")).expect("it was written");
    let hash = HEXLOWER.encode(digest(&SHA256, TOKEN.as_bytes()).as_ref());
    let text = text.replace("language = \"en\"", "language = \"en\"\nlevel = \"trace\"");
    campus.write(
        "sekisho.toml",
        &format!("{text}\n[[admin.token]]\nname = \"desk\"\nsha256 = \"{hash}\"\nrole = \"operator\"\n"),
    );
    let serving = campus.start();
    let key = std::fs::read_to_string(campus.path("member.key")).expect("it was written");
    let pem = std::fs::read_to_string(campus.path("member.pem")).expect("it was written");
    let_in(&login(&campus, &serving));
    campus.write("token", &format!("{TOKEN}\n"));
    let _ = import_with(&campus, &serving, &[], "失効申請中\tA-7\tbound-mail@example.ac.jp\t0b\tCN=Bound Name\n");
    let registered = good(ask(&serving, TOKEN, "POST", "/api/v1/certificates", Some(json!({ "pem": pem }))));
    let id = registered["id"].as_str().expect("an id");
    let path = format!("/api/v1/certificates/{id}/revocation");
    let note = json!({ "note": "bound-note: found in the dormitory" });
    good(ask(&serving, TOKEN, "POST", &path, Some(note)));
    good(ask(&serving, TOKEN, "DELETE", &path, None));
    good(ask(&serving, TOKEN, "GET", "/api/v1/certificates?q=bound-prefix", None));
    // A mistake, too: what is refused may hold anything.
    assert_eq!(ask(&serving, TOKEN, "POST", "/api/v1/certificates", Some(json!({ "pem": key }))).0, 422);
    assert_eq!(ask(&serving, &format!("{TOKEN}0"), "GET", &path, None).0, 401);
    let log = serving.log();
    assert!(log.contains("TRACE challenge "), "a quiet log shows nothing: {log}");
    let secrets = [
        TOKEN,
        "a secret that is long enough",
        "bound-note",
        "bound-prefix",
        "bound-mail",
        "Bound Name",
        "INSERT INTO",
    ];
    let lines = key.lines().chain(pem.lines()).filter(|line| !line.starts_with("-----"));
    for secret in secrets.into_iter().chain(lines) {
        assert!(!log.contains(secret), "{secret} is in the log:\n{log}");
    }
    assert_eq!(serving.end(), Some(0));
}
