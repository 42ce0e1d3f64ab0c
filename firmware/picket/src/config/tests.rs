//! What the configuration promises, on files as people write them.

use std::path::Path;

use terms::{Posture, Span};

use super::keys::KEYS;
use super::*;

/// What is said about a text that must be refused.
fn refusal(text: &str) -> String {
    let faults = reader::read(text).expect_err(text);
    told(Path::new("picket.toml"), &faults)
}

#[test]
fn an_empty_file_protects() {
    let (config, origins) = reader::read("").expect("an empty file");
    assert_eq!((config.posture, origins.len()), (Posture::Protect, 0));
    assert_eq!(config, Config::default());
}

#[test]
fn the_printed_defaults_are_a_configuration_that_sets_every_key() {
    let text = show(&Config::default(), None);
    let (config, origins) = reader::read(&text).expect("the printed defaults");
    assert_eq!(config, Config::default());
    assert_eq!(origins.len(), KEYS.len());
}

#[test]
fn what_the_file_sets_is_in_force_and_told_with_its_line() {
    let text = "posture = \"observe\"\n[respond]\nblock_for = \"5s\"\n[never_block]\naddresses = [\"10.0.0.9\"]\n";
    let (config, origins) = reader::read(text).expect("a good file");
    assert_eq!((config.posture, config.respond.block_for), (Posture::Observe, Span::from_secs(5)));
    assert_eq!(config.never_block.addresses, ["10.0.0.9".parse().expect("an address")]);
    let shown = show(&config, Some(&origins));
    assert!(
        shown.contains("block_for = \"5s\"  # set on line 3\n") && shown.contains("grace = \"10m\"  # default\n"),
        "{shown}"
    );
    assert_eq!(reader::read(&shown).expect("shown").0, config);
}

#[test]
fn every_key_with_a_letter_doubled_is_named_with_its_line_and_its_right_name() {
    for key in KEYS {
        let wrong = format!("{}{}", key.name, key.name.chars().last().expect("a name"));
        let table = if key.table.is_empty() { "\n".into() } else { format!("[{}]\n", key.table) };
        let told = refusal(&format!("{table}{wrong} = 1\n"));
        assert!(told.contains("line 2:") && told.contains(&wrong), "{told}");
        assert!(told.ends_with(&format!("nearest known key is {}", key.name)), "{told}");
    }
}

#[test]
fn every_key_refuses_what_is_not_its_kind_and_says_what_is() {
    for key in KEYS {
        let table = if key.table.is_empty() { String::new() } else { format!("[{}]\n", key.table) };
        for value in ["-1", "99999999999999999999", "1979-05-27", "{}", "[[\"x\"]]", "0.5"] {
            let told = refusal(&format!("{table}{} = {value}\n", key.name));
            assert!(told.contains(&format!("{} ", key.name)) && told.contains("expects"), "{told}");
        }
    }
}

#[test]
fn a_key_in_the_wrong_table_is_sent_to_its_own() {
    assert!(refusal("[control]\nbad = 1\n").ends_with("unknown key bad in [control]; the nearest known key is socket"));
    assert!(refusal("enabld = true\n").ends_with("unknown key enabld; the nearest known key is enabled in [detect]"));
    assert!(refusal("enabled = true\n").ends_with("unknown key enabled; it belongs to [detect]"));
    assert!(
        refusal("[detect]\nposture = \"observe\"\n")
            .ends_with("posture in [detect]; it belongs to the top of the file")
    );
}

#[test]
fn an_unknown_table_and_a_table_that_is_none_are_named() {
    assert!(
        refusal("[detectt]\nenabled = true\n")
            .ends_with("unknown table [detectt]; the nearest known table is [detect]")
    );
    assert!(refusal("links = 5\n").contains("links is a table"));
    assert!(refusal("[posture]\n").contains("posture expects"));
}

#[test]
fn all_faults_are_told_in_the_order_of_their_lines() {
    let told = refusal("[links]\nlann = \"a\"\nuplink = 7\n[detect]\nenabled = 1\n");
    let lines: Vec<_> = told.lines().map(|line| line.split(": ").nth(1).unwrap_or_default()).collect();
    assert_eq!(lines, ["line 2", "line 3", "line 5"]);
}

#[test]
fn values_that_do_not_go_together_are_refused() {
    assert!(
        refusal("[respond]\nblock_for = \"2d\"\n")
            .contains("line 2: longest in [respond] must not be less than block_for")
    );
    assert!(refusal("[links]\nlan = \"eth0\"\nuplink = \"eth0\"\n").contains("line 3: uplink"));
}

#[test]
fn junk_is_refused_without_a_fall() {
    let deep = [
        "[".repeat(100_000),
        "a.".repeat(60_000) + "a = 1",
        "a = {".repeat(10_000),
        "a = [\n".repeat(20_000),
        "[a]\n".repeat(40_000),
    ];
    for text in deep.iter().map(String::as_str).chain(["a = 1\na = 2\n", "\0", "= 1", "[", "\"", "'''"]) {
        assert!(refusal(text).starts_with("picket.toml: line "));
    }
}

#[test]
fn what_a_terminal_would_obey_is_not_repeated_to_it() {
    let told = refusal("\"\\u001b[2Jx\" = 1\nposture = \"\\u001b[2J\"\n");
    assert!(!told.contains('\u{1b}'), "{told:?}");
}

#[test]
fn a_file_that_is_missing_too_large_or_no_text_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("picket.toml");
    assert!(matches!(Config::load(&path), Err(ConfigError::Unreadable { .. })));
    std::fs::write(&path, b"# one\n# two\n\xff\xfe\0[").expect("a file");
    assert!(matches!(Config::load(&path), Err(ConfigError::NotText { line: 3, .. })));
    std::fs::write(&path, vec![b'#'; reader::TEXT_MAX + 1]).expect("a file");
    assert!(matches!(Config::load(&path), Err(ConfigError::TooLarge { .. })));
    assert!(Config::load(&path).expect_err("too large").to_string().contains("picket.toml"));
}
