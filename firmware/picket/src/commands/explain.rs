//! `picket explain`: one host, and what its level rests on.

use std::process::ExitCode;

use super::{finish, or_dash, show, span};
use crate::cli::HostArgs;
use crate::config::duration;
use crate::control::Request;
use crate::control::views::{BaselineView, ExplainView};
use crate::terminal::{Table, clean, moment, rounded};

/// `picket explain`.
pub fn explain(args: &HostArgs) -> ExitCode {
    finish(show(&args.client, &Request::Explain { host: args.host }, text))
}

/// A host for people.
fn text(told: &ExplainView) -> String {
    let host = &told.host;
    let mut table = Table::new(&["HOST", &host.host]);
    let mut row = |what: &str, value: String| table.row([what.into(), value]);
    row("mac", or_dash(host.mac.as_ref()));
    if host.last_seen > 0.0 {
        row("side", host.side.clone());
        row("level", level(told));
        row("seen", format!("{} to {} UTC", moment(host.first_seen), moment(host.last_seen)));
        row(
            "sent",
            format!("{} frames, {} octets since the gateway started", rounded(host.frames), rounded(host.octets)),
        );
    } else {
        row("seen", "never".into());
    }
    if let Some(block) = &told.blocked {
        let by = if block.automatic { "the gateway" } else { "an admin" };
        row("blocked", format!("by {by} until {} UTC: {}", moment(block.until), clean(&block.why)));
    }
    let minutes: Vec<String> = told.minutes.iter().map(|(level, n)| format!("{n} {level}")).collect();
    row(
        "last day",
        if minutes.is_empty() { "no minute yet".into() } else { format!("minutes: {}", minutes.join(", ")) },
    );
    match &told.baseline {
        Some(baseline) => learnt(baseline, host.last_seen).into_iter().for_each(|(what, value)| row(what, value)),
        None => row("learnt", "nothing yet: it is judged as any host".into()),
    }
    for said in &told.feedback {
        let until = said.until.map_or_else(String::new, |until| format!(", quiet until {} UTC", moment(until)));
        row("feedback", format!("event {}, {}: {}{until}", said.id, said.family, said.verdict));
    }
    let mut text = table.text();
    if told.events.is_empty() {
        text.push_str("\nnothing was found about it lately\n");
    } else {
        let mut events = Table::new(&["EVENT", "AT (UTC)", "LEVEL", "STATE", "FAMILY", "WHY"]);
        for event in &told.events {
            events.row([
                event.id.to_string(),
                moment(event.at),
                event.level.clone(),
                event.state.clone(),
                or_dash(event.family.as_ref()),
                event.why.clone(),
            ]);
        }
        text.push('\n');
        text.push_str(&events.text());
        text.push_str(
            "picket events show EVENT tells the numbers and frames of one; picket feedback says if it was right\n",
        );
    }
    text
}

/// Its level, with what speaks for it.
fn level(told: &ExplainView) -> String {
    let host = &told.host;
    match &host.family {
        Some(family) => {
            format!("{}: {family}, confidence {:.2}, evidence {:.2} of 1", host.level, host.confidence, host.score)
        }
        None if host.level == "SAFE" => "SAFE: nothing speaks against it".into(),
        None => format!("{}: earlier evidence, which fades", host.level),
    }
}

/// What was learnt of it, a row each.
fn learnt(baseline: &BaselineView, now: f64) -> Vec<(&'static str, String)> {
    let listed = |what: &[String]| if what.is_empty() { "none".into() } else { what.join(", ") };
    let age = duration::glance(span((now - baseline.since).max(0.0)));
    let holds = if baseline.holds { "held against it" } else { "not yet held against it: that takes a day" };
    vec![
        ("learnt", format!("{} minutes in {age}, {holds}", baseline.minutes)),
        ("  usual vote", format!("up to {:.2} of the forest against it", baseline.usual_share)),
        ("  busiest hour", format!("{} octets sent", rounded(baseline.busiest_hour))),
        ("  administers by", listed(&baseline.administers_by)),
        ("  lets the internet in", listed(&baseline.exposed_by)),
        ("  usual signs", listed(&baseline.usual_signs)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::views::{BlockedView, HostView};

    #[test]
    fn an_unknown_host_is_told_as_one_that_is_judged_as_any() {
        let host = HostView { host: "10.0.0.7".into(), level: "SAFE".into(), last_seen: 1.0, ..HostView::default() };
        let text = text(&ExplainView { host, ..ExplainView::default() });
        assert!(text.contains("SAFE: nothing speaks against it"), "{text}");
        assert!(text.contains("nothing yet: it is judged as any host"), "{text}");
        assert!(text.ends_with("nothing was found about it lately\n"), "{text}");
    }

    #[test]
    fn what_a_peer_wrote_cannot_move_the_cursor() {
        let blocked = BlockedView { why: "a\x1b[2Jb".into(), ..BlockedView::default() };
        let text = text(&ExplainView { blocked: Some(blocked), ..ExplainView::default() });
        assert!(!text.contains('\x1b'), "{text:?}");
    }
}
