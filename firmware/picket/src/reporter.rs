//! The process that makes one report: reads what is asked and the events, gives up its rights, writes the report.

use std::io::{self, BufRead, Write};
use std::process::ExitCode;

use protocol::report::{Form, ReportAsk};
use protocol::views::EventView;
use report::{Figures, Period};

/// Makes the report that standard input asks for, as a user that owns nothing and can open nothing.
#[must_use]
pub fn run() -> ExitCode {
    match make() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn make() -> Result<(), Box<dyn std::error::Error>> {
    admin::give_up_all(protocol::REPORT_USER)?;
    let mut lines = io::stdin().lock().lines();
    let asked = lines.next().ok_or("the reporter is started by picket run, not by hand")??;
    let ask: ReportAsk = serde_json::from_str(&asked)?;
    let period = Period::new(&ask.from, &ask.to)?;
    let mut events = Vec::new();
    for line in lines {
        events.push(serde_json::from_str::<EventView>(&line?)?);
    }
    events.sort_by_key(|event| event.id);
    let figures = Figures { organisation: ask.organisation, ..Figures::of(&period, &events) };
    let octets = octets(&figures, ask.format)?;
    io::stdout().write_all(&octets)?;
    Ok(())
}

/// Figures in a form.
///
/// # Errors
/// The form's writer's.
pub fn octets(figures: &Figures, form: Form) -> Result<Vec<u8>, Box<dyn std::error::Error>> {
    Ok(match form {
        Form::Json => report::json(figures)?.into_bytes(),
        Form::Csv => report::csv(figures)?.into_bytes(),
        Form::Html => report::html(figures).into_bytes(),
        Form::Pdf => report::pdf(figures),
    })
}
