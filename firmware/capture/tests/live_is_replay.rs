//! The same frames, live through a link and replayed from a file, give the same feature vectors to the last bit.
//!
//! Frames are sent through a veth pair in a namespace of its own and read by the ring, which keeps the beginning of each; the same
//! frames in full, with the ring's times, are written to a capture and read back. Both go to detection, the live ones with ticks in
//! between, as the gateway has them.

#[path = "../../../tests/common/chance.rs"]
mod chance;
#[path = "common/netns.rs"]
mod netns;
#[path = "../../../tests/common/seed.rs"]
mod seed;

use std::path::{Path, PathBuf};
use std::time::Duration;

use capture::{CaptureFile, Frame, HEAD, PcapWriter, Ring, Tap, wait};
use chance::Chance;
use detect::{Detector, Finding, Sink, Thresholds, Window};
use features::{Capacities, FeatureVector, HashKey};
use netns::{in_own_namespace, ip, until_up};
use pnet_datalink::{Channel, Config, DataLinkSender};
use terms::{Side, Timestamp};
use wire::LinkType;

/// Frames of one capture that are sent.
const FRAMES: usize = 15_000;
/// Frames that are sent before the ring is read.
const BATCH: usize = 1_000;
/// By how much time is stretched, so that a burst of a second fills minutes.
const STRETCH: u64 = 300;

/// What the ring lent of a frame.
struct Lent {
    at: Timestamp,
    vlan: Option<u16>,
    len: u32,
    octets: Vec<u8>,
}

/// Every vector that detection gives, with whose it is and when.
#[derive(Default)]
struct Vectors(Vec<(String, [u32; features::FEATURES])>);

impl Vectors {
    fn keep(&mut self, what: String, vector: &FeatureVector) {
        self.0.push((what, vector.0.map(f32::to_bits)));
    }
}

impl Sink for Vectors {
    fn finding(&mut self, finding: &Finding, vector: &FeatureVector) {
        self.keep(format!("{} {} at {}", finding.host, finding.family, finding.at.micros()), vector);
    }

    fn window(&mut self, window: &Window) {
        self.keep(format!("{} from {} to {}", window.host, window.start.micros(), window.end.micros()), &window.vector);
    }
}

fn detector() -> Detector<'static> {
    Detector::new(HashKey::FIXED, Capacities::default(), Thresholds::default(), None)
}

fn see(detector: &mut Detector<'_>, frame: &Frame<'_>, at: Timestamp, vectors: &mut Vectors) {
    if let Ok(summary) = wire::parse(frame.link, frame.octets, frame.len, frame.vlan) {
        detector.observe(&summary, at, Side::Lan, vectors);
    }
}

/// A moment of a stretched clock.
fn stretched(at: Timestamp, first: Timestamp, by: u64) -> Timestamp {
    Timestamp::from_micros(first.micros() + at.since(first).micros() * by)
}

fn two_ends() {
    ip("link add near mtu 9000 type veth peer name far mtu 9000");
    ip("link set near up");
    ip("link set far up");
    until_up("near");
    until_up("far");
}

/// Sends frames through the pair and gives what the ring lent of each.
fn live(sent: &[Vec<u8>]) -> Vec<Lent> {
    let mut taps = [Tap::Ring(Ring::open("far", Side::Lan, HEAD, 16_384).expect("root may read a link"))];
    let near = pnet_datalink::interfaces().into_iter().find(|known| known.name == "near").expect("the link exists");
    let Channel::Ethernet(mut sender, _) = pnet_datalink::channel(&near, Config::default()).expect("it can be written")
    else {
        panic!("a link is an Ethernet")
    };
    let mut lent = Vec::new();
    for batch in sent.chunks(BATCH) {
        batch.iter().for_each(|octets| send(&mut *sender, octets));
        let want = lent.len() + batch.len();
        while lent.len() < want && wait(&mut taps, Duration::from_secs(2)).expect("the link is there") {
            let keep = &mut |frame: Frame<'_>| {
                lent.push(Lent { at: frame.at, vlan: frame.vlan, len: frame.len, octets: frame.octets.to_vec() });
            };
            taps[0].drain(BATCH, keep).expect("the link is there");
        }
        assert_eq!(lent.len(), want, "every frame that is sent is lent once");
    }
    lent
}

fn send(sender: &mut dyn DataLinkSender, octets: &[u8]) {
    sender.send_to(octets, None).expect("the link takes frames").expect("the frame is sent");
}

