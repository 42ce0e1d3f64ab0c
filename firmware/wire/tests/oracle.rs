//! The same frames read by two independent parsers: etherparse as it stands, and the views of pnet where it gives the lengths.

mod frames;

use etherparse::{EtherType, NetSlice, PacketBuilder, SlicedPacket, TransportSlice};
use pnet_packet::Packet as _;
use pnet_packet::ethernet::EthernetPacket;
use pnet_packet::ipv4::Ipv4Packet;
use pnet_packet::tcp::TcpPacket;
use pnet_packet::udp::UdpPacket;
use proptest::prelude::*;
use wire::{LinkType, Net, Transport, parse};

/// What both sides must agree on.
#[derive(Debug, PartialEq, Eq)]
struct Read {
    addresses: (String, String),
    vlan: Option<u16>,
    ports: Option<(u16, u16)>,
    numbers: Option<(u32, u32, u8, u16)>,
    payload: Vec<u8>,
}

fn ours(octets: &[u8]) -> Read {
    let summary = parse(LinkType::Ethernet, octets, octets.len() as u32, None).expect("read by the oracle");
    let Net::Ip(packet) = summary.net else { panic!("no packet: {summary:?}") };
    let (ports, numbers, payload) = match packet.transport {
        Transport::Tcp(s) => {
            (Some((s.src_port, s.dst_port)), Some((s.seq, s.ack, s.flags.bits(), s.window)), s.payload)
        }
        Transport::Udp(d) => (Some((d.src_port, d.dst_port)), None, d.payload),
        Transport::Icmp(m) => (None, None, m.payload),
        Transport::Icmp6(m) => (None, None, m.payload),
        other => panic!("no transport: {other:?}"),
    };
    let addresses = (packet.src.to_string(), packet.dst.to_string());
    Read { addresses, vlan: summary.vlan, ports, numbers, payload: payload.to_vec() }
}

fn etherparse(octets: &[u8]) -> Read {
    let sliced = SlicedPacket::from_ethernet(octets).expect("a frame built by etherparse");
    let addresses = match sliced.net.as_ref().expect("a packet") {
        NetSlice::Ipv4(ip) => (ip.header().source_addr().to_string(), ip.header().destination_addr().to_string()),
        NetSlice::Ipv6(ip) => (ip.header().source_addr().to_string(), ip.header().destination_addr().to_string()),
        other => panic!("not IP: {other:?}"),
    };
    let vlan = sliced.vlan_ids().iter().map(|id| id.value()).find(|id| *id != 0);
    let (ports, numbers, payload) = match sliced.transport.as_ref().expect("a transport") {
        TransportSlice::Tcp(t) => {
            let header = t.to_header();
            let numbers = (header.sequence_number, header.acknowledgment_number, t.slice()[13], header.window_size);
            (Some((t.source_port(), t.destination_port())), Some(numbers), t.payload())
        }
        TransportSlice::Udp(u) => (Some((u.source_port(), u.destination_port())), None, u.payload()),
        TransportSlice::Icmpv4(m) => (None, None, m.payload()),
        TransportSlice::Icmpv6(m) => (None, None, m.payload()),
        TransportSlice::Igmp(other) => panic!("not made here: {other:?}"),
    };
    Read { addresses, vlan, ports, numbers, payload: payload.to_vec() }
}

/// The views of pnet check no lengths, so the lengths are theirs to tell and ours to cut by.
fn pnet(octets: &[u8]) -> Option<Read> {
    let frame = EthernetPacket::new(octets)?;
    if frame.get_ethertype().0 != EtherType::IPV4.0 {
        return None;
    }
    let ip = Ipv4Packet::new(frame.payload())?;
    let body = &frame.payload()[usize::from(ip.get_header_length()) * 4..usize::from(ip.get_total_length())];
    let (ports, numbers, payload) = match ip.get_next_level_protocol().0 {
        6 => {
            let t = TcpPacket::new(body)?;
            let numbers = (t.get_sequence(), t.get_acknowledgement(), t.get_flags(), t.get_window());
            (Some((t.get_source(), t.get_destination())), Some(numbers), t.payload().to_vec())
        }
        17 => {
            let u = UdpPacket::new(body)?;
            (Some((u.get_source(), u.get_destination())), None, u.payload().to_vec())
        }
        _ => return None,
    };
    let addresses = (ip.get_source().to_string(), ip.get_destination().to_string());
    Some(Read { addresses, vlan: None, ports, numbers, payload })
}

fn frame() -> impl Strategy<Value = Vec<u8>> {
    let link = (any::<[u8; 6]>(), any::<[u8; 6]>(), prop::option::of(0u16..4096), any::<bool>());
    let body = (0u8..4, any::<(u16, u16)>(), any::<(u32, u32, u16)>(), prop::collection::vec(any::<u8>(), 0..64));
    (link, any::<([u8; 16], [u8; 16])>(), any::<bool>(), body, 0usize..20).prop_map(
        |((src, dst, vlan, double), (from, to), v6, (kind, ports, (seq, ack, window), payload), padding)| {
            let link = PacketBuilder::ethernet2(src, dst);
            let vlan = vlan.map(|id| etherparse::VlanId::try_new(id).expect("twelve bits"));
            let ip = match (v6, from, to) {
                (true, from, to) => etherparse::IpHeaders::Ipv6(
                    etherparse::Ipv6Header { source: from, destination: to, hop_limit: 64, ..Default::default() },
                    Default::default(),
                ),
                (false, [a, b, c, d, ..], [e, f, g, h, ..]) => etherparse::IpHeaders::Ipv4(
                    etherparse::Ipv4Header {
                        source: [a, b, c, d],
                        destination: [e, f, g, h],
                        time_to_live: 64,
                        ..Default::default()
                    },
                    Default::default(),
                ),
            };
            let step = match (vlan, double) {
                (Some(id), true) => link.double_vlan(id, etherparse::VlanId::try_new(7).expect("twelve bits")).ip(ip),
                (Some(id), false) => link.single_vlan(id).ip(ip),
                (None, _) => link.ip(ip),
            };
            let mut octets = Vec::new();
            let written = match kind {
                0 => step.tcp(ports.0, ports.1, seq, window).ack(ack).psh().write(&mut octets, &payload),
                1 => step.udp(ports.0, ports.1).write(&mut octets, &payload),
                2 if v6 => step.icmpv6_echo_request(ports.0, ports.1).write(&mut octets, &payload),
                2 => step.icmpv4_echo_request(ports.0, ports.1).write(&mut octets, &payload),
                _ => step
                    .tcp(ports.0, ports.1, seq, window)
                    .syn()
                    .options_raw(&[2, 4, 5, 180])
                    .expect("four octets")
                    .write(&mut octets, &payload),
            };
            written.expect("a vector takes everything");
            octets.extend(std::iter::repeat_n(0, padding));
            octets
        },
    )
}

#[test]
fn the_fixtures_are_read_as_others_read_them() {
    for (name, octets) in frames::ALL {
        if *name == "arp" {
            continue;
        }
        assert_eq!(ours(octets), etherparse(octets), "{name}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4096, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn generated_frames_are_read_as_others_read_them(octets in frame()) {
        let ours = ours(&octets);
        prop_assert_eq!(&ours, &etherparse(&octets));
        if let Some(pnet) = pnet(&octets) {
            prop_assert_eq!(ours, pnet);
        }
    }
}
