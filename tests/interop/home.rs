//! Somebody at home: a network namespace with a cable to a gateway, behind which something answers to those inside alone.

use std::process::Command;

use crate::process::{Namespace, Place, must};
use crate::scratch::unique;

/// What can be reached through a tunnel alone.
const INSIDE: &str = "10.99.0.1";
/// All of that.
pub(crate) const INSIDE_ALL: &str = "10.99.0.0/16";
/// The device's end of its cable.
const CABLE: &str = "home";

/// Where a device is.
#[derive(Debug)]
pub(crate) struct Home {
    /// Of the gateway, as it is seen from here.
    pub(crate) gateway: String,
    /// Its own.
    pub(crate) address: String,
    namespace: Namespace,
}

impl Home {
    /// With a cable to where a gateway is.
    pub(crate) fn new(site: &Namespace) -> Self {
        let (namespace, number) = (Namespace::new("home"), unique() % 250);
        let internet = format!("internet{number}");
        site.cable(&internet, &namespace, CABLE);
        let [gateway, address] = [1, 2].map(|end| format!("198.18.{number}.{end}"));
        for (place, end, address) in [(site, internet.as_str(), &gateway), (&namespace, CABLE, &address)] {
            must(ip(place).args(["address", "add", &format!("{address}/24"), "dev", end]));
        }
        Self { gateway, address, namespace }
    }

    /// Of its network namespace.
    pub(crate) fn name(&self) -> &str {
        self.namespace.name()
    }

    /// It has another address from now on.
    pub(crate) fn moves(&mut self) {
        let after = format!("{}0", self.address);
        let before = std::mem::replace(&mut self.address, after);
        for (what, address) in [("del", &before), ("add", &self.address)] {
            must(ip(&self.namespace).args(["address", what, &format!("{address}/24"), "dev", CABLE]));
        }
    }

    /// Whether what is inside answers.
    pub(crate) fn pings(&self) -> bool {
        let mut ping = Place::Namespace(self.name()).command("ping");
        ping.args(["-n", "-c", "1", "-W", "3", INSIDE]).output().is_ok_and(|output| output.status.success())
    }
}

/// Where a gateway is, with what is behind it.
pub(crate) fn site() -> Namespace {
    let namespace = Namespace::new("vpn");
    must(ip(&namespace).args(["address", "add", &format!("{INSIDE}/32"), "dev", "lo"]));
    namespace
}

/// `ip` in there.
fn ip(place: &Namespace) -> Command {
    let mut command = Place::Host.command("ip");
    command.args(["-n", place.name()]);
    command
}
