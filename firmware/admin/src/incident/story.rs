//! An incident in words: what happened, what was done, what to do next.

use detect::catalogue::THREATS;
use protocol::incident::{Happening, IncidentStory, IncidentView};
use terms::Timestamp;

use super::{Incident, Thing};
use crate::clock::rfc3339;

/// Different things that a summary names.
const NAMED: usize = 4;

impl Incident {
    /// As a row of a list.
    #[must_use]
    pub fn view(&self) -> IncidentView {
        let began = self.things.first().map_or(self.last, |thing| thing.at);
        IncidentView {
            id: self.number,
            state: if self.closed.is_some() { "closed" } else { "open" }.into(),
            level: self.level().into(),
            summary: self.summary(),
            hosts: self.hosts.clone(),
            subjects: self.subjects.clone(),
            sources: self.sources.clone(),
            began: at(began),
            last: at(self.last),
            events: self.left_out + self.things.iter().map(|thing| 1 + thing.repeats).sum::<u64>(),
            blocked: self.things.iter().any(Thing::blocks),
            assigned: self.assigned.clone(),
            closed_for: self.closed.clone(),
        }
    }

    /// The highest level of what it tells of: `MEDIUM` or `HIGH`.
    #[must_use]
    pub fn level(&self) -> &'static str {
        if self.things.iter().any(|thing| thing.level == "HIGH") { "HIGH" } else { "MEDIUM" }
    }

    /// As a whole.
    #[must_use]
    pub fn story(&self) -> IncidentStory {
        IncidentStory {
            incident: self.view(),
            timeline: self.things.iter().map(Thing::happening).collect(),
            left_out: self.left_out,
            done: self.done(),
            next: self.next(),
            comments: self.comments.clone(),
        }
    }

    /// Who found what it tells of.
    pub fn detectors(&self) -> impl Iterator<Item = &str> {
        self.things.iter().filter(|thing| thing.is_found()).map(|thing| thing.detector.as_str())
    }

    /// Who did what, in the order in which it happened.
    fn summary(&self) -> String {
        // Beside a host stands its hardware address: that is no second one.
        let acted = |host: &&String| self.things.iter().any(|thing| thing.host == **host);
        let hosts = self.hosts.iter().filter(acted);
        let who: Vec<&str> = self.subjects.iter().take(2).map(String::as_str).collect();
        let who = if who.is_empty() { hosts.take(2).map(String::as_str).collect() } else { who };
        let mut what: Vec<String> = Vec::new();
        for thing in self.things.iter().filter(|thing| thing.is_found()) {
            let name = thing.name();
            if !what.contains(&name) {
                what.push(name);
            }
        }
        let more = what.len().saturating_sub(NAMED);
        what.truncate(NAMED);
        let mut summary =
            format!("{}: {}", if who.is_empty() { "the box".into() } else { who.join(" and ") }, what.join(", then "));
        if more > 0 {
            summary += &format!(", and {more} things more");
        }
        if self.things.iter().any(Thing::blocks) {
            summary += "; blocked";
        }
        summary
    }

    fn done(&self) -> Vec<String> {
        let done = self.things.iter().filter(|thing| thing.blocks() || !thing.is_found());
        let came = |thing: &Thing| if thing.blocks() { "blocked".to_owned() } else { thing.state.clone() };
        let mut done: Vec<String> =
            done.map(|thing| format!("{} {}: {}", thing.host, came(thing), thing.text)).collect();
        done.dedup();
        if done.is_empty() {
            done.push("nothing was blocked: the box told and did no more".into());
        }
        done
    }

    /// What rules say to do, and what is always to be done.
    fn next(&self) -> Vec<String> {
        let mut next: Vec<String> = Vec::new();
        let said = self.things.iter().filter(|thing| thing.detector.starts_with("insider:"));
        for advice in said.filter_map(|thing| Some(thing.text.rsplit_once("). ")?.1.to_owned())) {
            if !next.contains(&advice) {
                next.push(advice);
            }
        }
        if self.things.iter().any(|thing| thing.family.is_some()) {
            let blocked = self.things.iter().any(Thing::blocks);
            next.push(if blocked {
                "Find out who uses the device and what runs on it. End the block when that is known and over.".into()
            } else {
                "Find out who uses the device and what runs on it. If nobody can say, block it.".into()
            });
        }
        if self.things.iter().any(|thing| thing.detector == "policy") {
            next.push(
                "See what was denied: a need that nobody has written down, or a try. A need becomes a rule.".into(),
            );
        }
        next.push("Close it with the reason that was found, so that the next one is read faster.".into());
        next
    }
}

impl Thing {
    /// Whether it was found, rather than done about what was found.
    fn is_found(&self) -> bool {
        self.family.is_some() || self.detector.starts_with("insider:") || self.detector == "policy"
    }

    fn blocks(&self) -> bool {
        self.detector != "policy" && matches!(self.state.as_str(), "blocked" | "confirmed")
    }

    /// What it is called in a summary.
    fn name(&self) -> String {
        if self.detector == "policy" {
            return "denied by the policy".into();
        }
        if self.detector.starts_with("insider:") {
            let title = self.text.split(':').next().unwrap_or_default();
            let mut letters = title.chars();
            return letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect());
        }
        let family = self.family.as_deref().unwrap_or_default();
        let known = THREATS.iter().find(|threat| threat.word == family);
        known.map_or_else(|| family.to_owned(), |threat| threat.meaning.trim_end_matches('.').to_owned())
    }

    fn happening(&self) -> Happening {
        Happening {
            at: at(self.at),
            event: self.event,
            activity: self.activity,
            detector: self.detector.clone(),
            host: self.host.clone(),
            subject: self.subject.clone(),
            level: self.level.clone(),
            state: self.state.clone(),
            text: self.text.clone(),
            repeats: self.repeats,
            last: at(self.last),
        }
    }
}

fn at(micros: u64) -> String {
    rfc3339(Timestamp::from_micros(micros))
}
