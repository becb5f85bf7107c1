//! Sessions, live and ended.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row, Sqlite, SqliteConnection};

use crate::event::Method;
use crate::now::Wall;
use crate::pki::Imprint;
use crate::sessions::{Device, End, Kept, Session, SessionId, Stage, Tie};
use crate::store::rows::pieces;
use crate::store::{Failure, Store, number};

const PUT: &str = "INSERT OR REPLACE INTO session (id, nas, peer, identifier, address, provisional, service, user, imprint, fingerprint, user_name, \
     acct_session, multi_session, mac, called, nas_port, framed_ip, framed_ipv6, started, updated, octets_in, octets_out, timeout, interval, interims, until, method, ended, end) ";

/// Which live sessions are wanted.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// Of a user, without ASCII case.
    pub user: Option<String>,
    /// With a certificate, by SHA-256 of its DER.
    pub fingerprint: Option<[u8; 32]>,
    /// Of a service.
    pub service: Option<String>,
    /// After this one.
    pub after: Option<SessionId>,
    /// At most so many.
    pub most: usize,
}

impl Store {
    /// The live sessions that are wanted, in the order of their numbers.
    pub async fn sessions(&self, wanted: Wanted) -> Result<Vec<Kept>, Failure> {
        self.read(move |connection| Box::pin(async move { select(connection, &wanted).await })).await
    }
}

/// What becomes of sessions, told in order; each is written once.
#[derive(Debug, Default)]
pub(super) struct Fates<'e>(BTreeMap<SessionId, Fate<'e>>);

/// How one is, if that has changed, and how it has ended since.
#[derive(Debug, Default)]
struct Fate<'e> {
    put: Option<&'e Kept>,
    ended: Option<(End, Wall)>,
}

impl<'e> Fates<'e> {
    /// It is like this now, whatever it was.
    pub(super) fn put(&mut self, kept: &'e Kept) {
        self.0.insert(kept.session.id, Fate { put: Some(kept), ended: None });
    }

    /// They have ended, unless they had before.
    pub(super) fn ended(&mut self, ids: &[SessionId], why: End, at: Wall) {
        for id in ids {
            self.0.entry(*id).or_default().ended.get_or_insert((why, at));
        }
    }

    /// Writes it all.
    pub(super) async fn write(&mut self, connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
        let (mut puts, mut ends) = (Vec::new(), Vec::new());
        for (id, Fate { put, ended }) in std::mem::take(&mut self.0) {
            match (put, ended) {
                (Some(kept), ended) => puts.push((kept, ended)),
                (None, Some((why, at))) => ends.push((id, why, at)),
                (None, None) => {}
            }
        }
        for piece in pieces(&puts) {
            put(connection, piece).await?;
        }
        for piece in pieces(&ends) {
            end(connection, piece).await?;
        }
        Ok(())
    }
}

async fn put(connection: &mut SqliteConnection, puts: &[(&Kept, Option<(End, Wall)>)]) -> Result<(), sqlx::Error> {
    let mut query = QueryBuilder::<Sqlite>::new(PUT);
    query.push_values(puts, |mut row, (Kept { session, until }, ended)| {
        let imprint = match &session.tie {
            Some(Tie::Known(imprint)) => Some(imprint.encode()),
            _ => None,
        };
        row.push_bind(number(session.id.0)).push_bind(&*session.device.nas);
        row.push_bind(session.device.peer.to_string()).push_bind(session.device.identifier.as_deref());
        row.push_bind(session.device.address.map(|address| address.to_string()));
        row.push_bind(session.stage == Stage::Provisional).push_bind(session.service.as_deref());
        row.push_bind(session.user.as_deref()).push_bind(imprint);
        row.push_bind(session.fingerprint().map(<[u8; 32]>::as_slice)).push_bind(session.user_name.as_deref());
        row.push_bind(session.acct_session.as_deref()).push_bind(session.multi_session.as_deref());
        row.push_bind(session.station.as_deref()).push_bind(session.called.as_deref()).push_bind(session.nas_port);
        row.push_bind(session.framed_ip.map(|address| address.to_string()));
        row.push_bind(session.framed_ipv6.map(|address| address.to_string()));
        row.push_bind(session.started.0).push_bind(session.updated.0);
        row.push_bind(number(session.octets_in)).push_bind(number(session.octets_out));
        row.push_bind(session.timeout.map(|timeout| number(timeout.as_secs())));
        row.push_bind(session.interval.map(|interval| number(interval.as_secs())));
        row.push_bind(session.interims).push_bind(until.0).push_bind(session.method.name());
        row.push_bind(ended.map(|(_, at)| at.0)).push_bind(ended.map(|(why, _)| why.name()));
    });
    query.build().execute(connection).await.map(drop)
}

