use super::super::item::Record;
use super::{Asked, asked, reading};

const FOUR: &str = "application=1,subject=2,mail=3,status=4";

fn record(application: &str, subject: &str, mail: &str, status: &str) -> Record {
    Record {
        application: application.into(),
        subject: subject.into(),
        mail: mail.into(),
        status: status.into(),
        ..Record::default()
    }
}

/// The octets as a Japanese Windows writes them.
fn shift_jis(text: &str) -> Vec<u8> {
    let (octets, _, has_gaps) = encoding_rs::SHIFT_JIS.encode(text);
    assert!(!has_gaps, "{text}");
    octets.into_owned()
}

#[test]
fn every_status_of_the_field_is_known() {
    let words = [
        ("新規申請中", "applied"),
        ("新規申請PIN取得済", "applied"),
        ("新規申請ＰＩＮ取得済", "applied"),
        ("有効", "valid"),
        ("失効申請中", "revocation-requested"),
        ("失効済", "revoked"),
        ("revocation-requested", "revocation-requested"),
        ("", ""),
    ];
    for (word, status) in words {
        let text = format!("1,\"CN=Hanako,O=Campus,C=JP\",hanako@campus.example,{word}\n");
        let reading = reading(text.as_bytes(), &asked(FOUR)).unwrap();
        assert_eq!(reading.refused(), Vec::<String>::new());
        let wanted = record("1", "CN=Hanako,O=Campus,C=JP", "hanako@campus.example", status);
        assert_eq!(reading.records(), [&wanted], "{word}");
    }
    let unknown = reading("1,CN=A,,保留\n".as_bytes(), &asked(FOUR)).unwrap();
    assert_eq!(unknown.refused(), ["list:1: \"保留\" is no known status"]);
}

#[test]
fn every_encoding_says_the_same() {
    let text = "申請番号\t主体者DN\tメールアドレス\t申請状況\r\nA-1\tCN=山田 花子,O=関所大学,C=JP\thanako@campus.example\t有効\r\n\
        A-2\tCN=能表 ソ十,O=関所大学,C=JP\tso@campus.example\t失効申請中\r\n";
    let wanted = [
        record("A-1", "CN=山田 花子,O=関所大学,C=JP", "hanako@campus.example", "valid"),
        record("A-2", "CN=能表 ソ十,O=関所大学,C=JP", "so@campus.example", "revocation-requested"),
    ];
    let with_mark = [b"\xef\xbb\xbf", text.as_bytes()].concat();
    for octets in [text.as_bytes().to_vec(), with_mark, shift_jis(text)] {
        let reading = reading(&octets, &Asked::default()).unwrap();
        assert_eq!(reading.refused(), Vec::<String>::new());
        assert_eq!(reading.records(), wanted.iter().collect::<Vec<_>>());
        assert!(reading.note.ends_with("parted by tabs, columns application=1,subject=2,mail=3,status=4"));
    }
}

#[test]
fn one_broken_line_makes_no_nonsense_of_the_others() {
    let mut octets = "1,CN=山田,,\n2,CN=鈴木,,\n".as_bytes().to_vec();
    octets.extend(b"3,CN=\xff\xfe,,\n");
    let of_utf8 = reading(&octets, &asked(FOUR)).unwrap();
    assert_eq!(of_utf8.records().len(), 2);
    assert_eq!(of_utf8.refused(), ["list:3: it is not UTF-8, as the other lines are"]);
    let mut octets = shift_jis("1,CN=山田,,\n2,CN=鈴木,,\n");
    octets.extend(b"3,CN=\x81,,\n");
    let of_shift_jis = reading(&octets, &asked(FOUR)).unwrap();
    assert_eq!(of_shift_jis.records()[1].subject, "CN=鈴木");
    assert_eq!(of_shift_jis.refused(), ["list:3: it is not Shift_JIS, as the other lines are"]);
}

#[test]
fn without_a_header_columns_are_those_of_the_reference() {
    let row = "7,x,x,\"CN=A,C=JP\",x,x,x,x,x,x,x,x,x,x,a@campus.example\n";
    let reading = reading(row.as_bytes(), &asked("application=1")).unwrap();
    assert_eq!(reading.records(), [&record("7", "CN=A,C=JP", "a@campus.example", "")]);
    assert!(reading.note.ends_with("columns application=1,subject=4,mail=15"), "{}", reading.note);
}

