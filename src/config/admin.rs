//! `[admin]` and `[[group]]`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use super::names::{self, Names};
use super::reader::{Item, Table};
use super::report::Named;
use super::{files, identity, scalar};
use crate::admin::{BadTls, Role, Settings, Tls, Token};
use crate::now::Wall;

/// `[admin]`, and notAfter of its certificate. `listen`: `[listen].admin`.
pub(super) fn admin(
    mut table: Table<'_>,
    listen: Vec<SocketAddr>,
    names: &Names,
    now: Wall,
) -> (Settings, Option<Wall>) {
    let tls = tls(&mut table, now);
    let clients = table.take("client-authorities").filter(|item| !item.is_empty());
    let client_authorities = clients.as_ref().map(|item| names.authorities.refer_all(item)).unwrap_or_default();
    if let (Some(item), None) = (&clients, &tls) {
        item.error("client certificates are shown in TLS only; add `chain` and `key`");
    }
    let open_metrics = table.boolean("open-metrics", true);
    let mut tokens: Vec<Token> = Vec::new();
    for entry in table.tables("token") {
        if let Some(token) = token(entry, &tokens, now) {
            tokens.push(token);
        }
    }
    table.finish();
    let (tls, end) = tls.flatten().unzip();
    (Settings { listen, open_metrics, tokens, tls: tls.map(Arc::new), client_authorities }, end)
}

/// Whether a section says that the door speaks TLS, for who judges where it listens.
pub(super) fn has_tls(table: &mut Table<'_>) -> bool {
    table.take("chain").is_some_and(|item| !item.is_empty())
}

/// `chain` and `key`. `None`: neither is there; `Some(None)`: they can't be used.
fn tls(table: &mut Table<'_>, now: Wall) -> Option<Option<(Tls, Wall)>> {
    let there = |item: &Item<'_>| !item.is_empty();
    let (chain, key) = match (table.take("chain").filter(there), table.take("key").filter(there)) {
        (Some(chain), Some(key)) => (chain, key),
        (None, None) => return None,
        (Some(one), None) => {
            one.error("is of no use without `key`, the PEM file of its private key");
            return Some(None);
        }
        (None, Some(one)) => {
            one.error("is of no use without `chain`, the PEM file of the certificate, leaf first, then intermediates");
            return Some(None);
        }
    };
    let read = files::certificates(&chain).zip(files::private_key(&key));
    Some(read.and_then(|(certificates, secret)| {
        let (names, end) = identity::browsed(&chain, certificates.first()?, now)?;
        let bad = |BadTls { key: which, text }| if which == "key" { key.error(text) } else { chain.error(text) };
        Tls::new(certificates, &secret, &names).map_err(bad).ok().map(|tls| (tls, end))
    }))
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
