//! A simulated NAS that accounts: it asks again, with another Acct-Delay-Time, until it is answered.

use std::io;
use std::net::{Ipv4Addr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use sekisho::radius::{Code, Key, Packet, Type, Writer};
use sekisho::secret::Secret;

use super::place::SECRET;

/// After so long without an answer it asks again.
const AGAIN: Duration = Duration::from_millis(300);

/// Acct-Status-Type (RFC 2866 section 5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Status {
    Start = 1,
    Stop = 2,
    Interim = 3,
    On = 7,
    Off = 8,
}

/// What it accounts for.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) status: Status,
    pub(crate) session: String,
    /// Octets of an Interim-Update.
    pub(crate) octets: u32,
    /// When it happened, by the test's clock.
    pub(crate) happened: Instant,
    /// Event-Timestamp, where this NAS has one.
    pub(crate) stamp: Option<u32>,
}

/// One NAS behind a port of its own.
pub(crate) struct Nas {
    pub(crate) name: String,
    socket: UdpSocket,
    key: Key,
    identifier: u8,
}

impl Nas {
    /// At an address of its own on loopback.
    pub(crate) fn new(number: u8, port: u16) -> Self {
        let socket = UdpSocket::bind((Ipv4Addr::new(127, 0, 1, number), 0)).expect("loopback is wide");
        socket.connect(("127.0.0.1", port)).expect("loopback");
        let key = Key::new(Secret::new(SECRET));
        Self { name: format!("nas{number}"), socket, key, identifier: 0 }
    }

    /// With Identifiers of its own too, by which its packets are told from others'.
    pub(crate) fn beginning_at(mut self, identifier: u8) -> Self {
        self.identifier = identifier;
        self
    }

    /// Asks until it is answered or nobody is there to answer any more; whether it was answered. `twice`: it doesn't hear the first answer.
    pub(crate) fn account(&mut self, record: &Record, over: &AtomicBool, twice: bool) -> bool {
        let mut deaf = twice;
        while !over.load(Ordering::Relaxed) {
            match self.once(record, AGAIN) {
                Ok(true) if !deaf => return true,
                Ok(true) => deaf = false,
                Ok(false) => {}
                // The port is closed: whoever had it has ended.
                Err(_) => return false,
            }
        }
        false
    }

    /// Asks once; whether it was answered in time.
    pub(crate) fn once(&mut self, record: &Record, limit: Duration) -> io::Result<bool> {
        let asked = self.send(record)?;
        self.hears(&asked, limit)
    }

    /// Sends it; what was sent.
    pub(crate) fn send(&mut self, record: &Record) -> io::Result<Vec<u8>> {
        self.identifier = self.identifier.wrapping_add(1);
        let asked = self.request(record);
        self.socket.send(&asked)?;
        Ok(asked)
    }

    /// Whether its answer comes in time.
    pub(crate) fn hears(&self, asked: &[u8], limit: Duration) -> io::Result<bool> {
        let asked = Packet::parse(asked).expect("we wrote it");
        let until = now() + limit;
        let mut octets = [0; 4_096];
        loop {
            let left = until.saturating_duration_since(now());
            if left.is_zero() {
                return Ok(false);
            }
            self.socket.set_read_timeout(Some(left))?;
            let length = match self.socket.recv(&mut octets) {
                Ok(length) => length,
                Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                    return Ok(false);
                }
                Err(error) => return Err(error),
            };
            let Ok(reply) = Packet::parse(&octets[..length]) else { continue };
            let is_ours = self.key.check_reply(&reply, asked.authenticator()).is_ok();
            if is_ours && reply.code() == Code::ACCOUNTING_RESPONSE {
                return Ok(true);
            }
        }
    }

    fn request(&self, record: &Record) -> Vec<u8> {
        let mut octets = Vec::new();
        let mut writer = Writer::without_message_authenticator(&mut octets, Code::ACCOUNTING_REQUEST, self.identifier);
        let delay = u32::try_from(now().duration_since(record.happened).as_secs()).expect("tests are short");
        let mut integers = vec![(Type::ACCT_STATUS_TYPE, record.status as u32), (Type::ACCT_DELAY_TIME, delay)];
        integers.extend(record.stamp.map(|stamp| (Type::EVENT_TIMESTAMP, stamp)));
        if record.octets > 0 {
            integers.extend([(Type::ACCT_INPUT_OCTETS, record.octets), (Type::ACCT_SESSION_TIME, record.octets)]);
        }
        for (kind, value) in integers {
            writer.push(kind, &value.to_be_bytes()).expect("it fits");
        }
        let texts = [(Type::NAS_IDENTIFIER, &self.name), (Type::ACCT_SESSION_ID, &record.session)];
        for (kind, text) in texts {
            writer.push(kind, text.as_bytes()).expect("it fits");
        }
        writer.finish(&self.key, &[0; 16]).expect("it fits");
        octets
    }
}

#[expect(clippy::disallowed_methods, reason = "a NAS has a clock")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Seconds since 1970.
#[expect(clippy::disallowed_methods, reason = "a NAS has a clock")]
pub(crate) fn stamp() -> u32 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
    u32::try_from(since.as_secs()).expect("before 2106")
}
