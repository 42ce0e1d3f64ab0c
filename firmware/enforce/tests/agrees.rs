//! `policy::decide` and the kernel, which share no line of code beyond the policy's values, say the same of drawn conversations.
//!
//! Each round draws a policy as text, applies it in a namespace of its own, sends first packets from both sides of a real bridge, and
//! then an answer to each. What arrives at the other end must be what `decide` lets pass; answers pass where the question did.
//! `PICKET_ROUNDS` sets the number of policies, `SEED` where drawing begins.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "agrees/ends.rs"]
mod ends;
mod namespace;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use enforce::{Enforcer, Tracking};
use namespace::wire::{TAG, bridge, ip, keep_order, sum};
use namespace::{alone, ruleset};
use policy::{
    Asked, Effect, NAMED_AT_ALL, Name, Policy, RuleNumber, Ruleset, Sender, Start, compile, decide, protocol, text,
};
use terms::{MacAddr, Span, Timestamp};

/// Policies a run; each has `CASES` conversations.
const ROUNDS: u64 = 100;
const CASES: u32 = 120;
/// Sunday, 22 November 2026, 12:00 UTC.
const NOW: u64 = 1_795_348_800;
const FAR: [&str; 8] =
    ["203.0.113.7", "198.51.100.9", "192.168.7.1", "10.9.9.9", "2001:db8::7", "fd00::1", "9.9.9.9", "2620:fe::fe"];
/// What devices were told: the last octet of each one's hardware address, an address, the name.
const TOLD: [(u8, &str, &str); 5] = [
    (2, "203.0.113.7", "a.example.org"),
    (2, "2001:db8::7", "a.example.org"),
    (4, "203.0.113.7", "b.example.org"),
    (3, "198.51.100.9", "dns.google"),
    (9, "10.9.9.9", "nobody.example.net"),
];
const SERVER: &str = "192.168.7.1";
/// Another hardware address than any device's: the router's.
const ROUTER: [u8; 6] = [2, 0xff, 0xff, 0xff, 0xff, 0xff];
/// The device for which no rule holds: its frame ends a batch. Numbers from here on are markers.
const FREE: u8 = 7;
const MARKER: u32 = 1_000_000;

struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        usize::try_from(self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33).unwrap() % n
    }

    fn one_of<'a>(&mut self, all: &[&'a str]) -> &'a str {
        all[self.below(all.len())]
    }
}

/// One conversation: who is at the LAN end, who at the other, what about, who begins.
#[derive(Clone, Copy, Debug)]
struct Case {
    mac: u8,
    lan: IpAddr,
    far: IpAddr,
    asked: Asked,
    inbound: bool,
    tagged: bool,
}

fn mac(n: u8) -> MacAddr {
    MacAddr::new([2, 0, 0, 0, 0, n])
}

