//! `picket report`: the events of a period, fetched page by page, become a file.

use std::fs;
use std::process::ExitCode;

use report::{Figures, Period};
use terms::Timestamp;

use super::{Outcome, finish};
use crate::cli::{Form, ReportCommand, ReportMakeArgs};
use crate::config::Config;
use crate::control::Request;
use crate::control::client::ask;
use crate::control::protocol::{EVENTS_MAX, EventsWanted};
use crate::control::views::{EventPage, EventView};
use crate::terminal::print;

/// Events are numbered as they come; one may be told so much later than it was, in seconds.
const LATE: f64 = 3_600.0;

/// `picket report make`.
pub fn report(command: &ReportCommand) -> ExitCode {
    match command {
        ReportCommand::Make(args) => finish(make(args)),
    }
}

fn make(args: &ReportMakeArgs) -> Outcome {
    let period = Period::new(&args.from, &args.to)?;
    let config = Config::find(args.config.as_deref())?;
    let mut events = Vec::new();
    let asked = |request| ask(&config.control.socket, &request).map_err(Into::into);
    events_of(&period, asked, |event| {
        events.push(event);
        Ok(())
    })?;
    events.reverse();
    let figures = Figures::of(&period, &events);
    let form = match args.format {
        Form::Json => protocol::report::Form::Json,
        Form::Csv => protocol::report::Form::Csv,
        Form::Html => protocol::report::Form::Html,
        Form::Pdf => protocol::report::Form::Pdf,
    };
    let octets = crate::reporter::octets(&figures, form)?;
    fs::write(&args.out, octets).map_err(|error| format!("{}: {error}", args.out.display()))?;
    let counts = figures.counts;
    print(&format!(
        "{}: {} findings, {} of them HIGH, {} hosts blocked\n",
        args.out.display(),
        counts.findings,
        counts.high,
        counts.blocked
    ));
    Ok(())
}

/// Fetches the events of a period page by page with `ask`, and hands each to `take`, newest first.
///
/// # Errors
/// Those of `ask` and `take`.
pub fn events_of(
    period: &Period,
    ask: impl Fn(Request) -> Result<EventPage, Box<dyn std::error::Error>>,
    mut take: impl FnMut(EventView) -> Outcome,
) -> Outcome {
    let since = Timestamp::from_secs_f64(period.begin() - LATE).secs();
    let wanted = EventsWanted { since: Some(since), ..EventsWanted::default() };
    let mut before = None;
    loop {
        let page = ask(Request::EventsBefore { before, limit: EVENTS_MAX, wanted: wanted.clone() })?;
        for event in page.events.into_iter().rev().filter(|event| period.holds(event.at)) {
            // The numbers behind a finding are many, and no form has them.
            take(EventView { evidence: Default::default(), ..event })?;
        }
        before = page.next;
        if before.is_none() {
            return Ok(());
        }
    }
}
