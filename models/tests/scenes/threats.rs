//! Who is harmless is quiet; who is not does what it says, from when it says.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use detect::Window;
use models::replay::Replay;
use models::scenes::{Deed, Habit, Scene, characters};
use terms::{ThreatLevel, Timestamp};
use wire::tcp::Flags;
use wire::{Packet, Transport};

use crate::{one_of_each_plot, packet};

fn minutes(scene: Scene) -> Vec<Window> {
    let mut replay = Replay::default();
    scene.frames.for_each(|frame| replay.observe(&frame.as_frame()));
    replay.end()
}

#[test]
fn every_character_is_quiet_by_the_rules_and_cheap() {
    assert!(characters().count() >= 24);
    let names: BTreeSet<_> = characters().map(|c| c.name).collect();
    assert_eq!(names.len(), characters().count(), "names are different");
    let mut found = BTreeMap::new();
    for character in characters() {
        let mut frames = 0;
        for seed in 0..4 {
            let scene = Scene::of((seed, 0), character, None, 1.0, None);
            let mut replay = Replay::default();
            for frame in scene.frames {
                replay.observe(&frame.as_frame());
                frames += 1;
            }
            for window in replay.end().into_iter().filter(|w| w.level > ThreatLevel::Safe) {
                found.insert((character.name, window.host), (seed, window.family, window.evidence));
            }
        }
        assert!((200..=120_000).contains(&frames), "{} sends {frames} frames in four hours", character.name);
    }
    assert!(found.is_empty(), "{found:#?}");
}

/// Seconds between two moments.
fn between(earlier: Timestamp, later: Timestamp) -> f64 {
    later.since(earlier).micros() as f64 / 1e6
}

/// When the device opened conversations with each far end at this port, from some moment on.
fn opened(scene: Scene, port: u16, from: Timestamp) -> BTreeMap<IpAddr, Vec<Timestamp>> {
    let mut all = BTreeMap::<_, Vec<_>>::new();
    for frame in scene.frames {
        let Some(Packet { dst, transport: Transport::Tcp(segment), .. }) = packet(&frame) else { continue };
        let opens = segment.flags.contains(Flags::SYN) && !segment.flags.contains(Flags::ACK);
        if opens && segment.dst_port == port && frame.at >= from {
            all.entry(dst).or_default().push(frame.at);
        }
    }
    all
}

#[test]
fn beacons_keep_within_their_drawn_jitter() {
    let beacons = (20..26).flat_map(|seed| one_of_each_plot(seed, 2.0));
    for scene in beacons.filter(|s| s.threat.as_ref().is_some_and(|t| t.plot.name.starts_with("beacon"))) {
        let threat = scene.threat.clone().unwrap();
        let Some(Habit(_, Deed::Visit(visit))) = threat.habits.first() else { panic!("beacons visit") };
        let (period, jitter) = threat.beat().unwrap();
        assert!((10.0..=3_600.0).contains(&period) && (0.0..=0.5).contains(&jitter));
        let (name, until) = (scene.name.clone(), scene.until);
        // Half a second for a name to be found; what lies between two beats is an order.
        let fits = |a: &Timestamp, b: &Timestamp| (between(*a, *b) - period).abs() <= period * jitter + 0.5;
        let beats = |times: &Vec<Timestamp>| times.iter().filter(|a| times.iter().any(|b| b > a && fits(a, b))).count();
        let most = opened(scene, visit.port, threat.from).values().map(beats).max().unwrap_or(0);
        // All but the last have a next one; with much jitter some more or fewer fit.
        let expected = between(threat.from, until) / period / (1.0 + jitter);
        assert!(most as f64 >= expected.floor() - 2.0, "{name}: {most} beats of {expected:.1}");
    }
}

#[test]
fn a_threat_begins_after_the_device_and_its_label_with_it() {
    for scene in one_of_each_plot(31, 1.0) {
        let from = scene.threat.as_ref().unwrap().from;
        assert!(scene.from < from && from < scene.until, "{}", scene.name);
        let labels = scene.labels("a.pcap");
        assert!(labels.lines().count() == 2 && labels.contains(&format!(",{:.6},", from.as_secs_f64())), "{labels}");
    }
}

#[test]
fn plots_with_a_definition_are_found() {
    let always = ["dga", "spam_sending"];
    for scene in one_of_each_plot(41, 2.0) {
        let plot = scene.threat.as_ref().unwrap().plot;
        let subject = scene.device;
        if always.contains(&plot.name) {
            let found = minutes(scene).into_iter().any(|w| w.mac == subject && w.family.as_str() == plot.family);
            assert!(found, "{}", plot.name);
        }
    }
}
