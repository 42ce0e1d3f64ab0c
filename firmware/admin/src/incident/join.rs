//! Which story an event belongs to.

use super::{DENIED_HOSTS, DENIED_MANY, Incident, Incidents, NAMES_MAX, TEXT_MAX, THINGS_MAX, Thing, WINDOW};
use crate::api::EventRow;
use crate::words::plain;

/// An event with what is known of it beside.
#[derive(Clone, Debug, Default)]
pub struct Clue {
    /// The record of hosts' logs behind it.
    pub activity: Option<u64>,
    /// The account that it is about; of an enrolled source with its name.
    pub subject: String,
    /// From which address that was done.
    pub address: Option<String>,
    /// The host whose log says so, by its name.
    pub source: String,
    /// Whether that is proven; what the gateway saw by itself is.
    pub proven: bool,
}

/// What an event is to a story.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    /// Begins one where none goes on.
    Begins,
    /// Belongs into one that goes on.
    Joins,
    /// Nothing.
    None,
}

impl Incidents {
    /// Takes an event into its story. The number of the incident that changed, and of one that went into it.
    pub fn hear(&mut self, event: &EventRow, clue: &Clue) -> Option<(u64, Option<u64>)> {
        let part = self.part(event);
        if part == Part::None {
            return None;
        }
        let (hosts, subject) = (keys(event, clue), clue.subject.as_str());
        let at = event.at.micros();
        let goes_on = |incident: &&Incident| {
            let age = at.saturating_sub(incident.last).max(incident.last.saturating_sub(at));
            incident.closed.is_none() && age <= WINDOW.micros()
        };
        let of_subject =
            |incident: &&Incident| !subject.is_empty() && incident.subjects.iter().any(|one| one == subject);
        let of_host = |incident: &&Incident| {
            let others = !subject.is_empty() && !incident.subjects.is_empty();
            !others && incident.hosts.iter().any(|host| hosts.contains(host))
        };
        let newest = |belongs: &dyn Fn(&&Incident) -> bool| {
            self.all.values().rev().filter(goes_on).find(|incident| belongs(incident)).map(|incident| incident.number)
        };
        let (by_subject, by_host) = (newest(&of_subject), newest(&of_host));
        let number = match by_subject.or(by_host) {
            Some(number) => number,
            None if part == Part::Begins => {
                let number = self.all.last_key_value().map_or(1, |(last, _)| last + 1);
                self.all.insert(number, Incident::new(number, at));
                number
            }
            None => return None,
        };
        let merged = by_host.filter(|other| *other != number && clue.proven);
        if let Some(other) = merged {
            self.merge(number, other);
        }
        let incident = self.all.get_mut(&number)?;
        incident.add(event, clue, hosts);
        Some((number, merged))
    }

    fn part(&mut self, event: &EventRow) -> Part {
        let grave = matches!(event.level.as_str(), "MEDIUM" | "HIGH");
        if grave && (event.family.is_some() || event.detector.starts_with("insider:")) {
            return Part::Begins;
        }
        if event.detector == "policy" && event.state == "blocked" {
            return self.denied(&event.host, event.at.micros());
        }
        let about_a_host = event.family.is_some() || event.detector == "admin" || event.state != "observed";
        if about_a_host { Part::Joins } else { Part::None }
    }

    /// A device that is denied again and again is a story of its own.
    fn denied(&mut self, host: &str, at: u64) -> Part {
        if self.denied.len() >= DENIED_HOSTS && !self.denied.contains_key(host) {
            self.denied.retain(|_, (_, since)| at.saturating_sub(*since) <= WINDOW.micros());
            if self.denied.len() >= DENIED_HOSTS {
                return Part::Joins;
            }
        }
        let (count, since) = self.denied.entry(host.to_owned()).or_insert((0, at));
        if at.saturating_sub(*since) > WINDOW.micros() {
            (*count, *since) = (0, at);
        }
        *count += 1;
        if *count >= DENIED_MANY { Part::Begins } else { Part::Joins }
    }
}

/// The addresses that an event is about.
fn keys(event: &EventRow, clue: &Clue) -> Vec<String> {
    let proven = clue.address.clone().filter(|_| clue.proven);
    let nobody = |host: &String| host.is_empty() || host == "00:00:00:00:00:00";
    [Some(event.host.clone()), event.mac.clone(), proven].into_iter().flatten().filter(|host| !nobody(host)).collect()
}

