//! What is kept: one type a record, with its bounds.

use serde::{Deserialize, Serialize};
use terms::{BlockState, Family, HostKey, MacAddr, Side, ThreatLevel, Timestamp};

/// Evidence frames kept of one event.
const FRAMES: usize = 32;
/// Octets kept of one evidence frame.
const FRAME_OCTETS: usize = 128;
/// Octets kept of a text.
const TEXT: usize = 1024;
/// Pairs of evidence kept of one event.
const EVIDENCE: usize = 64;
/// Features kept of one event.
const FEATURES: usize = 128;

/// Something that was found or done, with its evidence.
///
/// **Bounds**: 32 frames of 128 octets, 64 pairs of evidence, 128 features, texts of 1,024 octets; the rest is cut off when the
/// event is appended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Its number: 1 and up, in the order of appending, never used twice. The store assigns it.
    pub id: u64,
    /// When it was found, on the clock of the frames.
    pub at: Timestamp,
    /// The host that it is about.
    pub host: HostKey,
    /// The host's hardware address, where one is known.
    pub mac: Option<MacAddr>,
    /// The side of the box on which the host is.
    pub side: Side,
    /// How far the act against the host has come.
    pub state: BlockState,
    /// How bad it is.
    pub level: ThreatLevel,
    /// The kind of threat, if it is one.
    pub family: Option<Family>,
    /// What found it: `rule:...`, `forest` or `baseline`.
    pub detector: String,
    /// In words, for the admin.
    pub why: String,
    /// How sure the detector is.
    ///
    /// **Units**: 0 to 1.
    pub confidence: f32,
    /// The numbers that speak for it, by name.
    pub evidence: Vec<(String, f64)>,
    /// The host's features at that moment, by name, so that they can be read when the list of features is another one; empty
    /// where none were computed.
    pub features: Vec<(String, f32)>,
    /// The first frames that were counted.
    pub frames: Vec<EvidenceFrame>,
}

/// How an event begins: what it is found by, read without the rest of it.
///
/// **Shape**: the first fields of [`Event`], in its order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Head {
    pub(crate) id: u64,
    pub(crate) at: Timestamp,
    pub(crate) host: HostKey,
    pub(crate) mac: Option<MacAddr>,
    #[allow(dead_code, reason = "it stands between what is read")]
    pub(crate) side: Side,
    pub(crate) state: BlockState,
    pub(crate) level: ThreatLevel,
    pub(crate) family: Option<Family>,
}

/// The beginning of one frame that spoke for an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvidenceFrame {
    /// When it was seen.
    pub at: Timestamp,
    /// Its length on the wire.
    ///
    /// **Units**: octets.
    pub len: u32,
    /// Its first octets.
    ///
    /// **Bounds**: 128.
    pub octets: Vec<u8>,
}

/// What one host was in one minute.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Minute {
    /// Whole minutes since the epoch.
    pub minute: u64,
    /// The host.
    pub host: HostKey,
    /// Its highest level in that minute.
    pub level: ThreatLevel,
    /// How sure that is.
    ///
    /// **Units**: 0 to 1.
    pub confidence: f32,
    /// The evidence against it, added up and faded.
    pub score: f32,
}

/// A host that was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostRecord {
    /// The host.
    pub host: HostKey,
    /// Its hardware address, where one is known.
    pub mac: Option<MacAddr>,
    /// The side of the box on which it is.
    pub side: Side,
    /// When it was first seen.
    pub first_seen: Timestamp,
    /// When it was last seen.
    pub last_seen: Timestamp,
    /// Its level when last seen.
    pub level: ThreatLevel,
    /// What detection learnt of it, in a form that is detection's; all 0 where it learnt nothing.
    pub learnt: [u64; 7],
}

/// What the gateway did in one minute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// Whole minutes since the epoch.
    pub minute: u64,
    /// Frames seen.
    pub frames: u64,
    /// Octets seen.
    pub octets: u64,
    /// Frames that the rings lost.
    pub dropped: u64,
    /// Hosts known at its end.
    pub hosts: u32,
    /// Blocks in force at its end.
    pub blocks: u32,
}

