//! `picket incidents`.

use std::fmt::Write as _;
use std::process::ExitCode;

use protocol::incident::{IncidentStory, IncidentView};

use super::{Outcome, finish, listed, show};
use crate::cli::IncidentsArgs;
use crate::config::Config;
use crate::control::Request;
use crate::control::client::ask;
use crate::terminal::{Table, clean, print};

/// `picket incidents`.
pub fn incidents(args: &IncidentsArgs) -> ExitCode {
    finish(match args.id {
        Some(id) => show(&args.client, &Request::Incidents { id: Some(id) }, text),
        None => list(args),
    })
}

fn list(args: &IncidentsArgs) -> Outcome {
    let config = Config::find(args.client.config.as_deref())?;
    let mut all: Vec<IncidentView> = ask(&config.control.socket, &Request::Incidents { id: None })?;
    all.retain(|incident| args.all || incident.state == "open");
    if args.client.json {
        print(&(serde_json::to_string(&all)? + "\n"));
        return Ok(());
    }
    let mut table = Table::new(&["ID", "STATE", "LEVEL", "BEGAN (UTC)", "EVENTS", "GIVEN TO", "WHAT"]);
    for incident in &all {
        table.row([
            incident.id.to_string(),
            incident.state.clone(),
            incident.level.clone(),
            shortened(&incident.began),
            incident.events.to_string(),
            incident.assigned.clone().unwrap_or_else(|| "-".into()),
            incident.summary.clone(),
        ]);
    }
    print(&listed(&table, "no incident is open"));
    Ok(())
}

/// One incident as a story.
fn text(story: &IncidentStory) -> String {
    let IncidentView { id, state, level, summary, .. } = &story.incident;
    // Writing to a string cannot fail.
    let mut out = format!("incident {id}, {state}, {level}\n{}\n\n", clean(summary));
    for thing in &story.timeline {
        let again = if thing.repeats > 0 {
            format!(" ({} times more, last {})", thing.repeats, shortened(&thing.last))
        } else {
            String::new()
        };
        let _ = writeln!(out, "{}  {:6}  {}{again}", shortened(&thing.at), thing.level, clean(&thing.text));
    }
    if story.left_out > 0 {
        let _ = writeln!(out, "and {} things more", story.left_out);
    }
    let mut part = |heading: &str, lines: Vec<String>| {
        if !lines.is_empty() {
            let _ = write!(
                out,
                "\n{heading}\n{}",
                lines.iter().map(|line| format!("  {}\n", clean(line))).collect::<String>()
            );
        }
    };
    part("what was done", story.done.clone());
    part("what to do next", story.next.clone());
    let said =
        |comment: &protocol::incident::Comment| format!("{} {}: {}", shortened(&comment.at), comment.who, comment.text);
    part("what people wrote", story.comments.iter().map(said).collect());
    out
}

/// A time to the second.
fn shortened(text: &str) -> String {
    text.get(..19).unwrap_or(text).replace('T', " ")
}
