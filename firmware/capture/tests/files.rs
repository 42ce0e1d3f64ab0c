//! Every form of a capture gives the same frames; a cut one gives what it holds; what is no capture is refused by name.

mod common;

use std::io::Write;

use capture::{CaptureFile, Frame, PcapWriter};
use common::{Order, block, enhanced, file, frames, interface, pcap, pcapng, read, section};
use flate2::{Compression, write::GzEncoder};
use proptest::prelude::*;
use terms::{Side, Timestamp};

fn gz(octets: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(octets).expect("memory can be written");
    encoder.finish().expect("memory can be written")
}

#[test]
fn every_form_gives_the_same_frames() {
    let dir = tempfile::tempdir().unwrap();
    let want = (frames(), false);
    let plain = pcap(&want.0, false, false, 1);
    let forms = [
        ("little-endian", plain.clone()),
        ("big-endian", pcap(&want.0, true, false, 1)),
        ("nanoseconds", pcap(&want.0, false, true, 1)),
        ("big-endian nanoseconds", pcap(&want.0, true, true, 1)),
        ("frame check sequence announced", pcap(&want.0, false, false, 0x3400_0001)),
        ("pcapng", pcapng(&want.0, false, 6)),
        ("big-endian pcapng", pcapng(&want.0, true, 6)),
        ("nanosecond pcapng", pcapng(&want.0, false, 9)),
        ("gz", gz(&plain)),
        ("gz of pcapng", gz(&pcapng(&want.0, true, 9))),
        ("two members of gz", [gz(&plain[..700]), gz(&plain[700..])].concat()),
        ("zst", zstd::encode_all(&plain[..], 3).unwrap()),
        (
            "zst after a skippable frame",
            [&[0x51, 0x2a, 0x4d, 0x18, 1, 0, 0, 0, 9][..], &zstd::encode_all(&plain[..], 3).unwrap()].concat(),
        ),
    ];
    for (name, octets) in forms {
        // The name says nothing of the form.
        assert_eq!(read(&file(dir.path(), "capture.txt", &octets)), want, "{name}");
    }
}

#[test]
fn a_capture_cut_anywhere_gives_what_it_holds() {
    let dir = tempfile::tempdir().unwrap();
    let all = frames()[..4].to_vec();
    for (form, whole, header) in [("pcap", pcap(&all, false, false, 1), 24), ("pcapng", pcapng(&all, false, 6), 28)] {
        let mut full = 0;
        for cut in 0..=whole.len() {
            let path = file(dir.path(), "cut", &whole[..cut]);
            if cut < header {
                assert!(CaptureFile::open(&path).is_err(), "{form} cut inside its header at {cut}");
                continue;
            }
            let (seen, truncated) = read(&path);
            assert!(seen.len() >= full && all.starts_with(&seen), "{form} cut at {cut}: {} frames", seen.len());
            full = seen.len();
            assert_eq!(truncated, !is_border(form, &whole, cut), "{form} cut at {cut}");
        }
        assert_eq!(full, all.len(), "{form}");
    }
}

/// Whether a record or a block ends here.
fn is_border(form: &str, whole: &[u8], cut: usize) -> bool {
    let word = |at: usize| u32::from_le_bytes(whole[at..at + 4].try_into().expect("four octets")) as usize;
    let mut at = if form == "pcap" { 24 } else { 28 };
    while at < cut {
        at += if form == "pcap" { 16 + word(at + 8) } else { word(at + 4) };
    }
    at == cut
}

#[test]
fn a_damaged_stream_gives_what_came_before_the_damage() {
    let dir = tempfile::tempdir().unwrap();
    let all: Vec<_> = (0..2000).flat_map(|_| frames()).collect();
    let plain = pcap(&all, false, false, 1);
    for (name, stream) in [("gz", gz(&plain)), ("zst", zstd::encode_all(&plain[..], 1).unwrap())] {
        let (seen, truncated) = read(&file(dir.path(), "cut", &stream[..stream.len() - 9]));
        assert!(truncated && !seen.is_empty() && all.starts_with(&seen), "{name} cut: {} frames", seen.len());
        let mut damaged = stream.clone();
        let last = damaged.len() - 5;
        damaged[last] ^= 0xff;
        assert!(read(&file(dir.path(), "damaged", &damaged)).1, "{name} damaged");
    }
}

#[test]
fn an_absurd_length_ends_the_capture() {
    let dir = tempfile::tempdir().unwrap();
    let all = frames();
    for absurd in [256 * 1024 + 1, 0x7fff_ffff, u32::MAX] {
        let mut octets = pcap(&all, false, false, 1);
        octets.extend([[0; 4], [0; 4], absurd.to_le_bytes(), absurd.to_le_bytes()].concat());
        octets.resize(octets.len() + 600_000, 0);
        assert_eq!(read(&file(dir.path(), "pcap", &octets)), (all.clone(), true), "{absurd}");
        let mut octets = pcapng(&all, false, 6);
        octets.extend([6_u32.to_le_bytes(), (absurd & !3).to_le_bytes()].concat());
        octets.resize(octets.len() + 1_200_000, 0);
        assert_eq!(read(&file(dir.path(), "pcapng", &octets)), (all.clone(), true), "{absurd}");
    }
}

#[test]
fn the_longest_record_is_read_and_a_long_unknown_block_is_passed_by() {
    let dir = tempfile::tempdir().unwrap();
    let long = vec![(5, 256 * 1024, vec![7; 256 * 1024])];
    assert_eq!(read(&file(dir.path(), "pcap", &pcap(&long, false, false, 1))), (long.clone(), false));
    let order = Order(false);
    let mut octets = section(&order);
    octets.extend(block(&order, 0xbad, &vec![1; 3_000_000]));
    octets.extend(interface(&order, 1, 0, 6));
    octets.extend(enhanced(&order, 0, 5, long[0].1, &long[0].2));
    assert_eq!(read(&file(dir.path(), "pcapng", &octets)), (long, false));
}