#[test]
fn a_header_is_believed_where_nothing_was_asked_and_it_is_unambiguous() {
    let text = "No,申請番号,主体者DN,メールアドレス,メールアドレス\n1,A-1,CN=A,x@campus.example,a@campus.example\n";
    let all = reading(text.as_bytes(), &asked("mail=5")).unwrap();
    assert_eq!(all.records(), [&record("A-1", "CN=A", "a@campus.example", "")]);
    // Two columns are called so: neither is taken, and the reference's isn't there.
    let without = reading(text.as_bytes(), &Asked::default()).unwrap();
    assert_eq!(without.refused(), ["list:2: it has 5 columns, and the mail would be in column 15"]);
    let none = reading(text.as_bytes(), &asked("mail=0,application=1")).unwrap();
    assert_eq!(none.records(), [&record("1", "CN=A", "", "")]);
}

#[test]
fn a_list_that_names_no_certificate_is_refused_once() {
    let reading = reading(b"CN=A\nCN=B\n", &asked("subject=1,mail=0")).unwrap();
    assert_eq!(reading.refused().len(), 1);
    assert!(reading.refused()[0].starts_with("list: nothing in it says which certificate"), "{:?}", reading.refused());
}

#[test]
fn serials_are_of_an_authority() {
    let columns = "subject=1,mail=0,serial=2";
    let with = |authority: Option<&str>, decimal_serials, text: &str| {
        let asked = Asked { authority: authority.map(str::to_owned), decimal_serials, ..asked(columns) };
        let reading = reading(text.as_bytes(), &asked).unwrap();
        let serials = reading.records().into_iter().map(|record| format!("{}:{}", record.authority, record.serial));
        (serials.collect::<Vec<_>>(), reading.refused())
    };
    assert_eq!(with(Some("ca16"), false, "CN=A,0A:1B\nCN=B,0x1f\n").0, ["ca16:0a1b", "ca16:1f"]);
    assert_eq!(
        with(Some("ca16"), true, "CN=A,255\nCN=B,1208925819614629174706176\n").0,
        ["ca16:ff", "ca16:100000000000000000000"]
    );
    assert!(with(None, false, "CN=A,1\n").1[0].contains("whose serials are they?"));
    let text = "application,subject,serial\n1,CN=A,0a\n";
    let by_header = reading(text.as_bytes(), &asked("mail=0")).unwrap();
    assert_eq!(by_header.records()[0].serial, "");
    assert!(by_header.note.ends_with("subject=2; serials are left out: --authority NAME says whose they are"));
    let (_, refused) = with(Some("ca16"), false, "CN=A,xyz\nCN=B,未発行\n");
    assert_eq!(refused[0], "list:1: \"xyz\" is no hexadecimal serial");
    assert!(refused[1].starts_with("list:2: neither an application's number nor a serial"), "{refused:?}");
    let (_, refused) = with(Some("ca16"), true, "CN=A,1a\nCN=B,9999999999999999999999999999999999999999999999999\n");
    assert_eq!(refused.len(), 2);
}

#[test]
fn quoted_fields_may_hold_quotes_separators_and_ends_of_lines() {
    let text = "1,\"CN=A \"\"B\"\",C=JP\",a@campus.example,有効,\"a memo\r\nof two lines\"\r\n\r\n,,,,\r\n2,CN=C,,\n";
    let reading = reading(text.as_bytes(), &asked(FOUR)).unwrap();
    assert_eq!(reading.refused(), Vec::<String>::new());
    assert_eq!(
        reading.records(),
        [&record("1", "CN=A \"B\",C=JP", "a@campus.example", "valid"), &record("2", "CN=C", "", "")]
    );
}

