//! What of the gateway's events and of the box's state people should know, beside incidents.
//!
//! An event is a matter of its own. A state is told when it begins and when it is over; what was told is kept, so that a restart tells
//! nothing again. What the policy denies a device is told once a day a device, with how often in the group's time.
//!
//! **Bounds**: `DENIED_MAX` devices whose denials were told; the one told longest ago goes first.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use protocol::views::{MachineView, StatusView};
use protocol::{DeviceAsk, Request};
use serde::{Deserialize, Serialize};
use terms::{Span, Timestamp};

use super::matter::Identity;
use super::{Family, Matter, Notices};
use crate::api::{DeviceRow, EventRow};
use crate::clock::now;
use crate::office::Office;
use crate::rows::{Change, Rows, RowsError, Single};

/// Devices whose denials were told.
const DENIED_MAX: usize = 512;
/// How long the denials of a device that were told are not told again.
const DENIED_AGAIN: Span = Span::from_secs(86_400);
/// Every how many looks the medium's room is asked for.
const ROOM: u32 = 12;
/// The share of the medium below which it is nearly full, as one part of so many.
const ROOM_LEFT: u64 = 20;
/// Tries after which a channel that does not deliver is told: about a minute.
const TRIES: u32 = 6;

/// Keeps what was told.
#[derive(Default)]
pub struct Watch {
    told: Told,
    looks: u32,
    /// What is wrong with the medium's room, as it was found last.
    room: Option<String>,
}

/// What was told, as it is kept.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
struct Told {
    /// States that hold, by what they are about, with the words of their end.
    open: BTreeMap<String, String>,
    /// When the denials of a device were told, in microseconds, by its hardware address.
    denied: BTreeMap<String, u64>,
}

/// A state that holds.
struct State {
    matter: Matter,
    over: String,
    /// The channel that cannot tell of it.
    except: Option<u64>,
}

/// What an event is for those who are told.
pub enum Heard {
    /// A matter.
    New(Matter),
    /// The same again of a group that may wait still.
    Again(Family, String),
}

impl Watch {
    /// What the last run told.
    ///
    /// # Errors
    /// The row cannot be read.
    pub fn load(rows: &Rows) -> Result<Self, RowsError> {
        Ok(Self { told: rows.single(Single::Told)?.unwrap_or_default(), ..Self::default() })
    }

    /// What of these events people should know; what is kept of that goes into the change.
    pub fn hear(&mut self, office: &Office, events: &[EventRow], change: &mut Change) -> Vec<Heard> {
        let before = self.told.denied.len();
        let heard: Vec<Heard> = events.iter().filter_map(|event| self.one(office, event)).collect();
        if before != self.told.denied.len() || heard.iter().any(|heard| matches!(heard, Heard::New(_))) {
            change.set(Single::Told, &self.told);
        }
        heard
    }

    fn one(&mut self, office: &Office, event: &EventRow) -> Option<Heard> {
        match event.detector.as_str() {
            "link" => {
                let severed = event.evidence.contains_key("severed");
                let done = if severed { "Picket looks each second and takes the link in again." } else { "" };
                let mut matter = Matter::new(Family::Link, event.why.clone(), &event.why, done);
                if severed {
                    matter.level = "HIGH".into();
                }
                matter.link = office.link("system", None);
                Some(Heard::New(matter))
            }
            "devices:new" => {
                let done = "Nothing was blocked: it waits for somebody to approve, quarantine or block it.";
                Some(Heard::New(about_device(office, Family::Device, event, done)))
            }
            "devices" => {
                let done = "Nobody gains by it: records and rules keep what they had.";
                Some(Heard::New(about_device(office, Family::Conflict, event, done)))
            }
            "policy" if event.state == "blocked" => {
                let mac = event.mac.clone().unwrap_or_else(|| event.host.clone());
                let at = event.at.micros();
                if self.told.denied.get(&mac).is_some_and(|told| at.abs_diff(*told) < DENIED_AGAIN.micros()) {
                    return Some(Heard::Again(Family::Denied, mac));
                }
                if self.told.denied.len() >= DENIED_MAX {
                    let oldest = self.told.denied.iter().min_by_key(|(_, at)| **at).map(|(mac, _)| mac.clone());
                    oldest.map(|oldest| self.told.denied.remove(&oldest));
                }
                self.told.denied.insert(mac.clone(), at);
                let done = "The policy dropped it; more of it is not told for a day. Access can be given for a time on the page.";
                let matter = about_device(office, Family::Denied, event, done);
                Some(Heard::New(Matter { about: mac, ..matter }))
            }
            _ => None,
        }
    }

