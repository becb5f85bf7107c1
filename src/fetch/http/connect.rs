//! The way to a host.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::Empty;
use hyper::Request;
use hyper::body::Bytes;
use hyper::header::{HOST, USER_AGENT};
use hyper_util::rt::TokioIo;
use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::ServerName;
use rustls::{CertificateError, ClientConfig, RootCertStore};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::request::{self, Form, OUR_NAME, Stream, Way, broken, driven};
use super::url::{Host, Proxy, Scheme, Url};
use super::{FetchError, address};
use crate::exchange::Prefix;

/// Opens connections.
pub(super) struct Connector {
    proxy: Option<Proxy>,
    allow: Vec<Prefix>,
    tls: Option<TlsConnector>,
}

/// The roots that the system trusts. Those that can't be read or are none are left out.
pub(super) fn system_roots() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    roots
}

impl Connector {
    pub(super) fn new(proxy: Option<Proxy>, allow: Vec<Prefix>, roots: RootCertStore) -> Result<Self, String> {
        let tls = if roots.is_empty() { None } else { Some(tls(roots)?) };
        Ok(Self { proxy, allow, tls })
    }

    /// A connection on which `url` can be asked for. `within`: what there is of time, to be shared out among addresses; who calls sees to it that it isn't exceeded.
    pub(super) async fn connect(&self, url: &Url, within: Duration) -> Result<Way, FetchError> {
        let (stream, form) = match &self.proxy {
            None => (self.direct(url, within).await?, Form::Origin),
            Some(proxy) => {
                let stream = self.to_proxy(proxy, url, within).await?;
                match url.scheme {
                    Scheme::Http => (stream, Form::Absolute),
                    Scheme::Https => (tunnel(stream, url).await?, Form::Origin),
                }
            }
        };
        match url.scheme {
            Scheme::Http => Ok(Way { stream, form }),
            Scheme::Https => Ok(Way { stream: self.secured(stream, url).await?, form }),
        }
    }

    /// To the host itself, at an address that was checked: the name isn't looked up again.
    async fn direct(&self, url: &Url, within: Duration) -> Result<Box<dyn Stream>, FetchError> {
        let found = addresses(&url.host, url.port).await?;
        let (allowed, forbidden): (Vec<_>, Vec<_>) =
            found.into_iter().partition(|found| address::may_connect(found.ip(), &self.allow));
        match (allowed.is_empty(), forbidden.first()) {
            (true, Some(forbidden)) => Err(FetchError::Forbidden(forbidden.ip())),
            _ => first_of(&allowed, within).await,
        }
    }

    /// To the proxy, who looks up the name. An address in the URL needs no looking up: it is checked here as well.
    async fn to_proxy(&self, proxy: &Proxy, url: &Url, within: Duration) -> Result<Box<dyn Stream>, FetchError> {
        if let Host::Address(address) = url.host
            && !address::may_connect(address, &self.allow)
        {
            return Err(FetchError::Forbidden(address));
        }
        let found = addresses(&proxy.host, proxy.port).await.map_err(|_| FetchError::NoProxy)?;
        first_of(&found, within).await.map_err(|_| FetchError::NoProxy)
    }

    async fn secured(&self, stream: Box<dyn Stream>, url: &Url) -> Result<Box<dyn Stream>, FetchError> {
        let tls = self.tls.as_ref().ok_or(FetchError::NoRoots)?;
        let stream =
            tls.connect(server_name(&url.host)?, stream).await.map_err(|error| FetchError::Tls(reason(&error)))?;
        Ok(Box::new(stream))
    }
}

/// The first that takes the connection. None may use up all the time while others are left.
async fn first_of(addresses: &[SocketAddr], within: Duration) -> Result<Box<dyn Stream>, FetchError> {
    let share = within / u32::try_from(addresses.len()).unwrap_or(u32::MAX).clamp(1, 4);
    for address in addresses {
        if let Ok(Ok(stream)) = timeout(share, TcpStream::connect(address)).await {
            return Ok(Box::new(stream));
        }
    }
    Err(FetchError::Connect)
}

/// All addresses of a host, as the system's resolver orders them; never none.
async fn addresses(host: &Host, port: u16) -> Result<Vec<SocketAddr>, FetchError> {
    let found: Vec<_> = match host {
        Host::Address(address) => return Ok(vec![SocketAddr::new(*address, port)]),
        Host::Name(name) => lookup_host((name.as_str(), port)).await.map_err(|_| FetchError::Name)?.collect(),
    };
    if found.is_empty() { Err(FetchError::Name) } else { Ok(found) }
}

/// Has a proxy connect to the host of `url` (RFC 9110 section 9.3.6).
async fn tunnel(stream: Box<dyn Stream>, url: &Url) -> Result<Box<dyn Stream>, FetchError> {
    let authority = format!("{}:{}", url.host, url.port);
    let request = Request::connect(&authority).header(HOST, &authority).header(USER_AGENT, OUR_NAME);
    let request = request.body(Empty::<Bytes>::new()).map_err(|_| FetchError::BadUrl("it is not well-formed"))?;
    let (mut sender, connection) = request::settings().handshake(TokioIo::new(stream)).await.map_err(broken)?;
    let agreed = async {
        let response = sender.send_request(request).await.map_err(broken)?;
        if !response.status().is_success() {
            return Err(FetchError::Proxy(response.status().as_u16()));
        }
        hyper::upgrade::on(response).await.map_err(broken)
    };
    let upgraded = driven(agreed, connection.with_upgrades()).await?;
    Ok(Box::new(TokioIo::new(upgraded)))
}

fn server_name(host: &Host) -> Result<ServerName<'static>, FetchError> {
    match host {
        Host::Address(address) => Ok(ServerName::from(*address)),
        Host::Name(name) => {
            ServerName::try_from(name.clone()).map_err(|_| FetchError::Tls("no certificate can be for such a host"))
        }
    }
}

/// What a handshake failed of, in words of ours.
fn reason(error: &io::Error) -> &'static str {
    let Some(error) = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) else {
        return "the server ends the connection";
    };
    match error {
        rustls::Error::InvalidCertificate(error) => match error {
            CertificateError::UnknownIssuer => "no root that this system trusts has issued the server's certificate",
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                "the server's certificate is for another host"
            }
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                "the server's certificate has expired"
            }
            _ => "the server's certificate is no good",
        },
        rustls::Error::AlertReceived(_) => "the server refuses the handshake",
        _ => "the server speaks no TLS that is understood here",
    }
}

fn tls(roots: RootCertStore) -> Result<TlsConnector, String> {
    let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}
