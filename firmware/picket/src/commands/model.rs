//! `picket model`: what a forest is, and whether a file is one.

use std::fmt::Display;
use std::path::Path;
use std::process::ExitCode;

use detect::forest::ModelError;
use serde::Serialize;

use super::BAD_FILE;
use crate::cli::ModelCommand;
use crate::model;
use crate::terminal::{Table, clean, print};

/// The name of the forest in the binary where a file's would stand.
const SHIPPED: &str = "the forest in this binary";

/// What a forest is.
///
/// **Units**: `schema` and `data` are 64-bit numbers as 16 hexadecimal digits, as the report about the training prints them.
#[derive(Serialize)]
struct ModelView {
    trees: usize,
    nodes: usize,
    octets: usize,
    /// The features in the order of the schema.
    features: &'static [&'static str],
    schema: String,
    rows: u32,
    /// The digest of the rows that it was trained on.
    data: String,
    /// When it was trained; the format holds no date, so that the same rows give the same octets.
    date: Option<String>,
    /// The share of Medium and High together from which a host is Medium.
    medium_from: f32,
    /// The share of High from which a host is High.
    high_from: f32,
}

/// `picket model check` and `picket model show`; exit status 2 for a file that is no forest of this binary.
pub fn model(command: &ModelCommand) -> ExitCode {
    let done = match command {
        ModelCommand::Check { file } => view(Some(file)).map(|view| line(file, &view)),
        ModelCommand::Show { json: true, file } => view(file.as_deref())
            .and_then(|view| serde_json::to_string(&view).map_err(|error| error.to_string()))
            .map(|text| text + "\n"),
        ModelCommand::Show { file, .. } => view(file.as_deref()).map(|view| table(&view)),
    };
    match done {
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

/// Reads a file, or the shipped forest; what is wrong names the file.
fn view(file: Option<&Path>) -> Result<ModelView, String> {
    let Some(file) = file else { return of(model::octets()).map_err(|error| format!("{SHIPPED}: {error}")) };
    let told = |error: &dyn Display| format!("{}: {error}", clean(&file.display().to_string()));
    let image = model::read(file).map_err(|error| told(&error))?;
    of(&image).map_err(|error| told(&error))
}

/// What an image holds.
fn of(image: &[u8]) -> Result<ModelView, ModelError> {
    let forest = model::load(image)?;
    let (medium_from, high_from) = forest.thresholds();
    Ok(ModelView {
        trees: forest.trees(),
        nodes: forest.nodes(),
        octets: image.len(),
        features: &features::SCHEMA,
        schema: format!("{:016x}", features::schema_hash()),
        rows: forest.trained_on(),
        data: format!("{:016x}", forest.digest()),
        date: None,
        medium_from,
        high_from,
    })
}

/// A good file in one line.
fn line(file: &Path, view: &ModelView) -> String {
    let ModelView { trees, nodes, octets, schema, rows, data, .. } = view;
    let file = clean(&file.display().to_string());
    let size = format!("{trees} trees, {nodes} nodes, {octets} octets");
    format!("{file}: a good forest: {size}, schema {schema}, trained on {rows} rows, digest {data}\n")
}

/// A forest for people.
fn table(view: &ModelView) -> String {
    let mut table = Table::new(&["FOREST", ""]);
    let rows = [
        ("trees", view.trees.to_string()),
        ("nodes", view.nodes.to_string()),
        ("octets", view.octets.to_string()),
        ("MEDIUM from", format!("{:.3} of the vote for MEDIUM and HIGH", view.medium_from)),
        ("HIGH from", format!("{:.3} of the vote for HIGH", view.high_from)),
        ("trained on", format!("{} rows", view.rows)),
        ("digest of the rows", view.data.clone()),
        ("schema", view.schema.clone()),
        ("features", view.features.len().to_string()),
    ];
    rows.into_iter().for_each(|(what, value)| table.row([what.into(), value]));
    view.features.iter().enumerate().for_each(|(n, name)| table.row([format!("  {}", n + 1), (*name).into()]));
    table.text()
}
