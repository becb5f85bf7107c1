//! The admin door, asked as plainly as possible.
#![expect(clippy::disallowed_types, reason = "tests are the other side")]

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// For a machine that compiles beside.
const PATIENCE: Duration = Duration::from_secs(30);

/// The whole answer to a GET at a port of 127.0.0.1.
pub(crate) fn get(port: u16, path: &str) -> io::Result<String> {
    get_with(port, path, "")
}

/// The same with more headers, each with its line's end.
pub(crate) fn get_with(port: u16, path: &str, headers: &str) -> io::Result<String> {
    ask(TcpStream::connect(("127.0.0.1", port))?, "GET", path, headers, "")
}

/// The whole answer to a request.
pub(crate) fn ask(mut stream: TcpStream, method: &str, path: &str, headers: &str, body: &str) -> io::Result<String> {
    stream.set_read_timeout(Some(PATIENCE))?;
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
    );
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}
