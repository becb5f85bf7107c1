//! What Accepts and records do to the table. Each may come twice, late, or not at all.

use std::sync::Arc;

use super::super::record::SLACK;
use super::super::session::{Admitted, Session, SessionId, Stage, State, Tie};
use super::super::{Device, Law, Record, Status};
use super::{End, Sessions};
use crate::event::Method;
use crate::now::{Now, Wall};
use crate::radius::station;

impl Sessions {
    /// Somebody has been let in. From here on there is a session, whether its NAS accounts for it or not.
    pub(crate) fn admit(&mut self, now: Now, admitted: Admitted, device: &Device, law: Law<'_>) {
        let device = self.device(device);
        let before = self.again(&device, &admitted);
        match self.taken_over(now, before, &admitted) {
            Some(session) => {
                let session = readmitted(now, session, admitted, device);
                self.keep(now, session, law);
            }
            None => {
                let session = self.admitted(now, admitted, device);
                self.open(now, session, law);
            }
        }
    }

    /// The session that an Accept goes on with, taken out. With another certificate, or somebody else without one, it is another session from here on, under a number of its own: what was decided about the one before, now or before a restart, says nothing of it.
    fn taken_over(&mut self, now: Now, before: Option<SessionId>, admitted: &Admitted) -> Option<Session> {
        let session = self.all.get(&before?)?;
        let same = match (session.fingerprint(), &admitted.imprint) {
            (known, Some(imprint)) => known.is_none_or(|known| known == imprint.fingerprint()),
            (Some(_), None) => false,
            (None, None) => session.user.as_ref().is_none_or(|user| *user == admitted.user),
        };
        if same {
            return self.take(before);
        }
        let session = session.clone();
        self.end(now, vec![session.id], End::Replaced, now.wall);
        Some(Session { id: self.next_id(), ..session })
    }

    /// The session that an Accept goes on with: of the same name, else what the same station has not yet begun anywhere, else what it has at the same device.
    fn again(&self, device: &Arc<Device>, admitted: &Admitted) -> Option<SessionId> {
        let station = admitted.marks.station.as_deref();
        if let Some(acct_session) = &admitted.marks.acct_session
            && let Some(id) = self.named(device, acct_session, station)
        {
            return Some(id);
        }
        // Behind an address there may be many users of a concentrator, and many devices of one of them; a Wi-Fi station has one.
        let is_one = admitted.method == Method::EapTls;
        let is_theirs = move |session: &&Session| is_one || session.user.as_ref() == Some(&admitted.user);
        let of_station = || self.of_station(device, station).filter(is_theirs);
        let begun = |session: &&Session| is_one && session.device == *device && admitted.marks.acct_session.is_none();
        of_station().find(|session| session.stage == Stage::Provisional).or_else(|| of_station().find(begun)).map(id)
    }

    fn admitted(&mut self, now: Now, admitted: Admitted, device: Arc<Device>) -> Session {
        let Admitted { marks, imprint, method, user, user_name, service, timeout, interim } = admitted;
        Session {
            stage: Stage::Provisional,
            service,
            user: Some(user),
            tie: imprint.map(Tie::Known),
            method,
            acct_session: marks.acct_session,
            multi_session: marks.multi_session,
            user_name: Some(user_name),
            station: marks.station,
            calling: marks.calling,
            called: marks.called,
            timeout: Some(timeout),
            interval: interim,
            // What the Accept has ordered is known before the first comes.
            interims: if interim.is_some() { 2 } else { 0 },
            ..Session::new(self.next_id(), device, now.wall)
        }
    }

    /// A NAS accounts. The same record twice does no more than once.
    pub fn account(&mut self, now: Now, record: &Record, law: Law<'_>) {
        let device = self.device(&record.device);
        match (record.status, &record.marks.acct_session) {
            (Status::Start | Status::Interim, Some(acct_session))
                if !self.ended.is_past(&device, acct_session, record.happened) =>
            {
                self.alive(now, record, &device, acct_session, law);
            }
            (Status::Stop, Some(acct_session)) => self.stopped(now, record, &device, acct_session),
            (Status::On | Status::Off, _) => self.restarted(now, record, &device),
            _ => {}
        }
    }

    fn alive(&mut self, now: Now, record: &Record, device: &Arc<Device>, acct_session: &str, law: Law<'_>) {
        let station = record.marks.station.as_deref();
        let named = self.named(device, acct_session, station);
        // A device that has begun to count anew uses a name again, for somebody else.
        let stale = named.filter(|id| self.all.get(id).is_some_and(|session| is_another(session, record)));
        if let Some(stale) = stale {
            self.end(now, vec![stale], End::Replaced, record.happened);
        }
        let found = named.filter(|_| stale.is_none()).or_else(|| self.expected(device, record));
        let session = match self.take(found) {
            Some(session) => session,
            None => self.unexpected(record, device),
        };
        let known = found.is_some();
        let session = heard_of(now, session, record, device);
        if known { self.keep(now, session, law) } else { self.open(now, session, law) }
    }

