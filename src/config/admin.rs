//! `[admin]` and `[[group]]`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use super::names::{self, Names};
use super::reader::Table;
use super::report::Named;
use super::scalar;
use crate::admin::{Role, Settings, Token};
use crate::now::Wall;

pub(super) fn admin(mut table: Table<'_>, listen: Vec<SocketAddr>, names: &Names, now: Wall) -> Settings {
    for key in ["chain", "key"] {
        if let Some(item) = table.take(key).filter(|item| !item.is_empty()) {
            item.path();
            item.not_built("TLS on the admin door");
        }
    }
    if let Some(item) = table.take("client-authorities").filter(|item| !item.is_empty()) {
        names.authorities.refer_all(&item);
        item.not_built("client certificates on the admin door");
    }
    let open_metrics = table.boolean("open-metrics", true);
    let mut tokens: Vec<Token> = Vec::new();
    for entry in table.tables("token") {
        if let Some(token) = token(entry, &tokens, now) {
            tokens.push(token);
        }
    }
    table.finish();
    Settings { listen, open_metrics, tokens }
}

fn token(mut table: Table<'_>, known: &[Token], now: Wall) -> Option<Token> {
    let name = table
        .require("name", "the audit calls its holder by that")
        .and_then(|item| item.name().map(|name| (item, name)));
    let sha256 =
        table.require("sha256", "of the token; `sekisho token` makes one").and_then(|item| item.parsed(scalar::hex));
    let roles = [
        ("status", Role::Status),
        ("viewer", Role::Viewer),
        ("registrar", Role::Registrar),
        ("operator", Role::Operator),
    ];
    let role = table.require("role", "what its holder may do").and_then(|item| item.choice(&roles));
    let expires = table.take("expires").and_then(|item| item.time().map(|time| (item, time)));
    if let Some((item, _)) = expires.as_ref().filter(|(_, time)| *time <= now) {
        item.warning("this token has expired and opens nothing; make a new one: sekisho token");
    }
    if let Some((item, name)) = name.as_ref().filter(|(_, name)| known.iter().any(|token| *token.name == **name)) {
        item.error(format!("a token named \"{name}\" stands above; names must differ"));
    }
    if known.iter().any(|token| Some(token.sha256) == sha256) {
        table.error("another table above has the same token: nobody could say who used it; make one for each");
    }
    table.finish();
    Some(Token { name: name?.1.into(), sha256: sha256?, role: role?, expires: expires.map(|(_, time)| time) })
}

pub(super) fn groups(root: &mut Table<'_>, named: &mut Vec<Named>) -> Vec<(Arc<str>, PathBuf)> {
    let mut groups = Vec::new();
    for mut table in root.tables("group") {
        let name = names::of(&mut table);
        let file = table.require("file", "users by name, one a line").and_then(|item| item.path());
        let report = table.report;
        let places = table.finish();
        if let (Some(name), Some(file)) = (name, file) {
            named.push(report.named(name.clone(), false, vec![file.display().to_string().into()], places.of("file")));
            groups.push((name, file));
        }
    }
    groups
}
