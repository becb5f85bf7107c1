//! A client among strangers.

mod addresses;
mod ocsp;
mod secure;
pub(in crate::fetch) mod server;
mod strangers;
mod urls;

use std::time::Duration;

use rustls::RootCertStore;
use server::Server;

use super::{Client, Conditions, FetchError, Fetched, Proxy, Settings, Url};
use crate::exchange::Prefix;

/// Long enough for a server that answers.
const PATIENCE: Duration = Duration::from_secs(5);

/// Too long for nobody: what a server that doesn't answer costs a test.
const IMPATIENCE: Duration = Duration::from_millis(200);

/// Longest body in these tests, in octets.
const MAX_SIZE: u64 = 1000;

fn prefix(text: &str) -> Prefix {
    let (address, bits) = text.split_once('/').expect("address/bits");
    Prefix::new(address.parse().expect("an address"), bits.parse().expect("bits")).expect("a prefix")
}

/// Loopback is allowed.
fn settings() -> Settings {
    Settings { timeout: PATIENCE, max_size: MAX_SIZE, proxy: None, allow: vec![prefix("127.0.0.0/8")] }
}

fn client(settings: Settings) -> Client {
    Client::with_roots(settings, RootCertStore::empty()).expect("it needs no TLS")
}

fn impatient() -> Client {
    client(Settings { timeout: IMPATIENCE, ..settings() })
}

fn through(proxy: &Server) -> Option<Proxy> {
    Some(Proxy::parse(&format!("http://127.0.0.1:{}", proxy.port)).expect("a proxy"))
}

fn url(text: &str) -> Url {
    Url::parse(text).expect("a URL")
}

async fn get_with(client: &Client, text: &str) -> Result<Fetched, FetchError> {
    client.get(&url(text), &Conditions::default()).await
}

async fn get(server: &Server) -> Result<Fetched, FetchError> {
    get_with(&client(settings()), &server.url()).await
}

/// What one answer comes to.
async fn got(answer: &str) -> Result<Fetched, FetchError> {
    get(&Server::answering(&[answer]).await).await
}

fn body(text: &str) -> Result<Fetched, FetchError> {
    Ok(Fetched::Body { octets: text.as_bytes().to_vec(), etag: None, last_modified: None })
}
