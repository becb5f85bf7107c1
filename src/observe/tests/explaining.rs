use std::net::IpAddr;

use jiff::tz::TimeZone;

use super::*;
use crate::event::{CrlName, OcspName, OcspStatus};
use crate::observe::{Asked, Explainer, Explanation, Note, Standing, Unasked};
use crate::policy::is_hidden;

const LANGUAGES: [Language; 2] = [Language::Ja, Language::En];

fn explain(language: Language, reason: Reason, evidence: &[Evidence]) -> Explanation {
    let zone = TimeZone::get("Asia/Tokyo").expect("the system knows its time zones");
    let asked = Asked {
        at: WALL,
        user: Some("hanako@jaist.ac.jp"),
        peer: Some(IpAddr::from([192, 0, 2, 7])),
        nas: Some("ap-controllers"),
        service: Some("JAIST"),
    };
    Explainer { language, zone }.explain(reason, evidence, &asked)
}

fn crl() -> CrlName {
    CrlName {
        authority: "ca16".into(),
        source: "pki/ca16.crl".into(),
        number: Some("1234".into()),
        this_update: Wall(WALL.0 - 3 * 86_400),
        next_update: Some(Wall(WALL.0 - 3_600)),
    }
}

/// Two minutes old, good for another hour.
fn ocsp(status: OcspStatus) -> OcspName {
    OcspName {
        authority: "ca16".into(),
        source: "http://ocsp.example/".into(),
        status,
        this_update: Wall(WALL.0 - 120),
        next_update: Wall(WALL.0 + 3_600),
    }
}

fn every_evidence(text: &str) -> Vec<Evidence> {
    let owned = || text.to_owned();
    let many = || vec![owned(); 20];
    vec![
        Evidence::Validity { not_before: Wall(WALL.0 - 400 * 86_400), not_after: Wall(WALL.0 - 3 * 86_400) },
        Evidence::Validity { not_before: WALL + Duration::from_secs(600), not_after: WALL + Duration::from_secs(900) },
        Evidence::Validity { not_before: Wall(i64::MIN), not_after: Wall(i64::MAX) },
        Evidence::Issuer(owned()),
        Evidence::Path(owned()),
        Evidence::Organisation { attribute: "O".into(), wanted: owned(), found: Some(owned()) },
        Evidence::Organisation { attribute: "O".into(), wanted: owned(), found: None },
        Evidence::Purposes(None),
        Evidence::Purposes(Some(many())),
        Evidence::CertificatePolicy { oid: owned(), required: true },
        Evidence::CertificatePolicy { oid: owned(), required: false },
        Evidence::Crl(CrlName { source: text.into(), number: Some(owned()), ..crl() }),
        Evidence::Crl(CrlName { number: None, next_update: None, ..crl() }),
        Evidence::Crl(CrlName { next_update: Some(WALL + Duration::from_secs(60)), ..crl() }),
        Evidence::NoCrl(owned()),
        Evidence::Ocsp(OcspName { source: text.into(), ..ocsp(OcspStatus::Good) }),
        Evidence::Ocsp(OcspName { next_update: Wall(i64::MIN), ..ocsp(OcspStatus::Unknown) }),
        Evidence::NoOcsp(owned()),
        Evidence::Vanished { source: text.into(), since: Wall(WALL.0 - 3_600) },
        Evidence::Vanished { source: text.into(), since: WALL },
        Evidence::Revoked { at: WALL, reason: Some("keyCompromise"), intermediate: true },
        Evidence::Revoked { at: WALL, reason: None, intermediate: false },
        Evidence::Distrust { from: WALL },
        Evidence::Distrust { from: Wall(WALL.0 + 30 * 86_400) },
        Evidence::Vanished { source: text.into(), since: WALL },
        Evidence::Names(Vec::new()),
        Evidence::Names(vec![owned()]),
        Evidence::Names(many()),
        Evidence::Outer(many()),
        Evidence::Realm(owned()),
        Evidence::ClientAlert(48),
        Evidence::ClientAlert(255),
        Evidence::Protocol(owned()),
        Evidence::NakWants(Vec::new()),
        Evidence::NakWants(vec![25, 21, 200]),
        Evidence::Rule(2),
        Evidence::RuleWantsCode(3),
        Evidence::Groups(vec![text.into(); 20]),
        Evidence::Method(Method::Otp),
        Evidence::NotEnrolled(text.into()),
        Evidence::NoSealKey,
        Evidence::RegistrySilent,
    ]
}

