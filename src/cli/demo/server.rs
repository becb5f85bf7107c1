//! The real server, as a process of its own, and what its log says.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream, UdpSocket};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};
use zeroize::Zeroizing;

use super::Error;
use super::files::Ports;

/// How long the server may take to begin.
const START: Duration = Duration::from_secs(20);
/// How long it may take to end: it drains for 5 s at most.
const END: Duration = Duration::from_secs(7);
/// How long it may take to answer on its admin door.
const ANSWER: Duration = Duration::from_secs(5);
/// How often is looked whether it has ended by itself.
const LOOK: Duration = Duration::from_millis(200);
/// How long a line of its log may take after the answer.
const LOG: Duration = Duration::from_secs(5);

/// `sekisho serve`, ended when this is dropped. It holds the other end of its standard input, so it ends with this process even where nothing is dropped.
pub(super) struct Server {
    child: Child,
    lines: Receiver<Value>,
    admin: SocketAddr,
}

impl Server {
    /// Starts this very program with `serve`, and waits until it is ready.
    pub(super) fn start(configuration: &Path, ports: Ports) -> Result<Self, Error> {
        let program = std::env::current_exe().map_err(|error| Error(format!("this program's own path: {error}")))?;
        let mut child = Command::new(program)
            .arg("serve")
            .arg("--config")
            .arg(configuration)
            .arg("--leash")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| Error(format!("sekisho serve: {error}")))?;
        let (sender, lines) = channel();
        if let Some(stderr) = child.stderr.take() {
            thread::spawn(move || {
                for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                    match serde_json::from_str(&line) {
                        Ok(value) => drop(sender.send(value)),
                        Err(_) => eprintln!("server: {line}"),
                    }
                }
            });
        }
        let mut server = Self { child, lines, admin: SocketAddr::from((Ipv4Addr::LOCALHOST, ports.admin)) };
        server.wait_until_ready()?;
        Ok(server)
    }

    fn wait_until_ready(&mut self) -> Result<(), Error> {
        let begun = Instant::now();
        while begun.elapsed() < START {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Err(Error(format!("the server ended at once: {status}")));
            }
            if self.get("/readyz").is_some_and(|answer| answer.starts_with("HTTP/1.1 200")) {
                return Ok(());
            }
            thread::sleep(Duration::from_millis(20));
        }
        Err(Error("the server was not ready in time".to_owned()))
    }

    /// GET of its admin door: head and body.
    fn get(&self, path: &str) -> Option<String> {
        self.exchange(&format!("GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.admin))
    }

    /// Asks its API, which must do it. What it says, as JSON.
    pub(super) fn ask(&self, token: &str, method: &str, path: &str, body: &str) -> Result<Zeroizing<String>, Error> {
        let request = Zeroizing::new(format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            self.admin,
            body.len()
        ));
        let answer = Zeroizing::new(self.exchange(&request).unwrap_or_default());
        match answer.split_once("\r\n\r\n") {
            Some((head, said)) if head.starts_with("HTTP/1.1 2") => Ok(Zeroizing::new(said.to_owned())),
            _ => Err(Error(format!("{method} {path}: {}", answer.as_str()))),
        }
    }

    /// One request, and all that is answered.
    fn exchange(&self, request: &str) -> Option<String> {
        let mut stream = TcpStream::connect_timeout(&self.admin, Duration::from_secs(1)).ok()?;
        stream.set_read_timeout(Some(ANSWER)).ok()?;
        stream.write_all(request.as_bytes()).ok()?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).ok()?;
        Some(String::from_utf8_lossy(&answer).into_owned())
    }

    /// Waits until the server uses an authority's CRL of this number.
    pub(super) fn wait_for_crl(&self, authority: &str, number: u64) -> Result<(), Error> {
        let label = format!("authority=\"{authority}\"");
        let begun = Instant::now();
        while begun.elapsed() < START {
            let metrics = self.get("/metrics").unwrap_or_default();
            let line = metrics.lines().find(|line| line.starts_with("sekisho_crl_number{") && line.contains(&label));
            let value = line.and_then(|line| line.rsplit(' ').next()?.parse::<f64>().ok());
            #[expect(clippy::cast_precision_loss, reason = "the demo's numbers are small")]
            if value.is_some_and(|value| value >= number as f64) {
                return Ok(());
            }
            thread::sleep(Duration::from_millis(50));
        }
        Err(Error(format!("the server did not take the new CRL of {authority} in time")))
    }

    /// What the log says of the login from a station.
    pub(super) fn decision_for(&self, mac: &str) -> Option<Value> {
        let begun = Instant::now();
        while let Ok(line) = self.lines.recv_timeout(LOG.saturating_sub(begun.elapsed())) {
            if line.get("mac").and_then(Value::as_str) == Some(mac) {
                return Some(line);
            }
        }
        None
    }

    /// Waits until the server ends, or somebody ends this program.
    pub(super) fn wait(&mut self, ending: Ending) -> Result<(), Error> {
        let Ending { runtime, mut interrupt, mut terminate, mut hangup } = ending;
        runtime.block_on(async {
            loop {
                tokio::select! {
                    _ = interrupt.recv() => return Ok(()),
                    _ = terminate.recv() => return Ok(()),
                    _ = hangup.recv() => return Ok(()),
                    () = tokio::time::sleep(LOOK) => if let Some(status) = self.child.try_wait()? {
                        return if status.success() { Ok(()) } else { Err(Error(format!("the server ended: {status}"))) };
                    }
                }
            }
        })
    }
}

/// The signals that end this program, caught as soon as this is made: from then on they end it in order.
pub(super) struct Ending {
    runtime: Runtime,
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
}

impl Ending {
    pub(super) fn new() -> Result<Self, Error> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let within = runtime.enter();
        let (interrupt, terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        let hangup = signal(SignalKind::hangup())?;
        drop(within);
        Ok(Self { runtime, interrupt, terminate, hangup })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let begun = Instant::now();
        while begun.elapsed() < END {
            match self.child.try_wait() {
                Ok(None) => thread::sleep(Duration::from_millis(10)),
                _ => return,
            }
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Two ports that are free now: one for UDP, one for TCP.
pub(super) fn free_ports() -> Result<Ports, Error> {
    let failed = |error: std::io::Error| Error(format!("no free port on loopback: {error}"));
    let udp = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).map_err(failed)?;
    let tcp = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(failed)?;
    Ok(Ports { radius: udp.local_addr().map_err(failed)?.port(), admin: tcp.local_addr().map_err(failed)?.port() })
}
