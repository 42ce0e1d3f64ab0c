//! `picket activity` and `picket sources`.

use std::collections::VecDeque;
use std::io::Read;
use std::path::Path;
use std::process::ExitCode;

use intake::shown;
use protocol::intake::{ACTIVITY_MAX, ActivityAsk, ActivityView, CountView, FoundView, RULE_MAX, SourceView, TestAsk};
use protocol::source::{Enrolled, Handed, SourceAsk};
use report::cell;

use super::{Outcome, finish, listed, show};
use crate::cli::{ActivityArgs, ActivityCommand, ActivityTestArgs, ClientArgs, SourcesArgs, SourcesCommand};
use crate::config::Config;
use crate::control::Request;
use crate::control::client::ask;
use crate::terminal::{Table, clean, moment, print};

/// The headings of the CSV file, in the order of the cells.
const HEADINGS: [&str; 15] = [
    "id", "at", "claimed", "source", "device", "subject", "action", "object", "result", "address", "proof", "program",
    "priority", "cut", "text",
];

/// `picket activity`.
pub fn activity(args: &ActivityArgs) -> ExitCode {
    match &args.rule {
        Some(ActivityCommand::Test(test)) => finish(try_rule(test)),
        None => finish(list(args)),
    }
}

/// `picket sources`.
pub fn sources(args: &SourcesArgs) -> ExitCode {
    match &args.act {
        None => who_sends(&args.client),
        Some(SourcesCommand::Enroll { client, name, code }) => {
            let with = if *code { Handed::Code } else { Handed::Token };
            let ask = SourceAsk::Enroll { name: name.clone(), with };
            finish(show(client, &Request::Source(ask), |made: &Enrolled| match (&made.token, &made.code) {
                (Some(token), _) => format!(
                    "{} is enrolled. Its token, shown this once:\n{token}\nsend JSON lines to POST /api/v1/logs with Authorization: Bearer\n",
                    made.name
                ),
                (_, code) => format!(
                    "{} is enrolled. Its code, shown this once, for a day:\n{}\non that host: picket agent enroll --box ADDRESS:PORT --fingerprint SHA256 --code CODE\n",
                    made.name,
                    code.as_deref().unwrap_or_default()
                ),
            }))
        }
        Some(SourcesCommand::Revoke { client, name }) => {
            let ask = SourceAsk::Revoke { name: name.clone() };
            finish(show(client, &Request::Source(ask), |_: &Option<Enrolled>| format!("{name} is enrolled no more\n")))
        }
    }
}

/// The list of sources.
fn who_sends(args: &ClientArgs) -> ExitCode {
    finish(show(args, &Request::Sources, |sources: &Vec<SourceView>| {
        let mut table = Table::new(&["SOURCE", "BY", "PROOF", "LINES", "STORED", "DROPPED", "WHY", "LAST (UTC)"]);
        for source in sources {
            let why: Vec<_> = source.dropped_for.iter().map(|(why, count)| format!("{count} {why}")).collect();
            table.row([
                source.source.clone(),
                source.transports.join(", "),
                source.proof.clone(),
                source.received.to_string(),
                source.stored.to_string(),
                source.dropped.to_string(),
                why.join(", "),
                moment(source.last_seen),
            ]);
        }
        listed(&table, "nobody has sent a log")
    }))
}

/// `picket activity test`.
fn try_rule(args: &ActivityTestArgs) -> Outcome {
    let named = args.rule.to_string_lossy();
    let name = args.rule.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let text = named.contains(['/', '.']).then(|| text_of_rule(&args.rule)).transpose()?;
    let request = Request::ActivityTest(TestAsk { name, text, since: args.since, until: args.until });
    show(&args.client, &request, |found: &Vec<FoundView>| {
        let mut table = Table::new(&["AT (UTC)", "ABOUT", "SOURCE", "LEVEL", "PROOF", "ACTIVITY", "WHAT"]);
        for one in found {
            let number = one.activity.to_string();
            let told = [&one.about, &one.source, &one.level, &one.proof, &number, &one.title];
            table.row(std::iter::once(moment(one.at)).chain(told.map(|text| shown(text))));
        }
        listed(&table, "the rule finds nothing in what is stored")
    })
}