    /// The session that an Accept has opened, and that now begins.
    fn expected(&self, device: &Arc<Device>, record: &Record) -> Option<SessionId> {
        let waits = |session: &&Session| session.stage == Stage::Provisional;
        let fits = |session: &&Session| record.certificate.is_none_or(|it| session.fingerprint() == Some(&it));
        let may_be = |session: &&Session| may_be_of(session, record);
        let of_station = || {
            let waiting = self.of_station(device, record.marks.station.as_deref()).filter(waits);
            waiting.filter(fits).filter(may_be)
        };
        // Where many have one address, and no Class tells them apart, their names do.
        let is_named = |session: &&Session| is_called(session, record);
        let here = || of_station().filter(|session| session.device == *device);
        here()
            .find(is_named)
            .or_else(|| here().next())
            .or_else(|| of_station().find(is_named))
            .or_else(|| of_station().next())
            .map(id)
    }

    /// One that we did not let in, or that has a second name: whose it is, its Class says, or nobody.
    fn unexpected(&mut self, record: &Record, device: &Arc<Device>) -> Session {
        let certificate = record.certificate;
        let same = |session: &&Session| certificate.is_some() && session.fingerprint() == certificate.as_ref();
        let like = self.of_station(device, record.marks.station.as_deref()).find(same).cloned();
        let blank = Session::new(self.next_id(), Arc::clone(device), record.happened);
        let blank = Session { tie: certificate.map(Tie::Fingerprint), ..blank };
        match like {
            Some(Session { service, user, tie, timeout, .. }) => Session { service, user, tie, timeout, ..blank },
            None => blank,
        }
    }

    fn stopped(&mut self, now: Now, record: &Record, device: &Arc<Device>, acct_session: &str) {
        let named = self.named(device, acct_session, record.marks.station.as_deref());
        let named = named.filter(|id| self.all.get(id).is_some_and(|session| !is_another(session, record)));
        // Its Start was lost, and it began before the Accept that waits for one.
        let began = record.session_time.map(|time| Wall(record.happened.0.saturating_sub(i64::from(time))) + SLACK);
        let is_its_own = |id: &SessionId| {
            let session = self.all.get(id);
            session.is_some_and(|session| {
                session.acct_session.as_deref().is_none_or(|name| name == acct_session)
                    && began.is_some_and(|began| session.started <= began)
            })
        };
        let found = named.or_else(|| self.expected(device, record).filter(is_its_own));
        self.ended.insert(now.mono, Arc::clone(device), acct_session.into(), record.happened);
        self.end(now, found.into_iter().collect(), End::Stop, record.happened);
    }

    /// What a device had before it restarted has ended. Where it says which of its networks has, only that one's.
    fn restarted(&mut self, now: Now, record: &Record, device: &Arc<Device>) {
        let called = record.marks.called.as_deref();
        let is_its =
            |session: &&Session| called.is_none_or(|called| session.called.as_deref().is_none_or(|it| it == called));
        let is_before = |session: &&Session| match record.status {
            // It may have happened in the same second.
            Status::Off => session.started <= record.happened,
            _ => session.started < record.happened,
        };
        let sessions = self.index.of_device(device).filter_map(|id| self.all.get(&id));
        let ids = sessions.filter(is_its).filter(is_before).map(id).collect();
        self.end(now, ids, End::Restart, record.happened);
    }

    /// The session of this name at a device; at another of its NAS, which it may have moved to, if the station is the same.
    fn named(&self, device: &Arc<Device>, acct_session: &str, station: Option<&str>) -> Option<SessionId> {
        let named = || self.index.of_acct(&device.nas, acct_session).filter_map(|id| self.all.get(&id));
        let moved = |session: &&Session| station.is_some() && session.station.as_deref() == station;
        named().find(|session| session.device == *device).or_else(|| named().find(moved)).map(id)
    }

    fn of_station<'s>(
        &'s self,
        device: &Arc<Device>,
        station: Option<&str>,
    ) -> impl Iterator<Item = &'s Session> + use<'s> {
        let ids = station.map(|station| self.index.of_station(&device.nas, station));
        ids.into_iter().flatten().filter_map(|id| self.all.get(&id))
    }
}

fn id(session: &Session) -> SessionId {
    session.id
}

