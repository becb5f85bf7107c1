//! Records, each once.

use sqlx::SqliteConnection;

use crate::sessions::{Key, Record};
use crate::store::number;

/// Inserts a record unless it is there. A time that the NAS didn't say is the same within its slack.
const INSERT: &str = "INSERT INTO accounting (nas, peer, identifier, address, acct_session, status, at, counted_in, counted_out, counted_time, \
     happened, stamp, multi_session, fingerprint, user_name, mac, called, nas_port, framed_ip, framed_ipv6, octets_in, octets_out, session_time, terminate_cause) \
     SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25 \
     WHERE NOT EXISTS (SELECT 1 FROM accounting WHERE acct_session = ?5 AND nas = ?1 AND status = ?6 AND at BETWEEN ?7 - ?11 AND ?7 + ?11 \
     AND peer = ?2 AND identifier = ?3 AND address = ?4 AND counted_in = ?8 AND counted_out = ?9 AND counted_time = ?10)";

pub(super) async fn insert(connection: &mut SqliteConnection, record: &Record) -> Result<(), sqlx::Error> {
    let Key { device, acct_session, status, at, slack, counters: [counted_in, counted_out, counted_time] } =
        record.key();
    let query = sqlx::query(INSERT)
        .bind(&*device.nas)
        .bind(device.peer.to_string())
        .bind(device.identifier.as_deref().unwrap_or_default())
        .bind(device.address.map(|address| address.to_string()).unwrap_or_default())
        .bind(&*acct_session)
        .bind(status)
        .bind(at.0)
        .bind(number(counted_in))
        .bind(number(counted_out))
        .bind(number(counted_time))
        .bind(number(slack.as_secs()))
        .bind(record.happened.0)
        .bind(record.stamp.map(|stamp| stamp.0))
        .bind(record.marks.multi_session.as_deref())
        .bind(record.certificate.as_ref().map(<[u8; 32]>::as_slice))
        .bind(record.user_name.as_deref())
        .bind(record.marks.station.as_deref())
        .bind(record.marks.called.as_deref())
        .bind(record.nas_port)
        .bind(record.framed_ip.map(|address| address.to_string()))
        .bind(record.framed_ipv6.map(|address| address.to_string()))
        .bind(record.octets_in.map(number))
        .bind(record.octets_out.map(number))
        .bind(record.session_time)
        .bind(record.terminate_cause);
    query.execute(connection).await.map(drop)
}
