//! Japanese.

use super::{Clock, Note, Span, Standing, Unasked, Words, listed, names, quoted};
use crate::event::{CRL_REASONS, CrlName, Evidence, OcspName, OcspStatus, Reason};
use crate::now::Wall;

pub(super) fn words(reason: Reason) -> Words {
    let (summary, next) = match reason {
        Reason::Ok => ("接続を許可しました。", "対応は不要です。"),
        Reason::OkGrace => (
            "接続を許可しました。失効情報の期限は切れていますが、この認証局に設定された猶予期間（grace）内です。",
            "管理者の方へ: 猶予期間が終わると接続を拒否します。CRL が更新されない、または OCSP レスポンダーが応答しない原因を調べてください。",
        ),
        Reason::NoService => (
            "この要求に当てはまるサービスがないか、この NAS（{nas}）には許可されていません。",
            "管理者の方へ: [[service]] の match と、[[nas]] の services を確認してください。",
        ),
        Reason::MethodNotAllowed => (
            "この NAS（{nas}）には許可されていない方式の要求です。",
            "無線LAN の設定で EAP の種類に「TLS」（クライアント証明書）を選んでください。管理者の方へ: コントローラーの動作確認や MAC アドレス認証の要求であれば対応は不要です。許可する場合は [[nas]] の methods に加えてください。",
        ),
        Reason::UnknownNas => (
            "登録されていないアドレス {peer} からの要求のため、応答しませんでした。",
            "管理者の方へ: 自組織の機器であれば、設定ファイルに [[nas]] を追加し、address = [\"{peer}\"] と共有シークレットを書いて再読み込みしてください。心当たりのない機器であれば、ファイアウォールで遮断してください。",
        ),
        Reason::BadAuthenticator => (
            "{peer} からの要求の認証子（Message-Authenticator または Request Authenticator）が正しくないため、応答しませんでした。",
            "管理者の方へ: NAS（{nas}）と本サーバーの共有シークレットが一致しているか確認してください。",
        ),
        Reason::MissingAuthenticator => (
            "Message-Authenticator のない要求のため、応答しませんでした（CVE-2024-3596 への対策）。",
            "管理者の方へ: NAS（{nas}）のソフトウェアを更新し、Message-Authenticator を付ける設定にしてください。対応できない機器に限り、[[nas]] の require-message-authenticator を false にできます。ただし、名前による認可と、methods が OTP だけではない NAS の OTP では、その場合も必要です。",
        ),
        Reason::Duplicate => ("再送された要求です。", "対応は不要です。"),
        Reason::Malformed => (
            "RADIUS、EAP または証明書として正しく読み取れないデータです。",
            "もう一度接続してください。管理者の方へ: 繰り返す場合は、送信元の機器と経路を確認してください。",
        ),
        Reason::Overload => (
            "処理が追いつかないか、上限に達したため、応答しませんでした。",
            "端末は自動的に再試行します。管理者の方へ: 続く場合は、指標 sekisho_steps_waiting と sekisho_conversations を確認し、max-conversations やサーバーの台数を見直してください。",
        ),
        Reason::ConversationExpired => (
            "認証のやり取りが時間切れになったか、本サーバーで始まったものではありません。",
            "もう一度接続してください。管理者の方へ: 頻発する場合は、NAS が途中で別のサーバーに切り替えていないか、電波の状態、UDP パケットの欠落を確認してください。",
        ),
        Reason::TooManyRounds => (
            "認証のやり取りが進まないまま、上限の回数に達しました。",
            "もう一度接続してください。管理者の方へ: 端末の EAP の設定と、経路でのパケットの欠落を確認してください。",
        ),
        Reason::RealmNotOurs => (
            "外側の ID（匿名 ID、ユーザー名）のレルムが、このサービス（{service}）で受け付けるものではありません。",
            "無線LAN の設定で、ユーザー名（匿名 ID）の「@」より後を所属機関のレルムに直してください。",
        ),
        Reason::BadIdentity => (
            "外側の ID（匿名 ID、ユーザー名）の形式が正しくないか（RFC 7542）、この利用者の名前ではありません。",
            "無線LAN の設定では、ユーザー名（匿名 ID）を「名前@レルム」の形にしてください。VPN の設定では、証明書に書かれている名前にしてください。",
        ),
        Reason::EapNak => (
            "端末が、EAP-TLS（クライアント証明書）とは別の方式を要求しました。",
            "無線LAN の設定で EAP の種類に「TLS」を選び、クライアント証明書を指定してください。ID とパスワードで接続する古いプロファイルが残っていれば、削除してください。",
        ),
        Reason::NoCertificate => (
            "端末がクライアント証明書を送りませんでした。",
            "クライアント証明書を端末に入れ、無線LAN の設定で選んでください。証明書をまだお持ちでない方は、学内では有線LAN または SSID「JAISTALL」、学外ではワンタイムパスワード（OTP）による SSL-VPN で接続し、取得してください。",
        ),
        Reason::UntrustedIssuer => (
            "この証明書を発行した認証局は、このサービス（{service}）では受け付けていません。",
            "現在の認証局が発行したクライアント証明書を選び直し、古い証明書とプロファイルは端末から削除してください。お持ちでない方は、学内では有線LAN または SSID「JAISTALL」、学外では OTP による SSL-VPN で接続し、取得してください。",
        ),
        Reason::WrongOrganisation => (
            "複数の組織が共用する認証局が発行した証明書ですが、この組織のものではありません。",
            "この組織の構成員として発行されたクライアント証明書を選び直してください。他の組織の方は、eduroam をご利用ください。",
        ),
        Reason::NotYetValid => (
            "証明書の有効期間がまだ始まっていません。",
            "有効期間が始まってから接続してください。お急ぎの方は、学内では有線LAN または SSID「JAISTALL」、学外では OTP による SSL-VPN で接続してください。管理者の方へ: すでに始まっているはずであれば、本サーバーの時刻を確認してください。",
        ),
        Reason::Expired => (
            "証明書の有効期限が切れています。",
            "新しい証明書を取得し、古い証明書とプロファイルを端末から削除してください（更新の申請は期限の 30 日前からできます）。それまで、学内では有線LAN または SSID「JAISTALL」、学外では OTP による SSL-VPN で接続できます。",
        ),
        Reason::WrongPurpose => (
            "ネットワークへの接続に使う証明書ではありません（S/MIME 用など）。",
            "クライアント認証用の証明書を選び直してください。S/MIME 用の証明書とは別に発行されます。お持ちでない方は、学内では有線LAN または SSID「JAISTALL」、学外では OTP による SSL-VPN で接続し、取得してください。",
        ),
        Reason::IdentityAmbiguous => (
            "証明書から利用者を一人に特定できません。",
            "証明書の発行窓口に連絡し、ご自身のメールアドレスが一つだけ正しく入った証明書を取り直してください。それまで、学内では有線LAN または SSID「JAISTALL」、学外では OTP による SSL-VPN で接続できます。管理者の方へ: 名前の読み取り方は [[authority]] の username で決まります。VPN が問い合わせた名前を複数の利用者が持つときは、[[service]] の authorize に、一人だけが持つ名前（メールアドレスなど）か certificate-attribute を設定してください。",
        ),
        Reason::Revoked => (
            "認証局が失効させた証明書です。",
            "失効した証明書は元に戻りません。新しい証明書を取得し、古い証明書とプロファイルを端末から削除してください。それまで、学内では有線LAN または SSID「JAISTALL」、学外では OTP による SSL-VPN で接続できます。失効に心当たりがなければ、窓口に問い合わせてください。",
        ),
        Reason::Blocked => (
            "この証明書は、本サーバーで利用を停止しています。",
            "新しい証明書をお持ちであれば選び直し、古い証明書とプロファイルを端末から削除してください。お持ちでない方は、学内では有線LAN または SSID「JAISTALL」、学外では OTP による SSL-VPN で接続し、取得してください。心当たりがなければ、窓口に問い合わせてください。",
        ),
        Reason::UserBlocked => (
            "この利用者（{user}）は、本サーバーで利用を停止しています。",
            "窓口に問い合わせてください。証明書を取り直しても接続できません。",
        ),
        Reason::DistrustedAuthority => (
            "この証明書を発行した認証局は廃止されたため、証明書に書かれた期限にかかわらず使えません。",
            "現在の認証局から新しい証明書を取得し、古い証明書とプロファイルを端末から削除してください。それまで、学内では有線LAN または SSID「JAISTALL」、学外では OTP による SSL-VPN で接続できます。",
        ),
        Reason::RevocationUnknown => (
            "証明書が失効していないことを確認できません。失効情報がありません。",
            "利用者の証明書や端末の問題ではありません。お急ぎの方は、学内では有線LAN または SSID「JAISTALL」、学外では OTP による SSL-VPN で接続してください。管理者の方へ: この認証局の crl・ocsp・sample の設定と、CRL の取得状況、OCSP レスポンダーの応答を確認してください。",
        ),
        Reason::RevocationStale => (
            "失効情報の期限が切れているため、証明書が失効していないことを確認できません。",
            "利用者の証明書や端末の問題ではありません。お急ぎの方は、学内では有線LAN または SSID「JAISTALL」、学外では OTP による SSL-VPN で接続してください。管理者の方へ: 新しい CRL や OCSP 応答が得られない原因を調べてください。やむを得ない場合は [[authority]] の grace で猶予できます。",
        ),
        Reason::BadSignature => (
            "端末が、証明書に対応する秘密鍵を持っていることを証明できませんでした。",
            "古い証明書とプロファイルを端末から削除し、証明書を .p12 ファイルから入れ直してください。管理者の方へ: 他人の証明書の写しが使われた可能性もあります。",
        ),
        Reason::ClientAlert => (
            "端末の側が接続を中止しました。",
            "無線LAN の設定で、信頼するルート認証局とサーバー名が案内のとおりか確認し、古いプロファイルを削除して設定し直してください。管理者の方へ: 多くの端末で起きる場合は、サーバー証明書の期限と、中間証明書が欠けていないかを確認してください。",
        ),
        Reason::TlsFailure => (
            "TLS のやり取りに失敗しました。",
            "端末の OS を更新して、もう一度接続してください。管理者の方へ: 古い端末だけで起きる場合は、[tls] の versions と groups を確認してください。",
        ),
        Reason::Policy => (
            "サービス（{service}）の規則により拒否しました。",
            "窓口に問い合わせてください。管理者の方へ: [[service]] の rules と、[[group]] のファイルを確認してください。",
        ),
        Reason::NoGoodCertificate => (
            "この利用者の証明書のうち、本サーバーが検証したものはありません。",
            "クライアント証明書で無線LAN に一度接続してください。それにより本サーバーが証明書を知ります。証明書をお持ちでない方は、学内では有線LAN または SSID「JAISTALL」、学外では OTP による SSL-VPN で接続し、取得してください。管理者の方へ: 一覧の行だけでは許可されません。証明書そのものを登録してください。何で探すかは [[service]] の authorize で決まります。",
        ),
        Reason::PasswordWrong => (
            "この NAS（{nas}）が証明書を検証したことを示すパスワードではありません。",
            "クライアント証明書で接続してください。ご自身のパスワードでは接続できません。管理者の方へ: [[service]] の authorize.password と、NAS が（PAP で）送るパスワードの設定を一致させてください。",
        ),
        Reason::OtpWrong => (
            "ワンタイムパスワード（OTP）が正しくないか、すでに使われています。",
            "新しい番号が表示されるまで待って入力し、表示する端末の時計が合っているか確認してください。続くときは、窓口に再登録を依頼してください。管理者の方へ: sekisho otp enrol で登録できます。",
        ),
        Reason::OtpThrottled => (
            "ワンタイムパスワード（OTP）の入力の誤りが続いたため、受け付けを制限しています。",
            "数分待ってから、もう一度入力してください。心当たりがなければ、窓口に問い合わせてください。管理者の方へ: 同じ場所から何回まで受け付けるかは [otp] の attempts で決まります。",
        ),
        Reason::ProxyLoop => (
            "同じ要求が本サーバーに戻ってきました。",
            "管理者の方へ: 転送先のサーバーとレルムの設定に循環がないか確認してください。",
        ),
        Reason::HomeServerDown => (
            "所属機関の認証サーバーが応答しません。",
            "しばらくしてから、もう一度接続してください。管理者の方へ: 転送先のサーバーの状態を確認してください。",
        ),
        Reason::HomeServerReject => {
            ("所属機関の認証サーバーが拒否しました。", "所属機関の窓口に問い合わせてください。")
        }
        Reason::Damped => (
            "拒否された接続を短い間隔で繰り返しているため、確認せずに再び拒否しました。",
            "先に拒否された原因を取り除いてから、接続し直してください。使わない端末では、この無線LAN の設定を削除してください。",
        ),
        Reason::Internal => (
            "サーバーの内部で問題が起きました。",
            "もう一度接続してください。管理者の方へ: 前後のログを添えて、開発元に報告してください。",
        ),
    };
    Words { summary, next }
}

