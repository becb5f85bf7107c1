//! Programs of Debian 13, out of roots that `tests/run` has unpacked: each in a mount namespace of its own, with a `/run`, an `/etc` and a directory that nobody else sees.

use std::env;
use std::path::PathBuf;
use std::process::Command;

use crate::process::{Place, Process};
use crate::scratch::Scratch;

/// Where they see their scratch directory.
pub(crate) const HERE: &str = "/srv";
/// In a mount namespace, which `ip netns exec` makes: process ids and sockets lie in /run, at places that no setting changes. What lies in `etc` of the scratch directory goes before what the packages have.
const BEGIN: &str = r#"for host in dev proc; do mount --bind /$host "$1/$host" || exit; done
mount -t tmpfs none "$1/run" && mount --bind "$2" "$1/srv" || exit
if [ -d "$2/etc" ]; then
  cp -a "$1/etc" "$2/all" && cp -a "$2/etc/." "$2/all" && mount --bind "$2/all" "$1/etc" || exit
fi
root=$1
shift 2
exec chroot "$root" "$@""#;

/// Such a root.
#[derive(Debug)]
pub(crate) struct Root(PathBuf);

impl Root {
    /// The one of this name, unless a variable of the environment names another.
    pub(crate) fn new(name: &str, variable: &str) -> Self {
        let here = || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/target")).join(name);
        Self(env::var_os(variable).map_or_else(here, PathBuf::from))
    }

    /// A program of it, in a network namespace.
    pub(crate) fn command(&self, namespace: &str, scratch: &Scratch, program: &str) -> Command {
        let there = self.0.join(program.trim_start_matches('/'));
        assert!(there.is_file(), "{} is missing: this test talks to it. tests/run downloads it", there.display());
        let mut command = Place::Namespace(namespace).command("sh");
        command.args(["-c", BEGIN, "sh"]).arg(&self.0).arg(scratch.path()).arg(program);
        command
    }
}

/// Where they see a file of their scratch directory.
pub(crate) fn seen(name: &str) -> String {
    format!("{HERE}/{name}")
}

/// A program of the same root, run where a process is: it sees the same files and network.
pub(crate) fn beside(process: &Process, program: &str) -> Command {
    let mut command = Place::Host.command("nsenter");
    command.args(["--mount", "--net", "--root", "--target", &process.id().to_string(), program]);
    command
}
