//! Files of both forms, files that are refused, and files that read back.

use proptest::prelude::*;

use super::*;
use crate::network::Network;
use crate::service::Ports;

/// A lamp that talks to its cloud over TLS, in the form of RFC 8519, one value a line.
const LAMP: &str = r#"{
  "ietf-mud:mud": {
    "mud-version": 1,
    "mud-url": "https://lamps.example.com/lamp-9",
    "last-update": "2026-01-31T12:00:00+01:00",
    "is-supported": true,
    "systeminfo": "A lamp",
    "from-device-policy": {"access-lists": {"access-list": [{"name": "out"}]}},
    "to-device-policy": {"access-lists": {"access-list": [{"name": "in"}]}}
  },
  "ietf-access-control-list:acls": {"acl": [
    {"name": "in", "type": "ipv4-acl-type", "aces": {"ace": [{"name": "a", "matches": {
      "ipv4": {"ietf-acldns:src-dnsname": "cloud.example.com", "protocol": 6},
      "tcp": {"ietf-mud:direction-initiated": "from-device", "source-port": {"operator": "eq", "port": 443}}},
      "actions": {"forwarding": "accept"}}]}},
    {"name": "out", "type": "ipv4-acl-type", "aces": {"ace": [{"name": "b", "matches": {
      "ipv4": {"ietf-acldns:dst-dnsname": "Cloud.Example.com.", "protocol": 6},
      "tcp": {"ietf-mud:direction-initiated": "from-device", "destination-port": {"operator": "eq", "port": 443}}},
      "actions": {"forwarding": "accept"}}]}}
  ]}
}"#;

