//! English.

use super::{Clock, Note, Span, Standing, Unasked, Words, listed, names, quoted};
use crate::event::{CrlName, Evidence, OcspName, Reason};
use crate::now::Wall;

pub(super) fn words(reason: Reason) -> Words {
    let (summary, next) = match reason {
        Reason::Ok => ("Let in.", "Nothing is to be done."),
        Reason::OkGrace => (
            "Let in. The revocation data is past its end, but within the grace period of this authority.",
            "Administrators: when the grace period ends, everybody of this authority is refused. Find out why its CRL is not renewed, or its OCSP responder doesn't answer.",
        ),
        Reason::NoService => (
            "No service matches this request, or none that this NAS ({nas}) may ask for.",
            "Administrators: check `match` of the [[service]] tables and `services` of the [[nas]].",
        ),
        Reason::MethodNotAllowed => (
            "This NAS ({nas}) may not use this way to log in.",
            "Choose the EAP method TLS (client certificate) in the Wi-Fi settings. Administrators: nothing is to be done for a controller's probes or MAC authentication; to allow the method, add it to `methods` of the [[nas]].",
        ),
        Reason::UnknownNas => (
            "Not answered: the request came from {peer}, which is the address of no NAS.",
            "Administrators: if it is one of yours, add [[nas]] with address = [\"{peer}\"] and its shared secret to the configuration and reload; if not, block it in the firewall.",
        ),
        Reason::BadAuthenticator => (
            "Not answered: the Message-Authenticator or Request Authenticator of the request from {peer} is wrong.",
            "Administrators: check that the NAS ({nas}) and this server have the same shared secret.",
        ),
        Reason::MissingAuthenticator => (
            "Not answered: the request has no Message-Authenticator (CVE-2024-3596).",
            "Administrators: update the NAS ({nas}) and make it send Message-Authenticator. Only for equipment that can't, set `require-message-authenticator = false` in its [[nas]]: but by name it is wanted all the same, and by one-time password wherever `methods` has anything else.",
        ),
        Reason::Duplicate => ("A repeated request.", "Nothing is to be done."),
        Reason::Malformed => (
            "Unreadable as RADIUS, EAP or a certificate.",
            "Connect again. Administrators: if it goes on, look at the equipment that sent it and at the network between.",
        ),
        Reason::Overload => (
            "Not answered: there is more to do than can be done in time, or a bound is reached.",
            "The device tries again by itself. Administrators: if it goes on, look at the metrics sekisho_steps_waiting and sekisho_conversations, and at `max-conversations` and the number of servers.",
        ),
        Reason::ConversationExpired => (
            "The conversation took too long, or did not begin on this server.",
            "Connect again. Administrators: if it happens often, check whether the NAS changes servers half-way, the radio link, and whether UDP packets get lost.",
        ),
        Reason::TooManyRounds => (
            "Round after round passed without progress.",
            "Connect again. Administrators: check the device's EAP settings, and whether packets get lost.",
        ),
        Reason::RealmNotOurs => (
            "The realm of the outer (anonymous) identity is not one of this service ({service}).",
            "In the Wi-Fi settings, put your own organisation's realm after the @ of the user name or anonymous identity.",
        ),
        Reason::BadIdentity => (
            "The outer (anonymous) identity is no network access identifier (RFC 7542), or not a name of this user's.",
            "In the Wi-Fi settings, write the user name or anonymous identity as name@realm; in those of the VPN, the name that stands in the certificate.",
        ),
        Reason::EapNak => (
            "The device asked for another method than EAP-TLS (client certificate).",
            "Choose the EAP method TLS and the client certificate in the Wi-Fi settings, and remove old profiles that use a password.",
        ),
        Reason::NoCertificate => (
            "The device sent no client certificate.",
            "Install the client certificate and choose it in the Wi-Fi settings. Without one yet: use the wired LAN or the SSID JAISTALL on campus, or the SSL-VPN with a one-time password (OTP) elsewhere, to get it.",
        ),
        Reason::UntrustedIssuer => (
            "The authority that issued this certificate is not accepted for this service ({service}).",
            "Choose the client certificate of the current authority, and remove old certificates and profiles from the device. Without one: use the wired LAN or the SSID JAISTALL on campus, or the SSL-VPN with OTP elsewhere, to get it.",
        ),
        Reason::WrongOrganisation => (
            "The certificate comes from an authority that several organisations share, and belongs to another one.",
            "Choose the client certificate that was issued to you as a member of this organisation. Members of others: please use eduroam.",
        ),
        Reason::NotYetValid => (
            "The certificate is not valid yet.",
            "Connect when its validity has begun. If it is urgent: the wired LAN or the SSID JAISTALL on campus, the SSL-VPN with OTP elsewhere. Administrators: if it should have begun, check this server's clock.",
        ),
        Reason::Expired => (
            "The certificate has expired.",
            "Get a new certificate (renewal opens 30 days before the end), and remove the old certificate and profile from the device. Until then: the wired LAN or the SSID JAISTALL on campus, the SSL-VPN with OTP elsewhere.",
        ),
        Reason::WrongPurpose => (
            "The certificate was not made for network login (an S/MIME certificate, for example).",
            "Choose the certificate for client authentication; it is issued apart from the S/MIME certificate. Without one: use the wired LAN or the SSID JAISTALL on campus, or the SSL-VPN with OTP elsewhere, to get it.",
        ),
        Reason::IdentityAmbiguous => (
            "The certificate does not name exactly one user.",
            "Ask whoever issues the certificates for one that holds your mail address, and no other. Until then: the wired LAN or the SSID JAISTALL on campus, the SSL-VPN with OTP elsewhere. Administrators: `username` of the [[authority]] says how names are read; where a VPN asks by a name that several users have, let `authorize` of the [[service]] go by one that is unique (the mail address), or by `certificate-attribute`.",
        ),
        Reason::Revoked => (
            "The certificate has been revoked by its authority.",
            "A revoked certificate never becomes valid again: get a new one, and remove the old certificate and profile from the device. Until then: the wired LAN or the SSID JAISTALL on campus, the SSL-VPN with OTP elsewhere. If you did not expect this, ask the help desk.",
        ),
        Reason::Blocked => (
            "This certificate is blocked on this server.",
            "If you have a new certificate, choose it, and remove the old certificate and profile from the device. Without one: use the wired LAN or the SSID JAISTALL on campus, or the SSL-VPN with OTP elsewhere, to get it. If you did not expect this, ask the help desk.",
        ),
        Reason::UserBlocked => {
            ("This user ({user}) is blocked on this server.", "Ask the help desk; another certificate does not help.")
        }
        Reason::DistrustedAuthority => (
            "The authority that issued this certificate has ended: it is refused whatever date it bears.",
            "Get a new certificate of the current authority, and remove the old certificate and profile from the device. Until then: the wired LAN or the SSID JAISTALL on campus, the SSL-VPN with OTP elsewhere.",
        ),
        Reason::RevocationUnknown => (
            "Nothing says whether the certificate has been revoked.",
            "Neither certificate nor device is at fault. If it is urgent: the wired LAN or the SSID JAISTALL on campus, the SSL-VPN with OTP elsewhere. Administrators: check `crl`, `ocsp` and `sample` of this authority, and whether its CRL can be fetched and its responder answers.",
        ),
        Reason::RevocationStale => (
            "What says whether the certificate has been revoked is past its end.",
            "Neither certificate nor device is at fault. If it is urgent: the wired LAN or the SSID JAISTALL on campus, the SSL-VPN with OTP elsewhere. Administrators: find out why there is no newer CRL or OCSP answer; `grace` of the [[authority]] bridges a gap if it must.",
        ),
        Reason::BadSignature => (
            "The device has not proved that it holds the certificate's private key.",
            "Remove the old certificate and profile from the device, and install the certificate again from its .p12 file. Administrators: somebody may have used a copy of another's certificate.",
        ),
        Reason::ClientAlert => (
            "The device ended the connection.",
            "In the Wi-Fi settings, check the trusted root authority and the server's name against the instructions; remove old profiles and set it up anew. Administrators: if it happens to many devices, check the end of the server's certificate, and that its chain is complete.",
        ),
        Reason::TlsFailure => (
            "The TLS handshake failed.",
            "Update the device and connect again. Administrators: if it happens to old devices only, check `versions` and `groups` of [tls].",
        ),
        Reason::Policy => (
            "Refused by a rule of the service ({service}).",
            "Ask the help desk. Administrators: check `rules` of the [[service]] and the files of the [[group]] tables.",
        ),
        Reason::NoGoodCertificate => (
            "This server knows no certificate of this user's that it has checked itself.",
            "Log in to the Wi-Fi once with the client certificate: by that it becomes known here. Without one: use the wired LAN or the SSID JAISTALL on campus, or the SSL-VPN with OTP elsewhere, to get it. Administrators: a line of a list opens nothing, register the certificate itself; and `authorize` of the [[service]] says by what it is looked for.",
        ),
        Reason::PasswordWrong => (
            "The password is not the one by which this NAS ({nas}) says that it has checked a certificate.",
            "Log in with the client certificate; a password of one's own opens nothing here. Administrators: `authorize.password` of the [[service]] and what the NAS is set to send (as PAP) must be the same.",
        ),
        Reason::OtpWrong => (
            "The one-time password (OTP) is wrong, or has been used before.",
            "Wait until the app shows a new one and type that; check the clock of the device that shows it. If it goes on, ask the help desk to enrol you again. Administrators: `sekisho otp enrol` does.",
        ),
        Reason::OtpThrottled => (
            "Too many wrong one-time passwords (OTP): attempts are slowed down.",
            "Wait a few minutes and try again. If it was not you, ask the help desk. Administrators: `attempts` of [otp] says how many there may be from one place.",
        ),
        Reason::ProxyLoop => (
            "The request has been on this server before.",
            "Administrators: check the servers and realms that requests are forwarded to for a loop.",
        ),
        Reason::HomeServerDown => (
            "The home organisation's server does not answer.",
            "Try again later. Administrators: check the health of the servers that requests are forwarded to.",
        ),
        Reason::HomeServerReject => {
            ("The home organisation's server refused.", "Ask the help desk of the home organisation.")
        }
        Reason::Damped => (
            "Refused again without looking: it was refused before and tries too often.",
            "Remove what it was refused for, then connect again. On a device that is no longer used, remove this network.",
        ),
        Reason::Internal => (
            "Something went wrong inside the server.",
            "Connect again. Administrators: please report it to the developers with the log around it.",
        ),
    };
    Words { summary, next }
}

