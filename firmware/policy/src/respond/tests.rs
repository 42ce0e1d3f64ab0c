//! The decisions, as tables and as properties.

mod admin;
mod properties;

use super::*;
use core::net::{IpAddr, Ipv4Addr};
use terms::{Family, MacAddr, Side};

const DAY: u64 = 86_400;
const ROUTER: MacAddr = MacAddr::new([2, 0, 0, 0, 0, 1]);

fn responder() -> Responder {
    Responder::new(ResponderConfig::default(), 7)
}

fn steady(config: ResponderConfig) -> Responder {
    Responder::new(ResponderConfig { jitter_percent: 0, ..config }, 7)
}

fn mac(n: u8) -> MacAddr {
    MacAddr::new([2, 0, 0, 0, 1, n])
}

fn address(n: u8) -> IpAddr {
    Ipv4Addr::new(10, 0, 0, n).into()
}

fn second(seconds: u64) -> Timestamp {
    Timestamp::from_secs(seconds)
}

/// LAN host `n` with a port scan at High.
fn scanner(n: u8, at: u64) -> Suspect {
    Suspect {
        host: address(n).into(),
        mac: Some(mac(n)),
        side: Side::Lan,
        level: ThreatLevel::High,
        family: Family::PortScanVertical,
        at: second(at),
        why: "11 ports of 10.0.0.1 within a minute, 11 refused".into(),
        addresses_on_mac: 1,
    }
}

/// Uplink host `n`, whose frames carry the router's hardware address.
fn outsider(n: u8, at: u64) -> Suspect {
    Suspect {
        host: HostKey::V4(Ipv4Addr::new(198, 51, 100, n)),
        mac: Some(ROUTER),
        side: Side::Uplink,
        ..scanner(n, at)
    }
}

fn wish(n: u8, lasts: u64, at: u64) -> ManualBlock {
    ManualBlock {
        host: address(n).into(),
        mac: Some(mac(n)),
        side: Side::Lan,
        addresses_on_mac: 1,
        lasts: Span::from_secs(lasts),
        why: "looks odd".into(),
        at: second(at),
    }
}

fn blocked(decision: Decision) -> Block {
    match decision {
        Decision::Block(block) => block,
        other => panic!("not blocked: {other:?}"),
    }
}

#[test]
fn each_level_has_its_answer() {
    let why = scanner(9, 0).why;
    for level in [ThreatLevel::Safe, ThreatLevel::Medium] {
        let suspect = Suspect { level, ..scanner(9, 0) };
        assert_eq!(responder().respond(&suspect, 8), Decision::Watch { why: why.clone() }, "{level}");
    }
    let block = blocked(responder().respond(&scanner(9, 5), 8));
    assert_eq!((block.target, block.since, block.automatic), (BlockTarget::Mac(mac(9)), second(5), true));
    assert_eq!(block.why, why);
    assert!((600..=660).contains(&block.lasts.secs()));
}

#[test]
fn observing_says_what_would_be_blocked_and_blocks_nothing() {
    let mut responder = Responder::new(ResponderConfig { posture: Posture::Observe, ..Default::default() }, 7);
    for at in 0..100 {
        let Decision::WouldBlock { why } = responder.respond(&scanner(9, at), 8) else { panic!("not held back") };
        assert!(why.starts_with(&scanner(9, 0).why) && why.ends_with("observe"), "{why}");
    }
    assert_eq!(responder.blocks().count(), 0);
    assert!(responder.manual(wish(9, 60, 0)).is_ok(), "an admin's block is no finding");
}

#[test]
fn a_blocked_host_never_moves_its_end() {
    let mut responder = responder();
    let until = blocked(responder.respond(&scanner(9, 0), 8)).until();
    for at in [0, 1, 300, until.secs() - 1] {
        assert_eq!(responder.respond(&scanner(9, at), 8), Decision::Already { until }, "at {at} s");
    }
    let under_a_new_address = Suspect { host: address(77).into(), mac: Some(mac(9)), ..scanner(77, 10) };
    assert_eq!(responder.respond(&under_a_new_address, 8), Decision::Already { until });
    assert_eq!(responder.blocks().map(Block::until).collect::<Vec<_>>(), [until]);
}

#[test]
fn a_repeater_is_blocked_for_twice_as_long_each_time_up_to_the_longest() {
    let mut responder = steady(ResponderConfig::default());
    let mut at = 0;
    for minutes in [10, 20, 40, 80, 160, 320, 640, 1280, 1440, 1440] {
        let block = blocked(responder.respond(&scanner(9, at), 8));
        assert_eq!(block.lasts, Span::from_secs(minutes * 60), "at {at} s");
        at = block.until().secs();
        assert_eq!(responder.expire(block.until()), [block]);
    }
}

