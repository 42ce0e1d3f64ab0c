//! What the page asks for, of a gateway whose store holds a million events: totals, figures over time, and pages of lists, the newest
//! and from the middle, filtered by what is there often, seldom and never; and how long such a box takes to start.
//!
//! The events are as long as those of the gateway: each has its host's features.

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use features::SCHEMA;
use store::{Event, Limits, Store};
use terms::{BlockState, Family, HostKey, MacAddr, Side, Span, ThreatLevel, Timestamp};

use super::Plan;
use super::memory::status;
use super::row::{Goal, Row, median};
use crate::faults::wait_for;
use crate::load::Served;
use crate::site::Site;

/// Events that the store holds.
const EVENTS: u64 = 1_000_000;
/// Events between two that are handed to the medium together.
const LOT: u64 = 1_000;
/// Hosts that they are about; every so manieth event is about a host, of a family and of a level of its own.
const HOSTS: u64 = 200;
const SELDOM: u64 = 50_000;
/// The days over which they are spread.
const DAYS: u64 = 20;
/// The last event's host, whose alert tells that the API has taken over all of them.
const LAST: [u8; 4] = [10, 9, 0, 251];
/// How long that may take.
const TAKEN_OVER: Duration = Duration::from_secs(900);
/// The most that an answer may take. **Units**: milliseconds.
const MOST: f64 = 50.0;

/// Fills the store and asks.
///
/// # Errors
/// When the store does not take the events, or the gateway does not answer.
pub fn run(plan: &Plan) -> Result<Vec<Row>> {
    let site = Site::build(false)?;
    let (network, folder) = (site.network(), site.folder());
    let (served, alone) = Served::start(network, folder)?.stop()?.again(folder)?;
    let empty = memory(&served)?;
    eprintln!("bench: history: {empty:.1} MiB without events");
    let stopped = served.stop()?;
    fill(&folder.join("state"))?;
    let (served, first) = stopped.again(folder)?;
    let last = HostKey::V4(LAST.into()).to_string();
    wait_for("the API to take all events over", TAKEN_OVER, || {
        Ok(served.json(&format!("/api/v1/alerts?host={last}"))?["items"][0].is_object())
    })?;
    let (served, again) = served.stop()?.again(folder)?;
    eprintln!("bench: history: starts took {alone:.2} s without events, {first:.2} s at first, {again:.2} s later");
    let number = |path: &str| -> Result<u64> {
        served.json(path)?["items"][0]["id"].as_u64().with_context(|| format!("no event in {path}"))
    };
    let (oldest, newest) = (number("/api/v1/activity?before=100&limit=1")?, number("/api/v1/activity?limit=1")?);
    ensure!(newest - oldest > EVENTS - 100, "only the events from {oldest} to {newest} are kept");
    let middle = newest / 2;
    let totals = ["", "/day/devices", "/week/sources", "/year/levels"].map(|of| format!("/api/v1/statistics{of}"));
    let lists = [
        "activity?".to_owned(),
        format!("activity?before={middle}&"),
        "activity?host=10.9.0.7&".into(),
        format!("activity?host=10.9.0.250&before={middle}&"),
        "activity?host=10.9.0.249&".into(),
        "activity?host=02:00:00:00:09:fa&".into(),
        "activity?state=blocked&".into(),
        "threats?".into(),
        format!("threats?level=HIGH&before={middle}&"),
        "threats?level=MEDIUM&family=dns_tunnel&".into(),
        "threats?family=dns_tunnel&".into(),
        "threats?host=10.9.0.7&family=arp_spoof&".into(),
        "alerts?".into(),
        "alerts?sort=-severity&q=10.9.0.25&".into(),
        "audit?".into(),
        "blocks?".into(),
        "devices?".into(),
        "flows?".into(),
        "hosts?".into(),
        "incidents?".into(),
    ]
    .map(|path| format!("/api/v1/{path}limit=100"));
    let slowest = |paths: &[String]| -> Result<f64> {
        let mut most: f64 = 0.0;
        for path in paths {
            let time = median(&served.times(path, plan.rounds)?).context("no time")?;
            eprintln!("bench: history: {time:.1} ms for {path}");
            most = most.max(time);
        }
        Ok(most)
    };
    let (totals, lists_took) = (slowest(&totals)?, slowest(&lists)?);
    let held = memory(&served)?;
    let one = |what: String, unit: &str, figure: f64, goal| Row::new(&what, unit, vec![figure], None, goal);
    let box_ = "of a box with 1,000,000 stored events";
    Ok(vec![
        one(format!("slowest of the dashboard's statistics {box_}, over TLS"), "ms", totals, Goal::AtMost(MOST)),
        one(
            format!("slowest of {} pages of 100 rows of lists {box_}, over TLS", lists.len()),
            "ms",
            lists_took,
            Goal::AtMost(MOST),
        ),
        one(format!("start {box_}, until the API answers; {alone:.1} s without events"), "s", again, Goal::None),
        one(
            format!("RssAnon of gateway and API together {box_}; {empty:.1} MiB without events"),
            "MiB",
            held,
            Goal::None,
        ),
    ])
}

/// What gateway and API hold together. **Units**: MiB.
fn memory(served: &Served<'_>) -> Result<f64> {
    let [gateway, api] = served.processes()?.map(|process| status(process, "RssAnon:"));
    Ok(gateway? + api?)
}

/// Puts the events of some weeks into the store of a gateway that is not running.
fn fill(path: &Path) -> Result<()> {
    let limits = Limits { max_octets: 4 << 30, ..Limits::default() };
    let mut store = store::open(path, limits)?.store;
    let since = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs() - DAYS * 86_400;
    for n in 1..=EVENTS {
        let at = Timestamp::from_secs(since) + Span::from_secs(n * DAYS * 86_400 / EVENTS);
        store.append_event(event(n, at))?;
        if n.is_multiple_of(LOT) {
            store.tick()?;
            ensure!(!crate::stop::asked(), "asked to stop");
        }
    }
    store.retain(Timestamp::from_secs(since))?;
    let octets = store.figures().octets_held >> 20;
    store.close()?;
    eprintln!("bench: history: {EVENTS} events are {octets} MiB on the medium");
    Ok(())
}

fn event(n: u64, at: Timestamp) -> Event {
    let seldom = n.is_multiple_of(SELDOM);
    let number = if seldom { 250 } else { u8::try_from(n % HOSTS).unwrap_or_default() };
    let host = if n == EVENTS { LAST } else { [10, 9, 0, number] };
    // Numbers that differ from event to event, as measured ones do.
    let feature = |at: usize| terms::fnv(terms::FNV_BEGINS ^ n, &at.to_be_bytes()) % 1_000;
    Event {
        id: 0,
        at,
        host: HostKey::V4(host.into()),
        mac: Some(MacAddr::new([2, 0, 0, 0, 9, number])),
        side: Side::Lan,
        state: BlockState::Observed,
        level: if seldom { ThreatLevel::High } else { ThreatLevel::Medium },
        family: Some(if seldom { Family::DnsTunnel } else { Family::PortScanVertical }),
        detector: "rule:port_scan".into(),
        why: format!("11 ports of 198.51.100.{number} refused or ignored in 60 s, number {n}"),
        confidence: 0.9,
        evidence: vec![("ports".into(), 11.0), ("refused".into(), 9.0)],
        features: SCHEMA.iter().enumerate().map(|(at, name)| ((*name).to_owned(), feature(at) as f32)).collect(),
        frames: Vec::new(),
    }
}
