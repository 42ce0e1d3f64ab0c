//! The headers of recent frames, kept so that a finding can show what it counted.

use store::EvidenceFrame;
use terms::{HostKey, Span, Timestamp};

/// Memory for recent headers, octets.
const MEMORY: usize = 4 << 20;
const KEPT: usize = 128;
const FRAMES: usize = 32;
const HORIZON: Span = Span::from_secs(60);

#[derive(Clone)]
struct Header {
    at: Timestamp,
    host: HostKey,
    len: u32,
    kept: u8,
    octets: [u8; KEPT],
}

/// A ring of `MEMORY` octets of headers; the oldest makes room.
pub struct Recent {
    ring: Vec<Header>,
    next: usize,
}

impl Recent {
    /// An empty ring with its memory reserved.
    pub fn new() -> Self {
        Self { ring: Vec::with_capacity(MEMORY / size_of::<Header>()), next: 0 }
    }

    /// Keeps the beginning of a frame from this host.
    pub fn keep(&mut self, at: Timestamp, host: HostKey, len: u32, octets: &[u8]) {
        let kept = octets.len().min(KEPT);
        if self.next == self.ring.len() {
            self.ring.push(Header { at, host, len, kept: 0, octets: [0; KEPT] });
        }
        let header = &mut self.ring[self.next];
        (header.at, header.host, header.len) = (at, host, len);
        header.kept = u8::try_from(kept).unwrap_or(0);
        header.octets[..kept].copy_from_slice(&octets[..kept]);
        self.next += 1;
        if self.next == self.ring.capacity() {
            self.next = 0;
        }
    }

    /// The first frames of this host in the last minute, oldest first; at most 32.
    pub fn of(&self, host: HostKey, now: Timestamp) -> Vec<EvidenceFrame> {
        let (newer, older) = self.ring.split_at(self.next.min(self.ring.len()));
        let matching = older.iter().chain(newer).filter(|h| h.host == host && now.since(h.at) < HORIZON);
        let frame =
            |h: &Header| EvidenceFrame { at: h.at, len: h.len, octets: h.octets[..usize::from(h.kept)].to_vec() };
        matching.take(FRAMES).map(frame).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_shows_its_own_first_frames_of_the_last_minute() {
        let mut recent = Recent::new();
        let host = |n: u8| HostKey::V4([10, 0, 0, n].into());
        for n in 0..60_000_u64 {
            let who = if n % 500 == 0 { host(1) } else { host(2) };
            recent.keep(Timestamp::from_micros(100_000_000 + n * 1_000), who, 60, &n.to_be_bytes());
        }
        let frames = recent.of(host(1), Timestamp::from_micros(160_000_000));
        assert_eq!(frames.len(), 32);
        assert!(frames.windows(2).all(|w| w[0].at < w[1].at));
        assert!(
            frames
                .iter()
                .all(|f| f.octets.len() == 8 && u64::from_be_bytes(f.octets[..].try_into().unwrap()) % 500 == 0)
        );
        assert_eq!(recent.of(host(1), Timestamp::from_secs(1_000)), []);
    }
}
