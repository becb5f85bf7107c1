//! The admin door, asked as plainly as possible.
#![expect(clippy::disallowed_types, reason = "tests are the other side")]

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// The whole answer to a GET at a port of 127.0.0.1.
pub(crate) fn get(port: u16, path: &str) -> io::Result<String> {
    get_with(port, path, "")
}

/// The same with more headers, each with its line's end.
pub(crate) fn get_with(port: u16, path: &str, headers: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}