#[test]
fn quiet_days_are_forgiven() {
    for (quiet_days, minutes) in [(0, 80), (1, 20), (2, 10)] {
        let mut responder = steady(ResponderConfig::default());
        let mut at = 0;
        for _ in 0..3 {
            at = blocked(responder.respond(&scanner(9, at), 8)).until().secs();
        }
        let block = blocked(responder.respond(&scanner(9, at + quiet_days * DAY), 8));
        assert_eq!(block.lasts, Span::from_secs(minutes * 60), "after {quiet_days} quiet days");
    }
}

#[test]
fn the_never_block_list_forbids_automatic_and_manual_blocks_and_lifts_standing_ones() {
    let mut responder = responder();
    blocked(responder.respond(&scanner(9, 0), 8));
    responder.manual(wish(8, 60, 0)).unwrap();
    let learnt = vec![NeverBlock::Address(address(9)), NeverBlock::Mac(mac(8)), NeverBlock::Mac(ROUTER)];
    let mut lifted: Vec<_> = responder.set_never(learnt).iter().map(|b| b.host.to_string()).collect();
    lifted.sort();
    assert_eq!(lifted, ["10.0.0.8", "10.0.0.9"]);
    for n in [8, 9] {
        assert!(matches!(responder.respond(&scanner(n, 1), 8), Decision::Never { .. }), "{n}");
    }
    let refusal = responder.manual(wish(8, 60, 1)).unwrap_err();
    assert_eq!(refusal.to_string(), "10.0.0.8 is not blocked: 02:00:00:00:01:08 is on the never-block list");
    let behind_the_router = blocked(responder.respond(&outsider(7, 1), 8));
    assert!(matches!(behind_the_router.target, BlockTarget::Address(IpAddr::V4(_))));
}

#[test]
fn no_more_than_the_bound_within_a_minute() {
    let mut responder = responder();
    for n in 0..30 {
        blocked(responder.respond(&scanner(n, 100), 1000));
    }
    let Decision::HoldBack { why, tell } = responder.respond(&scanner(30, 110), 1000) else { panic!("not held back") };
    assert!(tell && why.contains("30 automatic blocks within a minute"), "{why}");
    for at in 111..160 {
        assert!(
            matches!(responder.respond(&scanner(31, at), 1000), Decision::HoldBack { tell: false, .. }),
            "at {at} s"
        );
    }
    blocked(responder.respond(&scanner(31, 160), 1000));
}

#[test]
fn no_more_than_the_share_at_a_time_counted_for_each_side() {
    let mut responder = responder();
    for n in 0..3 {
        blocked(responder.respond(&outsider(n, 0), 8));
    }
    let Decision::HoldBack { why, .. } = responder.respond(&outsider(3, 0), 8) else { panic!("not held back") };
    assert!(why.contains("3 hosts of the uplink side") && why.contains("20 % of 8 known LAN hosts"), "{why}");
    for n in 0..3 {
        blocked(responder.respond(&scanner(n, 1), 8));
    }
    assert!(matches!(responder.respond(&scanner(3, 2), 8), Decision::HoldBack { tell: true, .. }));
    assert!(responder.manual(wish(3, 60, 3)).is_ok(), "an admin is not bounded");
    assert!(responder.unblock(address(0).into(), second(4)).is_some());
    blocked(responder.respond(&scanner(4, 5), 8));
    blocked(responder.respond(&scanner(5, 5), 20));
}

#[test]
fn a_restart_keeps_ends_and_repeats() {
    let mut before = responder();
    let first = blocked(before.respond(&scanner(9, 0), 8));
    let second_block = blocked(before.respond(&scanner(9, 1000), 8));
    assert!(first.until() < second_block.until());
    let mut after = steady(ResponderConfig::default());
    assert_eq!(after.restore(vec![second_block.clone()]), []);
    assert_eq!(after.respond(&scanner(9, 1001), 8), Decision::Already { until: second_block.until() });
    let third = blocked(after.respond(&scanner(9, second_block.until().secs() + 1), 8));
    assert_eq!(third.lasts, Span::from_secs(40 * 60));
}

#[test]
fn a_block_that_the_kernel_did_not_take_is_decided_anew() {
    let mut responder = steady(ResponderConfig::default());
    let block = blocked(responder.respond(&scanner(9, 0), 8));
    assert_eq!(responder.undo(&block.target), Some(block.clone()));
    let again = blocked(responder.respond(&scanner(9, 1), 8));
    assert_eq!(again.lasts, block.lasts, "it does not count as a repeat");
}

#[test]
fn hosts_that_share_a_hardware_address_are_blocked_one_by_one() {
    let mut responder = responder();
    let guest = |n| Suspect { mac: Some(mac(200)), addresses_on_mac: 4, ..scanner(n, 0) };
    for n in [5, 6] {
        let target = BlockTarget::MacAndAddress(mac(200), address(n));
        assert_eq!(blocked(responder.respond(&guest(n), 100)).target, target);
    }
    assert!(responder.unblock(HostKey::Mac(mac(200)), second(1)).is_some());
    assert!(responder.unblock(HostKey::Mac(mac(200)), second(1)).is_some());
    assert_eq!(responder.unblock(HostKey::Mac(mac(200)), second(1)), None);
}
