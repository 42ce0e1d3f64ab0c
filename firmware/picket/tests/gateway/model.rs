//! Forests that are loaded into a running gateway: judged first, swapped without a lost frame, taken back, kept over a restart.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use super::leaf::forest;
use super::signing::signed;
use super::stand::{HOST, ROUTER, Stand, TEN, eventually, said};

/// Whose forests the gateways here trust, and whose not.
const FRIEND: u8 = 3;
const STRANGER: u8 = 4;
/// A minute and what it takes to close.
const MINUTE: u64 = 75;

fn write(stand: &Stand, name: &str, octets: &[u8]) -> String {
    let path = stand.file(name);
    fs::write(&path, octets).unwrap();
    path.to_str().unwrap().to_owned()
}

fn configure(stand: &Stand) {
    stand.configure(&format!("[model]\nkeys = [\"{}\"]", signed(b"", b"", FRIEND).1));
}

fn shown(stand: &Stand) -> Value {
    stand.ask(&["model", "show"])
}

fn name(stand: &Stand) -> String {
    shown(stand)["id"].as_str().unwrap().to_owned()
}

fn shelf(stand: &Stand) -> PathBuf {
    stand.file("store/state.models")
}

#[test]
fn a_forest_is_judged_in_the_shadow_and_dry_then_votes_without_a_lost_frame_and_is_taken_back() {
    let Some(mut stand) = Stand::build("forest") else { return };
    configure(&stand);
    stand.start();
    let (image, card) = forest(255);
    let file = write(&stand, "site.model", &signed(&image, &card, FRIEND).0);
    let shipped = name(&stand);

    stand.ask(&["model", "shadow", &file, "--for", "1h"]);
    let minutes = |stand: &Stand| shown(stand)["gateway"]["shadow"]["minutes"].as_u64().unwrap();
    eventually(MINUTE, "a minute to close", || stand.pings(2) == 2 && minutes(&stand) > 0);
    let shadow = &shown(&stand)["gateway"]["shadow"];
    assert!(shadow["would_say"][0].as_u64() > Some(0) && shadow["said"] == serde_json::json!([0, 0]), "{shadow}");
    assert_eq!(stand.ask(&["explain", HOST])["host"]["level"], "SAFE", "a shadow decides nothing");

    let dry = stand.ask(&["model", "load", "--dry-run", &file]);
    let change = serde_json::json!({ "host": HOST, "now": "SAFE", "then": "MEDIUM" });
    assert!(dry["changes"].as_array().unwrap().contains(&change) && dry["loaded"] == false, "{dry}");
    assert!(name(&stand) == shipped && !shelf(&stand).exists(), "nothing was changed");

    let before = stand.ask(&["status"]);
    let mut pings =
        stand.host.start(&format!("exec ping -n -q -i 0.02 -c 200 {ROUTER}"), &stand.file("pings")).unwrap();
    let told = stand.ask(&["model", "load", &file]);
    assert!(told["loaded"] == true && told["changes"] == dry["changes"], "{told}");
    stand.ask(&["model", "revert"]);
    stand.ask(&["model", "revert"]);
    eventually(TEN, "the pings to end", || pings.ended().is_some());
    let text = fs::read_to_string(stand.file("pings")).unwrap();
    assert!(text.contains("200 received"), "{text}");
    let seen = |status: &Value| status["frames"].as_u64().unwrap();
    eventually(TEN, "each frame to be inspected", || seen(&stand.ask(&["status"])) >= seen(&before) + 400);
    assert_eq!(stand.ask(&["status"])["dropped"], before["dropped"]);

    let loaded = shown(&stand);
    assert!(loaded["id"] != shipped.as_str() && loaded["trees"] == 1, "{loaded}");
    assert_eq!(loaded["gateway"]["former"], "the forest in this binary");
    assert!(loaded["gateway"]["shadow"].is_null(), "it came out of the shadow: {loaded}");
    assert!(stand.tells(&["an admin loaded forest"]) && stand.tells(&["an admin went back to forest"]));
    assert!(stand.ask(&["status"])["forest"].as_str().unwrap().contains("signed by"));

    stand.stop();
    stand.start();
    assert_eq!(shown(&stand)["id"], loaded["id"], "it outlives a restart");
    // Once a week, so that it may have spoken before the restart.
    let spoke = |stand: &Stand| {
        let events = stand.ask(&["events"]);
        events.as_array().unwrap().iter().any(|event| event["detector"] == "forest" && event["host"] == HOST)
    };
    eventually(MINUTE, "it to be heard", || stand.pings(2) == 2 && spoke(&stand));
    let counted = |stand: &Stand| shown(stand)["gateway"]["drift"]["minutes"].as_u64().unwrap();
    let before = counted(&stand);
    stand.stop();
    stand.start();
    assert!(before > 0 && counted(&stand) >= before, "what was counted outlives a restart");
    stand.ask(&["model", "revert"]);
    stand.stop();
    stand.start();
    assert_eq!((name(&stand), shown(&stand)["gateway"]["former"].clone()), (shipped, loaded["id"].clone()));
}

