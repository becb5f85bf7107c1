//! Words that lists of the CA use.

/// What stands in the place of a serial until there is one.
pub(super) const NOT_ISSUED: &[&str] = &["未発行", "-", "－"];

/// States of an application at the CA, and the API's name for each.
const STATUSES: [(&str, &[&str]); 6] = [
    ("applied", &["新規申請中", "新規申請PIN取得済"]),
    ("valid", &["有効"]),
    ("revocation-requested", &["失効申請中"]),
    ("revoked", &["失効済"]),
    ("expired", &["期限切れ"]),
    ("distrusted", &["認証局廃止"]),
];

/// The API's name of a status.
pub(super) fn status(text: &str) -> Option<&'static str> {
    // Portals write Latin letters in either width.
    let text: String = text.chars().map(narrow).filter(|c| !c.is_whitespace()).collect();
    let is_it = |name: &str, words: &[&str]| name == text || words.contains(&text.as_str());
    STATUSES.iter().find(|(name, words)| is_it(name, words)).map(|(name, _)| *name)
}

/// A full-width Latin letter as a plain one.
fn narrow(c: char) -> char {
    match c {
        '\u{ff21}'..='\u{ff3a}' => char::from_u32(c as u32 - 0xfee0).unwrap_or(c),
        c => c,
    }
}

/// How headers call each column; exactly so, for lists have an administrator's name and address beside the user's.
pub(super) const APPLICATION: &[&str] = &["申請番号", "申請ID", "application"];
pub(super) const SUBJECT: &[&str] = &["主体者DN", "DN", "subject"];
pub(super) const MAIL: &[&str] =
    &["利用者メールアドレス", "利用者E-mail", "利用者Email", "メールアドレス", "E-mail", "mail", "email"];
pub(super) const SERIAL: &[&str] = &["シリアル番号", "証明書シリアル番号", "serial"];
pub(super) const AUTHORITY: &[&str] = &["authority"];
pub(super) const STATUS: &[&str] = &["申請状況", "状態", "ステータス", "証明書状態", "status"];
