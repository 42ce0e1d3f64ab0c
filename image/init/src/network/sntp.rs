//! What a server of time is asked, what it answers, and what is done to the clock.
//!
//! Pure: times come in as microseconds since 1970. The question carries a random number instead of the box's own time, so that nobody
//! who does not see it can answer it and nobody learns the box's clock.
//!
//! **Source**: RFC 4330 sections 4 and 5; RFC 5905 section 7.3 for the layout, 7.4 for the kiss of death.

/// Octets of a question, and of an answer without what servers may add.
pub const LEN: usize = 48;
/// The port of servers.
pub const PORT: u16 = 123;
/// 1970 as NTP counts, in seconds since 1900.
const EPOCH: u64 = 2_208_988_800;
/// Seconds after which NTP's count begins anew: in 2036 for the first time.
const ERA: u64 = 1 << 32;
/// A second in microseconds.
pub const SECOND: i64 = 1_000_000;
/// 2026-01-01, before which no box of this version ran, and thirty years later.
const EARLIEST: i64 = crate::clock::EARLIEST as i64 * SECOND;
const LATEST: i64 = EARLIEST + 30 * 365 * 86_400 * SECOND;
/// How long an answer may take: half of it is how wrong it can be.
const LONGEST_TRIP: i64 = 2 * SECOND;
/// How far servers that agree are apart.
const AGREES: i64 = SECOND;
/// What the clock is off and is led to the right time without a step.
const LED: i64 = SECOND / 10;
/// How far a clock that was right already steps at most.
const LATER_STEP: i64 = 3_600 * SECOND;

/// Why an answer is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It is too short.
    #[error("it is too short")]
    Short,
    /// It is no server's answer of version 3 or 4.
    #[error("it is no server's answer")]
    Kind,
    /// It answers another question.
    #[error("it does not answer what was asked")]
    NotAsked,
    /// The server wants to be left alone.
    #[error("the server wants to be left alone")]
    LeftAlone,
    /// The server does not know the time.
    #[error("the server does not know the time itself")]
    Unknowing,
    /// The times are in no order, or the way took too long.
    #[error("its times make no sense")]
    Nonsense,
    /// The time is not one in which this box can be.
    #[error("it names a time that can't be")]
    Time,
}

/// What is done to the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// It is set forward by so much.
    Forward(i64),
    /// It is led to the right time: it goes faster, or slower, and never back.
    Lead(i64),
    /// Nothing: it was right a moment ago, and nobody's hour jumps by more.
    Leave,
}

/// The question with this number.
pub fn question(number: u64) -> [u8; LEN] {
    let mut octets = [0; LEN];
    // Version 4, a client.
    octets[0] = 0x23;
    octets[40..].copy_from_slice(&number.to_be_bytes());
    octets
}

/// How far the clock is behind, in microseconds, by the answer to the question of this number that was sent and heard at these times
/// of the clock.
///
/// # Errors
/// It is no answer, or one that can't be right.
pub fn behind(octets: &[u8], number: u64, sent: i64, heard: i64) -> Result<i64, Refused> {
    let octets = octets.first_chunk::<LEN>().ok_or(Refused::Short)?;
    let (leap, version, mode) = (octets[0] >> 6, (octets[0] >> 3) & 7, octets[0] & 7);
    if mode != 4 || !(3..=4).contains(&version) {
        return Err(Refused::Kind);
    }
    let field = |at: usize| octets[at..].first_chunk().map_or(0, |eight| u64::from_be_bytes(*eight));
    if field(24) != number {
        return Err(Refused::NotAsked);
    }
    match octets[1] {
        0 => return Err(Refused::LeftAlone),
        1..=15 if leap != 3 => {}
        _ => return Err(Refused::Unknowing),
    }
    let (received, answered) = (micros(field(32)), micros(field(40)));
    if field(32) == 0 || field(40) == 0 || answered < received || answered - received > LONGEST_TRIP {
        return Err(Refused::Nonsense);
    }
    let trip = heard - sent - (answered - received);
    if !(-AGREES..=LONGEST_TRIP).contains(&trip) {
        return Err(Refused::Nonsense);
    }
    if !(EARLIEST..=LATEST).contains(&answered) {
        return Err(Refused::Time);
    }
    Ok((received - sent + (answered - heard)) / 2)
}

/// What most servers say; nothing where they do not agree.
pub fn agreed(mut behind: Vec<i64>) -> Option<i64> {
    behind.sort_unstable();
    let middle = *behind.get(behind.len() / 2)?;
    let agree = behind.iter().filter(|one| (**one - middle).abs() <= AGREES).count();
    (agree * 2 > behind.len()).then_some(middle)
}

/// What to do with a clock that is behind by so much, or ahead where that is negative; `was_right` once it was set since the start.
pub const fn act(behind: i64, was_right: bool) -> Act {
    if behind <= LED {
        Act::Lead(behind)
    } else if was_right && behind > LATER_STEP {
        Act::Leave
    } else {
        Act::Forward(behind)
    }
}

