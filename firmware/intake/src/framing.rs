//! Lines out of the octets of a TCP connection, by either framing of RFC 6587, told apart message by message.
//!
//! A message that begins with a length, a space and `<` is counted in octets (section 3.4.1); any other ends with a line feed (section
//! 3.4.2). **Bounds**: a message of `LINE_MAX` octets; a longer one that ends with a line feed is left out and the next one read, after a longer
//! one that is counted in octets nothing can be told apart any more.

/// The longest message.
///
/// **Units**: octets.
pub const LINE_MAX: usize = 64 << 10;
/// Digits of the longest length, and some more that lead it.
const DIGITS: usize = 9;

/// What a connection gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut<'o> {
    /// A whole message.
    Line(&'o [u8]),
    /// The end of a message that was too long, and is left out.
    TooLong,
    /// A length that is too long: the connection is of no more use.
    Lost,
}

/// The octets of one connection that are not a whole message yet.
#[derive(Debug, Default)]
pub struct Framer {
    held: Vec<u8>,
    /// Octets of `held` that were handed out.
    taken: usize,
    /// Octets of `held` after `taken` in which there is no line feed.
    searched: usize,
    /// A line that is too long goes on.
    skipping: bool,
}

impl Framer {
    /// Takes octets over. Call `cut` until it gives nothing before the next call, and hand over at most `LINE_MAX` at a time.
    pub fn push(&mut self, octets: &[u8]) {
        self.held.drain(..self.taken);
        self.taken = 0;
        self.held.extend_from_slice(octets);
    }

    /// The next message, if it is whole.
    pub fn cut(&mut self) -> Option<Cut<'_>> {
        // An empty line says nothing; some senders also put a line feed behind a message that is counted in octets.
        while !self.skipping && matches!(self.held.get(self.taken), Some(b'\n' | b'\r' | 0)) {
            self.taken += 1;
            self.searched = 0;
        }
        let rest = self.held.get(self.taken..).unwrap_or_default();
        match if self.skipping { Counted::Not } else { counted(rest) } {
            Counted::Not => {}
            Counted::Unclear => return None,
            Counted::TooLong => return Some(Cut::Lost),
            Counted::Whole { start, end } => {
                let (from, until) = (self.taken + start, self.taken + end);
                (self.taken, self.searched) = (until, 0);
                return Some(Cut::Line(&self.held[from..until]));
            }
        }
        match rest[self.searched.min(rest.len())..].iter().position(|octet| *octet == b'\n') {
            Some(at) => {
                let (from, until) = (self.taken, self.taken + self.searched + at);
                (self.taken, self.searched) = (until + 1, 0);
                if std::mem::take(&mut self.skipping) || until - from > LINE_MAX {
                    return Some(Cut::TooLong);
                }
                Some(Cut::Line(&self.held[from..until]))
            }
            None if self.skipping || rest.len() > LINE_MAX => {
                // The end of it is waited for, and nothing of it is held.
                self.skipping = true;
                (self.taken, self.searched) = (self.held.len(), 0);
                None
            }
            None => {
                self.searched = rest.len();
                None
            }
        }
    }

    /// What is left when the connection has ended: a last line without its line feed, or a part of a message, which is no message.
    #[must_use]
    pub fn end(self) -> Option<Result<Vec<u8>, ()>> {
        let rest = self.held.get(self.taken..).unwrap_or_default();
        if self.skipping {
            return Some(Err(()));
        }
        match counted(rest) {
            _ if rest.is_empty() => None,
            Counted::Not => Some(Ok(rest.to_vec())),
            _ => Some(Err(())),
        }
    }

    /// Octets that are held.
    #[must_use]
    pub fn held(&self) -> usize {
        self.held.len() - self.taken
    }
}

/// What the beginning of a message says of its framing.
enum Counted {
    /// It ends with a line feed.
    Not,
    /// More octets are needed.
    Unclear,
    /// It is counted and whole; where it begins and ends.
    Whole { start: usize, end: usize },
    /// It is counted, and too long.
    TooLong,
}

