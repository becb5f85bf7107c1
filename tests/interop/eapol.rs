//! Drives Debian's eapol_test, which is wpa_supplicant's EAP peer behind a RADIUS client, and reads what it says.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::pki::{Credential, pki};
use crate::process::{Place, Process};
use crate::scratch::{Scratch, unique};

/// The NAS' secret in every test.
pub(crate) const SECRET: &str = "a secret of more than twelve octets";

/// The most that eapol_test may take for a login: generous, for a machine that compiles beside.
const LIMIT: Duration = Duration::from_secs(30);

/// A version of TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tls {
    V12,
    V13,
}

pub(crate) const BOTH: [Tls; 2] = [Tls::V12, Tls::V13];

/// What a supplicant is to do: one login, or several, each offering to resume the one before.
#[derive(Debug, Clone)]
pub(crate) struct Login<'a> {
    credential: &'a Credential,
    ssid: &'a str,
    again: usize,
    phase1: String,
    /// More lines of the network block.
    lines: String,
    /// More attributes of the requests, as `-N` has them.
    attributes: Vec<String>,
}

impl<'a> Login<'a> {
    /// A device on the SSID JAIST that trusts the campus' CA of server certificates.
    pub(crate) fn new(credential: &'a Credential, tls: Tls) -> Self {
        // Every other version is switched off by name: with a hole between two of them OpenSSL takes the lower.
        let disabled = match tls {
            Tls::V12 => "tls_disable_tlsv1_2=0 tls_disable_tlsv1_3=1",
            Tls::V13 => "tls_disable_tlsv1_2=1 tls_disable_tlsv1_3=0",
        };
        Self {
            credential,
            ssid: "JAIST",
            again: 0,
            phase1: format!("tls_disable_tlsv1_0=1 tls_disable_tlsv1_1=1 {disabled}"),
            lines: String::new(),
            attributes: Vec::new(),
        }
    }

    pub(crate) fn ssid(mut self, ssid: &'a str) -> Self {
        self.ssid = ssid;
        self
    }

    /// Logs in so many times more, offering to resume.
    pub(crate) fn again(mut self, times: usize) -> Self {
        self.again = times;
        self
    }

    /// At most so many octets in one EAP-TLS fragment of the supplicant's.
    pub(crate) fn fragment_size(self, octets: u32) -> Self {
        self.line(&format!("fragment_size={octets}"))
    }

    /// One more line of the network block.
    pub(crate) fn line(mut self, line: &str) -> Self {
        self.lines.push_str(line);
        self.lines.push('\n');
        self
    }

    /// The length flag on every message, fragmented or not.
    pub(crate) fn with_length_flag(mut self) -> Self {
        self.phase1.push_str(" include_tls_length=1");
        self
    }

    /// One more attribute of the requests: `id:syntax:value`.
    pub(crate) fn attribute(mut self, attribute: &str) -> Self {
        self.attributes.push(attribute.to_owned());
        self
    }

    /// Writes the configuration, for eapol_test or for wpa_supplicant.
    pub(crate) fn configuration(&self, scratch: &Scratch) -> PathBuf {
        let number = unique();
        let file = |kind: &str, contents: &str| scratch.write(&format!("supplicant-{number}.{kind}"), contents);
        let block = format!(
            "ap_scan=0\nnetwork={{\nkey_mgmt=IEEE8021X\neap=TLS\neapol_flags=0\nidentity=\"anonymous@jaist.ac.jp\"\n\
             ca_cert=\"{}\"\nclient_cert=\"{}\"\nprivate_key=\"{}\"\nphase1=\"{}\"\n{}}}\n",
            file("ca", &pki().server_ca.pem()).display(),
            file("pem", &self.credential.chain).display(),
            file("key", &self.credential.key).display(),
            self.phase1,
            self.lines,
        );
        file("conf", &block)
    }

    /// Logs in at the RADIUS server on this port of 127.0.0.1.
    pub(crate) fn run(&self, port: u16) -> Outcome {
        let scratch = Scratch::new();
        self.begin(port, &scratch).finish()
    }

    /// The same in a network namespace.
    pub(crate) fn run_in(&self, place: Place<'_>, port: u16) -> Outcome {
        let scratch = Scratch::new();
        self.begin_in(place, port, &scratch).finish()
    }

