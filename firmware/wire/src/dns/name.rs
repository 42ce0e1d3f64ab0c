//! Names in DNS messages.
//!
//! **Source**: RFC 1035 sections 3.1 and 4.1.4.

use core::fmt;

use super::HEADER;

/// The longest name as text: 255 octets in the message (RFC 1035 section 2.3.4) less the first length and the root.
const LONGEST: usize = 253;
/// How many pointers a name may take. Honest names take one or two; without a limit one frame could cost a million steps.
const MOST_POINTERS: u8 = 16;

/// What each octet of a label is read as.
static READ_AS: [u8; 256] = {
    let mut read_as = [b'?'; 256];
    let mut octet = 0x21;
    while octet <= 0x7e {
        if octet != b'.' {
            read_as[octet as usize] = octet.to_ascii_lowercase();
        }
        octet += 1;
    }
    read_as
};

/// A name as dotted text in lower case, without the dot of the root.
///
/// **Bounds**: 253 octets of printable ASCII; any other octet, and a dot inside a label, reads `?`.
#[derive(Clone, Copy)]
pub struct Name {
    octets: [u8; LONGEST],
    len: u8,
}

impl Name {
    /// The name as text; empty for the root.
    #[must_use]
    pub fn as_str(&self) -> &str {
        core::str::from_utf8(self.as_bytes()).unwrap_or_default()
    }