fn counted(rest: &[u8]) -> Counted {
    if !matches!(rest.first(), Some(b'1'..=b'9')) {
        return Counted::Not;
    }
    let digits = rest.iter().take_while(|octet| octet.is_ascii_digit()).count();
    match rest.get(digits..) {
        _ if digits > DIGITS => Counted::Not,
        Some([] | [b' ']) => Counted::Unclear,
        Some([b' ', b'<', ..]) => {
            let len = rest[..digits].iter().fold(0_usize, |sum, digit| sum * 10 + usize::from(digit - b'0'));
            let start = digits + 1;
            match len {
                _ if len > LINE_MAX => Counted::TooLong,
                _ if rest.len() < start + len => Counted::Unclear,
                _ => Counted::Whole { start, end: start + len },
            }
        }
        _ => Counted::Not,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Everything that a connection gives when its octets come in pieces of this length.
    fn read(octets: &[u8], piece: usize) -> Vec<Result<Vec<u8>, &'static str>> {
        let (mut framer, mut out) = (Framer::default(), Vec::new());
        for part in octets.chunks(piece) {
            framer.push(part);
            while let Some(cut) = framer.cut() {
                match cut {
                    Cut::Line(line) => out.push(Ok(line.to_vec())),
                    Cut::TooLong => out.push(Err("too long")),
                    Cut::Lost => {
                        out.push(Err("lost"));
                        return out;
                    }
                }
            }
        }
        out.extend(framer.end().map(|rest| rest.map_err(|()| "torn")));
        out
    }

    fn lines(all: &[&str]) -> Vec<Result<Vec<u8>, &'static str>> {
        all.iter().map(|line| Ok(line.as_bytes().to_vec())).collect()
    }

    #[test]
    fn both_framings_stand_in_one_connection_however_it_is_cut() {
        let octets = b"8 <13>a\nb!\n<14>line\r\n2026-11-22 plain\n7 <1>last7 of us\n5 <1>xy\n\n<13>end";
        let expected =
            lines(&["<13>a\nb!", "<14>line\r", "2026-11-22 plain", "<1>last", "7 of us", "<1>xy", "<13>end"]);
        for piece in 1..octets.len() {
            assert_eq!(read(octets, piece), expected, "{piece}");
        }
    }

    #[test]
    fn a_line_that_is_too_long_is_left_out_and_the_next_is_read() {
        let octets = [&[b'C'; LINE_MAX + 1][..], b"\n<13>next\n"].concat();
        for piece in [1_000, LINE_MAX, octets.len()] {
            assert_eq!(read(&octets, piece), [Err("too long"), Ok(b"<13>next".to_vec())], "{piece}");
        }
    }

    #[test]
    fn a_length_that_is_too_long_loses_the_connection_and_one_without_a_message_is_text() {
        assert_eq!(read(b"<1>a\n999999 <13>b", 5), [Ok(b"<1>a".to_vec()), Err("lost")]);
        assert_eq!(read(b"9999999999 <13>b\n", 5), lines(&["9999999999 <13>b"]));
        assert_eq!(read(b"12 monkeys\n", 3), lines(&["12 monkeys"]));
    }

    #[test]
    fn what_ends_in_the_middle_of_a_counted_message_is_torn() {
        assert_eq!(read(b"20 <13>cut", 4), [Err("torn")]);
        assert_eq!(read(&[b'x'; LINE_MAX + 5], 1 << 14), [Err("torn")]);
        assert_eq!(read(b"", 1), []);
    }

    proptest! {
        #[test]
        fn nothing_is_held_beyond_the_longest_message(octets in prop::collection::vec(prop::sample::select(&b"19 <>a\n\0"[..]), 0..400), piece in 1_usize..50) {
            let mut framer = Framer::default();
            for part in octets.chunks(piece) {
                framer.push(part);
                while framer.cut().is_some_and(|cut| cut != Cut::Lost) {}
                prop_assert!(framer.held() <= LINE_MAX + DIGITS + 1 + piece);
            }
            let _ = framer.end();
        }

        #[test]
        fn each_message_comes_once_and_whole(lines in prop::collection::vec("<[0-9]{1,3}>[a-z \n]{0,40}", 1..20), counted in any::<u64>(), piece in 1_usize..60) {
            let mut octets = Vec::new();
            let mut expected = Vec::new();
            for (n, line) in lines.iter().enumerate() {
                if counted >> (n % 64) & 1 == 1 {
                    octets.extend(format!("{} {line}", line.len()).bytes());
                    expected.push(Ok(line.clone().into_bytes()));
                } else {
                    let line = line.replace('\n', " ");
                    octets.extend(format!("{line}\n").bytes());
                    expected.push(Ok(line.into_bytes()));
                }
            }
            prop_assert_eq!(read(&octets, piece), expected);
        }
    }
}