#[test]
fn a_refused_file_changes_nothing_and_a_forest_that_was_tampered_with_on_the_medium_does_not_vote() {
    let Some(mut stand) = Stand::build("refused") else { return };
    configure(&stand);
    stand.start();
    let shipped = name(&stand);
    let (image, card) = forest(255);
    let good = signed(&image, &card, FRIEND).0;
    let mut damaged = good.clone();
    damaged[image.len() + 40] ^= 1;
    let files = [
        (write(&stand, "unsigned", &image), "no signature"),
        (write(&stand, "strange", &signed(&image, &card, STRANGER).0), "not trusted here"),
        (write(&stand, "damaged", &damaged), "signature is not right"),
        (write(&stand, "cut", &good[..good.len() - 1]), "damaged"),
        (write(&stand, "hostile", &signed(&image[..image.len() - 1], &card, FRIEND).0), "damaged"),
        (stand.file("missing").to_str().unwrap().to_owned(), "No such file"),
        ("/dev/zero".into(), "this is no file"),
    ];
    for (file, why) in &files {
        for words in [&["model", "load", file][..], &["model", "load", "--dry-run", file], &["model", "shadow", file]] {
            let output = stand.picket(words);
            let text = said(&output);
            let told = text.contains(why) && text.contains(file.as_str()) && text.lines().count() == 1;
            assert!(output.status.code() == Some(1) && told, "{words:?}: {text}");
        }
    }
    for (words, why) in [(&["model", "revert"][..], "no former"), (&["model", "shadow", "--stop"], "no shadow")] {
        let output = stand.picket(words);
        assert!(output.status.code() == Some(1) && said(&output).contains(why), "{}", said(&output));
    }
    assert!(name(&stand) == shipped && !shelf(&stand).exists() && stand.events(&["an admin"]).is_empty());

    stand.ask(&["model", "load", &write(&stand, "good", &good)]);
    let id = name(&stand);
    let again = stand.picket(&["model", "load", &write(&stand, "good", &good)]);
    assert!(said(&again).contains("votes already"), "{}", said(&again));
    // Who is not trusted any more does not vote from then on, and does again when that is taken back.
    let reload = |stand: &Stand| stand.gate.shell(&format!("kill -HUP {}", stand.id())).unwrap();
    stand.configure("");
    reload(&stand);
    eventually(TEN, "the next best to vote", || name(&stand) == shipped && stand.warnings().contains("not trusted"));
    configure(&stand);
    reload(&stand);
    eventually(TEN, "it to vote again", || name(&stand) == id && !stand.warnings().contains("not trusted"));
    stand.stop();
    fs::write(shelf(&stand).join(id).with_extension("model"), damaged).unwrap();
    stand.start();
    assert_eq!(name(&stand), shipped, "the next best votes");
    eventually(TEN, "it to be told", || stand.warnings().contains("signature is not right"));
    stand.ask(&["model", "load", &write(&stand, "good", &good)]);
    eventually(TEN, "the warning to go", || !stand.warnings().contains("signature is not right"));
}