#[test]
fn sections_of_both_octet_orders_follow_one_another() {
    let dir = tempfile::tempdir().unwrap();
    let all = frames();
    let octets = [pcapng(&all[..3], true, 9), pcapng(&all[3..], false, 6)].concat();
    assert_eq!(read(&file(dir.path(), "two", &octets)), (all, false));
}

#[test]
fn simple_and_obsolete_packet_blocks_are_read() {
    let dir = tempfile::tempdir().unwrap();
    let order = Order(true);
    let mut octets = section(&order);
    octets.extend(interface(&order, 1, 20, 6));
    let obsolete =
        [&order.u16(0)[..], &order.u16(9), &order.u32(0), &order.u32(77), &order.u32(14), &order.u32(60), &[3; 14]]
            .concat();
    octets.extend(block(&order, 2, &obsolete));
    octets.extend(block(&order, 3, &[&order.u32(60)[..], &[4; 20]].concat()));
    let want = vec![(77, 60, vec![3; 14]), (77, 60, vec![4; 20])];
    assert_eq!(read(&file(dir.path(), "old", &octets)), (want, false));
}

#[test]
fn frames_that_nobody_can_read_are_counted_by_reason() {
    let dir = tempfile::tempdir().unwrap();
    let order = Order(false);
    let mut octets = pcapng(&frames(), false, 6);
    octets.extend(enhanced(&order, 0, 1, 4, &[0; 4]));
    octets.extend(enhanced(&order, 9, 1, 4, &[0; 4]));
    octets.extend(enhanced(&order, u32::MAX, 1, 4, &[0; 4]));
    let mut capture = CaptureFile::open(&file(dir.path(), "mixed", &octets)).unwrap();
    let mut seen = 0;
    while capture.next().is_some() {
        seen += 1;
    }
    assert_eq!((seen, capture.truncated()), (frames().len(), false));
    assert_eq!(capture.skipped().by_reason(), [("link_type_unknown", 1), ("interface_unknown", 2)]);
}

#[test]
fn what_is_no_capture_is_refused_in_one_line_that_names_it() {
    let dir = tempfile::tempdir().unwrap();
    let good = pcap(&frames(), false, false, 1);
    let cases = [
        (vec![], "is empty"),
        (b"not a capture\n".repeat(50), "is not a capture: its first octets 6e 6f 74 20"),
        (good[4..].to_vec(), "is not a capture"),
        (good[..23].to_vec(), "ends inside its own header"),
        (good[..3].to_vec(), "is not a capture"),
        (pcap(&frames(), false, false, 127), "has link type 127"),
        (gz(b""), "is empty"),
        (gz(b"hello"), "is not a capture"),
        (b"\x1f\x8bnonsense".to_vec(), "cannot be read"),
        (b"\x28\xb5\x2f\xfdnonsense".to_vec(), "cannot be read"),
    ];
    for (octets, want) in cases {
        let text = CaptureFile::open(&file(dir.path(), "case\n.pcap", &octets)).err().expect(want).to_string();
        assert!(text.contains("case?.pcap") && text.contains(want) && text.lines().count() == 1, "{text}");
    }
    for missing in [dir.path().join("none.pcap"), dir.path().to_path_buf()] {
        let text = CaptureFile::open(&missing).err().expect("nothing to read").to_string();
        assert!(text.contains("cannot be read") && text.contains(missing.to_str().unwrap()), "{text}");
    }
}

#[test]
fn what_the_writer_wrote_reads_back_with_the_tag_in_its_place() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = PcapWriter::new(Vec::new()).unwrap();
    let octets: Vec<u8> = (0..60).collect();
    for vlan in [None, Some(0x123)] {
        let link = wire::LinkType::Ethernet;
        writer
            .write(&Frame {
                at: Timestamp::from_micros(1_700_000_000_123_456),
                side: Side::Lan,
                link,
                len: 1500,
                vlan,
                octets: &octets,
            })
            .unwrap();
    }
    let tagged = [&octets[..12], &[0x81, 0, 0x01, 0x23], &octets[12..]].concat();
    let want = vec![(1_700_000_000_123_456, 1500, octets), (1_700_000_000_123_456, 1504, tagged)];
    assert_eq!(read(&file(dir.path(), "written", &writer.finish().unwrap())), (want, false));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_octets_make_the_reader_panic_or_lend_past_its_bounds(
        form in 0_usize..4,
        at in 0_usize..2000,
        noise in proptest::collection::vec(any::<u8>(), 1..64),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let mut octets = match form {
            0 => pcap(&frames(), false, false, 1),
            1 => pcapng(&frames(), true, 9),
            2 => gz(&pcap(&frames(), true, true, 113)),
            _ => zstd::encode_all(&pcapng(&frames(), false, 6)[..], 1).unwrap(),
        };
        let at = at % octets.len();
        let until = (at + noise.len()).min(octets.len());
        octets.splice(at..until, noise);
        if let Ok(mut capture) = CaptureFile::open(&file(dir.path(), "noise", &octets)) {
            let mut seen = 0_usize;
            while let Some(frame) = capture.next() {
                seen += 1;
                prop_assert!(frame.octets.len() <= 256 * 1024 && frame.octets.len() <= frame.len as usize);
            }
            prop_assert!(seen <= 64, "{} frames out of seven", seen);
        }
    }
}