pub(super) fn standing(standing: Standing) -> Words {
    let (summary, next) = match standing {
        Standing::Good => ("A good certificate.", ""),
        Standing::Unseen => ("A list names it; the certificate itself has not been seen here.", ""),
        Standing::Requested => (
            "Its revocation is asked for; the authority has not revoked it yet, and it is not blocked on this server.",
            "If it must not be used any more from now on, block it here.",
        ),
        Standing::Applied => (
            "It is applied for, and not issued yet.",
            "When it is issued its owner fetches it and installs it on the device.",
        ),
        Standing::Listed => (
            "The authority's list says that it is revoked.",
            "A revoked certificate never becomes valid again; if one is needed, get a new one.",
        ),
    };
    Words { summary, next }
}

pub(super) fn note(note: &Note<'_>, clock: Clock<'_>) -> String {
    match note {
        Note::Renew { before: Some(before) } => format!("A new certificate is needed before {}.", clock.date(*before)),
        Note::Renew { before: None } => "A new certificate is needed.".into(),
        Note::Renewed => "The new certificate is used. Nothing is to be done.".into(),
        Note::StillUsed { by } => format!(
            "It is renewed, but these devices still use the old one: {}. Choose the new certificate in their settings, and remove the old certificate and profile.",
            listed(by, |mac| quoted(mac))
        ),
        Note::Unused => "Never used. If it isn't needed, ask for its revocation.".into(),
        Note::Unconfirmed { days } => format!(
            "Blocked on this server for {days} days, and not on its authority's list. Check whether the authority was asked to revoke it, and what became of that."
        ),
    }
}

