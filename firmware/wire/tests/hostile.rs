//! Octets from an attacker: no reader panics, loops, or tells of more than there was.

mod frames;

use proptest::prelude::*;
use wire::{LinkType, Net, Transport, dhcp, dhcp6, dns, ja4, login, parse, ssdp, tls};

/// Reads a frame in every way there is and checks the lengths that are told.
fn read_all(octets: &[u8], len: u32, vlan: Option<u16>) {
    for link in [LinkType::Ethernet, LinkType::LinuxCooked, LinkType::RawIp] {
        let Ok(summary) = parse(link, octets, len, vlan) else {
            continue;
        };
        assert!(summary.vlan.is_none_or(|id| (1..4096).contains(&id)));
        let on_wire = len.max(octets.len() as u32);
        let tag = if vlan.is_some() { 4 } else { 0 };
        assert_eq!(summary.len, on_wire.saturating_add(tag));
        if let Net::Lldp(message) = summary.net {
            let _ = message.read();
        }
        let Net::Ip(packet) = summary.net else {
            continue;
        };
        assert!(packet.len <= on_wire, "{packet:?}");
        let (told, payload) = match packet.transport {
            Transport::Tcp(segment) => (segment.payload_len, segment.payload),
            Transport::Udp(datagram) => (datagram.payload_len, datagram.payload),
            Transport::Icmp(message) => {
                let _ = message.inner();
                (message.payload_len, message.payload)
            }
            Transport::Icmp6(message) => {
                let _ = (message.inner(), message.neighbor());
                (message.payload_len, message.payload)
            }
            _ => continue,
        };
        assert!(payload.len() as u32 <= told && told < packet.len, "{packet:?}");
        read_payload(payload);
    }
}

/// Reads a payload in every way there is.
fn read_payload(payload: &[u8]) {
    if let Some(message) = dns::Message::parse(payload) {
        let name = message.question().map_or(0, |question| question.name.as_str().len());
        assert!(name <= 253);
        // A record takes eleven octets at least, so there cannot be more of them than that.
        assert!(message.answers().count() <= payload.len() / 11);
        for record in message.records() {
            assert!(record.target().is_none_or(|name| name.as_str().len() <= 253));
            assert!(record.texts().count() <= payload.len());
        }
    }
    let _ = dhcp::Message::parse(payload).map(|message| message.fqdn());
    let _ = dhcp6::Message::parse(payload).map(|message| message.fqdn());
    let _ = ssdp::Message::parse(payload).map(|message| message.device_type());
    let _ = tls::client_hello(payload);
    let _ = ja4::Ja4::of_hello(payload);
    let _ = (login::ssh_banner(payload), login::basic_credentials(payload));
    for port in [21, 23, 25, 80, 110, 143] {
        let _ = login::outcome(port, payload);
    }
}

/// A known frame with a few octets changed, cut somewhere.
fn damaged() -> impl Strategy<Value = Vec<u8>> {
    let changes = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6);
    (0..frames::ALL.len(), changes, any::<prop::sample::Index>(), any::<bool>()).prop_map(
        |(which, changes, end, cut)| {
            let mut octets = frames::ALL[which].1.to_vec();
            for (place, value) in changes {
                let place = place.index(octets.len());
                octets[place] = value;
            }
            if cut {
                octets.truncate(end.index(octets.len()));
            }
            octets
        },
    )
}

/// DNS made of labels, pointers and numbers rather than of noise, so that names are followed far.
fn dns_like() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        (0u8..64).prop_map(|target| vec![0xc0, target]),
        prop::collection::vec(any::<u8>(), 1..5).prop_map(|label| [&[label.len() as u8], &label[..]].concat()),
        Just(vec![0]),
        Just(vec![0, 1, 0, 1]),
        Just(vec![0, 1, 0, 1, 0, 0, 0, 9, 0, 4, 1, 2, 3, 4]),
    ];
    let counts = (0u8..4, 0u8..200);
    (counts, prop::collection::vec(piece, 0..40)).prop_map(|((questions, answers), pieces)| {
        let mut message = vec![0, 1, 0x81, 0x80, 0, questions, 0, answers, 0, 0, 0, 0];
        message.extend(pieces.concat());
        message
    })
}

/// A message whose fixed part is right, with any options.
fn dhcp_like() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..300).prop_map(|options| {
        let mut message = vec![0; 236];
        message[..3].copy_from_slice(&[1, 1, 6]);
        message.extend([99, 130, 83, 99]);
        message.extend(options);
        message
    })
}

/// A record that begins as a ClientHello does.
fn hello_like() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(0u8..24, 0..300).prop_map(|rest| [&[22, 3, 1, 1, 0, 1, 0, 0, 250], &rest[..]].concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4096, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn noise_is_survived(octets in prop::collection::vec(any::<u8>(), 0..200), len in prop_oneof![0u32..300, any::<u32>()], vlan in any::<Option<u16>>()) {
        read_all(&octets, len, vlan);
        read_payload(&octets);
    }

    #[test]
    fn damaged_frames_are_survived(octets in damaged(), more in 0u32..2000) {
        read_all(&octets, octets.len() as u32 + more, None);
    }

    #[test]
    fn names_that_point_anywhere_end(message in dns_like()) {
        read_payload(&message);
    }

    #[test]
    fn options_and_extensions_of_any_length_end(dhcp in dhcp_like(), hello in hello_like()) {
        prop_assert!(dhcp::Message::parse(&dhcp).is_some());
        read_payload(&hello);
    }
}
