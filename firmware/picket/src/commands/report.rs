//! `picket report`: the events of a period, fetched page by page, become a file.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use report::{Figures, Period};

use super::{Outcome, finish};
use crate::cli::{Form, ReportCommand, ReportMakeArgs};
use crate::config::Config;
use crate::control::Request;
use crate::control::client::ask;
use crate::control::protocol::EVENTS_MAX;
use crate::control::views::EventView;
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
    let figures = Figures::of(&period, &events(&config.control.socket, &period)?);
    let octets = match args.format {
        Form::Json => report::json(&figures)?.into_bytes(),
        Form::Csv => report::csv(&figures)?.into_bytes(),
        Form::Html => report::html(&figures).into_bytes(),
        Form::Pdf => report::pdf(&figures),
    };
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

/// The events of the period, in the order of their numbers.
fn events(socket: &Path, period: &Period) -> Result<Vec<EventView>, Box<dyn std::error::Error>> {
    let (mut before, mut found) = (None, Vec::new());
    loop {
        let page: Vec<EventView> = ask(socket, &Request::EventsBefore { before, limit: EVENTS_MAX })?;
        let over = page.iter().all(|event| event.at < period.begin() - LATE);
        before = page.first().map(|event| event.id);
        found.extend(page.into_iter().rev().filter(|event| period.holds(event.at)).map(|event| EventView {
            // The numbers behind a finding are many, and no form has them.
            evidence: Default::default(),
            ..event
        }));
        if over {
            break;
        }
    }
    found.reverse();
    Ok(found)
}
