//! Parts of the reference that aren't built yet: read through, so that a slip shows, and refused, so that nobody relies on them.

use super::grants;
use super::names::Names;
use super::reader::Table;

/// The tables at the file's top.
pub(super) fn sections(root: &mut Table<'_>, names: &Names) {
    each(root, "forward", "proxying by realm", |table| forward(table, names));
    each(root, "home-server", "proxying", |table| home_server(table, names));
    one(root, "radsec", "RADIUS over TLS", |table| radsec(table, names));
}

/// The keys of a service.
pub(super) fn service(table: &mut Table<'_>) {
    one(table, "visitors", "proxying to a federation, so visitors can't be let in", visitors);
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

fn visitors(table: &mut Table<'_>) {
    table.boolean("proxy", true);
    table.take("vlan").map(|item| grants::vlan(&item));
    table.take("session-timeout").map(|item| grants::session_timeout(&item));
}

fn text(table: &mut Table<'_>, key: &'static str) {
    table.take(key).map(|item| item.text());
}

fn choice(table: &mut Table<'_>, key: &'static str, choices: &[&str]) {
    let choices: Vec<(&str, ())> = choices.iter().map(|choice| (*choice, ())).collect();
    table.take(key).map(|item| item.choice(&choices));
}
