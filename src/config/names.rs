//! What the tables are called, collected before they are read: a service may name an authority that stands further down.

use std::sync::Arc;

use super::reader::{Item, Table};
use super::scalar;

/// The names of each kind of table.
#[derive(Debug, Default)]
pub(super) struct Names {
    pub(super) authorities: Kind,
    pub(super) identities: Kind,
    pub(super) nas: Kind,
    pub(super) services: Kind,
    pub(super) groups: Kind,
    pub(super) home_servers: Kind,
}

/// The names of one kind of table.
#[derive(Debug, Default)]
pub(super) struct Kind {
    table: &'static str,
    names: Vec<Arc<str>>,
}

impl Names {
    pub(super) fn collect(root: &mut Table<'_>) -> Self {
        Self {
            authorities: Kind::collect(root, "authority"),
            identities: Kind::collect(root, "identity"),
            nas: Kind::collect(root, "nas"),
            services: Kind::collect(root, "service"),
            groups: Kind::collect(root, "group"),
            home_servers: Kind::collect(root, "home-server"),
        }
    }
}

impl Kind {
    /// Every table needs a name, no two the same.
    fn collect(root: &mut Table<'_>, table: &'static str) -> Self {
        let mut names: Vec<Arc<str>> = Vec::new();
        for mut entry in root.tables(table) {
            let Some(item) = entry.require("name", "other tables, metrics and the log call it by that") else {
                continue;
            };
            let Some(name) = item.name() else { continue };
            match names.iter().any(|known| **known == *name) {
                true => item.error(format!("a [[{table}]] named \"{name}\" stands above; names must differ")),
                false => names.push(name.into()),
            }
        }
        Self { table, names }
    }

    pub(super) fn contains(&self, name: &str) -> bool {
        self.names.iter().any(|known| **known == *name)
    }

    /// The name that an item refers to.
    pub(super) fn refer(&self, item: &Item<'_>) -> Option<Arc<str>> {
        let text = item.text()?;
        let found = self.names.iter().find(|name| ***name == *text);
        if found.is_none() {
            let meant = scalar::did_you_mean(text, self.names.iter().map(AsRef::as_ref));
            item.error(format!("no [[{}]] is named \"{text}\"{meant}", self.table));
        }
        found.cloned()
    }

    /// The names that a list refers to.
    pub(super) fn refer_all(&self, item: &Item<'_>) -> Vec<Arc<str>> {
        item.list(|item| self.refer(&item))
    }
}

/// The `name` of a table, which [`Names::collect`] has checked.
pub(super) fn of(table: &mut Table<'_>) -> Option<Arc<str>> {
    table.take("name")?.name_quietly().map(Arc::from)
}