pub(super) fn standing(standing: Standing) -> Words {
    let (summary, next) = match standing {
        Standing::Good => ("有効な証明書です。", ""),
        Standing::Unseen => ("一覧に載っている証明書です。証明書そのものは、本サーバーではまだ確認していません。", ""),
        Standing::Requested => (
            "失効申請中の証明書です。認証局はまだ失効させておらず、本サーバーでも利用を停止していません。",
            "すぐに使えなくする必要があれば、本サーバーで利用を停止してください。",
        ),
        Standing::Applied => (
            "新規申請中の証明書です。まだ発行されていません。",
            "発行されたら、本人が証明書を取得し、端末に入れてください。",
        ),
        Standing::Listed => (
            "認証局の一覧では、失効済となっている証明書です。",
            "失効した証明書は元に戻りません。必要であれば、新しい証明書を取得してください。",
        ),
    };
    Words { summary, next }
}

pub(super) fn note(note: &Note<'_>, clock: Clock<'_>) -> String {
    match note {
        Note::Renew { before: Some(before) } => {
            format!("{} までに新しい証明書を取得する必要があります。", clock.date(*before))
        }
        Note::Renew { before: None } => "新しい証明書を取得する必要があります。".into(),
        Note::Renewed => "新しい証明書に切り替わっています。対応は不要です。".into(),
        Note::StillUsed { by } => format!(
            "新しい証明書は取得済みですが、次の端末は古い証明書を使い続けています: {}。端末の設定で新しい証明書を選び、古い証明書とプロファイルを削除してください。",
            listed(by, |mac| quoted(mac))
        ),
        Note::Unused => "一度も使われていません。不要であれば、失効を申請してください。".into(),
        Note::Unconfirmed { days } => format!(
            "本サーバーで利用を停止していますが（{days} 日経過）、認証局の失効情報にはまだ載っていません。認証局に失効を申請したか、申請がどうなったかを確認してください。"
        ),
    }
}

