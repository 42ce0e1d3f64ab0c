//! Days of a device that then is infected: each kind of evidence finds something that the others do not.

use detect::forest::Forest;
use detect::{Detector, Finding, Kinds, Sink, Thresholds, Window};
use features::{Capacities, FeatureVector, HashKey};
use models::scenes::{Scene, draw_day, plots};
use terms::{MacAddr, Side, ThreatLevel, Timestamp};

static FOREST: &[u8] = include_bytes!("../../picket.forest");
/// Where the draws begin.
const SEED: u64 = 20;

/// Whether anything is said of a device in its time.
struct Heard {
    device: MacAddr,
    from: Timestamp,
    found: bool,
}

impl Sink for Heard {
    fn finding(&mut self, finding: &Finding, _: &FeatureVector) {
        self.found |= finding.mac == self.device && finding.at >= self.from;
    }

    fn window(&mut self, window: &Window) {
        self.found |= window.mac == self.device && window.end >= self.from && window.level > ThreatLevel::Safe;
    }
}

fn finds(number: u64, kinds: Kinds) -> bool {
    let scene: Scene = draw_day(SEED, number);
    let forest = Forest::load(FOREST, features::schema_hash()).expect("the shipped forest is of this schema");
    let mut detector = Detector::new(HashKey::FIXED, Capacities::default(), Thresholds::default(), Some(forest));
    detector.enable(kinds);
    let from = scene.threat.as_ref().expect("a day has a threat").from;
    let mut heard = Heard { device: scene.device, from, found: false };
    for frame in scene.frames {
        let frame = frame.as_frame();
        let summary = wire::parse(frame.link, frame.octets, frame.len, None).expect("a drawn frame is read");
        detector.observe(&summary, frame.at, Side::Unknown, &mut heard);
    }
    detector.close(&mut heard);
    heard.found
}

#[test]
fn without_any_kind_of_evidence_less_is_found() {
    let played = plots().count();
    let found = |kinds| (0..played as u64).filter(|number| finds(*number, kinds)).count();
    let all = found(Kinds::ALL);
    for (kind, without) in [
        ("rules", Kinds { rules: false, ..Kinds::ALL }),
        ("forest", Kinds { forest: false, ..Kinds::ALL }),
        ("baseline", Kinds { baseline: false, ..Kinds::ALL }),
    ] {
        let left = found(without);
        println!("{all} of {} found, {left} without the {kind}", played);
        assert!(left < all, "{left} of {all} are found without the {kind}");
    }
}
