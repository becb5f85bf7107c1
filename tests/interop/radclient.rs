//! Drives FreeRADIUS's radclient: requests in the words of its dictionary, as concentrators send them, and what it makes of the answer.

use std::time::Duration;

use crate::eapol::SECRET;
use crate::process::{Place, run};
use crate::scratch::{Scratch, unique};

/// What a Cisco ASA sends when AnyConnect asks for a tunnel, taken from captures; the names are a test's own. Software since 2024 signs it, here as everywhere first.
const ASA: &str = "\
NAS-Port = 16384
Called-Station-Id = \"198.19.10.100\"
NAS-Port-Type = Virtual
Tunnel-Client-Endpoint:0 = \"%{station}\"
Cisco-AVPair += \"mdm-tlv=device-platform=win\"
Cisco-AVPair += \"mdm-tlv=device-mac=00-50-5a-aa-8a-4a\"
Cisco-AVPair += \"mdm-tlv=device-platform-version=10.0.19044 \"
Cisco-AVPair += \"mdm-tlv=ac-user-agent=AnyConnect Windows 4.10.04065\"
Cisco-AVPair += \"mdm-tlv=device-type=VMware, Inc. VMware Virtual Platform\"
Cisco-AVPair += \"mdm-tlv=device-uid=F14ADF3139770E9AAD19D617F97976019D9EC6B72FF7580C749D36CFA8F73098\"
NAS-IP-Address = 198.18.133.100
Cisco-AVPair += \"audit-session-id=c612856400004000642c96a9\"
Cisco-AVPair += \"ip:source-ip=%{station}\"
ASA-TunnelGroupName = \"Members\"
ASA-ClientType = AnyConnect-Client-SSL-VPN
ASA-SessionType = AnyConnect-Client-SSL-VPN
Cisco-AVPair += \"coa-push=true\"
";

/// What a FortiGate sends for its SSL-VPN. Framed-IP-Address is where the user comes from.
const FORTIGATE: &str = "\
NAS-Identifier = \"FGT-CAMPUS\"
NAS-IP-Address = 10.2.0.11
Called-Station-Id = \"10.2.0.11\"
Framed-IP-Address = %{station}
NAS-Port = 1
NAS-Port-Type = Virtual
Acct-Session-Id = \"%{session}\"
Connect-Info = \"vpn-ssl\"
Fortinet-Vdom-Name = \"root\"
";

/// The address that every user has inside.
pub(crate) const INSIDE: &str = "10.98.0.7";

/// Long enough for a machine that compiles beside, where an answer is to come.
const PATIENCE: Duration = Duration::from_secs(30);
/// An answer that isn't to come would be here by then: others are within milliseconds.
const SILENCE: Duration = Duration::from_secs(2);

/// A request, attribute by attribute.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    lines: Vec<String>,
    /// Where the user comes from: no other request of this run comes from there.
    pub(crate) station: String,
    /// Acct-Session-Id
    pub(crate) session: String,
}

impl Request {
    pub(crate) fn asa(user: &str) -> Self {
        Self::of(ASA, user)
    }

    pub(crate) fn fortigate(user: &str) -> Self {
        Self::of(FORTIGATE, user)
    }

    fn of(template: &str, user: &str) -> Self {
        let number = unique();
        let station = format!("198.19.{}.{}", number >> 8 & 0xff, number & 0xff);
        let session = format!("{number:016x}");
        let text = template.replace("%{station}", &station).replace("%{session}", &session);
        let request = Self { lines: text.lines().map(str::to_owned).collect(), station, session };
        request.first(&format!("User-Name = \"{user}\"")).first("Message-Authenticator = 0x00").calling()
    }

    fn calling(self) -> Self {
        let station = format!("Calling-Station-Id = \"{}\"", self.station);
        self.with(&station)
    }

    fn first(mut self, line: &str) -> Self {
        self.lines.insert(0, line.to_owned());
        self
    }

    /// With one attribute more.
    pub(crate) fn with(mut self, line: &str) -> Self {
        self.lines.push(line.to_owned());
        self
    }

    pub(crate) fn password(self, password: &str) -> Self {
        self.with(&format!("User-Password = \"{password}\""))
    }

