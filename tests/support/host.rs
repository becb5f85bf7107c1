//! A host of CRLs and OCSP answers on loopback that goes, comes, keeps silent and lies.
#![expect(clippy::disallowed_methods, clippy::disallowed_types, reason = "tests are the other side")]

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// How it answers, whatever it is asked for.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    /// With these octets, and a tag.
    Crl(Vec<u8>, &'static str),
    /// With this, head and all, whether it is HTTP or not.
    Raw(Vec<u8>),
    /// With these octets, which would take an hour.
    Slow(Vec<u8>),
    /// Not at all, though it takes the connection.
    Silence,
    /// That it can't.
    Error,
    /// With something that has no end.
    Endless,
    /// That it is somewhere else, and so on for ever.
    Elsewhere,
    /// Nobody is asked any more.
    Over,
}

/// The host.
#[derive(Debug)]
pub(crate) struct Host {
    pub(crate) port: u16,
    answer: Arc<Mutex<Answer>>,
    thread: Option<JoinHandle<()>>,
}

impl Host {
    pub(crate) fn new(answer: Answer) -> Self {
        Self::at(0, answer)
    }

    pub(crate) fn at(port: u16, answer: Answer) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).expect("a port");
        let port = listener.local_addr().expect("it is bound").port();
        let answer = Arc::new(Mutex::new(answer));
        let told = Arc::clone(&answer);
        let thread = thread::spawn(move || serve(&listener, &told));
        Self { port, answer, thread: Some(thread) }
    }

    pub(crate) fn answers(&self, answer: Answer) {
        *lock(&self.answer) = answer;
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/ca.crl", self.port)
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.answers(Answer::Over);
        let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port));
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

fn lock(answer: &Mutex<Answer>) -> MutexGuard<'_, Answer> {
    answer.lock().expect("no test panics while it holds this")
}

fn serve(listener: &TcpListener, answer: &Mutex<Answer>) {
    let port = listener.local_addr().map_or(0, |address| address.port());
    // Connections that are never answered.
    let mut silent = Vec::new();
    for stream in listener.incoming().map_while(Result::ok) {
        let answer = lock(answer).clone();
        match answer {
            Answer::Over => return,
            Answer::Silence => silent.push(stream),
            // Whoever takes long keeps nobody else waiting. What goes wrong is the asker's affair.
            answer => drop(thread::spawn(move || respond(stream, port, &answer))),
        }
    }
}

fn respond(mut stream: TcpStream, port: u16, answer: &Answer) -> io::Result<()> {
    let mut request = [0; 4_096];
    let length = stream.read(&mut request)?;
    let asked = String::from_utf8_lossy(&request[..length]).to_lowercase();
    match answer {
        Answer::Crl(_, tag) if asked.contains(&format!("if-none-match: {tag}")) => {
            stream.write_all(b"HTTP/1.1 304 Not Modified\r\n\r\n")
        }
        Answer::Crl(octets, tag) => {
            let head = format!("HTTP/1.1 200 OK\r\nETag: {tag}\r\nContent-Length: {}\r\n\r\n", octets.len());
            stream.write_all(&[head.as_bytes(), octets].concat())
        }
        Answer::Raw(octets) => stream.write_all(octets),
        Answer::Slow(octets) => {
            write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", octets.len())?;
            octets.iter().try_for_each(|octet| {
                thread::sleep(Duration::from_millis(50));
                stream.write_all(&[*octet])
            })
        }
        Answer::Endless => {
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
            (0..256).try_for_each(|_| stream.write_all(&[0x30; 16_384]))
        }
        Answer::Elsewhere => write!(
            stream,
            "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:{port}/ca.crl\r\nContent-Length: 0\r\n\r\n"
        ),
        Answer::Error | Answer::Silence | Answer::Over => {
            stream.write_all(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")
        }
    }
}
