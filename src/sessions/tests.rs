//! Records, and the table that they and Accepts make.

mod aging;
mod disconnects;
mod guarding;
mod judging;
mod moves;
mod plain;
mod reading;

use std::net::{IpAddr, Ipv4Addr};
use std::sync::{LazyLock, OnceLock};
use std::time::Duration;

use super::{Admitted, Change, Device, End, Law, Marks, Record, Session, SessionId, Sessions, Settings, Stage, Status};
use crate::event::Method;
use crate::now::{Mono, Now, Wall};
use crate::pki::tests::campus::{self, Campus};
use crate::pki::{Imprint, Revocation, Trust};
use crate::policy::{Grants, Policy, ReplyUsername, Rule, ServiceSettings, When};
use crate::standing::Standing;

const HOUR: Duration = Duration::from_secs(3_600);

/// CAs, and what is known of their certificates.
struct World {
    campus: Campus,
    trust: Trust,
    standing: Standing,
    /// Of one service, "JAIST", which those in the group "suspended" may not use.
    policy: Policy,
}

static WORLD: LazyLock<World> = LazyLock::new(|| {
    let campus = Campus::new();
    let trust = campus.trust();
    let when = When { group: Some(vec!["suspended".into()]), ..When::default() };
    let by_code = When { group: Some(vec!["no-codes".into()]), method: Some(vec![Method::Otp]), ..When::default() };
    let of_authority =
        When { authority: Some(vec!["ca16".into()]), group: Some(vec!["no-ca16".into()]), ..When::default() };
    let deny = |when| Rule { when, deny: true, otp: false, grants: Grants::default() };
    let rules = [when, by_code, of_authority].map(deny).to_vec();
    let service = ServiceSettings {
        name: "JAIST".into(),
        matches: Vec::new(),
        authorities: Vec::new(),
        identities: Vec::new(),
        realms: None,
        reply_username: ReplyUsername::Certificate,
        grants: Grants::default(),
        rules,
        authorize: None,
        otp: None,
    };
    let policy = Policy::new(vec![service], Vec::new());
    World { trust, campus, standing: Standing::default(), policy }
});

/// Of the same certificate, whenever it is asked for.
fn imprint(serial: u8) -> Imprint {
    static ISSUED: LazyLock<Vec<OnceLock<Imprint>>> = LazyLock::new(|| vec![OnceLock::new(); 256]);
    let issue = || {
        let leaf = WORLD.campus.ca16.issue(&campus::member(&[serial]));
        Imprint::from(&*campus::facts(&WORLD.trust, &leaf))
    };
    ISSUED[usize::from(serial)].get_or_init(issue).clone()
}

/// CRLs on which these stand.
fn revoked(serials: &[u8]) -> Revocation {
    let at = campus::days(-1);
    let crl = serials.iter().fold(campus::fresh(2), |crl, serial| crl.revoke(&[*serial], at, None));
    Revocation::new(vec![campus::load(&WORLD.campus.ca16.crl(&crl), &WORLD.trust)])
}

/// A table, its clock, and what is known of revocation.
struct Bench {
    sessions: Sessions,
    now: Now,
    revocation: Revocation,
    standing: Standing,
}

impl Bench {
    fn new() -> Self {
        Self::with(1_000)
    }

    fn with(max_sessions: usize) -> Self {
        let now = Now { mono: Mono::default(), wall: campus::NOW };
        Self {
            sessions: Sessions::new(Settings { max_sessions }, now),
            now,
            revocation: revoked(&[]),
            standing: Standing::default(),
        }
    }

    fn turn(&mut self, time: Duration) {
        self.now = Now { mono: self.now.mono + time, wall: self.now.wall + time };
    }

    /// Turns the clock and does all that is due.
    fn wait(&mut self, time: Duration) {
        self.turn(time);
        while self.sessions.poll_timeout().is_some_and(|due| due <= self.now.mono) {
            let law = Law {
                trust: &WORLD.trust,
                revocation: &self.revocation,
                standing: &self.standing,
                policy: &WORLD.policy,
            };
            self.sessions.handle_timeout(self.now, law);
        }
        self.sessions.check();
    }