/// What comes before anything else for who is let in by an authority that ends.
pub(super) fn renew(from: Wall, clock: Clock<'_>) -> String {
    format!("{} までに、現在の認証局から新しい証明書を取得してください。", clock.date(from))
}

pub(super) fn evidence(evidence: &Evidence, clock: Clock<'_>) -> String {
    match evidence {
        Evidence::Validity { not_before, not_after } => {
            let ended = clock.ago(*not_after).map(|span| format!("（{}前に終了）", text(span)));
            let begins = clock.until(*not_before).map(|span| format!("（{}後に開始）", text(span)));
            let note = ended.or(begins).unwrap_or_default();
            format!("有効期間は {} から {} までです{note}。", clock.date(*not_before), clock.date(*not_after))
        }
        Evidence::Issuer(name) => format!("発行者は「{}」です。", quoted(name)),
        Evidence::Path(why) => format!("信頼する認証局までの経路を確認できません: {}。", quoted(why)),
        Evidence::Organisation { attribute, wanted, found } => {
            let found = found.as_ref().map_or("ありません".into(), |found| format!("「{}」です", quoted(found)));
            format!("主体者名の {attribute} は「{}」でなければなりませんが、{found}。", quoted(wanted))
        }
        Evidence::Purposes(None) => "拡張鍵用途（EKU）が書かれていません。".into(),
        Evidence::Purposes(Some(found)) => {
            format!("拡張鍵用途（EKU）は {} です。", listed(found, |oid| quoted(names::purpose(oid))))
        }
        Evidence::CertificatePolicy { oid, required: true } => {
            format!("必要な証明書ポリシー {} がありません。", quoted(oid))
        }
        Evidence::CertificatePolicy { oid, required: false } => {
            format!("証明書ポリシー {} は受け付けていません。", quoted(oid))
        }
        Evidence::Crl(crl) => self::crl(crl, clock),
        Evidence::Ocsp(ocsp) => self::ocsp(ocsp, clock),
        Evidence::NoOcsp(issuer) => format!("「{}」の OCSP 応答がありません。", quoted(issuer)),
        Evidence::Vanished { source, since } => {
            let ago = clock.ago(*since).map_or(" ".into(), |span| format!("（{}前）", text(span)));
            let source = quoted(source);
            format!("{}{ago}以降「{source}」には載っていませんが、失効のまま扱います。", clock.date(*since))
        }
        Evidence::NoCrl(issuer) => format!("「{}」の CRL がありません。", quoted(issuer)),
        Evidence::Revoked { at, reason, intermediate } => {
            let what = if *intermediate { "中間認証局の証明書が " } else { "" };
            let why = reason.map(|reason| format!("（理由: {}）", revocation_reason(reason))).unwrap_or_default();
            format!("{what}{} に失効しました{why}。", clock.date(*at))
        }
        Evidence::Blocked { since, until, reason, by } => {
            let ago = clock.ago(*since).map(|span| format!("{}前", text(span)));
            let end = until.map(|at| format!("期限: {}", clock.date(at)));
            let why = match &**reason {
                "" | "unspecified" => None,
                reason if CRL_REASONS.contains(&reason) => Some(format!("理由: {}", revocation_reason(reason))),
                reason => Some(format!("理由: 「{}」", quoted(reason))),
            };
            let notes: Vec<String> = [ago, end, why].into_iter().flatten().collect();
            let notes = if notes.is_empty() { String::new() } else { format!("（{}）", notes.join("、")) };
            format!("{} に {} が利用を停止しました{notes}。", clock.date(*since), quoted(by))
        }
        Evidence::Distrust { from } => match clock.until(*from) {
            Some(span) if *from > clock.now => {
                format!(
                    "この認証局は廃止されます。{}（{}後）から、この証明書は使えなくなります。",
                    clock.date(*from),
                    text(span)
                )
            }
            _ => format!("{} からこの認証局を信頼していません。", clock.date(*from)),
        },
        Evidence::Names(found) => match found.as_slice() {
            [] => "証明書に利用者の名前がありません。".into(),
            [one] => format!("「{}」は利用者の名前として使えません。", quoted(one)),
            many => format!("利用者の名前の候補が複数あります: {}。", listed(many, |name| quoted(name))),
        },
        Evidence::Outer(names) => format!(
            "この機器は外側の ID でセッションを区別するので、外側の ID は証明書にある名前のどれかでなければなりません: {}。",
            listed(names, |name| quoted(name))
        ),
        Evidence::Realm(realm) => format!("レルムは「{}」です。", quoted(realm)),
        Evidence::ClientAlert(number) => {
            let why = if names::blames_our_certificate(*number) {
                "端末がサーバー証明書を受け入れていません"
            } else {
                "端末からの TLS アラートです"
            };
            format!("アラート {number}（{}）: {why}。", names::alert_name(*number))
        }
        Evidence::Protocol(text) => format!("詳細: {}。", quoted(text)),
        Evidence::NakWants(methods) if methods.is_empty() => "端末は代わりの方式を示していません。".into(),
        Evidence::NakWants(methods) => {
            format!("端末が求めた方式は {} です。", listed(methods, |number| names::eap_method(*number)))
        }
        Evidence::Rule(number) => format!("サービスの規則（rules）の {number} 番目が拒否しています。"),
        Evidence::RuleWantsCode(number) => format!(
            "サービスの規則（rules）の {number} 番目がワンタイムパスワード（OTP）を求めていますが、EAP-TLS では入力を求められません（名前で問い合わせる VPN では求められます）。"
        ),
        Evidence::NotEnrolled(user) => {
            format!("「{}」には、ワンタイムパスワード（OTP）が登録されていません。", quoted(user))
        }
        Evidence::NoSealKey => "この利用者のワンタイムパスワード（OTP）の秘密は、[otp] のどの seal-key でも開けません。利用者の操作に誤りはありません。管理者の方へ: 以前の seal-key を戻すか、再登録してください。".into(),
        Evidence::RegistrySilent => {
            "登録簿（registry）が応答しないため、確認できませんでした。利用者の側の問題ではありません。管理者の方へ: /readyz とログを確認してください。".into()
        }
        Evidence::Groups(groups) => format!("所属グループは {} です。", listed(groups, |group| quoted(group))),
        Evidence::Method(method) => format!("要求された方式は {method} です。"),
    }
}

