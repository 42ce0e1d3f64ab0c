//! A store that cannot be read is set aside, said aloud, and the gateway runs.
#![allow(clippy::unwrap_used, reason = "a test fails where it unwraps")]

mod common;

use std::fs;
use std::path::Path;

use common::{Fixture, block, event, host_record};
use store::{OpenError, Store, open};

/// A store with a bit of everything.
fn filled() -> Fixture {
    let fixture = Fixture::new();
    let mut store = fixture.open();
    for n in 1..=40 {
        store.append_event(event(n)).unwrap();
    }
    store.put_block(&block(1, 10)).unwrap();
    store.put_hosts(&[host_record(1, 5)]).unwrap();
    store.close().unwrap();
    fixture
}

/// The store begins anew, works, is sound when opened again, and the old files are kept.
fn begins_anew(fixture: &Fixture) {
    let (mut store, told) = fixture.open_damaged();
    assert!(told.contains("store.damaged-1") && told.contains("set aside"), "{told}");
    assert!(fixture.path().with_file_name("store.damaged-1").exists());
    assert_eq!(store.append_event(event(1)).unwrap(), 1);
    store.close().unwrap();
    drop(store);
    assert_eq!(fixture.open().events(9, None).unwrap().len(), 1);
}

#[test]
fn garbage_in_the_place_of_sleds_file() {
    let fixture = filled();
    let file = fixture.path().join("sled/db");
    let len = fs::metadata(&file).unwrap().len();
    fs::write(&file, vec![0xa5; len as usize]).unwrap();
    begins_anew(&fixture);
}

#[test]
fn an_octet_changed_anywhere_never_keeps_the_store_from_opening() {
    let fixture = filled();
    let file = fixture.path().join("sled/db");
    let sound = fs::read(&file).unwrap();
    let used = sound.iter().rposition(|&o| o != 0).unwrap();
    for at in (0..used).step_by(used / 23) {
        let copy = Fixture::new();
        copy_into(&fixture.path(), &copy.path());
        let mut bad = sound.clone();
        bad[at] ^= 0x40;
        fs::write(copy.path().join("sled/db"), bad).unwrap();
        let mut store = open(&copy.path(), copy.limits).unwrap().store;
        for event in store.events(99, None).unwrap() {
            assert_eq!(event.why, self::event(event.id).why, "octet {at}");
        }
        store.append_event(event(1)).unwrap();
        store.sync().unwrap();
    }
}

#[test]
fn sleds_file_is_empty_or_cut_short() {
    for left in [0, 3, 4_096] {
        let fixture = filled();
        let file = fs::File::options().write(true).open(fixture.path().join("sled/db")).unwrap();
        file.set_len(left).unwrap();
        begins_anew(&fixture);
    }
}

#[test]
fn a_configuration_of_sled_that_is_garbage() {
    let fixture = filled();
    fs::write(fixture.path().join("sled/conf"), [0xff; 40]).unwrap();
    begins_anew(&fixture);
}

#[test]
fn a_directory_in_the_place_of_sleds_file() {
    let fixture = filled();
    fs::remove_file(fixture.path().join("sled/db")).unwrap();
    fs::create_dir(fixture.path().join("sled/db")).unwrap();
    let opened = open(&fixture.path(), fixture.limits);
    assert!(matches!(opened, Err(OpenError::Disk { .. })) || opened.is_ok_and(|o| o.repaired.is_some()));
}

#[test]
fn a_layout_of_tomorrow() {
    let fixture = filled();
    let sled = sled::open(fixture.path().join("sled")).unwrap();
    sled.open_tree("meta").unwrap().insert("schema", &[0, 0, 0, 2]).unwrap();
    sled.flush().unwrap();
    drop(sled);
    begins_anew(&fixture);
}

#[test]
fn a_row_that_does_not_read_back() {
    let fixture = filled();
    let sled = sled::open(fixture.path().join("sled")).unwrap();
    sled.open_tree("blocks").unwrap().insert([4, 192, 0, 2, 1], &[0x51, 0xff]).unwrap();
    sled.flush().unwrap();
    drop(sled);
    begins_anew(&fixture);
}

#[test]
fn a_sealed_block_that_is_damaged_costs_its_rows_only() {
    let fixture = Fixture::new();
    let mut store = fixture.open();
    for n in 1..=1_500 {
        store.append_event(event(n)).unwrap();
    }
    store.close().unwrap();
    drop(store);
    let mut sealed: Vec<_> = fs::read_dir(fixture.path().join("sealed")).unwrap().map(|e| e.unwrap().path()).collect();
    sealed.sort();
    assert!(sealed.len() >= 2, "{sealed:?}");
    let mut bad = fs::read(&sealed[0]).unwrap();
    let middle = bad.len() / 2;
    bad[middle] ^= 1;
    fs::write(&sealed[0], bad).unwrap();
    let store = fixture.open();
    let (oldest, newest) = (store.event(1).unwrap(), store.events(1_000, None).unwrap());
    assert_eq!(oldest, None);
    assert_eq!(newest.last().map(|e| e.id), Some(1_500));
    assert!(store.figures().unreadable >= 1);
}

#[test]
fn a_block_whose_sealing_was_cut_short_is_removed() {
    let fixture = filled();
    let stray = fixture.path().join("sealed/e-00000000000000000040");
    fs::write(&stray, b"PKTB").unwrap();
    assert_eq!(fixture.open().events(99, None).unwrap().len(), 40);
    assert!(!stray.exists());
}

#[test]
fn a_store_in_use_is_not_a_damaged_one() {
    let fixture = filled();
    let held = fixture.open();
    let second = open(&fixture.path(), fixture.limits).map(drop);
    assert!(matches!(second, Err(OpenError::Busy(_))), "{second:?}");
    drop(held);
    assert_eq!(fixture.open().blocks().len(), 1);
}

#[test]
fn a_file_in_the_place_of_the_directory_is_named() {
    let fixture = Fixture::new();
    fs::write(fixture.path(), "not a directory").unwrap();
    let error = open(&fixture.path(), fixture.limits).map(drop).unwrap_err();
    assert!(error.to_string().contains(&fixture.path().display().to_string()), "{error}");
    assert_eq!(fs::read_to_string(fixture.path()).unwrap(), "not a directory");
}

fn copy_into(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_into(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