    /// Begins to.
    pub(crate) fn begin(&self, port: u16, scratch: &Scratch) -> Supplicant {
        self.begin_in(Place::Host, port, scratch)
    }

    fn begin_in(&self, place: Place<'_>, port: u16, scratch: &Scratch) -> Supplicant {
        let number = unique();
        let mac = format!("02:00:00:00:{:02x}:{:02x}", number >> 8 & 0xff, number & 0xff);
        let mut options = vec!["-r".to_owned(), self.again.to_string(), "-M".to_owned(), mac];
        options.push(format!("-N30:s:02-00-00-00-00-01:{}", self.ssid));
        options.extend(self.attributes.iter().map(|attribute| format!("-N{attribute}")));
        Supplicant::start_in(place, &self.configuration(scratch), port, SECRET, &options, scratch)
    }
}

/// eapol_test at work.
#[derive(Debug)]
pub(crate) struct Supplicant {
    process: Process,
}

impl Supplicant {
    /// By a configuration file that stands there already.
    pub(crate) fn start(file: &Path, port: u16, secret: &str, options: &[String], scratch: &Scratch) -> Self {
        Self::start_in(Place::Host, file, port, secret, options, scratch)
    }

    fn start_in(place: Place<'_>, file: &Path, port: u16, secret: &str, options: &[String], scratch: &Scratch) -> Self {
        let mut command = place.command_by_lines("eapol_test");
        command.arg("-c").arg(file).args(["-a", "127.0.0.1", "-s", secret, "-p", &port.to_string()]);
        command.args(["-t", &LIMIT.as_secs().to_string()]).args(options);
        Self { process: Process::start(&format!("eapol_test-{}", unique()), &mut command, scratch) }
    }

    /// Waits until so many logins have succeeded.
    pub(crate) fn wait_for_logins(&mut self, logins: usize) {
        self.process.wait_until(&format!("logged in {logins} times"), |process| {
            process.stdout().matches("CTRL-EVENT-EAP-SUCCESS").count() >= logins
        });
    }

    /// Whether it has said its last word.
    pub(crate) fn is_over(&self) -> bool {
        self.process.stdout().contains("MPPE keys OK: ")
    }

    /// Waits for its end.
    pub(crate) fn finish(mut self) -> Outcome {
        self.process.wait(3 * LIMIT);
        Outcome::read(self.process.stdout())
    }
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// eapol_test's own last word on all of it, the comparison of the keys included.
    pub(crate) success: bool,
    /// Accepts whose MS-MPPE keys were those that the supplicant has.
    pub(crate) keys_agree: usize,
    pub(crate) attempts: Vec<Attempt>,
    log: String,
}

/// One login of a run, as the supplicant saw it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Attempt {
    /// Access-Requests, repeats not counted.
    pub(crate) requests: usize,
    pub(crate) accepted: bool,
    /// An EAP-Failure came.
    pub(crate) failed: bool,
    pub(crate) tls: Option<Tls>,
    pub(crate) resumed: bool,
    /// Session tickets that came.
    pub(crate) tickets: usize,
    /// The server's Finished came.
    pub(crate) finished: bool,
    /// The fatal alert that the server sent, in OpenSSL's words.
    pub(crate) alert: Option<String>,
    /// The server certificate's type of key, in OpenSSL's words.
    pub(crate) server_key: Option<String>,
    /// Attributes of the Access-Accept: type, and the value as it is printed.
    pub(crate) granted: Vec<(u8, String)>,
}

impl Attempt {
    /// The values of an attribute of the Accept, in order.
    pub(crate) fn values(&self, attribute: u8) -> Vec<&str> {
        self.granted.iter().filter(|(kind, _)| *kind == attribute).map(|(_, value)| value.as_str()).collect()
    }
}

impl Outcome {
    fn read(log: String) -> Self {
        let keys_agree = log.lines().find_map(|line| line.strip_prefix("MPPE keys OK: ")).and_then(first_number);
        Self {
            success: log.lines().last() == Some("SUCCESS"),
            keys_agree: keys_agree.unwrap_or(0),
            attempts: log.split("CTRL-EVENT-EAP-STARTED").skip(1).map(attempt).collect(),
            log,
        }
    }