#[test]
fn a_quote_that_is_never_closed_takes_no_line_along() {
    let text = "1,CN=A,,\n2,\"CN=B,,\n3,CN=C,,\n4,\"CN=D\",,\n5,CN=E,,\n";
    let reading = reading(text.as_bytes(), &asked(FOUR)).unwrap();
    let subjects: Vec<&str> = reading.records().iter().map(|record| record.subject.as_str()).collect();
    assert_eq!(subjects, ["CN=A", "CN=C", "CN=D", "CN=E"]);
    assert_eq!(reading.refused(), ["list:2: something stands behind a closing quote"]);
    let text = format!("1,\"CN=A,,\n{}", "2,CN=B,,\n".repeat(100));
    let reading = super::reading(text.as_bytes(), &asked(FOUR)).unwrap();
    assert_eq!(reading.refused(), ["list:1: a quote is never closed"]);
    assert_eq!(reading.records().len(), 100);
}

#[test]
fn the_ca_quotes_nothing_in_its_tsv_and_spreadsheets_do() {
    let text =
        "1\t\"CN=A,C=JP\"\ta@campus.example\t有効\n2\tCN=B\t\"b\"@campus.example\t\n3\tCN=C\t\t\t\"open\n4\tCN=D\t\t\n";
    let reading = reading(text.as_bytes(), &asked(FOUR)).unwrap();
    assert_eq!(reading.refused(), Vec::<String>::new());
    let subjects: Vec<&str> = reading.records().iter().map(|record| record.subject.as_str()).collect();
    assert_eq!(subjects, ["CN=A,C=JP", "CN=B", "CN=C", "CN=D"]);
    assert_eq!(reading.records()[1].mail, "\"b\"@campus.example");
}

#[test]
fn o01_what_a_list_holds_is_shown_escaped_and_never_sent_if_it_hides() {
    let text = "1,CN=A\u{1b}[2J,,\n2,CN=A\u{202e},,\n3,=cmd|' /C calc'!A1,,\n4,CN=A,=a@b\u{7},\n5,CN=A,@SUM(1),\n6,CN=A,,失効\u{200b}済\n7\u{2028}8,CN=A,,\n";
    let reading = reading(text.as_bytes(), &asked(FOUR)).unwrap();
    assert_eq!(reading.records(), Vec::<&Record>::new());
    let refused = reading.refused();
    assert_eq!(refused.len(), 7, "{refused:?}");
    assert_eq!(refused[0], "list:1: the subject holds characters that don't show: \"CN=A\\u{1b}[2J\"");
    assert_eq!(refused[2], "list:3: column 2 is no subject: \"=cmd|' /C calc'!A1\"");
    assert_eq!(refused[4], "list:5: column 3 is no mail address: \"@SUM(1)\"");
    assert!(refused.iter().all(|line| !line.contains(crate::policy::is_hidden)), "{refused:?}");
}

#[test]
fn long_lines_and_fields_are_refused_by_themselves() {
    let long = "x".repeat(200 << 10);
    let text = format!("1,CN=A,,\n2,CN={long},,\n3,CN={},,\n4,CN=D,,\n", "x".repeat(2_000));
    let reading = reading(text.as_bytes(), &asked(FOUR)).unwrap();
    assert_eq!(reading.records().len(), 2);
    let refused = reading.refused();
    assert_eq!(refused[0], "list:2: it is too long");
    assert!(
        refused[1].starts_with("list:3: the subject is too long: \"CN=xxx") && refused[1].len() < 200,
        "{refused:?}"
    );
}

#[test]
fn what_is_no_list_is_said_to_be_none() {
    let files: [(&[u8], &str); 6] = [
        (b"", "empty"),
        (b"\n\r\n\n", "nothing but empty lines"),
        (b"\xff\xfe1\0,\0", "UTF-16"),
        (b"PK\x03\x04whatever", "workbook"),
        (b"1,CN=A\0\n", "neither certificates"),
        (b"\x30\x80\x06\x09", "indefinite length"),
    ];
    for (octets, wanted) in files {
        let why = reading(octets, &Asked::default()).err().unwrap_or_else(|| panic!("{wanted}"));
        assert!(why.contains(wanted), "{why}");
    }
}

#[test]
fn columns_that_make_no_sense_are_refused() {
    for (text, wanted) in [
        ("subject", "NAME=NUMBER"),
        ("subjekt=1", "there is no column \"subjekt\""),
        ("subject=-1", "0 (not there) to 1000"),
        ("subject=1001", "0 (not there) to 1000"),
        ("subject=1,subject=2", "named twice"),
    ] {
        let error = text.parse::<super::Columns>().unwrap_err();
        assert!(error.contains(wanted), "{error}");
    }
}
