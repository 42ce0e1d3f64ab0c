//! What a report says, counted once.

use std::collections::{BTreeMap, BTreeSet};

use protocol::views::EventView;
use serde::Serialize;

use crate::period::{Period, moment, slot_name};

/// What a report says.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Figures {
    /// Whose network it is about; empty where nobody said so.
    pub organisation: String,
    /// When the period begins, as RFC 3339.
    pub from: String,
    /// When it ends, which is not part of it.
    pub to: String,
    /// What happened, in words.
    pub summary: Vec<String>,
    /// The counts.
    pub counts: Counts,
    /// Findings by slot of the period, none left out.
    pub trend: Vec<Slot>,
    /// Findings by what was found, the most first.
    pub families: Vec<(String, u64)>,
    /// Every host with a finding or a block, the worst first.
    pub hosts: Vec<HostLine>,
    /// Every finding, oldest first.
    pub findings: Vec<Finding>,
}

/// The counts of a period.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Findings of level High.
    pub high: u64,
    /// Findings of level Medium.
    pub medium: u64,
    /// Hosts that were blocked.
    pub blocked: u64,
    /// Findings.
    pub findings: u64,
    /// Hosts with a finding.
    pub hosts: u64,
    /// Attempts that a rule of the policy denied.
    pub denied: u64,
}

/// The findings of a part of the period.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Slot {
    /// When it begins.
    pub begin: String,
    /// Findings in it.
    pub findings: u64,
    /// Those of level High.
    pub high: u64,
}

/// One host in the period.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct HostLine {
    /// Its address.
    pub host: String,
    /// Its hardware address, where one is known.
    pub mac: Option<String>,
    /// Findings about it.
    pub findings: u64,
    /// Those of level High.
    pub high: u64,
    /// Whether it was blocked.
    pub blocked: bool,
    /// What was found, without repeats.
    pub families: Vec<String>,
}

/// One finding.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Finding {
    /// Its number, as `picket events show` takes it.
    pub id: u64,
    /// When, in UTC.
    pub at: String,
    /// The host that it is about.
    pub host: String,
    /// Its hardware address, where one is known.
    pub mac: Option<String>,
    /// `MEDIUM` or `HIGH`; `SAFE` where it was told and nothing more.
    pub level: String,
    /// How far the act against the host came.
    pub state: String,
    /// What was found.
    pub family: String,
    /// Who found it.
    pub detector: String,
    /// In words.
    pub why: String,
}

impl Figures {
    /// The figures of a period from events in the order of their numbers; those outside of it do not count.
    #[must_use]
    pub fn of(period: &Period, events: &[EventView]) -> Self {
        let mut figures = Self { trend: slots(period), ..Self::default() };
        (figures.from, figures.to) = period.words();
        let (begin, slot, _) = period.slots();
        let mut families: BTreeMap<&str, u64> = BTreeMap::new();
        let mut hosts: BTreeMap<&str, (HostLine, BTreeSet<&str>)> = BTreeMap::new();
        for event in events.iter().filter(|event| period.holds(event.at)) {
            // What a rule denies is no finding about the host, and no block of it.
            if event.detector == "policy" {
                figures.counts.denied += u64::from(event.state == "blocked");
                continue;
            }
            let blocked = matches!(event.state.as_str(), "blocked" | "confirmed");
            // What insider rules find in hosts' logs is a finding by the rule's name.
            let family = event.family.as_deref().or_else(|| event.detector.strip_prefix("insider:"));
            if family.is_none() && !blocked {
                continue;
            }
            let (line, found) = hosts.entry(&event.host).or_default();
            line.host.clone_from(&event.host);
            line.mac = line.mac.take().or_else(|| event.mac.clone());
            line.blocked |= blocked;
            let Some(family) = family else { continue };
            let high = event.level == "HIGH";
            line.findings += 1;
            line.high += u64::from(high);
            found.insert(family);
            *families.entry(family).or_default() += 1;
            figures.counts.findings += 1;
            figures.counts.high += u64::from(high);
            figures.counts.medium += u64::from(event.level == "MEDIUM");
            #[allow(clippy::cast_possible_truncation, reason = "a cast from a float saturates")]
            let place = usize::try_from((event.at.floor() as i64 - begin) / slot).unwrap_or(0);
            if let Some(slot) = figures.trend.get_mut(place) {
                slot.findings += 1;
                slot.high += u64::from(high);
            }
            figures.findings.push(finding(event, family));
        }
        figures.families = families.into_iter().map(|(family, count)| (family.to_owned(), count)).collect();
        figures.families.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        figures.hosts = hosts
            .into_values()
            .map(|(line, found)| HostLine { families: found.into_iter().map(str::to_owned).collect(), ..line })
            .collect();
        figures.hosts.sort_by_key(|line| std::cmp::Reverse((line.high, line.blocked, line.findings)));
        figures.counts.blocked = figures.hosts.iter().filter(|line| line.blocked).count() as u64;
        figures.counts.hosts = figures.hosts.iter().filter(|line| line.findings > 0).count() as u64;
        figures.summary = summary(&figures);
        figures
    }
}

