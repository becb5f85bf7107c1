//! The access point's part that does I/O: it sends a request again until it is answered.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs, UdpSocket};
use std::time::{Duration, Instant, SystemTime};

use crate::exchange::BadReply;
use crate::now::Wall;
use crate::radius::MAX_PACKET;
use crate::secret::random;
use crate::supplicant::{Login, Next, Report};

/// RFC 5080 section 2.2.1: initial retransmission time, and the longest.
const IRT: Duration = Duration::from_secs(2);
const MRT: Duration = Duration::from_secs(16);

/// What came of one login.
#[derive(Debug)]
pub(super) struct Answer {
    /// `None`: time was up.
    pub(super) report: Option<Box<Report>>,
    pub(super) took: Duration,
    /// Requests that were sent again.
    pub(super) repeats: u32,
    /// Why something that came was not an answer, or why nothing can come.
    pub(super) hint: Option<&'static str>,
}

/// A socket to one server.
#[derive(Debug)]
pub(super) struct Nas {
    socket: UdpSocket,
    limit: Duration,
}

impl Nas {
    /// From an address of this machine. `limit`: how long one login may last.
    pub(super) fn connect(source: IpAddr, server: SocketAddr, limit: Duration) -> io::Result<Self> {
        let socket = UdpSocket::bind((source, 0))?;
        socket.connect(server)?;
        Ok(Self { socket, limit })
    }

    /// Carries one login to its end. An error is one of this machine, not of the server.
    pub(super) fn log_in(&mut self, login: impl FnOnce(Wall) -> Login) -> io::Result<Answer> {
        let began = Instant::now();
        let mut login = login(SystemTime::now().into());
        let mut answer = Answer { report: None, took: Duration::ZERO, repeats: 0, hint: None };
        let mut request = login.begin();
        if request.is_empty() {
            return Err(io::Error::new(ErrorKind::InvalidInput, "what is to be sent does not fit into a packet"));
        }
        while answer.report.is_none() {
            match self.ask(&request, &mut login, began, &mut answer)? {
                Some(Next::Send(next)) => request = next,
                Some(Next::Done(report)) => answer.report = Some(report),
                Some(Next::Ignored) | None => break,
            }
        }
        // Where the login came to an end, what else came on the way matters to nobody.
        let hint = answer.hint.or_else(|| login.bad_reply().map(describe));
        answer.hint = hint.filter(|_| answer.report.is_none());
        answer.took = began.elapsed();
        Ok(answer)
    }

    /// Sends one request until it is answered; `None`: time is up.
    fn ask(&self, request: &[u8], login: &mut Login, began: Instant, answer: &mut Answer) -> io::Result<Option<Next>> {
        let mut interval = jittered(IRT);
        loop {
            self.send(request)?;
            let left = self.limit.saturating_sub(began.elapsed());
            if let Some(next) = self.listen(login, interval.min(left), answer)? {
                return Ok(Some(next));
            }
            if began.elapsed() >= self.limit {
                return Ok(None);
            }
            answer.repeats = answer.repeats.saturating_add(1);
            interval = next_interval(interval);
        }
    }

    /// A connected socket tells of an earlier datagram's refusal when the next is sent.
    fn send(&self, request: &[u8]) -> io::Result<()> {
        match self.socket.send(request) {
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => self.socket.send(request).map(drop),
            other => other.map(drop),
        }
    }

    /// Waits for what goes on; `None`: nothing came in that time.
    fn listen(&self, login: &mut Login, time: Duration, answer: &mut Answer) -> io::Result<Option<Next>> {
        let until = Instant::now() + time;
        let mut datagram = [0; MAX_PACKET];
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(None);
            }
            self.socket.set_read_timeout(Some(left))?;
            match self.socket.recv(&mut datagram) {
                Ok(length) => {
                    match login.handle(datagram.get(..length).unwrap_or_default(), SystemTime::now().into()) {
                        Next::Ignored => {}
                        next => return Ok(Some(next)),
                    }
                }
                Err(error) => match error.kind() {
                    ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted => {}
                    ErrorKind::ConnectionRefused => answer.hint = Some("nobody listens there"),
                    _ => return Err(error),
                },
            }
        }
    }
}

/// The first address of HOST:PORT; the error is a sentence.
pub(super) fn address(server: &str) -> Result<SocketAddr, String> {
    let mut addresses = server.to_socket_addrs().map_err(|error| format!("{server}: {error}"))?;
    addresses.next().ok_or_else(|| format!("{server}: has no address"))
}

/// Any address of this machine, of the family that a server's has.
pub(super) fn any(server: SocketAddr) -> IpAddr {
    match server {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    }
}

/// RFC 5080 section 2.2.1: RT = 2 × RTprev + RAND × RTprev, about MRT at most.
fn next_interval(interval: Duration) -> Duration {
    let next = interval.saturating_add(jittered(interval));
    if next > MRT { jittered(MRT) } else { next }
}

/// ± 10 %.
fn jittered(time: Duration) -> Duration {
    // Without randomness the repeats are only less well spread.
    let [octet] = random().unwrap_or_default();
    time.mul_f64(0.9 + 0.2 * f64::from(octet) / 255.0)
}

pub(super) fn describe(bad: BadReply) -> &'static str {
    match bad {
        BadReply::Malformed => "something came that is no RADIUS packet",
        BadReply::NotOurs => "an answer to another request came",
        BadReply::BadAuthenticator => "an answer came whose authenticator is wrong: the secret is probably another",
        BadReply::MissingMessageAuthenticator => "an answer came without Message-Authenticator, and was not believed",
        BadReply::BadMessageAuthenticator => {
            "an answer came whose Message-Authenticator is wrong: the secret is probably another"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeats_are_spread_double_and_stop_growing_at_mrt() {
        let mut interval = jittered(IRT);
        assert!((1.8..=2.2).contains(&interval.as_secs_f64()));
        for _ in 0..10 {
            let next = next_interval(interval).as_secs_f64();
            let grown = (1.89..=2.11).contains(&(next / interval.as_secs_f64()));
            assert!(grown || (14.4..=17.6).contains(&next), "{next} after {interval:?}");
            interval = Duration::from_secs_f64(next);
        }
        assert!(interval.as_secs_f64() >= 14.4);
    }
}