fn crl(crl: &CrlName, clock: Clock<'_>) -> String {
    let number = crl.number.as_ref().map(|number| format!(" 番号 {}", quoted(number))).unwrap_or_default();
    let dates = dates(crl.this_update, crl.next_update, clock);
    format!("認証局 {} の CRL{number}（{}）: {dates}。", quoted(&crl.authority), quoted(&crl.source))
}

fn ocsp(ocsp: &OcspName, clock: Clock<'_>) -> String {
    let OcspName { authority, source, status, this_update, next_update } = ocsp;
    let dates = dates(*this_update, Some(*next_update), clock);
    let status = match status {
        OcspStatus::Good => "失効していない（good）",
        OcspStatus::Revoked => "失効（revoked）",
        OcspStatus::Unknown => "不明（unknown）",
    };
    format!("認証局 {} の OCSP 応答「{status}」（{}）: {dates}。", quoted(authority), quoted(source))
}

pub(super) fn unasked(unasked: &Unasked) -> String {
    let Unasked { ca, is_kept, responders, told } = unasked;
    let about = ca.as_ref().map_or("この証明書".into(), |id| format!("認証局の証明書 {} ", quoted(id)));
    let kept = if *is_kept { "有効な OCSP 応答" } else { " OCSP 応答" };
    let listed = |urls: &[String]| listed(urls, |url| quoted(url));
    let ask = match (responders.is_empty(), told.is_empty()) {
        (false, _) => format!("接続時には {} に問い合わせ、最長 2 秒待ちます", listed(responders)),
        (true, false) => {
            format!("問い合わせ先はまだ分かりません。最初の接続のときに、証明書に書かれた {} を知ります", listed(told))
        }
        (true, true) => {
            "問い合わせ先が分かりません。ocsp に問い合わせ先を、または sample に証明書を設定してください".into()
        }
    };
    format!("{about}についての{kept}は保存されていません。{ask}。")
}

