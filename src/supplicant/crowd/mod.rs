//! A crowd that logs in: many stations behind many access points, as a load on one server.
//!
//! Sans-IO: [`Crowd::handle`] takes a datagram that came to an access point's port, [`Crowd::handle_timeout`] begins logins and repeats requests whose time has come,
//! [`Crowd::poll_output`] has what is to be sent and who has ended, [`Crowd::poll_timeout`] when to call again. Nothing else changes state but [`Crowd::stop`].
//!
//! An access point is one port with 256 Identifiers. A station is a device with sessions of its own; it logs in through whichever access point is next, as people walk about.

mod access_point;

#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use self::access_point::{AccessPoint, MOST};
use super::{Login, Next, Report, Station, Supplicant};
use crate::exchange::{Asker, BadReply, Repeats};
use crate::now::{Mono, Now};

/// Logins that begin in one call, so that answers are not kept waiting by them.
const BEGINS_A_CALL: usize = 32;

/// How late a login of an open pace is before it counts as one that could not begin.
const LATE: Duration = Duration::from_secs(1);

/// How the crowd behaves.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Ports that requests leave by; at least one.
    pub access_points: u16,
    /// The number of the first of them, where several crowds share the work: it is part of its NAS-Identifier.
    pub first_access_point: u16,
    /// Most logins at once; no more than [`Plan::capacity`] are.
    pub at_once: usize,
    /// When a login begins.
    pub pace: Pace,
    /// Logins in all; `None`: until [`Crowd::stop`].
    pub logins: Option<u64>,
    /// The share of the logins that offer to resume, of those that have a session: 0 to 1.
    pub resume: f64,
    /// When a request is repeated, and when a login is given up.
    pub repeats: Repeats,
    /// SSID, Framed-MTU and more attributes; Calling-Station-Id and NAS-Identifier are put in.
    pub station: Station,
}

/// When a login begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// As soon as another has ended: so many are under way at any time.
    Closed,
    /// One after each such time, whether or not others have ended; who can't begin then, since all are under way, is late, and that counts as time that the login took.
    Open {
        /// From one to the next.
        every: Duration,
        /// When the first begins, after the first call.
        offset: Duration,
    },
}

impl Plan {
    /// Logins that the access points carry at once.
    #[must_use]
    pub fn capacity(&self) -> usize {
        usize::from(self.access_points).saturating_mul(MOST).min(self.at_once)
    }
}

/// What the crowd wants done.
#[derive(Debug)]
pub enum Output {
    /// Send this to the server from an access point's port.
    Send {
        /// Which access point, from 0.
        access_point: usize,
        /// The request.
        octets: Arc<[u8]>,
    },
    /// A login has ended.
    Ended(Ended),
}

/// A login that has ended.
#[derive(Debug)]
pub struct Ended {
    /// When it should have begun: with an open pace that may be before it did.
    pub intended: Mono,
    /// When it did.
    pub begun: Mono,
    /// When its last answer came, or it was given up.
    pub ended: Mono,
    /// Whether a session was offered.
    pub offered: bool,
    /// Requests that were sent again.
    pub repeats: u32,
    /// `None`: a request was not answered.
    pub report: Option<Box<Report>>,
    /// Why something that came for it was no answer.
    pub hint: Option<BadReply>,
}

/// Counts that belong to no login.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Logins that have begun.
    pub begun: u64,
    /// Datagrams that were nobody's answer: duplicates, late ones, those of strangers.
    pub strays: u64,
    /// Logins that could not begin: what the access point says fits into no packet.
    pub unfit: u64,
}

/// Many supplicants behind many access points.
#[derive(Debug)]
pub struct Crowd {
    plan: Plan,
    asker: Arc<Asker>,
    devices: Vec<Device>,
    /// Who is not logging in, whoever has waited longest first.
    idle: VecDeque<usize>,
    access_points: Vec<AccessPoint>,
    next_access_point: usize,
    underway: Vec<Option<Underway>>,
    free: Vec<usize>,
    /// When to look at each that is under way.
    due: BTreeSet<(Mono, usize)>,
    /// When the first call was.
    origin: Option<Mono>,
    /// Shares of logins that were to resume and have not come to a whole yet.
    owed: f64,
    counts: Counts,
    stopped: Option<Mono>,
    outputs: VecDeque<Output>,
}

