//! A directory of one test's own, and loopback ports of its own.
#![expect(clippy::disallowed_types, reason = "a port is free if it can be bound")]

use std::fs;
use std::net::{TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

/// Counts what must not be shared between the tests of this process: directories, ports, namespaces.
static NEXT: AtomicU32 = AtomicU32::new(0);

/// A number that no other caller in this process gets.
pub(crate) fn unique() -> u32 {
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// A directory that goes away with the test.
#[derive(Debug)]
pub(crate) struct Scratch {
    path: PathBuf,
}

impl Scratch {
    pub(crate) fn new() -> Self {
        let path = std::env::temp_dir().join(format!("sekisho-test-{}-{}", process::id(), unique()));
        fs::create_dir_all(&path).unwrap_or_else(|e| panic!("no scratch directory {}: {e}", path.display()));
        Self { path }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a file, directories on the way included, and says where it is.
    pub(crate) fn write(&self, name: &str, contents: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path.join(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).expect("a directory in the scratch directory");
        }
        fs::write(&path, contents).unwrap_or_else(|e| panic!("can't write {}: {e}", path.display()));
        path
    }

    /// Replaces a file as administrators' tools do: written beside it, renamed over it.
    pub(crate) fn replace(&self, name: &str, contents: impl AsRef<[u8]>) {
        let fresh = self.write(&format!("{name}.new"), contents);
        fs::rename(fresh, self.path.join(name)).expect("a rename within the scratch directory");
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// A port of 127.0.0.1 that nobody has, over UDP and TCP. Below the range from which the kernel takes the ports of
/// clients, so that no supplicant running beside takes it before its server does.
pub(crate) fn free_port() -> u16 {
    const FIRST: u32 = 20_000;
    const SPAN: u32 = 12_000;
    for _ in 0..SPAN {
        let offset = process::id().wrapping_mul(61).wrapping_add(unique()) % SPAN;
        let port = u16::try_from(FIRST + offset).expect("below 65536");
        if UdpSocket::bind(("127.0.0.1", port)).is_ok() && TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
    panic!("no free port on 127.0.0.1");
}