/// Devices 1 to 4 are approved, 5 in quarantine, 6 blocked, 7 free, 8 is known by its address alone; 9 is known to nobody.
fn draw_policy(random: &mut Random) -> String {
    let new = random.one_of(&["everything", "starter", "nothing"]);
    let dns = random.one_of(&["any", "any", "own"]);
    let quic = random.one_of(&["any", "any", "named"]);
    let mut text = format!(
        "posture = \"enforce\"\nnew = \"{new}\"\ndns = \"{dns}\"\nquic = \"{quic}\"\n[[group]]\nname = \"all\"\n"
    );
    for n in 1..8 {
        let state = ["approved", "approved", "approved", "approved", "quarantined", "blocked", "approved"][n - 1];
        let groups = random.one_of(&["", "groups = [\"cams\"]\n", "groups = [\"cams\", \"lab\"]\n"]);
        let posture = if n == usize::from(FREE) { "posture = \"protect\"\n" } else { "" };
        let addresses = format!("addresses = [\"192.168.7.1{n}\", \"fd00::1{n}\"]\n");
        write!(
            text,
            "[[device]]\nname = \"d{n}\"\nmacs = [\"{}\"]\n{addresses}state = \"{state}\"\n{groups}{posture}",
            mac(n as u8)
        )
        .unwrap();
    }
    text += "[[device]]\nname = \"d8\"\naddresses = [\"192.168.7.18\", \"fd00::18\"]\nstate = \"approved\"\ngroups = [\"cams\"]\n";
    text += "[[device]]\nname = \"recorder\"\naddresses = [\"192.168.7.1\"]\nstate = \"approved\"\n";
    if !text.contains("\"lab\"]") {
        text += "[[group]]\nname = \"lab\"\n";
    }
    for n in 0..14 {
        let kind = if n % 5 == 4 { "deny" } else { "allow" };
        let inbound = n % 7 == 6;
        let who = random.one_of(if inbound {
            &["uplink", "internet", "203.0.113.0/24", "fd00::/16"]
        } else {
            &["d1", "d2", "d3", "d5", "d8", "cams", "lab", "lan", "new"]
        });
        let to = random.one_of(if inbound {
            &["d1", "d2", "d8", "lan", "192.168.7.0/24"]
        } else {
            &[
                "internet",
                "uplink",
                "203.0.113.0/24",
                "198.51.100.9",
                "10.0.0.0/8",
                "2001:db8::/32",
                "fd00::1",
                "recorder",
                "servers",
                "not-servers",
                "public-resolvers",
                "unnamed",
                "*.example.org",
            ]
        });
        let low = 1_000 + random.below(8) * 100;
        let service = match random.below(7) {
            0 => "ping".to_owned(),
            1 => "any".to_owned(),
            2 => "ip/47".to_owned(),
            3 => format!("udp/{low}"),
            4 => format!("udp/{low}-{}", low + 150),
            _ => format!("tcp/{low}-{}", low + 250),
        };
        let when = random.one_of(&["", "", "", "when = \"sun 08:00-18:00\"\n", "when = \"mon-sat 08:00-18:00\"\n"]);
        let until = random.one_of(&["", "", "", "until = 2026-11-22T11:59:59Z\n", "until = 2027-01-01T00:00:00Z\n"]);
        let shadow = if random.below(10) == 0 { "shadow = true\n" } else { "" };
        write!(text, "[[{kind}]]\nname = \"r{n}\"\nwho = \"{who}\"\nto = \"{to}\"\nservice = \"{service}\"\n{when}{until}{shadow}").unwrap();
    }
    text
}

fn draw_case(random: &mut Random) -> Case {
    let n = u8::try_from(1 + random.below(9)).unwrap();
    let far: IpAddr = random.one_of(&FAR).parse().unwrap();
    let lan = if far.is_ipv4() { format!("192.168.7.1{n}") } else { format!("fd00::1{n}") };
    let port = u16::try_from(1_000 + random.below(10) * 90).unwrap();
    let asked = match random.below(8) {
        0 => Asked { protocol: if far.is_ipv4() { protocol::ICMP } else { protocol::ICMP6 }, port: 0, echo: true },
        1 => Asked::port(47, 0),
        2 => Asked::port(protocol::UDP, [53, 123, 443, 853, port][random.below(5)]),
        3 => Asked::port(protocol::TCP, [53, 443, 853][random.below(3)]),
        4 => Asked::port(protocol::UDP, port),
        _ => Asked::port(protocol::TCP, port),
    };
    Case { mac: n, lan: lan.parse().unwrap(), far, asked, inbound: random.below(5) == 0, tagged: random.below(8) == 0 }
}

/// The port of the end that begins.
fn own_port(number: u32) -> u16 {
    u16::try_from(20_000 + number % 40_000).unwrap()
}

