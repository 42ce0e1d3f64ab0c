//! Whole frames: what they say, and what is left of them when they are cut.

mod frames;

use terms::MacAddr;
use wire::tcp::Flags;
use wire::{LinkType, Net, Packet, Summary, Transport, arp, dns, parse, protocol};

fn whole(octets: &[u8]) -> Summary<'_> {
    parse(LinkType::Ethernet, octets, octets.len() as u32, None).expect("a whole frame is read")
}

fn packet<'a>(summary: &Summary<'a>) -> Packet<'a> {
    match summary.net {
        Net::Ip(packet) => packet,
        other => panic!("no packet: {other:?}"),
    }
}

#[test]
fn the_addresses_of_the_frame_are_told() {
    for (name, octets) in frames::ALL {
        let summary = whole(octets);
        assert_eq!(summary.src, MacAddr::new([2, 0, 0, 0, 0, 9]), "{name}");
        assert_eq!(summary.len as usize, octets.len(), "{name}");
    }
}

#[test]
fn an_arp_request_asks_for_its_target() {
    let Net::Arp(arp) = whole(frames::ARP).net else { panic!("no ARP") };
    assert_eq!(arp.operation, arp::Operation::Request);
    assert_eq!((arp.sender.octets()[3], arp.target.octets()[3]), (9, 1));
}

#[test]
fn a_syn_with_options_has_no_payload() {
    let Transport::Tcp(segment) = packet(&whole(frames::TCP_SYN)).transport else { panic!("no TCP") };
    assert_eq!((segment.dst_port, segment.flags, segment.payload_len), (22, Flags::SYN, 0));
}

#[test]
fn the_outermost_tag_is_the_vlan_and_padding_is_not_payload() {
    let summary = whole(frames::QINQ_TCP);
    assert_eq!(summary.vlan, Some(100));
    let Transport::Tcp(segment) = packet(&summary).transport else { panic!("no TCP") };
    assert_eq!((segment.payload_len, segment.payload), (5, &b"root\n"[..]));
}

#[test]
fn the_tag_of_the_ring_is_outside_of_those_in_the_frame() {
    let octets = frames::QINQ_TCP;
    let vlan = |tag| parse(LinkType::Ethernet, octets, octets.len() as u32, Some(tag)).unwrap().vlan;
    assert_eq!((vlan(0xe005), vlan(0xe000)), (Some(5), Some(100)));
}

#[test]
fn a_cooked_frame_says_what_an_ethernet_frame_does() {
    let mut cooked = vec![0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 9, 0, 0];
    cooked.extend(&frames::DNS[12..]);
    let summary = parse(LinkType::LinuxCooked, &cooked, cooked.len() as u32, None).unwrap();
    assert_eq!((summary.src, summary.net), (whole(frames::DNS).src, whole(frames::DNS).net));
}

#[test]
fn a_question_is_read_from_the_payload() {
    let Transport::Udp(datagram) = packet(&whole(frames::DNS)).transport else { panic!("no UDP") };
    let question = dns::Message::parse(datagram.payload).and_then(|m| m.question()).unwrap();
    assert_eq!((datagram.dst_port, question.name.as_str()), (53, "example.org"));
}

#[test]
fn the_protocol_of_a_packet_stands_behind_its_extension_headers() {
    let packet = packet(&whole(frames::UDP6));
    let Transport::Udp(datagram) = packet.transport else { panic!("no UDP") };
    assert_eq!((packet.protocol, packet.len, datagram.payload), (protocol::UDP, 59, &b"abc"[..]));
}

#[test]
fn an_ieee_802_3_frame_has_its_length_for_a_type() {
    let octets = [1, 0x80, 0xc2, 0, 0, 0, 2, 0, 0, 0, 0, 9, 0, 38, 0x42, 0x42, 3];
    assert_eq!(whole(&octets).net, Net::Other(38));
}

#[test]
fn a_packet_without_a_length_ends_with_the_frame_and_begins_behind_the_link_header() {
    let mut octets = frames::QINQ_TCP.to_vec();
    (octets[24], octets[25]) = (0, 0);
    let summary = parse(LinkType::Ethernet, &octets, 2000, None).unwrap();
    assert_eq!(packet(&summary).len, 2000 - 22);
}

#[test]
fn a_frame_said_to_be_shorter_than_what_was_captured_is_as_long_as_that() {
    let octets = frames::TCP_SYN;
    for len in [0, 20, octets.len() as u32 - 1] {
        assert_eq!(parse(LinkType::Ethernet, octets, len, None), Ok(whole(octets)), "{len}");
    }
}

#[test]
fn nothing_at_all_is_ignored_as_empty() {
    assert_eq!(parse(LinkType::Ethernet, &[], 60, None), Err(wire::Ignored::Empty));
}

#[test]
fn a_snapped_frame_says_the_same_as_far_as_it_says_anything() {
    for (name, octets) in frames::ALL {
        let all = whole(octets);
        for len in 0..octets.len() {
            let Ok(cut) = parse(LinkType::Ethernet, &octets[..len], octets.len() as u32, None) else {
                continue;
            };
            assert_eq!((cut.src, cut.dst, cut.vlan, cut.len), (all.src, all.dst, all.vlan, all.len), "{name} {len}");
            let (Net::Ip(cut), Net::Ip(all)) = (cut.net, all.net) else {
                assert_eq!(cut.net, all.net, "{name} {len}");
                continue;
            };
            assert_eq!((cut.src, cut.dst, cut.len), (all.src, all.dst, all.len), "{name} {len}");
            same_transport(name, len, cut.transport, all.transport);
        }
    }
}

/// A cut transport is either not there or differs only in how much of its payload there is.
fn same_transport(name: &str, len: usize, cut: Transport<'_>, all: Transport<'_>) {
    let payload = match (cut, all) {
        (Transport::Cut, _) => return,
        (Transport::Tcp(cut), Transport::Tcp(all)) => {
            assert_eq!(wire::tcp::Segment { payload: all.payload, ..cut }, all, "{name} {len}");
            (cut.payload, all.payload)
        }
        (Transport::Udp(cut), Transport::Udp(all)) => {
            assert_eq!(wire::udp::Datagram { payload: all.payload, ..cut }, all, "{name} {len}");
            (cut.payload, all.payload)
        }
        (Transport::Icmp(cut), Transport::Icmp(all)) => {
            assert_eq!(wire::icmp::Message { payload: all.payload, ..cut }, all, "{name} {len}");
            (cut.payload, all.payload)
        }
        (Transport::Icmp6(cut), Transport::Icmp6(all)) => {
            assert_eq!(wire::icmp6::Message { payload: all.payload, ..cut }, all, "{name} {len}");
            (cut.payload, all.payload)
        }
        other => panic!("{name} {len}: {other:?}"),
    };
    assert!(payload.1.starts_with(payload.0), "{name} {len}");
}

#[test]
fn a_packet_without_a_link_header_says_what_an_ethernet_frame_does() {
    for frame in [frames::DNS, frames::UDP6] {
        let bare = &frame[14..];
        let summary = parse(LinkType::RawIp, bare, bare.len() as u32, None).unwrap();
        assert_eq!((summary.src, summary.net), (MacAddr::ZERO, whole(frame).net));
    }
    assert_eq!(parse(LinkType::RawIp, &[0x50, 0], 2, None).unwrap().net, Net::Other(0));
}