fn dates(this_update: Wall, next_update: Option<Wall>, clock: Clock<'_>) -> String {
    let age = clock.ago(this_update).map(|span| format!("（{}前）", text(span))).unwrap_or_default();
    let next = match next_update {
        None => "次回の発行予定は書かれていません".into(),
        Some(at) => match clock.ago(at) {
            Some(span) => format!("期限は {}（{}前に切れました）", clock.date(at), text(span)),
            None => format!("期限は {}", clock.date(at)),
        },
    };
    format!("発行は {}{age}、{next}", clock.date(this_update))
}

fn text(span: Span) -> String {
    match span {
        Span::Days(n) => format!("{n} 日"),
        Span::Hours(n) => format!("{n} 時間"),
        Span::Minutes(n) => format!("{n} 分"),
        Span::Seconds(n) => format!("{n} 秒"),
    }
}

/// CRLReason (RFC 5280 section 5.3.1).
fn revocation_reason(name: &str) -> &str {
    match name {
        "unspecified" => "指定なし",
        "keyCompromise" => "秘密鍵の漏えい（keyCompromise）",
        "cACompromise" => "認証局の秘密鍵の漏えい（cACompromise）",
        "affiliationChanged" => "所属や名前の変更（affiliationChanged）",
        "superseded" => "新しい証明書への切り替え（superseded）",
        "cessationOfOperation" => "利用の終了（cessationOfOperation）",
        "certificateHold" => "一時停止（certificateHold）",
        "privilegeWithdrawn" => "利用資格の取り消し（privilegeWithdrawn）",
        other => other,
    }
}
