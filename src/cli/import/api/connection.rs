//! The way to the API: connections that are kept from one request to the next.

use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::Request;
use hyper::body::Bytes;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue, RETRY_AFTER, USER_AGENT};
use hyper_util::rt::TokioIo;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::Wish;
use super::answer::Answer;
use super::target::Target;
use crate::observe::visible;

/// For one address.
const TIME: Duration = Duration::from_secs(10);
/// Longest answer that is read, in octets.
const LONGEST: usize = 256 << 10;
/// What we call ourselves.
const OUR_NAME: &str = concat!("sekisho/", env!("CARGO_PKG_VERSION"));

/// A request that had no answer.
#[derive(Debug)]
pub(super) struct Fault {
    /// For people.
    pub(super) why: String,
    /// Whether it makes sense to try again.
    pub(super) may_pass: bool,
}

impl Fault {
    pub(super) fn passing(why: String) -> Self {
        Self { why, may_pass: true }
    }

    fn lasting(why: String) -> Self {
        Self { why, may_pass: false }
    }
}

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Makes connections to one target.
pub(in super::super) struct Connector {
    target: Target,
    tls: Option<(TlsConnector, ServerName<'static>)>,
}

impl Connector {
    /// `roots`: authorities in DER that the API's certificate may come from; `None`: those of the system.
    pub(in super::super) fn new(target: Target, roots: Option<&[Vec<u8>]>) -> Result<Self, String> {
        let tls = match target.is_secure {
            false => None,
            true => {
                let name = ServerName::try_from(target.host.clone());
                let name = name.map_err(|_| format!("{target}: no certificate can be for such a host"))?;
                Some((tls(roots)?, name))
            }
        };
        Ok(Self { target, tls })
    }

    pub(super) fn target(&self) -> &Target {
        &self.target
    }

    pub(super) async fn connect(&self) -> Result<Connection, Fault> {
        let target = &self.target;
        let stream = self.stream().await?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| Fault::passing(format!("{target}: {}", visible(&error.to_string()))))?;
        // It ends with the sender; what goes wrong the request is told.
        tokio::spawn(connection);
        Ok(Connection(sender))
    }

    async fn stream(&self) -> Result<Box<dyn Stream>, Fault> {
        let target = &self.target;
        let stream = self.tcp().await?;
        // Requests are short, and each waits for its answer. Without it they are only slower.
        let _ = stream.set_nodelay(true);
        let Some((tls, name)) = &self.tls else { return Ok(Box::new(stream)) };
        match tls.connect(name.clone(), stream).await {
            Ok(stream) => Ok(Box::new(stream)),
            Err(error) => {
                let why = format!("{target}: {}", visible(&error.to_string()));
                Err(match error.get_ref().is_some_and(|inner| inner.is::<rustls::Error>()) {
                    true => Fault::lasting(format!("{why}; --ca FILE names who issued its certificate")),
                    false => Fault::passing(why),
                })
            }
        }
    }

    async fn tcp(&self) -> Result<TcpStream, Fault> {
        let target = &self.target;
        let found = lookup_host((target.host.as_str(), target.port)).await;
        let addresses: Vec<_> = found.map_err(|error| Fault::passing(format!("{target}: {error}")))?.collect();
        if !target.is_secure && !addresses.iter().all(|address| address.ip().to_canonical().is_loopback()) {
            return Err(Fault::lasting(format!("{target}: the token would cross the network in clear; use https")));
        }
        let mut why = format!("{target}: it has no address");
        for address in addresses {
            match timeout(TIME, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(error)) => why = format!("{target}: {error}"),
                Err(_) => why = format!("{target}: nobody answers at {address}"),
            }
        }
        Err(Fault::passing(why))
    }
}

/// A connection to the API.
pub(in super::super) struct Connection(SendRequest<Full<Bytes>>);

impl Connection {
    /// One request and its answer.
    pub(super) async fn ask(&mut self, target: &Target, token: &HeaderValue, wish: &Wish) -> Result<Answer, Fault> {
        let broken = |error: &dyn std::fmt::Display| Fault::passing(format!("{target}: {error}"));
        let (request, body) = match wish {
            Wish::Register(body) => (Request::post(target.certificates()), body.clone()),
            Wish::Columns => (Request::get(target.columns()), Bytes::new()),
            Wish::Enrol { user, replace } => {
                (Request::post(target.otp(user)), serde_json::json!({ "replace": replace }).to_string().into())
            }
            Wish::Unenrol { user } => (Request::delete(target.otp(user)), Bytes::new()),
        };
        let request = request
            .header(HOST, target.authority())
            .header(USER_AGENT, OUR_NAME)
            .header(AUTHORIZATION, token)
            .header(ACCEPT, "application/json, application/problem+json")
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(body))
            .map_err(|_| Fault::lasting(format!("{target}: it is no URL of an API")))?;
        self.0.ready().await.map_err(|error| broken(&error))?;
        let response = self.0.send_request(request).await.map_err(|error| broken(&error))?;
        let (head, body) = response.into_parts();
        let retry_after = head.headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
        // The connection can be used again only if all of it was read.
        let body = Limited::new(body, LONGEST).collect().await.map_err(|error| broken(&error))?.to_bytes();
        Ok(Answer { status: head.status, retry_after: retry_after.map(Duration::from_secs), body })
    }
}

fn tls(roots: Option<&[Vec<u8>]>) -> Result<TlsConnector, String> {
    let mut store = RootCertStore::empty();
    match roots {
        None => drop(store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs)),
        Some(roots) => {
            for root in roots {
                let added = store.add(CertificateDer::from(root.as_slice()));
                added.map_err(|error| format!("--ca: {error}"))?;
            }
        }
    }
    let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(store)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}