/// Writes the frames in full, with the times that the ring told, to a capture.
fn write(path: &Path, sent: &[Vec<u8>], lent: &[Lent]) {
    let file = std::io::BufWriter::new(std::fs::File::create(path).expect("a temporary file can be made"));
    let mut writer = PcapWriter::new(file).expect("a temporary file can be written");
    for (octets, lent) in sent.iter().zip(lent) {
        let (side, link, len) = (Side::Unknown, LinkType::Ethernet, octets.len() as u32);
        let frame = Frame { at: lent.at, side, link, len, vlan: None, octets };
        writer.write(&frame).expect("a temporary file can be written");
    }
    writer.finish().expect("a temporary file can be written");
}

/// Sends frames, and compares what is told of them live and from a file.
fn same_vectors(name: &str, sent: &[Vec<u8>]) {
    let lent = live(sent);
    let dir = tempfile::tempdir().expect("a temporary folder");
    let path = dir.path().join("capture.pcap");
    write(&path, sent, &lent);
    let first = lent[0].at;
    for by in [1, STRETCH] {
        let (mut now, mut seen) = (detector(), Vectors::default());
        for (n, frame) in lent.iter().enumerate() {
            let at = stretched(frame.at, first, by);
            // The gateway tells the time now and then, a little behind.
            if n % 7 == 0 {
                now.tick(at, &mut seen);
            }
            let Lent { vlan, len, octets, .. } = frame;
            let frame = Frame { at, side: Side::Lan, link: LinkType::Ethernet, len: *len, vlan: *vlan, octets };
            see(&mut now, &frame, at, &mut seen);
        }
        now.close(&mut seen);
        let (mut later, mut read) = (detector(), Vectors::default());
        let mut file = CaptureFile::open(&path).expect("the capture opens");
        while let Some(frame) = file.next() {
            see(&mut later, &frame.snapped(), stretched(frame.at, first, by), &mut read);
        }
        later.close(&mut read);
        assert!(!seen.0.is_empty(), "{name}: no vectors");
        for (live, replayed) in seen.0.iter().zip(&read.0) {
            assert_eq!(live, replayed, "{name}, time stretched by {by}");
        }
        assert_eq!(seen.0.len(), read.0.len(), "{name}: vectors");
        println!("{name}: {} frames, {} vectors alike, time stretched by {by}", sent.len(), seen.0.len());
    }
}

impl Chance {
    fn below(&mut self, n: u64) -> u64 {
        self.draw() % n
    }

    fn pick(&mut self, of: &[u64]) -> u64 {
        of[self.below(of.len() as u64) as usize]
    }

    /// A frame of any length and kind: what is read deeper, what is not, and headers that lie.
    fn frame(&mut self) -> Vec<u8> {
        let len = [60, 64, 138, 139, 300, 446, 447, 600, 1514][self.below(9) as usize];
        let mut octets: Vec<u8> = (0..len).map(|_| self.below(256) as u8).collect();
        octets[..12].copy_from_slice(&[2, 0, 0, 0, 0, self.below(8) as u8, 2, 0, 0, 0, 1, self.below(8) as u8]);
        let v6 = self.below(3) == 0;
        octets[12..14].copy_from_slice(if v6 { &[0x86, 0xdd] } else { &[8, 0] });
        let protocol = self.pick(&[6, 6, 6, 17, 17, 1, 58, 0, 47]) as u8;
        let l4 = if v6 {
            octets[14] = 0x60;
            octets[18..20].copy_from_slice(&(len as u16 - 54).to_be_bytes());
            octets[20] = protocol;
            octets[22..54].copy_from_slice(&[0xfd; 32]);
            (octets[37], octets[53]) = (self.below(8) as u8, 100 + self.below(8) as u8);
            54
        } else {
            let options = self.below(3) as u8;
            octets[14] = 0x45 + options;
            octets[16..18].copy_from_slice(&(len as u16 - 14).to_be_bytes());
            octets[20..22].copy_from_slice(&(self.pick(&[0, 0, 0, 0x4000, 0x2000, 7]) as u16).to_be_bytes());
            octets[23] = protocol;
            let (from, to) = (self.below(8) as u8, 100 + self.below(8) as u8);
            octets[26..34].copy_from_slice(&[10, 0, 0, from, 10, 0, 0, to]);
            34 + 4 * usize::from(options)
        };
        if octets.len() > l4 + 64 {
            let ports =
                [20_000 + self.below(40), self.pick(&[21, 22, 23, 25, 53, 67, 80, 143, 443, 1900, 5353, 8080, 9000])];
            let ports = if self.below(2) == 0 { [ports[1], ports[0]] } else { ports };
            octets[l4..l4 + 2].copy_from_slice(&(ports[0] as u16).to_be_bytes());
            octets[l4 + 2..l4 + 4].copy_from_slice(&(ports[1] as u16).to_be_bytes());
            if protocol == 6 {
                octets[l4 + 12] = 0x50 + 0x10 * self.below(3) as u8;
                octets[l4 + 13] = self.pick(&[0x02, 0x12, 0x10, 0x18, 0x18, 0x11, 0x14]) as u8;
                let words: [&[u8]; 6] = [
                    b"\x16\x03\x01\x02",
                    b"HTTP/1.1 401 \r\n",
                    b"GET / HTTP/1.1\r\n",
                    b"530 no\r\n",
                    b"SSH-2.0-x\r\n",
                    b"",
                ];
                let (word, at) = (words[self.below(6) as usize], l4 + usize::from(octets[l4 + 12] >> 4) * 4);
                octets[at..at + word.len()].copy_from_slice(word);
            }
        }
        self.tagged(octets)
    }