    /// Looks at the box's state, and tells what began and what is over.
    pub fn look(&mut self, office: &Office) {
        let Ok(status) = office.ask::<StatusView>(Request::Status) else { return };
        if self.looks.is_multiple_of(ROOM)
            && let Ok(machine) = office.ask::<MachineView>(Request::Machine)
        {
            self.room = nearly_full(machine.disk, machine.disk_free);
        }
        self.looks = self.looks.wrapping_add(1);
        let mail = office.outbox().stuck();
        let mut change = Change::default();
        let mut notices = office.notices();
        let mut states = stores(&status, self.room.as_deref());
        states.extend(channels(&notices, mail));
        for state in &mut states {
            state.matter.link = office.link("system", None);
        }
        if self.compare(states, &mut notices, now(), &mut change) {
            change.set(Single::Told, &self.told);
            // Written before anybody else writes the same channel.
            office.jot(change, Vec::new());
            drop(notices);
            if let Err(error) = office.rows().sync() {
                tracing::error!("{error}");
            }
        }
    }

    /// Tells what is new and what is over; whether anything was.
    fn compare(&mut self, states: Vec<State>, notices: &mut Notices, at: Timestamp, change: &mut Change) -> bool {
        let mut any = false;
        let gone: Vec<String> = self
            .told
            .open
            .keys()
            .filter(|about| states.iter().all(|state| state.matter.about != **about))
            .cloned()
            .collect();
        for about in gone {
            let Some(over) = self.told.open.remove(&about) else { continue };
            let family = if about.starts_with(CHANNEL) { Family::Channel } else { Family::Store };
            let except = about.strip_prefix(CHANNEL).and_then(|number| number.parse().ok());
            notices.tell_matter(&Matter::new(family, about, &over, ""), except, at, change);
            any = true;
        }
        for state in states {
            if let Entry::Vacant(place) = self.told.open.entry(state.matter.about.clone()) {
                notices.tell_matter(&state.matter, state.except, at, change);
                place.insert(state.over);
                any = true;
            }
        }
        any
    }
}

/// What states of channels are about begins with this, the channel's number behind it.
const CHANNEL: &str = "channel ";

fn stores(status: &StatusView, room: Option<&str>) -> Vec<State> {
    let state = |about: &str, text: &str, done: &str, over: &str| State {
        matter: Matter::new(Family::Store, about, text, done),
        over: over.into(),
        except: None,
    };
    let store = status.store_trouble.as_deref().map(|trouble| {
        let done = "The bridge forwards on and blocks stand; history waits in memory, the oldest of it goes.";
        state("store", &format!("the store takes nothing: {trouble}"), done, "the store takes records again")
    });
    let room = room.map(|room| state("room", room, "Nothing was taken away.", "the medium has room again"));
    store.into_iter().chain(room).collect()
}

fn channels(notices: &Notices, mail: Option<String>) -> Vec<State> {
    let stuck = |number: u64| {
        let mut of_it = notices.waiting.values().filter(|notice| notice.channel == number);
        of_it.any(|notice| notice.dead.is_some() || notice.tries >= TRIES)
    };
    let failing = notices.channels.values().filter(|channel| channel.fails() && stuck(channel.number));
    let told = failing.map(|channel| {
        let text = format!("the channel {:?} does not deliver: {}", channel.name, channel.trouble);
        let done = "What it did not take is kept and tried again for a day.";
        let over = format!("the channel {:?} delivers again", channel.name);
        let about = format!("{CHANNEL}{}", channel.number);
        State { matter: Matter::new(Family::Channel, about, &text, done), over, except: Some(channel.number) }
    });
    let mail = mail.map(|why| State {
        matter: Matter::new(
            Family::Channel,
            format!("{CHANNEL}mail"),
            &format!("the mail server takes nothing: {why}"),
            "Letters are kept and tried again for a day.",
        ),
        over: "the mail server takes letters again".into(),
        except: None,
    });
    told.chain(mail).collect()
}

