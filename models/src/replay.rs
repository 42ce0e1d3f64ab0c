//! Frames to hosts' minutes, through the code that runs on the box; and those minutes, labelled, to rows.

use capture::Frame;
use detect::{Detector, Finding, Sink, Thresholds, Window};
use features::{Capacities, FeatureVector, HashKey, SCHEMA, schema_hash};
use terms::{HostKey, Side};

use crate::labels::{Labels, Seen, Subject};
use crate::rows::{Row, Schema};

/// A detector and the minutes that it closed.
pub struct Replay {
    detector: Detector<'static>,
    minutes: Minutes,
}

/// Keeps the minutes; findings are the box's business.
struct Minutes(Vec<Window>);

/// The schema of this version's features.
#[must_use]
pub fn schema() -> Schema {
    Schema { names: SCHEMA.map(String::from).to_vec(), hash: schema_hash() }
}

impl Default for Replay {
    fn default() -> Self {
        let detector = Detector::new(HashKey::FIXED, Capacities::default(), Thresholds::default(), None);
        Self { detector, minutes: Minutes(Vec::new()) }
    }
}

impl Replay {
    /// Takes in one frame; what cannot be parsed is passed over.
    pub fn observe(&mut self, frame: &Frame<'_>) {
        let frame = frame.snapped();
        if let Ok(summary) = wire::parse(frame.link, frame.octets, frame.len, frame.vlan) {
            self.detector.observe(&summary, frame.at, Side::Unknown, &mut self.minutes);
        }
    }

    /// Every host's minutes, in the order in which they closed.
    #[must_use]
    pub fn end(mut self) -> Vec<Window> {
        self.detector.close(&mut self.minutes);
        self.minutes.0
    }
}

impl Sink for Minutes {
    fn finding(&mut self, _: &Finding, _: &FeatureVector) {}

    fn window(&mut self, window: &Window) {
        self.0.push(window.clone());
    }
}

impl Labels {
    /// The row of a host's minute, if it has a label; `device` names the kind of device, where that is known.
    #[must_use]
    pub fn row(&self, capture: &str, device: &str, window: &Window) -> Option<Row> {
        let (host, mac) = (window.host.to_string(), window.mac.to_string());
        // Behind a router the hardware address is the router's: it says nothing of a host with an address of its own, unless the
        // label is about hardware.
        let seen = Seen { host: &host, mac: &mac, start: window.start.as_secs_f64(), end: window.end.as_secs_f64() };
        let label = self.of(capture, seen)?;
        // Whoever invents addresses is one subject, not as many as it invents.
        let host = if let Subject::Mac(mac) = &label.subject { mac.clone() } else { host };
        let multicast = matches!(window.host, HostKey::Mac(m) if m.is_multicast());
        (!multicast).then(|| Row {
            vector: window.vector.0.to_vec(),
            level: label.level,
            family: label.family.clone(),
            source: label.source.clone(),
            tool: label.tool.clone(),
            capture: capture.to_owned(),
            device: device.to_owned(),
            host,
            minute: window.start.minute(),
            rules: window.level,
        })
    }
}
