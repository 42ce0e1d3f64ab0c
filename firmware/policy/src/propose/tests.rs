use proptest::prelude::*;
use terms::MacAddr;

use super::*;
use crate::service::Asked;
use crate::text::{read, write};

const MAC: MacAddr = MacAddr::new([2, 0, 0, 0, 0, 1]);

fn device() -> Device {
    Device { name: "cam".into(), macs: vec![MAC], state: DeviceState::Approved, ..Device::default() }
}

fn flow(name: &str, far: [u8; 4], service: &str) -> Flow {
    let first = Timestamp::from_secs(1_000);
    Flow {
        mac: MAC,
        lan: [10, 0, 0, 5].into(),
        far: far.into(),
        inbound: false,
        asked: Asked::read(service).unwrap(),
        names: (!name.is_empty()).then(|| name.to_owned()).into_iter().collect(),
        first,
        last: first,
        count: 2,
        octets: [1, 1],
    }
}

fn proposed(flows: &[Flow], doubtful: &[Range<Timestamp>]) -> Proposal {
    let servers = ["10.0.0.1".parse().unwrap()];
    let mut learning = Learning::new(&device(), &servers, doubtful);
    learning.see(flows);
    learning.proposal()
}

/// Each rule in short: services and peers, and its comment.
fn short(proposal: &Proposal) -> Vec<String> {
    let words = |rule: &Rule| {
        let services: Vec<_> = rule.services.iter().map(ToString::to_string).collect();
        let to: Vec<_> = rule.to.iter().map(crate::text::to).collect();
        format!("{}: {} to {} ({})", rule.name, services.join(" "), to.join(" "), rule.comment)
    };
    proposal.rules.iter().map(words).collect()
}

#[test]
fn names_come_before_addresses_and_peers_of_the_same_services_are_one_rule() {
    let far = [203, 0, 113, 7];
    let flows = [
        flow("a.example.com", far, "tcp/443"),
        flow("b.example.net", [203, 0, 113, 8], "tcp/443"),
        flow("", [10, 0, 0, 20], "tcp/554"),
        flow("", [10, 0, 0, 1], "udp/53"),
        flow("", [10, 0, 0, 1], "udp/123"),
    ];
    let proposal = proposed(&flows, &[]);
    let expected = ["cam-https: tcp/443 to a.example.com b.example.net ()", "cam-rtsp: tcp/554 to 10.0.0.20 ()"];
    assert_eq!(short(&proposal), expected);
    assert_eq!((proposal.covered, proposal.anyway), (6, 4));
}

#[test]
fn what_is_wider_than_what_was_seen_says_why() {
    let mut flows: Vec<Flow> =
        (1..=4).map(|n| flow(&format!("s{n}.cdn.example.co.uk"), [203, 0, 113, n], "tcp/443")).collect();
    flows.extend((1..=6).map(|n| flow("", [198, 51, 100, n], "udp/3478")));
    flows.extend((1..=9).map(|n| flow("", [10, 0, 0, 20], &format!("tcp/{}", 40_000 + n))));
    let expected = [
        "cam-tcp-0-65535: tcp/0-65535 to 10.0.0.20 ()",
        "cam-https: tcp/443 to *.example.co.uk (4 hosts of example.co.uk)",
        "cam-udp-3478: udp/3478 to internet (6 addresses of the internet without a name)",
    ];
    let mut told = short(&proposed(&flows, &[]));
    told.sort();
    let mut expected = expected.map(ToOwned::to_owned).to_vec();
    expected.sort();
    assert_eq!(told, expected);
}

#[test]
fn what_was_done_under_a_finding_or_begun_outside_gets_no_rule() {
    let inbound = Flow { inbound: true, ..flow("", [203, 0, 113, 9], "tcp/22") };
    let flows = [flow("a.example.com", [203, 0, 113, 7], "tcp/443"), inbound];
    let during = [Timestamp::from_secs(900)..Timestamp::from_secs(1_100)];
    let proposal = proposed(&flows, &during);
    assert_eq!(proposal.rules, []);
    assert_eq!(proposal.left_out.values().collect::<Vec<_>>(), [&2, &2]);
}

proptest! {
    #[test]
    fn a_proposal_covers_what_was_seen_and_no_rule_of_it_is_for_nothing(
        seen in prop::collection::vec((0..6_u8, 0..12_u8, 0..5_usize), 1..60)
    ) {
        let services = ["tcp/443", "udp/443", "tcp/8883", "udp/5000", "ping"];
        let flows: Vec<Flow> = seen.iter().map(|(name, far, service)| {
            let name = if *name < 3 { String::new() } else { format!("h{far}.d{name}.com") };
            flow(&name, [203, 0, if name.is_empty() { 112 } else { 113 }, *far], services[*service])
        }).collect();
        let proposal = proposed(&flows, &[]);
        let policy = |rules: Vec<Rule>| {
            let enforced = Device { posture: Some(Posture::Enforce), ..device() };
            let rules = rules.into_iter().map(Into::into).collect();
            Policy { devices: vec![enforced], rules, ..Policy::empty(Posture::Enforce) }
        };
        let whole = policy(proposal.rules.clone());
        // It can be written and read.
        prop_assert_eq!(read(&write(&whole)).unwrap(), whole.clone());
        let allows = |policy: &Policy| flows.iter().all(|f| {
            Judge::new(policy).decide(&f.start(&[])).effect == Effect::Allow
        });
        prop_assert!(allows(&whole));
        for without in 0..proposal.rules.len() {
            let mut fewer = proposal.rules.clone();
            fewer.remove(without);
            prop_assert!(!allows(&policy(fewer)));
        }
    }
}