/// The text of a rule file, not much more of it than a rule can have.
fn text_of_rule(path: &Path) -> Result<String, String> {
    let named = |error: std::io::Error| format!("{}: {error}", path.display());
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(named)?;
    file.take(RULE_MAX as u64 + 1).read_to_string(&mut text).map_err(named)?;
    Ok(text)
}

fn list(args: &ActivityArgs) -> Outcome {
    let config = Config::find(args.client.config.as_deref())?;
    let socket = &config.control.socket;
    let mut wanted = ActivityAsk {
        text: args.text.clone(),
        subject: args.subject.clone(),
        device: args.device.clone(),
        action: args.action.clone(),
        since: args.since,
        until: args.until,
        before: None,
        limit: 0,
    };
    if args.count {
        let count: CountView = ask(socket, &Request::ActivityCount(wanted))?;
        let text = if args.client.json { serde_json::to_string(&count)? } else { count.count.to_string() };
        print(&(text + "\n"));
        return Ok(());
    }
    let mut rows: VecDeque<ActivityView> = VecDeque::new();
    while rows.len() < args.limit as usize {
        wanted.limit = (args.limit - u32::try_from(rows.len())?).min(ACTIVITY_MAX);
        let page: Vec<ActivityView> = ask(socket, &Request::Activity(wanted.clone()))?;
        let Some(first) = page.first() else { break };
        let whole = page.len() == wanted.limit as usize;
        wanted.before = Some(first.id);
        page.into_iter().rev().for_each(|row| rows.push_front(row));
        if !whole {
            break;
        }
    }
    let rows = rows.make_contiguous();
    if args.client.json {
        print(&(harmless(&serde_json::to_string(rows)?) + "\n"));
    } else if args.csv {
        print(&csv_of(rows)?);
    } else {
        print(&text_of(rows));
    }
    Ok(())
}

fn text_of(rows: &[ActivityView]) -> String {
    let mut table = Table::new(&["CAME (UTC)", "SOURCE", "DEVICE", "SUBJECT", "ACTION", "RESULT", "PROOF", "MESSAGE"]);
    for row in rows {
        let told = [&row.source, &row.device, &row.subject, &row.action, &row.result, &row.proof, &row.text];
        table.row(std::iter::once(moment(row.at)).chain(told.map(|text| shown(text))));
    }
    listed(&table, "nothing of that kind was taken in")
}

fn csv_of(rows: &[ActivityView]) -> Result<String, Box<dyn std::error::Error>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(HEADINGS)?;
    for row in rows {
        let cells = [
            row.id.to_string(),
            row.at.to_string(),
            row.claimed.map(|at| at.to_string()).unwrap_or_default(),
            row.source.clone(),
            row.device.clone(),
            row.subject.clone(),
            row.action.clone(),
            row.object.clone(),
            row.result.clone(),
            row.address.clone().unwrap_or_default(),
            row.proof.clone(),
            row.program.clone(),
            row.priority.to_string(),
            row.cut.to_string(),
            row.text.clone(),
        ];
        writer.write_record(cells.map(|text| cell(&text)))?;
    }
    Ok(String::from_utf8(writer.into_inner()?)?)
}

/// JSON in which also those characters are written out that JSON would let pass to a terminal.
fn harmless(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        // What `clean` takes out is one of the characters that somebody would obey; all of them lie below U+10000.
        if clean(c.encode_utf8(&mut [0; 4])) == "?" && c != '?' {
            out.push_str(&format!("\\u{:04x}", u32::from(c)));
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_begins_a_formula_and_nothing_reaches_a_terminal() {
        let row = ActivityView {
            subject: "=x".into(),
            text: "a\u{9b}2J\u{202e}b, \"c\"\n".into(),
            ..ActivityView::default()
        };
        let csv = csv_of(std::slice::from_ref(&row)).unwrap();
        assert!(csv.contains("'=x") && csv.contains("\"a\\x9b2J\\u{202e}b, \"\"c\"\"\\x0a\""), "{csv}");
        let json = harmless(&serde_json::to_string(&row).unwrap());
        assert!(!json.contains(['\u{9b}', '\u{202e}']), "{json}");
        assert_eq!(serde_json::from_str::<ActivityView>(&json).unwrap(), row);
    }
}
