//! The registry: it is there unless somebody wants none, and where it could not be kept that is found.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::time::Duration;

use crate::campus::Campus;
use crate::{BASE, and, base};

const DAY: Duration = Duration::from_secs(86_400);

#[test]
fn without_a_section_everything_has_its_default_and_accounting_wants_nothing_more() {
    let loaded = Campus::new().load(&base("[listen]\n", "[listen]\naccounting = [\"127.0.0.1:1813\"]\n"));
    loaded.good();
    let settings = loaded.config.as_ref().and_then(|config| config.registry).expect("it is kept");
    assert_eq!((settings.retain_authentications, settings.retain_sessions), (180 * DAY, 180 * DAY));
    assert!(!settings.blocks_requested);
}

#[test]
fn who_wants_none_says_so_and_then_nothing_may_be_accounted() {
    let none = "[registry]\ndatabase = \"none\"\n";
    let loaded = Campus::new().load(&and(none));
    loaded.good();
    assert!(loaded.config.as_ref().is_some_and(|config| config.registry.is_none()));
    let text = format!("{}{none}", base("[listen]\n", "[listen]\naccounting = [\"127.0.0.1:1813\"]\n"));
    Campus::new().load(&text).error("registry.database", "\"none\"", "[listen].accounting is open").only(1);
    let other = and("[registry]\ndatabase = \"mysql\"\n");
    Campus::new().load(&other).error("registry.database", "\"mysql\"", "is no database").only(1);
}

#[test]
fn a_state_dir_that_is_not_there_yet_is_good_and_one_below_a_file_is_none() {
    let campus = Campus::new();
    campus.load(&and("[server]\nstate-dir = \"not/there/yet\"\n")).good();
    assert!(!campus.path().join("not").exists(), "looking makes nothing");
    for below in ["secrets/ap", "secrets/ap/state"] {
        let text = format!("[server]\nstate-dir = \"./{below}\"\n{BASE}");
        campus.load(&text).error("server.state-dir", "\"./", "secrets/ap is no folder").only(1);
    }
}

/// As somebody for whom permissions count: root may write everywhere.
#[test]
fn a_state_dir_that_may_not_be_written_is_warned_of_at_its_place() {
    let campus = Campus::new();
    let closed = campus.path().join("closed");
    fs::create_dir(&closed).expect("a folder");
    fs::set_permissions(&closed, PermissionsExt::from_mode(0o555)).expect("ours");
    for (state, what) in [("closed", "can't write into "), ("closed/below", "can't make ")] {
        let file = campus.write("sekisho.toml", and(&format!("[server]\nstate-dir = \"{state}\"\n")));
        let mut check = Command::new("unshare");
        // The root of a namespace of its own, without the right to override permissions.
        check.args(["--user", "--map-root-user", "setpriv", "--bounding-set=-all", "--inh-caps=-all"]);
        let output = check.arg(env!("CARGO_BIN_EXE_sekisho")).arg("check").arg("--config").arg(&file).output();
        let output = output.expect("unshare and setpriv are part of every system");
        let text = String::from_utf8_lossy(&output.stdout);
        let line =
            text.lines().find(|line| line.contains("server.state-dir: ")).unwrap_or_else(|| panic!("{output:?}"));
        assert!(line.contains(what) && line.contains("sekisho.toml:26:13: warning: "), "{line}");
        assert_eq!(output.status.code(), Some(0), "{text}");
    }
}
