//! What one screen of the live view shows.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::json;
use terms::Span;

use crate::config::duration::glance;
use crate::control::views::{BlockView, EventView, HostView, StatusView};
use crate::terminal::{Table, clean, rounded, time_of_day};

/// How many rows each list shows at most.
const ROWS: usize = 8;
/// How much of a reason is shown, in characters.
const WHY: usize = 60;

/// Everything on one screen.
#[derive(Clone, Debug, Default)]
pub struct Screen {
    /// The totals.
    pub status: StatusView,
    /// Frames and octets a second, once two looks can be compared.
    pub rates: Option<(f64, f64)>,
    /// The hosts, worst first.
    pub hosts: Vec<HostView>,
    /// The newest events, oldest first.
    pub events: Vec<EventView>,
    /// The blocks in force.
    pub blocks: Vec<BlockView>,
}

/// Frames and octets a second between two looks; nothing if the gateway was started anew in between.
#[allow(clippy::cast_precision_loss, reason = "three digits are shown")]
pub fn rates(before: &StatusView, now: &StatusView, between: Duration) -> (f64, f64) {
    let secs = between.as_secs_f64().max(0.001);
    let rate = |before: u64, now: u64| now.saturating_sub(before) as f64 / secs;
    (rate(before.frames, now.frames), rate(before.octets, now.octets))
}

impl Screen {
    /// The screen as text.
    pub fn text(&self) -> String {
        let mut text = self.head();
        section(&mut text, "Hosts that are not safe", &self.suspects(), "none");
        section(&mut text, "Last events", &self.last_events(), "nothing has happened");
        section(&mut text, "Blocks", &self.blocked(), "nobody is blocked");
        for warning in &self.status.warnings {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "\nwarning: {}", clean(warning));
        }
        text
    }

    /// The screen as one JSON object.
    pub fn json(&self) -> String {
        json!({ "status": self.status, "hosts": self.hosts, "events": self.events, "blocks": self.blocks }).to_string()
    }

    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a cast from a float saturates; it is for show"
    )]
    fn head(&self) -> String {
        let status = &self.status;
        let uptime = glance(Span::from_secs(status.uptime as u64));
        let rates = self.rates.map_or_else(String::new, |(frames, octets)| {
            format!("   {} frames/s   {}", rounded(frames as u64), bits((octets * 8.0) as u64))
        });
        let safe = status.hosts.saturating_sub(status.medium).saturating_sub(status.high);
        format!(
            "picket {}   {}   up {uptime}{rates}\n{} frames   {} dropped   {} octets\nhosts: {safe} safe, {} medium, {} high   findings: {}   blocks: {}\n",
            clean(&status.version),
            clean(&status.posture),
            rounded(status.frames),
            status.dropped,
            rounded(status.octets),
            status.medium,
            status.high,
            status.findings,
            status.blocks,
        )
    }

    fn suspects(&self) -> Table {
        let mut table = Table::new(&["HOST", "MAC", "SIDE", "LEVEL", "FAMILY", "CONFIDENCE"]);
        for host in self.hosts.iter().filter(|host| host.level != "SAFE").take(ROWS) {
            let [mac, family] = [&host.mac, &host.family].map(|text| text.clone().unwrap_or_default());
            table.row([
                host.host.clone(),
                mac,
                host.side.clone(),
                host.level.clone(),
                family,
                format!("{:.2}", host.confidence),
            ]);
        }
        table
    }

    fn last_events(&self) -> Table {
        let mut table = Table::new(&["AT (UTC)", "HOST", "LEVEL", "STATE", "WHY"]);
        for event in self.events.iter().rev().take(ROWS) {
            table.row([
                time_of_day(event.at),
                event.host.clone(),
                event.level.clone(),
                event.state.clone(),
                cut(&event.why),
            ]);
        }
        table
    }

    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a cast from a float saturates; it is for show"
    )]
    fn blocked(&self) -> Table {
        let mut table = Table::new(&["HOST", "STATE", "LEFT", "WHY"]);
        for block in self.blocks.iter().take(ROWS) {
            table.row([
                block.host.clone(),
                block.state.clone(),
                glance(Span::from_secs(block.left as u64)),
                cut(&block.why),
            ]);
        }
        table
    }
}

/// Bits a second, with the unit against its power: `335 bit/s`, `1.2 kbit/s`.
fn bits(bits: u64) -> String {
    let rounded = rounded(bits);
    let space = if rounded.contains(' ') { "" } else { " " };
    format!("{rounded}{space}bit/s")
}

/// A list under its heading.
fn section(text: &mut String, heading: &str, table: &Table, empty: &str) {
    let body = if table.is_empty() { format!("{empty}\n") } else { table.text() };
    // Writing to a string cannot fail.
    let _ = write!(text, "\n{heading}\n{body}");
}

/// As much of a reason as fits a line.
fn cut(why: &str) -> String {
    let mut shown: String = why.chars().take(WHY).collect();
    if why.chars().nth(WHY).is_some() {
        shown.push_str("...");
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_screen_shows_suspects_events_newest_first_and_the_time_left() {
        let host = |name: &str, level: &str| HostView { host: name.into(), level: level.into(), ..HostView::default() };
        let event = |why: &str| EventView { why: why.into(), ..EventView::default() };
        let screen = Screen {
            hosts: vec![host("10.0.0.66", "HIGH"), host("10.0.0.7", "SAFE")],
            events: vec![event("older"), event("newer")],
            blocks: vec![BlockView { host: "10.0.0.66".into(), left: 552.0, ..BlockView::default() }],
            ..Screen::default()
        };
        let text = screen.text();
        assert!(text.contains("10.0.0.66") && !text.contains("10.0.0.7 ") && text.contains("9m12s"), "{text}");
        assert!(text.find("newer") < text.find("older"), "{text}");
    }

    #[test]
    fn a_rate_is_told_with_its_unit() {
        assert_eq!([335, 1_200, 94_000_000].map(bits), ["335 bit/s", "1.2 kbit/s", "94.0 Mbit/s"]);
    }

    #[test]
    fn a_gateway_started_anew_has_no_negative_rate() {
        let [before, now] = [500, 20].map(|frames| StatusView { frames, ..StatusView::default() });
        assert_eq!(rates(&before, &now, Duration::from_secs(1)), (0.0, 0.0));
        assert_eq!(rates(&now, &before, Duration::from_secs(2)).0, 240.0);
    }

    #[test]
    fn a_reason_from_the_network_cannot_draw() {
        let event = EventView { why: "\u{1b}[2J".into(), ..EventView::default() };
        assert!(!Screen { events: vec![event], ..Screen::default() }.text().contains('\u{1b}'));
    }
}
