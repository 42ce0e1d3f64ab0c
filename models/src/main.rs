//! `models`: turns labelled captures into the forest that ships.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufReader, BufWriter};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use clap::{Args, Parser, Subcommand};
use detect::forest::Forest;
use models::evaluate::{self, Apart};
use models::field::{self, RULES_ALONE, TRIALS, Trial};
use models::report::{self, FamilyRow, FieldRow, ForestFacts, LeftOut, Report};
use models::{Row, Rows, Shape, Thresholds, captures, card, encode, golden, replay, scenes, sign, train};

/// The day of the data that the shipped forest learnt from: 22 November 2026.
const DAY: u32 = 20_779;

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
    /// Train on captures, recordings and scenes; write the forest and its golden rows.
    Train(TrainArguments),
    /// Judge the shipped binary and the forest: REPORT.md, report.json, report.html. The first folder of captures is real, the second
    /// recorded in the lab.
    Report(ReportArguments),
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
    /// Make a key pair for signing: the private half into a new file, the public half is printed.
    Keygen {
        /// The file of the private half, which must not exist.
        #[arg(long)]
        out: PathBuf,
    },
    /// Sign a forest and the card beside it, for boxes that trust the key.
    Sign {
        /// The forest; its card lies beside it.
        forest: PathBuf,
        /// The private half of the key.
        #[arg(long)]
        key: PathBuf,
        /// The file to write.
        #[arg(long)]
        out: PathBuf,
    },
    /// Load a forest as the box does and hold it to its golden rows.
    Check {
        /// The forest.
        forest: PathBuf,
        /// Its golden rows.
        golden: PathBuf,
    },
}

/// What is learnt from.
#[derive(Args)]
struct Input {
    /// A folder of captures with a labels.csv; may be given again.
    #[arg(long)]
    captures: Vec<PathBuf>,
    /// Rows that `models rows` wrote, instead of captures.
    #[arg(long, conflicts_with = "captures")]
    rows: Option<PathBuf>,
    /// Scenes that are drawn besides.
    #[arg(long, default_value_t = 0)]
    scenes: u64,
    /// Where draws begin: the same seed and input give the same forest.
    #[arg(long, default_value_t = Shape::default().seed)]
    seed: u64,
}

#[derive(Args)]
struct TrainArguments {
    #[command(flatten)]
    input: Input,
    /// Where the forest goes; the golden rows and the card go beside it, as do their names.
    #[arg(long, default_value = "models/picket.forest")]
    out: PathBuf,
    /// The day that the card names, in days since the epoch: no clock is asked, so that the same input gives the same octets.
    #[arg(long, default_value_t = DAY)]
    day: u32,
    #[command(flatten)]
    growth: Growth,
}

/// How a forest is grown.
#[derive(Args)]
struct Growth {
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
    /// MEDIUM minutes that a harmless host may cost a day, on sources that were left out.
    #[arg(long, default_value_t = 1.0)]
    medium_a_day: f64,
    /// HIGH minutes, likewise.
    #[arg(long, default_value_t = 0.25)]
    high_a_day: f64,
}