    /// The octets of the text.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.octets.get(..usize::from(self.len)).unwrap_or_default()
    }

    /// The name of labels without pointers, up to the root or, of a part of a name, to their end. `None` if there is none.
    ///
    /// **Source**: RFC 4704 section 4.2.
    #[must_use]
    pub fn of_labels(mut labels: &[u8]) -> Option<Self> {
        let mut name = Self { octets: [0; LONGEST], len: 0 };
        while let Some((&len @ 1..=63, rest)) = labels.split_first() {
            let (label, rest) = rest.split_at_checked(usize::from(len))?;
            name.push(label)?;
            labels = rest;
        }
        let ended = labels.first().is_none_or(|octet| *octet == 0);
        (ended && name.len > 0).then_some(name)
    }

    /// The name of a text of labels and dots, as hosts tell their own. `None` if there is none, or it is too long.
    #[must_use]
    pub fn of_text(text: &[u8]) -> Option<Self> {
        let mut name = Self { octets: [0; LONGEST], len: 0 };
        for label in text.split(|octet| *octet == b'.').filter(|label| !label.is_empty()) {
            name.push(label)?;
        }
        (name.len > 0).then_some(name)
    }

    /// The name at `start` and the end of it in place, in a message.
    pub(super) fn read(message: &[u8], start: usize) -> Option<(Self, usize)> {
        let mut name = Self { octets: [0; LONGEST], len: 0 };
        let (mut at, mut floor, mut end, mut pointers) = (start, start, None, 0);
        loop {
            let len = *message.get(at)?;
            match len >> 6 {
                0 if len == 0 => return Some((name, end.unwrap_or(at + 1))),
                0 => {
                    let label = message.get(at + 1..at + 1 + usize::from(len))?;
                    name.push(label)?;
                    at += 1 + label.len();
                }
                3 => {
                    let target = usize::from(len & 0x3f) << 8 | usize::from(*message.get(at + 1)?);
                    end = end.or(Some(at + 2));
                    // Each jump goes before the one it came from, so the chain must end.
                    if target >= floor || target < HEADER || pointers == MOST_POINTERS {
                        return None;
                    }
                    (at, floor, pointers) = (target, target, pointers + 1);
                }
                _ => return None,
            }
        }
    }

    /// Adds a label. `None` if the name grows too long.
    fn push(&mut self, label: &[u8]) -> Option<()> {
        let mut len = usize::from(self.len);
        if len > 0 {
            *self.octets.get_mut(len)? = b'.';
            len += 1;
        }
        for (place, octet) in self.octets.get_mut(len..len + label.len())?.iter_mut().zip(label) {
            *place = READ_AS[usize::from(*octet)];
        }
        self.len = u8::try_from(len + label.len()).ok()?;
        Some(())
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for Name {}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The end of the name at `at`, without reading it.
pub(super) fn skip(message: &[u8], mut at: usize) -> Option<usize> {
    loop {
        let len = *message.get(at)?;
        match len >> 6 {
            0 if len == 0 => return Some(at + 1),
            0 => at += 1 + usize::from(len),
            3 => return Some(at + 2),
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use crate::dns::Message;
    use std::borrow::ToOwned;

    /// The name in the first question of this message.
    fn asked(message: &[u8]) -> Option<Name> {
        Message::parse(message)?.question().map(|question| question.name)
    }

    #[test]
    fn a_name_that_points_at_itself_or_forward_or_into_the_header_is_none() {
        for target in [0, 11, 12, 13, 14] {
            let mut message = *b"\0\0\0\0\0\x01\0\0\0\0\0\0\xc0\0\0\x01\0\x01";
            message[13] = target;
            assert_eq!(asked(&message), None, "{target}");
        }
        let turning = *b"\0\0\0\0\0\x01\0\x01\0\0\0\0\x01a\xc0\x0c\0\x01\0\x01";
        assert_eq!(asked(&turning), None);
    }

    #[test]
    fn a_name_may_be_as_long_as_the_limit_and_no_longer() {
        for (last, fits) in [(61, true), (62, false)] {
            let mut message = b"\0\0\0\0\0\x01\0\0\0\0\0\0".to_vec();
            for len in [63, 63, 63, last] {
                message.push(len);
                message.extend((0..len).map(|_| b'a'));
            }
            message.extend([0, 0, 1, 0, 1]);
            let len = asked(&message).map(|name| name.as_bytes().len());
            assert_eq!(len, fits.then_some(253), "{last}");
        }
    }

    #[test]
    fn a_chain_of_pointers_is_followed_only_so_far() {
        for (pointers, fits) in [(16, true), (17, false)] {
            // The root at 12, then pointers, each to the place before it.
            let mut message = [0; HEADER + 1].to_vec();
            let mut target = HEADER;
            for _ in 0..pointers {
                let here = message.len();
                message.extend([0xc0, target as u8]);
                target = here;
            }
            let read = Name::read(&message, target);
            assert_eq!(read.map(|(_, end)| end), fits.then_some(message.len()), "{pointers}");
        }
    }

    #[test]
    fn octets_that_are_not_printable_cannot_forge_a_name() {
        let message = b"\0\0\0\0\0\x01\0\0\0\0\0\0\x04a.\x07\xff\0\0\x01\0\x01";
        assert_eq!(asked(message).unwrap().as_str(), "a???");
    }

    #[test]
    fn labels_alone_are_a_name_with_or_without_the_root() {
        let name = |labels: &[u8]| Name::of_labels(labels).map(|name| name.as_str().to_owned());
        assert_eq!(name(b"\x03Cam\x04home\0").as_deref(), Some("cam.home"));
        assert_eq!(name(b"\x03cam").as_deref(), Some("cam"));
        for broken in [&b"\x04cam"[..], b"\xc0\x0c", b"\0", b"", b"\x03cam\xc0\x00"] {
            assert_eq!(name(broken), None, "{broken:?}");
        }
    }

    #[test]
    fn a_text_is_a_name_without_what_forges() {
        let name = |text: &[u8]| Name::of_text(text).map(|name| name.as_str().to_owned());
        assert_eq!(name(b"Kim's-PC.home.").as_deref(), Some("kim's-pc.home"));
        assert_eq!(name(b"a\x1b[2J b").as_deref(), Some("a?[2j?b"));
        assert_eq!((name(b""), name(b"..."), name(&[b'a'; 254])), (None, None, None));
    }

    #[test]
    fn the_root_is_an_empty_name() {
        let message = b"\0\0\0\0\0\x01\0\0\0\0\0\0\0\0\x02\0\x01";
        assert_eq!(asked(message).unwrap().as_str(), "");
    }
}
