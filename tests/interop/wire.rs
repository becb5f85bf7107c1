//! Switches and devices around the server: on each port of a switch hostapd with the wired driver, at the other end of its cable wpa_supplicant. Server, switches and devices are each in a network namespace of their own.

use std::path::PathBuf;
use std::process::Command;

use crate::api;
use crate::eapol::{Alert, Login, SECRET};
use crate::process::{Namespace, Place, Process, must};
use crate::scratch::{Scratch, free_port, unique};
use crate::server::Server;

/// Where hostapd is told to end sessions, and with what secret, which isn't that of its requests.
const DAS: u16 = 3799;
const DAS_SECRET: &str = "another secret for disconnecting";
/// The device's end of a cable.
const END: &str = "desk";
/// What hostapd and wpa_supplicant say.
const OPEN: &str = "AP-STA-CONNECTED";
pub(crate) const CLOSED: &str = "AP-STA-DISCONNECTED";
const LET_IN: &str = "CTRL-EVENT-EAP-SUCCESS";
const REFUSED: &str = "CTRL-EVENT-EAP-FAILURE";

/// A server, in the middle of a star of switches.
#[derive(Debug)]
pub(crate) struct Site {
    // Declared before its place, so that it ends first.
    pub(crate) server: Server,
    accounting: u16,
    namespace: Namespace,
}

/// A switch with one port.
#[derive(Debug)]
pub(crate) struct Switch {
    hostapd: Process,
    command: Command,
    pub(crate) port: String,
    uplink: String,
    scratch: Scratch,
    namespace: Namespace,
    /// Where its cable ends.
    desk: Namespace,
    /// Of what is there.
    pub(crate) mac: String,
}

/// What is plugged into the port.
#[derive(Debug)]
pub(crate) struct Device {
    supplicant: Process,
    scratch: Scratch,
}

/// What the device has logged of a login that was refused.
#[derive(Debug)]
pub(crate) struct Refusal(String);

impl Site {
    pub(crate) fn new() -> Self {
        Self::telling("")
    }

    /// A campus with a registry, whose switches can be told to end sessions as `how` says besides.
    pub(crate) fn telling(how: &str) -> Self {
        Self::changed(how, |text| text)
    }

    /// The same with another configuration.
    pub(crate) fn changed(how: &str, change: impl FnOnce(String) -> String) -> Self {
        let (namespace, accounting) = (Namespace::new("campus"), free_port());
        let all = |text: String| {
            let doors = format!("accounting = [\"0.0.0.0:{accounting}\"]\nauth = [\"0.0.0.0:");
            let switches = format!(
                "[[nas]]\nname = \"switches\"\naddress = [\"10.77.0.0/16\"]\nsecret = \"{SECRET}\"\n\
                 disconnect = {{ port = {DAS}, secret = \"{DAS_SECRET}\"{how} }}\n"
            );
            change(text.replace("auth = [\"127.0.0.1:", &doors) + &switches + api::configuration())
        };
        let server = Server::changed_in(Place::Namespace(namespace.name()), all);
        Self { server, accounting, namespace }
    }

    /// A switch that accounts.
    pub(crate) fn switch(&self) -> Switch {
        self.switch_with(&format!(
            "acct_server_addr={{server}}\nacct_server_port={}\nacct_server_shared_secret={SECRET}\n\
             radius_acct_interim_interval=1\n",
            self.accounting
        ))
    }

    /// A switch that doesn't.
    pub(crate) fn switch_without_accounting(&self) -> Switch {
        self.switch_with("")
    }

