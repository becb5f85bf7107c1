//! A simulated NAS under load, and what it may rely on: which of its records were acknowledged, and which of its sessions are live by that.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::AtomicBool;

use sqlx::Row;

use super::chance::Chance;
use super::database::rows;
use super::nas::{Nas, Record, Status, now, stamp};

/// Sessions of one NAS.
const LIVE: usize = 12;

/// What is known of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Live,
    Gone,
    /// The server was killed before it said so.
    Either,
}

/// What one NAS has sent, and what it was answered.
pub(crate) struct Account {
    number: u8,
    name: String,
    /// Every record, and whether it was acknowledged.
    sent: Vec<(Record, bool)>,
    sessions: BTreeMap<String, Fate>,
    /// The one that wasn't: it is sent again.
    pending: Option<Record>,
    next: u32,
}

impl Account {
    pub(crate) fn new(number: u8) -> Self {
        let (sent, sessions) = (Vec::new(), BTreeMap::new());
        Self { number, name: format!("nas{number}"), sent, sessions, pending: None, next: 0 }
    }

    pub(crate) fn acknowledged(&self) -> usize {
        self.sent.iter().filter(|(_, acknowledged)| *acknowledged).count()
    }

    /// Accounts for sessions at random until nobody answers any more.
    pub(crate) fn load(&mut self, port: u16, chance: &mut Chance, over: &AtomicBool) {
        let mut nas = Nas::new(self.number, port);
        loop {
            let again = self.pending.take();
            let is_again = again.is_some();
            let record = again.unwrap_or_else(|| self.invent(chance));
            if !is_again {
                self.sent.push((record.clone(), false));
            }
            self.tell(&record, Fate::Either);
            if !nas.account(&record, over, chance.percent(15)) {
                self.pending = Some(record);
                return;
            }
            self.sent.last_mut().expect("it was sent").1 = true;
            self.tell(&record, if record.status == Status::Start { Fate::Live } else { Fate::Gone });
        }
    }

    fn invent(&mut self, chance: &mut Chance) -> Record {
        self.next += 1;
        let live: Vec<_> = self.live().map(|(name, _)| name.clone()).collect();
        let any = |chance: &mut Chance| live[chance.below(live.len())].clone();
        let (status, session) = match chance.below(100) {
            0..2 => (Status::Off, format!("off{}", self.next)),
            2..3 if live.is_empty() => (Status::On, format!("on{}", self.next)),
            3..40 if !live.is_empty() => (Status::Interim, any(chance)),
            40..70 if !live.is_empty() => (Status::Stop, any(chance)),
            _ if live.len() >= LIVE => (Status::Stop, any(chance)),
            _ => (Status::Start, format!("s{}", self.next)),
        };
        let octets = if status == Status::Interim { self.next } else { 0 };
        // Half of the devices know what time it is.
        let stamp = self.number.is_multiple_of(2).then(stamp);
        Record { status, session, octets, happened: now(), stamp }
    }

    fn live(&self) -> impl Iterator<Item = (&String, &Fate)> {
        self.sessions.iter().filter(|(_, fate)| **fate == Fate::Live)
    }

    /// What a record, once it counts, makes of sessions.
    fn tell(&mut self, record: &Record, fate: Fate) {
        match record.status {
            Status::Start | Status::Stop => drop(self.sessions.insert(record.session.clone(), fate)),
            Status::Off => {
                let open = self.sessions.values_mut().filter(|it| **it != Fate::Gone);
                open.for_each(|it| *it = fate);
            }
            Status::On | Status::Interim => {}
        }
    }

    /// Everything that was acknowledged is there, once; nothing is there that was not sent. How many sessions are live.
    pub(crate) fn check(&self, books: &Books) -> usize {
        let nothing = BTreeMap::new();
        let kept = books.records.get(&self.name).unwrap_or(&nothing);
        let mut known = 0;
        for (record, acknowledged) in &self.sent {
            let key = (record.session.clone(), record.status as i64, i64::from(record.octets));
            let found = kept.get(&key).copied().unwrap_or(0);
            known += found;
            assert!(found <= 1, "{}: {record:?} is there {found} times", self.name);
            assert!(found == 1 || !acknowledged, "{}: {record:?} was acknowledged and is lost", self.name);
        }
        assert_eq!(known, kept.values().sum::<i64>(), "{}: records that nobody sent", self.name);
        let none = BTreeSet::new();
        let live = books.live.get(&self.name).unwrap_or(&none);
        for (session, fate) in &self.sessions {
            let is_live = live.contains(session);
            assert!(*fate != Fate::Live || is_live, "{}: {session} began, and is not live", self.name);
            assert!(*fate != Fate::Gone || !is_live, "{}: {session} has ended, and is live", self.name);
        }
        assert!(live.iter().all(|session| self.sessions.contains_key(session)), "{}: {live:?}", self.name);
        live.len()
    }
}

type Key = (String, i64, i64);

/// The records and live sessions that the file holds, by NAS-Identifier.
pub(crate) struct Books {
    records: BTreeMap<String, BTreeMap<Key, i64>>,
    live: BTreeMap<String, BTreeSet<String>>,
}

impl Books {
    pub(crate) fn read(file: &Path) -> Self {
        let mut records: BTreeMap<String, BTreeMap<Key, i64>> = BTreeMap::new();
        let sql = "SELECT identifier, acct_session, status, counted_in, count(*) FROM accounting GROUP BY 1, 2, 3, 4";
        for (nas, key, found) in rows(file, sql, |row| (row.get(0), (row.get(1), row.get(2), row.get(3)), row.get(4))) {
            records.entry(nas).or_default().insert(key, found);
        }
        let mut live: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let sql = "SELECT identifier, acct_session FROM session WHERE ended IS NULL AND provisional = 0";
        for (nas, session) in rows::<(String, String)>(file, sql, |row| (row.get(0), row.get(1))) {
            assert!(live.entry(nas).or_default().insert(session.clone()), "{session} is live twice");
        }
        Self { records, live }
    }
}