#[test]
fn every_reason_has_words_of_its_own_in_both_languages() {
    for language in LANGUAGES {
        let mut seen = std::collections::HashSet::new();
        for reason in Reason::ALL.iter().copied() {
            let explanation = explain(language, reason, &[]);
            assert!(seen.insert(explanation.summary.clone()), "{reason}");
            let (end, other) = if language == Language::Ja { ("。", ". ") } else { (".", "。") };
            for text in [&explanation.summary, &explanation.next] {
                assert!(text.ends_with(end) && !text.contains(other), "{reason}: {text}");
                assert!(!text.contains(['{', '}']), "{reason}: {text}");
            }
        }
    }
}

#[test]
fn o01_nothing_out_of_a_certificate_can_hide_or_flood_in_an_explanation() {
    let nasty = format!("a\n\r\0\u{1b}[31m\u{202e}\u{2028}\u{200b}{}", "x".repeat(5_000));
    for language in LANGUAGES {
        let evidence = every_evidence(&nasty);
        let explanation = explain(language, Reason::Policy, &evidence);
        assert_eq!(explanation.evidence.len(), evidence.len());
        for text in explanation.evidence {
            assert!(!text.contains(is_hidden), "{text}");
            assert!(text.chars().count() < 3_000, "{}", text.chars().count());
        }
    }
}

#[test]
fn the_planned_end_of_an_authority_is_told_as_one_and_who_is_let_in_is_asked_to_renew() {
    let (past, ahead) = (Evidence::Distrust { from: WALL }, Evidence::Distrust { from: Wall(WALL.0 + 30 * 86_400) });
    for (language, ends, ended, renew) in [
        (
            Language::Ja,
            "（30 日後）から、この証明書は使えなくなります。",
            "からこの認証局を信頼していません。",
            "までに、現在の認証局から新しい証明書",
        ),
        (
            Language::En,
            "(in 30 days) this certificate will be refused.",
            " on.",
            "Get a new certificate of the current authority before",
        ),
    ] {
        let of = |reason, evidence: &Evidence| explain(language, reason, std::slice::from_ref(evidence));
        let accepted = of(Reason::Ok, &ahead);
        assert!(accepted.evidence[0].ends_with(ends) && accepted.next.contains(renew), "{accepted:?}");
        let grace = of(Reason::OkGrace, &ahead);
        assert!(grace.next.contains(renew) && grace.next.len() > accepted.next.len(), "{grace:?}");
        let refused = of(Reason::DistrustedAuthority, &past);
        assert!(refused.evidence[0].ends_with(ended) && !refused.next.contains(renew), "{refused:?}");
        assert!(!of(Reason::Policy, &ahead).next.contains(renew));
    }
}

#[test]
fn every_evidence_is_a_sentence() {
    for (language, end) in LANGUAGES.into_iter().zip(["。", "."]) {
        for text in explain(language, Reason::Policy, &every_evidence("x")).evidence {
            assert!(text.ends_with(end), "{text}");
        }
    }
}

#[test]
fn dates_are_in_the_time_zone_and_say_how_far_off_they_are() {
    let expired = [Evidence::Validity { not_before: Wall(0), not_after: Wall(WALL.0 - 3 * 86_400) }];
    let explain = |language| explain(language, Reason::Expired, &expired).evidence.concat();
    assert_eq!(
        explain(Language::Ja),
        "有効期間は 1970-01-01 09:00:00 +09:00 から 2026-11-19 09:00:00 +09:00 までです（3 日前に終了）。"
    );
    assert_eq!(
        explain(Language::En),
        "Valid from 1970-01-01 09:00:00 +09:00 to 2026-11-19 09:00:00 +09:00 (ended 3 days ago)."
    );
}

#[test]
fn a_crl_says_its_number_and_age() {
    let stale = [Evidence::Crl(crl())];
    assert_eq!(
        explain(Language::Ja, Reason::RevocationStale, &stale).evidence.concat(),
        "認証局 ca16 の CRL 番号 1234（pki/ca16.crl）: 発行は 2026-11-19 09:00:00 +09:00（3 日前）、期限は 2026-11-22 08:00:00 +09:00（60 分前に切れました）。"
    );
    assert_eq!(
        explain(Language::En, Reason::RevocationStale, &stale).evidence.concat(),
        "CRL number 1234 of authority ca16 (pki/ca16.crl): issued 2026-11-19 09:00:00 +09:00 (3 days ago), ended 2026-11-22 08:00:00 +09:00 (60 minutes ago)."
    );
}