    fn switch_with(&self, lines: &str) -> Switch {
        let (namespace, scratch, number) = (Namespace::new("switch"), Scratch::new(), unique() % 250);
        let [port, uplink, downlink] = ["p", "u", "d"].map(|kind| format!("sk{kind}{number}"));
        let [server, switch] = [1, 2].map(|end| format!("10.77.{number}.{end}"));
        self.namespace.cable(&downlink, &namespace, &uplink);
        for (place, end, address) in [(&self.namespace, &downlink, &server), (&namespace, &uplink, &switch)] {
            must(ip(place).args(["address", "add", &format!("{address}/24"), "dev", end]));
        }
        // What is said while the cable is cut is lost, and doesn't wait for an answer to ARP.
        let known = ["neighbour", "add", &switch, "lladdr", &mac(&namespace, &uplink), "dev", &downlink];
        must(ip(&self.namespace).args(known));
        let lines = lines.replace("{server}", &server);
        let configuration = format!(
            "driver=wired\ninterface={port}\nieee8021x=1\neap_server=0\nuse_pae_group_addr=1\nctrl_interface={control}\n\
             nas_identifier=switch\nown_ip_addr={switch}\nauth_server_addr={server}\nauth_server_port={auth}\n\
             auth_server_shared_secret={SECRET}\n{lines}\
             radius_das_port={DAS}\nradius_das_client={server} {DAS_SECRET}\nradius_das_time_window=60\n\
             radius_das_require_event_timestamp=1\nradius_das_require_message_authenticator=1\n",
            control = scratch.path().join("control").display(),
            auth = self.server.port,
        );
        let configuration = scratch.write("hostapd.conf", configuration);
        let desk = Namespace::new("desk");
        namespace.cable(&port, &desk, END);
        let mac = mac(&desk, END);
        let mut command = Place::Namespace(namespace.name()).command_by_lines("hostapd");
        command.arg("-dd").arg(configuration);
        let hostapd = Process::start("hostapd", &mut command, &scratch);
        let mut switch = Switch { hostapd, command, port, uplink, scratch, namespace, desk, mac };
        switch.wait_for(0, "AP-ENABLED");
        switch
    }
}

impl Switch {
    /// Plugs a device in, which logs in.
    pub(crate) fn plug(&mut self, login: &Login<'_>) -> Device {
        let scratch = Scratch::new();
        let mut command = Place::Namespace(self.desk.name()).command_by_lines("wpa_supplicant");
        command.args(["-Dwired", "-dd", "-i", END, "-C"]).arg(scratch.path().join("control"));
        command.arg("-c").arg(login.configuration(&scratch));
        let mark = self.mark();
        let mut device = Device { supplicant: Process::start("wpa_supplicant", &mut command, &scratch), scratch };
        device.wait_for(0, "Added interface");
        // While hostapd forgets a station it doesn't listen to it: it says again that it is there, soon, and often.
        for patience in ["startPeriod 3", "maxStart 100"] {
            device.tell(&format!("set EAPOL::{patience}"));
        }
        device.wait_for(0, LET_IN);
        self.wait_for(mark, OPEN);
        assert!(self.is_open());
        device
    }

    /// The device at the closed port tries again, and is refused.
    pub(crate) fn refuses(&mut self, device: &mut Device) -> Refusal {
        let mark = self.let_try(device);
        device.wait_for(mark, REFUSED);
        let log = device.since(mark);
        assert!(!log.contains(LET_IN) && !self.is_open(), "{log}");
        Refusal(log)
    }

    /// The device at the closed port tries again, and is let in.
    pub(crate) fn lets_in(&mut self, device: &mut Device) {
        let mark = self.mark();
        let begun = self.let_try(device);
        device.wait_for(begun, LET_IN);
        self.wait_for(mark, OPEN);
        assert!(self.is_open());
    }

    fn let_try(&mut self, device: &Device) -> usize {
        // Until hostapd has forgotten it, it doesn't listen to it.
        let mut command = self.ask_of_station();
        self.hostapd.wait_until("ready for another login", |_| must(&mut command).contains("FAIL"));
        device.log_in_again()
    }

    /// Waits until the port has been closed since a mark.
    pub(crate) fn wait_closed(&mut self, mark: usize) {
        self.wait_for(mark, CLOSED);
        assert!(!self.is_open());
    }

    /// How much it has logged.
    pub(crate) fn mark(&self) -> usize {
        self.hostapd.stdout().len()
    }

    /// Waits until it has logged something after a mark.
    fn wait_for(&mut self, mark: usize, what: &str) {
        self.hostapd.wait_until(&format!("logging {what}"), |hostapd| hostapd.stdout()[mark..].contains(what));
    }

