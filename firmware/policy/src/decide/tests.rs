use proptest::prelude::*;

use super::*;
use crate::service::protocol::{TCP, UDP};
use crate::text::read;

const POLICY: &str = r#"
posture = "enforce"
[[device]]
name = "cam"
macs = ["02:00:00:00:00:01"]
addresses = ["192.168.7.9"]
groups = ["cams"]
state = "approved"
[[device]]
name = "guest"
macs = ["02:00:00:00:00:02"]
state = "quarantined"
[[device]]
name = "thief"
macs = ["02:00:00:00:00:03"]
state = "blocked"
[[device]]
name = "laptop"
macs = ["02:00:00:00:00:04"]
state = "approved"
posture = "protect"
[[device]]
name = "recorder"
addresses = ["192.168.7.20"]
state = "approved"
[[list]]
name = "vendor"
hosts = ["*.example.com", "cdn.example.net"]
[[deny]]
name = "no-telnet"
who = "lan"
to = "uplink"
service = "telnet"
[[allow]]
name = "all-tcp"
who = "cams"
to = "198.51.100.0/24"
service = "tcp"
[[allow]]
name = "cloud"
who = "cam"
to = "vendor"
service = "https"
[[allow]]
name = "to-recorder"
who = "cam"
to = "recorder"
service = "rtsp"
[[allow]]
name = "office-hours"
who = "cam"
to = "203.0.113.7"
service = "udp/9"
when = "mon-fri 08:00-18:00"
until = 2027-01-01T00:00:00Z
[[allow]]
name = "watched"
who = "cam"
to = "203.0.113.8"
service = "tcp/1"
shadow = true
[[allow]]
name = "from-outside"
who = "internet"
to = "cam"
service = "tcp/8443"
"#;

/// Monday, 23 November 2026, 09:00 UTC.
const MONDAY: u64 = 1_795_424_400;

fn ask(mac: u8, to: &str, asked: Asked, names: &[&str], at: u64) -> Ruling {
    ask_under(&read(POLICY).unwrap(), mac, to, asked, names, at)
}

fn ask_under(policy: &Policy, mac: u8, to: &str, asked: Asked, names: &[&str], at: u64) -> Ruling {
    let names: Vec<_> = names.iter().map(ToString::to_string).collect();
    let from = Sender::Lan(Some(MacAddr::new([2, 0, 0, 0, 0, mac])), "192.168.7.9".parse().unwrap());
    let servers = ["192.168.7.1".parse().unwrap()];
    decide(
        policy,
        &Start {
            from,
            to: to.parse().unwrap(),
            to_mac: None,
            asked,
            names: &names,
            servers: &servers,
            at: Timestamp::from_secs(at),
        },
    )
}

#[test]
fn each_conversation_is_decided_by_the_rule_that_is_named() {
    let tcp = |port| Asked::port(TCP, port);
    let udp = |port| Asked::port(UDP, port);
    for (mac, to, asked, names, at, effect, rule) in [
        (1, "198.51.100.9", tcp(80), &[][..], MONDAY, Effect::Allow, "all-tcp"),
        (1, "198.51.100.9", tcp(23), &[], MONDAY, Effect::Deny, "no-telnet"),
        (1, "198.51.100.9", udp(80), &[], MONDAY, Effect::Deny, "default"),
        (1, "203.0.113.1", tcp(443), &["a.example.com"], MONDAY, Effect::Allow, "cloud"),
        (1, "203.0.113.1", tcp(443), &["cdn.example.net"], MONDAY, Effect::Allow, "cloud"),
        (1, "203.0.113.1", tcp(443), &["example.com"], MONDAY, Effect::Deny, "default"),
        (1, "192.168.7.20", tcp(554), &[], MONDAY, Effect::Allow, "to-recorder"),
        (1, "203.0.113.7", udp(9), &[], MONDAY, Effect::Allow, "office-hours"),
        (1, "203.0.113.7", udp(9), &[], MONDAY - 86_400, Effect::Deny, "default"),
        (1, "203.0.113.7", udp(9), &[], 1_801_000_000, Effect::Deny, "default"),
        (1, "203.0.113.8", tcp(1), &[], MONDAY, Effect::Deny, "default"),
        (1, "192.168.7.1", udp(53), &[], MONDAY, Effect::Allow, "default-dns"),
        (1, "9.9.9.9", udp(53), &[], MONDAY, Effect::Deny, "default"),
        (2, "192.168.7.1", udp(53), &[], MONDAY, Effect::Allow, "default-dns"),
        (2, "198.51.100.9", tcp(80), &[], MONDAY, Effect::Deny, "default"),
        (3, "192.168.7.1", udp(53), &[], MONDAY, Effect::Deny, "default"),
        (4, "198.51.100.9", tcp(23), &[], MONDAY, Effect::Allow, "default"),
        (9, "192.168.7.1", udp(53), &[], MONDAY, Effect::Allow, "default-dns"),
        (9, "198.51.100.9", tcp(80), &[], MONDAY, Effect::Deny, "default"),
    ] {
        let ruling = ask(mac, to, asked, names, at);
        assert_eq!(
            (ruling.effect, ruling.rule.as_str()),
            (effect, rule),
            "{mac} to {to} about {asked}: {}",
            ruling.why
        );
    }
}

