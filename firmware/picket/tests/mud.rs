//! `picket mud read` on files, and the help of the commands about devices.
#![allow(clippy::unwrap_used, reason = "a test fails where it unwraps")]

use std::fs;
use std::process::{Command, Output};

/// A plug that asks its cloud over TLS and its network's time server.
const PLUG: &str = r#"{
  "ietf-mud:mud": {
    "mud-version": 1, "mud-url": "https://plugs.example.com/p1", "last-update": "2026-01-31T12:00:00Z", "is-supported": true,
    "mfg-name": "Plugs Inc", "from-device-policy": {"access-lists": {"access-list": [{"name": "out"}]}}
  },
  "ietf-access-control-list:acls": {"acl": [{"name": "out", "type": "ipv4-acl-type", "aces": {"ace": [
    {"name": "a", "matches": {"ipv4": {"ietf-acldns:dst-dnsname": "api.plugs.example.com"},
      "tcp": {"destination-port": {"operator": "eq", "port": 443}}}, "actions": {"forwarding": "accept"}},
    {"name": "b", "matches": {"ietf-mud:mud": {"local-networks": [null]}, "udp": {"destination-port": {"port": 123}}},
      "actions": {"forwarding": "accept"}}
  ]}}]}
}"#;

fn picket(words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_picket")).args(words).output().unwrap()
}

#[test]
fn a_file_is_printed_as_the_rules_that_it_becomes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plug.json");
    fs::write(&path, PLUG).unwrap();
    let path = path.to_str().unwrap();
    let text = String::from_utf8(picket(&["mud", "read", path]).stdout).unwrap();
    assert!(text.contains("the device may start tcp/443 with api.plugs.example.com"), "{text}");
    assert!(text.contains("the device may start udp/123 with local networks"), "{text}");
    let json = picket(&["mud", "read", "--json", path]);
    let json: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(json["rules"].as_array().unwrap().len(), 2);
    assert_eq!(json["rules"][0]["peer"]["value"], "api.plugs.example.com");
    assert_eq!(json["rules"][0]["direction"], "from-device");
}

#[test]
fn a_file_that_is_not_whole_is_refused_by_name_and_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("half.json");
    let named = path.to_str().unwrap();
    let long = format!("{}{}", PLUG, " ".repeat(70_000));
    let cut = &PLUG[..PLUG.len() / 2];
    let wrong = PLUG.replace("\"port\": 123", "\"prt\": 123");
    let forged = PLUG.replace("Plugs Inc", "Plugs \\u001b[2J");
    let cases = [
        (forged.as_str(), "line 4: ietf-mud:mud.mfg-name: holds control characters"),
        (cut, "line "),
        (&long, "65536"),
        (&wrong, "line 9: "),
        (r#"{"ietf-mud:mud":{"mud-version":1}}"#, "line 1: ietf-mud:mud: lacks mud-url"),
    ];
    for (text, expected) in cases {
        fs::write(&path, text).unwrap();
        let output = picket(&["mud", "read", named]);
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{error}");
        assert!(error.contains(named) && error.contains(expected) && error.lines().count() == 1, "{error}");
    }
    let endless = picket(&["mud", "read", "/dev/zero"]);
    assert_eq!(endless.status.code(), Some(2));
    assert_eq!(picket(&["mud", "read", "/nowhere"]).status.code(), Some(2));
}

#[test]
fn every_command_about_devices_teaches() {
    for words in [
        "devices list",
        "devices show",
        "devices merge",
        "devices split",
        "devices describe",
        "devices forget",
        "mud read",
    ] {
        let mut call: Vec<&str> = words.split(' ').collect();
        call.push("--help");
        let output = picket(&call);
        let help = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(0), "{words}");
        let taught = help.split("Usage:").next().unwrap().split_whitespace().count();
        assert!(taught >= 25, "{words} says only {taught} words of what it does");
    }
}
