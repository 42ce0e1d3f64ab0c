//! `picket feedback`: what an admin says of events.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::process::ExitCode;

use features::SCHEMA;

use super::{Outcome, finish, listed, show};
use crate::cli::{ClientArgs, FeedbackCommand};
use crate::config::Config;
use crate::control::Request;
use crate::control::client::ask;
use crate::control::views::FeedbackView;
use crate::terminal::{Table, moment, print};

/// The columns of a training row before its features, as `models rows` writes them.
const COLUMNS: &str = "level,family,source,tool,capture,device,host,minute,rules";

/// `picket feedback`.
pub fn feedback(command: &FeedbackCommand) -> ExitCode {
    finish(match command {
        FeedbackCommand::FalseAlarm { of, lasts } => {
            say(&of.client, &Request::Feedback { id: of.id, right: false, for_secs: lasts.secs() })
        }
        FeedbackCommand::Right(of) => say(&of.client, &Request::Feedback { id: of.id, right: true, for_secs: 1 }),
        FeedbackCommand::Undo(of) => show(&of.client, &Request::Unsay { id: of.id }, |said: &FeedbackView| {
            format!("nothing is said of event {} any more (it was: {})\n", said.id, said.verdict)
        }),
        FeedbackCommand::List(client) => list(client),
        FeedbackCommand::Export { client, file } => export(client, file),
    })
}

fn say(client: &ClientArgs, request: &Request) -> Outcome {
    show(client, request, |said: &FeedbackView| match said.until {
        Some(until) => format!(
            "event {} was a false alarm: {} is no evidence against {} until {} UTC\n",
            said.id,
            said.family,
            said.host,
            moment(until)
        ),
        None => format!("event {} was right: {} is kept as an example of {}\n", said.id, said.host, said.family),
    })
}

fn list(client: &ClientArgs) -> Outcome {
    show(client, &Request::Feedbacks, |all: &Vec<FeedbackView>| {
        let mut table = Table::new(&["EVENT", "SAID (UTC)", "VERDICT", "HOST", "FAMILY", "QUIET UNTIL (UTC)"]);
        for said in all {
            table.row([
                said.id.to_string(),
                moment(said.at),
                said.verdict.clone(),
                said.host.clone(),
                said.family.clone(),
                said.until.map_or_else(|| "-".into(), moment),
            ]);
        }
        listed(&table, "nothing was said of any event")
    })
}

fn export(client: &ClientArgs, path: &Path) -> Outcome {
    let config = Config::find(client.config.as_deref())?;
    let all: Vec<FeedbackView> = ask(&config.control.socket, &Request::Feedbacks)?;
    let file = OpenOptions::new().write(true).create_new(true).open(path);
    let written = file.and_then(|file| write_rows(BufWriter::new(file), &all));
    let (rows, left_out) = written.map_err(|error| format!("{}: {error}", path.display()))?;
    print(&format!(
        "{rows} rows in {}{}\n",
        path.display(),
        match left_out {
            0 => String::new(),
            n => format!("; {n} left out, whose features are those of another version"),
        }
    ));
    Ok(())
}

/// Writes those whose features are this version's. Returns how many those were, and how many were not.
fn write_rows(mut to: impl Write, all: &[FeedbackView]) -> io::Result<(usize, usize)> {
    writeln!(to, "{COLUMNS},{}", SCHEMA.join(","))?;
    let mut devices: BTreeMap<&str, usize> = BTreeMap::new();
    let (mut rows, mut left_out) = (0, 0);
    for said in all {
        let features: Option<Vec<f64>> = SCHEMA.iter().map(|name| said.features.get(*name).copied()).collect();
        let Some(features) = features else {
            left_out += 1;
            continue;
        };
        let next = devices.len() + 1;
        let device = *devices.entry(&said.host).or_insert(next);
        let right = said.verdict == "right";
        let (level, family) = if right { (said.level.as_str(), said.family.as_str()) } else { ("SAFE", "benign") };
        write!(to, "{level},{family},feedback,,feedback,device {device},,0,{}", said.level)?;
        features.iter().try_for_each(|value| write!(to, ",{}", *value as f32))?;
        writeln!(to)?;
        rows += 1;
    }
    to.flush()?;
    Ok((rows, left_out))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(id: u64, host: &str, verdict: &str) -> FeedbackView {
        FeedbackView {
            id,
            verdict: verdict.into(),
            host: host.into(),
            level: "HIGH".into(),
            family: "worm".into(),
            features: SCHEMA.iter().map(|name| ((*name).to_owned(), 0.5)).collect(),
            ..FeedbackView::default()
        }
    }

    #[test]
    fn rows_hold_verdicts_and_no_addresses() {
        let mut old = said(4, "10.0.0.9", "right");
        old.features.remove(SCHEMA[3]);
        let all = [said(1, "10.0.0.7", "right"), said(2, "10.0.0.8", "false alarm"), said(3, "10.0.0.7", "right"), old];
        let mut file = Vec::new();
        assert_eq!(write_rows(&mut file, &all).expect("rows"), (3, 1));
        let text = String::from_utf8(file).expect("text");
        let rows: Vec<&str> = text.lines().collect();
        assert_eq!(rows[0].split(',').count(), 9 + SCHEMA.len());
        assert!(rows[1].starts_with("HIGH,worm,feedback,,feedback,device 1,,0,HIGH,0.5"), "{}", rows[1]);
        assert!(rows[2].starts_with("SAFE,benign,feedback,,feedback,device 2,,0,HIGH,0.5"), "{}", rows[2]);
        assert!(rows[3].contains("device 1"));
        assert!(!text.contains("10.0.0."), "{text}");
    }
}