    /// The port is open for what is there.
    pub(crate) fn is_open(&self) -> bool {
        let said = must(&mut self.ask_of_station());
        said.lines().any(|line| line.starts_with("flags=") && line.contains("[AUTHORIZED]"))
    }

    fn ask_of_station(&self) -> Command {
        let mut command = Place::Host.command("hostapd_cli");
        command.arg("-p").arg(self.control()).args(["-i", &self.port, "sta", &self.mac]);
        command
    }

    /// The folder of hostapd's socket.
    pub(crate) fn control(&self) -> PathBuf {
        self.scratch.path().join("control")
    }

    /// Nothing reaches it from the server any more, nor the other way round.
    pub(crate) fn cut(&self) {
        must(ip(&self.namespace).args(["link", "set", &self.uplink, "down"]));
    }

    /// It can be reached again.
    pub(crate) fn mend(&self) {
        must(ip(&self.namespace).args(["link", "set", &self.uplink, "up"]));
    }

    /// It loses its power, and comes back.
    pub(crate) fn restart(&mut self) {
        must(Command::new("kill").args(["-KILL", &self.hostapd.id().to_string()]));
        let mut command = std::mem::replace(&mut self.command, Command::new("true"));
        self.hostapd = Process::start("hostapd-again", &mut command, &self.scratch);
        self.command = command;
        self.wait_for(0, "AP-ENABLED");
    }
}

impl Device {
    /// How much it has logged.
    fn mark(&self) -> usize {
        self.supplicant.stdout().len()
    }

    /// What it has logged since a mark.
    fn since(&self, mark: usize) -> String {
        self.supplicant.stdout()[mark..].to_owned()
    }

    /// Waits until it has logged something after a mark.
    fn wait_for(&mut self, mark: usize, what: &str) {
        self.supplicant.wait_until(&format!("logging {what}"), |device| device.stdout()[mark..].contains(what));
    }

    /// Begins another login, by a ticket if it has one; what it logs from now on is of that.
    fn log_in_again(&self) -> usize {
        let mark = self.mark();
        self.tell("reassociate");
        mark
    }

    /// Logs in again at an open port, by its ticket.
    pub(crate) fn resumes(&mut self) {
        let mark = self.log_in_again();
        self.wait_for(mark, LET_IN);
        assert!(self.since(mark).contains("OpenSSL: Handshake finished - resumed=1"), "{}", self.since(mark));
    }

    /// Leaves the network.
    pub(crate) fn log_off(&self) {
        self.tell("logoff");
    }

    /// Comes back.
    pub(crate) fn log_on(&mut self) {
        let mark = self.mark();
        self.tell("logon");
        self.wait_for(mark, LET_IN);
    }

    fn tell(&self, what: &str) {
        let mut command = Place::Host.command("wpa_cli");
        command.arg("-p").arg(self.scratch.path().join("control")).args(["-i", END]).args(what.split(' '));
        assert!(must(&mut command).contains("OK"), "wpa_supplicant does what it is told");
    }
}

impl Refusal {
    /// It came with this alert.
    #[track_caller]
    pub(crate) fn assert_alert(&self, alert: Alert) -> &Self {
        let seen = self.0.lines().find_map(|line| line.split_once("(remote end reported an error):fatal:"));
        assert_eq!(seen.map(|(_, alert)| alert), Some(alert.text()), "{}", self.0);
        self
    }

    /// The device had offered to resume a session.
    #[track_caller]
    pub(crate) fn assert_by_ticket(&self) {
        let offered = self.0.contains("EAP: Using previous method data for fast re-authentication");
        assert!(offered && !self.0.contains("resumed=1"), "{}", self.0);
    }
}

/// The address of a link in there.
fn mac(place: &Namespace, link: &str) -> String {
    let said = must(ip(place).args(["-brief", "link", "show", "dev", link]));
    said.split_whitespace().find(|word| word.len() == 17).expect("an address").to_owned()
}

/// `ip` in there.
fn ip(place: &Namespace) -> Command {
    let mut command = Place::Host.command("ip");
    command.args(["-n", place.name()]);
    command
}
