//! URLs that can be fetched from, and the proxy's.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

use hyper::Uri;

use super::FetchError;
use super::address::may_connect;
use crate::exchange::Prefix;

/// Longest URL in octets: it comes from certificates and redirects.
const LONGEST: usize = 2048;

/// Longest name of a host in octets (RFC 1035 section 2.3.4).
const LONGEST_NAME: usize = 253;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Scheme {
    Http,
    Https,
}

impl Scheme {
    fn text(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

/// A host: what there is to connect to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Host {
    Address(IpAddr),
    /// ASCII letters (small), digits, `-`, `_` and `.`.
    Name(String),
}

impl Host {
    fn parse(text: &str) -> Result<Self, FetchError> {
        if let Some(inside) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            let address: Ipv6Addr = inside.parse().map_err(|_| BAD_HOST)?;
            return Ok(Self::Address(address.into()));
        }
        if let Ok(address) = text.parse::<IpAddr>() {
            return Ok(Self::Address(address));
        }
        let sound = |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_' | b'.');
        if text.is_empty() || text.len() > LONGEST_NAME || !text.bytes().all(sound) || is_number(text) {
            return Err(BAD_HOST);
        }
        Ok(Self::Name(text.to_ascii_lowercase()))
    }
}

/// Whether a resolver, a proxy's above all, may take it for an IPv4 address in one of the old ways of writing one: `127.1`, `0x7f000001`. No top-level domain is a number.
fn is_number(name: &str) -> bool {
    let last = name.strip_suffix('.').unwrap_or(name).rsplit('.').next().unwrap_or_default();
    let hex = last.strip_prefix("0x").or_else(|| last.strip_prefix("0X"));
    match hex {
        Some(digits) => digits.bytes().all(|octet| octet.is_ascii_hexdigit()),
        None => last.bytes().all(|octet| octet.is_ascii_digit()),
    }
}

const BAD_HOST: FetchError =
    FetchError::BadUrl("its host is neither a name of ASCII letters, digits, `-` and `.` nor an address");

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(IpAddr::V6(address)) => write!(f, "[{address}]"),
            Self::Address(address) => address.fmt(f),
            Self::Name(name) => f.write_str(name),
        }
    }
}

/// An absolute http or https URL without user or fragment. Those that mean the same in scheme, host and port are equal.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Url {
    pub(super) scheme: Scheme,
    pub(super) host: Host,
    pub(super) port: u16,
    /// Path and query: what an origin server is asked for.
    pub(super) target: String,
}

impl Url {
    /// # Errors
    ///
    /// [`FetchError::BadUrl`]
    pub(crate) fn parse(text: &str) -> Result<Self, FetchError> {
        let bad = |why| Err(FetchError::BadUrl(why));
        if text.len() > LONGEST {
            return bad("it is too long");
        }
        // It is shown to people as it is.
        if !text.bytes().all(|octet| octet.is_ascii_graphic()) {
            return bad("it holds what is not printable ASCII");
        }
        if text.contains('#') {
            return bad("it has a fragment");
        }
        let Ok(uri) = text.parse::<Uri>() else { return bad("it is not well-formed") };
        let scheme = match uri.scheme_str() {
            Some(scheme) if scheme.eq_ignore_ascii_case("http") => Scheme::Http,
            Some(scheme) if scheme.eq_ignore_ascii_case("https") => Scheme::Https,
            _ => return bad("it must begin with http:// or https://"),
        };
        let Some(authority) = uri.authority() else { return bad("it has no host") };
        if authority.as_str().contains('@') {
            return bad("it names a user");
        }
        let host = Host::parse(authority.host())?;
        // `http://host:/` is well-formed and means the default (RFC 3986 section 3.2.3).
        let port = match authority.as_str().rsplit_once(':') {
            Some((_, digits)) if !digits.is_empty() && !digits.ends_with(']') => {
                digits.parse().ok().filter(|port| *port != 0).ok_or(FetchError::BadUrl("its port is none"))?
            }
            _ => scheme.default_port(),
        };
        let target = uri.path_and_query().map_or("/", |target| target.as_str());
        let target = if target.starts_with('/') { target.to_owned() } else { format!("/{target}") };
        Ok(Self { scheme, host, port, target })
    }

    /// The address in it, if it is one that may not be connected to.
    pub(crate) fn forbidden_address(&self, allow: &[Prefix]) -> Option<IpAddr> {
        match self.host {
            Host::Address(address) if !may_connect(address, allow) => Some(address),
            _ => None,
        }
    }

    /// With more at the end of its path, as one more step. `None`: it has a query, or would be too long.
    pub(super) fn joined(&self, step: &str) -> Option<Self> {
        if self.target.contains('?') {
            return None;
        }
        let slash = if self.target.ends_with('/') { "" } else { "/" };
        let joined = Self { target: format!("{}{slash}{step}", self.target), ..self.clone() };
        (joined.to_string().len() <= LONGEST).then_some(joined)
    }

    /// Where a `Location` of this URL's answer leads (RFC 9110 section 10.2.2): never from https to http, never to another scheme.
    pub(super) fn redirected(&self, location: &str) -> Result<Self, FetchError> {
        let location = location.split('#').next().unwrap_or_default();
        let to = Self::parse(&self.resolve(location)).map_err(|error| match error {
            FetchError::BadUrl(why) => FetchError::ForbiddenRedirect(why),
            other => other,
        })?;
        match (self.scheme, to.scheme) {
            (Scheme::Https, Scheme::Http) => Err(FetchError::ForbiddenRedirect("it leads from https to http")),
            _ => Ok(to),
        }
    }

    /// A reference, made absolute (RFC 3986 section 5.2.2), dots left to the server.
    fn resolve(&self, reference: &str) -> String {
        let scheme = self.scheme.text();
        let path = self.target.split('?').next().unwrap_or_default();
        if has_scheme(reference) {
            return reference.to_owned();
        }
        if reference.starts_with("//") {
            return format!("{scheme}:{reference}");
        }
        let origin = format!("{scheme}://{}", self.authority());
        match reference.chars().next() {
            None => format!("{origin}{}", self.target),
            Some('/') => format!("{origin}{reference}"),
            Some('?') => format!("{origin}{path}{reference}"),
            Some(_) => {
                let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
                format!("{origin}{folder}/{reference}")
            }
        }
    }

    /// Host and port, the port only where it isn't the scheme's own.
    pub(super) fn authority(&self) -> String {
        if self.port == self.scheme.default_port() {
            self.host.to_string()
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

/// Whether a reference begins with a scheme (RFC 3986 section 3.1).
fn has_scheme(reference: &str) -> bool {
    let Some((scheme, _)) = reference.split_once(':') else { return false };
    scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", self.scheme.text(), self.authority(), self.target)
    }
}

/// A proxy: `http://host:port`. It is the administrator's, so its address is not checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Proxy {
    pub(super) host: Host,
    pub(super) port: u16,
}

impl Proxy {
    /// # Errors
    ///
    /// [`FetchError::BadUrl`]
    pub(crate) fn parse(text: &str) -> Result<Self, FetchError> {
        match Url::parse(text)? {
            Url { scheme: Scheme::Http, host, port, target } if target == "/" => Ok(Self { host, port }),
            _ => Err(FetchError::BadUrl("a proxy is http://host:port and no more")),
        }
    }
}
