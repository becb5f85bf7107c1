use super::{ip, nas, prefix};
use crate::exchange::{Peers, Prefix};
use crate::secret::Secret;

fn name(peers: &Peers, address: &str) -> Option<String> {
    peers.find(ip(address)).map(|nas| nas.name.to_string())
}

#[test]
fn the_longest_prefix_wins() {
    let settings = [
        nas("all", &["0.0.0.0/0", "::/0"]),
        nas("one", &["10.1.2.3/32", "2001:db8::1/128"]),
        nas("some", &["10.1.0.0/16", "2001:db8::/32"]),
    ];
    let peers = Peers::new(&settings).unwrap();
    for (address, wanted) in [
        ("10.1.2.3", "one"),
        ("10.1.2.4", "some"),
        ("10.2.0.0", "all"),
        ("2001:db8::1", "one"),
        ("2001:db8::2", "some"),
        ("::1", "all"),
    ] {
        assert_eq!(name(&peers, address).as_deref(), Some(wanted), "{address}");
    }
}

#[test]
fn mapped_addresses_are_ipv4_both_ways() {
    let peers = Peers::new(&[nas("four", &["::ffff:10.0.0.0/104"]), nas("six", &["::/0"])]).unwrap();
    assert_eq!(name(&peers, "10.9.9.9").as_deref(), Some("four"));
    assert_eq!(name(&peers, "::ffff:10.9.9.9").as_deref(), Some("four"));
    assert_eq!(name(&peers, "::ffff:11.0.0.1"), None, "an IPv4 address is in no IPv6 network");
    assert_eq!(name(&peers, "::1").as_deref(), Some("six"));
}

#[test]
fn bits_after_the_prefix_do_not_matter() {
    let peers = Peers::new(&[nas("ap", &["10.1.2.3/8"])]).unwrap();
    assert_eq!(name(&peers, "10.9.9.9").as_deref(), Some("ap"));
    assert_eq!(Prefix::new(ip("10.1.2.3"), 8), Some(prefix("10.0.0.0/8")));
    assert_eq!(Prefix::new(ip("10.1.2.3"), 33), None);
    assert_eq!(Prefix::new(ip("::1"), 129), None);
}

#[test]
fn the_same_prefix_in_two_tables_is_an_error_and_each_is_told() {
    let errors = Peers::new(&[
        nas("a", &["10.0.0.0/8", "10.0.0.0/8", "::1/128"]),
        nas("b", &["10.9.0.0/8"]),
        nas("c", &["::1/128", "10.0.0.0/9", "1.2.3.4/40"]),
    ])
    .unwrap_err();
    assert_eq!(errors.iter().map(|(index, _)| *index).collect::<Vec<_>>(), [1, 2, 2]);
    assert_eq!(errors[0].1, "10.0.0.0/8 is the address of a and of b: which secret would hold is left to chance");
    assert!(errors[2].1.contains("more bits"), "{}", errors[2].1);
}

#[test]
fn w19_an_empty_secret_is_an_error_and_long_ones_are_not() {
    let with = |secret: &str| {
        let mut settings = nas("ap", &["10.0.0.0/8"]);
        settings.secret = Secret::new(secret);
        Peers::new(&[settings])
    };
    assert_eq!(with("").unwrap_err()[0].0, 0);
    assert!(with("s").is_ok());
    assert!(with(&"s".repeat(200)).is_ok());
}

#[test]
fn networks_contain_each_other() {
    assert!(prefix("10.0.0.0/8").contains(&prefix("10.1.0.0/16")));
    assert!(!prefix("10.1.0.0/16").contains(&prefix("10.0.0.0/8")));
    assert!(!prefix("0.0.0.0/0").contains(&prefix("::/0")));
    assert!(!prefix("::/0").contains(&prefix("0.0.0.0/0")));
}

#[test]
fn o02_no_secret_is_in_debug() {
    let text = format!("{:?}", Peers::new(&[nas("ap", &["10.0.0.0/8"])]).unwrap());
    assert!(text.contains("\"ap\"") && !text.contains("xyzzy") && !text.contains("120, 121"), "{text}");
}
