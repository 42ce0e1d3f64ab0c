//! A small source of numbers that an attacker on the wire cannot foresee without the seed.

use terms::Span;

/// `splitmix64`: one addition and three shifts a number, from any seed.
///
/// **Source**: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
#[derive(Debug)]
pub(super) struct Jitter(u64);

impl Jitter {
    /// The same seed gives the same numbers.
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// `span`, or up to `percent` of it more.
    pub(super) fn stretch(&mut self, span: Span, percent: u8) -> Span {
        let most = u128::from(span.micros()) * u128::from(percent) / 100;
        let more = u128::from(self.draw()) % (most + 1);
        Span::from_micros(u64::try_from(u128::from(span.micros()) + more).unwrap_or(u64::MAX))
    }

    fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stretched_span_fills_its_tenth_and_never_leaves_it() {
        let mut jitter = Jitter::new(1);
        let spans: Vec<_> = (0..1000).map(|_| jitter.stretch(Span::from_secs(600), 10).micros()).collect();
        assert!(spans.iter().all(|s| (600_000_000..=660_000_000).contains(s)));
        assert!(spans.iter().min() < Some(&602_000_000) && spans.iter().max() > Some(&658_000_000));
        assert_eq!(jitter.stretch(Span::from_secs(600), 0), Span::from_secs(600));
        assert!(jitter.stretch(Span::from_micros(u64::MAX), 99).micros() == u64::MAX);
    }
}
