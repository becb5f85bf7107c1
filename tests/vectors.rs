//! Reads `tests/vectors/*.txt`, where anybody can add a case; its README has the words.

use std::fmt::Write as _;
use std::path::Path;

use sekisho::radius::{Attributes, Key, Malformed, Packet, Rule, Type, Unauthentic, dictionary, hidden};
use sekisho::secret::Secret;

#[derive(Default)]
struct Case {
    place: String,
    secret: String,
    packet: Option<Vec<u8>>,
    request: Vec<u8>,
    attribute: Option<String>,
    expect: Vec<String>,
    error: Option<String>,
}

type Checked = Result<(), String>;

#[test]
fn every_vector_holds() {
    let mut failures = String::new();
    let mut count = 0;
    for case in cases() {
        count += 1;
        if let Err(why) = run(&case) {
            let _ = writeln!(failures, "{}: {why}", case.place);
        }
    }
    assert!(failures.is_empty(), "\n{failures}");
    assert!(count > 30, "only {count} cases were read");
}

fn cases() -> Vec<Case> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors");
    let mut files: Vec<_> = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "txt"));
    files.sort();
    files.iter().flat_map(|file| read(file)).collect()
}

fn read(file: &Path) -> Vec<Case> {
    let text = std::fs::read_to_string(file).unwrap();
    let mut cases = vec![Case::default()];
    for (number, line) in text.lines().enumerate() {
        let place = format!("{}:{}", file.file_name().unwrap().display(), number + 1);
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        if word.is_empty() {
            cases.push(Case::default());
            continue;
        }
        let case = cases.last_mut().unwrap();
        if word.starts_with('#') {
            continue;
        }
        if case.place.is_empty() {
            case.place.clone_from(&place);
        }
        match word {
            "secret" => rest.clone_into(&mut case.secret),
            "packet" => case.packet.get_or_insert_default().extend(octets(rest, &place)),
            "request" => case.request.extend(octets(rest, &place)),
            "attribute" => case.attribute = Some(rest.to_owned()),
            "expect" => case.expect.push(rest.to_owned()),
            "error" => case.error = Some(rest.to_owned()),
            _ => panic!("{place}: the word {word} isn't known"),
        }
    }
    cases.retain(|case| !case.place.is_empty());
    cases
}

fn octets(text: &str, place: &str) -> Vec<u8> {
    let digits: Vec<u8> = text
        .chars()
        .filter(|letter| *letter != ' ')
        .map(|letter| letter.to_digit(16).unwrap_or_else(|| panic!("{place}: {letter} is no hexadecimal digit")) as u8)
        .collect();
    assert!(digits.len().is_multiple_of(2), "{place}: an odd number of digits");
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

fn run(case: &Case) -> Checked {
    assert!(case.error.is_some() || !case.expect.is_empty(), "{}: expects nothing", case.place);
    match (&case.packet, &case.attribute) {
        (Some(octets), None) => run_packet(case, octets),
        (None, Some(text)) => run_attribute(case, text),
        _ => panic!("{}: needs either packet or attribute", case.place),
    }
}

fn run_attribute(case: &Case, text: &str) -> Checked {
    let mut attributes = Attributes::default();
    match (dictionary::push(text, &mut attributes), &case.error) {
        (Ok(()), None) => {
            let wanted = case.expect[0].strip_prefix("octets ").expect("an attribute expects octets");
            same("octets", attributes.octets(), &octets(wanted, &case.place))
        }
        (Err(sentence), Some(part)) if sentence.contains(part) => Ok(()),
        (Ok(()), Some(_)) => Err("was taken".into()),
        (Err(sentence), _) => Err(sentence),
    }
}

fn run_packet(case: &Case, octets: &[u8]) -> Checked {
    let error = case.error.as_deref();
    let packet = match Packet::parse(octets) {
        Ok(packet) => packet,
        Err(Malformed::Length) if error == Some("length") => return Ok(()),
        Err(Malformed::Attribute) if error == Some("attribute") => return Ok(()),
        Err(other) => return Err(format!("{other:?}")),
    };
    for expectation in &case.expect {
        check(case, &packet, expectation)?;
    }
    match error {
        None => Ok(()),
        Some("eap") if packet.join_eap(&mut Vec::new()).is_err() => Ok(()),
        Some(error) if name(authentic(case, &packet)) == error => Ok(()),
        Some(error) => Err(format!("no error {error}: {}", name(authentic(case, &packet)))),
    }
}

fn check(case: &Case, packet: &Packet<'_>, expectation: &str) -> Checked {
    let (what, rest) = expectation.split_once(' ').unwrap_or((expectation, ""));
    match what {
        "code" => same(what, packet.code().0.to_string(), rest.to_owned()),
        "identifier" => same(what, packet.identifier().to_string(), rest.to_owned()),
        "count" => same(what, packet.attributes().count().to_string(), rest.to_owned()),
        "attribute" => {
            let (kind, wanted) = rest.split_once(' ').expect("TYPE VALUE");
            same(rest, packet.first(Type(kind.parse().unwrap())), Some(&*value(wanted, case)))
        }
        "vendor" => {
            let [vendor, kind, wanted] = rest.splitn(3, ' ').collect::<Vec<_>>().try_into().expect("NUMBER TYPE VALUE");
            let found = packet.first_vendor(vendor.parse().unwrap(), kind.parse().unwrap());
            same(rest, found, Some(&*value(wanted, case)))
        }
        "eap" => {
            let mut eap = Vec::new();
            let found = packet.join_eap(&mut eap).map_err(|_| "no EAP packet")?.then_some(eap);
            same(what, found, (rest != "none").then(|| octets(rest, &case.place)))
        }
        "password" => {
            let secret = Secret::new(case.secret.as_bytes());
            let found =
                hidden::reveal_password(&secret, packet.authenticator(), packet.first(Type::USER_PASSWORD).unwrap());
            same(what, found.unwrap().expose(), &value(rest, case))
        }
        "authentic" => same(what, name(authentic(case, packet)), "authentic"),
        _ => panic!("{}: expects {what}, which isn't known", case.place),
    }
}

fn authentic(case: &Case, packet: &Packet<'_>) -> Result<(), Unauthentic> {
    let key = Key::new(Secret::new(case.secret.as_bytes()));
    match Rule::of(packet.code()) {
        Some((Rule::Reply, _)) => {
            key.check_reply(packet, Packet::parse(&case.request).unwrap().authenticator()).map(drop)
        }
        _ => key.check_request(packet).map(drop),
    }
}

fn name(checked: Result<(), Unauthentic>) -> &'static str {
    match checked {
        Ok(()) => "authentic",
        Err(Unauthentic::Code) => "code",
        Err(Unauthentic::Malformed) => "two",
        Err(Unauthentic::Authenticator) => "authenticator",
        Err(Unauthentic::MessageAuthenticator) => "message-authenticator",
        Err(Unauthentic::Missing) => "missing",
    }
}

/// `"text"` or octets.
fn value(text: &str, case: &Case) -> Vec<u8> {
    match text.strip_prefix('"').and_then(|text| text.strip_suffix('"')) {
        Some(text) => text.into(),
        None => octets(text, &case.place),
    }
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, found: T, wanted: T) -> Checked {
    if found == wanted { Ok(()) } else { Err(format!("{what}: found {found:02x?}, wanted {wanted:02x?}")) }
}
