//! Why nothing was fetched.

use std::fmt;
use std::net::IpAddr;

/// Why nothing was fetched. It holds no words of the other side, so it may be logged as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum FetchError {
    /// Not a URL that can be fetched, and why.
    BadUrl(&'static str),
    /// The name has no address, or can't be asked for.
    Name,
    /// The only addresses are such that nobody outside may make us connect to; the first of them.
    Forbidden(IpAddr),
    /// No address takes the connection.
    Connect,
    /// The proxy takes no connection.
    NoProxy,
    /// The proxy leads no further; its status.
    Proxy(u16),
    /// This system has no roots to verify the server with.
    NoRoots,
    /// The server isn't who the URL names, or speaks no TLS that we do; which.
    Tls(&'static str),
    /// Not done in time.
    Timeout,
    /// More octets than are taken.
    TooLong,
    /// A status that says nothing was found.
    Status(u16),
    /// More redirects than are followed.
    TooManyRedirects,
    /// A redirect to what isn't followed, and why.
    ForbiddenRedirect(&'static str),
    /// A body that has to be unpacked, which we asked not to be sent.
    Encoded,
    /// Not HTTP, or it broke off.
    Protocol,
}

impl FetchError {
    /// For the label `result` of a metric: one of a closed list.
    pub(crate) fn label(&self) -> &'static str {
        match self {
            Self::BadUrl(_) => "bad-url",
            Self::Name => "name",
            Self::Forbidden(_) => "forbidden-address",
            Self::Connect => "connect",
            Self::NoProxy | Self::Proxy(_) => "proxy",
            Self::NoRoots | Self::Tls(_) => "tls",
            Self::Timeout => "timeout",
            Self::TooLong => "too-long",
            Self::Status(_) => "status",
            Self::TooManyRedirects | Self::ForbiddenRedirect(_) => "redirect",
            Self::Encoded | Self::Protocol => "protocol",
        }
    }

    /// Whether the server says that it doesn't know the method or the URL, rather than that it is unwell.
    pub(crate) fn refuses_method(&self) -> bool {
        matches!(self, Self::Status(400 | 404 | 405 | 414 | 501))
    }
}

impl fmt::Display for FetchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadUrl(why) => write!(f, "not a URL to fetch from: {why}"),
            Self::Name => f.write_str("the host's name has no address"),
            Self::Forbidden(address) => {
                write!(f, "the host's address {address} is not a public one, and `allow` in [fetch] doesn't name it")
            }
            Self::Connect => f.write_str("the host takes no connection"),
            Self::NoProxy => f.write_str("`proxy` of [fetch] takes no connection"),
            Self::Proxy(status) => write!(f, "the proxy answers {status}"),
            Self::NoRoots => f.write_str("https needs the system's root certificates, and there are none"),
            Self::Tls(why) => write!(f, "TLS failed: {why}"),
            Self::Timeout => f.write_str("not done within `timeout` of [fetch]"),
            Self::TooLong => f.write_str("longer than `max-size` of [fetch]"),
            Self::Status(status) => write!(f, "the server answers {status}"),
            Self::TooManyRedirects => f.write_str("too many redirects"),
            Self::ForbiddenRedirect(why) => write!(f, "a redirect that is not followed: {why}"),
            Self::Encoded => f.write_str("the body is compressed, which was not asked for"),
            Self::Protocol => f.write_str("the answer is not sound HTTP, or broke off"),
        }
    }
}

impl std::error::Error for FetchError {}