    fn admit(&mut self, serial: u8, marks: &Marks) -> SessionId {
        self.admit_at("192.0.2.1", serial, marks)
    }

    fn admit_at(&mut self, peer: &str, serial: u8, marks: &Marks) -> SessionId {
        let admitted = Admitted {
            marks: marks.clone(),
            imprint: Some(imprint(serial)),
            method: Method::EapTls,
            user: format!("user{serial}").into(),
            user_name: format!("user{serial}").into(),
            service: Some("JAIST".into()),
            timeout: 8 * HOUR,
            interim: None,
        };
        let law =
            Law { trust: &WORLD.trust, revocation: &self.revocation, standing: &self.standing, policy: &WORLD.policy };
        self.sessions.admit(self.now, admitted, &device(peer), law);
        self.sessions.check();
        self.last_put().id
    }

    /// Without a certificate.
    fn admit_person(&mut self, user: &str, marks: &Marks) -> SessionId {
        let admitted = Admitted {
            marks: marks.clone(),
            imprint: None,
            method: Method::Otp,
            user: user.into(),
            user_name: user.into(),
            service: Some("JAIST".into()),
            timeout: 8 * HOUR,
            interim: None,
        };
        let law =
            Law { trust: &WORLD.trust, revocation: &self.revocation, standing: &self.standing, policy: &WORLD.policy };
        self.sessions.admit(self.now, admitted, &device("192.0.2.1"), law);
        self.sessions.check();
        self.last_put().id
    }

    fn account(&mut self, record: &Record) {
        let law =
            Law { trust: &WORLD.trust, revocation: &self.revocation, standing: &self.standing, policy: &WORLD.policy };
        self.sessions.account(self.now, record, law);
        self.sessions.check();
    }

    /// A record of the device at 192.0.2.1, now.
    fn record(&self, status: Status, acct_session: &str, station: &str) -> Record {
        Record {
            device: device("192.0.2.1"),
            status,
            marks: Marks { acct_session: Some(acct_session.into()), ..marks(station) },
            certificate: None,
            user_name: None,
            nas_port: None,
            framed_ip: None,
            framed_ipv6: None,
            octets_in: None,
            octets_out: None,
            session_time: None,
            terminate_cause: None,
            happened: self.now.wall,
            stamp: None,
        }
    }

    fn changes(&mut self) -> Vec<Change> {
        std::iter::from_fn(|| self.sessions.poll_change()).collect()
    }

    fn last_put(&mut self) -> Session {
        let puts = self.changes().into_iter().filter_map(|change| match change {
            Change::Put(kept) => Some(kept.session),
            _ => None,
        });
        puts.last().expect("a session")
    }

    fn ended(&mut self) -> Vec<(SessionId, End)> {
        let ended = self.changes().into_iter().filter_map(|change| match change {
            Change::Ended(ids, why, _) => Some(ids.into_iter().map(move |id| (id, why))),
            _ => None,
        });
        ended.flatten().collect()
    }

    fn condemned(&mut self) -> Vec<SessionId> {
        let condemned = self.changes().into_iter().filter_map(|change| match change {
            Change::Condemned(session) => Some(session.id),
            _ => None,
        });
        condemned.collect()
    }

    fn only(&self) -> &Session {
        let mut all = self.sessions.iter();
        let first = all.next().expect("a session");
        assert!(all.next().is_none(), "more than one");
        first
    }
}

fn device(peer: &str) -> Device {
    Device { nas: "ap".into(), peer: peer.parse().expect("an address"), identifier: None, address: None }
}

fn marks(station: &str) -> Marks {
    Marks { station: (!station.is_empty()).then(|| station.into()), ..Marks::default() }
}

fn named(station: &str, acct_session: &str) -> Marks {
    Marks { acct_session: Some(acct_session.into()), ..marks(station) }
}