    /// Every login was accepted, with the keys that the supplicant has.
    #[track_caller]
    pub(crate) fn assert_accepted(&self, logins: usize) -> &Self {
        let accepted = self.attempts.iter().filter(|attempt| attempt.accepted).count();
        let good = self.success && accepted == logins && self.keys_agree == logins;
        assert!(good, "{logins} logins were to be accepted:\n{self}");
        self
    }

    /// Of logins in a row the last was refused, with this alert; or without, if what refuses it came to be known after
    /// the server's last TLS message, when a supplicant that has all it wants may not even heed an EAP-Failure.
    #[track_caller]
    pub(crate) fn assert_refused_from_some_time_on(&self, alert: Alert) -> &Self {
        let last = self.attempts.last().filter(|last| !self.success && !last.accepted);
        let last = last.unwrap_or_else(|| panic!("a login was to be refused:\n{self}"));
        let seen = last.alert.as_deref();
        assert!(seen.is_none_or(|seen| seen == alert.text()), "the alert that the supplicant saw is {seen:?}:\n{self}");
        self
    }

    /// The last login ended in an EAP-Failure after a handshake that nobody complained of, and left nothing to resume.
    #[track_caller]
    pub(crate) fn assert_refused_without_alert(&self) -> &Self {
        let last = self.attempts.last().filter(|last| !self.success && last.failed && !last.accepted);
        let last = last.unwrap_or_else(|| panic!("a login was to be refused:\n{self}"));
        assert_eq!((last.alert.as_deref(), last.tickets), (None, 0), "alert, tickets:\n{self}");
        self
    }

    /// The last login ended in an EAP-Failure, and the supplicant saw this alert before.
    #[track_caller]
    pub(crate) fn assert_refused(&self, alert: Alert) -> &Self {
        let last = self.attempts.last();
        let refused = !self.success && last.is_some_and(|last| last.failed && !last.accepted);
        assert!(refused, "a login was to be refused:\n{self}");
        let seen = last.and_then(|last| last.alert.as_deref());
        assert_eq!(seen, Some(alert.text()), "the alert that the supplicant saw:\n{self}");
        self
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let interesting = self.log.lines().filter(|line| !line.starts_with(' ') && !line.contains("hexdump"));
        let lines: Vec<&str> = interesting.collect();
        writeln!(f, "{}", crate::process::tail(&lines.join("\n")))?;
        writeln!(f, "success: {}, keys that agree: {}", self.success, self.keys_agree)?;
        self.attempts.iter().try_for_each(|attempt| writeln!(f, "{attempt:?}"))
    }
}

/// The alerts of CONTRACT.md's table that a certificate can lead to, by their names in the TLS registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Alert {
    UnsupportedCertificate,
    CertificateRevoked,
    CertificateExpired,
    CertificateUnknown,
    UnknownCa,
    AccessDenied,
}

impl Alert {
    /// As OpenSSL calls it.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::UnsupportedCertificate => "unsupported certificate",
            Self::CertificateRevoked => "certificate revoked",
            Self::CertificateExpired => "certificate expired",
            Self::CertificateUnknown => "certificate unknown",
            Self::UnknownCa => "unknown CA",
            Self::AccessDenied => "access denied",
        }
    }
}

