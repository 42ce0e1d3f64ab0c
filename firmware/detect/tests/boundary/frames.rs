//! Frames as octets: what a scan, a flood or a log-in looks like on the wire.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use terms::{HostKey, MacAddr};

/// The flags of TCP segments.
pub const FIN: u8 = 0x01;
pub const SYN: u8 = 0x02;
pub const RST: u8 = 0x04;
pub const PSH: u8 = 0x08;
pub const ACK: u8 = 0x10;
pub const URG: u8 = 0x20;

const IPV4: u16 = 0x0800;
const IPV6: u16 = 0x86dd;
const ARP: u16 = 0x0806;

/// One end point with both of its addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    pub mac: MacAddr,
    pub ip: IpAddr,
}

impl End {
    /// As detection knows it.
    pub fn key(self) -> HostKey {
        HostKey::from(self.ip)
    }

    fn v4(self) -> Ipv4Addr {
        match self.ip {
            IpAddr::V4(address) => address,
            IpAddr::V6(_) => panic!("ARP and DHCP are drawn for IPv4 hosts only"),
        }
    }
}

/// An Ethernet frame, padded as a network card pads it.
fn ethernet(src: MacAddr, dst: MacAddr, ethertype: u16, body: &[u8]) -> Vec<u8> {
    let mut frame = [dst.octets(), src.octets()].concat();
    frame.extend(ethertype.to_be_bytes());
    frame.extend(body);
    frame.resize(frame.len().max(60), 0);
    frame
}

/// A packet of either family, to a hardware address of choice.
fn packet(from: End, to: End, protocol: u8, body: &[u8]) -> Vec<u8> {
    match (from.ip, to.ip) {
        (IpAddr::V4(src), IpAddr::V4(dst)) => {
            let mut ip = vec![0x45, 0];
            ip.extend((body.len() as u16 + 20).to_be_bytes());
            ip.extend([0, 0, 0x40, 0, 64, protocol, 0, 0]);
            ip.extend(src.octets());
            ip.extend(dst.octets());
            ip.extend(body);
            ethernet(from.mac, to.mac, IPV4, &ip)
        }
        (IpAddr::V6(src), IpAddr::V6(dst)) => {
            let mut ip = vec![0x60, 0, 0, 0];
            ip.extend((body.len() as u16).to_be_bytes());
            ip.extend([protocol, 64]);
            ip.extend(src.octets());
            ip.extend(dst.octets());
            ip.extend(body);
            ethernet(from.mac, to.mac, IPV6, &ip)
        }
        _ => panic!("both ends speak the same IP"),
    }
}

/// A TCP segment; `ports` are those of `from` and of `to`.
pub fn tcp(from: End, to: End, ports: (u16, u16), flags: u8, seq: u32, payload: &[u8]) -> Vec<u8> {
    let mut segment = [ports.0.to_be_bytes(), ports.1.to_be_bytes()].concat();
    segment.extend(seq.to_be_bytes());
    segment.extend([0, 0, 0, 1, 0x50, flags, 0xfa, 0xf0, 0, 0, 0, 0]);
    segment.extend(payload);
    packet(from, to, 6, &segment)
}

/// A UDP datagram.
pub fn udp(from: End, to: End, ports: (u16, u16), payload: &[u8]) -> Vec<u8> {
    packet(from, to, 17, &datagram(ports, payload))
}

fn datagram(ports: (u16, u16), payload: &[u8]) -> Vec<u8> {
    let mut datagram = [ports.0.to_be_bytes(), ports.1.to_be_bytes()].concat();
    datagram.extend((payload.len() as u16 + 8).to_be_bytes());
    datagram.extend([0, 0]);
    datagram.extend(payload);
    datagram
}