#[test]
fn r16_an_ocsp_answer_says_its_responder_status_and_age() {
    let stale = OcspName { next_update: Wall(WALL.0 - 7_200), ..ocsp(OcspStatus::Good) };
    for (status, name, japanese) in [
        (OcspStatus::Good, "good", "失効していない（good）"),
        (OcspStatus::Revoked, "revoked", "失効（revoked）"),
        (OcspStatus::Unknown, "unknown", "不明（unknown）"),
    ] {
        let fact = [Evidence::Ocsp(ocsp(status))];
        assert_eq!(
            explain(Language::En, Reason::RevocationUnknown, &fact).evidence.concat(),
            format!(
                "OCSP answer \"{name}\" for authority ca16 (http://ocsp.example/): issued 2026-11-22 08:58:00 +09:00 (2 minutes ago), good until 2026-11-22 10:00:00 +09:00."
            )
        );
        assert_eq!(
            explain(Language::Ja, Reason::RevocationUnknown, &fact).evidence.concat(),
            format!(
                "認証局 ca16 の OCSP 応答「{japanese}」（http://ocsp.example/）: 発行は 2026-11-22 08:58:00 +09:00（2 分前）、期限は 2026-11-22 10:00:00 +09:00。"
            )
        );
    }
    let text = explain(Language::En, Reason::RevocationStale, &[Evidence::Ocsp(stale)]).evidence.concat();
    assert!(text.ends_with("ended 2026-11-22 07:00:00 +09:00 (2 hours ago)."), "{text}");
}

#[test]
fn an_entry_that_disappeared_says_since_when() {
    let fact = [Evidence::Vanished { source: "pki/ca16.crl".into(), since: Wall(WALL.0 - 3 * 86_400) }];
    assert_eq!(
        explain(Language::Ja, Reason::Revoked, &fact).evidence.concat(),
        "2026-11-19 09:00:00 +09:00（3 日前）以降「pki/ca16.crl」には載っていませんが、失効のまま扱います。"
    );
    assert_eq!(
        explain(Language::En, Reason::Revoked, &fact).evidence.concat(),
        "pki/ca16.crl has not listed it any more since 2026-11-19 09:00:00 +09:00 (3 days ago); it stays revoked here."
    );
}

#[test]
fn what_a_login_would_ask_is_said() {
    let says = |language, unasked: &Unasked| Explainer { language, zone: TimeZone::UTC }.unasked(unasked);
    let url = || vec!["http://ocsp.example/".to_owned()];
    let known = Unasked { responders: url(), told: url(), ..Unasked::default() };
    let ca = Unasked { ca: Some("ca16:0a".into()), is_kept: true, ..known.clone() };
    let told = Unasked { told: url(), ..Unasked::default() };
    for (unasked, english, japanese) in [
        (
            known,
            "No OCSP answer about this certificate is kept; the server would ask http://ocsp.example/ and wait for 2 s at most.",
            "この証明書についての OCSP 応答は保存されていません。接続時には http://ocsp.example/ に問い合わせ、最長 2 秒待ちます。",
        ),
        (
            ca,
            "No OCSP answer that still counts about the CA's certificate ca16:0a is kept; the server would ask http://ocsp.example/ and wait for 2 s at most.",
            "認証局の証明書 ca16:0a についての有効な OCSP 応答は保存されていません。接続時には http://ocsp.example/ に問い合わせ、最長 2 秒待ちます。",
        ),
        (
            told,
            "No OCSP answer about this certificate is kept; the server doesn't know yet whom to ask, and learns it from the first login: http://ocsp.example/.",
            "この証明書についての OCSP 応答は保存されていません。問い合わせ先はまだ分かりません。最初の接続のときに、証明書に書かれた http://ocsp.example/ を知ります。",
        ),
        (
            Unasked::default(),
            "No OCSP answer about this certificate is kept; the server doesn't know whom to ask: name a responder in `ocsp`, or a `sample` that does.",
            "この証明書についての OCSP 応答は保存されていません。問い合わせ先が分かりません。ocsp に問い合わせ先を、または sample に証明書を設定してください。",
        ),
    ] {
        assert_eq!(says(Language::En, &unasked), english);
        assert_eq!(says(Language::Ja, &unasked), japanese);
    }
}

