//! Who is online, and how he is made to go: the real program, and NAS that the tests play.

use serde_json::{Value, json};

use super::nas::{Nas, Person, Says, Seat};
use super::registry::{Said, ask, ask_within, campus_with, good, wait_for};
use super::support::campus::list;
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

/// Its NAS is asked for 30 s.
fn disconnect_patiently(serving: &Serving, session: &Value) -> Said {
    let id = session["id"].as_str().expect("an id");
    ask_within(serving, "operator", "POST", &format!("/api/v1/sessions/{id}/disconnect"), 60)
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

fn block(serving: &Serving, user: &str) -> Value {
    good(ask(serving, "operator", "POST", &format!("/api/v1/users/{user}/block"), Some(json!({ "reason": "left" }))))
}

/// What became of those that were to end, the newest first, as soon as there are so many.
fn history(serving: &mut Serving, query: &str, count: usize) -> Vec<Value> {
    let path = format!("/api/v1/disconnects/history{query}");
    wait_for(serving, &path, &format!("so far as to keep {count}"), |page| items(page).len() >= count);
    items(&good(ask(serving, "viewer", "GET", &path, None))).clone()
}

fn items(page: &Value) -> &Vec<Value> {
    page["items"].as_array().unwrap_or_else(|| panic!("no list: {page}"))
}

fn wait_for_sessions(serving: &mut Serving, count: usize) {
    wait_for(serving, "/api/v1/sessions?limit=1000", &format!("at {count} sessions"), |page| {
        items(page).len() == count
    });
}

#[test]
fn a_block_by_api_throws_its_owner_off_at_every_nas_and_waits_for_none() {
    let (one, other) = (Nas::new("one", 6), Nas::new("other", 7));
    let campus = campus(&[(&one, Some("")), (&other, Some(""))], "");
    let (hanako, taro) = (Person::new(&campus, "hanako", 11), Person::new(&campus, "taro", 12));
    let mut serving = campus.start();
    let seat = begin(&one, &serving, &hanako, "02-00-00-00-00-01", "s1");
    // Nobody has accounted for this one yet.
    other.login(&serving, &hanako, "02-00-00-00-00-02", "s2");
    begin(&one, &serving, &taro, "02-00-00-00-00-03", "s3");
    // Its NAS keeps silent, which nobody waits for.
    one.says(Says::Nothing);
    block(&serving, "hanako@example.ac.jp");
    assert!(!other.try_login(&serving, &hanako, "02-00-00-00-00-02", "s4").accepted, "after the answer");
    let ended = history(&mut serving, "?result=ack", 1);
    assert_eq!(
        (&ended[0]["nas"], &ended[0]["reason"], &ended[0]["by"]),
        (&json!("other"), &json!("user-blocked"), &Value::Null)
    );
    serving.process.wait_until("telling the silent one", |_| one.told().len() == 1);
    assert_eq!(one.told()[0].session, "s1");
    one.says(Says::Ack);
    let ended = history(&mut serving, "?user=HANAKO@example.ac.jp&result=ack", 2);
    assert_eq!(ended[0]["nas"], "one", "it is asked again");
    // It accounts for it, so that it is there until its Stop.
    let left = sessions(&serving, "?user=hanako@example.ac.jp");
    assert_eq!((left.len(), &left[0]["condemned"]["reason"]), (1, &json!("user-blocked")));
    one.account(&serving, &seat, 2, 0);
    wait_for_sessions(&mut serving, 1);
    assert_eq!((one.told().len(), other.told().len()), (1, 1));
    assert_eq!(serving.end(), Some(0));
}

#[test]
fn a_nas_that_knows_nothing_of_it_ends_it_and_one_that_is_silent_is_no_answer_after_half_a_minute() {
    let nas = Nas::new("switch", 8);
    let campus = campus(&[(&nas, Some(""))], "");
    let hanako = Person::new(&campus, "hanako", 11);
    let mut serving = campus.start();
    nas.says(Says::Nak(503));
    begin(&nas, &serving, &hanako, "02-00-00-00-00-01", "s1");
    let done = good(disconnect(&serving, &sessions(&serving, "")[0]));
    assert_eq!((&done["result"], &done["error-cause"], &done["ended"]), (&json!("nak"), &json!(503), &json!([])));
    assert_eq!(done["detail"], "Session Context Not Found");
    assert_eq!(sessions(&serving, ""), Vec::<Value>::new());
    nas.login(&serving, &hanako, "02-00-00-00-00-02", "s2");
    let session = sessions(&serving, "").remove(0);
    assert_eq!(good(disconnect(&serving, &session))["error-cause"], 503);
    assert_eq!(sessions(&serving, "").len(), 1, "its NAS may not know of it yet");
    nas.says(Says::Nothing);
    let done = good(disconnect_patiently(&serving, &session));
    assert_eq!((&done["result"], &done["ended"]), (&json!("no-answer"), &json!([])));
    let kept = history(&mut serving, &format!("?session={}", session["id"].as_str().expect("an id")), 2);
    assert_eq!((&kept[0]["result"], &kept[0]["by"]), (&json!("no-answer"), &json!("operator1")));
    assert_eq!(serving.end(), Some(0));
}

#[test]
fn where_only_the_name_can_be_said_the_answer_names_who_else_has_gone() {
    let nas = Nas::new("switch", 9);
    let campus = campus(&[(&nas, Some(", identify-by = [\"user-name\"]"))], "");
    let (hanako, taro) = (Person::new(&campus, "hanako", 11), Person::new(&campus, "taro", 12));
    let serving = campus.start();
    for (person, number) in [(&hanako, 1), (&hanako, 2), (&taro, 3)] {
        nas.login(&serving, person, &format!("02-00-00-00-00-0{number}"), &format!("s{number}"));
    }
    let hers = sessions(&serving, "?user=hanako@example.ac.jp");
    let done = good(disconnect(&serving, &hers[1]));
    assert_eq!((&done["result"], &done["ended"]), (&json!("ack"), &json!([hers[1]["id"], hers[0]["id"]])), "{done}");
    assert_eq!((nas.told().len(), sessions(&serving, "").len()), (1, 1));
    assert_eq!(serving.end(), Some(0));
}

#[test]
fn with_automatic_off_a_block_leaves_him_there_until_an_operator_ends_it() {
    let nas = Nas::new("switch", 10);
    let campus = campus(&[(&nas, Some(""))], "[disconnect]\nautomatic = false\n");
    let hanako = Person::new(&campus, "hanako", 11);
    let mut serving = campus.start();
    nas.login(&serving, &hanako, "02-00-00-00-00-01", "s1");
    block(&serving, "hanako@example.ac.jp");
    let path = "/api/v1/sessions?user=hanako@example.ac.jp";
    wait_for(&mut serving, path, "condemned", |page| page["items"][0]["condemned"]["reason"] == "user-blocked");
    assert!(nas.told().is_empty());
    let audit = good(ask(&serving, "operator", "GET", "/api/v1/audit", None));
    let line = items(&audit).iter().find(|line| line["action"] == "block-user").expect("it is written down");
    assert_eq!(line["detail"]["sessions"], "stay: [disconnect].automatic is off");
    assert_eq!(good(disconnect(&serving, &sessions(&serving, "")[0]))["result"], "ack");
    assert_eq!(serving.end(), Some(0));
}

/// Sessions of these serials, each let in by a real login; every tenth is accounted for.
fn crowd(campus: &Campus, serving: &Serving, nas: &Nas, serials: std::ops::Range<u64>) {
    let half = serials.start + (serials.end - serials.start) / 2;
    std::thread::scope(|scope| {
        for serials in [serials.start..half, half..serials.end] {
            scope.spawn(move || {
                for serial in serials {
                    let person = Person::new(campus, &format!("user{serial}"), serial);
                    let station = format!("02-00-00-00-{:02x}-{:02x}", serial >> 8, serial & 0xff);
                    let seat = nas.login(serving, &person, &station, &serial.to_string());
                    if serial % 10 == 0 {
                        nas.account(serving, &seat, 1, 0);
                    }
                }
            });
        }
    });
}

fn publish(campus: &Campus, number: u64, serials: impl IntoIterator<Item = u64>) {
    campus.scratch.replace("ca.crl", list(&campus.ca, number, serials));
}

fn wait_for_crl(serving: &mut Serving, campus: &Campus, entries: usize) {
    let crl = campus.path("ca.crl");
    serving.wait_for_metric(&format!(r#"sekisho_crl_entries{{authority="ca",crl="{}"}} {entries}"#, crl.display()));
}

fn held(serving: &Serving) -> Vec<Value> {
    items(&good(ask(serving, "viewer", "GET", "/api/v1/disconnects", None))).clone()
}

fn decide(serving: &Serving, batch: &str, what: &str) -> Said {
    ask(serving, "operator", "POST", &format!("/api/v1/disconnects/{batch}/{what}"), None)
}

#[test]
fn of_a_thousand_three_on_a_crl_are_told_and_five_hundred_more_wait_until_they_are_released() {
    let nas = Nas::new("switch", 11);
    let campus = campus(&[(&nas, Some(""))], "");
    let mut serving = campus.start();
    crowd(&campus, &serving, &nas, 1_001..2_001);
    assert_eq!(sessions(&serving, "?limit=1000").len(), 1_000);
    publish(&campus, 2, [1_002, 1_005, 1_009]);
    serving.wait_for_metric("sekisho_disconnects_total{result=\"ack\"} 3");
    let mut told: Vec<_> = nas.told().into_iter().map(|told| told.session).collect();
    told.sort();
    assert_eq!(told, ["1002", "1005", "1009"]);
    wait_for_sessions(&mut serving, 997);

    for number in [3, 4] {
        // The second time the same certificates stand on it.
        publish(&campus, number, [1_002, 1_005, 1_009].into_iter().chain(1_201..1_701));
        wait_for_crl(&mut serving, &campus, 503);
        serving.wait_for_metric(&format!(
            r#"sekisho_crl_number{{authority="ca",crl="{}"}} {number}"#,
            campus.path("ca.crl").display()
        ));
        serving.wait_for_metric("sekisho_disconnects_held 500");
    }
    let [batch] = held(&serving).try_into().expect("one batch");
    assert_eq!(
        (&batch["reason"], &batch["authority"], &batch["count"]),
        (&json!("revoked"), &json!("ca"), &json!(500))
    );
    assert_eq!(batch["sessions"].as_array().map(Vec::len), Some(500));
    let id = batch["id"].as_str().expect("an id").to_owned();
    assert_eq!(sessions(&serving, &format!("?limit=1000&batch={id}&service=campus")).len(), 500);
    assert_eq!(sessions(&serving, &format!("?user=user1201@example.ac.jp&batch={id}")).len(), 1);
    assert_eq!(sessions(&serving, "?batch=7"), Vec::<Value>::new());
    let ready = serving.get("/readyz");
    assert!(
        ready.starts_with("HTTP/1.1 200") && ready.contains("500 live sessions have to go") && ready.contains(&id),
        "{ready}"
    );
    assert!(serving.log().contains("wait for an operator"), "{}", serving.log());
    assert_eq!(nas.told().len(), 3, "not one of them");

    assert_eq!(ask(&serving, "viewer", "POST", &format!("/api/v1/disconnects/{id}/release"), None).0, 403);
    let released = good(decide(&serving, &id, "release"));
    assert_eq!((&released["id"], &released["count"]), (&json!(id), &json!(500)));
    serving.wait_for_metric("sekisho_disconnects_total{result=\"ack\"} 503");
    assert_eq!((nas.told().len(), held(&serving)), (503, Vec::new()));
    assert_eq!(good(decide(&serving, &id, "release"))["count"], 500, "once more changes nothing");
    assert_eq!(decide(&serving, &id, "discard").0, 409);
    assert_eq!((decide(&serving, "7", "release").0, decide(&serving, "x", "discard").0), (404, 404));
    serving.wait_for_metric("sekisho_disconnects_held 0");
    assert_eq!(nas.told().len(), 503);
    // Those that are accounted for wait for their Stop.
    wait_for_sessions(&mut serving, 547);
    assert_eq!(serving.end(), Some(0));
}

#[test]
fn what_was_decided_about_a_batch_outlives_kill_9() {
    let nas = Nas::new("switch", 12);
    let campus = campus(&[(&nas, Some(""))], "[disconnect]\nat-most = 2\n");
    let mut serving = campus.start();
    // 1010 and 1020 are accounted for: their NAS says that they have gone, and no Stop ever comes.
    crowd(&campus, &serving, &nas, 1_010..1_021);
    publish(&campus, 2, [1_010]);
    serving.wait_for_metric("sekisho_disconnects_total{result=\"ack\"} 1");
    history(&mut serving, "?result=ack", 1);
    publish(&campus, 3, 1_010..1_015);
    serving.wait_for_metric("sekisho_disconnects_held 4");
    let first = held(&serving);
    publish(&campus, 4, 1_010..1_018);
    serving.wait_for_metric("sekisho_disconnects_held 7");
    let both = held(&serving);
    assert_eq!((both.len(), &both[0]), (2, &first[0]));
    // A record that is acknowledged: what was told before is on the disk too.
    crowd(&campus, &serving, &nas, 1_030..1_031);
    serving = again(&campus, serving);
    serving.wait_for_metric("sekisho_disconnects_held 7");
    assert_eq!(held(&serving), both, "the same, under the same names");
    assert_eq!(nas.told().len(), 1, "who was told isn't told again, although he is listed");

    let name = |batch: &Value| batch["id"].as_str().expect("an id").to_owned();
    good(decide(&serving, &name(&both[0]), "discard"));
    nas.says(Says::Nothing);
    good(decide(&serving, &name(&both[1]), "release"));
    serving = again(&campus, serving);
    nas.says(Says::Ack);
    serving.wait_for_metric("sekisho_disconnects_total{result=\"ack\"} 3");
    assert_eq!(held(&serving), Vec::<Value>::new());
    let mut told: Vec<_> = nas.told().into_iter().map(|told| told.session).collect();
    told.sort();
    told.dedup();
    assert_eq!(told, ["1010", "1015", "1016", "1017"]);
    assert_eq!(decide(&serving, &name(&both[0]), "release").0, 409, "it was discarded, and still is");
    assert_eq!(good(decide(&serving, &name(&both[1]), "release"))["id"], both[1]["id"]);
    // What has gone counts for what may go, over restarts too.
    publish(&campus, 5, 1_010..1_021);
    serving.wait_for_metric("sekisho_disconnects_held 3");
    assert_eq!(serving.end(), Some(0));
}

/// The same campus after SIGKILL.
fn again(campus: &Campus, serving: Serving) -> Serving {
    serving.signal("KILL");
    drop(serving);
    campus.start()
}
