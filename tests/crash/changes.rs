//! A caller of the API under load, and what it may rely on: every change that it was told of.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::api::Api;
use super::chance::Chance;
use super::place::Campus;

/// Certificates that really are issued, of one caller.
const ISSUED: usize = 3;
/// Serials of one caller that nobody has seen.
const SERIALS: usize = 4;

/// What is changed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Target {
    /// A certificate, by its id.
    Certificate(String),
    /// A person.
    User(String),
    /// A record of a list, by the number of its application.
    Application(u32),
}

/// Why something is blocked; `None`: it is not. Of an application: its mail.
type State = Option<String>;

/// One caller, who changes what nobody else does.
pub(crate) struct Changes {
    number: u64,
    issued: Vec<Issued>,
    serials: Vec<String>,
    /// What each may be: one state, or two where no answer came.
    states: BTreeMap<Target, Vec<State>>,
    /// Lines of the audit by action and target: how many there are at least, and how many more there may be.
    lines: BTreeMap<(&'static str, String), (usize, usize)>,
    told: usize,
    next: u32,
}

/// A certificate and its owner.
struct Issued {
    pem: String,
    id: String,
    user: String,
}

/// Something to ask for.
struct Change {
    action: &'static str,
    /// As the audit has it.
    of: String,
    target: Target,
    after: State,
    method: &'static str,
    path: String,
    body: Option<Value>,
}

impl Changes {
    /// Issues certificates and has them registered.
    pub(crate) fn new(number: u64, campus: &Campus, api: &mut Api) -> Self {
        let mut lines = BTreeMap::new();
        let issued = (0..ISSUED).map(|index| {
            let name = format!("c{number}-{index}");
            let pem = campus.issue(&name, 0x100 + number * 16 + index as u64);
            let said = api.ask("POST", "/api/v1/certificates", Some(json!({ "pem": pem })), "").expect("it answers");
            let id = said.good()["id"].as_str().expect("an id").to_owned();
            lines.insert(("register-certificate", id.clone()), (1, 0));
            Issued { pem, id, user: format!("{name}@example.ac.jp") }
        });
        let issued = issued.collect::<Vec<_>>();
        let serials = (0..SERIALS).map(|index| format!("ca:{:06x}", 0x50_0000 + number * 256 + index as u64)).collect();
        Self { number, issued, serials, states: BTreeMap::new(), lines, told: 0, next: 0 }
    }

    pub(crate) fn told(&self) -> usize {
        self.told
    }

    /// Changes things at random until nobody answers any more.
    pub(crate) fn load(&mut self, api: &mut Api, chance: &mut Chance) {
        loop {
            let change = self.invent(chance);
            let before = self.states.get(&change.target).cloned().unwrap_or_else(|| vec![None]);
            let either = before.into_iter().chain([change.after.clone()]).collect();
            self.states.insert(change.target.clone(), either);
            let line = self.lines.entry((change.action, change.of.clone())).or_default();
            line.1 += 1;
            let Ok(said) = api.ask(change.method, &change.path, change.body, "") else { return };
            assert!(said.is_good(), "{} {}: {} {}", change.method, change.path, said.status, said.text);
            *line = (line.0 + 1, line.1 - 1);
            self.states.insert(change.target, vec![change.after]);
            self.told += 1;
        }
    }

    fn invent(&mut self, chance: &mut Chance) -> Change {
        self.next += 1;
        let tag = format!("{}-{}", self.number, self.next);
        match chance.below(10) {
            0..3 => self.application(tag),
            3..5 => {
                let user = self.issued[chance.below(ISSUED)].user.clone();
                let path = format!("/api/v1/users/{user}/block");
                self.block(["block-user", "unblock-user"], Target::User(user.clone()), user, path, tag, "reason")
            }
            it => {
                let id = match it {
                    5..8 => self.issued[chance.below(ISSUED)].id.clone(),
                    _ => self.serials[chance.below(SERIALS)].clone(),
                };
                let path = format!("/api/v1/certificates/{id}/revocation");
                let actions = ["request-revocation", "lift-revocation"];
                self.block(actions, Target::Certificate(id.clone()), id, path, tag, "note")
            }
        }
    }