/// What comes before anything else for who is let in by an authority that ends.
pub(super) fn renew(from: Wall, clock: Clock<'_>) -> String {
    format!("Get a new certificate of the current authority before {}.", clock.date(from))
}

pub(super) fn evidence(evidence: &Evidence, clock: Clock<'_>) -> String {
    match evidence {
        Evidence::Validity { not_before, not_after } => {
            let ended = clock.ago(*not_after).map(|span| format!(" (ended {} ago)", text(span)));
            let begins = clock.until(*not_before).map(|span| format!(" (begins in {})", text(span)));
            let note = ended.or(begins).unwrap_or_default();
            format!("Valid from {} to {}{note}.", clock.date(*not_before), clock.date(*not_after))
        }
        Evidence::Issuer(name) => format!("Issued by \"{}\".", quoted(name)),
        Evidence::Path(why) => format!("No path to a trusted authority: {}.", quoted(why)),
        Evidence::Organisation { attribute, wanted, found } => {
            let found = found.as_ref().map_or("there is none".into(), |found| format!("it is \"{}\"", quoted(found)));
            format!("The subject's {attribute} must be \"{}\"; {found}.", quoted(wanted))
        }
        Evidence::Purposes(None) => "It names no extended key usage.".into(),
        Evidence::Purposes(Some(found)) => {
            format!("Its extended key usages: {}.", listed(found, |oid| quoted(names::purpose(oid))))
        }
        Evidence::CertificatePolicy { oid, required: true } => {
            format!("The certificate policy {} is required and absent.", quoted(oid))
        }
        Evidence::CertificatePolicy { oid, required: false } => {
            format!("The certificate policy {} is not accepted.", quoted(oid))
        }
        Evidence::Crl(crl) => self::crl(crl, clock),
        Evidence::Ocsp(ocsp) => self::ocsp(ocsp, clock),
        Evidence::NoOcsp(issuer) => format!("There is no OCSP answer of \"{}\".", quoted(issuer)),
        Evidence::Vanished { source, since } => {
            let ago = clock.ago(*since).map(|span| format!(" ({} ago)", text(span))).unwrap_or_default();
            let source = quoted(source);
            format!("{source} has not listed it any more since {}{ago}; it stays revoked here.", clock.date(*since))
        }
        Evidence::NoCrl(issuer) => format!("There is no CRL of \"{}\".", quoted(issuer)),
        Evidence::Revoked { at, reason, intermediate } => {
            let what = if *intermediate { "An intermediate authority's certificate was revoked" } else { "Revoked" };
            let why = reason.map(|reason| format!(", reason {reason}")).unwrap_or_default();
            format!("{what} at {}{why}.", clock.date(*at))
        }
        Evidence::Blocked { since, until, reason, by } => {
            let ago = clock.ago(*since).map(|span| format!(" ({} ago)", text(span))).unwrap_or_default();
            let end = until.map(|at| format!(", until {}", clock.date(at))).unwrap_or_default();
            let why = if reason.is_empty() { String::new() } else { format!(", reason \"{}\"", quoted(reason)) };
            format!("Blocked by {} at {}{ago}{end}{why}.", quoted(by), clock.date(*since))
        }
        Evidence::Distrust { from } => match clock.until(*from) {
            Some(span) if *from > clock.now => format!(
                "The authority ends: from {} on (in {}) this certificate will be refused.",
                clock.date(*from),
                text(span)
            ),
            _ => format!("The authority is not trusted from {} on.", clock.date(*from)),
        },
        Evidence::Names(found) => match found.as_slice() {
            [] => "It names no user.".into(),
            [one] => format!("\"{}\" can't be a user's name.", quoted(one)),
            many => format!("It names several: {}.", listed(many, |name| quoted(name))),
        },
        Evidence::Outer(names) => format!(
            "The NAS goes by the outer identity, which must be one of the certificate's names: {}.",
            listed(names, |name| quoted(name))
        ),
        Evidence::Realm(realm) => format!("The realm is \"{}\".", quoted(realm)),
        Evidence::ClientAlert(number) => {
            let why = if names::blames_our_certificate(*number) {
                "the device does not accept the server's certificate"
            } else {
                "a TLS alert of the device"
            };
            format!("Alert {number} ({}): {why}.", names::alert_name(*number))
        }
        Evidence::Protocol(text) => format!("In detail: {}.", quoted(text)),
        Evidence::NakWants(methods) if methods.is_empty() => "The device names no other method.".into(),
        Evidence::NakWants(methods) => {
            format!("The device wants {}.", listed(methods, |number| names::eap_method(*number)))
        }
        Evidence::Rule(number) => format!("Rule {number} of the service's `rules` refuses."),
        Evidence::RuleWantsCode(number) => format!(
            "Rule {number} of the service's `rules` wants a one-time password (OTP), which EAP-TLS can't ask for; a VPN that asks by name can."
        ),
        Evidence::NotEnrolled(user) => format!("No one-time password (OTP) is enrolled for \"{}\".", quoted(user)),
        Evidence::NoSealKey => {
            "The user's one-time passwords are sealed by none of the seal-keys in [otp]: nobody who logs in has done anything wrong. Administrators: put the seal-key of then back, or enrol the user again.".into()
        }
        Evidence::RegistrySilent => {
            "The registry did not answer, so nothing could be looked up: nobody who logs in has done anything wrong. Administrators: see /readyz and the log.".into()
        }
        Evidence::Groups(groups) => format!("Groups: {}.", listed(groups, |group| quoted(group))),
        Evidence::Method(method) => format!("The method asked for is {method}."),
    }
}

