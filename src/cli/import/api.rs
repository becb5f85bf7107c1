//! The registry's API, from the side of whoever calls it.
//!
//! Ours, so the address is the administrator's and isn't checked as those of strangers are (`fetch::http`); but the token leaves this machine under TLS only.

mod answer;
mod connection;
mod target;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hyper::body::Bytes;
use hyper::header::HeaderValue;
use tokio::time::{sleep, timeout};

use super::item::Entry;
use super::list::Columns;
use crate::secret::Secret;
use connection::{Connection, Fault};

use answer::{Answer, Verdict};
pub(super) use connection::Connector;
pub(super) use target::Target;

/// For one request and its answer: the API takes ten seconds at most.
const TIME: Duration = Duration::from_secs(30);
/// How often a request is sent before everything is given up.
const MOST_TRIES: u32 = 8;
/// Longest wait between two of them.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// What became of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Registered {
    New,
    /// The registry had it, and now knows what this entry adds.
    Known,
    /// Why the API doesn't want it.
    Refused(String),
}

/// What is wanted of the API.
#[derive(Clone, Debug)]
pub(in crate::cli) enum Wish {
    /// This entry is to be registered.
    Register(Bytes),
    Columns,
    /// This user is to have one-time passwords.
    Enrol {
        user: String,
        replace: bool,
    },
    /// This user is to have them no more.
    Unenrol {
        user: String,
    },
}

/// Nothing more can be sent: why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stopped(pub(super) String);

/// The API.
pub(in crate::cli) struct Api {
    connector: Connector,
    token: HeaderValue,
    /// Whether it has ever answered: whoever never did is not waited for.
    has_answered: AtomicBool,
}

impl Api {
    /// The error is a sentence that doesn't hold the token.
    pub(super) fn new(connector: Connector, token: &Secret) -> Result<Self, String> {
        if token.is_empty() || !token.expose().iter().all(u8::is_ascii_graphic) {
            return Err("its first line is no token".to_owned());
        }
        let bearer = Secret::new([b"Bearer ", token.expose()].concat());
        let mut token = HeaderValue::from_bytes(bearer.expose()).map_err(|_| "its first line is no token")?;
        token.set_sensitive(true);
        Ok(Self { connector, token, has_answered: AtomicBool::new(false) })
    }

    /// Registers an entry, however often it must be sent for that: the same twice is no harm. `connection`: one to use, and to leave for the next.
    pub(super) async fn register(
        &self,
        connection: &mut Option<Connection>,
        entry: &Entry,
    ) -> Result<Registered, Stopped> {
        self.ask(connection, &Wish::Register(entry.json().to_string().into())).await.map(|(registered, _)| registered)
    }

    /// Sends a wish once, since it may not be done twice: the body of what was answered, or why it was refused. The error: nobody has answered.
    pub(in crate::cli) async fn do_once(&self, wish: &Wish) -> Result<Result<Bytes, String>, String> {
        let answer = self.once(&mut None, wish).await.map_err(|fault| fault.why)?;
        Ok(if answer.status.is_success() { Ok(answer.body) } else { Err(answer.text()) })
    }

    /// Where the server's configuration says that the columns of lists are.
    pub(super) async fn columns(&self) -> Result<Columns, Stopped> {
        let (registered, told) = self.ask(&mut None, &Wish::Columns).await?;
        if let Registered::Refused(why) = registered {
            return Err(Stopped(why));
        }
        let told: HashMap<String, usize> = serde_json::from_slice(&told)
            .map_err(|_| Stopped(format!("{} says nothing about columns", self.connector.target())))?;
        Ok(Columns::told(|name| told.get(name).copied()))
    }

    /// What came of a wish, and the answer's body.
    async fn ask(&self, connection: &mut Option<Connection>, wish: &Wish) -> Result<(Registered, Bytes), Stopped> {
        let mut tries = 0;
        loop {
            let is_used = connection.is_some();
            let answer = self.once(connection, wish).await;
            let (why, after) = match answer.map(|answer| (answer.verdict(), answer.body)) {
                Ok((Verdict::Done(registered), body)) => return Ok((registered, body)),
                Ok((Verdict::Stop(why), _)) => return Err(Stopped(why)),
                Ok((Verdict::Later { why, after }, _)) => (why, after),
                Err(fault) => {
                    *connection = None;
                    if is_used && fault.may_pass {
                        // The server ends those that were idle for a while, as it should.
                        continue;
                    }
                    if !fault.may_pass || !self.has_answered.load(Ordering::Relaxed) {
                        return Err(Stopped(fault.why));
                    }
                    (fault.why, None)
                }
            };
            tries += 1;
            if tries >= MOST_TRIES {
                return Err(Stopped(why));
            }
            sleep(after.unwrap_or_else(|| backoff(tries)).min(LONGEST_WAIT)).await;
        }
    }

    async fn once(&self, connection: &mut Option<Connection>, wish: &Wish) -> Result<Answer, Fault> {
        let exchange = async {
            let connection = match connection {
                Some(connection) => connection,
                none => none.insert(self.connector.connect().await?),
            };
            connection.ask(self.connector.target(), &self.token, wish).await
        };
        let answer = timeout(TIME, exchange).await;
        let answer =
            answer.unwrap_or_else(|_| Err(Fault::passing(format!("{} doesn't answer", self.connector.target()))))?;
        self.has_answered.store(true, Ordering::Relaxed);
        Ok(answer)
    }
}

/// One second, two, four, …
fn backoff(tries: u32) -> Duration {
    Duration::from_secs(1 << tries.saturating_sub(1).min(5))
}
