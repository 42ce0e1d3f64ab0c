//! What a pcapng file says of one interface.

use terms::Timestamp;
use wire::LinkType;

use crate::file::link_type;

const TIME_RESOLUTION: u16 = 9;
const TIME_OFFSET: u16 = 14;

/// One interface of a section.
pub(super) struct Interface {
    /// What its frames begin with; none if nobody here reads that.
    pub(super) link: Option<LinkType>,
    /// The most octets that were kept of a frame.
    pub(super) snap: u32,
    ticks: Ticks,
    /// Seconds to be added to each time.
    offset: i64,
}

/// The unit in which an interface tells the time, as the negative power of its base.
enum Ticks {
    Decimal(u32),
    Binary(u32),
}

impl Interface {
    pub(super) fn new(link: u16, snap: u32) -> Self {
        // A snap length of zero stands for no limit.
        let snap = if snap == 0 { u32::MAX } else { snap };
        Self { link: link_type(u32::from(link)), snap, ticks: Ticks::Decimal(6), offset: 0 }
    }

    /// Takes in one option; those that say nothing of the time are passed by.
    pub(super) fn option(&mut self, code: u16, value: &[u8], big_endian: bool) {
        match (code, value) {
            (TIME_RESOLUTION, [power]) if power & 0x80 == 0 => self.ticks = Ticks::Decimal(u32::from(*power)),
            (TIME_RESOLUTION, [power]) => self.ticks = Ticks::Binary(u32::from(power & 0x7f)),
            (TIME_OFFSET, value) => {
                if let Ok(eight) = value.try_into() {
                    self.offset = if big_endian { i64::from_be_bytes(eight) } else { i64::from_le_bytes(eight) };
                }
            }
            _ => {}
        }
    }

    /// The moment that a time of this interface stands for; what lies outside of time stays at its ends.
    #[inline]
    pub(super) fn time(&self, ticks: u64) -> Timestamp {
        let micros = match self.ticks {
            Ticks::Decimal(6) => ticks,
            Ticks::Decimal(power @ 0..6) => ticks.saturating_mul(10_u64.pow(6 - power)),
            Ticks::Decimal(power) => 10_u64.checked_pow(power - 6).map_or(0, |unit| ticks / unit),
            // 64 bits times a million stay below 2^84, so that any power up to 127 can be shifted out.
            Ticks::Binary(power) => u64::try_from((u128::from(ticks) * 1_000_000) >> power).unwrap_or(u64::MAX),
        };
        Timestamp::from_micros(micros.saturating_add_signed(self.offset.saturating_mul(1_000_000)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(resolution: u8, offset: i64, ticks: u64) -> u64 {
        let mut interface = Interface::new(1, 0);
        interface.option(TIME_RESOLUTION, &[resolution], true);
        interface.option(TIME_OFFSET, &offset.to_be_bytes(), true);
        interface.time(ticks).micros()
    }

    #[test]
    fn every_resolution_tells_the_same_moment() {
        let secs = 1_700_000_000_u64;
        for (resolution, ticks) in [
            (0, secs),
            (3, secs * 1000),
            (6, secs * 1_000_000),
            (9, secs * 1_000_000_000),
            (0x80, secs),
            (0x8a, secs << 10),
        ] {
            assert_eq!(time(resolution, 0, ticks), secs * 1_000_000, "resolution {resolution:#x}");
        }
    }

    #[test]
    fn absurd_resolutions_and_offsets_stay_at_the_ends_of_time() {
        assert_eq!(time(0x7f, 0, u64::MAX), 0);
        assert_eq!(time(0xff, 0, u64::MAX), 0);
        assert_eq!(time(0, i64::MAX, u64::MAX), u64::MAX);
        assert_eq!(time(6, i64::MIN, 5), 0);
    }

    #[test]
    fn an_offset_moves_the_time_by_seconds() {
        assert_eq!(time(6, -3, 5_000_000), 2_000_000);
    }
}
