//! Foreign programs and the server as child processes: started with a log of their own, ended with their test.
#![expect(clippy::disallowed_methods, reason = "processes take their time")]

use std::fs::{self, File};
use std::io;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::scratch::{Scratch, unique};

/// How long a process may take until it is ready: generous, for a machine that compiles beside.
const READY: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(20);

/// Where a process lives.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Place<'a> {
    Host,
    /// In the network namespace of this name.
    Namespace(&'a str),
}

impl Place<'_> {
    /// A command whose process ends with the thread that started it, even if the test binary is killed.
    /// `program` may stand in `/usr/sbin`, which isn't on everybody's PATH.
    pub(crate) fn command(self, program: &str) -> Command {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL"]).stdin(Stdio::null());
        if let Self::Namespace(name) = self {
            command.arg(locate("ip")).args(["netns", "exec", name]);
        }
        command.arg(locate(program));
        command
    }

    /// The same for a program that would keep its log back until it ends, were it not written line by line.
    pub(crate) fn command_by_lines(self, program: &str) -> Command {
        let mut command = self.command("stdbuf");
        command.arg("-oL").arg(locate(program));
        command
    }
}

/// A network namespace of this test's own, with a loopback.
#[derive(Debug)]
pub(crate) struct Namespace {
    name: String,
}

impl Namespace {
    pub(crate) fn new(role: &str) -> Self {
        let name = format!("sekisho-{role}-{}-{}", std::process::id(), unique());
        let made = ip().args(["netns", "add", &name]).output().expect("ip");
        let complaint = String::from_utf8_lossy(&made.stderr);
        assert!(made.status.success(), "this test needs root, to make network namespaces: {complaint}");
        let namespace = Self { name };
        must(ip().args(["-n", &namespace.name, "link", "set", "lo", "up"]));
        namespace
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// A cable from `near` in here to `far` in `other`.
    pub(crate) fn cable(&self, near: &str, other: &Self, far: &str) {
        let veth = ["link", "add", near, "type", "veth", "peer", "name", far, "netns", &other.name];
        must(ip().args(["-n", &self.name]).args(veth));
        must(ip().args(["-n", &self.name, "link", "set", near, "up"]));
        must(ip().args(["-n", &other.name, "link", "set", far, "up"]));
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = ip().args(["netns", "del", &self.name]).output();
    }
}

fn ip() -> Command {
    Command::new(locate("ip"))
}

/// Where a program is; a peer that is missing fails the test with a sentence.
fn locate(program: &str) -> PathBuf {
    if program.contains('/') {
        return program.into();
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/sbin".into()])
        .map(|directory: PathBuf| directory.join(program))
        .find(|candidate| candidate.is_file())
        .unwrap_or_else(|| {
            panic!("{program} is not installed: this test talks to it. tests/run installs what is needed")
        })
}

/// Runs a command to its end within `limit`.
pub(crate) fn run(command: &mut Command, limit: Duration) -> Output {
    let scratch = Scratch::new();
    let mut process = Process::start("command", command, &scratch);
    let status = process.wait(limit);
    let read = |name| fs::read(scratch.path().join(name)).unwrap_or_default();
    Output { status, stdout: read("command.out"), stderr: read("command.err") }
}

/// Runs a short command that has to succeed.
pub(crate) fn must(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|e| panic!("{command:?}: {e}"));
    assert!(output.status.success(), "{command:?}: {}\n{}", output.status, String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A child process in a group of its own; that group, and nothing else, is killed when this goes away. After a failure
/// its log is shown.
#[derive(Debug)]
pub(crate) struct Process {
    name: String,
    child: Child,
    out: PathBuf,
    err: PathBuf,
}

impl Process {
    pub(crate) fn start(name: &str, command: &mut Command, scratch: &Scratch) -> Self {
        let [out, err] = ["out", "err"].map(|kind| scratch.path().join(format!("{name}.{kind}")));
        let create = |path| File::create(path).expect("a log in the scratch directory");
        let child = command
            .process_group(0)
            .stdout(create(&out))
            .stderr(create(&err))
            .spawn()
            .unwrap_or_else(|e| panic!("{name} doesn't start ({command:?}): {e}"));
        Self { name: name.to_owned(), child, out, err }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it wrote to stdout so far.
    pub(crate) fn stdout(&self) -> String {
        read(&self.out)
    }

    /// Everything that it wrote so far: stdout, then stderr.
    pub(crate) fn log(&self) -> String {
        read(&self.out) + &read(&self.err)
    }

    /// Waits until `ready` holds; `what` completes "… is not" in the complaint.
    pub(crate) fn wait_until(&mut self, what: &str, mut ready: impl FnMut(&Self) -> bool) {
        let begun = Instant::now();
        while !ready(self) {
            if let Ok(Some(status)) = self.child.try_wait() {
                panic!("{} has ended ({status}) and is not {what}", self.name);
            }
            assert!(begun.elapsed() < READY, "{} is not {what} after {READY:?}:\n{}", self.name, self.log());
            thread::sleep(POLL);
        }
    }

    /// Waits until it has bound this UDP port, in whatever network namespace it lives.
    pub(crate) fn wait_bound(&mut self, port: u16) {
        let wanted = format!(":{port:04X} ");
        self.wait_until(&format!("bound to UDP port {port}"), |process| {
            let table = read(&format!("/proc/{}/net/udp", process.id()).into());
            table.lines().any(|line| {
                line.split_once(": ").is_some_and(|(_, rest)| {
                    rest.split_once(' ').is_some_and(|(local, _)| format!("{local} ").ends_with(&wanted))
                })
            })
        });
    }

    /// Waits for its end; not to have ended within `limit` is a failure.
    pub(crate) fn wait(&mut self, limit: Duration) -> ExitStatus {
        let begun = Instant::now();
        loop {
            match self.child.try_wait() {
                Ok(Some(status)) => return status,
                Ok(None) if begun.elapsed() < limit => thread::sleep(POLL),
                Ok(None) => panic!("{} has not ended after {limit:?}:\n{}", self.name, tail(&self.log())),
                Err(e) => panic!("{}: {e}", self.name),
            }
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Children of the child too: `demo` runs the server. The id can't be anybody else's yet: it is not waited for.
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = Command::new("sh").args(["-c", &format!("kill -s KILL -- -{}", self.id())]).status();
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            eprintln!("---- log of {} ----\n{}\n----", self.name, tail(&self.log()));
        }
    }
}

fn read(path: &PathBuf) -> String {
    match fs::read(path) {
        Ok(octets) => String::from_utf8_lossy(&octets).into_owned(),
        Err(e) if e.kind() == io::ErrorKind::NotFound => String::new(),
        Err(e) => panic!("can't read {}: {e}", path.display()),
    }
}

/// The last lines of a log: enough to see why, not so much that nobody looks.
pub(crate) fn tail(log: &str) -> String {
    const LINES: usize = 120;
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(LINES)..].join("\n")
}
