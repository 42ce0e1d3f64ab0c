//! The commands that ask a running gateway, and those about configurations and forests: ask, then print for people or as JSON.

mod activity;
mod certificate;
mod devices;
mod events;
mod explain;
mod feedback;
mod flows;
mod incidents;
mod indicators;
mod model;
mod mud;
mod policy;
mod report;
mod requests;
mod statistics;

use std::fmt::Display;
use std::path::Path;
use std::process::ExitCode;

use serde::Serialize;
use serde::de::DeserializeOwned;
use terms::Span;

use crate::cli::{BlockArgs, ClientArgs, ConfigCommand, HostArgs};
use crate::config::{self, Config, ConfigError, duration};
use crate::control::client::ask;
use crate::control::views::{BlockView, HostView, StatusView};
use crate::control::{Request, views};
use crate::terminal::{Table, clean, moment, print, rounded, time_of_day};

pub use activity::{activity, sources};
pub use certificate::certificate;
pub use devices::devices;
pub use events::events;
pub use explain::explain;
pub use feedback::feedback;
pub use flows::flows;
pub use incidents::incidents;
pub use indicators::{indicators, read as read_list};
pub use model::model;
pub use mud::mud;
pub use policy::{policy, posture};
pub use report::{events_of, report};
pub use requests::requests;
pub use statistics::statistics;

/// The exit status for a file that cannot be read or is wrong.
const BAD_FILE: u8 = 2;

/// A command's outcome: done, or why not in one line.
pub type Outcome = Result<(), Box<dyn std::error::Error>>;

/// `picket status`.
pub fn status(args: &ClientArgs) -> ExitCode {
    finish(show(args, &Request::Status, |status: &StatusView| {
        let mut table = Table::new(&["WHAT", "NOW"]);
        let rows = [
            ("posture", status.posture.clone()),
            ("running for", duration::glance(span(status.uptime))),
            ("bridge", status.bridge.clone()),
            ("frames inspected", format!("{} ({} octets)", status.frames, rounded(status.octets))),
            ("frames not inspected", status.dropped.to_string()),
            (
                "hosts",
                format!(
                    "{} ({} medium, {} high, {} pushed out)",
                    status.hosts, status.medium, status.high, status.evicted
                ),
            ),
            ("findings", status.findings.to_string()),
            ("forest", status.forest.clone().unwrap_or_else(|| "none; the rules are alone".into())),
            ("blocks in force", status.blocks.to_string()),
            (
                "kernel table",
                if status.table_intact { "as it should be" } else { "missing or changed; being restored" }.into(),
            ),
        ];
        rows.into_iter().for_each(|(what, now)| table.row([what.into(), now]));
        let api = [("claim code", &status.claim_code), ("certificate (SHA-256)", &status.fingerprint)];
        api.iter()
            .filter_map(|(what, now)| Some((what, now.as_ref()?)))
            .for_each(|(what, now)| table.row([(*what).into(), now.clone()]));
        if !status.api.is_empty() {
            table.row(["API process".into(), status.api.join("; ")]);
        }
        if !status.intake.is_empty() {
            table.row(["intake process".into(), status.intake.join("; ")]);
        }
        status
            .blocked_frames
            .iter()
            .for_each(|(counter, frames)| table.row([format!("dropped by {counter}"), frames.to_string()]));
        let warnings: String = status.warnings.iter().map(|warning| format!("warning: {}\n", clean(warning))).collect();
        table.text() + &warnings
    }))
}

/// `picket hosts`.
pub fn hosts(args: &ClientArgs) -> ExitCode {
    finish(show(args, &Request::Hosts, |hosts: &Vec<HostView>| {
        let mut table =
            Table::new(&["HOST", "MAC", "SIDE", "LEVEL", "FAMILY", "CONFIDENCE", "FRAMES", "OCTETS", "LAST SEEN"]);
        for host in hosts {
            table.row([
                host.host.clone(),
                or_dash(host.mac.as_ref()),
                host.side.clone(),
                host.level.clone(),
                or_dash(host.family.as_ref()),
                format!("{:.2}", host.confidence),
                rounded(host.frames),
                rounded(host.octets),
                time_of_day(host.last_seen),
            ]);
        }
        listed(&table, "no host has been seen yet")
    }))
}

/// `picket blocks`.
pub fn blocks(args: &ClientArgs) -> ExitCode {
    finish(show(args, &Request::Blocks, |blocks: &Vec<BlockView>| {
        let mut table = Table::new(&["HOST", "MATCHES", "STATE", "LEFT", "UNTIL (UTC)", "BY", "WHY"]);
        blocks.iter().for_each(|block| table.row(block_row(block)));
        listed(&table, "nobody is blocked")
    }))
}

