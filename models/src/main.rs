//! `models`: turns labelled captures into the forest that ships.

use std::fs::{self, File};
use std::io::{BufReader, BufWriter};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use clap::{Args, Parser, Subcommand};
use detect::forest::Forest;
use models::evaluate::{self, Apart, Score};
use models::report::{Trial, report};
use models::{Row, Rows, Shape, captures, encode, golden, replay, scenes, train};

/// Trains the forest that ships with Picket.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Replay labelled captures and write one row for each host and minute, as CSV.
    Rows {
        #[command(flatten)]
        input: Input,
        /// The file to write.
        #[arg(long)]
        out: PathBuf,
    },
    /// Train on captures or rows; write the forest, its golden rows and its report.
    Train(TrainArguments),
    /// Draw scenes and write them as captures with a labels.csv; with --rows, the rows that they give.
    Scenes {
        /// Where the draws begin: the same seed gives the same scenes.
        #[arg(long, default_value_t = Shape::default().seed)]
        seed: u64,
        /// How many.
        #[arg(long)]
        count: u64,
        /// The folder for the captures, which must exist; or the file for the rows.
        #[arg(long)]
        out: PathBuf,
        /// Write rows instead of captures.
        #[arg(long)]
        rows: bool,
    },
    /// Load a forest as the box does and hold it to its golden rows.
    Check {
        /// The forest.
        forest: PathBuf,
        /// Its golden rows.
        golden: PathBuf,
    },
}

#[derive(Args)]
#[group(required = true, multiple = false)]
struct Input {
    /// A folder of captures with a labels.csv.
    #[arg(long)]
    captures: Option<PathBuf>,
    /// Rows that `models rows` wrote.
    #[arg(long)]
    rows: Option<PathBuf>,
}

#[derive(Args)]
struct TrainArguments {
    #[command(flatten)]
    input: Input,
    /// Where the forest goes; the golden rows go beside it, as do their names.
    #[arg(long, default_value = "models/picket.forest")]
    out: PathBuf,
    /// Where the report goes.
    #[arg(long, default_value = "models/REPORT.md")]
    report: PathBuf,
    /// How many trees vote.
    #[arg(long, default_value_t = Shape::default().trees)]
    trees: u16,
    /// The most splits between a root and a leaf.
    #[arg(long, default_value_t = Shape::default().splits)]
    splits: u16,
    /// The fewest sampled rows in a leaf.
    #[arg(long, default_value_t = Shape::default().least)]
    least: usize,
    /// Rows in a tree's sample.
    #[arg(long, default_value_t = Shape::default().sample)]
    sample: usize,
    /// Where the draws begin: the same seed and rows give the same forest.
    #[arg(long, default_value_t = Shape::default().seed)]
    seed: u64,
    /// MEDIUM minutes that a harmless host may cost a day, on sources that were left out.
    #[arg(long, default_value_t = 1.0)]
    medium_a_day: f64,
    /// HIGH minutes, likewise.
    #[arg(long, default_value_t = 0.25)]
    high_a_day: f64,
}

fn main() -> Result<()> {
    match Arguments::parse().task {
        Task::Rows { input, out } => {
            write_rows(&read(&input)?, &out)?;
        }
        Task::Scenes { seed, count, out, rows: true } => {
            let rows = scenes::rows(seed, count, &mut |scene, rows| eprintln!("{rows:6} rows  {scene}"))?;
            write_rows(&rows, &out)?;
        }
        Task::Scenes { seed, count, out, rows: false } => scenes::write(seed, count, &out)?,
        Task::Train(arguments) => train_and_write(&arguments)?,
        Task::Check { forest, golden } => {
            let image = fs::read(&forest).with_context(|| format!("{} cannot be read", forest.display()))?;
            let loaded = Forest::load(&image, replay::schema().hash)?;
            let rows = detect::forest::golden::check(&loaded, &fs::read(&golden)?)?;
            println!(
                "{}: {} trees, {} nodes, {rows} golden rows hold",
                forest.display(),
                loaded.trees(),
                loaded.nodes()
            );
        }
    }
    Ok(())
}

fn read(input: &Input) -> Result<Rows> {
    match (&input.captures, &input.rows) {
        (Some(folder), _) => captures::rows(folder, &mut |capture, read| match read {
            Ok(rows) => eprintln!("{rows:6} rows  {capture}"),
            Err(error) => eprintln!("   LEFT OUT: {error}"),
        }),
        (None, Some(file)) => {
            let open = File::open(file).with_context(|| format!("{} cannot be opened", file.display()))?;
            Rows::read(BufReader::new(open), replay::schema())
                .with_context(|| format!("{} cannot be used", file.display()))
        }
        (None, None) => anyhow::bail!("give --captures or --rows"),
    }
}

fn train_and_write(arguments: &TrainArguments) -> Result<()> {
    let rows = read(&arguments.input)?;
    ensure!(rows.rows.len() >= 100, "{} rows are too few to learn from", rows.rows.len());
    let shape = Shape {
        trees: arguments.trees,
        splits: arguments.splits,
        least: arguments.least,
        sample: arguments.sample,
        seed: arguments.seed,
    };
    eprintln!("{} rows; training without each source in turn", rows.rows.len());
    let by_source = evaluate::unseen(&rows, &shape, Apart::Source)?;
    eprintln!("training without a tenth of the captures in turn");
    let by_capture = evaluate::unseen(&rows, &shape, Apart::Capture)?;
    let thresholds = evaluate::thresholds(&rows, &by_source, arguments.medium_a_day, arguments.high_a_day);
    eprintln!("training on all rows");
    let all: Vec<&Row> = rows.rows.iter().collect();
    let image = encode(&train(&all, &shape)?, &rows, thresholds)?;
    let forest = Forest::load(&image, rows.schema.hash)?;
    let itself: Vec<_> = rows.rows.iter().map(|r| evaluate::score_of(&forest, r)).collect();
    let trial = |by, scores: &Vec<Score>| {
        let levels: Vec<_> = scores.iter().map(|s| evaluate::level(*s, thresholds)).collect();
        Trial { by, area: Some(evaluate::area(&rows, scores)), outcome: evaluate::outcome(&rows, &levels) }
    };
    let ruled: Vec<_> = rows.rows.iter().map(|r| r.rules).collect();
    let trials = [
        Trial { by: "rules", area: None, outcome: evaluate::outcome(&rows, &ruled) },
        trial("forest, source left out", &by_source),
        trial("forest, capture left out", &by_capture),
        trial("forest, nothing left out", &itself),
    ];
    let text = report(&rows, &shape, &forest, image.len(), &trials);
    print!("{text}");
    put(&arguments.out, &image)?;
    put(&arguments.out.with_extension("golden"), &golden::write(&forest, &all)?)?;
    put(&arguments.report, text.as_bytes())
}

fn write_rows(rows: &Rows, out: &Path) -> Result<()> {
    let file = File::create(out).with_context(|| format!("{} cannot be written", out.display()))?;
    rows.write(BufWriter::new(file))?;
    eprintln!("{} rows in {}", rows.rows.len(), out.display());
    Ok(())
}

fn put(path: &Path, octets: &[u8]) -> Result<()> {
    fs::write(path, octets).with_context(|| format!("{} cannot be written", path.display()))
}