/// Who can do something about a reason, by words of its next step.
fn who_acts(reason: Reason) -> &'static [&'static str] {
    use Reason as R;
    match reason {
        R::Ok | R::Duplicate => &[],
        // A new certificate, a way to get it, and the old one off the device.
        R::Expired | R::Revoked | R::Blocked | R::DistrustedAuthority | R::UntrustedIssuer => {
            &["新しい証明書|現在の認証局", "有線LAN", "JAISTALL", "OTP", "SSL-VPN", "プロファイル", "削除"]
        }
        R::NoCertificate | R::NoGoodCertificate | R::WrongPurpose | R::IdentityAmbiguous | R::NotYetValid => {
            &["有線LAN", "JAISTALL", "OTP", "SSL-VPN"]
        }
        R::RevocationUnknown | R::RevocationStale => &["有線LAN", "JAISTALL", "OTP", "SSL-VPN", "管理者の方へ: "],
        R::BadSignature => &[".p12", "プロファイル", "管理者の方へ: "],
        R::WrongOrganisation => &["eduroam"],
        R::UserBlocked | R::HomeServerReject => &["窓口に問い合わせてください"],
        R::OtpThrottled => &["待って", "窓口"],
        R::Policy => &["窓口", "管理者の方へ: "],
        R::EapNak => &["無線LAN の設定", "TLS", "プロファイル"],
        R::RealmNotOurs | R::BadIdentity => &["無線LAN の設定", "匿名 ID"],
        R::MethodNotAllowed => &["無線LAN の設定", "管理者の方へ: "],
        R::ClientAlert => &["ルート認証局", "プロファイル", "管理者の方へ: "],
        R::PasswordWrong => &["パスワード"],
        R::OtpWrong => &["時計"],
        R::Damped => &["原因", "削除"],
        R::TlsFailure | R::Malformed | R::ConversationExpired | R::TooManyRounds | R::Internal => {
            &["もう一度接続してください", "管理者の方へ: "]
        }
        R::Overload | R::HomeServerDown => &["管理者の方へ: "],
        R::OkGrace | R::NoService | R::UnknownNas | R::BadAuthenticator | R::MissingAuthenticator | R::ProxyLoop => {
            &["管理者の方へ: "]
        }
    }
}

#[test]
fn every_reason_says_what_to_do_wherever_somebody_can_do_something() {
    for reason in Reason::ALL.iter().copied() {
        let (ja, en) = (explain(Language::Ja, reason, &[]), explain(Language::En, reason, &[]));
        let wanted = who_acts(reason);
        assert_eq!(wanted.is_empty(), ja.next == "対応は不要です。", "{reason}: {}", ja.next);
        assert_eq!(wanted.is_empty(), en.next == "Nothing is to be done.", "{reason}: {}", en.next);
        for word in wanted {
            assert!(word.split('|').any(|word| ja.next.contains(word)), "{reason}: {word}: {}", ja.next);
        }
        // Both languages say the same.
        for (japanese, english) in [
            ("管理者の方へ: ", "Administrators: "),
            ("有線LAN", "wired LAN"),
            ("JAISTALL", "JAISTALL"),
            ("SSL-VPN", "SSL-VPN"),
            ("プロファイル", "profile"),
            ("窓口", "help desk|whoever issues"),
            ("eduroam", "eduroam"),
        ] {
            let has = english.split('|').any(|word| en.next.contains(word));
            assert_eq!(ja.next.contains(japanese), has, "{reason}: {japanese}: {} / {}", ja.next, en.next);
        }
    }
}

