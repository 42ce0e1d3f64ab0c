//! What devices did, as rows.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use policy::{Asked, Flow};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use terms::Timestamp;

/// Alike conversations of one device that began or went on in one minute.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FlowView<At = f64> {
    /// Its place in the history; older ones have lower numbers. It is good for paging: the newest may move.
    pub id: u64,
    /// When the first of them began; the first packet where they only went on.
    pub first: At,
    /// Their last packet.
    pub last: At,
    /// The hardware address of the device on the LAN side.
    pub mac: String,
    /// Its address.
    pub device: String,
    /// The address on the other side.
    pub peer: String,
    /// The names for which the device was told that address, newest first.
    pub names: Vec<String>,
    /// Who began: `lan` or `uplink`.
    pub begun_by: String,
    /// What was asked of the other: `tcp/443`, `udp/53`, `ping`.
    pub service: String,
    /// How many began.
    pub conversations: u32,
    /// Octets on the wire from the device.
    pub octets_out: u64,
    /// Octets on the wire towards it.
    pub octets_in: u64,
}

/// A page of flows, newest first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FlowPage<At = f64> {
    /// The flows.
    pub flows: Vec<FlowView<At>>,
    /// The number to ask for to get those before; nothing where these were the last.
    pub next: Option<u64>,
}

/// Flows by the thousand, newest first, for those who weigh a million of them: values, no words for people.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlowLots {
    /// The flows in postcard, written in base64.
    packed: String,
    /// The number to ask for to get those before; nothing where these were the last.
    pub next: Option<u64>,
}

impl FlowLots {
    /// Packs flows.
    #[must_use]
    pub fn new(flows: &[&Flow], next: Option<u64>) -> Self {
        // Into memory nothing is refused.
        Self { packed: BASE64.encode(postcard::to_allocvec(flows).unwrap_or_default()), next }
    }

    /// The flows; nothing if they are none, as from another version.
    #[must_use]
    pub fn flows(&self) -> Option<Vec<Flow>> {
        postcard::from_bytes(&BASE64.decode(&self.packed).ok()?).ok()
    }
}

impl From<(u64, &Flow)> for FlowView {
    fn from((id, flow): (u64, &Flow)) -> Self {
        Self {
            id,
            first: flow.first.as_secs_f64(),
            last: flow.last.as_secs_f64(),
            mac: flow.mac.to_string(),
            device: flow.lan.to_string(),
            peer: flow.far.to_string(),
            names: flow.names.clone(),
            begun_by: if flow.inbound { "uplink" } else { "lan" }.into(),
            service: flow.asked.to_string(),
            conversations: flow.count,
            octets_out: flow.octets[0],
            octets_in: flow.octets[1],
        }
    }
}

impl FlowView {
    /// The flow as a value; nothing if a field is none of its kind, as from another version.
    #[must_use]
    pub fn flow(&self) -> Option<Flow> {
        Some(Flow {
            mac: self.mac.parse().ok()?,
            lan: self.device.parse().ok()?,
            far: self.peer.parse().ok()?,
            inbound: self.begun_by == "uplink",
            asked: Asked::read(&self.service).ok()?,
            names: self.names.clone(),
            first: Timestamp::from_secs_f64(self.first),
            last: Timestamp::from_secs_f64(self.last),
            count: self.conversations,
            octets: [self.octets_out, self.octets_in],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use terms::MacAddr;

    #[test]
    fn flows_read_back_from_their_pack_and_from_nothing_else() {
        let flow = |n: u8| Flow {
            mac: MacAddr::new([2, 0, 0, 0, 0, n]),
            lan: [10, 0, 0, n].into(),
            far: [0x2001, 0xdb8, 0, 0, 0, 0, 0, 7].into(),
            inbound: n == 1,
            asked: Asked::port(6, 443),
            names: vec!["a.example".into(); usize::from(n)],
            first: Timestamp::from_micros(1_800_000_000_000_001),
            last: Timestamp::from_micros(u64::MAX),
            count: u32::MAX,
            octets: [0, u64::MAX],
        };
        let flows = [flow(0), flow(1), flow(2)];
        let lots = FlowLots::new(&flows.iter().collect::<Vec<_>>(), Some(7));
        assert_eq!(lots.flows().as_deref(), Some(&flows[..]));
        assert_eq!(FlowLots::new(&[], None).flows(), Some(vec![]));
        let cut = FlowLots { packed: lots.packed[..lots.packed.len() - 8].into(), next: None };
        assert_eq!(cut.flows(), None);
    }

    #[test]
    fn a_flow_reads_back_from_its_row() {
        let flow = Flow {
            mac: MacAddr::new([2, 0, 0, 0, 0, 1]),
            lan: [10, 0, 0, 5].into(),
            far: [203, 0, 113, 7].into(),
            inbound: true,
            asked: Asked { protocol: 1, port: 0, echo: true },
            names: vec!["a.example".into()],
            first: Timestamp::from_micros(1_795_424_400_123_457),
            last: Timestamp::from_micros(1_795_424_400_999_999),
            count: 3,
            octets: [1, 2],
        };
        assert_eq!(FlowView::from((7, &flow)).flow(), Some(flow));
        assert_eq!(FlowView::default().flow(), None);
    }
}
