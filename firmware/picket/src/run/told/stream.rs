//! Answers over TCP: what a server sends, put together message by message.
//!
//! **Bounds**: [`STREAMS`] connections at a time, the one that was asked over longest ago makes room; of each at most one message of
//! 65,535 octets and a segment. A segment that is missing ends the stream: the device asks again, and so does its next connection.

use terms::Timestamp;

use super::Asking;

/// Connections that are put together at a time.
const STREAMS: usize = 16;

/// The connections over which a question went.
#[derive(Debug, Default)]
pub(super) struct Streams(Vec<Stream>);

/// What a server sends over one connection.
#[derive(Debug)]
struct Stream {
    who: Asking,
    asked: Timestamp,
    /// The number of the octet that comes next.
    next: u32,
    /// What came of the message that is not whole yet, its length in front.
    begun: Vec<u8>,
}

impl Streams {
    /// Expects an answer that begins with this octet.
    pub fn open(&mut self, who: Asking, next: u32, at: Timestamp) {
        if let Some(stream) = self.0.iter_mut().find(|stream| stream.who == who) {
            stream.asked = at;
            return;
        }
        if self.0.len() == STREAMS {
            let oldest = self.0.iter().enumerate().min_by_key(|(_, stream)| stream.asked);
            if let Some((oldest, _)) = oldest {
                self.0.swap_remove(oldest);
            }
        }
        self.0.push(Stream { who, asked: at, next, begun: Vec::new() });
    }

    /// Takes a segment in, nothing where it did not come whole; tells each message that is complete with it.
    pub fn feed(&mut self, who: Asking, seq: u32, payload: Option<&[u8]>, each: &mut dyn FnMut(&[u8])) {
        let Some(at) = self.0.iter().position(|stream| stream.who == who) else { return };
        let stream = &mut self.0[at];
        // Numbers go round: half of them are behind.
        let behind = stream.next.wrapping_sub(seq);
        let fresh =
            payload.filter(|_| behind < 1 << 31).map(|payload| payload.get(behind as usize..).unwrap_or_default());
        let Some(fresh) = fresh else {
            self.0.swap_remove(at);
            return;
        };
        stream.begun.extend_from_slice(fresh);
        stream.next = stream.next.wrapping_add(fresh.len() as u32);
        while let Some((len, behind)) = stream.begun.split_first_chunk() {
            let len = usize::from(u16::from_be_bytes(*len));
            let Some(message) = behind.get(..len) else { break };
            each(message);
            stream.begun.drain(..len + 2);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use terms::MacAddr;

    const WHO: Asking = (MacAddr::ZERO, std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 4_000);

    fn fed(streams: &mut Streams, seq: u32, payload: &[u8]) -> Vec<Vec<u8>> {
        let mut all = Vec::new();
        streams.feed(WHO, seq, Some(payload), &mut |message| all.push(message.to_vec()));
        all
    }

    #[test]
    fn messages_are_whole_however_they_are_cut_and_repeated() {
        let octets = [&[0, 3][..], b"abc", &[0, 0], &[0, 2], b"de"].concat();
        for (a, b) in (0..octets.len()).flat_map(|a| (a..octets.len()).map(move |b| (a, b))) {
            let mut streams = Streams::default();
            // Where the numbers go round.
            let first = u32::MAX - 2;
            streams.open(WHO, first, Timestamp::EPOCH);
            let at = |n: usize| first.wrapping_add(n as u32);
            let mut all = fed(&mut streams, at(0), &octets[..a]);
            all.extend(fed(&mut streams, at(0), &octets[..b]));
            all.extend(fed(&mut streams, at(a), &octets[a..]));
            assert_eq!(all, [b"abc".to_vec(), b"".to_vec(), b"de".to_vec()], "cut at {a} and {b}");
        }
    }

    #[test]
    fn a_gap_ends_the_stream_and_nobody_who_did_not_ask_has_one() {
        let mut streams = Streams::default();
        assert!(fed(&mut streams, 0, &[0, 1, 7]).is_empty());
        streams.open(WHO, 0, Timestamp::EPOCH);
        assert!(fed(&mut streams, 1, &[1, 7]).is_empty());
        assert!(fed(&mut streams, 0, &[0, 1, 7]).is_empty(), "it has ended");
    }

    #[test]
    fn the_oldest_connection_makes_room() {
        let mut streams = Streams::default();
        for port in 0..100 {
            streams.open((WHO.0, WHO.1, port), 0, Timestamp::from_secs(port.into()));
        }
        assert_eq!(streams.0.len(), STREAMS);
        assert!(streams.0.iter().all(|stream| stream.who.2 >= 84));
    }
}
