//! What the table held, as the octets of a file: the last good ruleset, to be put in force before there is a gateway.
//!
//! **Shape**: `PICKETRS`, format (4 octets, lowest first), length of the content (4), its SHA-256 (32), the content: postcard of
//! [`Kept`]. A file of another format is refused: its fields would be taken for others.
//!
//! **Bounds**: [`LONGEST`] octets in all; a count inside can promise no more than the octets behind it give.

use policy::{BlockTarget, Ruleset};
use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use terms::{Failure, Span, Timestamp};

const MAGIC: &[u8; 8] = b"PICKETRS";
/// Changes with every change of what is kept; a test below notices one.
const FORMAT: u32 = 1;
const HEAD: usize = MAGIC.len() + 4 + 4 + 32;
/// The longest file.
pub const LONGEST: usize = 4 << 20;

/// The last good ruleset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// When this was so.
    pub at: Timestamp,
    /// What passes while the gateway does not run.
    pub failure: Failure,
    /// What the kernel confirmed.
    pub ruleset: Ruleset,
    /// Who is blocked, and until when.
    pub blocks: Vec<(BlockTarget, Timestamp)>,
}

/// Why octets are no kept ruleset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeptError {
    /// Too long, too short, or something else.
    #[error("it is not a kept ruleset")]
    Foreign,
    /// Of another format.
    #[error("it is a kept ruleset of format {0}, and this is {FORMAT}")]
    Format(u32),
    /// Changed since it was written.
    #[error("it is damaged: its checksum does not match")]
    Damaged,
    /// Larger than may be kept.
    #[error("the ruleset takes more than {LONGEST} octets and can't be kept")]
    TooLong,
}

impl Kept {
    /// The octets of the file.
    ///
    /// # Errors
    /// `TooLong`.
    pub fn write(&self) -> Result<Vec<u8>, KeptError> {
        let content = postcard::to_allocvec(self).map_err(|_| KeptError::TooLong)?;
        let len = u32::try_from(content.len()).map_err(|_| KeptError::TooLong)?;
        if HEAD + content.len() > LONGEST {
            return Err(KeptError::TooLong);
        }
        let sum = digest(&SHA256, &content);
        Ok([&MAGIC[..], &FORMAT.to_le_bytes(), &len.to_le_bytes(), sum.as_ref(), &content].concat())
    }

