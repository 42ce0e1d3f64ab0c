//! Numbers in network octet order, and a cursor that never reads past the end.

/// What is left to read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cursor<'a>(pub(crate) &'a [u8]);

impl<'a> Cursor<'a> {
    /// The next `len` octets.
    #[inline]
    pub(crate) fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }

    /// The next octet.
    #[inline]
    pub(crate) fn u8(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    /// The next two octets.
    #[inline]
    pub(crate) fn u16(&mut self) -> Option<u16> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u16::from_be_bytes(*taken))
    }

    /// The next four octets.
    #[inline]
    pub(crate) fn u32(&mut self) -> Option<u32> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u32::from_be_bytes(*taken))
    }

    /// The octets behind a length of one octet, as many of them as are there.
    #[inline]
    pub(crate) fn behind_u8(&mut self) -> Option<&'a [u8]> {
        let len = self.u8()?;
        self.take(usize::from(len))
    }

    /// The octets behind a length of two octets.
    #[inline]
    pub(crate) fn behind_u16(&mut self) -> Option<&'a [u8]> {
        let len = self.u16()?;
        self.take(usize::from(len))
    }
}

/// The two octets at `at`, if they are there.
#[inline]
pub(crate) fn u16_at(octets: &[u8], at: usize) -> Option<u16> {
    octets.get(at..)?.first_chunk().map(|pair| u16::from_be_bytes(*pair))
}

/// The length of a slice; no frame is longer than 4 GiB.
#[inline]
pub(crate) fn len32(octets: &[u8]) -> u32 {
    u32::try_from(octets.len()).unwrap_or(u32::MAX)
}

/// At most the first `len` octets.
#[inline]
pub(crate) fn upto(octets: &[u8], len: u32) -> &[u8] {
    octets.get(..len as usize).unwrap_or(octets)
}

/// Where the empty line begins that ends a head of lines.
pub(crate) fn head_end(octets: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        // The last of four octets tells how many places can't be it (Horspool's search).
        at += match octets.get(at..at + 4)? {
            b"\r\n\r\n" => return Some(at),
            [.., b'\r'] => 1,
            [.., b'\n'] => 2,
            _ => 4,
        };
    }
}

/// Whether `needle` (in lower case) occurs in `octets`, in whatever case.
pub(crate) fn contains(octets: &[u8], needle: &[u8]) -> bool {
    let Some((first, rest)) = needle.split_first() else { return true };
    // The first octet alone rules out nearly every place.
    let begins = |octet: &u8| octet.to_ascii_lowercase() == *first;
    let mut left = octets;
    while let Some(at) = left.iter().position(begins) {
        left = &left[at + 1..];
        if left.get(..rest.len()).is_some_and(|here| here.eq_ignore_ascii_case(rest)) {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_head_ends_where_its_first_empty_line_is(text in "[\r\na]{0,24}") {
            let end = text.as_bytes().windows(4).position(|four| four == b"\r\n\r\n");
            prop_assert_eq!(head_end(text.as_bytes()), end);
        }
    }
}
