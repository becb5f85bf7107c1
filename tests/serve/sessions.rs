//! Who is online, and how he is made to go: the real program, and NAS that the tests play.

use serde_json::{Value, json};

use super::nas::{Nas, Person, Says, Seat};
use super::registry::{Said, ask, campus_with, good};
use super::{Campus, Serving};

/// A campus with these NAS; `disconnect`: what each says of it beside the port.
pub(super) fn campus(nas: &[(&Nas, Option<&str>)], more: &str) -> Campus {
    let campus = campus_with("");
    let mut text = std::fs::read_to_string(campus.path("sekisho.toml")).expect("it was written");
    text = text.replace("admin = [", "accounting = [\"127.0.0.1:0\"]\nadmin = [");
    for (nas, disconnect) in nas {
        text.push_str(&nas.table(*disconnect));
    }
    text.push_str(more);
    campus.write("sekisho.toml", &text);
    campus
}

pub(super) fn sessions(serving: &Serving, query: &str) -> Vec<Value> {
    let page = good(ask(serving, "viewer", "GET", &format!("/api/v1/sessions{query}"), None));
    page["items"].as_array().expect("a list").clone()
}

fn disconnect(serving: &Serving, session: &Value) -> Said {
    let id = session["id"].as_str().expect("an id");
    ask(serving, "operator", "POST", &format!("/api/v1/sessions/{id}/disconnect"), None)
}

/// Somebody is let in, and his NAS accounts for him.
fn begin(nas: &Nas, serving: &Serving, person: &Person, station: &str, session: &str) -> Seat {
    let seat = nas.login(serving, person, station, session);
    nas.account(serving, &seat, 1, 0);
    seat
}

#[test]
fn who_was_let_in_is_listed_at_once_and_who_has_gone_is_not() {
    let nas = Nas::new("switch", 2);
    let campus = campus(&[(&nas, Some(""))], "");
    let (hanako, taro) = (Person::new(&campus, "hanako", 11), Person::new(&campus, "taro", 12));
    let serving = campus.start();
    let seat = nas.login(&serving, &hanako, "02-00-00-00-00-01", "s1");
    // Nobody has accounted for it, and nothing was waited for.
    let listed = sessions(&serving, "");
    let [session] = listed.as_slice() else { panic!("{listed:?}") };
    assert_eq!((session["user"].as_str(), session["nas"].as_str()), (Some("hanako@example.ac.jp"), Some("switch")));
    assert_eq!((session["mac"].as_str(), session["service"].as_str()), (Some("02:00:00:00:00:01"), Some("campus")));
    assert_eq!((&session["accounted"], &session["octets_in"]), (&json!(false), &json!(0)));
    let id = session["id"].as_str().expect("a text").to_owned();
    assert!(session["started"].as_str().is_some_and(|time| time.ends_with('Z')), "{session}");

    nas.account(&serving, &seat, 1, 0);
    nas.account(&serving, &seat, 3, 1_000);
    begin(&nas, &serving, &taro, "02-00-00-00-00-02", "s2");
    let listed = sessions(&serving, "?user=HANAKO@example.ac.jp");
    let [session] = listed.as_slice() else { panic!("{listed:?}") };
    assert_eq!(session["id"], id.as_str());
    assert_eq!((&session["accounted"], &session["octets_out"]), (&json!(true), &json!(2_000)));
    let fingerprint = session["certificate"].as_str().expect("it is known").to_owned();
    for (query, count) in [
        (format!("?certificate={fingerprint}"), 1),
        ("?certificate=ca:0b".into(), 1),
        ("?certificate=ca:0c&user=hanako@example.ac.jp".into(), 0),
        ("?certificate=application:7".into(), 0),
        ("?service=campus".into(), 2),
        ("?service=other".into(), 0),
        ("?user=hanako".into(), 0),
    ] {
        assert_eq!(sessions(&serving, &query).len(), count, "{query}");
    }
    let first = good(ask(&serving, "viewer", "GET", "/api/v1/sessions?limit=1", None));
    let next = first["next"].as_str().expect("it goes on");
    let second = good(ask(&serving, "viewer", "GET", &format!("/api/v1/sessions?limit=1&cursor={next}"), None));
    assert_eq!((second["items"][0]["user"].as_str(), &second["next"]), (Some("taro@example.ac.jp"), &Value::Null));
    assert_eq!(ask(&serving, "status", "GET", "/api/v1/sessions", None).0, 403);
    assert_eq!(ask(&serving, "viewer", "GET", "/api/v1/sessions?certificate=x", None).0, 400);

    nas.account(&serving, &seat, 2, 5_000);
    assert_eq!(sessions(&serving, "?user=hanako@example.ac.jp"), Vec::<Value>::new());
    let audit = good(ask(&serving, "operator", "GET", "/api/v1/audit", None));
    let looks = audit["items"].as_array().expect("a list").iter();
    let looks: Vec<_> = looks.filter(|line| line["action"] == "look-at-sessions").collect();
    assert_eq!(looks.len(), 7, "who looks for a person or a certificate is written down: {looks:?}");
    assert_eq!(serving.end(), Some(0));
}

