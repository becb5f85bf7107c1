//! A client of the API: one connection, one question after the other.

use std::io::{self, BufRead, BufReader, Write};
use std::net::TcpStream;

use serde_json::Value;

use super::PATIENCE;

/// An answer.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) status: u16,
    pub(crate) etag: Option<String>,
    pub(crate) body: Value,
    pub(crate) text: String,
}

impl Said {
    pub(crate) fn is_good(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// A good answer's body.
    pub(crate) fn good(self) -> Value {
        assert!(self.is_good(), "{}: {}", self.status, self.text);
        self.body
    }
}

/// Whoever asks; an operator.
pub(crate) struct Api {
    port: u16,
    stream: Option<BufReader<TcpStream>>,
}

impl Api {
    pub(crate) fn new(port: u16) -> Self {
        Self { port, stream: None }
    }

    /// Asks; an error: no answer came, whatever became of what was asked for.
    pub(crate) fn ask(&mut self, method: &str, path: &str, body: Option<Value>, headers: &str) -> io::Result<Said> {
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer operator\r\nContent-Type: application/json\r\nContent-Length: {}\r\n{headers}\r\n{body}",
            body.len()
        );
        if self.stream.is_none() {
            let stream = TcpStream::connect(("127.0.0.1", self.port))?;
            stream.set_read_timeout(Some(PATIENCE))?;
            stream.set_nodelay(true)?;
            self.stream = Some(BufReader::new(stream));
        }
        let stream = self.stream.as_mut().ok_or(io::ErrorKind::NotConnected)?;
        stream.get_mut().write_all(request.as_bytes())?;
        let (said, is_last) = read(stream)?;
        if is_last {
            self.stream = None;
        }
        Ok(said)
    }
}

/// An answer, and whether the connection ends with it.
fn read(stream: &mut impl BufRead) -> io::Result<(Said, bool)> {
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        match line.trim_end() {
            "" => break,
            line => head.push(line.to_owned()),
        }
    }
    let header = |name: &str| {
        let mut values = head.iter().filter_map(|line| line.split_once(": "));
        values.find(|(it, _)| it.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned())
    };
    let length = header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    let status =
        head.first().and_then(|line| line.split(' ').nth(1)?.parse().ok()).ok_or(io::ErrorKind::InvalidData)?;
    let text = String::from_utf8_lossy(&body).into_owned();
    let body = serde_json::from_str(&text).unwrap_or(Value::Null);
    let is_last = header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
    Ok((Said { status, etag: header("etag"), body, text }, is_last))
}