fn attempt(log: &str) -> Attempt {
    const ALERT: &str = "SSL: SSL3 alert: read (remote end reported an error):fatal:";
    let mut attempt = Attempt::default();
    let mut in_accept = false;
    let mut attribute = None;
    for line in log.lines() {
        if line == "Sending RADIUS message to authentication server" {
            attempt.requests += 1;
        } else if line.starts_with("RADIUS message: code=") {
            in_accept = line.starts_with("RADIUS message: code=2 ");
        } else if let Some(rest) = line.strip_prefix("   Attribute ") {
            attribute = first_number(rest).and_then(|number| u8::try_from(number).ok());
        } else if let (true, Some(kind), Some(value)) = (in_accept, attribute, line.strip_prefix("      Value: ")) {
            attempt.granted.push((kind, value.trim_matches('\'').to_owned()));
        } else if let Some(alert) = line.strip_prefix(ALERT) {
            attempt.alert = Some(alert.to_owned());
        } else if let Some(version) = line.strip_prefix("SSL: Using TLS version ") {
            attempt.tls = [("TLSv1.2", Tls::V12), ("TLSv1.3", Tls::V13)]
                .into_iter()
                .find_map(|(name, tls)| (name == version).then_some(tls));
        } else if let Some(kind) = line.trim_start().strip_prefix("Public Key Algorithm: ") {
            // The leaf is printed last.
            attempt.server_key = Some(kind.to_owned());
        }
        if line.starts_with("OpenSSL: RX ") {
            attempt.tickets += usize::from(line.ends_with("(handshake/new session ticket)"));
            attempt.finished |= line.ends_with("(handshake/finished)");
        }
        attempt.resumed |= line == "OpenSSL: Handshake finished - resumed=1";
        attempt.accepted |= line.starts_with("CTRL-EVENT-EAP-SUCCESS");
        attempt.failed |= line.starts_with("CTRL-EVENT-EAP-FAILURE");
    }
    attempt
}

fn first_number(text: &str) -> Option<usize> {
    text.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

/// The reader itself, on what eapol_test 2.10 printed, shortened.
#[cfg(test)]
mod tests {
    use super::{Attempt, Outcome, Tls};

    const ACCEPTED: &str = "\
CTRL-EVENT-EAP-STARTED EAP authentication started
Sending RADIUS message to authentication server
RADIUS message: code=1 (Access-Request) identifier=0 length=181
   Attribute 1 (User-Name) length=23
      Value: 'anonymous@jaist.ac.jp'
SSL: Using TLS version TLSv1.2
            Public Key Algorithm: id-ecPublicKey
OpenSSL: Handshake finished - resumed=0
Sending RADIUS message to authentication server
RADIUS message: code=2 (Access-Accept) identifier=6 length=183
   Attribute 26 (Vendor-Specific) length=58
      Value: 000001371134a4
   Attribute 1 (User-Name) length=8
      Value: 'hanako'
CTRL-EVENT-EAP-SUCCESS EAP authentication completed successfully
CTRL-EVENT-EAP-STARTED EAP authentication started
Sending RADIUS message to authentication server
SSL: Using TLS version TLSv1.3
OpenSSL: Handshake finished - resumed=1
CTRL-EVENT-EAP-SUCCESS EAP authentication completed successfully
MPPE keys OK: 2  mismatch: 0
SUCCESS
";

    #[test]
    fn reader_tells_logins_apart() {
        let outcome = Outcome::read(ACCEPTED.to_owned());
        outcome.assert_accepted(2);
        let [first, second] = &outcome.attempts[..] else { panic!("two attempts: {outcome}") };
        assert_eq!((first.requests, first.resumed, first.tls), (2, false, Some(Tls::V12)));
        assert_eq!((first.values(1), first.server_key.as_deref()), (vec!["hanako"], Some("id-ecPublicKey")));
        assert_eq!((second.requests, second.resumed, second.tls), (1, true, Some(Tls::V13)));
    }

    #[test]
    fn reader_sees_the_alert_of_a_refusal() {
        let outcome = Outcome::read(
            "CTRL-EVENT-EAP-STARTED EAP authentication started\n\
             SSL: SSL3 alert: read (remote end reported an error):fatal:certificate revoked\n\
             CTRL-EVENT-EAP-FAILURE EAP authentication failed\n\
             MPPE keys OK: 0  mismatch: 1\nFAILURE\n"
                .to_owned(),
        );
        outcome.assert_refused(super::Alert::CertificateRevoked);
        let wanted = Attempt { failed: true, alert: Some("certificate revoked".to_owned()), ..Attempt::default() };
        assert_eq!(outcome.attempts, [wanted]);
    }

    #[test]
    #[should_panic(expected = "2 logins were to be accepted")]
    fn reader_takes_keys_that_differ_for_a_failure() {
        Outcome::read(ACCEPTED.replace("OK: 2  mismatch: 0", "OK: 1  mismatch: 1")).assert_accepted(2);
    }
}
