//! TCP conversations begin, go on without a gap, and end.

use std::collections::BTreeMap;
use std::net::IpAddr;

use wire::tcp::{Flags, Segment};
use wire::{Packet, Transport};

use crate::{one_of_each, packet};

/// What was seen of one TCP conversation: of `orig`, then of `resp`.
#[derive(Default)]
struct Seen {
    next: [Option<u32>; 2],
    fin: [bool; 2],
    reset: bool,
}

impl Seen {
    /// Takes in a segment; `way` is 0 from `orig`.
    fn takes(&mut self, segment: &Segment<'_>, way: usize) {
        let [syn, fin, ack] = [Flags::SYN, Flags::FIN, Flags::ACK].map(|flag| segment.flags.contains(flag));
        let repeated = syn && self.next[way] == Some(segment.seq.wrapping_add(1));
        if let Some(next) = self.next[way].filter(|_| !repeated) {
            // An acknowledgment may be on its way while its sender goes on.
            let late = segment.payload_len == 0 && !fin && next.wrapping_sub(segment.seq) < 1 << 24;
            assert!(segment.seq == next || late, "octets are missing, or told twice");
            assert!(!self.fin[way] || segment.payload_len == 0, "words after the end");
        } else {
            assert!(syn || segment.flags.contains(Flags::RST), "it begins with a handshake");
        }
        assert!(way == 0 || ack, "who is asked acknowledges");
        let numbered = segment.payload_len + u32::from(syn) + u32::from(fin);
        let next = segment.seq.wrapping_add(numbered);
        if numbered > 0 {
            self.next[way] = Some(next);
        }
        self.fin[way] |= fin;
        self.reset |= segment.flags.contains(Flags::RST);
    }
}

#[test]
fn tcp_conversations_are_complete() {
    let (mut whole, mut silent) = (0, 0);
    for scene in one_of_each(12, 1.0) {
        let mut all: BTreeMap<(IpAddr, u16, IpAddr, u16), Seen> = BTreeMap::new();
        for frame in scene.frames {
            let Some(Packet { src, dst, transport: Transport::Tcp(segment), .. }) = packet(&frame) else { continue };
            let (up, down) =
                ((src, segment.src_port, dst, segment.dst_port), (dst, segment.dst_port, src, segment.src_port));
            if all.contains_key(&down) {
                all.get_mut(&down).unwrap().takes(&segment, 1);
                continue;
            }
            let seen = all.entry(up).or_default();
            // A port may come round again.
            if segment.flags.contains(Flags::SYN) && (seen.reset || seen.fin == [true; 2]) {
                *seen = Seen::default();
            }
            seen.takes(&segment, 0);
        }
        for seen in all.values() {
            if seen.next[1].is_none() && !seen.reset {
                silent += 1;
                continue;
            }
            assert!(seen.reset || seen.fin == [true; 2], "a conversation of {} stays open", scene.name);
            whole += 1;
        }
    }
    assert!(whole > 20 * silent && silent > 20, "{whole} whole, {silent} that nobody answered");
}
