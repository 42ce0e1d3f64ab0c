//! Entries about packets to rules about conversations.

use super::MudError;
use super::entry::Entry;
use super::rule::{Direction, Protocol, Rule};
use super::tree::Place;
use crate::service::Ports;

/// Whether the packets of an entry start conversations or answer in them.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Start,
    Reply,
}

/// The rules of entries, each once, in their order, and notes about what is no rule.
///
/// # Errors
/// An entry drops what a later one of its list would let pass: rules that only allow cannot tell that.
pub(super) fn rules(lists: &[Vec<(Entry, Place<'_>)>]) -> Result<(Vec<Rule>, Vec<String>), MudError> {
    let (mut rules, mut notes) = (Vec::new(), Vec::new());
    let all: Vec<&Entry> = lists.iter().flatten().map(|(entry, _)| entry).filter(|entry| entry.accept).collect();
    for list in lists {
        let dropped = list.iter().position(|(entry, _)| !entry.accept).unwrap_or(list.len());
        let (passing, rest) = list.split_at(dropped);
        if let (Some((_, drop)), true) = (rest.first(), rest.iter().any(|(entry, _)| entry.accept)) {
            return Err(
                drop.wrong("drops what later entries may accept; rules only allow, so their order has no meaning")
            );
        }
        for (entry, place) in passing {
            let made = entry.part(&all) == Part::Start;
            if made {
                entry.rules().into_iter().for_each(|rule| push_once(&mut rules, rule));
            } else if !all.iter().any(|other| other.way != entry.way && entry.answers(other)) {
                push_once(
                    &mut notes,
                    place.wrong("lets replies pass of conversations that nothing starts").to_string(),
                );
            }
            if made && !entry.caller_ports().is_empty() && !entry.called_ports().is_empty() {
                push_once(
                    &mut notes,
                    place.wrong("names ports of both ends; the port of the one who calls is not looked at").to_string(),
                );
            }
        }
        if !rest.is_empty() {
            push_once(&mut notes, "what an entry drops at the end of its list is dropped by default".into());
        }
    }
    Ok((rules, notes))
}

impl Entry {
    /// Whether these packets start conversations.
    fn part(&self, all: &[&Self]) -> Part {
        let ports = (self.caller_ports().is_empty(), self.called_ports().is_empty());
        match (self.initiated, ports) {
            (Some(who), _) if who == self.way => Part::Start,
            (Some(_), _) => Part::Reply,
            // A service's port at the sender alone: it answers.
            (None, (false, true)) => Part::Reply,
            (None, (true, false)) => Part::Start,
            // Nothing tells who starts; where both ways are open, the device does.
            (None, _) if self.way == Direction::FromDevice => Part::Start,
            (None, _) if all.iter().any(|other| self.mirrors(other)) => Part::Reply,
            (None, _) => Part::Start,
        }
    }

    /// Whether both are about the same packets, each of the other way.
    fn mirrors(&self, other: &Self) -> bool {
        *self == Self { way: self.way, ..other.clone() } && self.way != other.way
    }

    /// Whether these packets are what comes back of those.
    fn answers(&self, other: &Self) -> bool {
        let same_ends = self.peer == other.peer && self.protocol == other.protocol;
        let called_back = other.called_ports() == self.caller_ports() || other.called_ports().is_empty();
        same_ends && self.initiated == other.initiated && called_back
    }

    /// Ports of the sender.
    fn caller_ports(&self) -> &[Ports] {
        if self.way == Direction::FromDevice { &self.device_ports } else { &self.peer_ports }
    }

    /// Ports of the receiver.
    fn called_ports(&self) -> &[Ports] {
        if self.way == Direction::FromDevice { &self.peer_ports } else { &self.device_ports }
    }

    /// The rules of an entry that starts conversations: one a range of ports.
    fn rules(&self) -> Vec<Rule> {
        let rule = |ports| Rule { direction: self.way, peer: self.peer.clone(), protocol: self.protocol, ports };
        match self.called_ports() {
            [] => vec![rule(None)],
            ranges => ranges.iter().map(|ports| rule(Some(*ports))).collect(),
        }
    }
}

/// Whether only ports or TCP's direction could tell who starts it.
pub(super) fn is_silent_about_direction(rule: &Rule) -> bool {
    rule.protocol != Protocol::Tcp && rule.ports.is_none()
}

fn push_once<T: PartialEq>(list: &mut Vec<T>, item: T) {
    if !list.contains(&item) {
        list.push(item);
    }
}