/// An ICMP message of the family of its ends: the type for IPv4 and the one for IPv6.
pub fn icmp(from: End, to: End, kinds: (u8, u8), id: u16, seq: u16, payload: &[u8]) -> Vec<u8> {
    let (protocol, kind) = if from.ip.is_ipv4() { (1, kinds.0) } else { (58, kinds.1) };
    let mut message = vec![kind, 0, 0, 0];
    message.extend(id.to_be_bytes());
    message.extend(seq.to_be_bytes());
    message.extend(payload);
    packet(from, to, protocol, &message)
}

/// An echo request, or its answer.
pub fn echo(from: End, to: End, id: u16, seq: u16) -> Vec<u8> {
    icmp(from, to, (8, 128), id, seq, &[0x61; 40])
}

pub fn echo_reply(from: End, to: End, id: u16, seq: u16) -> Vec<u8> {
    icmp(from, to, (0, 129), id, seq, &[0x61; 40])
}

/// An echo request or its answer, and what it carries.
pub fn echo_with(reply: bool, from: End, to: End, number: (u16, u16), payload: &[u8]) -> Vec<u8> {
    let kinds = if reply { (0, 129) } else { (8, 128) };
    icmp(from, to, kinds, number.0, number.1, payload)
}

/// A packet of any IP protocol.
pub fn of_protocol(from: End, to: End, protocol: u8) -> Vec<u8> {
    packet(from, to, protocol, &[])
}

/// A redirect: `from` tells `to` of another way.
pub fn redirect(from: End, to: End) -> Vec<u8> {
    icmp(from, to, (5, 137), 0, 0, &[0; 48])
}

/// A DHCP client's message of a kind (1 looks for servers, 3 takes an offer), sent from a hardware address in the name of a client.
pub fn dhcp_wanted(from: MacAddr, client: MacAddr, kind: u8) -> Vec<u8> {
    let mut message = vec![0; 236];
    message[..3].copy_from_slice(&[1, 1, 6]);
    message[28..34].copy_from_slice(&client.octets());
    message.extend([99, 130, 83, 99, 53, 1, kind, 255]);
    let nobody = End { mac: from, ip: Ipv4Addr::UNSPECIFIED.into() };
    udp(nobody, End { mac: MacAddr::BROADCAST, ip: Ipv4Addr::BROADCAST.into() }, (68, 67), &message)
}

/// Port unreachable: `from` refuses a frame that it got.
pub fn unreachable(from: End, to: End, refused: &[u8]) -> Vec<u8> {
    let (kinds, code) = ((3, 1), if from.ip.is_ipv4() { 3 } else { 4 });
    let quoted = &refused[14..refused.len().min(14 + 48)];
    let mut frame = icmp(from, to, kinds, 0, 0, quoted);
    let at = if from.ip.is_ipv4() { 14 + 20 + 1 } else { 14 + 40 + 1 };
    frame[at] = code;
    frame
}

/// An ARP packet. `sender` is whom it speaks for, `mac` who sends the frame.
pub fn arp(
    reply: bool,
    mac: MacAddr,
    dst: MacAddr,
    sender: (MacAddr, Ipv4Addr),
    target: (MacAddr, Ipv4Addr),
) -> Vec<u8> {
    let mut body = vec![0, 1, 8, 0, 6, 4, 0, if reply { 2 } else { 1 }];
    body.extend(sender.0.octets());
    body.extend(sender.1.octets());
    body.extend(target.0.octets());
    body.extend(target.1.octets());
    ethernet(mac, dst, ARP, &body)
}

/// Asks all for the owner of an address.
pub fn who_has(from: End, address: IpAddr) -> Vec<u8> {
    let IpAddr::V4(address) = address else { panic!("ARP is for IPv4") };
    arp(false, from.mac, MacAddr::BROADCAST, (from.mac, from.v4()), (MacAddr::ZERO, address))
}

/// Answers such a question.
pub fn is_at(from: End, to: End) -> Vec<u8> {
    arp(true, from.mac, to.mac, (from.mac, from.v4()), (to.mac, to.v4()))
}

