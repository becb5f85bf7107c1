//! What every route stands on: bodies, queries, pages, times, versions, tables.

use axum::body::{Body as Octets, to_bytes};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::IntoParams;

use crate::admin::cursor::{self, List};
use crate::admin::etag::{self, ETag, IfMatch};
use crate::admin::input::{Body, Listing, Path};
use crate::admin::problem::Problem;
use crate::admin::time::Time;
use crate::admin::{Caller, Role, csv};
use crate::now::Wall;

/// Does what is to be done at once.
fn now<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(future)
}

fn shown(response: Response) -> Value {
    let octets = now(to_bytes(response.into_body(), 1 << 20)).expect("a short body");
    serde_json::from_slice(&octets).expect("JSON")
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Made {
    name: String,
    at: Option<Time>,
}

fn body(text: &str) -> Result<Made, Problem> {
    let request = Request::new(Octets::from(text.to_owned()));
    now(Body::<Made>::from_request(request, &())).map(|Body(made)| made)
}

#[test]
fn a_body_that_is_wrong_says_where() {
    assert!(body(r#"{"name": "x", "at": "2027-03-31T23:59:59+09:00"}"#).is_ok());
    for (text, status, field) in [
        ("{", 400, None),
        ("", 422, Some(".")),
        (r#"{"name": "x"} x"#, 400, None),
        (r#"{"name": 1}"#, 422, Some("name")),
        (r#"{"name": "x", "nam": 1}"#, 422, Some("nam")),
        (r#"{"name": "x", "at": "yesterday"}"#, 422, Some("at")),
        (r#"{"name": "x", "name": "y"}"#, 422, Some(".")),
        (r#"[]"#, 422, Some(".")),
        (r#" ["x", "2027-03-31T23:59:59+09:00"]"#, 422, Some(".")),
    ] {
        let sent = shown(body(text).expect_err(text).into_response());
        assert_eq!(sent["status"], status, "{text}: {sent}");
        assert_eq!(sent["errors"][0]["field"].as_str(), field, "{text}: {sent}");
    }
}

#[derive(Debug, PartialEq, Deserialize, IntoParams)]
struct Filter {
    /// By user.
    user: Option<String>,
    days: Option<u16>,
    since: Option<Time>,
}

fn asked(uri: &str) -> axum::http::request::Parts {
    Request::builder().uri(uri).body(()).expect("a request").into_parts().0
}

fn listing(uri: &str) -> Result<Listing<Filter>, Problem> {
    now(Listing::from_request_parts(&mut asked(uri), &()))
}

#[test]
fn a_query_that_is_wrong_says_where() {
    let good = listing("/x?user=a%40b&days=30&limit=5&since=2027-03-31T23:59:59+09:00").expect("good");
    let since = Some(Time(Wall(1_806_505_199)));
    assert_eq!((good.filter, good.limit), (Filter { user: Some("a@b".into()), days: Some(30), since }, 5));
    for (uri, field) in [
        ("/x?usr=a", "usr"),
        ("/x?days=many", "days"),
        ("/x?days=-1", "days"),
        ("/x?since=noon", "since"),
        ("/x?limit=0", "limit"),
        ("/x?limit=1001", "limit"),
        ("/x?limit=18446744073709551616", "limit"),
    ] {
        let sent = shown(listing(uri).expect_err(uri).into_response());
        assert_eq!((sent["status"].as_u64(), sent["errors"][0]["field"].as_str()), (Some(400), Some(field)), "{sent}");
    }
}

#[test]
fn a_list_comes_in_pages_to_its_end() {
    let all: Vec<u32> = (0..120).collect();
    let (mut seen, mut uri) = (Vec::new(), "/x?user=a".to_owned());
    for pages in 1.. {
        let listing = listing(&uri).expect("good");
        let after: Option<u32> = listing.after().expect("good");
        let found = all.iter().copied().filter(|one| after.is_none_or(|after| *one > after));
        let page = listing.page(found.take(listing.limit + 1).collect(), |one| *one);
        seen.extend(page.items);
        let Some(next) = page.next else {
            assert_eq!(pages, 3);
            break;
        };
        uri = format!("/x?user=a&cursor={next}");
    }
    assert_eq!(seen, all);
}

#[test]
fn a_cursor_of_another_list_is_refused() {
    let page = listing("/x?user=a&limit=1").expect("good").page(vec![1_u32, 2], |one| *one);
    let next = page.next.expect("it goes on");
    for uri in ["/y?user=a", "/x?user=b", "/x?user=a&days=1", "/x?"] {
        let other = listing(&format!("{uri}&cursor={next}")).expect("it can be read");
        assert!(other.after::<u32>().is_err(), "{uri}");
    }
    assert!(listing(&format!("/x?limit=9&user=a&cursor={next}")).expect("good").after::<u32>().is_ok());
}

proptest! {
    #[test]
    fn a_cursor_comes_back_as_it_went(path in ".{0,20}", position in any::<(i64, String)>()) {
        let list = List::new(&path, &[]);
        if let Some(sealed) = cursor::seal(list, &position) {
            prop_assert_eq!(cursor::open::<(i64, String)>(list, &sealed).ok(), Some(position));
        }
    }

    #[test]
    fn a_cursor_that_was_tampered_with_is_another_position_or_none(at in 0_usize..200, to in any::<u8>()) {
        let list = List::new("/x", &[]);
        let sealed = cursor::seal(list, &(5_i64, "user")).expect("short");
        let mut octets = sealed.clone().into_bytes();
        let at = at % octets.len();
        octets[at] = to;
        if let Ok(text) = String::from_utf8(octets)
            && let Ok(position) = cursor::open::<(i64, String)>(list, &text)
        {
            prop_assert_eq!(cursor::seal(list, &position), Some(text));
        }
    }

    #[test]
    fn no_text_makes_a_cursor_panic(text in ".{0,80}") {
        let _ = cursor::open::<(i64, String)>(List::new("/x", &[]), &text);
    }

    #[test]
    fn a_time_comes_back_as_it_went(seconds in -62_135_596_800_i64..253_402_207_200) {
        prop_assert_eq!(Time::parse(&Time(Wall(seconds)).text()), Some(Time(Wall(seconds))));
    }

    #[test]
    fn a_field_of_a_table_is_no_formula_and_reads_back(fields in proptest::collection::vec(any::<String>(), 1..4)) {
        let line = csv::line(fields.iter().map(String::as_str));
        let read = read_line(&line);
        prop_assert_eq!(read.len(), fields.len());
        for (field, read) in fields.iter().zip(read) {
            prop_assert!(!read.starts_with(['=', '+', '-', '@', '\t', '\r']));
            prop_assert!(read == *field || read.strip_prefix('\'') == Some(field));
        }
    }
}

/// What a spreadsheet reads (RFC 4180).
fn read_line(line: &str) -> Vec<String> {
    let (mut fields, mut quoted) = (vec![String::new()], false);
    let mut rest = line.strip_suffix("\r\n").expect("a line ends so").chars().peekable();
    while let Some(c) = rest.next() {
        let field = fields.last_mut().expect("there is one");
        match c {
            '"' if quoted && rest.peek() == Some(&'"') => field.extend(rest.next()),
            '"' => quoted = !quoted,
            ',' if !quoted => fields.push(String::new()),
            c => field.push(c),
        }
    }
    fields
}

#[test]
fn times_are_read_with_any_offset_and_written_in_utc() {
    let time = Wall(1_806_505_199);
    for text in
        ["2027-03-31T23:59:59+09:00", "2027-03-31T14:59:59Z", "2027-03-31T14:59:59.9Z", "2027-03-31T23:59:59 09:00"]
    {
        assert_eq!(Time::parse(text), Some(Time(time)), "{text}");
    }
    assert_eq!(Time(time).text(), "2027-03-31T14:59:59Z");
    for text in ["", "2027-03-31", "2027-03-31T23:59:59", "1806505199", "ééé"] {
        assert_eq!(Time::parse(text), None, "{text}");
    }
    assert_eq!(serde_json::to_string(&Time(Wall(i64::MAX))).expect("JSON"), "\"9999-12-30T22:00:00Z\"");
}

#[test]
fn what_somebody_calls_himself_is_no_formula() {
    let names = ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "＝1", "a=1", "x", "a,\"b\""];
    let wanted = "'=1+1,'+1,'-1,'@SUM(A1),'\tx,\"'\rx\",'＝1,a=1,x,\"a,\"\"b\"\"\"\r\n";
    assert_eq!(csv::line(names), wanted);
}

#[test]
fn csv_is_given_to_whom_it_was_promised() {
    for (accept, is_csv) in [
        (None, false),
        (Some("text/csv"), true),
        (Some("text/csv;q=0.9, application/json"), true),
        (Some("application/json, text/csv"), false),
        (Some("*/*"), false),
        (Some("text/html, text/csv"), true),
    ] {
        let headers = accept.map(|accept| (header::ACCEPT, accept.parse().expect("a value")));
        assert_eq!(csv::is_wanted(&HeaderMap::from_iter(headers)), is_csv, "{accept:?}");
    }
}

#[test]
fn a_long_table_comes_in_pieces_and_its_end_can_be_told_from_a_cut() {
    for is_ended in [true, false] {
        let read = now(async {
            let (mut writer, response) = csv::stream(&["n", "text"]);
            let writing = tokio::spawn(async move {
                for n in 0..5_000 {
                    let n = n.to_string();
                    writer.row([n.as_str(), "=x"]).await.expect("somebody reads");
                }
                if is_ended {
                    writer.end().await.expect("somebody reads");
                }
            });
            let read = to_bytes(response.into_body(), 1 << 20).await;
            writing.await.expect("no panic");
            read
        });
        assert_eq!(read.is_ok(), is_ended);
        if let Ok(text) = read {
            assert_eq!(text.iter().filter(|octet| **octet == b'\n').count(), 5_001);
        }
    }
}

fn if_match(value: Option<&str>) -> Result<IfMatch, Problem> {
    let mut parts = asked("/x");
    parts.headers.extend(value.map(|value| (header::IF_MATCH, value.parse().expect("a value"))));
    now(IfMatch::from_request_parts(&mut parts, &()))
}

#[test]
fn a_change_counts_for_the_version_that_was_looked_at() {
    #[derive(Serialize)]
    struct Shown(u32);
    let response = etag::shown(&HeaderMap::new(), &Shown(1)).expect("JSON");
    let tag = response.headers()[header::ETAG].to_str().expect("ASCII").to_owned();
    let (current, other) = (ETag::of(b"1"), ETag::of(b"2"));
    for (wanted, current, holds) in [
        (None, Some(&current), true),
        (None, None, true),
        (Some(tag.as_str()), Some(&current), true),
        (Some(&format!("\"x\", {tag}")), Some(&current), true),
        (Some(&format!("W/{tag}")), Some(&current), false),
        (Some(&tag), Some(&other), false),
        (Some(&tag), None, false),
        (Some("*"), Some(&other), true),
        (Some("*"), None, false),
    ] {
        assert_eq!(if_match(wanted).expect("it can be read").check(current).is_ok(), holds, "{wanted:?}");
    }
    assert!(if_match(Some("x")).is_err());
    let known = HeaderMap::from_iter([(header::IF_NONE_MATCH, format!("W/{tag}").parse().expect("a value"))]);
    assert_eq!(etag::shown(&known, &Shown(1)).expect("JSON").status(), StatusCode::NOT_MODIFIED);
    assert_eq!(etag::shown(&known, &Shown(2)).expect("JSON").status(), StatusCode::OK);
}

#[test]
fn whoever_has_no_token_is_no_caller() {
    assert!(now(Caller::from_request_parts(&mut asked("/x"), &())).is_err());
    let mut parts = asked("/x");
    let caller = Caller { name: "helpdesk".into(), role: Role::Viewer, certificate: None };
    parts.extensions.insert(caller.clone());
    assert_eq!(now(Caller::from_request_parts(&mut parts, &())), Ok(caller));
}

#[test]
fn a_problem_has_what_rfc_9457_wants() {
    let problem = Problem::unprocessable("no").field("a.b", "x".repeat(1_000));
    let sent = shown(problem.response(Some("/api/v1/x")));
    assert_eq!(sent["type"], "about:blank");
    assert_eq!(sent["title"], "Unprocessable Entity");
    assert_eq!(sent["status"], 422);
    assert_eq!(sent["instance"], "/api/v1/x");
    assert!(sent["errors"][0]["detail"].as_str().is_some_and(|detail| detail.len() < 400));
    assert_ne!(sent["detail"], json!(null));
}

#[test]
fn a_path_without_a_name_where_one_is_wanted_is_a_fault_of_ours() {
    let problem = now(Path::<String>::from_request_parts(&mut asked("/x"), &())).expect_err("no route has been there");
    assert_eq!(shown(problem.into_response())["status"], 500);
}
