//! Ways in without EAP: `authorize` and `otp` of a service, `[otp]`, and whether they fit together.

use std::sync::Arc;
use std::time::Duration;

use super::files::{self, SecretKeys};
use super::reader::Table;
use crate::event::Method;
use crate::exchange::NasSettings;
use crate::otp::{Attempts, PERIOD, Sealer, Settings, seal_keys};
use crate::policy::{Authorize, AuthorizePassword, OtpAfter, ServiceSettings, UsernameSource};
use crate::radius::dictionary;

/// The two ways to write the key that seals.
const SEAL: SecretKeys = SecretKeys { inline: "seal-key", file: "seal-key-file" };

/// Steps of `window` beyond which it is more than a clock that is off.
const WIDE: u8 = 3;

#[derive(Clone, Copy)]
enum Kind {
    Common,
    Username,
    None,
}

/// `authorize` of a service.
pub(super) fn authorize(mut table: Table<'_>) -> Option<Authorize> {
    let sources = [
        ("san-email", UsernameSource::SanEmail),
        ("san-upn", UsernameSource::SanUpn),
        ("cn", UsernameSource::Cn),
        ("san-dns", UsernameSource::SanDns),
        ("san-uri", UsernameSource::SanUri),
    ];
    let name = table.choice("name", &sources, UsernameSource::SanEmail);
    let password = password(&mut table);
    let service_type = table
        .take("service-type")
        .and_then(|item| item.parsed(|text| dictionary::value("Service-Type", &service_type(text))));
    let certificate = table.take("certificate-attribute").filter(|item| !item.is_empty());
    let certificate = certificate.and_then(|item| item.parsed(dictionary::place));
    if name == UsernameSource::Cn && certificate.is_none() {
        table.warning("`name = \"cn\"` without `certificate-attribute`: a CN is a person's name, and two members of the same name are both refused, \"identity-ambiguous\"; take a mail address, or have the concentrator say which certificate it is");
    }
    table.finish();
    Some(Authorize { name, password: password?, service_type, certificate })
}

/// RFC 2865's names with hyphens in lower case, as the rest of the file is written.
fn service_type(text: &str) -> String {
    match text {
        "authorize-only" => "Authorize-Only".to_owned(),
        "outbound" => "Outbound-User".to_owned(),
        "login" => "Login-User".to_owned(),
        "framed" => "Framed-User".to_owned(),
        other => other.to_owned(),
    }
}

fn password(table: &mut Table<'_>) -> Option<AuthorizePassword> {
    let kinds = [("common", Kind::Common), ("username", Kind::Username), ("none", Kind::None)];
    let item = table.require(
        "password",
        "which password says that a request asks for authorisation by name: \"common\", \"username\" or \"none\"",
    )?;
    let kind = item.choice(&kinds);
    let file = table.take("password-file");
    match (kind?, file) {
        (Kind::Common, None) => {
            table.missing("password-file", "a common password is read from it");
            None
        }
        (Kind::Common, Some(file)) => {
            let secret = files::secret(&file, true, "a common password")?;
            if secret.is_empty() {
                file.error("the common password is empty: write `password = \"none\"` if that is meant");
                return None;
            }
            Some(AuthorizePassword::Common(secret))
        }
        (kind, file) => {
            if let Some(file) = file {
                file.warning("is read for `password = \"common\"` only");
            }
            Some(if matches!(kind, Kind::Username) { AuthorizePassword::Username } else { AuthorizePassword::None })
        }
    }
}

/// `otp` of a service.
pub(super) fn otp_of_service(mut table: Table<'_>) -> Option<OtpAfter> {
    let after = [("nas-password", OtpAfter::NasPassword), ("certificate", OtpAfter::Certificate)];
    let item = table.require("after", "a one-time password is never the whole login: what has been checked before it, \"nas-password\" or \"certificate\"");
    let after = item.and_then(|item| item.choice(&after));
    table.finish();
    after
}

/// What a user could leave out or type where a code is asked for, and be let in by name without one.
pub(super) fn told_apart(table: &Table<'_>, authorize: Option<&Authorize>, otp: Option<OtpAfter>) {
    let (Some(authorize), Some(_)) = (authorize, otp) else { return };
    let Some((key, what)) = typed(authorize) else { return };
    let text = format!(
        "`authorize.password = \"{key}\"` beside `otp`: a request with {what} could mean either, and opens the door of whoever has a certificate without a code; say `authorize.service-type`, or use a common password, which no user knows"
    );
    // Whoever types nothing is everybody; whoever types his name where a code is asked for means it, and his NAS may never ask by name.
    match authorize.password {
        AuthorizePassword::None => table.error(text),
        _ => table.warning(text),
    }
}

/// The password by which anybody could ask for authorisation by name, where nothing else tells that.
fn typed(authorize: &Authorize) -> Option<(&'static str, &'static str)> {
    match authorize.password {
        _ if authorize.service_type.is_some() => None,
        AuthorizePassword::None => Some(("none", "no password")),
        AuthorizePassword::Username => Some(("username", "the name as its password")),
        AuthorizePassword::Common(_) => None,
    }
}

/// `[otp]`, and whether it is there.
pub(super) fn otp(root: &mut Table<'_>) -> (Option<Settings>, bool) {
    let table = root.table("otp");
    let is_there = table.is_some();
    (table.and_then(otp_settings), is_there)
}