    /// Without what has this name.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.lines.retain(|line| !line.starts_with(name));
        self
    }

    /// Radclient 3.2.1 signs only where it is told to.
    pub(crate) fn unsigned(self) -> Self {
        self.without("Message-Authenticator")
    }

    /// What is told of the session that has begun or ended.
    pub(crate) fn accounting(&self, status: &str) -> Self {
        let record =
            self.clone().unsigned().without("User-Password").without("Acct-Session-Id").without("Framed-IP-Address");
        let session = format!("Acct-Session-Id = \"{}\"", self.session);
        record
            .with(&session)
            .with(&format!("Framed-IP-Address = {INSIDE}"))
            .with(&format!("Acct-Status-Type = {status}"))
    }

    /// Asks for access, from this address.
    pub(crate) fn ask(&self, from: &str, port: u16) -> Answer {
        self.send(from, port, "auth", PATIENCE)
    }

    /// The same where no answer is to come.
    pub(crate) fn ask_in_vain(&self, from: &str, port: u16) -> Answer {
        self.send(from, port, "auth", SILENCE)
    }

    /// Tells of the session.
    pub(crate) fn tell(&self, from: &str, port: u16) -> Answer {
        self.send(from, port, "acct", PATIENCE)
    }

    fn send(&self, from: &str, port: u16, kind: &str, patience: Duration) -> Answer {
        let scratch = Scratch::new();
        // In place of Debian's own, which not everybody may read.
        scratch.write("dictionary", "");
        let lines = self.lines.join("\n");
        let file = scratch.write("request", format!("Packet-Src-IP-Address = {from}\n{lines}\n"));
        let mut radclient = Place::Host.command("radclient");
        radclient.args(["-x", "-r", "1", "-t", &patience.as_secs().to_string(), "-f"]).arg(file);
        radclient.arg("-d").arg(scratch.path()).args([&format!("127.0.0.1:{port}"), kind, SECRET]);
        let output = run(&mut radclient, 2 * PATIENCE);
        Answer::read(String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr))
    }
}

/// What came back, where radclient believes it.
#[derive(Debug)]
pub(crate) struct Answer {
    /// `Access-Accept` and the like; `None`: nothing came.
    code: Option<String>,
    /// In their order, as radclient prints them.
    attributes: Vec<(String, String)>,
    log: String,
}

impl Answer {
    fn read(log: String) -> Self {
        let mut lines = log.lines().skip_while(|line| !line.starts_with("Received "));
        let code = lines.next().and_then(|line| Some(line.strip_prefix("Received ")?.split(' ').next()?.to_owned()));
        let pairs = lines.map_while(|line| line.strip_prefix('\t')?.split_once(" = "));
        let attributes = pairs.map(|(name, value)| (name.to_owned(), value.trim_matches('"').to_owned())).collect();
        Self { code, attributes, log }
    }

    /// The values of an attribute.
    pub(crate) fn values(&self, name: &str) -> Vec<&str> {
        self.attributes.iter().filter(|(found, _)| found == name).map(|(_, value)| value.as_str()).collect()
    }

    #[track_caller]
    pub(crate) fn assert_accepted(&self) -> &Self {
        self.assert_code("Access-Accept").assert_signed()
    }

    #[track_caller]
    pub(crate) fn assert_rejected(&self) -> &Self {
        self.assert_code("Access-Reject").assert_signed()
    }

    /// State, and what the user is asked.
    #[track_caller]
    pub(crate) fn assert_challenged(&self) -> (&str, &str) {
        self.assert_code("Access-Challenge").assert_signed();
        let [state, prompt] = ["State", "Reply-Message"].map(|name| self.values(name));
        assert!(state.len() == 1 && prompt.len() == 1, "{}", self.log);
        (state[0], prompt[0])
    }

    #[track_caller]
    pub(crate) fn assert_acknowledged(&self) -> &Self {
        self.assert_code("Accounting-Response")
    }

    #[track_caller]
    pub(crate) fn assert_silence(&self) {
        assert!(self.code.is_none() && self.log.contains("No reply from server"), "{}", self.log);
    }

    #[track_caller]
    fn assert_code(&self, wanted: &str) -> &Self {
        assert_eq!(self.code.as_deref(), Some(wanted), "{}", self.log);
        self
    }

    /// By its first attribute. Radclient has looked whether it is right.
    #[track_caller]
    fn assert_signed(&self) -> &Self {
        assert_eq!(
            self.attributes.first().map(|(name, _)| name.as_str()),
            Some("Message-Authenticator"),
            "{}",
            self.log
        );
        self
    }
}