/// NTP's seconds and their fraction as microseconds since 1970, in the era in which that is after 2026.
fn micros(stamp: u64) -> i64 {
    let (seconds, fraction) = (stamp >> 32, stamp & 0xffff_ffff);
    let first = EPOCH + crate::clock::EARLIEST;
    let seconds = if seconds < first { seconds + ERA } else { seconds } - EPOCH;
    // Both are far below what the number can hold.
    (seconds * 1_000_000 + ((fraction * 1_000_000) >> 32)) as i64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: i64 = EARLIEST + 400 * 86_400 * SECOND;

    fn stamp(micros: i64) -> [u8; 8] {
        let (seconds, rest) = (micros as u64 / 1_000_000 + EPOCH, micros as u64 % 1_000_000);
        (((seconds % ERA) << 32) | ((rest << 32) / 1_000_000)).to_be_bytes()
    }

    fn answer(number: u64, received: i64, answered: i64) -> [u8; LEN] {
        let mut octets = [0; LEN];
        octets[..2].copy_from_slice(&[0x24, 2]);
        octets[24..32].copy_from_slice(&number.to_be_bytes());
        octets[32..40].copy_from_slice(&stamp(received));
        octets[40..].copy_from_slice(&stamp(answered));
        octets
    }

    #[test]
    fn a_clock_that_is_behind_is_told_by_how_much_also_after_2036() {
        for now in [NOW, EARLIEST + 15 * 365 * 86_400 * SECOND] {
            let said = answer(7, now + 100 * SECOND + 10_000, now + 100 * SECOND + 10_500);
            let behind = behind(&said, 7, now, now + 20_500).expect("an answer");
            assert!((behind - 100 * SECOND).abs() < 10, "{behind}");
        }
    }

    #[test]
    fn what_is_no_answer_or_cannot_be_right_is_refused() {
        let right = answer(7, NOW, NOW + 10);
        let with = |place: usize, octet: u8| {
            let mut wrong = right;
            wrong[place] = octet;
            behind(&wrong, 7, NOW, NOW + 20).expect_err("refused")
        };
        assert_eq!(behind(&right[..47], 7, NOW, NOW + 20), Err(Refused::Short));
        assert_eq!((with(0, 0x23), with(0, 0x2c), with(0, 0x0c)), (Refused::Kind, Refused::Kind, Refused::Kind));
        assert_eq!(
            (with(0, 0xe4), with(1, 16), with(1, 0)),
            (Refused::Unknowing, Refused::Unknowing, Refused::LeftAlone)
        );
        assert_eq!(behind(&right, 8, NOW, NOW + 20), Err(Refused::NotAsked));
        assert_eq!(behind(&answer(7, NOW + 10, NOW), 7, NOW, NOW + 20), Err(Refused::Nonsense));
        assert_eq!(behind(&right, 7, NOW, NOW + 5 * SECOND), Err(Refused::Nonsense));
        let far = LATEST + 40 * 365 * 86_400 * SECOND;
        assert_eq!(behind(&answer(7, far, far), 7, NOW, NOW + 20), Err(Refused::Time));
    }

    #[test]
    fn one_liar_among_three_is_not_followed_and_two_that_differ_are_not_believed() {
        assert_eq!(agreed(vec![40, 900 * SECOND, 50]), Some(50));
        assert_eq!(agreed(vec![40, 900 * SECOND]), None);
        assert_eq!((agreed(vec![40]), agreed(vec![])), (Some(40), None));
    }

    #[test]
    fn the_clock_never_goes_back_and_jumps_far_only_once() {
        assert_eq!(act(-86_400 * SECOND, false), Act::Lead(-86_400 * SECOND));
        assert_eq!(act(300 * 86_400 * SECOND, false), Act::Forward(300 * 86_400 * SECOND));
        assert_eq!(act(300 * 86_400 * SECOND, true), Act::Leave);
        assert_eq!((act(60 * SECOND, true), act(LED, true)), (Act::Forward(60 * SECOND), Act::Lead(LED)));
    }

    proptest! {
        /// Of any octets at all only a time is taken in which this box can be, and never without the number that was asked with.
        #[test]
        fn no_octets_bring_it_down(octets in prop::collection::vec(any::<u8>(), 0..100), number in 1_u64.., mine in any::<bool>()) {
            let mut octets = octets;
            if mine && octets.len() >= 32 {
                octets[0] = 0x24;
                octets[24..32].copy_from_slice(&number.to_be_bytes());
            }
            if let Ok(behind) = behind(&octets, number, NOW, NOW + 1_000) {
                prop_assert!(mine && (EARLIEST..=LATEST + LONGEST_TRIP).contains(&(NOW + behind + LONGEST_TRIP)));
            }
        }
    }
}
