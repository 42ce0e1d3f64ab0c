//! Whole frames, one for each protocol that is read.

/// An ARP request, padded to the least length of Ethernet.
pub const ARP: &[u8] = b"\xff\xff\xff\xff\xff\xff\x02\0\0\0\0\x09\x08\x06\0\x01\x08\0\x06\x04\0\x01\
    \x02\0\0\0\0\x09\xc0\xa8\x07\x09\0\0\0\0\0\0\xc0\xa8\x07\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";

/// A TCP SYN with options over IPv4.
pub const TCP_SYN: &[u8] = b"\x02\0\0\0\0\x01\x02\0\0\0\0\x09\x08\0\
    \x45\0\0\x2c\0\x01\x40\0\x40\x06\0\0\xc0\xa8\x07\x09\xc0\xa8\x07\x01\
    \x9c\x40\0\x16\0\0\0\x01\0\0\0\0\x60\x02\xfa\xf0\0\0\0\0\x02\x04\x05\xb4";

/// A TCP segment of five octets over IPv4, padded, behind a service and a customer tag.
pub const QINQ_TCP: &[u8] = b"\x02\0\0\0\0\x01\x02\0\0\0\0\x09\x88\xa8\0\x64\x81\0\0\x07\x08\0\
    \x45\0\0\x2d\0\x01\x40\0\x40\x06\0\0\xc0\xa8\x07\x09\xc0\xa8\x07\x01\
    \x9c\x40\0\x17\0\0\0\x01\0\0\0\x02\x50\x18\xfa\xf0\0\0\0\0root\x0a\0\0\0";

/// A DNS question over UDP and IPv4.
pub const DNS: &[u8] = b"\x02\0\0\0\0\x01\x02\0\0\0\0\x09\x08\0\
    \x45\0\0\x39\0\x01\0\0\x40\x11\0\0\xc0\xa8\x07\x09\xc0\xa8\x07\x01\
    \xc0\x00\0\x35\0\x25\0\0\
    \x12\x34\x01\0\0\x01\0\0\0\0\0\0\x07example\x03org\0\0\x01\0\x01";

/// An ICMP echo request of four octets.
pub const ICMP: &[u8] = b"\x02\0\0\0\0\x01\x02\0\0\0\0\x09\x08\0\
    \x45\0\0\x20\0\x01\0\0\x40\x01\0\0\xc0\xa8\x07\x09\xc0\xa8\x07\x01\
    \x08\0\0\0\0\x07\0\x09ping";

/// A neighbour solicitation.
pub const NEIGHBOR: &[u8] = b"\x33\x33\xff\0\0\x01\x02\0\0\0\0\x09\x86\xdd\
    \x60\0\0\0\0\x20\x3a\xff\xfe\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\x09\xff\x02\0\0\0\0\0\0\0\0\0\x01\xff\0\0\x01\
    \x87\0\0\0\0\0\0\0\xfe\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x01\x01\x02\0\0\0\0\x09";

/// A UDP datagram over IPv6 behind a hop-by-hop header.
pub const UDP6: &[u8] = b"\x02\0\0\0\0\x01\x02\0\0\0\0\x09\x86\xdd\
    \x60\0\0\0\0\x13\0\xff\xfe\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\x09\xfe\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\
    \x11\0\0\0\0\0\0\0\x13\x88\x13\x89\0\x0b\0\0abc";

/// Every frame above, with its name.
pub const ALL: &[(&str, &[u8])] = &[
    ("arp", ARP),
    ("tcp syn", TCP_SYN),
    ("qinq tcp", QINQ_TCP),
    ("dns", DNS),
    ("icmp", ICMP),
    ("neighbor", NEIGHBOR),
    ("udp6", UDP6),
];