#[test]
fn an_operator_ends_a_session_and_hears_what_its_nas_says() {
    let (nas, mute) = (Nas::new("switch", 4), Nas::new("mute", 5));
    let campus = campus(&[(&nas, Some("")), (&mute, None)], "");
    let (hanako, taro) = (Person::new(&campus, "hanako", 11), Person::new(&campus, "taro", 12));
    let serving = campus.start();
    nas.login(&serving, &hanako, "02-00-00-00-00-01", "s1");
    let session = sessions(&serving, "").remove(0);
    let path = format!("/api/v1/sessions/{}/disconnect", session["id"].as_str().expect("an id"));
    assert_eq!(ask(&serving, "viewer", "POST", &path, None).0, 403);
    let done = good(disconnect(&serving, &session));
    assert_eq!((&done["result"], &done["ended"]), (&json!("ack"), &json!([session["id"]])), "{done}");
    let [told] = &*nas.told() else { panic!("{:?}", nas.told()) };
    assert_eq!((&*told.session, &*told.station), ("s1", "02-00-00-00-00-01"));
    assert_eq!(sessions(&serving, ""), Vec::<Value>::new(), "nobody accounts for it, and it is gone");
    for unknown in [session["id"].as_str().expect("an id"), "7", "none", "-1", "99999999999999999999999"] {
        let path = format!("/api/v1/sessions/{unknown}/disconnect");
        assert_eq!(ask(&serving, "operator", "POST", &path, None).0, 404, "{unknown}");
    }

    mute.login(&serving, &taro, "02-00-00-00-00-03", "s3");
    let done = good(disconnect(&serving, &sessions(&serving, "")[0]));
    assert_eq!((&done["result"], &done["ended"]), (&json!("not-possible"), &json!([])), "{done}");
    assert!(done["detail"].as_str().is_some_and(|why| why.contains("`disconnect`")), "{done}");

    nas.says(Says::Nak(504));
    begin(&nas, &serving, &hanako, "02-00-00-00-00-01", "s4");
    let session = sessions(&serving, "?user=hanako@example.ac.jp").remove(0);
    let done = good(disconnect(&serving, &session));
    assert_eq!((&done["result"], &done["error-cause"]), (&json!("nak"), &json!(504)), "{done}");
    assert_eq!(sessions(&serving, "?user=hanako@example.ac.jp").len(), 1, "it is still there");

    let audit = good(ask(&serving, "operator", "GET", "/api/v1/audit", None));
    let lines: Vec<_> = audit["items"].as_array().expect("a list").iter().collect();
    let results: Vec<_> = lines.iter().filter(|line| line["action"] == "disconnect-session").collect();
    let results: Vec<_> = results.iter().map(|line| line["detail"]["result"].as_str().unwrap_or_default()).collect();
    assert_eq!(results, ["nak", "not-possible", "ack"]);
    assert_eq!(serving.end(), Some(0));
}