/// `picket block`.
pub fn block(args: &BlockArgs) -> ExitCode {
    let request = Request::Block { host: args.host, for_secs: args.lasts.map(Span::secs), why: args.why.clone() };
    finish(show(&args.client, &request, |block: &BlockView| {
        format!(
            "{} is {} for {} (until {} UTC)\n",
            block.host,
            block.state,
            duration::glance(span(block.left)),
            moment(block.until)
        )
    }))
}

/// `picket unblock`.
pub fn unblock(args: &HostArgs) -> ExitCode {
    finish(show(&args.client, &Request::Unblock { host: args.host }, |block: &BlockView| {
        format!("{} is no longer blocked (it was: {})\n", block.host, clean(&block.why))
    }))
}

/// `picket config check` and `picket config show`.
pub fn config(command: &ConfigCommand) -> ExitCode {
    let done = match command {
        ConfigCommand::Check { file } => {
            Config::load(file).map(|_| format!("{}: a good configuration\n", file.display()))
        }
        ConfigCommand::Show { defaults: true, .. } => Ok(config::show(&Config::default(), None)),
        ConfigCommand::Show { config, .. } => shown(config.as_deref()),
    };
    match done {
        Ok(text) => {
            print(&text);
            ExitCode::SUCCESS
        }
        Err(error) => bad_file(&error),
    }
}

/// `picket recover`.
pub fn recover(client: &ClientArgs, email: &str) -> ExitCode {
    finish(show(client, &Request::Recover { email: email.to_owned() }, |code: &String| {
        format!("{email} is a superadmin; the code to set a password with, for three days and once: {code}\n")
    }))
}

/// `picket restart`.
pub fn restart(client: &ClientArgs) -> ExitCode {
    finish(show(client, &Request::Restart, |(): &()| "the gateway starts again; the bridge forwards on\n".into()))
}

/// `picket shutdown`.
pub fn shutdown(client: &ClientArgs) -> ExitCode {
    finish(show(client, &Request::Shutdown { sure: true }, |(): &()| "the box switches itself off\n".into()))
}

/// Says what is wrong with a configuration file; the exit status for it.
pub fn bad_file(error: &impl Display) -> ExitCode {
    eprintln!("{error}");
    ExitCode::from(BAD_FILE)
}

/// The configuration that the gateway or a command would use, with who set what.
fn shown(named: Option<&Path>) -> Result<String, ConfigError> {
    let default = Path::new(config::DEFAULT_PATH);
    let Some(path) = named.or_else(|| default.exists().then_some(default)) else {
        return Ok(format!(
            "# no file: {} does not exist\n{}",
            config::DEFAULT_PATH,
            config::show(&Config::default(), None)
        ));
    };
    let (config, origins) = Config::load_with_origins(path)?;
    Ok(format!("# lines are those of {}\n{}", path.display(), config::show(&config, Some(&origins))))
}

/// Asks, then prints the answer as JSON or as text.
fn show<T: DeserializeOwned + Serialize>(args: &ClientArgs, request: &Request, text: impl Fn(&T) -> String) -> Outcome {
    let config = Config::find(args.config.as_deref())?;
    let answer: T = ask(&config.control.socket, request)?;
    if args.json {
        print(&(serde_json::to_string(&answer)? + "\n"));
    } else {
        print(&text(&answer));
    }
    Ok(())
}

/// The exit status; a failure is said in one line on standard error.
fn finish(outcome: Outcome) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("picket: {error}");
            if error.is::<ConfigError>() { ExitCode::from(BAD_FILE) } else { ExitCode::FAILURE }
        }
    }
}

/// A table, or what its emptiness means.
fn listed(table: &Table, empty: &str) -> String {
    if table.is_empty() { format!("{empty}\n") } else { table.text() }
}

/// A block as a row of the table.
fn block_row(block: &views::BlockView) -> [String; 7] {
    let by = if block.automatic { "gateway" } else { "admin" };
    [
        block.host.clone(),
        block.target.clone(),
        block.state.clone(),
        duration::glance(span(block.left)),
        moment(block.until),
        by.into(),
        block.why.clone(),
    ]
}

/// What there is, or a dash.
fn or_dash(what: Option<&impl Display>) -> String {
    what.map_or_else(|| "-".into(), ToString::to_string)
}

/// Seconds of a view as a span.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a cast from a float saturates; it is for show"
)]
fn span(secs: f64) -> Span {
    Span::from_secs(secs.round() as u64)
}