    /// Now and then one tag, or two.
    fn tagged(&mut self, mut octets: Vec<u8>) -> Vec<u8> {
        let tags: &[u8] = match self.below(10) {
            0 => &[0x81, 0, 0, 7],
            1 => &[0x88, 0xa8, 0x60, 5, 0x81, 0, 0, 8],
            2 => &[0x81, 0, 0x20, 0],
            3 => &[0x88, 0xa8, 0, 5, 0x81, 0, 0, 8, 0x81, 0, 0, 9],
            _ => &[],
        };
        octets.splice(12..12, tags.iter().copied());
        octets
    }
}

#[test]
fn the_ring_and_a_file_show_the_same_of_any_frame() {
    let seed = seed::drawn("live");
    in_own_namespace(move || {
        two_ends();
        let mut chance = Chance(seed);
        let sent: Vec<_> = (0..FRAMES).map(|_| chance.frame()).collect();
        for (n, (octets, lent)) in sent.iter().zip(live(&sent)).enumerate() {
            let (at, side, link, len) = (lent.at, Side::Lan, LinkType::Ethernet, octets.len() as u32);
            let whole = Frame { at, side, link, len, vlan: None, octets }.snapped();
            let ours = wire::parse(link, &lent.octets, lent.len, lent.vlan);
            let theirs = wire::parse(link, whole.octets, whole.len, None);
            assert_eq!(ours, theirs, "frame {n} of seed {seed}: {:02x?}", &octets[..80.min(octets.len())]);
        }
    });
}

#[test]
fn drawn_frames_give_the_same_vectors_live_and_replayed() {
    let seed = seed::drawn("live");
    in_own_namespace(move || {
        two_ends();
        let mut chance = Chance(seed);
        let sent: Vec<_> = (0..FRAMES).map(|_| chance.frame()).collect();
        same_vectors("drawn frames", &sent);
    });
}

/// Captures of real traffic, if they are there.
fn train() -> Option<Vec<PathBuf>> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/captures");
    let folder = std::env::var_os("PICKET_CAPTURES").map_or(beside, PathBuf::from).join("train/pcap");
    let mut folders = vec![folder];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).ok()?.flatten() {
            let path = entry.path();
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    files.sort();
    Some(files)
}

/// The first frames of a capture that were kept whole and that a link takes.
fn whole_frames(path: &Path) -> Vec<Vec<u8>> {
    let mut frames = Vec::new();
    let Ok(mut file) = CaptureFile::open(path) else { return frames };
    while let Some(frame) = file.next() {
        let whole = frame.link == LinkType::Ethernet && frame.octets.len() == frame.len as usize;
        if whole && (60..=9_000).contains(&frame.octets.len()) {
            frames.push(frame.octets.to_vec());
        }
        if frames.len() == FRAMES {
            break;
        }
    }
    frames
}

#[test]
fn real_traffic_gives_the_same_vectors_live_and_replayed() {
    let Some(mut files) = train() else {
        eprintln!("SKIP: no captures beside the project and PICKET_CAPTURES is not set");
        return;
    };
    let seed = seed::drawn("live");
    in_own_namespace(move || {
        two_ends();
        let mut chance = Chance(seed);
        let mut done = 0;
        while done < 5 && !files.is_empty() {
            let file = files.swap_remove(chance.below(files.len() as u64) as usize);
            let sent: Vec<_> = whole_frames(&file).into_iter().map(|octets| chance.tagged(octets)).collect();
            if sent.len() >= 100 {
                same_vectors(&file.file_name().unwrap_or_default().to_string_lossy(), &sent);
                done += 1;
            }
        }
        assert_eq!(done, 5, "captures that hold whole frames");
    });
}
