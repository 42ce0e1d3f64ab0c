//! One frame of each kind; before each the octet that says how it is read.

use super::payloads;

const DST: [u8; 6] = [2, 0, 0, 0, 0, 1];
const SRC: [u8; 6] = [2, 0, 0, 0, 0, 9];

/// Every frame, plain, once with two tags and once in the cooked header.
pub fn all() -> Vec<Vec<u8>> {
    let mut frames = Vec::new();
    for (ethertype, packet) in packets() {
        frames.push([&[0][..], &ethernet(ethertype, &packet)].concat());
        frames.push([&[0][..], &ethernet(0x88a8, &tagged(0x8100, &tagged(ethertype, &packet)))].concat());
        frames.push([&[1][..], &cooked(ethertype, &packet)].concat());
        frames.push([&[0x46][..], &ethernet(ethertype, &packet)].concat());
    }
    frames
}

/// The plain Ethernet frames.
pub fn plain() -> Vec<Vec<u8>> {
    packets().iter().map(|(ethertype, packet)| ethernet(*ethertype, packet)).collect()
}

/// The same in the Linux cooked header.
pub fn cooked_all() -> Vec<Vec<u8>> {
    packets().iter().map(|(ethertype, packet)| cooked(*ethertype, packet)).collect()
}

fn packets() -> Vec<(u16, Vec<u8>)> {
    let mut packets = vec![(0x0806, arp()), (0x88cc, lldp())];
    let carried = |port: u16, payloads: Vec<Vec<u8>>| payloads.into_iter().map(move |payload| (port, payload));
    for (port, payload) in carried(53, payloads::dns()).chain(carried(67, payloads::dhcp())) {
        let datagram = udp(port, &payload);
        packets.push((0x0800, ipv4(17, &datagram)));
        packets.push((0x86dd, ipv6(17, &datagram)));
    }
    for (port, payload) in carried(443, payloads::tls()).chain(carried(21, payloads::login())) {
        packets.push((0x0800, ipv4(6, &tcp(port, 0x18, &payload))));
    }
    packets.push((0x86dd, ipv6(6, &tcp(80, 0x02, &[]))));
    // An echo request, and port unreachable with the packet that it is about.
    packets.push((0x0800, ipv4(1, &[8, 0, 0, 0, 0, 1, 0, 2, 9, 9])));
    packets.push((0x0800, ipv4(1, &[&[3, 3, 0, 0, 0, 0, 0, 0][..], &ipv4(17, &udp(53, &[1, 2]))].concat())));
    // Neighbour solicitation and advertisement with the link-layer option, router advertisement, an error.
    let target = [&[0xfe, 0x80][..], &[0; 13], &[7]].concat();
    for (kind, flags, option) in [(135, 0, 1), (136, 0x60, 2)] {
        let message = [&[kind, 0, 0, 0, flags, 0, 0, 0][..], &target, &[option, 1], &SRC].concat();
        packets.push((0x86dd, ipv6(58, &message)));
    }
    packets.push((0x86dd, ipv6(58, &[134, 0, 0, 0, 64, 0, 7, 8, 0, 0, 0, 0, 0, 0, 0, 0])));
    packets.push((0x86dd, ipv6(58, &[&[1, 4, 0, 0, 0, 0, 0, 0][..], &ipv6(17, &udp(53, &[1]))].concat())));
    // Hop-by-hop options, routing and a fragment before UDP.
    let extended =
        [&[43, 0, 1, 4, 0, 0, 0, 0][..], &[44, 0, 0, 0, 0, 0, 0, 0], &[17, 0, 0, 1, 0, 0, 0, 7], &udp(53, &[1])]
            .concat();
    packets.push((0x86dd, ipv6(0, &extended)));
    // A later fragment, and a protocol that is not read.
    let mut later = ipv4(17, &[0; 16]);
    later[7] = 9;
    packets.push((0x0800, later));
    packets.push((0x0800, ipv4(47, &[0; 8])));
    packets
}

fn ethernet(ethertype: u16, payload: &[u8]) -> Vec<u8> {
    [&DST[..], &SRC, &ethertype.to_be_bytes(), payload].concat()
}

fn tagged(ethertype: u16, payload: &[u8]) -> Vec<u8> {
    [&[0x20, 0x64][..], &ethertype.to_be_bytes(), payload].concat()
}

fn cooked(ethertype: u16, payload: &[u8]) -> Vec<u8> {
    [&[0, 0, 0, 1, 0, 6][..], &SRC, &[0, 0], &ethertype.to_be_bytes(), payload].concat()
}

fn lldp() -> Vec<u8> {
    let tlv = |kind: u16, value: &[u8]| [&(kind << 9 | value.len() as u16).to_be_bytes()[..], value].concat();
    let parts = [
        tlv(1, &[4, 2, 0, 0, 0, 0, 9]),
        tlv(5, b"lamp"),
        tlv(6, b"a lamp"),
        tlv(7, &[0, 0x30, 0, 0x20]),
        tlv(127, b"\0\0\x5e\x01https://example.com/mud"),
        tlv(0, &[]),
    ];
    parts.concat()
}

fn arp() -> Vec<u8> {
    [&[0, 1, 8, 0, 6, 4, 0, 1][..], &SRC, &[10, 0, 0, 9], &[0; 6], &[10, 0, 0, 1]].concat()
}

fn ipv4(protocol: u8, payload: &[u8]) -> Vec<u8> {
    let [high, low] = (20 + payload.len() as u16).to_be_bytes();
    [&[0x45, 0, high, low, 0, 1, 0, 0, 64, protocol, 0, 0, 10, 0, 0, 9, 10, 0, 0, 1][..], payload].concat()
}

fn ipv6(next: u8, payload: &[u8]) -> Vec<u8> {
    let [high, low] = (payload.len() as u16).to_be_bytes();
    let address = |last| [&[0xfe, 0x80][..], &[0; 13], &[last]].concat();
    [&[0x60, 0, 0, 0, high, low, next, 255][..], &address(9), &address(1), payload].concat()
}

fn udp(port: u16, payload: &[u8]) -> Vec<u8> {
    let len = 8 + payload.len() as u16;
    [&40_000_u16.to_be_bytes()[..], &port.to_be_bytes(), &len.to_be_bytes(), &[0, 0], payload].concat()
}

fn tcp(port: u16, flags: u8, payload: &[u8]) -> Vec<u8> {
    // Five words and one of options: the largest segment.
    let rest = [0, 0, 0, 1, 0, 0, 0, 2, 0x60, flags, 1, 0, 0, 0, 0, 0, 2, 4, 5, 0xb4];
    [&40_000_u16.to_be_bytes()[..], &port.to_be_bytes(), &rest, payload].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use wire::{LinkType, Net, Transport};

    #[test]
    fn every_frame_is_read_to_its_end() {
        for (link, frames) in [(LinkType::Ethernet, plain()), (LinkType::LinuxCooked, cooked_all())] {
            for frame in frames {
                let summary = wire::parse(link, &frame, frame.len() as u32, None).expect("a good frame");
                let is_cut = matches!(summary.net, Net::Ip(packet) if matches!(packet.transport, Transport::Cut));
                assert!(!is_cut, "{frame:02x?}");
            }
        }
    }
}
