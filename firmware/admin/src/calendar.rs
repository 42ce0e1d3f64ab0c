//! Reports by the calendar: the letter of each day and the report of each week, made in local time, kept, and sent to who is to have them.
//!
//! A period goes from one of its moments to the next, so that a day has 23 or 25 hours where clocks change. What was missed, because the box was
//! off or nobody could make it, is made up for once: the last period, not each of them. Up to when reports were made is kept beside them.

use std::sync::Arc;
use std::thread::sleep;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use policy::{Turn, Zone};
use protocol::Request;
use protocol::report::{Form, ReportAsk};
use protocol::views::StatusView;
use serde::{Deserialize, Serialize};
use terms::Timestamp;

use crate::clock::{now, rfc3339};
use crate::office::{Office, of_gateway};
use crate::outbox::{Letter, post};
use crate::rows::{Change, Single};
use crate::settings::addresses;

/// How often it is looked what is due.
const LOOK: Duration = Duration::from_secs(5);
/// Looks in which one may fail before people hear that there is none.
const TRIES: u32 = 12;
/// What a letter names of what was found, and of what is wrong with the box.
const NAMED: usize = 5;

/// Up to when each was made, in microseconds; 0 where it is off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Reported {
    daily: u64,
    weekly: u64,
}

/// What of a report's figures a letter tells.
#[derive(Debug, Default, Deserialize)]
struct Figures {
    summary: Vec<String>,
    counts: Counts,
    families: Vec<(String, u64)>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
struct Counts {
    high: u64,
    medium: u64,
    blocked: u64,
    findings: u64,
    denied: u64,
}

/// Makes what is due until the process ends.
pub fn keep(office: &Arc<Office>) {
    let mut failed = 0;
    loop {
        sleep(LOOK);
        let mut reported: Reported = office.rows().single(Single::Reported).ok().flatten().unwrap_or_default();
        let before = reported;
        for (key, until) in [("reports.daily", &mut reported.daily), ("reports.weekly", &mut reported.weekly)] {
            let Some([end, begin, earlier]) = moments(office, key, now()) else {
                *until = 0;
                continue;
            };
            if !is_due(*until, end) {
                continue;
            }
            // Whoever has just asked for it gets the next one.
            if *until > 0 {
                match make(office, key, [end, begin, earlier]) {
                    Ok(()) => failed = 0,
                    Err(why) if failed < TRIES => {
                        failed += 1;
                        tracing::warn!("{key} is not made yet: {why}");
                        continue;
                    }
                    Err(why) => {
                        failed = 0;
                        send(office, "there is no report", vec![format!("The report could not be made: {why}.")]);
                    }
                }
            }
            *until = end.micros();
        }
        if reported != before {
            let mut change = Change::default();
            change.set(Single::Reported, &reported);
            office.jot(change, Vec::new());
            if let Err(error) = office.rows().sync() {
                tracing::error!("{error}");
            }
        }
    }
}

/// Whether a period that ended at `end` is still to be reported. What lies after it was written before the clock was set back.
fn is_due(until: u64, end: Timestamp) -> bool {
    until != end.micros() && (until < end.micros() || until > end.micros() + 8 * 86_400_000_000)
}

/// The end of the last period, its beginning, and that of the one before; nothing where it is off.
fn moments(office: &Office, key: &str, at: Timestamp) -> Option<[Timestamp; 3]> {
    let settings = office.settings();
    let turn = Turn::read(settings.value(key).as_str()?).ok()?;
    let zone = Zone::named(settings.value("reports.time_zone").as_str()?)?;
    turn.last(&zone, at)
}

/// Makes one, keeps it, and sends the letter that tells of it.
fn make(office: &Arc<Office>, key: &str, [end, begin, earlier]: [Timestamp; 3]) -> Result<(), String> {
    let figures = figures(office, begin, end)?;
    let before = figures_of_before(office, earlier, begin);
    let ask = asked(office, begin, end, Form::Pdf);
    let by = key.replace("reports.", "calendar: ");
    let report = office.reports().begin(ask.clone(), by, now()).map_err(|problem| problem.detail)?;
    let made = octets(office, ask);
    let failed = made.as_ref().err().cloned();
    office.reports().end(office.rows(), report.number, made);
    if let Some(why) = failed {
        return Err(why);
    }
    office.jot(Change::default(), vec![of_gateway("report.make", &report.number.to_string(), key)]);
    let (day, first) = (rfc3339(end), rfc3339(begin));
    let name = if key == "reports.weekly" { "weekly report" } else { "daily letter" };
    let subject = format!("{name}, {} to {}", &first[..10], &day[..10]);
    send(office, &subject, words(office, &figures, before, [begin, end]));
    Ok(())
}

/// The letter's paragraphs.
fn words(office: &Office, figures: &Figures, before: Option<Counts>, [begin, end]: [Timestamp; 2]) -> Vec<String> {
    let status: StatusView = office.ask(Request::Status).unwrap_or_default();
    let open = office.incidents().all.values().filter(|incident| incident.closed.is_none()).count();
    let organisation = crate::api::organisation(office);
    let mut lines = Vec::new();
    if !organisation.is_empty() {
        lines.push(organisation);
    }
    lines.push(format!("From {} to {} (UTC).", rfc3339(begin), rfc3339(end)));
    lines.extend(figures.summary.iter().cloned());
    lines.push(counted(figures.counts, before));
    let found: Vec<String> =
        figures.families.iter().take(NAMED).map(|(family, count)| format!("{family} {count}")).collect();
    if !found.is_empty() {
        lines.push(format!("Most of it: {}.", found.join(", ")));
    }
    lines.push(match open {
        0 => "No incident waits for a decision.".into(),
        n => format!("Incidents that wait for a decision: {n}. {}", office.link("incidents", None)),
    });
    lines.push(if status.warnings.is_empty() {
        "The box: all is well.".into()
    } else {
        format!("The box: {}.", status.warnings.iter().take(NAMED).cloned().collect::<Vec<_>>().join("; "))
    });
    lines.push(format!("The whole report as a PDF is kept on the box: {}", office.link("reports", None)));
    lines
}

/// The counts, each with what it was in the period before.
fn counted(counts: Counts, before: Option<Counts>) -> String {
    let figures = |of: Counts| [of.findings, of.high, of.medium, of.blocked, of.denied];
    let names = ["Findings", "level HIGH", "level MEDIUM", "hosts blocked", "denied by rules"];
    let before = before.map(figures);
    let each = names.iter().zip(figures(counts)).enumerate().map(|(n, (name, count))| match before {
        Some(before) => format!("{name} {count} (before: {})", before[n]),
        None => format!("{name} {count}"),
    });
    each.collect::<Vec<_>>().join(", ") + "."
}

/// Nobody is told less because the period before is gone from the history.
fn figures_of_before(office: &Office, from: Timestamp, to: Timestamp) -> Option<Counts> {
    figures(office, from, to).ok().map(|figures| figures.counts)
}

fn figures(office: &Office, from: Timestamp, to: Timestamp) -> Result<Figures, String> {
    let octets = octets(office, asked(office, from, to, Form::Json))?;
    serde_json::from_slice(&octets).map_err(|error| error.to_string())
}

fn asked(office: &Office, from: Timestamp, to: Timestamp, format: Form) -> ReportAsk {
    ReportAsk { from: rfc3339(from), to: rfc3339(to), format, organisation: crate::api::organisation(office) }
}

fn octets(office: &Office, ask: ReportAsk) -> Result<Vec<u8>, String> {
    let text: String = office.ask(Request::Report(ask)).map_err(|problem| problem.detail)?;
    STANDARD.decode(text).map_err(|error| error.to_string())
}

/// Posts a letter to each who is to have it.
fn send(office: &Office, subject: &str, lines: Vec<String>) {
    let to = office.settings().value("reports.to").as_str().unwrap_or_default().to_owned();
    for to in addresses(&to).unwrap_or_default() {
        let letter = Letter::Note { to, subject: format!("Picket: {subject}"), lines: lines.clone() };
        if post(office, letter).is_none() {
            tracing::warn!("a report is not sent: no mail is configured, or the outbox is full; it is kept on the box");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_is_reported_once_and_a_clock_that_was_set_back_stops_nothing() {
        let day = 86_400_000_000;
        let end = Timestamp::from_micros(100 * day);
        assert!(is_due(99 * day, end) && is_due(1, end), "a missed run is made up for");
        assert!(!is_due(100 * day, end) && !is_due(101 * day, end), "once");
        assert!(is_due(300 * day, end), "the clock was months ahead");
    }

    #[test]
    fn counts_stand_beside_those_of_the_period_before() {
        let counts = Counts { high: 2, medium: 1, blocked: 2, findings: 3, denied: 0 };
        assert_eq!(
            counted(counts, None),
            "Findings 3, level HIGH 2, level MEDIUM 1, hosts blocked 2, denied by rules 0."
        );
        assert!(
            counted(counts, Some(Counts::default())).starts_with("Findings 3 (before: 0), level HIGH 2 (before: 0)")
        );
    }
}