#[test]
fn a_switch_denies_other_dns_and_quic_without_a_name_whatever_rules_allow() {
    let open = "[[allow]]\nname = \"open\"\nwho = [\"lan\", \"new\"]\nto = \"uplink\"\n";
    let policy = read(&format!("dns = \"own\"\nquic = \"named\"\n{POLICY}{open}")).unwrap();
    let (tcp, udp) = (|port| Asked::port(TCP, port), |port| Asked::port(UDP, port));
    for (mac, to, asked, names, rule) in [
        (1, "192.168.7.1", udp(53), &[][..], "open"),
        (1, "192.168.7.1", tcp(853), &[], "open"),
        (1, "9.9.9.9", udp(53), &[], "default-own-dns"),
        (1, "192.168.7.2", tcp(53), &[], "default-own-dns"),
        (1, "203.0.113.1", udp(853), &[], "default-own-dns"),
        (9, "203.0.113.1", tcp(853), &[], "default-own-dns"),
        (1, "9.9.9.9", tcp(443), &[], "default-dns-over-https"),
        (1, "203.0.113.1", tcp(443), &["dns.google"], "default-dns-over-https"),
        (1, "203.0.113.1", tcp(443), &["www.google.com"], "cloud or open"),
        (1, "203.0.113.1", udp(443), &["www.google.com"], "open"),
        (1, "203.0.113.1", udp(443), &[], "default-named-quic"),
        (1, "203.0.113.1", tcp(443), &[], "open"),
        (4, "9.9.9.9", udp(53), &[], "default"),
    ] {
        let ruling = ask_under(&policy, mac, to, asked, names, MONDAY);
        assert!(rule.split(" or ").any(|rule| rule == ruling.rule), "{mac} to {to} about {asked}: {}", ruling.why);
    }
}

#[test]
fn nobody_outside_begins_but_whom_a_rule_lets() {
    let policy = read(POLICY).unwrap();
    let from = |from: &str, mac, port| {
        let to_mac = Some(MacAddr::new([2, 0, 0, 0, 0, mac]));
        let (from, to) = (Sender::Uplink(from.parse().unwrap()), "192.168.7.9".parse().unwrap());
        let (asked, at) = (Asked::port(TCP, port), Timestamp::from_secs(MONDAY));
        decide(&policy, &Start { from, to, to_mac, asked, names: &[], servers: &[], at })
    };
    assert_eq!(from("203.0.113.1", 1, 8443).rule, "from-outside");
    assert_eq!(from("192.168.7.1", 1, 8443).effect, Effect::Deny);
    assert_eq!(from("203.0.113.1", 1, 8444).effect, Effect::Deny);
    assert_eq!(from("203.0.113.1", 4, 8443).effect, Effect::Allow);
}

#[test]
fn nothing_is_cut_while_the_box_observes() {
    let policy = read(&POLICY.replacen("enforce", "observe", 1)).unwrap();
    let from = Sender::Lan(Some(MacAddr::new([2, 0, 0, 0, 0, 3])), "10.0.0.1".parse().unwrap());
    let at = Timestamp::from_secs(MONDAY);
    let start = Start {
        from,
        to: "1.1.1.1".parse().unwrap(),
        to_mac: None,
        asked: Asked::port(TCP, 1),
        names: &[],
        servers: &[],
        at,
    };
    assert_eq!(decide(&policy, &start).effect, Effect::Allow);
}

proptest! {
    #[test]
    fn a_deny_more_never_admits_and_without_rules_nothing_passes(mac in 1..6_u8, last in 0..255_u8, port: u16, network in 0..255_u8, prefix in 20..33_u8) {
        let policy = read(POLICY).unwrap();
        let mut denying = policy.clone();
        let mut deny = policy.rules[0].as_ref().clone();
        deny.name = "another".into();
        deny.to = vec![To::Network(crate::Network::new([198, 51, 100, network].into(), prefix))];
        denying.rules.push(deny.into());
        let mut bare = policy.clone();
        bare.rules.clear();
        let from = Sender::Lan(Some(MacAddr::new([2, 0, 0, 0, 0, mac])), "192.168.7.9".parse().unwrap());
        let start = Start { from, to: [198, 51, 100, last].into(), to_mac: None, asked: Asked::port(TCP, port), names: &[], servers: &[], at: Timestamp::from_secs(MONDAY) };
        let (before, after) = (decide(&policy, &start).effect, decide(&denying, &start).effect);
        prop_assert!(!(before == Effect::Deny && after == Effect::Allow));
        let free = mac == 4;
        prop_assert_eq!(decide(&bare, &start).effect == Effect::Allow, free);
    }
}