#[derive(Args)]
struct ReportArguments {
    #[command(flatten)]
    input: Input,
    #[command(flatten)]
    growth: Growth,
    /// The binary that is judged.
    #[arg(long, default_value = "target/release/picket")]
    picket: PathBuf,
    /// The forest that it ships.
    #[arg(long, default_value = "models/picket.forest")]
    forest: PathBuf,
    /// Where REPORT.md, report.json and report.html go.
    #[arg(long, default_value = "models")]
    out: PathBuf,
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
        Task::Scenes { seed, count, out, rows: false } => {
            scenes::write((0..count).map(|number| scenes::draw(seed, number)), &out)?
        }
        Task::Train(arguments) => train_and_write(&arguments)?,
        Task::Report(arguments) => report_and_write(&arguments)?,
        Task::Keygen { out } => println!("{}", sign::keygen(&out)?),
        Task::Sign { forest, key, out } => sign_and_write(&forest, &key, &out)?,
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

/// Reads all that is given; where nothing is, that is said.
fn read(input: &Input) -> Result<Rows> {
    let mut all = Rows { schema: replay::schema(), rows: Vec::new() };
    if let Some(file) = &input.rows {
        let open = File::open(file).with_context(|| format!("{} cannot be opened", file.display()))?;
        let read = Rows::read(BufReader::new(open), replay::schema());
        all.rows = read.with_context(|| format!("{} cannot be used", file.display()))?.rows;
    }
    for folder in &input.captures {
        if !folder.join("labels.csv").exists() {
            eprintln!("{} has no labels.csv: nothing is learnt from it", folder.display());
            continue;
        }
        let read = captures::rows(folder, &mut |capture, read| match read {
            Ok(rows) => eprintln!("{rows:6} rows  {capture}"),
            Err(error) => eprintln!("   LEFT OUT: {error}"),
        })?;
        all.rows.extend(read.rows);
    }
    if input.scenes > 0 {
        let drawn = scenes::rows(input.seed, input.scenes, &mut |scene, rows| eprintln!("{rows:6} rows  {scene}"))?;
        all.rows.extend(drawn.rows);
    }
    ensure!(all.rows.len() >= 100, "{} rows are too few: give --captures, --rows or --scenes", all.rows.len());
    Ok(all)
}

impl Growth {
    fn shape(&self, seed: u64) -> Shape {
        let Self { trees, splits, least, sample, .. } = *self;
        Shape { trees, splits, least, sample, seed }
    }
}

fn train_and_write(arguments: &TrainArguments) -> Result<()> {
    let rows = read(&arguments.input)?;
    let (growth, shape) = (&arguments.growth, arguments.growth.shape(arguments.input.seed));
    eprintln!("{} rows; training without each source in turn, which sets the thresholds", rows.rows.len());
    let by_source = evaluate::unseen(&rows, &shape, Apart::Source)?;
    let thresholds = evaluate::thresholds(&rows, &by_source, growth.medium_a_day, growth.high_a_day);
    eprintln!("training on all rows");
    let all: Vec<&Row> = rows.rows.iter().collect();
    let image = encode(&train(&all, &shape)?, &rows, thresholds)?;
    let forest = Forest::load(&image, rows.schema.hash)?;
    eprintln!("{} trees, {} nodes, {} octets, thresholds {thresholds:?}", forest.trees(), forest.nodes(), image.len());
    put(&arguments.out, &image)?;
    put(&arguments.out.with_extension("card"), &card::write(&image, &rows, &by_source, arguments.day)?)?;
    put(&arguments.out.with_extension("golden"), &golden::write(&forest, &all)?)
}

fn sign_and_write(forest: &Path, key: &Path, out: &Path) -> Result<()> {
    let octets = |path: &Path| fs::read(path).with_context(|| format!("{} cannot be read", path.display()));
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let (file, public) = sign::sign(&octets(forest)?, &octets(&forest.with_extension("card"))?, &octets(key)?, now)?;
    put(out, &file)?;
    println!("{}: signed by {public}", out.display());
    Ok(())
}

/// Scenes of more than a day that the report plays: each plot three times.
const DAYS: u64 = 51;

/// What each way of leaving out is called.
const LEFT_OUT: [(Apart, &str); 5] = [
    (Apart::Source, "source left out"),
    (Apart::Tool, "tool left out"),
    (Apart::Family, "family left out"),
    (Apart::Device, "device left out"),
    (Apart::Capture, "capture left out"),
];

fn report_and_write(arguments: &ReportArguments) -> Result<()> {
    let rows = read(&arguments.input)?;
    let shape = arguments.growth.shape(arguments.input.seed);
    let image =
        fs::read(&arguments.forest).with_context(|| format!("{} cannot be read", arguments.forest.display()))?;
    let forest = Forest::load(&image, rows.schema.hash)?;
    let (medium, high) = forest.thresholds();
    let thresholds = Thresholds { medium, high };
    let mut left_out = Vec::new();
    let mut scores = BTreeMap::new();
    for (apart, name) in LEFT_OUT {
        eprintln!("training with each {name} in turn");
        let unseen = evaluate::unseen(&rows, &shape, apart)?;
        let levels: Vec<_> = unseen.iter().map(|s| s.map(|s| evaluate::level(s, thresholds))).collect();
        let row = LeftOut::new(name, &evaluate::outcome(&rows, &levels), evaluate::area(&rows, &unseen));
        eprintln!("{name}: {} of {} found", row.found, row.subjects);
        left_out.push(row);
        scores.insert(name, (unseen, levels));
    }
    let mut field = Vec::new();
    let mut whole = Trial::default();
    let mut tools = Trial::default();
    for (n, folder) in arguments.input.captures.iter().filter(|folder| folder.join("labels.csv").exists()).enumerate() {
        if n > 0 {
            eprintln!("the rules on {}", folder.display());
            tools = field::trial(&arguments.picket, folder, RULES_ALONE)?;
            continue;
        }
        for switches in TRIALS {
            eprintln!("the binary, {}, on {}", switches.name, folder.display());
            let trial = field::trial(&arguments.picket, folder, switches)?;
            field.push(FieldRow::new(switches.name, &trial));
            if switches == TRIALS[0] {
                whole = trial;
            }
        }
    }
    let (days, day_families) = days(arguments)?;
    let report = Report {
        data: report::data(&rows),
        forest: ForestFacts {
            rows: forest.trained_on() as usize,
            digest: format!("{:016x}", forest.digest()),
            schema: format!("{:016x}", rows.schema.hash),
            features: forest.features(),
            trees: forest.trees(),
            nodes: forest.nodes(),
            octets: image.len(),
            thresholds: [medium, high],
        },
        field,
        days,
        day_families,
        families: report::families(&whole),
        confusion: report::confusion(&whole),
        tools: report::tools(&rows, &tools, &scores["tool left out"].1),
        left_out,
        source_guessed: evaluate::source_guessed(&rows),
        roc: evaluate::roc(&rows, &scores["source left out"].0),
        reliability: report::reliability(&whole),
        never_found: report::never_found(&whole),
        not_found: report::not_found(),
        moved: report::moved(&rows, &forest),
    };
    put(&arguments.out.join("REPORT.md"), report::text(&report).as_bytes())?;
    put(&arguments.out.join("report.json"), (serde_json::to_string_pretty(&report)? + "\n").as_bytes())?;
    put(&arguments.out.join("report.html"), report::page(&report).as_bytes())
}

/// The binary on scenes of more than a day, by switches. Their seed is not that of the scenes that the forest learnt from.
fn days(arguments: &ReportArguments) -> Result<(Vec<FieldRow>, Vec<FamilyRow>)> {
    let folder = std::env::temp_dir().join(format!("picket-days-{}", std::process::id()));
    fs::create_dir_all(&folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    let seed = arguments.input.seed ^ u64::MAX;
    let judged = scenes::write((0..DAYS).map(|number| scenes::draw_day(seed, number)), &folder).and_then(|()| {
        let (mut rows, mut families) = (Vec::new(), Vec::new());
        for switches in TRIALS {
            eprintln!("the binary, {}, on {DAYS} drawn scenes of more than a day", switches.name);
            let trial = field::trial(&arguments.picket, &folder, switches)?;
            rows.push(FieldRow::new(switches.name, &trial));
            if switches == TRIALS[0] {
                families = report::families(&trial);
            }
        }
        Ok((rows, families))
    });
    fs::remove_dir_all(&folder).with_context(|| format!("{} cannot be removed", folder.display()))?;
    judged
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
