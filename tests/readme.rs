//! README's commands, run as they stand.

use std::fs;
use std::path::Path;
use std::process::Command;

const README: &str = include_str!("../README.md");
const SEKISHO: &str = env!("CARGO_BIN_EXE_sekisho");

/// The lines of all blocks marked `sh`.
fn commands() -> Vec<&'static str> {
    let blocks = README.split("```sh\n").skip(1).filter_map(|rest| rest.split("```").next());
    blocks.flat_map(str::lines).filter(|line| !line.trim().is_empty()).collect()
}

#[test]
fn each_command_of_the_readme_runs() {
    let commands = commands();
    assert!(commands.len() >= 4, "{commands:?}");
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("readme-{}", std::process::id()));
    fs::create_dir_all(&dir).expect("a directory for the test");
    let binaries = Path::new(SEKISHO).parent().expect("a binary in a directory").display().to_string();
    let path = format!("{binaries}:{}", std::env::var("PATH").unwrap_or_default());
    for command in commands {
        let output =
            Command::new("sh").args(["-ec", command]).current_dir(&dir).env("PATH", &path).output().expect("sh");
        let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{command}: {}\n{said}", output.status);
        if command.ends_with("|| echo refused") {
            assert!(said.contains("refused") && said.contains("\"revoked\""), "{command}\n{said}");
        }
    }
    fs::remove_dir_all(&dir).expect("the test's own directory");
}

#[test]
fn the_first_screen_names_the_two_commands_and_each_link_leads_somewhere() {
    let first_screen: Vec<&str> = README.lines().take(30).collect();
    for command in ["    cargo run --release -- demo", "    tests/run"] {
        assert!(first_screen.contains(&command), "{command}");
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let links: Vec<&str> = README.split("](").skip(1).filter_map(|rest| rest.split(')').next()).collect();
    assert!(!links.is_empty());
    let headings: Vec<String> = README
        .lines()
        .filter_map(|line| line.strip_prefix("## "))
        .map(|title| title.to_lowercase().replace(' ', "-"))
        .collect();
    for link in links {
        let is_here = link.strip_prefix('#').map(|heading| headings.iter().any(|known| known == heading));
        assert!(is_here.unwrap_or_else(|| root.join(link).exists()), "{link}");
    }
}