#[test]
fn japanese_is_polite_and_calls_things_by_one_name() {
    let all = Reason::ALL.iter().map(|reason| explain(Language::Ja, *reason, &every_evidence("x")));
    let standings = [Standing::Good, Standing::Unseen, Standing::Requested, Standing::Applied, Standing::Listed];
    let zone = TimeZone::UTC;
    let explainer = Explainer { language: Language::Ja, zone };
    let texts = all.chain(standings.map(|standing| explainer.standing(standing, &[], WALL)));
    for Explanation { summary, evidence, next } in texts {
        for text in evidence.iter().chain([&summary, &next]) {
            for sentence in text.split_terminator('。') {
                // A note in brackets may follow.
                let noted = sentence.strip_suffix('）').and_then(|text| text.rsplit_once('（'));
                let end = noted.map_or(sentence, |(text, _)| text);
                let is_polite =
                    ["です", "ます", "ました", "ません", "ください", "せんでした"].iter().any(|it| end.ends_with(it));
                let is_value =
                    sentence.contains("失効しました（") || sentence.contains("停止しました") || sentence.contains(": ");
                assert!(is_polite || is_value, "{sentence}");
            }
            for other in ["有線 LAN", "無線 LAN", "このサーバー", "ユーザ名", "サーバ ", "Wi-Fi", "キャンセル"]
            {
                assert!(!text.contains(other), "{other}: {text}");
            }
        }
    }
}

#[test]
fn a_block_says_who_when_and_why_in_the_time_zone() {
    let block = |reason: &str, until| Evidence::Blocked {
        since: Wall(WALL.0 - 7_200),
        until,
        reason: reason.into(),
        by: "helpdesk".into(),
    };
    for (language, block, said) in [
        (
            Language::Ja,
            block("keyCompromise", None),
            "2026-11-22 07:00:00 +09:00 に helpdesk が利用を停止しました（2 時間前、理由: 秘密鍵の漏えい（keyCompromise））。",
        ),
        (
            Language::Ja,
            block("退職", Some(Wall(WALL.0 + 86_400))),
            "2026-11-22 07:00:00 +09:00 に helpdesk が利用を停止しました（2 時間前、期限: 2026-11-23 09:00:00 +09:00、理由: 「退職」）。",
        ),
        (
            Language::En,
            block("left", None),
            "Blocked by helpdesk at 2026-11-22 07:00:00 +09:00 (2 hours ago), reason \"left\".",
        ),
    ] {
        assert_eq!(explain(language, Reason::Blocked, &[block]).evidence.concat(), said);
    }
}

#[test]
fn what_a_report_wants_done_is_said() {
    let by = ["02:00:00:00:00:01".to_owned()];
    let notes = [
        Note::Renew { before: Some(WALL) },
        Note::Renew { before: None },
        Note::Renewed,
        Note::StillUsed { by: &by },
        Note::Unused,
        Note::Unconfirmed { days: 4 },
    ];
    for (language, end) in LANGUAGES.into_iter().zip(["。", "."]) {
        let explainer = Explainer { language, zone: TimeZone::UTC };
        let said: std::collections::BTreeSet<_> = notes.iter().map(|note| explainer.note(note, WALL)).collect();
        assert_eq!(said.len(), notes.len());
        assert!(said.iter().all(|text| text.ends_with(end)), "{said:?}");
        assert!(explainer.note(&notes[3], WALL).contains(&by[0]));
    }
}

#[test]
fn an_unknown_nas_is_told_what_to_add() {
    for language in LANGUAGES {
        let next = explain(language, Reason::UnknownNas, &[]).next;
        assert!(next.contains("[[nas]]") && next.contains("address = [\"192.0.2.7\"]"), "{next}");
    }
}

#[test]
fn whoever_is_left_without_a_certificate_is_told_how_to_connect() {
    let reasons = [Reason::Expired, Reason::Revoked, Reason::NoCertificate, Reason::DistrustedAuthority];
    for reason in reasons {
        for language in LANGUAGES {
            let next = explain(language, reason, &[]).next;
            assert!(next.contains("JAISTALL") && next.contains("OTP"), "{reason}: {next}");
        }
    }
}

#[test]
fn a_name_that_looks_like_a_placeholder_stays_what_it_is() {
    let zone = TimeZone::UTC;
    let asked = Asked { user: Some("{nas}"), nas: Some("secret-nas"), ..Asked::default() };
    let explanation = Explainer { language: Language::En, zone }.explain(Reason::UserBlocked, &[], &asked);
    assert_eq!(explanation.summary, "This user ({nas}) is blocked on this server.");
}

#[test]
fn what_is_not_known_is_said_to_be_unknown() {
    let explain = |language| {
        Explainer { language, zone: TimeZone::UTC }.explain(Reason::NoService, &[], &Asked::default()).summary
    };
    assert_eq!(explain(Language::En), "No service matches this request, or none that this NAS (unknown) may ask for.");
    assert_eq!(explain(Language::Ja), "この要求に当てはまるサービスがないか、この NAS（不明）には許可されていません。");
}
