//! What stands while the gateway does not run: the ruleset that it keeps for the next start, the closed one, and the check whether a
//! binary protects at all.

use std::fs;
use std::process::Command;

use enforce::Kept;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use terms::Failure;

use super::stand::{HOST_MAC, Stand, TEN, binary, eventually, said};

/// What the image's first process closes the box with.
const CLOSED: &str = "nft add table bridge picket_closed
    nft 'add chain bridge picket_closed forward { type filter hook forward priority -300; policy drop; }'";

fn kept(stand: &Stand) -> Option<Kept> {
    Kept::read(&fs::read(stand.file("ruleset")).ok()?).ok()
}

fn keeping(stand: &Stand) -> String {
    format!("export PICKET_RULESET={}", stand.file("ruleset").display())
}

#[test]
fn the_ruleset_that_holds_is_kept_for_the_next_start_and_one_on_trial_is_not() {
    let Some(mut stand) = Stand::build("kept") else { return };
    stand.configure("[fail]\nenforce = \"closed\"");
    stand.start_after(&keeping(&stand));
    eventually(TEN, "the first ruleset to be kept", || kept(&stand).is_some_and(|kept| kept.ruleset.plan.is_none()));
    stand.ask(&["block", "192.168.9.77", "--for", "10m", "--why", "to be kept"]);
    eventually(TEN + 5, "the block to be kept", || kept(&stand).is_some_and(|kept| kept.blocks.len() == 1));
    assert_eq!(kept(&stand).map(|kept| kept.failure), Some(Failure::Open));
    let policy = stand.file("policy.toml");
    let text = format!(
        "posture = \"enforce\"\nnew = \"everything\"\n[[device]]\nname = \"camera\"\nmacs = [\"{HOST_MAC}\"]\nstate = \"approved\"\n"
    );
    fs::write(&policy, text).unwrap();
    let policy = policy.to_string_lossy().into_owned();
    stand.ask(&["policy", "apply", &policy, "--confirm-within", "60"]);
    // What is on trial is held back for longer than anything else waits.
    std::thread::sleep(std::time::Duration::from_secs(8));
    assert!(kept(&stand).is_some_and(|kept| kept.ruleset.plan.is_none()), "a policy on trial is kept");
    stand.ask(&["policy", "confirm"]);
    eventually(TEN, "the policy to be kept", || {
        kept(&stand).is_some_and(|kept| kept.ruleset.plan.is_some() && kept.failure == Failure::Closed)
    });
}

#[test]
fn a_closed_box_opens_once_the_gateway_holds_the_table_and_closes_nothing_by_itself() {
    let Some(mut stand) = Stand::build("closed") else { return };
    stand.configure("[fail]\nprotect = \"closed\"");
    stand.start();
    stand.kill();
    assert_eq!(stand.pings(3), 3, "without somebody who closes it the last ruleset stands");
    stand.gate.shell(CLOSED).unwrap();
    assert_eq!(stand.pings(1), 0);
    stand.start();
    assert!(!stand.gate.shell("nft list tables").unwrap().contains("picket_closed"));
}

#[test]
fn this_binary_protects_a_network_of_its_own_and_touches_no_other() {
    let Some(stand) = Stand::build("protects") else { return };
    let before = stand.gate.shell("ip -o link; nft list ruleset").unwrap();
    let output = stand.gate.command(binary()).args(["self-test", "--protects", "--json"]).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    assert!(String::from_utf8_lossy(&output.stdout).contains("was blocked after"), "{}", said(&output));
    assert_eq!(stand.gate.shell("ip -o link; nft list ruleset").unwrap(), before);
}

#[test]
fn without_the_right_to_a_network_of_its_own_the_check_says_so_and_fails() {
    let mut powerless = Command::new("setpriv");
    powerless.args(["--bounding-set=-all", "--inh-caps=-all", "--", binary(), "self-test", "--protects"]);
    let output = powerless.output().unwrap();
    let table = String::from_utf8_lossy(&output.stdout);
    assert!(!output.status.success() && table.contains("a network namespace of its own"), "{table}");
}

#[test]
#[ignore = "long form: a process that hangs is noticed after half a minute"]
fn an_api_process_that_hangs_is_ended_and_started_again() {
    let Some(mut stand) = Stand::build("hung") else { return };
    stand.configure("[api]\nlisten = \"127.0.0.1:8443\"");
    stand.start();
    let process = |stand: &Stand| {
        let line = format!("pgrep -P {} || true", stand.id());
        stand.gate.shell(&line).unwrap().lines().next().and_then(|id| id.trim().parse::<i32>().ok())
    };
    eventually(60, "the API to be ready", || stand.ask(&["status"]).get("fingerprint").is_some());
    let before = process(&stand).expect("an API process");
    kill(Pid::from_raw(before), Signal::SIGSTOP).unwrap();
    eventually(120, "another API process", || process(&stand).is_some_and(|now| now != before));
    assert!(stand.log().contains("the API process hangs and is ended"), "{}", stand.log());
    assert_eq!(stand.pings(3), 3);
}
