//! `picket model`, the program: a forest is told in one line, anything else is refused in one line.

#[path = "../../../tests/common/chance.rs"]
mod chance;
#[path = "../../../tests/common/seed.rs"]
mod seed;
#[path = "gateway/signing.rs"]
mod signing;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use chance::Chance;
use detect::forest::format::{HEADER_LEN, MAX_LEN, NAME_LEN, NODE_LEN, seal};
use serde_json::Value;

const PICKET: &str = env!("CARGO_BIN_EXE_picket");
/// How many octets are damaged, beside those of the header.
const DAMAGED: usize = 40;

static FOREST: &[u8] = include_bytes!("../../../models/picket.forest");
static CARD: &[u8] = include_bytes!("../../../models/picket.card");

fn model(words: &[&str]) -> Output {
    Command::new(PICKET).arg("model").args(words).output().expect("the program starts")
}

fn check(octets: &[u8], path: &Path) -> Output {
    fs::write(path, octets).expect("a temporary file");
    model(&["check", path.to_str().expect("a path is text")])
}

/// A refusal is status 2, one line that names the file, and nothing on standard output; gives the line.
fn refused(octets: &[u8], path: &Path, what: &str) -> String {
    let output = check(octets, path);
    let said = String::from_utf8(output.stderr).expect("text");
    assert_eq!(output.status.code(), Some(2), "{what}: {said}");
    assert!(output.stdout.is_empty() && said.lines().count() == 1, "{what}: {said}");
    assert!(said.contains(path.to_str().expect("a path is text")), "{what}: {said}");
    said
}

#[test]
fn a_forest_is_told_in_one_line() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let output = check(FOREST, &folder.path().join("good.forest"));
    let said = String::from_utf8(output.stdout).expect("text");
    assert!(output.status.success() && output.stderr.is_empty() && said.lines().count() == 1, "{said}");
    let schema = format!("schema {:016x}", features::schema_hash());
    for part in ["good.forest: a good forest: ", " trees, ", " nodes, ", " octets, ", &schema, " rows, digest "] {
        assert!(said.contains(part), "{part}: {said}");
    }
}

#[test]
fn damage_anywhere_is_refused() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("damaged.forest");
    let mut chance = Chance(seed::drawn("model"));
    let body = (0..DAMAGED).map(|_| (chance.draw() % FOREST.len() as u64) as usize).collect::<Vec<_>>();
    for at in (0..HEADER_LEN).chain(body).chain([FOREST.len() - 1]) {
        let mut damaged = FOREST.to_vec();
        damaged[at] ^= 1 << (chance.draw() % 8);
        refused(&damaged, &path, &format!("octet {at}"));
    }
}

#[test]
fn each_kind_of_bad_file_is_called_by_its_name() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("bad.forest");
    let says = |octets: &[u8], what: &str| {
        let said = refused(octets, &path, what);
        assert!(said.contains(what), "{what}: {said}");
    };
    let changed = |at: usize, octets: &[u8]| {
        let mut image = FOREST.to_vec();
        image[at..at + octets.len()].copy_from_slice(octets);
        seal(&mut image);
        image
    };
    let families = usize::from(FOREST[12]);
    let trees = usize::from(u16::from_le_bytes([FOREST[14], FOREST[15]]));
    let node = HEADER_LEN + families * NAME_LEN + trees * 2;
    says(b"", "cut short");
    says(&FOREST[..100], "damaged");
    says(&FOREST[..FOREST.len() - 1], "damaged");
    says(&[FOREST, &[0]].concat(), "damaged");
    says(&[0; 4_096], "not a model");
    says(&vec![b'P'; MAX_LEN + 1], "more than the 262144 allowed");
    says(&changed(32, &[0; 8]), "other features (schema 0000000000000000)");
    says(&changed(11, &[FOREST[11] + 1]), "bad value for features");
    says(&changed(16, &[0xff, 0x7f]), "its header says");
    says(&changed(node + 4, &[0xff, 0xff]), "does not point to its own children");
    says(&changed(node + 6, &[200]), "a feature that does not exist");
    says(&changed(node, &f32::NAN.to_le_bytes()), "not a finite number");
    says(&changed(FOREST.len() - NODE_LEN, &[255, 255]), "shares that cannot be");
}