/// A file with these entries about packets from and to the device.
fn file(from: &str, to: &str) -> String {
    let list = |name: &str, aces: &str| format!(r#"{{"name": "{name}", "aces": {{"ace": [{aces}]}}}}"#);
    LAMP.split_once("\"acl\": [").unwrap().0.to_owned()
        + &format!("\"acl\": [{}, {}]}}}}", list("in", to), list("out", from))
}

/// An entry that accepts what matches.
fn ace(matches: &str) -> String {
    format!(r#"{{"name": "x", "matches": {{{matches}}}, "actions": {{"forwarding": "accept"}}}}"#)
}

fn sentences(file: &str) -> Vec<String> {
    read(file.as_bytes()).unwrap().rules.iter().map(ToString::to_string).collect()
}

fn error(file: &str) -> String {
    read(file.as_bytes()).unwrap_err().to_string()
}

#[test]
fn a_file_of_the_rfc_becomes_one_rule_a_conversation() {
    let lamp = read(LAMP.as_bytes()).unwrap();
    assert_eq!((lamp.url.as_str(), lamp.cache_validity), ("https://lamps.example.com/lamp-9", 48));
    assert_eq!((lamp.system.as_deref(), lamp.is_supported), (Some("A lamp"), true));
    assert_eq!(sentences(LAMP), ["the device may start tcp/443 with cloud.example.com"]);
    assert_eq!(lamp.notes, [""; 0]);
}

#[test]
fn a_file_of_the_drafts_says_the_same() {
    let draft = LAMP
        .replace("control-list:acls", "control-list:access-lists")
        .replace("\"type\"", "\"acl-type\"")
        .replace("\"aces\"", "\"access-list-entries\"")
        .replace("{\"name\": \"a\"", "{\"rule-name\": \"a\"")
        .replace("\"ipv4\"", "\"ipv4-acl\"")
        .replace("source-port\"", "source-port-range-or-operator\"")
        .replace("destination-port\"", "destination-port-range-or-operator\"");
    assert_eq!(sentences(&draft), sentences(LAMP));
    // Earlier still the ports stood beside the addresses.
    let older = draft.replace(
        "\"protocol\": 6},\n      \"tcp\": {\"ietf-mud:direction-initiated\": \"from-device\", \"destination",
        "\"protocol\": 6, \"destination",
    );
    let older = older.replacen("443}}},\n      \"actions\": {\"forwarding\": \"accept\"}}]}}\n", "443}}, \"tcp\": {\"ietf-mud:direction-initiated\": \"from-device\"}},\n      \"actions\": {\"forwarding\": \"accept\"}}]}}\n", 1);
    assert_ne!(older, draft);
    assert_eq!(sentences(&older), sentences(LAMP));
}

#[test]
fn every_kind_of_peer_is_read() {
    let classes = [
        (r#""ietf-mud:mud": {"local-networks": [null]}"#, "local networks"),
        (r#""ietf-mud:mud": {"my-controller": [null]}"#, "its controller"),
        (r#""ietf-mud:mud": {"same-manufacturer": [null]}"#, "devices of the same manufacturer"),
        (r#""ietf-mud:mud": {"manufacturer": "b.example.com"}"#, "devices of the manufacturer b.example.com"),
        (r#""ietf-mud:mud": {"model": "https://b.example.com/m"}"#, "devices of the model https://b.example.com/m"),
        (
            r#""ietf-mud:mud": {"controller": "urn:ietf:params:mud:dns"}"#,
            "controllers of the class urn:ietf:params:mud:dns",
        ),
        (r#""ipv4": {"destination-ipv4-network": "192.0.2.9/24"}"#, "192.0.2.0/24"),
        (r#""ipv6": {"destination-ipv6-network": "2001:db8::/32"}"#, "2001:db8::/32"),
        (r#""ipv4": {}"#, "anyone"),
    ];
    for (matches, peer) in classes {
        let matches = ace(&format!(r#"{matches}, "udp": {{"destination-port": {{"port": 53}}}}"#));
        assert_eq!(sentences(&file(&matches, "")), [format!("the device may start udp/53 with {peer}")]);
    }
}

#[test]
fn who_starts_is_told_by_direction_or_by_the_service_s_port() {
    let to_device = r#""tcp": {"ietf-mud:direction-initiated": "to-device", "PORT": {"port": 80}}"#;
    let (out, back) = (to_device.replace("PORT", "source-port"), to_device.replace("PORT", "destination-port"));
    let expected = ["anyone may start tcp/80 with the device"];
    assert_eq!(sentences(&file(&ace(&out), &ace(&back))), expected);
    let udp = |end: &str| ace(&format!(r#""udp": {{"{end}-port": {{"port": 161}}}}"#));
    let expected = ["anyone may start udp/161 with the device"];
    assert_eq!(sentences(&file(&udp("source"), &udp("destination"))), expected);
    let expected = ["the device may start udp/161 with anyone"];
    assert_eq!(sentences(&file(&udp("destination"), &udp("source"))), expected);
    let icmp = ace(r#""ipv4": {"protocol": 1}"#);
    let expected = ["the device may start protocol 1 with anyone"];
    assert_eq!(sentences(&file(&icmp, &icmp)), expected);
    assert_eq!(sentences(&file("", &icmp)), ["anyone may start protocol 1 with the device"]);
}

#[test]
fn ports_of_every_operator_are_ranges() {
    let with = |port: &str| sentences(&file(&ace(&format!(r#""tcp": {{"destination-port": {{{port}}}}}"#)), ""));
    let start = |ports: &str| format!("the device may start tcp/{ports} with anyone");
    assert_eq!(with(r#""lower-port": 5, "upper-port": 9"#), [start("5-9")]);
    assert_eq!(with(r#""operator": "lte", "port": 9"#), [start("0-9")]);
    assert_eq!(with(r#""operator": "gte", "port": 9"#), [start("9-65535")]);
    assert_eq!(with(r#""operator": "neq", "port": 9"#), [start("0-8"), start("10-65535")]);
    assert_eq!(with(r#""operator": "neq", "port": 0"#), [start("1-65535")]);
}

#[test]
fn a_drop_at_the_end_is_the_default_and_one_before_is_refused() {
    let accept = ace(r#""ipv4": {"protocol": 1}"#);
    let drop = accept.replace("accept", "drop");
    let read = read(file(&format!("{accept}, {drop}"), "").as_bytes()).unwrap();
    assert_eq!((read.rules.len(), read.notes.len()), (1, 1));
    assert!(error(&file(&format!("{drop}, {accept}"), "")).contains("order has no meaning"));
}

#[test]
fn a_reply_to_nothing_becomes_no_rule_but_a_note() {
    let reply = ace(r#""udp": {"source-port": {"port": 53}}"#);
    let read = read(file("", &reply).as_bytes()).unwrap();
    assert_eq!(read.rules, []);
    assert!(read.notes[0].contains("nothing starts"), "{:?}", read.notes);
}

#[test]
fn what_is_wrong_is_told_with_line_and_member() {
    let wrong = [
        (r#""mud-version": 1"#, r#""mud-version": 2"#, "line 3: ietf-mud:mud.mud-version: is 2; 1 to 1 can be"),
        (r#"    "mud-url": "https://lamps.example.com/lamp-9","#, "", "line 2: ietf-mud:mud: lacks mud-url"),
        ("https://lamps", "http://lamps", "line 4: ietf-mud:mud.mud-url: must begin with https://"),
        ("2026-01-31T12", "2026-01-31 12", "line 5: ietf-mud:mud.last-update: is no moment"),
        (
            "\"is-supported\": true",
            "\"is-supported\": 1",
            "line 6: ietf-mud:mud.is-supported: is neither true nor false",
        ),
        (
            "\"systeminfo\"",
            "\"qos:bandwidth\"",
            "line 7: ietf-mud:mud.qos:bandwidth: is an extension that is not known",
        ),
        (
            "\"systeminfo\": \"A lamp\"",
            "\"extensions\": [\"ol\"]",
            "line 7: ietf-mud:mud.extensions[0]: the extension \"ol\" is not known",
        ),
        ("\"name\": \"out\"}", "\"name\": \"up\"}", "there is no list named \"up\""),
        ("from-device\", \"dest", "to-house\", \"dest", "is neither from-device nor to-device"),
        ("\"protocol\": 6", "\"protocol\": 17", "contradicts the protocol"),
        ("\"protocol\": 6", "\"ttl\": 6", "ipv4.ttl: is an extension that is not known"),
        ("\"port\": 443", "\"port\": 65536", "port: is 65536; 0 to 65535 can be"),
        ("\"port\": 443", "\"port\": 4e2", "port: is 4e2; 0 to 65535 can be"),
        ("\"operator\": \"eq\"", "\"operator\": \"like\"", "none of eq, lte, gte and neq"),
        ("Cloud.Example.com.", "wolke.\u{4f8b}", "is no host name; other scripts are written as xn--"),
        ("Cloud.Example.com.", "*.example.com", "is no host name"),
        ("dst-dnsname", "src-dnsname", "is about the device's own end"),
        ("\"forwarding\": \"accept\"", "\"forwarding\": \"pass\"", "none of accept, drop and reject"),
        ("\"name\": \"in\", \"type\"", "\"name\": \"out\", \"type\"", "is a second list named \"out\""),
        ("ipv4-acl-type", "eth-acl-type", "is no list about IPv4 or IPv6"),
        ("\"acl\": [", "\"acl\": 7, \"x\": [", "acls.x: is an extension that is not known"),
        ("\"mud-version\"", "\"mud-url\": \"\", \"mud-version\"", "line 4: \"mud-url\" is told twice"),
        ("\"ietf-mud:mud\": {", "\"a\": 1, \"ietf-mud:mud\": {", "line 2: a: is an extension that is not known"),
    ];
    for (from, to, expected) in wrong {
        let file = LAMP.replacen(from, to, 1);
        assert_ne!(file, LAMP, "{from}");
        let told = error(&file);
        assert!(told.contains(expected), "{told:?} instead of {expected:?}");
    }
}

#[test]
fn half_a_file_is_refused() {
    assert_eq!(error(r#"{"ietf-mud:mud":{"mud-version":1}}"#), "line 1: ietf-mud:mud: lacks mud-url");
    assert_eq!(error("{}"), "line 1: lacks ietf-mud:mud");
    for len in 0..LAMP.len() {
        assert!(read(&LAMP.as_bytes()[..len]).is_err(), "{len}");
    }
}

#[test]
fn a_file_of_more_than_64_kib_is_refused_whatever_it_holds() {
    let blanks = |octets: usize| LAMP.to_owned() + &" ".repeat(octets - LAMP.len());
    assert!(read(blanks(LONGEST).as_bytes()).is_ok());
    assert_eq!(error(&blanks(LONGEST + 1)), "is 65537 octets long; a MUD file may have 65536");
    let broken = [LAMP.as_bytes(), &[b'\n', 0xff]].concat();
    assert_eq!(read(&broken).unwrap_err().to_string(), "line 22: is not UTF-8");
}

fn name() -> impl Strategy<Value = String> {
    "[a-z][a-z0-9-]{0,8}(\\.[a-z]{1,5}){0,3}"
}

fn peer() -> impl Strategy<Value = Peer> {
    let v4 = (any::<[u8; 4]>(), 0u8..=32).prop_map(|(a, len)| Peer::Network(Network::new(a.into(), len)));
    let v6 = (any::<[u8; 16]>(), 0u8..=128).prop_map(|(a, len)| Peer::Network(Network::new(a.into(), len)));
    prop_oneof![
        Just(Peer::Anyone),
        name().prop_map(Peer::Name),
        v4,
        v6,
        Just(Peer::LocalNetworks),
        Just(Peer::MyController),
        Just(Peer::SameManufacturer),
        name().prop_map(|name| Peer::Controller(format!("urn:{name}"))),
        name().prop_map(Peer::Manufacturer),
        name().prop_map(|name| Peer::Model(format!("https://{name}/"))),
    ]
}

fn rule() -> impl Strategy<Value = Rule> {
    let ports =
        prop::option::of((any::<u16>(), any::<u16>()).prop_map(|(a, b)| Ports::new(a.min(b), a.max(b)).unwrap()));
    let direction = prop_oneof![Just(Direction::FromDevice), Just(Direction::ToDevice)];
    let protocol = prop_oneof![
        Just(Protocol::Any),
        Just(Protocol::Tcp),
        Just(Protocol::Udp),
        any::<u8>().prop_map(Protocol::from_number)
    ];
    (direction, peer(), protocol, ports).prop_map(|(direction, peer, protocol, ports)| {
        let ports = ports.filter(|_| matches!(protocol, Protocol::Tcp | Protocol::Udp));
        Rule { direction, peer, protocol, ports }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_reads_back_as_the_same(
        rules in prop::collection::vec(rule(), 1..12),
        texts in prop::collection::vec(prop::option::of("[^\\p{C}]{0,20}"), 3),
        cache_validity in 1u8..=168,
        is_supported: bool,
    ) {
        let [system, manufacturer, model] = <[Option<String>; 3]>::try_from(texts).unwrap();
        let (url, last_update) = ("https://a.example/b".into(), "2026-01-31T12:00:00.5Z".into());
        let description = Description {
            url, last_update, cache_validity, is_supported, system, manufacturer, model, rules, notes: vec![],
        };
        match write(&description) {
            Ok(file) => {
                let back = read(file.as_bytes()).unwrap();
                // Rules of the two directions stand apart in a file; each comes back, each once.
                prop_assert!(back.rules.iter().all(|rule| description.rules.contains(rule)), "{file}");
                prop_assert!(description.rules.iter().all(|rule| back.rules.contains(rule)), "{file}");
                prop_assert_eq!(Description { rules: vec![], ..back }, Description { rules: vec![], ..description });
            }
            Err(Unwritable::Ambiguous(rule)) => prop_assert!(rule.ports.is_none() && rule.protocol != Protocol::Tcp),
            Err(other) => prop_assert!(false, "{other}"),
        }
    }

    #[test]
    fn a_damaged_file_is_never_a_panic(place in 0..LAMP.len(), octet: u8, cut in 0..LAMP.len()) {
        let mut file = LAMP.as_bytes().to_vec();
        file[place] = octet;
        let _ = read(&file);
        file.remove(cut);
        let _ = read(&file);
    }
}

#[test]
fn what_a_file_cannot_hold_is_not_written() {
    let good = read(LAMP.as_bytes()).unwrap();
    let any = |direction| Rule { direction, peer: Peer::LocalNetworks, protocol: Protocol::Any, ports: None };
    let both = vec![any(Direction::FromDevice), any(Direction::ToDevice)];
    let bad = [
        Description { url: "http://a".into(), ..good.clone() },
        Description { last_update: "today".into(), ..good.clone() },
        Description { cache_validity: 0, ..good.clone() },
        Description { system: Some("a\nb".into()), ..good.clone() },
        Description { rules: vec![], ..good.clone() },
        Description { rules: both, ..good.clone() },
        Description { rules: vec![Rule { peer: Peer::Name("A b".into()), ..good.rules[0].clone() }], ..good.clone() },
    ];
    for description in &bad {
        assert!(write(description).is_err(), "{description:?}");
    }
    let many = (0..400).map(|n| Rule { ports: Ports::new(n, n), ..good.rules[0].clone() }).collect();
    assert!(matches!(write(&Description { rules: many, ..good }), Err(Unwritable::TooLong(_))));
}
