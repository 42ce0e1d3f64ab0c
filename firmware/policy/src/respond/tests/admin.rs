//! What an admin does: unblock, block by hand, change the settings.

use super::*;

#[test]
fn an_unblocked_host_has_its_grace() {
    let mut responder = steady(ResponderConfig::default());
    blocked(responder.respond(&scanner(9, 0), 8));
    assert_eq!(responder.unblock(address(9).into(), second(10)).map(|b| b.host), Some(address(9).into()));
    assert_eq!(responder.unblock(address(9).into(), second(10)), None);
    for at in [10, 609] {
        let Decision::Grace { why } = responder.respond(&scanner(9, at), 8) else { panic!("no grace at {at} s") };
        assert!(why.contains("grace lasts"), "{why}");
    }
    let again = blocked(responder.respond(&scanner(9, 610), 8));
    assert_eq!(again.lasts, Span::from_secs(600), "a lifted block is no repeat");
}

#[test]
fn an_admin_ends_a_grace_and_replaces_a_block() {
    let mut responder = responder();
    blocked(responder.respond(&scanner(9, 0), 8));
    responder.unblock(HostKey::Mac(mac(9)), second(1)).unwrap();
    let block = responder.manual(wish(9, 3600, 2)).unwrap();
    assert_eq!((block.until(), block.automatic), (second(3602), false));
    let shorter = responder.manual(wish(9, 60, 3)).unwrap();
    assert_eq!(responder.blocks().collect::<Vec<_>>(), [&shorter]);
    assert_eq!(responder.respond(&scanner(9, 4), 8), Decision::Already { until: second(63) });
    assert_eq!(responder.expire(second(63)), [shorter]);
    blocked(responder.respond(&scanner(9, 64), 8));
}

#[test]
fn a_refusal_says_what_is_wrong() {
    let mut responder = responder();
    for (wish, words) in [
        (wish(9, 0, 0), "a block lasts from 1 s to 366 days, not 0.000 s"),
        (wish(9, 367 * DAY, 0), "a block lasts from 1 s to 366 days"),
        (
            ManualBlock { host: "224.0.0.9".parse().unwrap(), side: Side::Unknown, ..wish(9, 60, 0) },
            "not that of one host",
        ),
        (
            ManualBlock { host: "02:00:00:00:00:09".parse().unwrap(), side: Side::Uplink, ..wish(9, 60, 0) },
            "only the IP address",
        ),
    ] {
        let refusal = responder.manual(wish).unwrap_err().to_string();
        assert!(refusal.contains(words), "{refusal}");
    }
}

#[test]
fn a_host_that_was_never_seen_is_blocked_by_its_address_and_freed_again() {
    let mut responder = responder();
    let unseen = ManualBlock { mac: None, side: Side::Unknown, ..wish(9, 60, 0) };
    let block = responder.manual(unseen).unwrap();
    assert_eq!((block.target, block.mac), (BlockTarget::Anywhere(address(9)), None));
    assert_eq!(responder.respond(&scanner(9, 1), 8), Decision::Already { until: second(60) });
    assert_eq!(responder.unblock(address(9).into(), second(2)), Some(block));
    assert!(matches!(responder.respond(&scanner(9, 3), 8), Decision::Grace { .. }));
}

#[test]
fn holds_no_more_blocks_than_there_is_room_for() {
    let mut responder = Responder::new(ResponderConfig { share_percent: 100, ..Default::default() }, 7);
    for n in 0..BLOCKS {
        let bytes = (n as u32).to_be_bytes();
        let host = HostKey::Mac(MacAddr::new([2, 1, bytes[0], bytes[1], bytes[2], bytes[3]]));
        responder.manual(ManualBlock { host, ..wish(0, 60, 0) }).unwrap();
    }
    assert_eq!(responder.manual(wish(9, 60, 0)), Err(Refusal::Full));
    let Decision::HoldBack { why, .. } = responder.respond(&scanner(9, 0), 8) else { panic!("not held back") };
    assert!(why.contains("no room"), "{why}");
    assert_eq!(responder.restore(vec![blocked(super::responder().respond(&scanner(9, 0), 8))]).len(), 1);
}

#[test]
fn a_change_to_observe_lifts_automatic_blocks_only() {
    let mut responder = responder();
    let automatic = blocked(responder.respond(&scanner(9, 0), 8));
    let manual = responder.manual(wish(8, 60, 0)).unwrap();
    let observe = ResponderConfig { posture: Posture::Observe, ..Default::default() };
    assert_eq!(responder.reconfigure(observe), std::slice::from_ref(&automatic));
    assert_eq!(responder.blocks().collect::<Vec<_>>(), [&manual]);
    assert_eq!(responder.restore(vec![automatic.clone()]), [automatic]);
}
