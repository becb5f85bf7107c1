//! Holds the arrows between the modules (the map is in `src/lib.rs`): who may know whom, that the core has no clock, sockets or files, and that no file grows too long.

use std::fs;
use std::path::{Path, PathBuf};

/// The modules of the core: no sockets, no files, no clock.
const CORE: &[&str] = &[
    "engine",
    "exchange",
    "radius",
    "access",
    "eap",
    "tls",
    "pki",
    "standing",
    "otp",
    "policy",
    "sessions",
    "supplicant",
];
/// Words that all may use.
const WORDS: &[&str] = &["event", "lock", "now", "quick", "secret"];
/// The shell.
const SHELL: &[&str] = &["net", "fetch", "store", "observe", "explain", "admin", "config", "cli", "daemon", "main"];

/// What each module may import beside the words of all.
const MAY_KNOW: &[(&str, &[&str])] = &[
    ("event", &[]),
    ("lock", &[]),
    ("now", &[]),
    ("quick", &[]),
    ("secret", &[]),
    ("radius", &[]),
    ("exchange", &["radius"]),
    ("eap", &[]),
    ("tls", &[]),
    ("otp", &[]),
    ("pki", &[]),
    ("standing", &[]),
    ("policy", &["pki", "standing", "radius"]),
    ("sessions", &["exchange", "pki", "policy", "radius", "standing"]),
    ("access", &["eap", "exchange", "otp", "pki", "policy", "radius", "sessions", "standing", "tls"]),
    // It hands packets from the hop to the conversation, unopened.
    ("engine", &["access", "exchange", "radius", "sessions"]),
    ("supplicant", &["eap", "exchange", "radius"]),
    ("net", &["engine", "exchange"]),
    ("fetch", &["exchange", "pki", "standing"]),
    ("observe", &["pki", "policy"]),
    ("store", &["pki", "sessions"]),
    ("explain", &["fetch", "observe", "pki", "policy"]),
    // What a client may send as its chain is bounded alike on both of its doors.
    ("admin", &["observe", "otp", "pki", "policy", "sessions", "standing", "store", "tls"]),
    (
        "config",
        &[
            "access", "admin", "eap", "engine", "exchange", "fetch", "net", "observe", "otp", "pki", "policy",
            "radius", "sessions", "store", "tls",
        ],
    ),
    (
        "cli",
        &[
            "access",
            "admin",
            "config",
            "daemon",
            "eap",
            "engine",
            "exchange",
            "explain",
            "fetch",
            "net",
            "observe",
            "otp",
            "pki",
            "policy",
            "radius",
            "standing",
            "store",
            "supplicant",
            "tls",
        ],
    ),
    (
        "daemon",
        &[
            "access", "admin", "config", "eap", "engine", "exchange", "explain", "fetch", "net", "observe", "otp",
            "pki", "policy", "sessions", "standing", "store", "tls",
        ],
    ),
    ("main", &["cli"]),
];

/// What no text of the core may hold.
const NOT_IN_THE_CORE: &[&str] = &[
    "Instant::now",
    "SystemTime",
    "std::fs",
    "std::net::UdpSocket",
    "std::net::Tcp",
    "std::env",
    "std::thread",
    "tokio",
    "tracing::",
    "serde",
    "println!",
];

/// Longest file in lines.
const LONGEST: usize = 500;

/// Files that may be longer: tables, a line for each thing.
const TABLES: &[&str] = &["src/radius/dictionary/table.rs"];

/// A file of the crate: the module at the top that it belongs to, its place, its text.
struct Source {
    module: String,
    path: PathBuf,
    text: String,
}

