//! The follower: takes the gateway's events over, in their order, into audit, alerts and the live feed.
//!
//! The gateway's own history is the journal: whatever happened while the API was down is caught up on. How far it came is written
//! together with what came of it, so that nothing is taken over twice.

use std::collections::BTreeSet;
use std::sync::MutexGuard;
use std::thread::sleep;
use std::time::Duration;

use protocol::intake::{ActivityAsk, ActivityView};
use protocol::{EVENTS_MAX, Request};

use crate::alert::{ALERTS_MAX, Alert};
use crate::api::{EventRow, HostRow};
use crate::audit::Act;
use crate::clock::now;
use crate::incident::Clue;
use crate::notice::{Family, Heard, Notices, Watch};
use crate::office::{Office, of_gateway};
use crate::rows::{Change, Kind};

/// How often the gateway is asked for news.
const PAUSE: Duration = Duration::from_millis(300);
/// Every how many rounds it is looked who has fallen below High.
const LOOK: u32 = 15;

/// Follows until the process ends.
pub fn follow(office: &Office) {
    let mut followed = office.followed();
    let mut guests = Vec::new();
    let mut watch = Watch::load(office.rows()).unwrap_or_else(|error| {
        tracing::error!("{error}; states that hold are told again");
        Watch::default()
    });
    for round in 0_u32.. {
        match office.ask::<Vec<EventRow>>(Request::EventsAfter { after: followed, limit: EVENTS_MAX }) {
            Ok(events) if !events.is_empty() => {
                followed = events.last().map_or(followed, |event| event.id);
                take(office, &events, followed, &mut watch);
                for event in events {
                    office.feed.tell(Some(event.id), "activity", &event, None);
                }
            }
            Ok(_) => sleep(PAUSE),
            Err(_) => sleep(PAUSE * 4),
        }
        office.tell_guests(&mut guests);
        if round % LOOK == 0 {
            let hosts: Vec<HostRow> = office.ask(Request::Hosts).unwrap_or_default();
            settle(office, &hosts);
            watch.look(office);
        }
    }
}

/// Takes events over.
fn take(office: &Office, events: &[EventRow], followed: u64, watch: &mut Watch) {
    let (mut change, mut acts, mut raised) = (Change::default(), Vec::new(), BTreeSet::new());
    let medium = office.settings().on("alerts.medium");
    {
        let mut alerts = office.alerts();
        for event in events {
            acts.extend(act(event));
            let raises = event.level == "HIGH" || medium && event.level == "MEDIUM" && event.family.is_some();
            if raises {
                let open = alerts.values_mut().find(|alert| !alert.over && alert.host == event.host);
                let number = match open {
                    Some(alert) => {
                        alert.repeats += 1;
                        alert.last = event.at.micros();
                        if event.level == "HIGH" {
                            alert.severity.clone_from(&event.level);
                        }
                        alert.number
                    }
                    None => {
                        let number = alerts.last_key_value().map_or(1, |(last, _)| last + 1);
                        alerts.insert(number, raise(event, number));
                        number
                    }
                };
                raised.insert(number);
            }
        }
        while alerts.len() > ALERTS_MAX {
            let seen = alerts.values().find(|alert| alert.acknowledged.is_some()).map(|alert| alert.number);
            let Some(oldest) = seen.or_else(|| alerts.keys().next().copied()) else { break };
            alerts.remove(&oldest);
            change.remove(Kind::Alert, oldest);
        }
        raised
            .iter()
            .filter_map(|number| alerts.get(number))
            .for_each(|alert| change.put(Kind::Alert, alert.number, alert));
    }
    // Who it is about is looked up before the notifications are held.
    let heard = watch.hear(office, events, &mut change);
    let mut notices = tell_stories(office, events, &mut change);
    for one in heard {
        match one {
            Heard::New(matter) => notices.tell_matter(&matter, None, now(), &mut change),
            Heard::Again(family, about) => notices.tell_again(family, &about, &mut change),
        }
    }
    Office::follow(&mut change, followed);
    // Written before anybody else writes the same channel.
    office.jot(change, acts);
    drop(notices);
    if let Err(error) = office.rows().sync() {
        tracing::error!("{error}");
    }
}

