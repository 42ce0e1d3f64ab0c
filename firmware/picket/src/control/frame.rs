//! An evidence frame in words: who sent what to whom.

use std::net::{IpAddr, SocketAddr};

use store::EvidenceFrame;
use wire::tcp::Flags;
use wire::{LinkType, Net, Packet, Summary, Transport};

use super::views::FrameView;

/// The flags of a TCP header by their usual names.
const FLAGS: [(Flags, &str); 6] = [
    (Flags::SYN, "SYN"),
    (Flags::ACK, "ACK"),
    (Flags::FIN, "FIN"),
    (Flags::RST, "RST"),
    (Flags::PSH, "PSH"),
    (Flags::URG, "URG"),
];

/// The frame as it is shown.
pub fn frame_view(frame: &EvidenceFrame) -> FrameView {
    let read = wire::parse(LinkType::Ethernet, &frame.octets, frame.len, None);
    let (source, destination, protocol) = read.as_ref().map_or_else(
        |reason| (String::new(), String::new(), reason.as_str().to_owned()),
        |summary| (ends(summary).0, ends(summary).1, protocol(summary)),
    );
    FrameView {
        at: frame.at.as_secs_f64(),
        len: frame.len,
        source,
        destination,
        protocol,
        octets: frame.octets.iter().map(|octet| format!("{octet:02x}")).collect(),
    }
}

/// Both ends: addresses with their ports, where there are any.
fn ends(summary: &Summary<'_>) -> (String, String) {
    let Net::Ip(packet) = summary.net else { return (summary.src.to_string(), summary.dst.to_string()) };
    let end = |address: IpAddr, port: Option<u16>| match port {
        Some(port) => SocketAddr::new(address, port).to_string(),
        None => address.to_string(),
    };
    let (from, to) = match packet.transport {
        Transport::Tcp(segment) => (Some(segment.src_port), Some(segment.dst_port)),
        Transport::Udp(datagram) => (Some(datagram.src_port), Some(datagram.dst_port)),
        _ => (None, None),
    };
    (end(packet.src, from), end(packet.dst, to))
}

fn protocol(summary: &Summary<'_>) -> String {
    match summary.net {
        Net::Arp(arp) => format!("ARP {:?} {} for {}", arp.operation, arp.sender, arp.target).to_lowercase(),
        Net::Ip(packet) => transport(&packet),
        Net::Lldp(_) => "LLDP".into(),
        Net::Other(ethertype) => format!("ethertype {ethertype:#06x}"),
    }
}

fn transport(packet: &Packet<'_>) -> String {
    match packet.transport {
        Transport::Tcp(segment) => {
            let set: Vec<&str> = FLAGS.iter().filter(|(flag, _)| segment.flags.contains(*flag)).map(|f| f.1).collect();
            format!("TCP {}", if set.is_empty() { "no flags".to_owned() } else { set.join(",") })
        }
        Transport::Udp(_) => "UDP".into(),
        Transport::Icmp(message) => format!("ICMP type {} code {}", message.kind, message.code),
        Transport::Icmp6(message) => format!("ICMPv6 type {} code {}", message.kind, message.code),
        Transport::LaterFragment => format!("fragment of protocol {}", packet.protocol),
        Transport::Cut => format!("protocol {}, cut", packet.protocol),
        Transport::Other(number) => format!("protocol {number}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use terms::Timestamp;

    fn view(octets: &[u8]) -> FrameView {
        frame_view(&EvidenceFrame { at: Timestamp::from_secs(1), len: 60, octets: octets.to_vec() })
    }

    #[test]
    fn a_segment_is_told_by_its_ends_and_flags() {
        let mut octets = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45, 0, 0, 40, 0, 0, 0, 0, 64, 6, 0, 0];
        octets.extend([
            192, 0, 2, 7, 198, 51, 100, 1, 0x9c, 0x40, 0, 22, 0, 0, 0, 0, 0, 0, 0, 0, 0x50, 0x12, 0, 0, 0, 0, 0, 0,
        ]);
        let view = view(&octets);
        assert_eq!((view.source.as_str(), view.destination.as_str()), ("192.0.2.7:40000", "198.51.100.1:22"));
        assert_eq!(view.protocol, "TCP SYN,ACK");
    }

    #[test]
    fn a_frame_that_cannot_be_read_says_why() {
        assert_eq!(view(&[2, 0, 0]).protocol, "ethernet_cut");
    }
}