#[test]
fn no_module_knows_one_that_it_may_not() {
    let found: Vec<_> = sources().iter().flat_map(wrong_arrows).collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn the_core_has_no_clock_sockets_or_files() {
    let found: Vec<_> = sources().iter().flat_map(impurities).collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn no_file_is_longer_than_a_reader_is_patient() {
    let found: Vec<_> = sources().iter().filter_map(too_long).collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn every_module_has_its_rule_and_stands_in_one_part_of_the_house() {
    let parts = || CORE.iter().chain(WORDS).chain(SHELL);
    let has_both = |name: &str| MAY_KNOW.iter().any(|(module, _)| *module == name) && parts().any(|part| *part == name);
    let sources = sources();
    let without: Vec<_> = sources.iter().filter(|source| source.module != "lib" && !has_both(&source.module)).collect();
    assert!(without.is_empty(), "{:?}", without.iter().map(|source| &source.path).collect::<Vec<_>>());
    let gone: Vec<_> = parts().filter(|part| !sources.iter().any(|source| source.module == **part)).collect();
    assert!(gone.is_empty(), "{gone:?}");
}

#[test]
fn the_rules_themselves_keep_the_core_from_the_shell() {
    for (module, known) in MAY_KNOW.iter().filter(|(module, _)| CORE.contains(module) || WORDS.contains(module)) {
        assert!(known.iter().all(|known| CORE.contains(known)), "{module} may know the shell");
    }
    let importers = MAY_KNOW.iter().filter(|(_, known)| known.contains(&"config")).map(|(module, _)| *module);
    assert!(importers.eq(["cli", "daemon"]), "nothing else imports config");
}

#[test]
fn a_wrong_arrow_is_found_however_it_is_written() {
    for text in [
        "use crate::policy::Policy;",
        "use crate::{event, policy};",
        "use crate::{\n    event::Event,\n    policy::{self, Policy},\n};",
        "fn f(p: &crate::policy::Policy) {}",
        "use super::super::policy;",
        "use sekisho::policy;",
    ] {
        assert!(!wrong_arrows(&made_up("pki", "src/pki/x.rs", text)).is_empty(), "{text}");
    }
}

#[test]
fn what_only_looks_like_an_arrow_is_none() {
    for text in [
        "//! See [`crate::policy`].\nuse crate::event::Event;",
        "use crate::pki::Facts; // not crate::policy",
        "use super::policy;",
        "use crate::now::Wall;",
        "#[cfg(test)]\nmod tests {\n    use crate::policy::Policy;\n}\n",
    ] {
        assert_eq!(wrong_arrows(&made_up("pki", "src/pki/x.rs", text)), Vec::<String>::new(), "{text}");
    }
}

#[test]
fn tests_of_a_module_may_use_others() {
    assert!(wrong_arrows(&made_up("radius", "src/radius/tests.rs", "use crate::exchange::Hop;")).is_empty());
}

#[test]
fn a_clock_in_the_core_is_found() {
    for text in ["let t = std::time::Instant::now();", "use std::time::SystemTime;", "use tokio::sync::mpsc;"] {
        assert!(!impurities(&made_up("engine", "src/engine/mod.rs", text)).is_empty(), "{text}");
        assert!(impurities(&made_up("net", "src/net/clock.rs", text)).is_empty(), "{text}");
    }
    assert!(impurities(&made_up("engine", "src/engine/mod.rs", "// never Instant::now")).is_empty());
}

#[test]
fn a_long_file_is_found() {
    assert!(too_long(&made_up("eap", "src/eap/x.rs", &"\n".repeat(LONGEST + 1))).is_some());
    assert!(too_long(&made_up("eap", "src/eap/x.rs", &"\n".repeat(LONGEST))).is_none());
}

fn made_up(module: &str, path: &str, text: &str) -> Source {
    Source { module: module.into(), path: path.into(), text: text.into() }
}

/// Every file under `src`.
fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    collect(&root, &root, &mut found);
    assert!(found.len() > 15, "the sources are where they are looked for");
    found
}

fn collect(root: &Path, folder: &Path, found: &mut Vec<Source>) {
    for entry in fs::read_dir(folder).expect("src can be read") {
        let path = entry.expect("src can be read").path();
        if path.is_dir() {
            collect(root, &path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let inside = path.strip_prefix(root).expect("it was found there");
            let first = inside.components().next().expect("it has a name").as_os_str().to_string_lossy();
            let module = first.trim_end_matches(".rs").to_owned();
            let text = fs::read_to_string(&path).expect("sources are UTF-8");
            found.push(Source { module, path, text });
        }
    }
}

fn wrong_arrows(source: &Source) -> Vec<String> {
    let Some((_, may_know)) = MAY_KNOW.iter().find(|(module, _)| *module == source.module) else { return Vec::new() };
    if is_test(&source.path) {
        return Vec::new();
    }
    let known = imports(&source.text, depth(&source.path));
    let wrong = known.into_iter().filter(|name| {
        let is_module = CORE.contains(&name.as_str()) || SHELL.contains(&name.as_str());
        is_module && *name != source.module && !may_know.contains(&name.as_str())
    });
    wrong.map(|name| format!("{}: {} may not know {name}", source.path.display(), source.module)).collect()
}

fn impurities(source: &Source) -> Vec<String> {
    if !CORE.contains(&source.module.as_str()) || is_test(&source.path) {
        return Vec::new();
    }
    let code = code(&source.text);
    let found = NOT_IN_THE_CORE.iter().filter(|word| code.contains(**word));
    found.map(|word| format!("{}: {word}", source.path.display())).collect()
}

fn too_long(source: &Source) -> Option<String> {
    if TABLES.iter().any(|table| source.path.ends_with(table)) {
        return None;
    }
    let lines = source.text.lines().count();
    (lines > LONGEST).then(|| format!("{}: {lines} lines", source.path.display()))
}

/// Whether a file is compiled for tests alone.
fn is_test(path: &Path) -> bool {
    path.components()
        .any(|part| matches!(part.as_os_str().to_str(), Some("tests" | "tests.rs" | "testing" | "testing.rs")))
}

/// How many `super` lead out of a file's own module at the top to the crate: one for `x/mod.rs`, two for `x/y.rs`.
fn depth(path: &Path) -> usize {
    let inside = path.components().skip_while(|part| part.as_os_str() != "src").count().saturating_sub(1);
    if path.file_name().is_some_and(|name| name == "mod.rs") { inside - 1 } else { inside }
}

/// The code without comments, and without test modules inside of the file.
fn code(text: &str) -> String {
    let before_tests = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let lines = before_tests.lines().map(|line| line.split("//").next().unwrap_or_default());
    lines.collect::<Vec<_>>().join("\n")
}

/// The names of the crate's own modules that a text imports.
fn imports(text: &str, depth: usize) -> Vec<String> {
    let code = code(text);
    let out = "super::".repeat(depth);
    let mut names = Vec::new();
    for root in ["crate::", "sekisho::", out.as_str()] {
        for (at, _) in code.match_indices(root) {
            let before = code[..at].chars().next_back();
            if root.is_empty() || before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':') {
                continue;
            }
            names.extend(first_names(&code[at + root.len()..]));
        }
    }
    names
}

/// The first names of a path: one, or those of a group in braces.
fn first_names(path: &str) -> Vec<String> {
    let name = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let Some(group) = path.strip_prefix('{') else { return vec![name(path)] };
    let mut names = Vec::new();
    let mut depth = 0_usize;
    let mut item = String::new();
    for c in group.chars() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => names.push(name(std::mem::take(&mut item).trim_start())),
            _ if depth == 0 => item.push(c),
            _ => {}
        }
    }
    names.push(name(item.trim_start()));
    names
}
