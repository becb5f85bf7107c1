//! `sekisho token`

use std::process::ExitCode;

use clap::ValueEnum;
use data_encoding::HEXLOWER;
use serde_json::json;

use crate::admin::{hash_token, make_token};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// What the token is called in the log.
    #[arg(long, default_value = "admin")]
    name: String,
    /// What it may do.
    #[arg(long, value_enum, default_value_t = Role::Viewer)]
    role: Role,
    /// JSON instead of text.
    #[arg(long)]
    json: bool,
}

/// `role` of the table.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Role {
    Status,
    Viewer,
    Registrar,
    Operator,
}

/// Prints a new token and what the configuration keeps of it. The token can't be had again.
pub(super) fn run(args: &Args) -> ExitCode {
    let Some(token) = make_token() else {
        eprintln!("sekisho: the system has no randomness");
        return ExitCode::FAILURE;
    };
    // It consists of hexadecimal digits.
    let text = String::from_utf8_lossy(token.expose());
    let sha256 = HEXLOWER.encode(&hash_token(token.expose()));
    let role = args.role.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
    let table = table(&args.name, &sha256, &role);
    if args.json {
        let name = &args.name;
        println!("{}", json!({ "token": text, "name": name, "sha256": sha256, "role": role, "toml": table }));
    } else {
        println!("{text}");
        eprintln!("The token is shown this once. The table for the configuration:");
        println!("\n{table}");
    }
    ExitCode::SUCCESS
}

/// The table to paste.
fn table(name: &str, sha256: &str, role: &str) -> String {
    let name = toml::Value::String(name.to_owned());
    format!("[[admin.token]]\nname = {name}\nsha256 = \"{sha256}\"\nrole = \"{role}\"\n")
}