fn nearly_full(size: u64, free: u64) -> Option<String> {
    let full = size > 0 && free < size / ROOM_LEFT;
    full.then(|| format!("the medium is nearly full: {} MiB of {} MiB are free", free >> 20, size >> 20))
}

/// A matter about the device of an event, with who that is.
fn about_device(office: &Office, family: Family, event: &EventRow, done: &str) -> Matter {
    let which = event.mac.clone().unwrap_or_else(|| event.host.clone());
    let known: Option<DeviceRow> = office.ask(Request::Devices(DeviceAsk::Show { device: which.clone() })).ok();
    let is_mac = |text: &str| text.len() == 17 && text.contains(':');
    let mut who = Identity { mac: event.mac.clone().unwrap_or_default(), ..Identity::default() };
    if !is_mac(&event.host) {
        who.address.clone_from(&event.host);
    }
    let mut matter = Matter::new(family, which, &event.why, done);
    if let Some(device) = known {
        if !is_mac(&device.name) && device.name != who.address {
            who.name = crate::words::plain(&device.name, 64);
        }
        who.owner = crate::words::plain(&device.owner, 64);
        if who.address.is_empty() {
            who.address = device.addresses.last().cloned().unwrap_or_default();
        }
        matter.about = device.id.to_string();
        matter.link = office.link("devices", Some(u64::from(device.id)));
    }
    matter.who = who;
    matter
}

#[cfg(test)]
mod tests {
    use super::super::tests::channel;
    use super::*;

    fn notices() -> Notices {
        let mut all = Notices::default();
        for number in [1, 2] {
            let mut channel = channel(number, false);
            channel.families = [Family::Channel, Family::Store].into();
            all.channels.insert(number, channel);
        }
        all
    }

    #[test]
    fn a_full_store_is_told_when_it_begins_and_when_it_is_over_and_not_again_after_a_restart() {
        let (mut notices, mut watch) = (notices(), Watch::default());
        let full = StatusView { store_trouble: Some("the disk is full".into()), ..StatusView::default() };
        let mut look = |watch: &mut Watch, status: &StatusView| {
            watch.compare(stores(status, None), &mut notices, now(), &mut Change::default());
            notices.waiting.values().map(|notice| notice.text.clone()).collect::<Vec<_>>()
        };
        assert_eq!(look(&mut watch, &StatusView::default()).len(), 0);
        assert_eq!(look(&mut watch, &full), ["MEDIUM: the store takes nothing: the disk is full"; 2]);
        let kept = serde_json::to_string(&watch.told).expect("JSON");
        let mut watch = Watch { told: serde_json::from_str(&kept).expect("the same"), ..Watch::default() };
        assert_eq!(look(&mut watch, &full).len(), 2, "once");
        assert!(look(&mut watch, &StatusView::default())[2].contains("takes records again"));
        assert!(nearly_full(1_000 << 20, 49 << 20).is_some() && nearly_full(1_000 << 20, 51 << 20).is_none());
    }

    #[test]
    fn a_channel_that_fails_is_told_by_the_other_one() {
        let (mut notices, mut watch) = (notices(), Watch::default());
        let mut change = Change::default();
        notices.try_out(1, now(), &mut change);
        notices.channels.get_mut(&1).expect("one").trouble = "refused".into();
        let number = *notices.waiting.keys().next().expect("a try");
        watch.compare(channels(&notices, None), &mut notices, now(), &mut change);
        assert_eq!(notices.waiting.len(), 1, "a first failure is nobody's alarm");
        notices.waiting.get_mut(&number).expect("it").tries = TRIES;
        watch.compare(channels(&notices, None), &mut notices, now(), &mut change);
        let told: Vec<_> = notices.waiting.values().filter(|notice| notice.matter.is_some()).collect();
        assert!(told.len() == 1 && told[0].channel == 2 && told[0].text.contains("refused"), "{told:?}");
        notices.channels.get_mut(&1).expect("one").trouble.clear();
        watch.compare(channels(&notices, None), &mut notices, now(), &mut change);
        assert!(notices.waiting.values().any(|notice| notice.text.contains("delivers again")));
    }
}