/// The packet of a case, from who begins or the answer to it.
fn frame(case: &Case, number: u32, answer: bool) -> Vec<u8> {
    let from_lan = case.inbound == answer;
    let own = own_port(number);
    let body = [TAG, &number.to_be_bytes()].concat();
    let ports = |first: u16, second: u16| [first.to_be_bytes(), second.to_be_bytes()].concat();
    let (sport, dport) = if answer { (case.asked.port, own) } else { (own, case.asked.port) };
    let mut l4 = match case.asked.protocol {
        protocol::TCP => {
            let flags = if answer { 0x12 } else { 0x02 };
            [ports(sport, dport), vec![0; 8], vec![0x50, flags, 0xff, 0xff, 0, 0, 0, 0], body].concat()
        }
        protocol::UDP => [ports(sport, dport), ports(u16::try_from(8 + body.len()).unwrap(), 0), body].concat(),
        protocol::ICMP => [vec![if answer { 0 } else { 8 }, 0, 0, 0], ports(own, 1), body].concat(),
        protocol::ICMP6 => [vec![if answer { 129 } else { 128 }, 0, 0, 0], ports(own, 1), body].concat(),
        _ => [vec![0; 8], body].concat(),
    };
    let (src, dst) = if from_lan { (case.lan, case.far) } else { (case.far, case.lan) };
    sum(src, dst, case.asked.protocol, &mut l4);
    let (src_mac, dst_mac) = if from_lan { (mac(case.mac).octets(), ROUTER) } else { (ROUTER, mac(case.mac).octets()) };
    let mut frame = [dst_mac, src_mac].concat();
    if case.tagged {
        frame.extend([0x81, 0, 0, 9]);
    }
    frame.extend(ip(src, dst, case.asked.protocol, l4.len(), [0, 0x4000]));
    frame.extend(l4);
    frame.resize(frame.len().max(60), 0);
    frame
}

/// What the kernel is told of the names: each for the rules that are about it and its device, and for those that ask for any name.
fn told(policy: &Policy, numbers: &BTreeMap<Name, RuleNumber>) -> Vec<(MacAddr, IpAddr, RuleNumber, Span)> {
    let mut elements = Vec::new();
    for (n, address, name) in TOLD {
        let device = policy.device_of(Some(mac(n)), None);
        let about = policy.numbered().filter(|rule| policy.is_about(rule, device));
        let named = about.filter(|rule| policy.names_in(rule).any(|wanted| wanted.matches(name)));
        let of_rules = named.filter_map(|rule| numbers.get(rule.name.as_str()).copied());
        let all = of_rules.chain([NAMED_AT_ALL]);
        elements.extend(all.map(|number| (mac(n), address.parse().unwrap(), number, Span::from_secs(600))));
    }
    elements
}

fn ruling(policy: &Policy, case: &Case) -> bool {
    let servers = [SERVER.parse().unwrap()];
    let (from, to, to_mac) = if case.inbound {
        (Sender::Uplink(case.far), case.lan, Some(mac(case.mac)))
    } else {
        (Sender::Lan(Some(mac(case.mac)), case.lan), case.far, None)
    };
    let of_case =
        |(n, address, _): &&(u8, &str, &str)| !case.inbound && *n == case.mac && address.parse() == Ok(case.far);
    let names: Vec<String> = TOLD.iter().filter(of_case).map(|(.., name)| (*name).to_owned()).collect();
    let start =
        Start { from, to, to_mac, asked: case.asked, names: &names, servers: &servers, at: Timestamp::from_secs(NOW) };
    decide(policy, &start).effect == Effect::Allow
}

/// Sends frames from one end and says which numbers arrive at the other.
fn arrive(
    from: &namespace::wire::End,
    to: &namespace::wire::End,
    frames: &[Vec<u8>],
    marker: &[u8],
    last: u32,
) -> BTreeSet<u32> {
    for frame in frames {
        from.send(frame);
    }
    from.send(marker);
    to.numbers_until(last).into_iter().collect()
}