    /// Blocks what isn't blocked, and lets in again what is.
    fn block(
        &self,
        actions: [&'static str; 2],
        target: Target,
        of: String,
        path: String,
        tag: String,
        why: &str,
    ) -> Change {
        let is_blocked = self.states.get(&target).is_some_and(|states| states.iter().any(Option::is_some));
        let [block, lift] = actions;
        if is_blocked {
            Change { action: lift, of, target, after: None, method: "DELETE", path, body: None }
        } else {
            let body = Some(json!({ why: tag }));
            Change { action: block, of, target, after: Some(tag), method: "POST", path, body }
        }
    }

    fn application(&self, tag: String) -> Change {
        let number = u32::try_from(self.number).expect("few") * 1_000_000 + self.next;
        let mail = format!("a{tag}@example.ac.jp");
        let body = json!({ "application": number.to_string(), "subject": format!("CN=Student {tag}"), "mail": mail });
        Change {
            action: "register-certificate",
            of: format!("application:{number}"),
            target: Target::Application(number),
            after: Some(mail),
            method: "POST",
            path: "/api/v1/certificates".into(),
            body: Some(body),
        }
    }

    /// Everything that was told is in force, is shown, and stands in the audit. From here on what there is counts as told.
    pub(crate) fn check(&mut self, api: &mut Api, audit: &BTreeMap<(String, String), usize>) {
        for ((action, target), (least, more)) in &mut self.lines {
            let found = audit.get(&((*action).to_owned(), target.clone())).copied().unwrap_or(0);
            assert!(
                (*least..=*least + *more).contains(&found),
                "{action} {target}: {found} lines, of {least} to {more} more"
            );
            (*least, *more) = (found, 0);
        }
        for (target, states) in &mut self.states {
            // What was checked once, and not touched since, is not asked for each time.
            if matches!((&target, states.as_slice()), (Target::Application(number), [_]) if number % 7 != self.next % 7)
            {
                continue;
            }
            let found = match target {
                Target::Certificate(id) => shown(api, id, "/blocked/note"),
                Target::Application(number) => shown(api, &format!("application:{number}"), "/mail"),
                Target::User(_) => continue,
            };
            assert!(states.contains(&found), "{target:?} is {found:?}, and may be {states:?}");
            *states = vec![found];
        }
        for issued in &self.issued {
            let reasons = reasons(api, &issued.pem);
            let of = |target| self.states.get(&target).cloned().unwrap_or_else(|| vec![None]);
            let (certificate, user) =
                (of(Target::Certificate(issued.id.clone())), of(Target::User(issued.user.clone())));
            let may = allowed(&certificate, &user);
            assert!(
                reasons.iter().all(|reason| may.contains(reason.as_str())),
                "{}: {reasons:?}, of {may:?}",
                issued.user
            );
        }
        self.settle_users(api);
    }

    /// A person's block has no look of its own: it is lifted where it may be there, so that it is known.
    fn settle_users(&mut self, api: &mut Api) {
        for (target, states) in &mut self.states {
            let Target::User(user) = target else { continue };
            if states.len() > 1 {
                let said = api.ask("DELETE", &format!("/api/v1/users/{user}/block"), None, "").expect("it answers");
                assert!([204, 404].contains(&said.status), "{}", said.text);
                let was_there = said.status == 204;
                assert!(states.iter().any(|state| state.is_some() == was_there), "{user}: {was_there} of {states:?}");
                self.lines.entry(("unblock-user", user.clone())).or_default().0 += usize::from(was_there);
                *states = vec![None];
            }
        }
    }

    /// Whether a real login by the first certificate has to be refused; `None`: nobody knows.
    pub(crate) fn refuses_first(&self) -> (String, Option<bool>) {
        let first = &self.issued[0];
        let of = |target| self.states.get(&target).cloned().unwrap_or_else(|| vec![None]);
        let both = [of(Target::Certificate(first.id.clone())), of(Target::User(first.user.clone()))];
        let known = both.iter().all(|states| states.len() == 1);
        (format!("c{}-0", self.number), known.then(|| both.iter().any(|states| states[0].is_some())))
    }
}

/// What is said of a certificate at a place; `None`: nothing, or there is no such certificate.
fn shown(api: &mut Api, id: &str, pointer: &str) -> State {
    let said = api.ask("GET", &format!("/api/v1/certificates/{id}"), None, "").expect("it answers");
    assert!([200, 404].contains(&said.status), "{}", said.text);
    said.body.pointer(pointer).and_then(Value::as_str).map(str::to_owned)
}

/// For what each service would decide.
fn reasons(api: &mut Api, pem: &str) -> Vec<String> {
    let said = api.ask("POST", "/api/v1/explain", Some(json!({ "pem": pem })), "").expect("it answers").good();
    let decisions = said["decisions"].as_array().expect("a list");
    assert!(!decisions.is_empty(), "{said}");
    decisions.iter().map(|it| it["reason"].as_str().expect("a reason").to_owned()).collect()
}

/// The reasons that these states allow.
fn allowed(certificate: &[State], user: &[State]) -> BTreeSet<&'static str> {
    let mut may = BTreeSet::new();
    for (certificate, user) in certificate.iter().flat_map(|it| user.iter().map(move |user| (it, user))) {
        match (certificate, user) {
            (None, None) => drop(may.insert("ok")),
            (Some(_), None) => drop(may.insert("blocked")),
            (None, Some(_)) => drop(may.insert("user-blocked")),
            (Some(_), Some(_)) => may.extend(["blocked", "user-blocked"]),
        }
    }
    may
}

/// Lines of the audit by action and target, all of them.
pub(crate) fn audit(api: &mut Api) -> BTreeMap<(String, String), usize> {
    let mut lines = BTreeMap::new();
    let mut cursor = String::new();
    loop {
        let page = api.ask("GET", &format!("/api/v1/audit?limit=1000{cursor}"), None, "").expect("it answers").good();
        for line in page["items"].as_array().expect("a list") {
            let text = |name: &str| line[name].as_str().expect("a text").to_owned();
            *lines.entry((text("action"), text("target"))).or_default() += 1;
        }
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return lines,
        }
    }
}
