//! The admin page: Debian's Chromium, driven by Playwright, against the real gateway in a namespace. The walks are in `webui/test`.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[allow(dead_code, reason = "shared with the tests of the API")]
#[path = "../api/client.rs"]
mod client;
mod history;
#[allow(dead_code, reason = "shared with the tests of the API")]
#[path = "../api/post.rs"]
mod post;
#[path = "../gateway/stand.rs"]
mod stand;

use std::path::{Path, PathBuf};
use std::process::Command;

use client::{BASE, Box};
use post::Post;

fn tree() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// Runs a program of the page's tests beside the gateway, in its namespace.
fn drive(made: &Box, program: &str, more: &[(&str, PathBuf)]) {
    let screens = tree().join("target/screens");
    std::fs::create_dir_all(&screens).unwrap();
    // A walk that hangs tells how far it came.
    let log = screens.join(format!("{program}.log"));
    let output = made
        .stand
        .gate
        .command("node")
        .arg(tree().join("webui/test").join(program))
        .env("PICKET_URL", BASE)
        .env("PICKET_BINARY", stand::binary())
        .env("PICKET_CONFIG", made.stand.file("picket.toml"))
        .env("PICKET_HOST", made.stand.host.name())
        .env("PICKET_SCREENS", screens)
        .stdout(std::fs::File::create(&log).unwrap())
        .envs(more.iter().cloned())
        .output()
        .expect("node: tests/setup lab installs it");
    let told = std::fs::read_to_string(log).unwrap();
    assert!(output.status.success(), "{program}: {told}{}", stand::said(&output));
}

#[test]
fn the_page_says_everything_in_both_languages_and_counts_right() {
    let output = Command::new("node").args(["--test", "test/unit"]).current_dir(tree().join("webui")).output();
    let output = output.expect("node: tests/setup base installs it");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn a_person_walks_from_the_claim_to_every_act_and_each_holds_behind_the_page() {
    let Some(made) = Box::unclaimed("walk") else { return };
    let post = Post::open(&made, "starttls");
    drive(&made, "walk.js", &[("PICKET_POST", post.folder.clone())]);
}

#[test]
fn the_main_paths_are_walked_by_keys_alone() {
    let Some(made) = Box::unclaimed("keys") else { return };
    drive(&made, "keys.js", &[]);
}

#[test]
fn every_page_is_accessible_stays_on_the_box_and_is_photographed() {
    let Some(mut made) = Box::unclaimed_with("screens", "[intake]\nenabled = true\npseudonyms = true") else { return };
    let session = made.stand.file("session");
    let more =
        |phase: &'static str| [("PICKET_PHASE", Path::new(phase).to_owned()), ("PICKET_SESSION", session.clone())];
    drive(&made, "screens.js", &more("empty"));
    made.stand.stop();
    history::lay_down(&made.stand.file("store/state"));
    made.stand.start();
    made.answers();
    drive(&made, "screens.js", &more("busy"));
}
