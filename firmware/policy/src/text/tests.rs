use std::sync::Arc;

use proptest::prelude::*;
use terms::Posture;

use super::{read, write};
use crate::rules::{DeviceState, Newcomers, Policy, To, Who};
use crate::switch::{Dns, Quic};

const GOOD: &str = "posture = \"enforce\"\nnew = \"nothing\"\n\
    [[device]]\nname = \"cam\"\nmacs = [\"02:00:00:00:00:01\"]\naddresses = [\"192.168.7.9\"]\ngroups = [\"cams\"]\nstate = \"approved\"\n\
    [[allow]]\nname = \"r\"\nwho = \"cam\"\nto = \"203.0.113.0/24\"\nservice = \"tcp/443\"\n";

fn refusal(text: &str) -> String {
    let faults = read(text).expect_err(text);
    faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

#[test]
fn an_empty_text_is_a_policy_that_protects_and_gives_newcomers_the_starter_set() {
    let policy = read("").unwrap();
    assert_eq!((policy.posture, policy.newcomers, policy.rules.len()), (Posture::Protect, Newcomers::Starter, 0));
}

#[test]
fn a_policy_is_read_whole() {
    let policy = read(GOOD).unwrap();
    assert_eq!((policy.posture, policy.newcomers), (Posture::Enforce, Newcomers::Nothing));
    assert_eq!(policy.devices[0].state, DeviceState::Approved);
    assert_eq!(policy.rules[0].who, [Who::Device("cam".into())]);
    assert_eq!(policy.rules[0].to, [To::Network("203.0.113.0/24".parse().unwrap())]);
}

#[test]
fn switches_read_back_as_written_and_are_not_written_where_they_are_off() {
    let text = format!("dns = \"own\"\ndns_servers = [\"192.168.7.53\", \"2001:db8::53\"]\nquic = \"named\"\n{GOOD}");
    let policy = read(&text).unwrap();
    assert_eq!((policy.dns, policy.quic, policy.dns_servers.len()), (Dns::Own, Quic::Named, 2));
    assert_eq!(read(&write(&policy)).unwrap(), policy);
    let off = write(&read(GOOD).unwrap());
    assert!(!off.contains("dns") && !off.contains("quic"), "{off}");
    assert!(refusal("dns = \"none\"").contains("line 1: dns in the policy expects \"any\" or \"own\", not \"none\""));
    let later = format!(
        "{GOOD}[[deny]]\nname = \"d\"\nwho = \"cam\"\nto = [\"not-servers\", \"public-resolvers\", \"unnamed\"]\n"
    );
    let policy = read(&later).unwrap();
    let deny = |policy: &Policy| policy.rules.iter().find(|rule| rule.name == "d").unwrap().to.clone();
    assert_eq!(deny(&policy), [To::Others, To::Resolvers, To::Unnamed]);
    assert_eq!(read(&write(&policy)).unwrap(), policy);
    let own = later.replace("name = \"cam\"", "name = \"unnamed\"").replace("who = \"cam\"", "who = \"unnamed\"");
    assert_eq!(deny(&read(&own).unwrap())[2], To::Device("unnamed".into()), "what was a name before stays one");
    assert!(refusal("dns_servers = \"dns.google\"").contains("is no IPv4 or IPv6 address"));
}

#[test]
fn each_fault_names_its_line_and_its_value() {
    let bad = |from: &str, to: &str| refusal(&GOOD.replace(from, to));
    for (from, to, said) in [
        ("service = ", "servce = ", "line 13: unknown key servce in [[allow]]; the nearest known key is service"),
        ("tcp/443", "tcp/443-80", "line 13: service in [[allow]]: \"tcp/443-80\" has no ports in 443-80"),
        (
            "tcp/443",
            "tpc/443",
            "line 13: service in [[allow]]: \"tpc/443\" names no service; the nearest to tpc is tcp",
        ),
        ("/24", "/33", "line 12: to in [[allow]]: \"203.0.113.0/33\" has a length of /33"),
        (
            "113.0/24",
            "113.9/24",
            "line 12: to in [[allow]]: \"203.0.113.9/24\" has bits set behind its length; the network is 203.0.113.0/24",
        ),
        (
            "who = \"cam\"",
            "who = \"camm\"",
            "line 11: who in [[allow]]: \"camm\" is no device and no group that is defined; the nearest is cam",
        ),
        (
            "enforce",
            "enforced",
            "line 1: posture in the policy expects \"observe\" or \"protect\" or \"enforce\", not \"enforced\"",
        ),
        (":01", ":0g", "line 5: macs in [[device]]: \"02:00:00:00:00:0g\" is none"),
        ("approved", "aproved", "line 8: state in [[device]] expects"),
        ("name = \"r\"", "title = \"r\"", "line 9: [[allow]] needs a name"),
        (
            "to = \"203.0.113.0/24\"",
            "to = \"exa_mple..com\"",
            "line 12: to in [[allow]]: \"exa_mple..com\" is no host name",
        ),
        ("to = \"203.0.113.0/24\"", "to = \"bücher.de\"", "is in another script"),
        ("[[allow]]", "[allow]", "allow is a table that can be there several times"),
    ] {
        let found = bad(from, to);
        assert!(found.contains(said), "{to}: {found}");
    }
}

#[test]
fn two_of_one_name_and_two_of_one_address_are_refused() {
    let twice = format!("{GOOD}{}", GOOD.split_once("[[allow]]").map(|(_, rule)| format!("[[allow]]{rule}")).unwrap());
    assert!(refusal(&twice).contains("two rules named \"r\""));
    let two = "[[device]]\nname = \"a\"\nmacs = [\"02:00:00:00:00:01\"]\n[[device]]\nname = \"b\"\nmacs = [\"02:00:00:00:00:01\"]\n";
    assert!(refusal(two).contains("line 4: macs in [[device]]: 02:00:00:00:00:01 belongs to \"a\" already"));
}

#[test]
fn a_group_in_itself_is_refused() {
    let text = "[[group]]\nname = \"a\"\ngroups = [\"b\"]\n[[group]]\nname = \"b\"\ngroups = [\"a\"]\n";
    assert!(refusal(text).contains("line 1: the group \"a\" is in itself"));
}

#[test]
fn a_schedule_and_an_end_are_read() {
    let text = format!(
        "time_zone = \"Europe/Berlin\"\n{GOOD}when = [\"mon-fri 08:00-18:00\"]\nuntil = 2026-12-24T18:00:00Z\n"
    );
    let rule = read(&text).unwrap().rules.remove(0);
    assert_eq!((rule.when.len(), rule.until.unwrap().secs()), (1, 1_798_135_200));
    assert!(refusal(&text.replace("08:00-18:00", "08:00")).contains("expects two times"));
    assert!(refusal(&text.replace("Berlin", "Bärlin")).contains("is no time zone"));
}

proptest! {
    #[test]
    fn what_is_written_reads_back_as_the_same(posture in 0..3_usize, new in 0..3_usize, names in prop::collection::btree_set("[a-z]{2,8}", 2..6), comment in ".{0,20}") {
        let mut policy = read(GOOD).unwrap();
        (policy.posture, policy.newcomers) = (Posture::ALL[posture], Newcomers::ALL[new]);
        Arc::make_mut(&mut policy.rules[0]).comment = comment;
        for (n, name) in names.iter().enumerate() {
            let mut rule = policy.rules[0].as_ref().clone();
            rule.name.clone_from(name);
            rule.shadow = n % 2 == 0;
            rule.until = (n % 3 == 0).then(|| terms::Timestamp::from_secs(1_800_000_000 + n as u64));
            policy.rules.push(rule.into());
        }
        policy.rules.dedup_by(|a, b| a.name == b.name);
        let text = write(&policy);
        let back = read(&text);
        // The written form lists denies where they stood; here there are none.
        prop_assert_eq!(back, Ok(policy), "{}", text);
    }

    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,200}") {
        let _ = read(&text);
    }
}