/// Takes events into the incidents that they belong to; each incident that changed is written once. The notifications stay held
/// until that is written.
fn tell_stories<'o>(office: &'o Office, events: &[EventRow], change: &mut Change) -> MutexGuard<'o, Notices> {
    let (mut changed, mut gone) = (BTreeSet::new(), BTreeSet::new());
    for event in events {
        // What hosts say is looked up before the incidents are held: it may take a moment.
        let clue = clue(office, event);
        if let Some((number, merged)) = office.incidents().hear(event, &clue) {
            changed.insert(number);
            gone.extend(merged);
        }
    }
    let mut incidents = office.incidents();
    gone.extend(incidents.let_go());
    gone.iter().for_each(|number| change.remove(Kind::Incident, *number));
    let mut notices = office.notices();
    for number in changed.difference(&gone) {
        let Some(incident) = incidents.all.get_mut(number) else { continue };
        // People hear when it begins and when it becomes High; the rest is in the story.
        if incident.told != incident.level() && incident.told != "HIGH" {
            incident.told = incident.level().into();
            let link = office.link("incidents", Some(*number));
            notices.tell(&incident.view(), Family::of(incident.detectors()), &link, now(), change);
        }
        change.put(Kind::Incident, *number, incident);
    }
    notices
}

/// What is known of an event beside: who did it and from where, if it rests on what a host says.
fn clue(office: &Office, event: &EventRow) -> Clue {
    let seen = Clue { proven: true, ..Clue::default() };
    if !event.detector.starts_with("insider:") {
        return seen;
    }
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of a record, written as one")]
    let Some(id) = event.evidence.get("activity").map(|id| *id as u64) else { return Clue { proven: false, ..seen } };
    let ask = ActivityAsk { before: Some(id + 1), limit: 1, ..ActivityAsk::default() };
    let found: Vec<ActivityView> = office.ask(Request::Activity(ask)).unwrap_or_default();
    let Some(record) = found.into_iter().find(|record| record.id == id) else {
        return Clue { proven: false, activity: Some(id), ..seen };
    };
    // Of an enrolled source an account is that source's own.
    let proven = record.proof == "token";
    let named = proven && !record.subject.is_empty();
    let subject = if named { format!("{} on {}", record.subject, record.device) } else { record.subject };
    let source = if record.device.is_empty() { record.source } else { record.device };
    Clue { activity: Some(id), subject, address: record.address, source, proven }
}

/// What the audit says of an event. What admins do is recorded where they do it; who comes and goes is no act.
fn act(event: &EventRow) -> Option<Act> {
    let by_people = event.detector == "policy" && !event.why.starts_with("policy: picket ");
    if by_people || matches!(event.detector.as_str(), "admin" | "devices:new") {
        return None;
    }
    let blocked = matches!(event.state.as_str(), "blocked" | "confirmed");
    let what = match event.family {
        Some(_) if blocked => "block.automatic",
        Some(_) => return None,
        None => "gateway.act",
    };
    let mut act = of_gateway(what, &event.host, &event.why);
    act.result.clone_from(&event.state);
    Some(act)
}

fn raise(event: &EventRow, number: u64) -> Alert {
    Alert {
        number,
        threat: event.id,
        host: event.host.clone(),
        mac: event.mac.clone(),
        family: event.family.clone().unwrap_or_default(),
        severity: event.level.clone(),
        why: event.why.clone(),
        created: event.at.micros(),
        repeats: 0,
        last: event.at.micros(),
        over: false,
        acknowledged: None,
        assigned: None,
        notes: Vec::new(),
        muted: None,
    }
}

/// An alert is over once its host is below High: the next rise makes another.
fn settle(office: &Office, hosts: &[HostRow]) {
    let mut change = Change::default();
    let mut any = false;
    let now = now().micros();
    for alert in office.alerts().values_mut().filter(|alert| !alert.over) {
        // What has just been found may not show in the hosts yet.
        let young = now.saturating_sub(alert.last) < 5_000_000;
        if !young && hosts.iter().all(|host| host.host != alert.host || host.level != alert.severity) {
            alert.over = true;
            any = true;
            change.put(Kind::Alert, alert.number, alert);
        }
    }
    if any {
        office.jot(change, Vec::new());
    }
}