#[test]
fn a_good_forest_that_nobody_vouches_for_is_refused_and_one_that_a_trusted_key_signed_is_not() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("site.model");
    let mut another = FOREST.to_vec();
    another[28] ^= 1;
    seal(&mut another);
    assert!(refused(&another, &path, "unsigned").contains("no signature"));
    let (file, key) = signing::signed(FOREST, CARD, 7);
    assert!(refused(&file, &path, "a stranger's").contains(&key));
    let config = folder.path().join("picket.toml");
    fs::write(&config, format!("[model]\nkeys = [\"{key}\"]\n")).expect("a file");
    let words = |command: &'static str| {
        let [path, config] = [&path, &config].map(|path| path.to_str().expect("a path is text").to_owned());
        vec![command.to_owned(), path, "--config".to_owned(), config]
    };
    let output = Command::new(PICKET).arg("model").args(words("check")).output().expect("the program starts");
    let said = String::from_utf8(output.stdout).expect("text");
    assert!(output.status.success() && said.contains(&format!("signed by {key}")), "{said}");
    let mut damaged = file.clone();
    damaged[FOREST.len() + CARD.len() + 20] ^= 1;
    fs::write(&path, damaged).expect("a file");
    let output = Command::new(PICKET).arg("model").args(words("check")).output().expect("the program starts");
    let said = String::from_utf8(output.stderr).expect("text");
    assert!(output.status.code() == Some(2) && said.contains("signature is not right"), "{said}");
}

#[test]
fn what_cannot_be_read_is_named() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let missing = folder.path().join("missing.forest");
    for path in [&missing, folder.path()] {
        for words in [&["check"][..], &["show"], &["show", "--json"]] {
            let output = model(&[words, &[path.to_str().expect("a path is text")]].concat());
            let said = String::from_utf8(output.stderr).expect("text");
            assert_eq!(output.status.code(), Some(2), "{said}");
            assert!(said.lines().count() == 1 && said.contains(&path.display().to_string()), "{said}");
        }
    }
}

#[test]
fn what_a_forest_is_can_be_read_by_a_program() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("copy.forest");
    fs::write(&path, FOREST).expect("a temporary file");
    let shipped = model(&["show", "--json"]).stdout;
    assert_eq!(
        shipped,
        model(&["show", "--json", path.to_str().expect("a path is text")]).stdout,
        "it is what it ships"
    );
    let told: Value = serde_json::from_slice(&shipped).expect("one object");
    assert_eq!(told["features"], serde_json::json!(features::SCHEMA.as_slice()));
    assert_eq!(told["schema"], format!("{:016x}", features::schema_hash()));
    assert!(told["trees"].as_u64() >= Some(20) && told["nodes"].as_u64() >= Some(1_000), "{told}");
    let digest = told["data"].as_str().expect("a digest");
    assert!(digest.len() == 16 && digest.chars().all(|digit| digit.is_ascii_hexdigit()), "{digest}");
    let date: Vec<&str> = told["date"].as_str().expect("a date").split('-').collect();
    assert!(date.len() == 3 && date.iter().all(|part| part.parse::<u32>().is_ok()), "{date:?}");
    assert!(told["signed_by"].is_null() && told["gateway"].is_null(), "{told}");
}

#[test]
fn people_are_shown_the_features_in_their_order() {
    let said = String::from_utf8(model(&["show"]).stdout).expect("text");
    let shown: Vec<&str> = said.lines().filter_map(|line| line.strip_prefix("  ")?.split_whitespace().nth(1)).collect();
    assert_eq!(shown, features::SCHEMA);
}