/// What an admin said of an event.
///
/// **Bounds**: those of its event, which is kept without frames.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Feedback {
    /// When it was said.
    pub at: Timestamp,
    /// Whether the event was right; else it was a false alarm.
    pub right: bool,
    /// Until when a false alarm quiets its family for its host.
    pub until: Timestamp,
    /// The event.
    pub event: Event,
}

impl Feedback {
    /// The feedback within its bounds.
    pub(crate) fn bounded(self) -> Self {
        Self { event: Event { frames: Vec::new(), ..self.event }.bounded(), ..self }
    }
}

impl Head {
    /// Whether it is a threat: of a family, and not `Safe`.
    pub(crate) fn is_threat(&self) -> bool {
        self.family.is_some() && self.level != ThreatLevel::Safe
    }
}

impl From<&Event> for Head {
    fn from(event: &Event) -> Self {
        let Event { id, at, host, mac, side, state, level, family, .. } = *event;
        Self { id, at, host, mac, side, state, level, family }
    }
}

impl Event {
    /// The event within its bounds.
    pub(crate) fn bounded(mut self) -> Self {
        self.frames.truncate(FRAMES);
        for frame in &mut self.frames {
            frame.octets.truncate(FRAME_OCTETS);
        }
        self.evidence.truncate(EVIDENCE);
        for (name, _) in &mut self.evidence {
            cut(name);
        }
        self.features.truncate(FEATURES);
        for (name, _) in &mut self.features {
            cut(name);
        }
        cut(&mut self.detector);
        cut(&mut self.why);
        self
    }
}

impl HostRecord {
    /// What is known of the host once `newer` is known as well: the earliest sight stays, and what was learnt of the same device.
    pub(crate) fn updated(self, newer: Self) -> Self {
        let first_seen = self.first_seen.min(newer.first_seen);
        let same = newer.mac.is_none() || newer.mac == self.mac;
        let learnt = if newer.learnt == [0; 7] && same { self.learnt } else { newer.learnt };
        Self { first_seen, mac: newer.mac.or(self.mac), learnt, ..newer }
    }

    /// Whether anything differs but the time of the last sight and what was learnt since.
    pub(crate) fn differs(&self, other: &Self) -> bool {
        Self { last_seen: other.last_seen, learnt: other.learnt, ..*self } != *other
    }
}

/// Cuts a text to its bound, between two characters.
fn cut(text: &mut String) {
    if text.len() > TEXT {
        let end = (0..=TEXT).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
        text.truncate(end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_between_two_characters() {
        let mut text = "a".to_owned() + &"é".repeat(TEXT);
        cut(&mut text);
        assert_eq!(text.len(), TEXT - 1);
        assert!(text.ends_with('é'));
    }

    #[test]
    fn a_host_keeps_its_first_sight_and_its_known_hardware_address() {
        let at = Timestamp::from_secs;
        let host = HostKey::V4([192, 0, 2, 1].into());
        let mac = Some(MacAddr::new([2, 0, 0, 0, 0, 1]));
        let (side, level, learnt) = (Side::Lan, ThreatLevel::Safe, [7; 7]);
        let old = HostRecord { host, mac, side, first_seen: at(1), last_seen: at(2), level, learnt };
        let level = ThreatLevel::High;
        let new = HostRecord { mac: None, first_seen: at(5), last_seen: at(6), level, learnt: [0; 7], ..old };
        let both = old.updated(new);
        assert_eq!(both, HostRecord { last_seen: at(6), level: ThreatLevel::High, ..old });
        assert!(both.differs(&old));
        let other = HostRecord { mac: Some(MacAddr::new([2, 0, 0, 0, 0, 2])), ..new };
        assert_eq!(old.updated(other).learnt, [0; 7], "another device has no habits of this one");
    }
}
