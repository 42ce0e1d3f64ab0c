//! What passes the bridge that Picket makes, frame by frame: sent raw at one outer end, read at the other.

#[path = "common/netns.rs"]
#[allow(dead_code, reason = "each test program uses a part of it")]
mod netns;

use std::time::Duration;

use capture::{Tap, ensure_bridge, look_at_bridge, wait};
use netns::{in_own_namespace, ip, until_up};
use pnet_datalink::{Channel, Config, DataLinkSender};
use terms::Side;

const HOST: [u8; 6] = [2, 0x5a, 0x10, 0, 0, 1];
/// A hardware address that nobody has: the bridge floods it.
const NOBODY: [u8; 6] = [2, 0xff, 0xff, 0xff, 0xff, 0xff];
/// Begins each payload, so that no other frame is taken for one of the test's.
const TAG: &[u8] = b"picket-frame";
/// How many hardware addresses the bridge may learn.
const LEARNED: usize = 8192;

/// One outer end: frames are sent here, and what comes in is read.
struct End {
    sender: Box<dyn DataLinkSender>,
    tap: Tap,
}

/// `lan-far - lan - br-test - uplink - uplink-far`, and the outer ends.
fn bridge(mtu: u32) -> [End; 2] {
    for link in ["lan", "uplink"] {
        // The outer ends take a little more, so that the kernel lets the test send what the bridge's links must judge.
        ip(&format!("link add {link} mtu {mtu} type veth peer name {link}-far mtu {}", mtu + 8));
        ip(&format!("link set {link}-far up"));
    }
    ensure_bridge("br-test", "lan", "uplink").expect("the bridge can be made");
    for link in ["lan", "uplink", "lan-far", "uplink-far"] {
        until_up(link);
    }
    ["lan-far", "uplink-far"].map(End::open)
}

impl End {
    fn open(link: &str) -> Self {
        let tap = Tap::open(link, Side::Lan, 128, 16_384).expect("the link can be read");
        let known = pnet_datalink::interfaces().into_iter().find(|known| known.name == link).expect("the link exists");
        let config = Config { write_buffer_size: 16_384, ..Config::default() };
        match pnet_datalink::channel(&known, config).expect("the link can be written") {
            Channel::Ethernet(sender, _) => Self { sender, tap },
            _ => panic!("a link is an Ethernet"),
        }
    }

    fn send(&mut self, frame: &[u8]) {
        self.sender.send_to(frame, None).expect("the link takes frames").expect("the frame is sent");
    }

    /// The numbers and lengths of the test's frames that came in, until one with this number did.
    fn read_until(&mut self, last: u32) -> Vec<(u32, u32)> {
        let mut seen = Vec::new();
        while seen.last().is_none_or(|(number, _)| *number != last)
            && wait(std::slice::from_mut(&mut self.tap), Duration::from_secs(2)).expect("the link is there")
        {
            self.tap
                .drain(1024, &mut |frame| {
                    let tag = frame.octets.windows(TAG.len()).position(|octets| octets == TAG);
                    let number = tag.and_then(|at| frame.octets[at + TAG.len()..].first_chunk());
                    seen.extend(number.map(|number| (u32::from_be_bytes(*number), frame.len)));
                })
                .expect("the link is there");
        }
        seen
    }
}

/// A frame with a number: destination, source, whatever stands before the payload, and so many octets of payload.
fn frame(dst: [u8; 6], src: [u8; 6], head: &[u8], number: u32, payload: usize) -> Vec<u8> {
    let mut frame = [dst.as_slice(), &src, head, TAG, &number.to_be_bytes()].concat();
    frame.resize(12 + head.len() + payload, 0);
    frame
}

/// Sends frames, then one that always passes, and gives those that arrived.
fn through(from: &mut End, to: &mut End, frames: &[Vec<u8>]) -> Vec<(u32, u32)> {
    frames.iter().for_each(|frame| from.send(frame));
    from.send(&frame(NOBODY, HOST, &[8, 0], u32::MAX, 46));
    let mut arrived = to.read_until(u32::MAX);
    assert_eq!(arrived.pop().map(|(number, _)| number), Some(u32::MAX), "the last frame passes");
    arrived
}

#[test]
fn lldp_and_802_1x_pass_and_what_the_kernel_keeps_for_itself_does_not() {
    in_own_namespace(|| {
        let [mut lan, mut uplink] = bridge(1500);
        let group = |last| [1, 0x80, 0xc2, 0, 0, last];
        let frames: Vec<_> = (0..16).map(|last| frame(group(last), HOST, &[0x88, 0xcc], u32::from(last), 46)).collect();
        for back in [false, true] {
            let (from, to) = if back { (&mut uplink, &mut lan) } else { (&mut lan, &mut uplink) };
            let passed: Vec<_> = through(from, to, &frames).into_iter().map(|(number, _)| number).collect();
            assert!(passed.contains(&0x0e) && passed.contains(&0x03), "LLDP and 802.1X: {passed:?}");
            assert!(!passed.contains(&0x02), "the kernel's bridge never passes LACP: {passed:?}");
            // A bridge that takes no part in spanning tree lets it pass, so that loops through it are still found.
            assert_eq!(passed, [0x00, 0x03, 0x0e], "of the addresses that bridges keep for themselves");
        }
    });
}