    /// What a file holds; any octets are safe here.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn read(octets: &[u8]) -> Result<Self, KeptError> {
        if octets.len() > LONGEST {
            return Err(KeptError::Foreign);
        }
        let rest = octets.strip_prefix(MAGIC).ok_or(KeptError::Foreign)?;
        let (format, rest) = rest.split_first_chunk::<4>().ok_or(KeptError::Foreign)?;
        let format = u32::from_le_bytes(*format);
        if format != FORMAT {
            return Err(KeptError::Format(format));
        }
        let (len, rest) = rest.split_first_chunk::<4>().ok_or(KeptError::Foreign)?;
        let (sum, content) = rest.split_first_chunk::<32>().ok_or(KeptError::Foreign)?;
        let whole = usize::try_from(u32::from_le_bytes(*len)).is_ok_and(|len| len == content.len());
        if !whole || digest(&SHA256, content).as_ref() != sum {
            return Err(KeptError::Damaged);
        }
        match postcard::take_from_bytes(content) {
            Ok((kept, [])) => Ok(kept),
            _ => Err(KeptError::Damaged),
        }
    }

    /// The blocks with the time that they have left. A clock that lies before the moment in which this was kept is not believed.
    #[must_use]
    pub fn blocks_left(&self, now: Timestamp) -> Vec<(BlockTarget, Span)> {
        let now = now.max(self.at);
        let standing = self.blocks.iter().filter(|(_, until)| *until > now);
        standing.map(|(target, until)| (*target, until.since(now))).collect()
    }

    /// Whether another one differs in more than when it was so.
    #[must_use]
    pub fn says_the_same(&self, other: &Self) -> bool {
        (self.failure, &self.ruleset, &self.blocks) == (other.failure, &other.ruleset, &other.blocks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use policy::{Begins, Family, Line, Match, NeverBlock, Plan, Ports, RuleNumber, Then, Told};
    use std::collections::{BTreeMap, BTreeSet};
    use terms::MacAddr;

    fn kept() -> Kept {
        let mac = MacAddr::new([2, 0, 0, 0, 0, 1]);
        let admit = Then::Admit {
            number: RuleNumber(7),
            counter: "allow".into(),
            told: Told::ByPorts,
            family: Family::V4,
            begins: Begins::Lan,
        };
        let deny = Then::Drop { counter: "denied".into(), rule: "default".into(), number: None };
        let matches = vec![
            Match::Family(Family::V4),
            Match::To("192.168.9.0/24".parse().unwrap()),
            Match::Protocol(6),
            Match::ToPorts(Ports::new(443, 443).unwrap()),
        ];
        let plan = Plan {
            chains: BTreeMap::from([(
                "newcomers".into(),
                vec![Line { matches, then: admit }, Line { matches: vec![], then: deny }].into(),
            )]),
            from_mac: BTreeMap::from([(mac, Some("newcomers".into()))]),
            holds_newcomers: true,
            live: BTreeMap::from([(RuleNumber(7), None)]),
            counters: BTreeSet::from(["allow".into(), "denied".into()]).into(),
            ..Plan::default()
        };
        let never_block = vec![NeverBlock::Mac(mac)];
        Kept {
            at: Timestamp::from_secs(1_000),
            failure: Failure::Closed,
            ruleset: Ruleset { lan: "eth1".into(), uplink: "eth0".into(), never_block, plan: Some(plan) },
            blocks: vec![(BlockTarget::Mac(mac), Timestamp::from_secs(1_600))],
        }
    }

    #[test]
    fn what_is_kept_is_read_again_and_another_form_of_it_is_another_format() {
        let octets = kept().write().unwrap();
        assert_eq!(Kept::read(&octets), Ok(kept()));
        let sum: String = octets[16..24].iter().map(|octet| format!("{octet:02x}")).collect();
        // Whoever changes what is kept changes FORMAT with it: a slot of another version reads this file.
        assert_eq!((FORMAT, sum.as_str()), (1, "160d0767f8c835b1"));
    }

    #[test]
    fn a_file_that_is_cut_bent_or_of_another_format_is_refused_in_words() {
        let octets = kept().write().unwrap();
        for len in 0..octets.len() {
            assert!(Kept::read(&octets[..len]).is_err(), "{len}");
        }
        for at in 0..octets.len() {
            let mut bent = octets.clone();
            bent[at] ^= 1;
            assert!(Kept::read(&bent).is_err(), "{at}");
        }
        let mut later = octets.clone();
        later[8] = 2;
        assert_eq!(Kept::read(&later), Err(KeptError::Format(2)));
        assert_eq!(Kept::read(&[octets, vec![0]].concat()), Err(KeptError::Damaged));
        assert_eq!(Kept::read(&vec![0; LONGEST + 1]), Err(KeptError::Foreign));
    }

    #[test]
    fn any_content_behind_a_right_checksum_is_read_in_bounded_memory() {
        let mut content: Vec<u8> = (0..400_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        for round in 0..2_000_usize {
            let at = round % content.len();
            content[at] = content[at].wrapping_mul(31).wrapping_add(0x8d);
            let sum = digest(&SHA256, &content);
            let len = u32::try_from(content.len()).unwrap();
            let octets = [&MAGIC[..], &FORMAT.to_le_bytes(), &len.to_le_bytes(), sum.as_ref(), &content].concat();
            let _ = Kept::read(&octets);
        }
    }

    #[test]
    fn blocks_go_on_with_the_time_they_had_left_and_a_clock_that_runs_behind_gives_them_no_more() {
        let left = |secs| kept().blocks_left(Timestamp::from_secs(secs)).first().map(|(_, left)| left.secs());
        assert_eq!((left(1_100), left(5), left(1_600)), (Some(500), Some(600), None));
    }
}