#[derive(Debug)]
struct Device {
    supplicant: Supplicant,
    mac: String,
}

/// A login that has begun.
#[derive(Debug)]
struct Underway {
    login: Login,
    device: usize,
    access_point: usize,
    asked: Asked,
    /// From a request's first time to its second.
    pause: Duration,
    /// Its place in [`Crowd::due`]: when its request is due, or before.
    rings: Option<Mono>,
    /// What is known of it so far.
    ended: Ended,
}

/// The request that waits for its answer.
#[derive(Debug)]
struct Asked {
    octets: Arc<[u8]>,
    identifier: u8,
    at: Mono,
    sent: u32,
    pause: Duration,
    due: Mono,
}

impl Crowd {
    /// Each supplicant is a device with a Calling-Station-Id of its own, counted from `first_device`. There must be one at least, and logins at once are no more than devices.
    #[must_use]
    pub fn new(plan: Plan, asker: Arc<Asker>, supplicants: Vec<Supplicant>, first_device: u32) -> Self {
        let device = |(supplicant, number): (Supplicant, u32)| Device { supplicant, mac: address(number) };
        let devices: Vec<_> = supplicants.into_iter().zip(first_device..).map(device).collect();
        let names = (0..plan.access_points.max(1)).map(|number| plan.first_access_point.saturating_add(number));
        Self {
            access_points: names.map(AccessPoint::new).collect(),
            plan,
            asker,
            idle: (0..devices.len()).collect(),
            devices,
            next_access_point: 0,
            underway: Vec::new(),
            free: Vec::new(),
            due: BTreeSet::new(),
            origin: None,
            owed: 0.0,
            counts: Counts::default(),
            stopped: None,
            outputs: VecDeque::new(),
        }
    }

    /// Takes a datagram that has come to an access point's port.
    pub fn handle(&mut self, now: Now, access_point: usize, datagram: &[u8]) {
        if self.hear(now, access_point, datagram).is_none() {
            self.counts.strays = self.counts.strays.saturating_add(1);
        }
    }

    /// Repeats and gives up what is due, and begins who is to begin.
    pub fn handle_timeout(&mut self, now: Now) {
        self.origin.get_or_insert(now.mono);
        while let Some((_, slot)) = self.due.first().copied().filter(|(due, _)| *due <= now.mono) {
            self.due.pop_first();
            self.ring(slot, now.mono);
        }
        for _ in 0..BEGINS_A_CALL {
            let Some(intended) = self.next_begin(now.mono).filter(|intended| *intended <= now.mono) else { break };
            self.begin(now, intended);
        }
    }