#[test]
fn a_group_that_nobody_joined_passes() {
    in_own_namespace(|| {
        let [mut lan, mut uplink] = bridge(1500);
        // mDNS, SSDP, all IPv6 routers, a solicited node.
        let groups = [
            [1, 0, 0x5e, 0, 0, 0xfb],
            [1, 0, 0x5e, 0x7f, 0xff, 0xfa],
            [0x33, 0x33, 0, 0, 0, 2],
            [0x33, 0x33, 0xff, 1, 2, 3],
        ];
        let frames: Vec<_> = groups.iter().zip(0..).map(|(group, n)| frame(*group, HOST, &[8, 0], n, 100)).collect();
        assert_eq!(through(&mut lan, &mut uplink, &frames).len(), groups.len());
        assert_eq!(through(&mut uplink, &mut lan, &frames).len(), groups.len());
    });
}

#[test]
fn jumbo_frames_pass_where_both_links_take_them() {
    for (mtu, passes) in [(9000, true), (1500, false)] {
        in_own_namespace(move || {
            let [mut lan, mut uplink] = bridge(9000);
            ip(&format!("link set uplink mtu {mtu}"));
            let report = look_at_bridge("br-test", "lan", "uplink").expect("the kernel answers").expect("it is there");
            assert_eq!(report.mtu_agrees(), passes, "what the report says");
            let jumbo = [frame(NOBODY, HOST, &[8, 0], 7, 9000)];
            let arrived = through(&mut lan, &mut uplink, &jumbo);
            assert_eq!(arrived, if passes { vec![(7, 9014)] } else { vec![] }, "MTU {mtu}");
        });
    }
}

#[test]
fn frames_with_one_tag_and_with_two_pass_unchanged() {
    // At the usual MTU the kernel leaves room for one tag beside it; a full packet behind two tags needs four octets more.
    for (mtu, payload) in [(1500, 1496), (1504, 1500)] {
        in_own_namespace(move || {
            let [mut lan, mut uplink] = bridge(mtu);
            let heads: [&[u8]; 4] = [
                &[0x81, 0, 0, 7, 8, 0],
                &[0x88, 0xa8, 0, 7, 0x81, 0, 0, 9, 8, 0],
                &[0x81, 0, 0, 7, 0x81, 0, 0, 9, 8, 0],
                &[0x81, 0, 0xe0, 0, 8, 0],
            ];
            let frames: Vec<_> = heads.iter().zip(0..).map(|(head, n)| frame(NOBODY, HOST, head, n, payload)).collect();
            // The kernel hands the outer tag over beside the frame.
            let want: Vec<_> = frames.iter().zip(0..).map(|(frame, n)| (n, frame.len() as u32 - 4)).collect();
            assert_eq!(through(&mut lan, &mut uplink, &frames), want);
            assert_eq!(through(&mut uplink, &mut lan, &frames), want);
        });
    }
}

#[test]
fn spoofed_sources_fill_no_more_of_the_kernels_table_than_its_bound_and_pass_all_the_same() {
    in_own_namespace(|| {
        let [mut lan, mut uplink] = bridge(1500);
        let report = look_at_bridge("br-test", "lan", "uplink").expect("the kernel answers").expect("it is there");
        let bound = report.settings.iter().find(|setting| setting.name == "fdb_max_learned").expect("it is looked at");
        if bound.found.is_none() {
            eprintln!("SKIP: kernels before 6.7 do not bound what a bridge learns, and picket doctor says so");
            return;
        }
        assert_eq!(bound.found, Some(LEARNED as u64));
        const SPOOFED: u32 = 20_000;
        for chunk in 0..SPOOFED / 1000 {
            let source = |n: u32| {
                let n = n.to_be_bytes();
                [2, 0x66, n[0], n[1], n[2], n[3]]
            };
            let frames: Vec<_> =
                (chunk * 1000..(chunk + 1) * 1000).map(|n| frame(NOBODY, source(n), &[8, 0], n, 46)).collect();
            assert_eq!(through(&mut lan, &mut uplink, &frames).len(), 1000, "frames pass whether learned or not");
        }
        let table = netns::run("bridge fdb show br br-test");
        let learned = table.lines().filter(|line| !line.contains("permanent")).count();
        assert!(learned <= LEARNED && learned > LEARNED / 2, "{learned} learned");
    });
}
