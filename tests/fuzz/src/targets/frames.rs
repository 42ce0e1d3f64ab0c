//! Frames of every link type, with and without a tag taken off, as long on the wire as they were captured or longer.

use wire::{LinkType, Net, Summary, Transport};

use super::{kind, size};

/// The first octet says how the rest is read.
pub fn run(input: &[u8]) -> u64 {
    let Some((how, octets)) = input.split_first() else { return 0 };
    let link = match (how & 1, how & 0xc0) {
        (0, _) => LinkType::Ethernet,
        (_, 0xc0) => LinkType::RawIp,
        _ => LinkType::LinuxCooked,
    };
    let vlan = (how & 2 == 2).then(|| u16::from(how >> 2) << 6);
    let len = octets.len() as u32 + u32::from(how >> 4) * 100;
    match wire::parse(link, octets, len, vlan) {
        // The tag that was taken off was on the wire too.
        Ok(summary) => read(octets, len + if vlan.is_some() { 4 } else { 0 }, &summary),
        Err(reason) => {
            assert!(!reason.as_str().is_empty());
            kind(("ignored", link.to_pcap(), reason))
        }
    }
}

fn read(octets: &[u8], len: u32, summary: &Summary<'_>) -> u64 {
    assert!(summary.len == len && summary.vlan != Some(0));
    let tagged = summary.vlan.is_some();
    match summary.net {
        Net::Lldp(message) => {
            let told = message.read();
            let parts =
                [told.system_name, told.description, told.mud_url].map(|part| part.map(|part| size(part.len())));
            kind(("lldp", tagged, told.chassis.is_some(), told.capabilities, parts))
        }
        Net::Other(ethertype) => kind((tagged, size(ethertype.into()))),
        Net::Arp(packet) => kind(("arp", tagged, packet.is_announcement(), std::mem::discriminant(&packet.operation))),
        Net::Ip(packet) => {
            assert!(packet.src.is_ipv4() == packet.dst.is_ipv4());
            let (transport, payload, payload_len) = transport(&packet.transport);
            assert!(payload.len() as u64 <= u64::from(payload_len), "more payload than the packet has");
            let (whole, part) = (octets.as_ptr_range(), payload.as_ptr_range());
            assert!(
                payload.is_empty() || (whole.start <= part.start && part.end <= whole.end),
                "payload from elsewhere"
            );
            kind((tagged, packet.src.is_ipv4(), packet.fragment, packet.protocol, transport, size(payload.len())))
        }
    }
}

/// A kind, the payload and its length on the wire.
fn transport<'a>(transport: &Transport<'a>) -> (u64, &'a [u8], u32) {
    match transport {
        Transport::Tcp(segment) => (kind((1, segment.flags.bits())), segment.payload, segment.payload_len),
        Transport::Udp(datagram) => (2, datagram.payload, datagram.payload_len),
        Transport::Icmp(message) => {
            let inner = message.inner().map(|inner| (inner.protocol, inner.src_port != 0, inner.dst_port != 0));
            (kind((3, message.kind, message.is_error(), inner)), message.payload, message.payload_len)
        }
        Transport::Icmp6(message) => {
            let neighbor = message.neighbor().map(|n| (n.lladdr.is_some(), n.solicited, n.override_));
            let inner = message.inner().map(|inner| (inner.protocol, inner.src_port != 0));
            (kind((4, message.kind, inner, neighbor)), message.payload, message.payload_len)
        }
        Transport::LaterFragment => (5, &[], 0),
        Transport::Cut => (6, &[], 0),
        Transport::Other(protocol) => (kind((7, protocol)), &[], 0),
    }
}
