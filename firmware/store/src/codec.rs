//! Octets of keys and values.
//!
//! A value is one format tag (high half: the kind of record, low half: its version) and the record in postcard. A key is big-endian
//! so that octet order is the order of numbers. A tag that is not known is an error, never a guess.

use policy::device::DeviceRecord;
use policy::{Block, Flow};
use serde::Serialize;
use serde::de::DeserializeOwned;
use terms::HostKey;

use crate::journal::BlockIndex;
use crate::records::{Counters, Event, Feedback, Head, HostRecord, Minute};

/// Number of the layout of the whole store. A change adds a migration from the number before.
pub(crate) const SCHEMA: u32 = 1;

/// A kind of record with its format tag.
pub(crate) trait Record: Serialize + DeserializeOwned {
    /// The format tag of the version that is written.
    const TAG: u8;
    /// What it is called when it cannot be read.
    const NAME: &'static str;

    /// The record of an older version's value, without its tag.
    fn older(_tag: u8, _rest: &[u8]) -> Option<Self> {
        None
    }
}

/// A value could not be read.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DecodeError {
    #[error("an empty {0}")]
    Empty(&'static str),
    #[error("a {name} of unknown format {tag:#04x}")]
    Format { name: &'static str, tag: u8 },
    #[error("a {0} that does not read back")]
    Malformed(&'static str),
}

/// What one call appended for one minute, part of it if there are many.
#[derive(Serialize, serde::Deserialize)]
pub(crate) struct Slab(pub(crate) Vec<Minute>);

/// The same of flows.
#[derive(Serialize, serde::Deserialize)]
pub(crate) struct FlowSlab(pub(crate) Vec<Flow>);

macro_rules! records {
    ($($type:ty, $tag:literal, $name:literal;)*) => {
        $(impl Record for $type {
            const TAG: u8 = $tag;
            const NAME: &'static str = $name;
        })*
    };
}

records! {
    Event, 0x11, "event";
    Slab, 0x21, "minute";
    Counters, 0x31, "row of counters";
    Block, 0x51, "block";
    BlockIndex, 0x61, "index of a sealed block";
    terms::BlockState, 0x71, "state of an event";
    Feedback, 0x81, "feedback";
    DeviceRecord, 0xa1, "device";
    FlowSlab, 0xb1, "flow";
    intake::Activity, 0xc1, "activity";
}

impl Record for HostRecord {
    const TAG: u8 = 0x42;
    const NAME: &'static str = "host";

    /// Version 1 ended before what was learnt.
    fn older(tag: u8, rest: &[u8]) -> Option<Self> {
        let nothing = [0; 7];
        let whole = (tag == 0x41).then(|| [rest, &nothing].concat())?;
        postcard::take_from_bytes(&whole).ok().filter(|(_, left)| left.is_empty()).map(|(host, _)| host)
    }
}

/// The value of a record.
pub(crate) fn encode<T: Record>(record: &T) -> Vec<u8> {
    let tagged = postcard::to_extend(record, vec![T::TAG]);
    debug_assert!(tagged.is_ok(), "plain data always encodes into a vector");
    tagged.unwrap_or_default()
}

/// The record of a value.
pub(crate) fn decode<T: Record>(value: &[u8]) -> Result<T, DecodeError> {
    let (&tag, rest) = value.split_first().ok_or(DecodeError::Empty(T::NAME))?;
    if tag != T::TAG {
        return T::older(tag, rest).ok_or(DecodeError::Format { name: T::NAME, tag });
    }
    match postcard::take_from_bytes(rest) {
        Ok((record, [])) => Ok(record),
        _ => Err(DecodeError::Malformed(T::NAME)),
    }
}

/// The beginning of an event's value.
pub(crate) fn decode_head(value: &[u8]) -> Result<Head, DecodeError> {
    let (&tag, rest) = value.split_first().ok_or(DecodeError::Empty(Event::NAME))?;
    if tag != Event::TAG {
        return Err(DecodeError::Format { name: Event::NAME, tag });
    }
    postcard::take_from_bytes(rest).map(|(head, _)| head).map_err(|_| DecodeError::Malformed(Event::NAME))
}

/// The key of a host: its kind, then its address as on the wire.
pub(crate) fn host_key(host: HostKey) -> Vec<u8> {
    let mut key = Vec::with_capacity(17);
    match host {
        HostKey::V4(a) => {
            key.push(4);
            key.extend(a.octets());
        }
        HostKey::V6(a) => {
            key.push(6);
            key.extend(a.octets());
        }
        HostKey::Mac(a) => {
            key.push(2);
            key.extend(a.octets());
        }
    }
    key
}

/// Eight octets of a key at an offset, as a number.
pub(crate) fn number_at(key: &[u8], offset: usize) -> Option<u64> {
    key.get(offset..offset + 8)?.try_into().ok().map(u64::from_be_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::EvidenceFrame;
    use policy::device::{Hints, MudSource, Name, NameSource, Place};
    use policy::{Asked, BlockTarget};
    use proptest::prelude::*;
    use std::net::Ipv4Addr;
    use terms::{BlockState, Family, MacAddr, Side, Span, ThreatLevel, Timestamp};

    const HOST: HostKey = HostKey::V4(Ipv4Addr::new(192, 168, 7, 9));
    const MAC: MacAddr = MacAddr::new([2, 0x5a, 0x10, 0, 0, 9]);

    fn event() -> Event {
        Event {
            id: 300,
            at: Timestamp::from_secs(1),
            host: HOST,
            mac: Some(MAC),
            side: Side::Lan,
            state: BlockState::Confirmed,
            level: ThreatLevel::High,
            family: Some(Family::PortScanUdp),
            detector: "rule:a".into(),
            why: "b".into(),
            confidence: 1.0,
            evidence: vec![("ports".into(), 2.0)],
            features: vec![("syn_share".into(), 0.5)],
            frames: vec![EvidenceFrame { at: Timestamp::from_micros(2), len: 60, octets: vec![0xff, 0] }],
        }
    }

    fn hex(octets: &[u8]) -> String {
        octets.iter().map(|o| format!("{o:02x}")).collect()
    }

    #[test]
    fn the_beginning_of_an_event_is_read_without_the_rest() {
        assert_eq!(decode_head(&encode(&event())), Ok(Head::from(&event())));
        assert_eq!(decode_head(&[]), Err(DecodeError::Empty("event")));
        assert_eq!(decode_head(&[0x11, 1]), Err(DecodeError::Malformed("event")));
        assert_eq!(decode_head(&encode(&Slab(Vec::new()))), Err(DecodeError::Format { name: "event", tag: 0x21 }));
    }

    #[test]
    fn each_version_keeps_its_octets() {
        let golden = [
            (
                encode(&event()),
                "11ac02c0843d00c0a8070901025a1000000900030201020672756c653a6101620000803f0105706f72747300000000000000\
                 40010973796e5f73686172650000003f01023c02ff00",
            ),
            (
                encode(&Slab(vec![Minute {
                    minute: 130,
                    host: HOST,
                    level: ThreatLevel::Medium,
                    confidence: 0.5,
                    score: 2.0,
                }])),
                "2101820100c0a80709010000003f00000040",
            ),
            (
                encode(&Counters { minute: 1, frames: 2, octets: 300, dropped: 0, hosts: 4, blocks: 5 }),
                "310102ac02000405",
            ),
            (
                encode(&HostRecord {
                    host: HostKey::Mac(MAC),
                    mac: None,
                    side: Side::Uplink,
                    first_seen: Timestamp::EPOCH,
                    last_seen: Timestamp::from_micros(128),
                    level: ThreatLevel::Safe,
                    learnt: [1, 0, 128, 0, 0, 0, 7],
                }),
                "4202025a100000090001008001000100800100000007",
            ),
            (
                encode(&Block {
                    host: HOST,
                    mac: Some(MAC),
                    target: BlockTarget::MacAndAddress(MAC, Ipv4Addr::new(192, 168, 7, 9).into()),
                    since: Timestamp::from_micros(1),
                    lasts: Span::from_micros(2),
                    why: "c".into(),
                    automatic: true,
                }),
                "5100c0a8070901025a1000000901025a1000000900c0a807090102016301",
            ),
            (encode(&BlockState::Blocked), "7102"),
            (
                encode(&DeviceRecord {
                    macs: vec![MAC],
                    addresses: vec![Place {
                        address: Ipv4Addr::new(192, 168, 7, 9).into(),
                        last_seen: Timestamp::from_micros(3),
                        leased: Timestamp::EPOCH,
                    }],
                    names: vec![Name { source: NameSource::Mdns, text: "a".into(), at: Timestamp::from_micros(4) }],
                    hints: Hints { parameters: vec![1, 3], capabilities: 32, ..Hints::default() },
                    mud: Some((MudSource::Lldp, "b".into())),
                    first_seen: Timestamp::from_micros(1),
                    last_seen: Timestamp::from_micros(3),
                    given_name: Some("c".into()),
                    tags: vec!["d".into()],
                    ..DeviceRecord::default()
                }),
                "a10001025a100000090100c0a807090300010101610402010300000000002001020162020103010163000001016400",
            ),
            (
                encode(&FlowSlab(vec![Flow {
                    mac: MAC,
                    lan: Ipv4Addr::new(192, 168, 7, 9).into(),
                    far: Ipv4Addr::new(192, 0, 2, 1).into(),
                    inbound: false,
                    asked: Asked::port(6, 443),
                    names: vec!["a.b".into()],
                    first: Timestamp::from_micros(1),
                    last: Timestamp::from_micros(2),
                    count: 3,
                    octets: [4, 300],
                }])),
                "b101025a1000000900c0a8070900c00002010006bb03000103612e6201020304ac02",
            ),
        ];
        for (ours, golden) in golden {
            assert_eq!(hex(&ours), golden);
        }
    }

    #[test]
    fn a_value_reads_back_and_no_part_of_it_does() {
        let value = encode(&event());
        assert_eq!(decode(&value), Ok(event()));
        assert_eq!(decode::<Event>(&[]), Err(DecodeError::Empty("event")));
        for len in 1..value.len() {
            assert_eq!(decode::<Event>(&value[..len]), Err(DecodeError::Malformed("event")), "{len}");
        }
        let more = [&value[..], &[0]].concat();
        assert_eq!(decode::<Event>(&more), Err(DecodeError::Malformed("event")));
    }

    #[test]
    fn a_host_of_version_1_is_read_as_one_of_whom_nothing_was_learnt() {
        let old = [0x41, 2, 2, 0x5a, 0x10, 0, 0, 9, 0, 1, 0, 0x80, 1, 0];
        let host: HostRecord = decode(&old).unwrap();
        assert_eq!((host.host, host.last_seen), (HostKey::Mac(MAC), Timestamp::from_micros(128)));
        assert_eq!(host.learnt, [0; 7]);
        let longer = [&old[..], &[0]].concat();
        assert_eq!(decode::<HostRecord>(&longer), Err(DecodeError::Format { name: "host", tag: 0x41 }));
        assert_eq!(decode::<HostRecord>(&old[..13]), Err(DecodeError::Format { name: "host", tag: 0x41 }));
    }

    #[test]
    fn a_format_of_tomorrow_is_refused_not_guessed() {
        assert_eq!(decode::<Event>(&[0x12, 0, 0]), Err(DecodeError::Format { name: "event", tag: 0x12 }));
        assert_eq!(decode::<Block>(&encode(&event())).unwrap_err().to_string(), "a block of unknown format 0x11");
    }

    proptest! {
        #[test]
        fn random_octets_are_never_a_panic(octets in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = decode::<Event>(&octets);
            let _ = decode::<Slab>(&[&[Slab::TAG][..], &octets].concat());
            let _ = decode::<Block>(&[&[Block::TAG][..], &octets].concat());
        }

        #[test]
        fn hosts_of_different_kinds_never_share_a_key(a in any::<u32>(), b in any::<u128>()) {
            prop_assert_ne!(host_key(HostKey::V4(a.into())), host_key(HostKey::V6(b.into())));
        }
    }
}
