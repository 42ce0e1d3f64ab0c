//! A list of octets that is searched eight at a time.

/// One octet for each of `WORDS` times eight places: part of what stands there, so that a search looks at few places besides those
/// that it wants.
///
/// **Bounds**: eight words.
/// **Source**: Warren, Hacker's Delight, section 6-1 (find first 0-byte), in the form that is exact for each octet.
#[derive(Clone, Debug)]
pub(crate) struct Marks<const WORDS: usize>([u64; WORDS]);

/// Some of the places, a bit each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Places(u64);

const ONES: u64 = u64::MAX / 0xff;
const LOW: u64 = ONES * 0x7f;
/// Gathers the lowest bit of each octet in the highest octet.
const GATHER: u64 = 0x0102_0408_1020_4080;

impl<const WORDS: usize> Marks<WORDS> {
    pub(crate) const NONE: Self = {
        assert!(WORDS <= 8, "a bit for each place");
        Self([0; WORDS])
    };

    /// Sets the mark of a place.
    #[inline]
    pub(crate) fn set(&mut self, place: usize, mark: u8) {
        let shift = place % 8 * 8;
        if let Some(word) = self.0.get_mut(place / 8) {
            *word = *word & !(0xff << shift) | u64::from(mark) << shift;
        }
    }

    /// Those of the first `len` places that have this mark.
    #[inline]
    pub(crate) fn places(&self, mark: u8, len: usize) -> Places {
        let marks = ONES * u64::from(mark);
        let all = self.0.iter().rev().fold(0, |all, word| {
            let differ = word ^ marks;
            let equal = !(((differ & LOW) + LOW) | differ | LOW);
            all << 8 | (equal >> 7).wrapping_mul(GATHER) >> 56
        });
        Places(if len < 64 { all & ((1 << len) - 1) } else { all })
    }
}

impl Iterator for Places {
    type Item = usize;

    /// The next one, in order.
    #[inline]
    fn next(&mut self) -> Option<usize> {
        let place = (self.0 != 0).then(|| self.0.trailing_zeros() as usize);
        self.0 &= self.0.wrapping_sub(1);
        place
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_places_of_a_mark_are_those_where_it_was_set_last() {
        let (mut marks, mut list, mut state) = (Marks::<3>::NONE, [0_u8; 24], 1_u64);
        for _ in 0..20_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let (place, mark) =
                ((state >> 33) as usize % 24, [0, 1, 2, 0x7f, 0x80, 0x81, 0xfe, 0xff][state as usize >> 60 & 7]);
            marks.set(place, mark);
            list[place] = mark;
            let len = place + 1;
            assert!(marks.places(mark, len).eq((0..len).filter(|n| list[*n] == mark)));
            assert!(marks.places(mark, 99).eq((0..24).filter(|n| list[*n] == mark)));
        }
        marks.set(24, 7);
    }
}
