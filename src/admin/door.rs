//! Sockets, connections and their bounds.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use axum::Router;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::routes::router;
use super::seats::{Seat, Seats};
use super::secure::{self, Failed};
use super::shared::Shared;
use super::{Peer, Refusal, Settings};

/// Connections at once, over all sockets; for more, those that ask for nothing are closed, and while all ask more wait in the kernel.
const CONNECTIONS: usize = 128;
/// Of them, those whose TLS handshake isn't done: whoever begins and doesn't go on leaves room for others.
const HANDSHAKES: usize = 64;
/// How long the head of a request may take, and how long a connection may wait for its next request.
const HEAD: Duration = Duration::from_secs(10);
/// How long a connection lives at most: a client that doesn't read its answer is no reason to keep it.
const LIFE: Duration = Duration::from_secs(300);
/// Octets of a request's head.
const HEAD_SIZE: usize = 16 << 10;
/// How long nothing is accepted after the system refused.
const REST: Duration = Duration::from_millis(100);

/// Why the door could not be opened.
#[derive(Debug)]
pub struct BindError {
    /// Its address.
    pub address: SocketAddr,
    /// What is wrong.
    pub error: io::Error,
}

impl fmt::Display for BindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot listen on {} (admin): {}", self.address, self.error)
    }
}

impl std::error::Error for BindError {}

/// Every socket, bound and not yet accepted from.
#[derive(Debug)]
pub struct Door {
    sockets: Vec<Socket>,
    head: Duration,
}

impl Door {
    /// Binds every address, or none. Without TLS only loopback is good enough: tokens travel here (A09).
    pub fn bind(settings: &Settings) -> Result<Self, BindError> {
        let is_secure = settings.tls.is_some();
        let bind = |&address: &SocketAddr| bind(address, is_secure).map_err(|error| BindError { address, error });
        let sockets = settings.listen.iter().map(bind).collect::<Result<_, _>>()?;
        Ok(Self { sockets, head: HEAD })
    }

    /// Less patience for the head of a request.
    #[cfg(test)]
    pub(super) fn with_head_time(self, head: Duration) -> Self {
        Self { head, ..self }
    }

    /// The addresses that were bound.
    pub fn addresses(&self) -> impl Iterator<Item = SocketAddr> {
        self.sockets.iter().filter_map(|socket| socket.local_addr().ok()?.as_socket())
    }

    /// Starts to answer, on a thread and a runtime of its own.
    pub fn spawn(self, shared: Shared) -> io::Result<Running> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build()?;
        let listeners = {
            let _inside = runtime.enter();
            self.sockets
                .into_iter()
                .map(|socket| TcpListener::from_std(socket.into()))
                .collect::<io::Result<Vec<_>>>()?
        };
        let (stop, stopped) = watch::channel(());
        let serve = move || runtime.block_on(serve(listeners, shared, self.head, stopped));
        let thread = thread::Builder::new().name("admin".into()).spawn(serve)?;
        Ok(Running { stop, thread })
    }
}

/// A door that answers.
#[derive(Debug)]
pub struct Running {
    stop: watch::Sender<()>,
    thread: JoinHandle<()>,
}

impl Running {
    /// Ends it. Answers on their way are lost.
    pub fn stop(self) {
        drop(self.stop);
        if self.thread.join().is_err() {
            tracing::error!("the admin thread had panicked");
        }
    }
}

fn is_loopback(address: SocketAddr) -> bool {
    address.ip().to_canonical().is_loopback()
}

fn bind(address: SocketAddr, is_secure: bool) -> io::Result<Socket> {
    if !is_secure && !is_loopback(address) {
        return Err(io::Error::other("only loopback may be listened on without TLS"));
    }
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    // For TCP that allows a restart while old connections linger; a second server is still refused.
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(1024)?;
    Ok(socket)
}

/// What every connection needs.
#[derive(Clone)]
struct Hall {
    shared: Shared,
    router: Router,
    head: Duration,
    places: Seats,
    handshakes: Seats,
}

async fn serve(listeners: Vec<TcpListener>, shared: Shared, head: Duration, mut stopped: watch::Receiver<()>) {
    let (places, handshakes) = (Seats::new(CONNECTIONS), Seats::new(HANDSHAKES));
    let hall = Hall { router: router(shared.clone()), shared, head, places, handshakes };
    for listener in listeners {
        tokio::spawn(hall.clone().accept(listener));
    }
    // Ends when the sender is dropped; the runtime takes every task with it.
    while stopped.changed().await.is_ok() {}
}

impl Hall {
    async fn accept(self, listener: TcpListener) {
        loop {
            let Some(handshake) = self.handshakes.take().await else { return };
            let Some(place) = self.places.take().await else { return };
            match listener.accept().await {
                Ok((stream, _)) => drop(tokio::spawn(self.clone().connection(stream, place, handshake))),
                Err(error) => {
                    tracing::debug!("admin: accepting failed: {error}");
                    tokio::time::sleep(REST).await;
                }
            }
        }
    }

    async fn connection(self, stream: TcpStream, place: Seat, handshake: Seat) {
        handshake.waits();
        place.waits();
        let settings = self.shared.settings();
        let Some(tls) = &settings.tls else {
            // A reload took TLS away, and the socket stays open until a restart.
            if stream.local_addr().is_ok_and(is_loopback) {
                drop(handshake);
                self.talk(stream, None, place).await;
            }
            return;
        };
        let accepting = secure::accept(stream, tls, &settings.client_authorities, &self.shared.status);
        let accepted = tokio::select! {
            accepted = accepting => accepted,
            () = handshake.has_to_go() => return,
            () = place.has_to_go() => return,
        };
        drop(handshake);
        match accepted {
            Ok((stream, peer)) => self.talk(stream, peer, place).await,
            Err(failed) => {
                self.count(&failed);
                failed.close().await;
            }
        }
    }

    /// Whoever is refused is counted, and a judged one is worth a line.
    fn count(&self, failed: &Failed) {
        let Some(reason) = failed.judged else {
            self.shared.status.refused(Refusal::Handshake);
            tracing::debug!("admin: no TLS: {}", failed.error);
            return;
        };
        self.shared.status.refused(Refusal::Certificate);
        self.shared.throttle.log(Refusal::Certificate, reason.name());
    }

    async fn talk(self, stream: impl AsyncRead + AsyncWrite + Unpin, peer: Option<Peer>, place: Seat) {
        let router = TowerToHyperService::new(self.router);
        let place = &place;
        let service = service_fn(move |mut request: Request<Incoming>| {
            if let Some(peer) = &peer {
                request.extensions_mut().insert(peer.clone());
            }
            place.is_busy();
            let answer = router.call(request);
            async move {
                let answer = answer.await;
                place.waits();
                answer
            }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.head)
            .max_buf_size(HEAD_SIZE)
            .serve_connection(TokioIo::new(stream), service);
        let ended = tokio::select! {
            ended = tokio::time::timeout(LIFE, connection) => ended,
            () = place.has_to_go() => return tracing::debug!("admin: a connection made room for others"),
        };
        match ended {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!("admin: a connection failed: {error}"),
            Err(_) => tracing::debug!("admin: a connection grew too old"),
        }
    }
}
