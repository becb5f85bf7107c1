//! One-time passwords as an administrator gives them and a user types them. What reads the QR code in the terminal (zbarimg), makes the codes (oathtool) and sends them (radclient), others wrote.

use std::process::Command;
use std::time::Duration;

use crate::concentrators::{ASA_AND_CODE, COMMON, PASSWORD_AND_CODE, Site};
use crate::eapol::{Login, Tls};
use crate::pki::pki;
use crate::process::{Place, must, run};
use crate::radclient::Request;
use crate::scratch::Scratch;
use crate::server::SEKISHO;

const USER: &str = "hanako@jaist.ac.jp";
/// What the concentrator has checked is none of our business.
const PASSWORD: &str = "her own password";
const LIMIT: Duration = Duration::from_secs(30);

/// `sekisho otp` with this command.
fn otp(site: &Site, scratch: &Scratch, command: &str) -> String {
    let token = scratch.write("token", "operator\n");
    format!("{SEKISHO} otp {command} --api {} --token-file {} {USER}", site.server.url(), token.display())
}

/// What stands in the terminal of somebody who enrols the user.
fn enrol(site: &Site, options: &str) -> String {
    let scratch = Scratch::new();
    let mut script = Place::Host.command("script");
    script
        .args(["--quiet", "--return", "--command", &otp(site, &scratch, &format!("enrol {options}"))])
        .arg("/dev/null");
    let output = run(&mut script, LIMIT);
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{shown}");
    shown
}

/// What zbarimg reads in the terminal, as somebody's phone would.
fn read(shown: &str) -> String {
    let scratch = Scratch::new();
    let picture = scratch.write("terminal.pgm", picture(shown));
    must(Place::Host.command("zbarimg").args(["--nodbus", "--quiet", "--raw"]).arg(picture)).trim_end().to_owned()
}

/// The lines in black on white as a grey map: a character is a pixel wide and two high, in a terminal of so many dots a pixel.
fn picture(shown: &str) -> Vec<u8> {
    const DOTS: usize = 4;
    const BLACK_ON_WHITE: &str = "\u{1b}[38;5;16;48;5;231m";
    let lines =
        shown.lines().filter_map(|line| line.trim_end().strip_prefix(BLACK_ON_WHITE)?.strip_suffix("\u{1b}[0m"));
    let rows: Vec<Vec<u8>> = lines
        .flat_map(|line| [['█', '▀'], ['█', '▄']].map(|dark| line.chars().map(|c| grey(dark.contains(&c))).collect()))
        .collect();
    let (width, height) = (rows.first().map_or(0, Vec::len), rows.len());
    let mut picture = format!("P5 {} {} 255\n", width * DOTS, height * DOTS).into_bytes();
    for row in rows {
        let row: Vec<u8> = row.into_iter().flat_map(|pixel| [pixel; DOTS]).collect();
        picture.extend(row.repeat(DOTS));
    }
    picture
}

fn grey(is_dark: bool) -> u8 {
    if is_dark { 0 } else { 255 }
}

/// An app that has been shown the key.
struct App {
    secret: String,
}

impl App {
    fn new(uri: &str) -> Self {
        let [label, settings] = [0, 1].map(|part| uri.split('?').nth(part).unwrap_or_default());
        assert_eq!(label, "otpauth://totp/Campus%20VPN:hanako%40jaist.ac.jp");
        let secret = settings.split('&').find_map(|setting| setting.strip_prefix("secret=")).expect("a secret");
        for what in ["digits=6", "period=30", "algorithm=SHA1", "issuer=Campus%20VPN"] {
            assert!(settings.split('&').any(|setting| setting == what), "{what}: {uri}");
        }
        Self { secret: secret.to_owned() }
    }

    /// The code of now, or of so many steps later.
    fn code(&self, later: u32) -> String {
        let now = format!("now + {} seconds", 30 * later);
        let mut oathtool: Command = Place::Host.command("oathtool");
        must(oathtool.args(["--totp", "--base32", "--now", &now, &self.secret])).trim_end().to_owned()
    }
}

/// The request again, with the code that was asked for.
fn with_code(request: &Request, state: &str, code: &str) -> Request {
    request.clone().without("User-Password").password(code).with(&format!("State = {state}"))
}

#[test]
fn a_key_from_the_terminal_makes_codes_that_open_the_vpn_once_each_until_it_is_taken_away() {
    let site = Site::new();
    let ask = |password: &str| Request::fortigate(USER).password(password);
    let refused = |password: &str| site.refuses(PASSWORD_AND_CODE, &ask(password), "otp-wrong");
    let why = refused("123456")["explanation"].clone();
    assert!(
        why.as_str().is_some_and(
            |why| why.contains("「hanako@jaist.ac.jp」には、ワンタイムパスワード（OTP）が登録されていません。")
        ),
        "{why}"
    );

    let shown = enrol(&site, "");
    let uri = read(&shown);
    // Below the picture, for whoever has no camera.
    assert!(shown.contains(&uri), "{uri}\n{shown}");
    let app = App::new(&uri);
    let code = app.code(0);
    let answer = site.lets_in(PASSWORD_AND_CODE, &ask(&code));
    assert_eq!(answer.values("User-Name"), [USER]);
    refused(&code);

    // Whoever types it into a field of its own.
    let request = ask(PASSWORD);
    let answer = site.ask(PASSWORD_AND_CODE, &request);
    let (state, prompt) = answer.assert_challenged();
    assert_eq!(prompt, "One-time password: ");
    site.lets_in(PASSWORD_AND_CODE, &with_code(&request, state, &app.code(1)));
    let request = ask(PASSWORD);
    let answer = site.ask(PASSWORD_AND_CODE, &request);
    site.refuses(PASSWORD_AND_CODE, &with_code(&request, answer.assert_challenged().0, &code), "otp-wrong");

    // Another phone: the codes of the first open nothing any more.
    let other = App::new(&read(&enrol(&site, "--replace")));
    refused(&app.code(1));
    site.lets_in(PASSWORD_AND_CODE, &ask(&other.code(0)));
    let scratch = Scratch::new();
    must(Place::Host.command("sh").args(["-ec", &otp(&site, &scratch, "remove")]));
    refused(&other.code(1));
}

#[test]
fn a_code_is_asked_for_besides_the_certificate_that_the_asa_has_checked() {
    let site = Site::new();
    let app = App::new(&read(&enrol(&site, "")));
    let ask = |password: &str| Request::asa(USER).password(password);
    site.refuses(ASA_AND_CODE, &ask(COMMON), "no-good-certificate");
    Login::new(&pki().member_rsa, Tls::V13).run(site.server.port).assert_accepted(1);
    let request = ask(COMMON);
    let answer = site.ask(ASA_AND_CODE, &request);
    site.lets_in(ASA_AND_CODE, &with_code(&request, answer.assert_challenged().0, &app.code(0)));
    // Neither alone.
    site.refuses(ASA_AND_CODE, &ask(&app.code(1)), "password-wrong");
    let request = ask(COMMON);
    let answer = site.ask(ASA_AND_CODE, &request);
    site.refuses(ASA_AND_CODE, &with_code(&request, answer.assert_challenged().0, "000000"), "otp-wrong");
    // Who is blocked between the question and the code doesn't come in with it.
    let request = ask(COMMON);
    let answer = site.ask(ASA_AND_CODE, &request);
    site.server.block(&pki().member_rsa);
    site.refuses(ASA_AND_CODE, &with_code(&request, answer.assert_challenged().0, &app.code(1)), "blocked");
}
