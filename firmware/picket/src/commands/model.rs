//! `picket model`: what a forest is, whether a file is one that may vote here, and which votes in a running gateway.

use std::path::Path;
use std::process::ExitCode;

use serde::Serialize;

use super::{BAD_FILE, Outcome, bad_file, finish, show};
use crate::cli::{LoadArgs, ModelCommand, ShadowArgs, ShowArgs};
use crate::config::Config;
use crate::control::Request;
use crate::control::client::{AskError, ask};
use crate::control::protocol::ModelFile;
use crate::control::views::{DriftView, LevelChange, LoadView, ModelView, ShadowView, VotingView};
use crate::model::{self, Keys, Model};
use crate::terminal::{Table, clean, moment, print};

/// The name of the forest in the binary where a file's would stand.
const SHIPPED: &str = "the forest in this binary";

/// What `picket model show` tells: a forest, and in a running gateway what else votes and what was counted.
#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    model: ModelView,
    /// In a running gateway only.
    gateway: Option<VotingView>,
}

/// `picket model`; exit status 2 for a file that may not vote here.
pub fn model(command: &ModelCommand) -> ExitCode {
    match command {
        ModelCommand::Check { file, config } => {
            told(config.as_deref(), |config| view_of(file, config).map(|view| line(file, &view)))
        }
        ModelCommand::Show(args) => told(args.config.as_deref(), |config| shown(args, config)),
        ModelCommand::Load(args) => finish(load(args)),
        ModelCommand::Revert(client) => finish(show(client, &Request::ModelRevert, loaded)),
        ModelCommand::Shadow(args) => finish(shadow(args)),
    }
}

/// Prints what a file or a forest is, or in one line why not.
fn told(named: Option<&Path>, text: impl Fn(&Config) -> Result<String, String>) -> ExitCode {
    let config = match Config::find(named) {
        Ok(config) => config,
        Err(error) => return bad_file(&error),
    };
    match text(&config) {
        Ok(text) => {
            print(&text);
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("picket model: {error}");
            ExitCode::from(BAD_FILE)
        }
    }
}

/// What a file holds; what is wrong names the file.
fn view_of(file: &Path, config: &Config) -> Result<ModelView, String> {
    let name = clean(&file.display().to_string());
    let octets = model::read(file).map_err(|error| format!("{name}: {error}"))?;
    let model = Model::open(&octets, &Keys::with(&config.model.keys)).map_err(|error| format!("{name}: {error}"))?;
    model::view(&model).ok_or_else(|| format!("{name}: it does not load again"))
}

/// A file, or the forest that votes in the running gateway, or else the one in this binary.
fn shown(args: &ShowArgs, config: &Config) -> Result<String, String> {
    let shown = match &args.file {
        Some(file) => Shown { model: view_of(file, config)?, gateway: None },
        None => match ask::<VotingView>(&config.control.socket, &Request::Model) {
            Ok(mut voting) => Shown { model: voting.model.take().unwrap_or_default(), gateway: Some(voting) },
            Err(AskError::NotRunning(_) | AskError::Forbidden(_)) => {
                let view = Model::shipped().as_ref().and_then(model::view);
                Shown {
                    model: view.ok_or_else(|| format!("{SHIPPED} fails its check: picket self-test"))?,
                    gateway: None,
                }
            }
            Err(error) => return Err(error.to_string()),
        },
    };
    if args.json {
        return serde_json::to_string(&shown).map(|text| text + "\n").map_err(|error| error.to_string());
    }
    Ok(table(&shown.model) + &shown.gateway.as_ref().map_or_else(String::new, gateway))
}

fn load(args: &LoadArgs) -> Outcome {
    // The gateway runs elsewhere.
    let file = ModelFile::Path(std::path::absolute(&args.file)?);
    show(&args.client, &Request::ModelLoad { file, dry_run: args.dry_run }, loaded)
}

fn shadow(args: &ShadowArgs) -> Outcome {
    let request = match &args.file {
        Some(file) => {
            Request::ModelShadow { file: ModelFile::Path(std::path::absolute(file)?), for_secs: args.lasts.secs() }
        }
        None => Request::ModelUnshadow,
    };
    show(&args.client, &request, |voting: &VotingView| {
        voting.shadow.as_ref().map_or_else(|| "there is no shadow\n".into(), shadow_text)
    })
}

/// A good file in one line.
fn line(file: &Path, view: &ModelView) -> String {
    let ModelView { trees, nodes, octets, schema, rows, data, signed_by, .. } = view;
    let file = clean(&file.display().to_string());
    let size = format!("{trees} trees, {nodes} nodes, {octets} octets");
    let origin = signed_by.as_ref().map_or_else(|| SHIPPED.into(), |key| format!("signed by {key}"));
    format!("{file}: a good forest: {size}, schema {schema}, trained on {rows} rows, digest {data}; {origin}\n")
}