/// One policy: (conversations, how many passed).
fn round(enforcer: &mut Enforcer, ends: &(namespace::wire::End, namespace::wire::End), seed: u64) -> (u32, u32) {
    let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let text = draw_policy(&mut random);
    let policy = text::read(&text).unwrap_or_else(|faults| panic!("{faults:?}\n{text}"));
    let at = Timestamp::from_secs(NOW);
    let plan = compile(&policy, &[SERVER.parse().unwrap()], at);
    enforcer.remove().unwrap();
    let numbers = plan.as_ref().unwrap().rules.clone();
    enforcer.apply(&Ruleset { plan, ..ruleset(&[]) }, at).unwrap();
    enforcer.name(&told(&policy, &numbers)).unwrap();
    let free = Case {
        mac: FREE,
        lan: "192.168.7.17".parse().unwrap(),
        far: "10.9.9.9".parse().unwrap(),
        asked: Asked::port(protocol::UDP, 9),
        inbound: false,
        tagged: false,
    };
    // Of a protocol without ports all packets between two ends are one conversation: each pair has one case.
    let mut pairs = BTreeSet::new();
    let mut cases = Vec::new();
    while cases.len() < CASES as usize {
        let case = draw_case(&mut random);
        if case.asked.protocol != 47 || pairs.insert((case.lan, case.far)) {
            cases.push(case);
        }
    }
    let numbered = |inbound: bool, answer: bool| -> Vec<Vec<u8>> {
        let of = cases.iter().enumerate().filter(|(_, case)| case.inbound == inbound);
        of.map(|(n, case)| frame(case, u32::try_from(n).unwrap(), answer)).collect()
    };
    let from_lan = |frames: &[Vec<u8>], last: u32| arrive(&ends.0, &ends.1, frames, &frame(&free, last, false), last);
    let back = Case { inbound: true, ..free };
    let from_far = |frames: &[Vec<u8>], last: u32| arrive(&ends.1, &ends.0, frames, &frame(&back, last, false), last);
    let mut passed = from_lan(&numbered(false, false), MARKER);
    passed.extend(from_far(&numbered(true, false), MARKER + 1));
    let mut answered = from_far(&numbered(false, true), MARKER + 2);
    answered.extend(from_lan(&numbered(true, true), MARKER + 3));
    let mut allowed = 0;
    for (n, case) in cases.iter().enumerate() {
        let (n, should) = (u32::try_from(n).unwrap(), ruling(&policy, case));
        assert_eq!(
            passed.contains(&n),
            should,
            "SEED={seed}: {case:?} is said to {}\n{text}",
            if should { "pass" } else { "end" }
        );
        // An answer to what was denied begins a conversation of its own, which another rule may allow.
        let own = if matches!(case.asked.protocol, protocol::TCP | protocol::UDP) { own_port(n) } else { 0 };
        let reversed = Case { inbound: !case.inbound, asked: Asked::port(case.asked.protocol, own), ..*case };
        let answer = should || ruling(&policy, &reversed);
        assert_eq!(answered.contains(&n), answer, "SEED={seed}: the answer to {case:?}\n{text}");
        allowed += u32::from(should);
    }
    (CASES, allowed)
}

/// Policies a run, and where drawing begins.
fn drawn() -> (u64, u64) {
    let number = |name: &str| std::env::var(name).ok().and_then(|n| n.parse().ok());
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    (number("PICKET_ROUNDS").unwrap_or(ROUNDS), number("SEED").unwrap_or(now))
}

fn conclude(tracking: Tracking, seed: u64, (cases, allowed): (u32, u32)) {
    eprintln!("SEED={seed}: {cases} conversations and their answers agree ({tracking:?}), {allowed} pass");
    assert!(
        allowed * 10 >= cases && allowed * 4 <= cases * 3,
        "{allowed} of {cases} pass: too one-sided to prove anything"
    );
}

#[test]
fn what_is_decided_is_what_the_kernel_does() {
    let (rounds, seed) = drawn();
    alone(move || {
        keep_order();
        let (mut enforcer, ends) = (Enforcer::open().unwrap(), bridge());
        let (mut cases, mut allowed) = (0, 0);
        for n in 0..rounds {
            let (drawn, passed) = round(&mut enforcer, &ends, seed + n);
            (cases, allowed) = (cases + drawn, allowed + passed);
        }
        conclude(Tracking::Map, seed, (cases, allowed));
    });
}

#[test]
#[ignore = "child: run by image::both_ways_of_knowing_conversations_agree in a machine whose kernel tracks connections in the bridge"]
fn what_is_decided_is_what_a_kernel_does_that_tracks_connections() {
    if std::process::id() != 1 {
        return;
    }
    let (rounds, seed) = drawn();
    let (cases, allowed) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
    for n in 0..rounds {
        // The kernel keeps connections apart by namespace: those of one policy say nothing about the next.
        let (cases, allowed) = (Arc::clone(&cases), Arc::clone(&allowed));
        alone(move || {
            keep_order();
            let (enforcer, ends) = (Enforcer::open().unwrap(), bridge());
            let (drawn, passed) = round(&mut enforcer.tracking(Tracking::Kernel), &ends, seed + n);
            cases.fetch_add(drawn, Relaxed);
            allowed.fetch_add(passed, Relaxed);
        });
    }
    conclude(Tracking::Kernel, seed, (cases.load(Relaxed), allowed.load(Relaxed)));
}
