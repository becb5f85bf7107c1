//! What a login costs in system calls when packets come one at a time, each of which wakes the hall.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use super::Serving;
use super::nas::{Nas, Person};
use super::sessions::campus;

const LOGINS: usize = 40;

/// The hall's thread.
fn hall(serving: &Serving) -> String {
    let tasks = fs::read_dir(format!("/proc/{}/task", serving.process.id())).expect("Linux");
    let is_hall = |task: &PathBuf| fs::read_to_string(task.join("comm")).is_ok_and(|name| name == "hall\n");
    let hall = tasks.flatten().map(|task| task.path()).find(is_hall).expect("it has one");
    hall.file_name().expect("its number").to_string_lossy().into_owned()
}

/// Every call of one thread from now on.
fn trace(thread: &str, to: &Path) -> Child {
    let mut strace = Command::new("strace");
    strace.args(["-qq", "-s", "16", "-o"]).arg(to).args(["-p", thread]);
    strace.spawn().expect("strace is there")
}

#[test]
fn a_packet_costs_the_hall_one_wake_up_one_receiving_and_one_answer() {
    let nas = Nas::new("switch", 2);
    let campus = campus(&[(&nas, None)], "");
    let person = Person::new(&campus, "hanako", 11);
    let serving = campus.start();
    let file = campus.path("trace");
    let calls = || fs::read_to_string(&file).unwrap_or_default();
    let log_in = |number: usize| nas.login(&serving, &person, "02-00-00-00-00-01", &number.to_string());
    // A thread gives itself its name when it begins: whoever has answered has.
    log_in(0);
    let mut strace = trace(&hall(&serving), &file);
    // It begins to look at some time.
    let begun = |number| {
        log_in(number);
        calls().contains("sendmsg(")
    };
    assert!((0..2_000).any(begun), "strace sees nothing");
    let before = calls().lines().count();
    (0..LOGINS).for_each(|number| drop(log_in(number)));
    let seen = calls();
    let of = |name: &str| seen.lines().skip(before).filter(|line| line.starts_with(name)).count();
    // The watchdog is fed now and then, and what was gathered is written; beside that nothing happens but the logins.
    let (answers, beats) = (of("sendmsg("), of("sendto("));
    let (waits, received, writes) = (of("epoll_"), of("recvmmsg("), of("write("));
    let found = format!("{answers} answers, {beats} beats, {waits} waits, {received} receivings, {writes} writes");
    assert!(answers >= 4 * LOGINS, "{found}");
    assert!(waits <= answers + answers / 10 + 2 * beats + 10, "{found}");
    assert!(received <= answers + answers / 10 + 10, "{found}");
    // Others are woken for a decision, not for a packet.
    assert!(writes <= 2 * LOGINS + LOGINS / 2, "{found}");
    let all = seen.lines().skip(before).count();
    assert!(all <= answers + beats + waits + received + writes + LOGINS, "{found}, {all} calls in all");
    assert_eq!(serving.end(), Some(0));
    let _ = strace.wait();
}