fn crl(crl: &CrlName, clock: Clock<'_>) -> String {
    let number = crl.number.as_ref().map(|number| format!(" number {}", quoted(number))).unwrap_or_default();
    let dates = dates(crl.this_update, crl.next_update, clock);
    format!("CRL{number} of authority {} ({}): {dates}.", quoted(&crl.authority), quoted(&crl.source))
}

fn ocsp(ocsp: &OcspName, clock: Clock<'_>) -> String {
    let OcspName { authority, source, status, this_update, next_update } = ocsp;
    let dates = dates(*this_update, Some(*next_update), clock);
    format!("OCSP answer \"{status}\" for authority {} ({}): {dates}.", quoted(authority), quoted(source))
}

pub(super) fn unasked(unasked: &Unasked) -> String {
    let Unasked { ca, is_kept, responders, told } = unasked;
    let about = ca.as_ref().map_or("this certificate".into(), |id| format!("the CA's certificate {}", quoted(id)));
    let kept = if *is_kept { "No OCSP answer that still counts" } else { "No OCSP answer" };
    let listed = |urls: &[String]| listed(urls, |url| quoted(url));
    let ask = match (responders.is_empty(), told.is_empty()) {
        (false, _) => format!("the server would ask {} and wait for 2 s at most", listed(responders)),
        (true, false) => {
            format!("the server doesn't know yet whom to ask, and learns it from the first login: {}", listed(told))
        }
        (true, true) => {
            "the server doesn't know whom to ask: name a responder in `ocsp`, or a `sample` that does".into()
        }
    };
    format!("{kept} about {about} is kept; {ask}.")
}

fn dates(this_update: Wall, next_update: Option<Wall>, clock: Clock<'_>) -> String {
    let age = clock.ago(this_update).map(|span| format!(" ({} ago)", text(span))).unwrap_or_default();
    let next = match next_update {
        None => "says no end".into(),
        Some(at) => match clock.ago(at) {
            Some(span) => format!("ended {} ({} ago)", clock.date(at), text(span)),
            None => format!("good until {}", clock.date(at)),
        },
    };
    format!("issued {}{age}, {next}", clock.date(this_update))
}

fn text(span: Span) -> String {
    let (n, unit) = match span {
        Span::Days(n) => (n, "days"),
        Span::Hours(n) => (n, "hours"),
        Span::Minutes(n) => (n, "minutes"),
        Span::Seconds(n) => (n, "seconds"),
    };
    format!("{n} {unit}")
}