/// A forest for people.
fn table(view: &ModelView) -> String {
    let mut table = Table::new(&["FOREST", ""]);
    let by = view.signed_by.as_ref().map_or_else(
        || format!("nobody: it is {SHIPPED}, and trusted as that is"),
        |key| format!("{key}, {} UTC", view.signed_at.as_deref().unwrap_or("-")),
    );
    let worth = view.medium_worth.map_or_else(
        || "not known".into(),
        |share| format!("{:.0} % of such minutes were a threat's, on sources that it had never seen", 100.0 * share),
    );
    let rows = [
        ("name", view.id.clone()),
        ("signed by", by),
        ("trees", view.trees.to_string()),
        ("nodes", view.nodes.to_string()),
        ("octets", view.octets.to_string()),
        ("MEDIUM from", format!("{:.3} of the vote for MEDIUM and HIGH", view.medium_from)),
        ("HIGH from", format!("{:.3} of the vote for HIGH", view.high_from)),
        ("MEDIUM was worth", worth),
        ("trained on", format!("{} rows", view.rows)),
        ("data of", view.date.clone().unwrap_or_else(|| "-".into())),
        ("digest of the rows", view.data.clone()),
        ("schema", view.schema.clone()),
        ("features", view.features.len().to_string()),
    ];
    rows.into_iter().for_each(|(what, value)| table.row([what.into(), value]));
    view.features.iter().enumerate().for_each(|(n, name)| table.row([format!("  {}", n + 1), name.clone()]));
    table.text()
}

/// What a running gateway has counted.
fn gateway(voting: &VotingView) -> String {
    let former = voting.former.as_deref().unwrap_or("none");
    let trouble = voting.trouble.as_ref().map_or_else(String::new, |what| format!("warning: {}\n", clean(what)));
    let shadow = voting.shadow.as_ref().map_or_else(|| "shadow: none\n".into(), shadow_text);
    format!("{trouble}it votes in the running gateway; former forest: {former}\n{shadow}{}", drift_text(&voting.drift))
}

fn shadow_text(shadow: &ShadowView) -> String {
    let ShadowView { forest, minutes, differ, said, would_say, .. } = shadow;
    let until = moment(shadow.until);
    let head = format!(
        "shadow: {forest} until {until} UTC; {differ} of {minutes} minutes differ; would have called {} MEDIUM and {} HIGH \
         (in force: {} and {})\n",
        would_say[0], would_say[1], said[0], said[1]
    );
    let rest =
        if shadow.others > 0 { format!("  and {} minutes of other hosts\n", shadow.others) } else { String::new() };
    head + &changes(&shadow.hosts) + &rest
}

fn drift_text(drift: &DriftView) -> String {
    let DriftView { minutes, needed, moved, usual, drifted } = drift;
    if minutes < needed {
        return format!("drift: {minutes} of {needed} minutes of hosts that are needed to tell\n");
    }
    let word = if *drifted { "this site is unlike the training" } else { "this site is like the training" };
    let head = format!(
        "drift: {word}: {} features are farther from it than any of its own sources was (up to {usual} are usual); \
         {minutes} minutes of hosts\n",
        moved.len()
    );
    let lines =
        moved.iter().map(|m| format!("  {} {:.2} (at most {:.2} in the training)\n", m.feature, m.distance, m.usual));
    head + &lines.collect::<String>()
}

fn loaded(view: &LoadView) -> String {
    let LoadView { forest, minutes, hosts, .. } = view;
    let before = view.before.as_deref().unwrap_or("none");
    let head = if view.loaded {
        format!("{forest} votes from now on; before: {before}\n")
    } else {
        format!("{forest} is good and was not loaded; {before} goes on\n")
    };
    let since = view.since.map_or_else(|| "none yet".into(), |at| format!("since {} UTC", moment(at)));
    let basis = format!("asked about {minutes} recent minutes of {hosts} hosts ({since}): ");
    let count = match view.changes.len() {
        0 => "no host's level differs\n".to_owned(),
        1 => "the level of 1 host differs\n".to_owned(),
        n => format!("the levels of {n} hosts differ\n"),
    };
    head + &basis + &count + &changes(&view.changes)
}

fn changes(changes: &[LevelChange]) -> String {
    changes.iter().map(|change| format!("  {}: {} -> {}\n", change.host, change.now, change.then)).collect()
}