fn otp_settings(mut table: Table<'_>) -> Option<Settings> {
    let issuer = table.take("issuer").and_then(|item| item.name()).unwrap_or("Sekisho");
    let seal = files::either(&mut table, &SEAL);
    let sealer = seal.and_then(|(item, is_file)| {
        let secret = files::secret(&item, is_file, "the key that seals one-time passwords")?;
        let keys = seal_keys(secret).map_err(|text| item.error(text)).ok()?;
        Sealer::with(&keys).map(Arc::new)
    });
    let window = u8::try_from(table.integer("window", 0..=10, 1)).unwrap_or(1);
    if window > WIDE {
        table.warning(format!(
            "`window = {window}`: a code is good for {} s, and a guess hits any of {}; RFC 6238 section 5.2 wants 1, and devices' clocks are seldom off by more",
            (2 * i64::from(window) + 1) * PERIOD,
            2 * i64::from(window) + 1,
        ));
    }
    let attempts = attempts(&mut table);
    table.finish();
    Some(Settings { issuer: issuer.into(), sealer: sealer?, window, attempts })
}

fn attempts(table: &mut Table<'_>) -> Attempts {
    let default = Duration::from_secs(300);
    let Some(mut table) = table.table("attempts") else { return Attempts { each: 5, per: default } };
    let each = u32::try_from(table.integer("each", 1..=1000, 5)).unwrap_or(5);
    let per = table.take("per").and_then(|item| {
        let per = item.duration()?;
        if per < Duration::from_secs(1) {
            item.error("must be a second at least");
            return None;
        }
        Some(per)
    });
    table.finish();
    Attempts { each, per: per.unwrap_or(default) }
}

/// Ways in that lack something: each would refuse everybody.
pub(super) fn complete(
    root: &Table<'_>,
    services: &[ServiceSettings],
    all_nas: &[NasSettings],
    has_otp: bool,
    has_registry: bool,
) {
    let uses_otp = services.iter().any(|service| service.otp.is_some() || service.rules.iter().any(|rule| rule.otp));
    if uses_otp && !has_otp {
        root.error("a service asks for one-time passwords, and there is no [otp]: add it, with seal-key-file");
    }
    let uses_names = services.iter().any(|service| service.authorize.is_some());
    if (uses_otp || uses_names) && !has_registry {
        root.error("a service lets in by name or by one-time password, which are looked up in the registry: [registry].database must not be \"none\"");
    }
    for service in services.iter().filter(|service| service.otp == Some(OtpAfter::NasPassword)) {
        nobodys(root, service);
    }
    for nas in all_nas.iter().filter(|nas| [Method::Authorize, Method::Otp].iter().all(|it| nas.methods.contains(it))) {
        ambiguous(root, services, nas);
    }
    for (method, what, is_built) in [
        (Method::Authorize, "authorize", uses_names),
        (Method::Otp, "otp", services.iter().any(|service| service.otp.is_some())),
    ] {
        if let Some(nas) = all_nas.iter().find(|nas| nas.methods.contains(&method)).filter(|_| !is_built) {
            root.warning(format!(
                "\"{}\" may use \"{what}\", and no service has `{what}`: what it asks so is refused",
                nas.name
            ));
        }
    }
    for service in services {
        unreachable_ways(root, service, all_nas);
    }
}

/// What a service offers to nobody: `methods` has "eap-tls" alone where it is left out.
fn unreachable_ways(root: &Table<'_>, service: &ServiceSettings, all_nas: &[NasSettings]) {
    let may_ask = |nas: &NasSettings, method| {
        nas.methods.contains(&method) && nas.services.as_ref().is_none_or(|names| names.contains(&service.name))
    };
    let offered = [(Method::Authorize, service.authorize.is_some()), (Method::Otp, service.otp.is_some())].into_iter();
    for (method, _) in offered.filter(|(_, is_there)| *is_there) {
        if !all_nas.iter().any(|nas| may_ask(nas, method)) {
            root.warning(format!(
                "\"{}\" has `{method}`, and no NAS that may ask for it may use \"{method}\": add it to `methods` of the [[nas]]",
                service.name
            ));
        }
    }
}

/// Names without a realm that are let through to be refused.
fn nobodys(root: &Table<'_>, service: &ServiceSettings) {
    let realms = service.realms.as_deref().unwrap_or_default();
    let named: Vec<_> = realms.iter().filter(|realm| !realm.is_empty()).collect();
    let is_clear = matches!(&named[..], [only] if !only.starts_with('.'));
    if named.len() < realms.len() && !named.is_empty() && !is_clear {
        root.warning(format!(
            "\"{}\" takes names without a realm, and its `realms` doesn't say by one other which realm they are of: for one-time passwords they are refused, \"bad-identity\", unless its authorities have strip-realm",
            service.name
        ));
    }
}

/// Of two services: that a request without a password may mean either shows only where both could be asked for.
fn ambiguous(root: &Table<'_>, services: &[ServiceSettings], nas: &NasSettings) {
    let allowed = |service: &&ServiceSettings| nas.services.as_ref().is_none_or(|names| names.contains(&service.name));
    let open = services.iter().filter(allowed).find_map(|it| Some((it, typed(it.authorize.as_ref()?)?)));
    let coded = services.iter().filter(allowed).find(|service| service.otp.is_some());
    if let (Some((open, (_, what))), Some(coded)) = (open, coded)
        && open.name != coded.name
    {
        root.warning(format!(
            "\"{}\" may use \"authorize\" for \"{}\", with {what}, and \"otp\" for \"{}\": where both match, such a request is taken for the former and no code is asked for; say `authorize.service-type`, or use a common password",
            nas.name, open.name, coded.name
        ));
    }
}