impl Incident {
    fn new(number: u64, at: u64) -> Self {
        Self {
            number,
            hosts: Vec::new(),
            subjects: Vec::new(),
            sources: Vec::new(),
            things: Vec::new(),
            left_out: 0,
            last: at,
            told: String::new(),
            assigned: None,
            closed: None,
            comments: Vec::new(),
        }
    }

    fn add(&mut self, event: &EventRow, clue: &Clue, hosts: Vec<String>) {
        let at = event.at.micros();
        self.last = self.last.max(at);
        hosts.into_iter().for_each(|host| name(&mut self.hosts, host));
        name(&mut self.subjects, clue.subject.clone());
        name(&mut self.sources, clue.source.clone());
        let same = |thing: &&mut Thing| {
            thing.detector == event.detector
                && thing.family == event.family
                && thing.host == event.host
                && thing.subject == clue.subject
                && thing.state == event.state
        };
        if let Some(thing) = self.things.iter_mut().find(same) {
            thing.repeats += 1;
            thing.last = thing.last.max(at);
            if event.level == "HIGH" {
                thing.level.clone_from(&event.level);
            }
            return;
        }
        if self.things.len() >= THINGS_MAX {
            self.left_out += 1;
            return;
        }
        self.things.push(Thing {
            at,
            event: event.id,
            activity: clue.activity,
            detector: event.detector.clone(),
            family: event.family.clone(),
            host: event.host.clone(),
            subject: clue.subject.clone(),
            level: event.level.clone(),
            state: event.state.clone(),
            text: plain(&event.why, TEXT_MAX),
            repeats: 0,
            last: at,
        });
        self.things.sort_by_key(|thing| (thing.at, thing.event));
    }

    /// Takes out the things of these events, as an incident of its own; nothing where one of the two would be empty.
    #[must_use]
    pub fn split(&mut self, number: u64, events: &[u64]) -> Option<Self> {
        let moves = |thing: &Thing| events.contains(&thing.event);
        let left = self.things.iter().filter(|thing| !moves(thing)).count();
        if left == 0 || left == self.things.len() {
            return None;
        }
        let (theirs, own) = std::mem::take(&mut self.things).into_iter().partition(moves);
        self.things = own;
        let mut other = Self::new(number, 0);
        other.things = theirs;
        other.last = other.things.iter().map(|thing| thing.last).max().unwrap_or_default();
        self.last = self.things.iter().map(|thing| thing.last).max().unwrap_or_default();
        for thing in &other.things {
            name(&mut other.hosts, thing.host.clone());
            name(&mut other.subjects, thing.subject.clone());
        }
        // The record behind a thing says which source tells of it; the thing itself does not.
        other.sources.clone_from(&self.sources);
        let named = |all: &[Thing], of: fn(&Thing) -> &String, name: &String| all.iter().any(|thing| of(thing) == name);
        for (names, of) in [
            (&mut self.hosts, (|thing| &thing.host) as fn(&Thing) -> &String),
            (&mut self.subjects, |thing| &thing.subject),
        ] {
            names.retain(|name| !named(&other.things, of, name) || named(&self.things, of, name));
        }
        Some(other)
    }

    /// Takes over what another one has.
    pub fn absorb(&mut self, other: Self) {
        self.last = self.last.max(other.last);
        other.hosts.into_iter().for_each(|host| name(&mut self.hosts, host));
        other.subjects.into_iter().for_each(|subject| name(&mut self.subjects, subject));
        other.sources.into_iter().for_each(|source| name(&mut self.sources, source));
        self.things.extend(other.things);
        self.things.sort_by_key(|thing| (thing.at, thing.event));
        self.left_out += other.left_out + self.things.len().saturating_sub(THINGS_MAX) as u64;
        self.things.truncate(THINGS_MAX);
        self.comments.extend(other.comments);
        self.comments.sort_by(|a, b| a.at.cmp(&b.at));
        self.comments.truncate(super::COMMENTS_MAX);
        self.assigned = self.assigned.take().or(other.assigned);
        if other.told == "HIGH" {
            self.told = other.told;
        }
    }
}

/// Adds a name, once, within the bound.
fn name(names: &mut Vec<String>, name: String) {
    if !name.is_empty() && !names.contains(&name) && names.len() < NAMES_MAX {
        names.push(name);
    }
}