    /// The next thing to do, until there is nothing more.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When [`Crowd::handle_timeout`] wants to be called.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Mono> {
        let due = self.due.first().map(|(due, _)| *due);
        let begin = self.next_begin(self.origin.unwrap_or_default());
        due.into_iter().chain(begin).min()
    }

    /// Nobody begins any more.
    pub fn stop(&mut self, now: Mono) {
        self.stopped.get_or_insert(now);
    }

    /// Whether nobody is under way, and nobody will begin.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.underway() == 0 && self.begins_no_more()
    }

    /// How many have begun and not ended.
    #[must_use]
    pub(crate) fn underway(&self) -> usize {
        self.underway.len() - self.free.len()
    }

    /// Counts that belong to no login.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// With an open pace: how many should have begun a second before then, or before [`Crowd::stop`], and have not.
    #[must_use]
    pub fn late(&self, now: Mono) -> u64 {
        let (Pace::Open { every, offset }, Some(origin)) = (self.plan.pace, self.origin) else { return 0 };
        let Some(since) = self.stopped.map_or(now, |stopped| stopped.min(now)).since(origin).checked_sub(offset + LATE)
        else {
            return 0;
        };
        let wanted = since.as_nanos().checked_div(every.as_nanos()).and_then(|past| u64::try_from(past).ok());
        let wanted = wanted.unwrap_or(u64::MAX).saturating_add(1).min(self.plan.logins.unwrap_or(u64::MAX));
        wanted.saturating_sub(self.counts.begun)
    }

    fn begins_no_more(&self) -> bool {
        self.stopped.is_some()
            || self.plan.logins.is_some_and(|logins| self.counts.begun >= logins)
            || self.counts.unfit > 0
    }

    /// When the next login is to begin; `None`: none is, or none can before another has ended.
    fn next_begin(&self, now: Mono) -> Option<Mono> {
        if self.begins_no_more() || self.underway() >= self.plan.capacity() || self.idle.is_empty() {
            return None;
        }
        let origin = self.origin.unwrap_or(now);
        Some(match self.plan.pace {
            Pace::Closed => origin,
            Pace::Open { every, offset } => {
                let nanos = every.as_nanos().saturating_mul(u128::from(self.counts.begun));
                origin + offset + Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
            }
        })
    }

    fn begin(&mut self, now: Now, intended: Mono) {
        let wanted = self.wants_to_resume();
        let Some(access_point) = self.choose_access_point() else { return };
        let Some(index) = self.choose_device(wanted) else { return };
        let Some(port) = self.access_points.get_mut(access_point) else { return };
        let Some(identifier) = port.free() else { return };
        let Some(device) = self.devices.get(index) else { return };
        let (mac, name) = (device.mac.clone(), port.name().to_owned());
        let station = Station { mac, nas_identifier: Some(name), ..self.plan.station.clone() };
        let offered = wanted && device.supplicant.remembers();
        let mut login = device.supplicant.login(self.asker.clone(), station, offered, now.wall);
        login.identify(identifier);
        let octets: Arc<[u8]> = login.begin().into();
        self.counts.begun = self.counts.begun.saturating_add(1);
        if octets.is_empty() {
            self.counts.unfit = self.counts.unfit.saturating_add(1);
            return;
        }
        let slot = self.free.pop().unwrap_or(self.underway.len());
        port.take(identifier, slot);
        let begun = now.mono;
        let intended = if self.plan.pace == Pace::Closed { begun } else { intended };
        let ended = Ended { intended, begun, ended: begun, offered, repeats: 0, report: None, hint: None };
        let asked = Asked { octets, identifier, at: begun, sent: 0, pause: Duration::ZERO, due: begun };
        // One for all its requests: they come one after another anyway.
        let (pause, rings) = (self.plan.repeats.pause(None), None);
        let underway = Some(Underway { login, device: index, access_point, asked, pause, rings, ended });
        match self.underway.get_mut(slot) {
            Some(empty) => *empty = underway,
            None => self.underway.push(underway),
        }
        self.send(slot, begun);
    }

    /// The next one that has an Identifier left.
    fn choose_access_point(&mut self) -> Option<usize> {
        let count = self.access_points.len();
        let turns = (0..count).map(|step| (self.next_access_point + step) % count);
        let chosen = { turns }.find(|index| self.access_points.get(*index).is_some_and(AccessPoint::has_room))?;
        self.next_access_point = (chosen + 1) % count;
        Some(chosen)
    }

    /// Who is to resume is whoever ended last, so that few devices soon have sessions; else it is whoever has waited longest, so that everybody has a turn.
    fn choose_device(&mut self, resumes: bool) -> Option<usize> {
        let last = self.idle.back().and_then(|index| self.devices.get(*index));
        let has_session = resumes && last.is_some_and(|device| device.supplicant.remembers());
        if has_session { self.idle.pop_back() } else { self.idle.pop_front() }
    }

    /// Spreads those who resume evenly among the others.
    fn wants_to_resume(&mut self) -> bool {
        self.owed += self.plan.resume;
        let resumes = self.owed >= 1.0;
        if resumes {
            self.owed -= 1.0;
        }
        resumes
    }

    /// `None`: it is nobody's answer.
    fn hear(&mut self, now: Now, access_point: usize, datagram: &[u8]) -> Option<()> {
        let port = self.access_points.get_mut(access_point)?;
        let slot = port.user(*datagram.get(1)?)?;
        let underway = self.underway.get_mut(slot)?.as_mut()?;
        let identifier = port.free()?;
        underway.login.identify(identifier);
        match underway.login.handle(datagram, now.wall) {
            Next::Ignored => return None,
            Next::Done(report) => self.end(slot, now.mono, Some(report)),
            Next::Send(request) => {
                port.release(underway.asked.identifier);
                port.take(identifier, slot);
                let (octets, at) = (request.into(), now.mono);
                underway.asked = Asked { octets, identifier, at, sent: 0, pause: Duration::ZERO, due: at };
                self.send(slot, at);
            }
        }
        Some(())
    }

    /// Its time in [`Crowd::due`] has come: most often its request has been answered meanwhile, and another is due later.
    fn ring(&mut self, slot: usize, now: Mono) {
        let Some(underway) = self.underway.get_mut(slot).and_then(Option::as_mut) else { return };
        underway.rings = None;
        if underway.asked.due <= now {
            return self.repeat(slot, now);
        }
        underway.rings = Some(underway.asked.due);
        self.due.insert((underway.asked.due, slot));
    }

    fn repeat(&mut self, slot: usize, now: Mono) {
        let repeats = self.plan.repeats;
        let Some(underway) = self.underway.get_mut(slot).and_then(Option::as_mut) else { return };
        if now.since(underway.asked.at) >= repeats.give_up || underway.asked.sent >= repeats.most {
            return self.end(slot, now, None);
        }
        underway.ended.repeats = underway.ended.repeats.saturating_add(1);
        self.send(slot, now);
    }

    /// Sends the request, for the first time or again, and sees to the next time.
    fn send(&mut self, slot: usize, now: Mono) {
        let repeats = self.plan.repeats;
        let Some(underway) = self.underway.get_mut(slot).and_then(Option::as_mut) else { return };
        let Underway { asked, access_point, .. } = underway;
        asked.pause = if asked.sent == 0 { underway.pause } else { repeats.pause(Some(asked.pause)) };
        asked.due = (now + asked.pause).min(asked.at + repeats.give_up);
        asked.sent = asked.sent.saturating_add(1);
        // Requests are answered long before they are due again, so what rings early costs less than to be told of each.
        if underway.rings.is_none_or(|rings| rings > asked.due) {
            if let Some(rings) = underway.rings.replace(asked.due) {
                self.due.remove(&(rings, slot));
            }
            self.due.insert((asked.due, slot));
        }
        self.outputs.push_back(Output::Send { access_point: *access_point, octets: asked.octets.clone() });
    }

    fn end(&mut self, slot: usize, now: Mono, report: Option<Box<Report>>) {
        let Some(underway) = self.underway.get_mut(slot).and_then(Option::take) else { return };
        if let Some(rings) = underway.rings {
            self.due.remove(&(rings, slot));
        }
        if let Some(port) = self.access_points.get_mut(underway.access_point) {
            port.release(underway.asked.identifier);
        }
        self.free.push(slot);
        self.idle.push_back(underway.device);
        let hint = underway.login.bad_reply().filter(|_| report.is_none());
        self.outputs.push_back(Output::Ended(Ended { ended: now, report, hint, ..underway.ended }));
    }
}

/// A Calling-Station-Id: one that no vendor gives.
fn address(number: u32) -> String {
    let [a, b, c, d] = number.to_be_bytes();
    format!("02-00-{a:02X}-{b:02X}-{c:02X}-{d:02X}")
}
