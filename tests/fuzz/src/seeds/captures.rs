//! Captures in every form, each with the octet before it that says how it is read.

use std::io::Write;

use capture::{Frame, PcapWriter};
use flate2::Compression;
use flate2::write::GzEncoder;
use terms::{Side, Timestamp};
use wire::LinkType;

use super::frames;

/// Classic of both link types, nanoseconds, big-endian, pcapng; plain, packed, and to be packed after the mutation.
pub fn all() -> Vec<Vec<u8>> {
    let few: Vec<_> = frames::plain().into_iter().take(6).collect();
    let classic = classic(LinkType::Ethernet, &few);
    let nanoseconds = [&[0x4d, 0x3c, 0xb2, 0xa1][..], &classic[4..]].concat();
    let cooked = self::classic(LinkType::LinuxCooked, &frames::cooked_all()[..3]);
    let forms = [classic.clone(), nanoseconds, cooked, swapped(&few), sections(&few)];
    let packed = [gzip(&classic), zstd(&classic), gzip(&sections(&few))].map(|octets| with(0, &octets));
    let plain = forms.iter().flat_map(|octets| [0, 100, 200].map(|how| with(how, octets)));
    let long = with(255, &classic);
    plain.chain(packed).chain([long]).collect()
}

/// Packs with gzip, quickly.
pub fn gzip(octets: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(octets).and_then(|()| encoder.finish()).unwrap_or_else(|error| panic!("gzip: {error}"))
}

/// Packs with zstd, quickly.
pub fn zstd(octets: &[u8]) -> Vec<u8> {
    zstd::encode_all(octets, 1).unwrap_or_else(|error| panic!("zstd: {error}"))
}

fn with(how: u8, octets: &[u8]) -> Vec<u8> {
    [&[how][..], octets].concat()
}

fn classic(link: LinkType, frames: &[Vec<u8>]) -> Vec<u8> {
    let write = || {
        let mut writer = PcapWriter::with_link(Vec::new(), link)?;
        for (n, octets) in frames.iter().enumerate() {
            let at = Timestamp::from_secs(1_700_000_000 + n as u64);
            let len = octets.len() as u32;
            writer.write(&Frame { at, side: Side::Unknown, link, len, vlan: None, octets })?;
        }
        writer.finish()
    };
    write().unwrap_or_else(|error| panic!("a capture: {error}"))
}

fn swapped(frames: &[Vec<u8>]) -> Vec<u8> {
    let words = |words: &[u32]| words.iter().flat_map(|word| word.to_be_bytes()).collect::<Vec<_>>();
    let mut octets = words(&[0xa1b2_c3d4, 0x0002_0004, 0, 0, 65_535, 1]);
    for frame in frames {
        let len = frame.len() as u32;
        octets.extend(words(&[1_700_000_000, 5, len, len]));
        octets.extend(frame);
    }
    octets
}

/// pcapng: a section, two interfaces (one in nanoseconds), enhanced, simple and obsolete packets.
fn sections(frames: &[Vec<u8>]) -> Vec<u8> {
    let words = |words: &[u32]| words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<_>>();
    let block = |kind: u32, body: &[u8]| {
        let padding = vec![0; body.len().wrapping_neg() % 4];
        let len = 12 + (body.len() + padding.len()) as u32;
        [&words(&[kind, len])[..], body, &padding, &words(&[len])].concat()
    };
    let mut octets = block(0x0a0d_0d0a, &words(&[0x1a2b_3c4d, 1, u32::MAX, u32::MAX]));
    octets.extend(block(1, &words(&[1, 65_535])));
    octets.extend(block(1, &words(&[1, 65_535, 0x0001_0009, 9, 0])));
    for (n, frame) in frames.iter().enumerate() {
        let len = frame.len() as u32;
        octets.extend(match n % 3 {
            0 => block(6, &[&words(&[n as u32 / 3 % 2, 0x0006_0a00, n as u32, len, len])[..], frame].concat()),
            1 => block(3, &[&words(&[len])[..], frame].concat()),
            _ => block(2, &[&words(&[0, 0x0006_0a00, n as u32, len, len])[..], frame].concat()),
        });
    }
    octets
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scratch;

    #[test]
    fn every_form_gives_all_its_frames() {
        for octets in all().into_iter().filter(|octets| octets[0] < 255) {
            let frames = scratch::with(&octets[1..], |path| {
                let mut file = capture::CaptureFile::open(path).expect("a good capture");
                let mut frames = 0;
                while file.next().is_some() {
                    frames += 1;
                }
                assert!(!file.truncated());
                frames
            });
            assert!([3, 6].contains(&frames), "{frames} frames");
        }
    }
}