/// Whether a record bears the name of a session's user, by which the Accept called him or his certificate does.
fn is_called(session: &Session, record: &Record) -> bool {
    let names = [session.user_name.as_deref(), session.user.as_deref()];
    let is_it = |name: &str| record.user_name.as_deref().is_some_and(|it| is_same_name(it, name));
    names.into_iter().flatten().any(is_it)
}

/// Without case, and with or without its realm: a concentrator may take that off, or put it on.
fn is_same_name(one: &str, other: &str) -> bool {
    let local = |name: &str, bare: &str| {
        !bare.contains('@') && name.rsplit_once('@').is_some_and(|(local, _)| local.eq_ignore_ascii_case(bare))
    };
    one.eq_ignore_ascii_case(other) || local(one, other) || local(other, one)
}

/// Whether a session that waits may be the one that a record is about. At a concentrator many come from one address: who is accounted for by another name takes nobody's seat, by whose block he would
/// go, and not by his own, unless a Class says that it is his.
fn may_be_of(session: &Session, record: &Record) -> bool {
    let has_name = record.user_name.as_deref().is_some_and(|name| !name.is_empty());
    session.method == Method::EapTls || !has_name || record.certificate.is_some() || is_called(session, record)
}

/// Whether a record of the same name is about another session: another station's, or another certificate's.
fn is_another(session: &Session, record: &Record) -> bool {
    let differs = |one: &Option<Box<str>>, other: &Option<Box<str>>| one.is_some() && other.is_some() && one != other;
    let certificate = session.fingerprint().zip(record.certificate.as_ref()).is_some_and(|(one, other)| one != other);
    certificate || (differs(&session.station, &record.marks.station) && !has_moved(session, record))
}

/// Whether it is the same user at another address of the internet. That is what a VPN knows a device by, and it changes in the middle of a session: a NAT forgets a port, a telephone leaves the house (MOBIKE, RFC 4555).
fn has_moved(session: &Session, record: &Record) -> bool {
    let is_mac = |station: &Option<Box<str>>| {
        station.as_deref().is_some_and(|station| station::address(station.as_bytes()).is_some())
    };
    record.status != Status::Start
        && record.user_name.is_some()
        && record.user_name == session.user_name
        && !is_mac(&session.station)
        && !is_mac(&record.marks.station)
}

/// The NAS has asked again, in the middle of a session or before it has begun: whoever is there now is who was let in now.
fn readmitted(now: Now, session: Session, admitted: Admitted, device: Arc<Device>) -> Session {
    let Admitted { marks, imprint, method, user, user_name, service, timeout, interim } = admitted;
    Session {
        device,
        state: State::Good,
        service,
        user: Some(user),
        tie: imprint.map(Tie::Known),
        method,
        acct_session: marks.acct_session.or(session.acct_session),
        multi_session: marks.multi_session.or(session.multi_session),
        user_name: Some(user_name),
        calling: marks.calling.or(session.calling),
        called: marks.called.or(session.called),
        started: if session.stage == Stage::Provisional { now.wall } else { session.started },
        updated: now.wall,
        timeout: Some(timeout),
        interval: interim.or(session.interval),
        ..session
    }
}

/// What a Start or an Interim-Update says of a session.
fn heard_of(now: Now, session: Session, record: &Record, device: &Arc<Device>) -> Session {
    let marks = record.marks.clone();
    let is_interim = record.status == Status::Interim && record.happened > session.updated;
    let pause = now.mono.since(session.heard);
    // Its NAS may have been told before it knew of it: it is judged as if it were new, and told again.
    let state = if session.stage == Stage::Provisional { State::Good } else { session.state };
    Session {
        device: Arc::clone(device),
        stage: Stage::Started,
        state,
        tie: session.tie.or(record.certificate.map(Tie::Fingerprint)),
        user_name: record.user_name.clone().or(session.user_name),
        acct_session: marks.acct_session.or(session.acct_session),
        multi_session: marks.multi_session.or(session.multi_session),
        station: marks.station.or(session.station),
        calling: marks.calling.or(session.calling),
        called: marks.called.or(session.called),
        nas_port: record.nas_port.or(session.nas_port),
        framed_ip: record.framed_ip.or(session.framed_ip),
        framed_ipv6: record.framed_ipv6.or(session.framed_ipv6),
        updated: record.happened.max(session.updated),
        octets_in: record.octets_in.unwrap_or(0).max(session.octets_in),
        octets_out: record.octets_out.unwrap_or(0).max(session.octets_out),
        interval: if is_interim { session.interval.max(Some(pause)) } else { session.interval },
        interims: session.interims.saturating_add(u32::from(is_interim)),
        ..session
    }
}
