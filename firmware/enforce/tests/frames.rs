//! Real frames through a real bridge: what is blocked is dropped and counted, what may never be blocked passes.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod namespace;

use std::net::IpAddr;

use enforce::Enforcer;
use namespace::wire::{Carries, End, bridge, frame, keep_order};
use namespace::{alone, mac, ruleset, secs};
use policy::{BlockTarget, NeverBlock, Ruleset};

use terms::{MacAddr, Side, Span, Timestamp};

const MACS: [&str; 3] = ["02:5a:10:00:00:01", "02:5a:10:00:00:02", "02:5a:10:00:00:03"];
const ADDRESSES: [&str; 6] = ["192.168.7.1", "192.168.7.2", "192.168.7.3", "fd00::1", "fd00::2", "fd00::3"];
/// The source of the frame after the last, which nothing ever blocks.
const MARKER: &str = "02:5a:10:00:00:ff";

/// xorshift64*: the same numbers from the same seed everywhere.
struct Random(u64);

impl Random {
    fn one_in(&mut self, n: u64) -> bool {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33).is_multiple_of(n)
    }
}

/// What the ruleset is meant to do with a frame, in words of the policy rather than of the kernel.
fn passes(ruleset: &Ruleset, blocks: &[BlockTarget], side: Side, src: MacAddr, carries: Carries) -> bool {
    let address = match carries {
        Carries::Packet(a) | Carries::Tagged(a) => Some(a),
        Carries::Arp(_) => None,
    };
    let never = |it: NeverBlock| ruleset.never_block.contains(&it);
    let never_address = address.is_some_and(|a| never(NeverBlock::Address(a)));
    let never_mac = side == Side::Lan && never(NeverBlock::Mac(src));
    let is_cut = |target: &BlockTarget| match (side, *target) {
        (Side::Lan, BlockTarget::Mac(mac)) => mac == src && !never_mac,
        (Side::Lan, BlockTarget::MacAndAddress(mac, a)) => {
            mac == src && address == Some(a) && !never_mac && !never_address
        }
        (Side::Uplink, BlockTarget::Address(a)) | (_, BlockTarget::Anywhere(a)) => address == Some(a) && !never_address,
        _ => false,
    };
    !blocks.iter().any(is_cut)
}

fn every_frame() -> Vec<(Side, MacAddr, Carries)> {
    let mut all = Vec::new();
    for side in [Side::Lan, Side::Uplink] {
        for src in MACS.map(mac) {
            for address in ADDRESSES.map(|a| a.parse::<IpAddr>().unwrap()) {
                all.push((side, src, Carries::Packet(address)));
                all.push((side, src, Carries::Tagged(address)));
                if address.is_ipv4() {
                    all.push((side, src, Carries::Arp(address)));
                }
            }
        }
    }
    all
}

/// Draws who may never be blocked and who is blocked.
fn draw(random: &mut Random) -> (Ruleset, Vec<BlockTarget>) {
    let mut drawn = ruleset(&[]);
    let mut blocks = Vec::new();
    for address in ADDRESSES.map(|a| a.parse::<IpAddr>().unwrap()) {
        if random.one_in(4) {
            drawn.never_block.push(NeverBlock::Address(address));
        }
        if random.one_in(2) {
            blocks.push(BlockTarget::Address(address));
        }
        if random.one_in(5) {
            blocks.push(BlockTarget::Anywhere(address));
        }
        for src in MACS.map(mac) {
            if random.one_in(3) {
                blocks.push(BlockTarget::MacAndAddress(src, address));
            }
        }
    }
    for src in MACS.map(mac) {
        if random.one_in(4) {
            drawn.never_block.push(NeverBlock::Mac(src));
        }
        if random.one_in(3) {
            blocks.push(BlockTarget::Mac(src));
        }
    }
    (drawn, blocks)
}

/// Sends frames from one side and gives the numbers of those that arrived on the other.
fn send(from: &End, to: &End, frames: &[(u32, MacAddr, Carries)]) -> Vec<u32> {
    for (number, src, carries) in frames {
        from.send(&frame(*src, *carries, *number));
    }
    from.send(&frame(mac(MARKER), Carries::Packet("198.51.100.9".parse().unwrap()), u32::MAX));
    let mut arrived = to.numbers_until(u32::MAX);
    assert_eq!(arrived.pop(), Some(u32::MAX), "the last frame passes and ends the reading");
    arrived
}

