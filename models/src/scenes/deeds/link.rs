//! What is said on the link: pings, multicast questions, leases, the router's own words.

use std::net::{Ipv4Addr, Ipv6Addr};

use terms::{Span, Timestamp};

use crate::scenes::chance::Between;
use crate::scenes::packet::{self, End, Said};
use crate::scenes::speech;
use crate::scenes::stage::Stage;

use super::whom::To;

/// The content of an echo as `ping` fills it: a time, then a pattern.
const PATTERN: [u8; 48] = {
    let mut pattern = [0; 48];
    let mut n = 0;
    while n < 48 {
        pattern[n] = 0x10 + n as u8;
        n += 1;
    }
    pattern
};

pub(super) fn ping(to: To, times: Between, at: Timestamp, stage: &mut Stage) {
    let (known, peer, _) = to.find(at, stage);
    let (mut at, own, far) = stage.reach(known, &peer);
    let id = (stage.random.bits() & 0xffff) as u16;
    for seq in 1..=times.whole(&mut stage.random) as u16 {
        let said = Said::all([&at.micros().to_le_bytes()[..], &PATTERN].concat());
        stage.send(packet::icmp(at, own, far, (8, 128), (id, seq), &said));
        let answered = at + peer.rtt + stage.random.delay(Span::from_micros(800));
        stage.send(packet::icmp(answered, far, own, (0, 129), (id, seq), &said));
        at = at + Span::from_secs(1);
    }
}

pub(super) fn announce(service: &str, at: Timestamp, stage: &mut Stage) {
    let said = speech::service_question(service);
    let own = stage.device.end4();
    stage.send(packet::udp(
        at,
        End { ttl: 255, ..own },
        packet::group(Ipv4Addr::new(224, 0, 0, 251).into()),
        (5_353, 5_353),
        &said,
    ));
}

pub(super) fn search(target: &str, mut at: Timestamp, stage: &mut Stage) {
    let (said, own, port) = (speech::search(target), stage.device.end4(), stage.port());
    for _ in 0..2 {
        stage.send(packet::udp(at, own, packet::group(Ipv4Addr::new(239, 255, 255, 250).into()), (port, 1_900), &said));
        at = at + Span::from_secs(1);
    }
}

/// The router looks whether the device is still there, and advertises itself where there is IPv6.
pub(super) fn router_speaks(at: Timestamp, stage: &mut Stage) {
    let (router, own) = (stage.site.router(), stage.device.peer);
    stage.send(packet::arp(at, (router.mac, router.v4), own.v4, None));
    let answered = at + Span::from_micros(200 + stage.random.bits() % 3_000);
    stage.send(packet::arp(answered, (own.mac, own.v4), router.v4, Some(router.mac)));
    if stage.site.v6 && stage.random.happens(0.3) {
        let all = packet::group(Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1).into());
        let said = Said::all([&[0; 8][..], &[1, 1], &router.mac.octets()].concat());
        let from = stage.site.router_link_local();
        stage.send(packet::icmp(answered + Span::from_millis(40), from, all, (0, 134), (0x4000, 1_800), &said));
    }
}

/// Four messages to an address (RFC 2131, section 3.1), and the announcement of who has it now (RFC 5227).
pub(super) fn lease(at: Timestamp, stage: &mut Stage) {
    let (own, router) = (stage.device.peer, stage.site.router());
    let nobody = End { mac: own.mac, ip: Ipv4Addr::UNSPECIFIED.into(), ttl: own.ttl };
    let all = packet::group(Ipv4Addr::BROADCAST.into());
    let from = End { mac: router.mac, ip: router.v4.into(), ttl: 64 };
    let transaction = (stage.random.bits() as u32).to_be_bytes();
    let message = |operation: u8, kind: u8, options: &[u8]| {
        let mut message = vec![0; 236];
        message[..3].copy_from_slice(&[operation, 1, 6]);
        message[4..8].copy_from_slice(&transaction);
        if operation == 2 {
            message[16..20].copy_from_slice(&own.v4.octets());
        }
        message[28..34].copy_from_slice(&own.mac.octets());
        message.extend([99, 130, 83, 99, 53, 1, kind]);
        message.extend(options);
        message.push(255);
        message.resize(message.len().max(300), 0);
        Said::all(message)
    };
    let server = [&[54, 4][..], &router.v4.octets(), &[3, 4], &router.v4.octets(), &[51, 4, 0, 0, 0xa8, 0xc0]].concat();
    let wanted = [&[50, 4][..], &own.v4.octets(), &[54, 4], &router.v4.octets()].concat();
    let mut at = at;
    for (kind, answer, asked) in [(1, 2, &[][..]), (3, 5, &wanted)] {
        stage.send(packet::udp(at, nobody, all, (68, 67), &message(1, kind, asked)));
        at = at + stage.random.delay(Span::from_millis(20));
        stage.send(packet::udp(at, from, all, (67, 68), &message(2, answer, &server)));
        at = at + stage.random.delay(Span::from_millis(4));
    }
    stage.send(packet::arp(at + Span::from_millis(300), (own.mac, own.v4), own.v4, None));
}
