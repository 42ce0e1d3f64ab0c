//! `picket self-test`: this binary on this machine, with nothing but itself.

use std::process::ExitCode;

use policy::Ruleset;
use serde::Serialize;
use store::{Limits, Store};
use terms::{BlockState, HostKey, MacAddr, Side, Span, ThreatLevel, Timestamp};

use crate::cli::SelfTestArgs;
use crate::model;
use crate::run::rehearse;
use crate::terminal::{Table, print};

/// What one check came to.
#[derive(Serialize)]
struct Check {
    what: &'static str,
    good: bool,
    found: String,
}

/// Runs every check and prints what it came to; exit status 1 if one is not good.
#[must_use]
pub fn self_test(args: &SelfTestArgs) -> ExitCode {
    let checks = if args.protects {
        vec![
            check("the forest tells a threat from what is none", model::tells_apart()),
            check("a scan is found and blocked, and others pass", rehearse()),
        ]
    } else {
        vec![
            check("forest against its golden vectors", model::check()),
            check("nftables batch", batch()),
            check("store: open, write, close, open again", store()),
        ]
    };
    if args.json {
        print(&(serde_json::to_string(&checks).unwrap_or_default() + "\n"));
    } else {
        let mut table = Table::new(&["CHECK", "", "FOUND"]);
        for check in &checks {
            table.row([check.what.into(), if check.good { "good" } else { "BAD" }.into(), check.found.clone()]);
        }
        print(&table.text());
    }
    if checks.iter().all(|c| c.good) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn check(what: &'static str, done: Result<String, String>) -> Check {
    let good = done.is_ok();
    Check { what, good, found: done.unwrap_or_else(|error| error) }
}

fn batch() -> Result<String, String> {
    let ruleset = Ruleset { lan: "lan".into(), uplink: "uplink".into(), never_block: Vec::new(), plan: None };
    let plan = enforce::plan(&ruleset).map_err(|error| error.to_string())?;
    Ok(format!("{} messages, {} octets, {} rules", plan.messages, plan.octets, plan.rules))
}

fn store() -> Result<String, String> {
    let folder = std::env::temp_dir().join(format!("picket-self-test-{}", std::process::id()));
    let done = write_and_read(&folder).map_err(|error| error.to_string());
    let removed = std::fs::remove_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()));
    done.and_then(|found| removed.map(|()| found))
}

fn write_and_read(folder: &std::path::Path) -> Result<String, Box<dyn std::error::Error>> {
    let limits = Limits { max_age: Span::from_secs(86_400), max_octets: 64 << 20 };
    let mut store = store::open(folder, limits)?.store;
    let event = store::Event {
        id: 0,
        at: Timestamp::from_secs(1),
        host: HostKey::Mac(MacAddr::ZERO),
        mac: None,
        side: Side::Unknown,
        state: BlockState::Observed,
        level: ThreatLevel::Safe,
        family: None,
        detector: "self-test".into(),
        why: "self-test".into(),
        confidence: 1.0,
        evidence: Vec::new(),
        features: Vec::new(),
        frames: Vec::new(),
    };
    let id = store.append_event(event)?;
    store.sync()?;
    store.close()?;
    drop(store);
    let store = store::open(folder, limits)?.store;
    store.event(id)?.ok_or("the event that was written is not there")?;
    Ok("an event was written and read back".into())
}