async fn end(connection: &mut SqliteConnection, ends: &[(SessionId, End, Wall)]) -> Result<(), sqlx::Error> {
    let mut query = QueryBuilder::<Sqlite>::new("WITH gone (session, at, why) AS (");
    query.push_values(ends, |mut row, (id, why, at)| {
        row.push_bind(number(id.0)).push_bind(at.0).push_bind(why.name());
    });
    query.push(") UPDATE session SET ended = at, end = why FROM gone WHERE id = gone.session AND ended IS NULL");
    query.build().execute(connection).await.map(drop)
}

async fn select(connection: &mut SqliteConnection, wanted: &Wanted) -> Result<Vec<Kept>, sqlx::Error> {
    let mut query = QueryBuilder::<Sqlite>::new("SELECT * FROM session WHERE ended IS NULL");
    if let Some(user) = &wanted.user {
        query.push(" AND user = ").push_bind(user);
    }
    if let Some(fingerprint) = &wanted.fingerprint {
        query.push(" AND fingerprint = ").push_bind(fingerprint.as_slice());
    }
    if let Some(service) = &wanted.service {
        query.push(" AND service = ").push_bind(service);
    }
    if let Some(after) = wanted.after {
        query.push(" AND id > ").push_bind(number(after.0));
    }
    query.push(" ORDER BY id LIMIT ").push_bind(number(wanted.most as u64));
    let rows = query.build().fetch_all(connection).await?;
    // A row that can't be read is nobody's session.
    Ok(rows.iter().filter_map(|row| kept(row).ok()).collect())
}

fn kept(row: &SqliteRow) -> Result<Kept, sqlx::Error> {
    let text = |column| row.try_get::<Option<String>, _>(column).map(|text| text.map(String::into_boxed_str));
    let seconds = |column| {
        let seconds = row.try_get::<Option<i64>, _>(column)?;
        Ok::<_, sqlx::Error>(seconds.and_then(|seconds| u64::try_from(seconds).ok()).map(Duration::from_secs))
    };
    let count = |column| row.try_get::<i64, _>(column).map(|count| u64::try_from(count).unwrap_or(0));
    let device = Device {
        nas: row.try_get::<String, _>("nas")?.into(),
        peer: read(&row.try_get::<String, _>("peer")?)?,
        identifier: text("identifier")?,
        address: text("address")?.map(|address| read(&address)).transpose()?,
    };
    let imprint = row.try_get::<Option<Vec<u8>>, _>("imprint")?.and_then(|octets| Imprint::decode(&octets));
    let fingerprint = row.try_get::<Option<Vec<u8>>, _>("fingerprint")?;
    let fingerprint = fingerprint.and_then(|octets| <[u8; 32]>::try_from(octets).ok());
    let mut session = Session::new(SessionId(count("id")?), Arc::new(device), Wall(row.try_get("started")?));
    session.stage = if row.try_get("provisional")? { Stage::Provisional } else { Stage::Started };
    session.service = text("service")?.map(Into::into);
    session.user = text("user")?.map(Into::into);
    session.tie = imprint.map(Tie::Known).or(fingerprint.map(Tie::Fingerprint));
    session.method = method(&row.try_get::<String, _>("method")?);
    session.user_name = text("user_name")?;
    session.acct_session = text("acct_session")?;
    session.multi_session = text("multi_session")?;
    session.station = text("mac")?;
    session.called = text("called")?;
    session.nas_port = row.try_get("nas_port")?;
    session.framed_ip = text("framed_ip")?.map(|address| read(&address)).transpose()?;
    session.framed_ipv6 = text("framed_ipv6")?.map(|address| read(&address)).transpose()?;
    session.updated = Wall(row.try_get("updated")?);
    session.octets_in = count("octets_in")?;
    session.octets_out = count("octets_out")?;
    session.timeout = seconds("timeout")?;
    session.interval = seconds("interval")?;
    session.interims = row.try_get("interims")?;
    Ok(Kept { session, until: Wall(row.try_get("until")?) })
}

/// One that is unknown was written by another version, and looks at no certificate.
fn method(name: &str) -> Method {
    Method::ALL.iter().copied().find(|method| method.name() == name).unwrap_or(Method::None)
}

fn read<T: std::str::FromStr>(text: &str) -> Result<T, sqlx::Error> {
    text.parse().map_err(|_| sqlx::Error::Decode(format!("\"{text}\" is no address").into()))
}