/// The group of those that may have an IPv6 address.
fn solicited(address: IpAddr) -> End {
    let IpAddr::V6(address) = address else { panic!("neighbour discovery is for IPv6") };
    let [.., a, b, c] = address.octets();
    let group = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 1, 0xff00 | u16::from(a), u16::from_be_bytes([b, c]));
    End { mac: MacAddr::new([0x33, 0x33, 0xff, a, b, c]), ip: group.into() }
}

fn neighbor(kind: u8, flags: u16, from: End, to: End, target: IpAddr) -> Vec<u8> {
    let IpAddr::V6(target) = target else { panic!("neighbour discovery is for IPv6") };
    let mut body = target.octets().to_vec();
    body.extend([if kind == 135 { 1 } else { 2 }, 1]);
    body.extend(from.mac.octets());
    icmp(from, to, (0, kind), flags, 0, &body)
}

/// Asks for an IPv6 neighbour.
pub fn solicitation(from: End, target: IpAddr) -> Vec<u8> {
    neighbor(135, 0, from, solicited(target), target)
}

/// Says that an IPv6 address is one's own, and that what was known of it no longer holds.
pub fn neighbor_is_at(from: End, to: End, target: IpAddr) -> Vec<u8> {
    neighbor(136, 0x6000, from, to, target)
}

/// A DNS query for a name.
pub fn query(from: End, to: End, port: u16, id: u16, name: &str, qtype: u16) -> Vec<u8> {
    let mut message = id.to_be_bytes().to_vec();
    message.extend([1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    for label in name.split('.') {
        message.push(label.len() as u8);
        message.extend(label.as_bytes());
    }
    message.push(0);
    message.extend(qtype.to_be_bytes());
    message.extend([0, 1]);
    udp(from, to, (port, 53), &message)
}

/// The answer to such a query: no records, and the code given.
pub fn answer(query: &[u8], from: End, to: End, port: u16, code: u8) -> Vec<u8> {
    let start = if from.ip.is_ipv4() { 14 + 20 + 8 } else { 14 + 40 + 8 };
    let mut message = query[start..].to_vec();
    message[2] |= 0x80;
    message[3] = code;
    udp(from, to, (53, port), &message)
}

/// The answer to such a query: the one address asked for.
pub fn answer_with(query: &[u8], from: End, to: End, port: u16, address: impl Into<IpAddr>) -> Vec<u8> {
    let start = if from.ip.is_ipv4() { 14 + 20 + 8 } else { 14 + 40 + 8 };
    let mut message = query[start..].to_vec();
    (message[2], message[7]) = (0x81, 1);
    let (kind, octets) = match address.into() {
        IpAddr::V4(address) => (1, address.octets().to_vec()),
        IpAddr::V6(address) => (28, address.octets().to_vec()),
    };
    message.extend([0xc0, 12, 0, kind, 0, 1, 0, 0, 1, 44, 0, octets.len() as u8]);
    message.extend(octets);
    udp(from, to, (53, port), &message)
}

/// A DHCP server's message of a kind (2 offers, 5 grants) to a client.
pub fn dhcp(from: End, client: MacAddr, given: Ipv4Addr, kind: u8) -> Vec<u8> {
    let mut message = vec![0; 236];
    message[..3].copy_from_slice(&[2, 1, 6]);
    message[16..20].copy_from_slice(&given.octets());
    message[28..34].copy_from_slice(&client.octets());
    message.extend([99, 130, 83, 99, 53, 1, kind, 54, 4]);
    message.extend(from.v4().octets());
    message.extend([3, 4]);
    message.extend(from.v4().octets());
    message.push(255);
    udp(from, End { mac: MacAddr::BROADCAST, ip: Ipv4Addr::BROADCAST.into() }, (67, 68), &message)
}

/// A router advertisement.
pub fn advertisement(from: End) -> Vec<u8> {
    let all =
        End { mac: MacAddr::new([0x33, 0x33, 0, 0, 0, 1]), ip: Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1).into() };
    icmp(from, all, (0, 134), 0x4000, 1800, &[0; 8])
}
