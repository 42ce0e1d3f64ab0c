//! Rows and captures of scenes.

use std::collections::BTreeSet;

use models::scenes::{self, draw};
use terms::ThreatLevel;

#[test]
fn rows_bear_the_character_and_the_level_of_their_time() {
    let rows = scenes::rows(7, 6, &mut |_, _| ()).unwrap().rows;
    let devices: BTreeSet<_> = rows.iter().map(|r| r.device.as_str()).collect();
    assert!(devices.len() >= 4 && !devices.contains(""));
    assert!(rows.iter().all(|r| r.source == scenes::SOURCE && r.capture.starts_with("scene-7-")));
    for n in 0..6 {
        let scene = draw(7, n);
        let bad = rows.iter().filter(|r| r.capture == scene.name && r.level > ThreatLevel::Safe);
        let first = bad.map(|r| r.minute).min();
        match &scene.threat {
            Some(threat) => assert!(first.unwrap() >= threat.from.minute()),
            None => assert_eq!(first, None),
        }
    }
}

#[test]
fn captures_read_back_as_the_rows_of_the_scenes() {
    let folder = tempfile::tempdir().unwrap();
    scenes::write((0..2).map(|number| scenes::draw(9, number)), folder.path()).unwrap();
    let read = models::captures::rows(folder.path(), &mut |_, read| assert!(read.unwrap() > 60)).unwrap().rows;
    let drawn = scenes::rows(9, 2, &mut |_, _| ()).unwrap().rows;
    assert_eq!(read.len(), drawn.len());
    assert!(read.iter().zip(&drawn).all(|(a, b)| (&a.vector, a.level, a.minute) == (&b.vector, b.level, b.minute)));
}
