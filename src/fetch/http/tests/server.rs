//! The other side: a server that does what a test wants, over loopback.

use std::net::Ipv4Addr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

pub(in crate::fetch) type Serving = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A server that runs as long as the test's runtime does.
pub(in crate::fetch) struct Server {
    pub(in crate::fetch) port: u16,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Server {
    /// Every connection is handed on, unread.
    pub(in crate::fetch) async fn raw(serve: impl Fn(TcpStream) -> Serving + Send + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port is free");
        let port = listener.local_addr().expect("it is bound").port();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream));
            }
        });
        Self { port, heads: Arc::default() }
    }

    /// Reads a request's head, and hands it on with the number of those before.
    pub(in crate::fetch) async fn handling(
        handle: impl Fn(TcpStream, String, usize) -> Serving + Send + Sync + 'static,
    ) -> Self {
        let heads = Arc::<Mutex<Vec<String>>>::default();
        let (seen, handle) = (Arc::clone(&heads), Arc::new(handle));
        let serve = move |mut stream: TcpStream| -> Serving {
            let (seen, handle) = (Arc::clone(&seen), Arc::clone(&handle));
            Box::pin(async move {
                let head = head(&mut stream).await;
                let number = {
                    let mut seen = seen.lock().expect("nobody panics");
                    seen.push(head.clone());
                    seen.len() - 1
                };
                handle(stream, head, number).await;
            })
        };
        Self { heads, ..Self::raw(serve).await }
    }

    /// Gives the n-th request the n-th answer, or the last, and closes.
    pub(in crate::fetch) async fn answering(answers: &[&str]) -> Self {
        let answers: Vec<String> = answers.iter().map(ToString::to_string).collect();
        Self::handling(move |mut stream, _, number| {
            let answer = answers[number.min(answers.len() - 1)].clone();
            Box::pin(async move { send(&mut stream, answer.as_bytes()).await })
        })
        .await
    }

    /// A head and then these octets again and again, until the client is gone.
    pub(in crate::fetch) async fn endless(head: &'static str, again: &'static [u8]) -> Self {
        Self::handling(move |mut stream, _, _| {
            Box::pin(async move {
                send(&mut stream, head.as_bytes()).await;
                while stream.write_all(again).await.is_ok() {}
            })
        })
        .await
    }

    /// The same with pauses.
    pub(in crate::fetch) async fn endless_slowly(head: &'static str, again: &'static [u8], pause: Duration) -> Self {
        Self::handling(move |mut stream, _, _| {
            Box::pin(async move {
                send(&mut stream, head.as_bytes()).await;
                while stream.write_all(again).await.is_ok() {
                    tokio::time::sleep(pause).await;
                }
            })
        })
        .await
    }

    pub(in crate::fetch) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/ca.crl", self.port)
    }

    /// The heads of all requests.
    pub(in crate::fetch) fn heads(&self) -> Vec<String> {
        self.heads.lock().expect("nobody panics").clone()
    }
}

/// A request's head, with the empty line.
pub(in crate::fetch) async fn head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(octet) => head.push(octet),
            Err(_) => break,
        }
    }
    String::from_utf8(head).expect("requests are ASCII")
}

/// The client may have seen enough.
pub(in crate::fetch) async fn send(stream: &mut (impl AsyncWriteExt + Unpin), octets: &[u8]) {
    drop(stream.write_all(octets).await);
    drop(stream.flush().await);
}