#[test]
fn never_block_wins_over_any_block_and_each_other_blocked_frame_is_dropped_and_counted() {
    alone(|| {
        keep_order();
        let (host, router) = bridge();
        let mut enforcer = Enforcer::open().unwrap();
        let seed = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos() as u64 | 1;
        let mut random = Random(seed);
        for round in 0..60 {
            let (ruleset, blocks) = draw(&mut random);
            let timed: Vec<(BlockTarget, Span)> = blocks.iter().map(|target| (*target, secs(600))).collect();
            enforcer.rebuild(&ruleset, &timed, Timestamp::EPOCH).unwrap();
            let frames = every_frame();
            for (side, from, to, counter) in
                [(Side::Lan, &host, &router, "blocked_lan"), (Side::Uplink, &router, &host, "blocked_uplink")]
            {
                let of_side = frames.iter().enumerate().filter(|(_, (s, ..))| *s == side);
                let sent: Vec<_> = of_side.map(|(n, (_, src, carries))| (n as u32, *src, *carries)).collect();
                let arrived = send(from, to, &sent);
                for (number, src, carries) in &sent {
                    assert_eq!(
                        arrived.contains(number),
                        passes(&ruleset, &blocks, side, *src, *carries),
                        "seed {seed}, round {round}: from {side:?}, {src} carrying {carries:?}\n{ruleset:?}\n{blocks:?}"
                    );
                }
                let dropped = enforcer.held().unwrap().dropped;
                let counted = dropped.iter().find(|c| c.name == counter).unwrap().packets;
                assert_eq!(counted, (sent.len() - arrived.len()) as u64, "seed {seed}, round {round}: {counter}");
            }
        }
    });
}

#[test]
fn a_blocked_device_that_forges_the_routers_address_stays_blocked() {
    alone(|| {
        keep_order();
        let (host, router) = bridge();
        let mut enforcer = Enforcer::open().unwrap();
        let (device, routers, address) = (mac(MACS[0]), mac(MACS[1]), ADDRESSES[0].parse::<IpAddr>().unwrap());
        // The router, as Picket learns it: by hardware address and by both of its addresses.
        enforcer.apply(&ruleset(&[MACS[1], ADDRESSES[0], ADDRESSES[3]]), Timestamp::EPOCH).unwrap();
        let blocks = [BlockTarget::Mac(device), BlockTarget::Mac(routers), BlockTarget::Address(address)];
        enforcer.block(&blocks.map(|target| (target, secs(600)))).unwrap();
        let v6 = ADDRESSES[3].parse::<IpAddr>().unwrap();
        let forged = [Carries::Packet(address), Carries::Tagged(address), Carries::Packet(v6), Carries::Arp(address)];
        let numbered = |src| forged.iter().enumerate().map(|(n, c)| (n as u32, src, *c)).collect::<Vec<_>>();
        assert_eq!(send(&host, &router, &numbered(device)), [], "forged frames of a blocked device");
        assert_eq!(send(&host, &router, &numbered(routers)), [0, 1, 2, 3], "the router by its hardware address");
        assert_eq!(send(&router, &host, &numbered(routers)), [0, 1, 2, 3], "the router by its address");
    });
}

#[test]
fn a_host_that_was_never_seen_is_blocked_by_its_address_on_either_side() {
    alone(|| {
        keep_order();
        let (host, router) = bridge();
        let mut enforcer = Enforcer::open().unwrap();
        enforcer.apply(&ruleset(&[]), Timestamp::EPOCH).unwrap();
        let targets = [ADDRESSES[1], ADDRESSES[4]].map(|a| BlockTarget::Anywhere(a.parse().unwrap()));
        enforcer.block(&targets.map(|target| (target, secs(600)))).unwrap();
        let frames: Vec<_> = ADDRESSES
            .iter()
            .enumerate()
            .map(|(n, a)| (n as u32, mac(MACS[2]), Carries::Packet(a.parse().unwrap())))
            .collect();
        assert_eq!(send(&host, &router, &frames), [0, 2, 3, 5]);
        assert_eq!(send(&router, &host, &frames), [0, 2, 3, 5]);
    });
}

#[test]
fn a_block_takes_effect_with_the_next_frame_and_ends_with_the_next_frame() {
    alone(|| {
        keep_order();
        let (host, router) = bridge();
        let mut enforcer = Enforcer::open().unwrap();
        enforcer.apply(&ruleset(&[]), Timestamp::EPOCH).unwrap();
        let one = [(7, mac(MACS[0]), Carries::Packet("192.168.7.9".parse().unwrap()))];
        let target = BlockTarget::Mac(mac(MACS[0]));
        for _ in 0..20 {
            assert_eq!(send(&host, &router, &one), [7]);
            enforcer.block(&[(target, secs(600))]).unwrap();
            assert_eq!(send(&host, &router, &one), []);
            // Its answers still reach it: only what it sends is dropped, on the side where it sits.
            assert_eq!(send(&router, &host, &one), [7]);
            enforcer.unblock(&[target]).unwrap();
        }
    });
}

#[test]
fn a_blocked_host_does_not_reach_the_box_itself() {
    alone(|| {
        keep_order();
        let (host, _router) = bridge();
        let mut enforcer = Enforcer::open().unwrap();
        enforcer.apply(&ruleset(&[]), Timestamp::EPOCH).unwrap();
        enforcer.block(&[(BlockTarget::Mac(mac(MACS[0])), secs(600))]).unwrap();
        let text = namespace::run("ip -o link show br0");
        let own = mac(text.split("link/ether ").nth(1).unwrap().split(' ').next().unwrap());
        let mut frame = frame(mac(MACS[0]), Carries::Packet("192.168.7.9".parse().unwrap()), 7);
        frame[..6].copy_from_slice(&own.octets());
        host.send(&frame);
        std::thread::sleep(std::time::Duration::from_millis(50));
        let held = enforcer.held().unwrap();
        assert_eq!(held.dropped.iter().map(|c| c.packets).collect::<Vec<_>>(), [1, 0]);
    });
}