fn slots(period: &Period) -> Vec<Slot> {
    let (begin, slot, count) = period.slots();
    let name = |n: usize| slot_name(begin + slot * i64::try_from(n).unwrap_or(0), slot);
    (0..count).map(|n| Slot { begin: name(n), ..Slot::default() }).collect()
}

fn finding(event: &EventView, family: &str) -> Finding {
    Finding {
        id: event.id,
        at: moment(event.at),
        host: event.host.clone(),
        mac: event.mac.clone(),
        level: event.level.clone(),
        state: event.state.clone(),
        family: family.into(),
        detector: event.detector.clone(),
        why: event.why.clone(),
    }
}

/// What happened, and what needs a person.
fn summary(figures: &Figures) -> Vec<String> {
    let Counts { findings, high, hosts, blocked, denied, .. } = figures.counts;
    if findings == 0 && blocked == 0 && denied == 0 {
        return vec!["Nothing was found in this period, nobody was blocked, and no rule denied anything.".into()];
    }
    let mut words = vec![format!(
        "{} about {}; {high} of them of level HIGH.",
        many(findings, "finding was made", "findings were made"),
        many(hosts, "host", "hosts")
    )];
    words.push(format!("{}.", many(blocked, "host was blocked", "hosts were blocked")));
    if let Some((family, count)) = figures.families.first() {
        words.push(format!("Most often it was {family}, {count} times."));
    }
    if denied > 0 {
        words.push(format!("{}.", many(denied, "attempt was denied by a rule", "attempts were denied by rules")));
    }
    let open: Vec<_> = figures.hosts.iter().filter(|line| line.high > 0 && !line.blocked).collect();
    if !open.is_empty() {
        let names: Vec<_> = open.iter().take(5).map(|line| line.host.as_str()).collect();
        let more =
            if open.len() > names.len() { format!(" and {} more", open.len() - names.len()) } else { String::new() };
        words.push(format!("Not blocked though HIGH, and a person's to decide: {}{more}.", names.join(", ")));
    }
    words
}

/// A number with its noun.
fn many(count: u64, one: &str, more: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { more })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Four hosts that scan, the last two of them blocked, a denial, an admin's act and something outside of the period.
    pub(crate) fn some() -> Figures {
        let period = Period::new("2026-11-20T00:00:00Z", "2026-11-23T00:00:00Z").unwrap();
        let event = |id, host: &str, state: &str, level: &str, family: Option<&str>| EventView {
            id,
            at: 1_795_132_800.0 + 40_000.0 * id as f64,
            host: host.into(),
            state: state.into(),
            level: level.into(),
            family: family.map(str::to_owned),
            detector: "rule:scan".into(),
            why: format!("it tried {id} ports <of> \"all\" = a lot, (and more)"),
            ..EventView::default()
        };
        let denial = EventView { detector: "policy".into(), ..event(5, "10.0.0.9", "blocked", "SAFE", None) };
        let events = [
            event(1, "10.0.0.1", "observed", "MEDIUM", Some("port scan")),
            event(2, "10.0.0.2", "would block", "HIGH", Some("port scan")),
            event(3, "10.0.0.3", "confirmed", "HIGH", Some("port scan")),
            event(4, "10.0.0.4", "blocked", "HIGH", Some("=flood\u{1b}[2J")),
            denial,
            event(6, "10.0.0.5", "observed", "SAFE", None),
            event(900, "10.0.0.7", "confirmed", "HIGH", Some("port scan")),
        ];
        Figures::of(&period, &events)
    }

    #[test]
    fn findings_hosts_and_denials_are_counted_apart() {
        let figures = some();
        let counts = Counts { high: 3, medium: 1, blocked: 2, findings: 4, hosts: 4, denied: 1 };
        assert_eq!(figures.counts, counts);
        assert_eq!(figures.families[0], ("port scan".into(), 3));
        assert_eq!(
            figures.hosts.iter().map(|line| line.host.as_str()).collect::<Vec<_>>(),
            ["10.0.0.3", "10.0.0.4", "10.0.0.2", "10.0.0.1"]
        );
        assert_eq!(
            figures.trend.iter().map(|slot| (slot.findings, slot.high)).collect::<Vec<_>>(),
            [(2, 1), (2, 2), (0, 0)]
        );
        assert!(figures.summary.concat().contains("Not blocked though HIGH, and a person's to decide: 10.0.0.2."));
    }

    #[test]
    fn an_empty_period_says_so() {
        let period = Period::new("2001-01-01T00:00:00Z", "2001-01-02T00:00:00Z").unwrap();
        let figures = Figures::of(&period, &[]);
        assert_eq!((figures.counts, figures.trend.len()), (Counts::default(), 24));
        assert!(figures.summary[0].contains("Nothing was found"));
    }
}
