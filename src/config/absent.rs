//! Parts of the reference that aren't built yet: read through, so that a slip shows, and refused, so that nobody relies on them.

use super::names::Names;
use super::reader::{Item, Table};
use super::{files, grants};

/// The tables at the file's top.
pub(super) fn sections(root: &mut Table<'_>, names: &Names) {
    each(root, "forward", "proxying by realm", |table| forward(table, names));
    each(root, "home-server", "proxying", |table| home_server(table, names));
    one(root, "radsec", "RADIUS over TLS", |table| radsec(table, names));
    one(root, "otp", "one-time passwords", otp);
}

/// The keys of a service.
pub(super) fn service(table: &mut Table<'_>) {
    one(table, "visitors", "proxying to a federation, so visitors can't be let in", visitors);
    one(table, "authorize", "authorisation by name", authorize);
    one(table, "otp", "one-time passwords", |table| {
        choice(table, "after", &["nas-password", "certificate"]);
    });
}

fn one(parent: &mut Table<'_>, key: &'static str, what: &str, read: impl FnOnce(&mut Table<'_>)) {
    let Some(item) = parent.take(key) else { return };
    item.not_built(what);
    if let Some(mut table) = item.table() {
        read(&mut table);
        table.finish();
    }
}

fn each(parent: &mut Table<'_>, key: &'static str, what: &str, read: impl Fn(&mut Table<'_>)) {
    let Some(item) = parent.take(key) else { return };
    for item in item.items() {
        item.not_built(what);
        if let Some(mut table) = item.table() {
            read(&mut table);
            table.finish();
        }
    }
}

fn forward(table: &mut Table<'_>, names: &Names) {
    table.texts("realms");
    table.take("servers").map(|item| names.home_servers.refer_all(&item));
}

fn home_server(table: &mut Table<'_>, names: &Names) {
    text(table, "name");
    text(table, "address");
    choice(table, "transport", &["radsec", "udp"]);
    for key in ["secret", "secret-file"] {
        text(table, key);
    }
    if let Some(mut tls) = table.table("tls") {
        table_of_peers(&mut tls, names);
        text(&mut tls, "server-name");
        tls.finish();
    }
}

fn radsec(table: &mut Table<'_>, names: &Names) {
    table_of_peers(table, names);
}

fn table_of_peers(table: &mut Table<'_>, names: &Names) {
    table.take("authorities").map(|item| names.authorities.refer_all(&item));
    table.take("identity").map(|item| names.identities.refer(&item));
}

fn otp(table: &mut Table<'_>) {
    text(table, "issuer");
    files::either(table, &files::SecretKeys { inline: "seal-key", file: "seal-key-file" }).map(|(item, _)| item.text());
    table.integer("window", 0..=10, 1);
    if let Some(mut attempts) = table.table("attempts") {
        attempts.integer("each", 1..=1000, 5);
        duration(&mut attempts, "per");
        attempts.finish();
    }
}

fn visitors(table: &mut Table<'_>) {
    table.boolean("proxy", true);
    table.take("vlan").map(|item| grants::vlan(&item));
    table.take("session-timeout").map(|item| grants::session_timeout(&item));
}

fn authorize(table: &mut Table<'_>) {
    choice(table, "name", &["san-email", "san-upn", "cn", "san-dns", "san-uri"]);
    let common = table.take("password").and_then(|item| item.text()) == Some("common");
    if common {
        // Here `password` says which kind; the secret itself stands in a file.
        table.require("password-file", "a common password is read from it").map(|item| item.text());
    }
    text(table, "password-file");
    choice(table, "service-type", &["authorize-only", "outbound", "login", "framed"]);
    text(table, "certificate-attribute");
}

fn text(table: &mut Table<'_>, key: &'static str) {
    table.take(key).map(|item| item.text());
}

fn duration(table: &mut Table<'_>, key: &'static str) {
    table.take(key).map(|item| Item::duration(&item));
}

fn choice(table: &mut Table<'_>, key: &'static str, choices: &[&str]) {
    let choices: Vec<(&str, ())> = choices.iter().map(|choice| (*choice, ())).collect();
    table.take(key).map(|item| item.choice(&choices));
}
