//! The demo: builds the network, plays scenes, prints what was declared and what was found.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::Args;
use toml::Table;

use crate::gateway::root;
use crate::insider::Insider;
use crate::live::Live;
use crate::page::Page;
use crate::record::Record;
use crate::scene::Scene;
use crate::site::Site;
use crate::stage::Stage;
use crate::stop;
use crate::verdict::Verdict;

/// What `lab demo` takes.
#[derive(Args, Debug, Default)]
pub struct Options {
    /// Run each scene once, print the table and end; otherwise go on until Ctrl-C.
    #[arg(long)]
    pub once: bool,
    /// Only the scenes with these names, separated by commas; a name that ends with `*` stands for all that begin so.
    #[arg(long, value_delimiter = ',')]
    pub only: Vec<String>,
    /// A configuration file that is laid over the lab's own.
    #[arg(long)]
    pub config: Option<PathBuf>,
    /// A folder to write one labelled capture a scene into; those of policies have none.
    #[arg(long)]
    pub record: Option<PathBuf>,
    /// Only the scenes of this subset.
    #[arg(long, value_parser = ["test"])]
    pub subset: Option<String>,
    /// Run the scenes without a gateway, to see that they work by themselves.
    #[arg(long)]
    pub bare: bool,
    /// Keep the folder of logs.
    #[arg(long)]
    pub keep: bool,
}

/// Runs the demo and prints its last line.
///
/// # Errors
/// When the lab can't be built; a scene that fails is told in the table and by the exit status.
pub fn run(options: &Options) -> Result<ExitCode> {
    stop::listen()?;
    let mut all = true;
    let page = if options.once || options.bare { None } else { Some(Page::open()?) };
    let heading = page.as_ref().map_or("", |page| page.words.as_str());
    if page.is_some() {
        println!("{heading}");
    }
    loop {
        let verdicts = play_under(heading, options)?;
        all &= verdicts.iter().all(Verdict::as_declared);
        if options.once || stop::asked() {
            println!(
                "demo: {} scenes, {} as declared",
                verdicts.len(),
                verdicts.iter().filter(|v| v.as_declared()).count()
            );
            return Ok(if all && !verdicts.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE });
        }
    }
}

/// Plays the chosen scenes once and prints a line for each as soon as it is known.
///
/// # Errors
/// When the lab can't be built.
pub fn play(options: &Options) -> Result<Vec<Verdict>> {
    play_under("", options)
}

/// The same below a heading of the live view.
fn play_under(heading: &str, options: &Options) -> Result<Vec<Verdict>> {
    let (scenes, insiders) = chosen(options)?;
    let over = match &options.config {
        Some(file) => fs::read_to_string(file).with_context(|| format!("{}", file.display()))?.parse::<Table>()?,
        None => Table::new(),
    };
    if !options.bare {
        crate::gateway::binary()?;
    }
    let mut record = options.record.as_deref().map(Record::open).transpose()?;
    eprintln!("lab: building the network ({} scenes)", scenes.len() + insiders.len());
    let site = Site::build(options.keep)?;
    let (network, folder) = (site.network(), site.folder());
    let live = Live::open(!options.once, folder)?;
    let linger = live.as_ref().map_or(Duration::ZERO, Live::linger);
    let stage = Stage { network, folder, over: &over, bare: options.bare, linger };
    let begins = |text: String| {
        if let Some(live) = &live {
            live.scene(format!("{heading}\n\n{text}").trim_start().to_owned());
        }
    };
    let ends = |verdict: &Verdict| match &live {
        Some(live) => live.verdict(line(verdict)),
        None => println!("{}", line(verdict)),
    };
    let mut verdicts = Vec::new();
    if live.is_none() {
        println!("{:<24} {:<26} {:<26} {:>8} {:>8}  verdict", "scene", "expected", "found", "finding", "block");
    }
    let benign: Vec<&Scene> = scenes.iter().filter(|scene| scene.is_benign()).collect();
    if !benign.is_empty() {
        eprintln!("lab: {} benign scenes together", benign.len());
        begins(format!("{} benign scenes together: nothing may be found", benign.len()));
        match stage.benign(&benign, record.as_mut()) {
            Ok(more) => verdicts.extend(more),
            Err(error) => verdicts.extend(benign.iter().map(|scene| Verdict::failed(scene, &error))),
        }
        verdicts.iter().for_each(ends);
    }
    let others = scenes.len() - benign.len();
    for (n, scene) in scenes.iter().filter(|scene| !scene.is_benign()).enumerate() {
        if stop::asked() {
            break;
        }
        begins(format!("scene {} of {others}, {}: {}", n + 1, scene.name, scene.about));
        // What a policy lets pass is not recorded: a recording is for those who look for attacks.
        let played =
            if scene.is_of_policy() { stage.under_policy(scene) } else { stage.attack(scene, record.as_mut()) };
        let verdict = played.unwrap_or_else(|error| Verdict::failed(scene, &error));
        ends(&verdict);
        verdicts.push(verdict);
    }
    for scene in &insiders {
        if stop::asked() {
            break;
        }
        begins(format!("{}: {}", scene.name, scene.about));
        let verdict = scene.play(network, folder).unwrap_or_else(|error| scene.failed(&error));
        ends(&verdict);
        verdicts.push(verdict);
    }
    Ok(verdicts)
}

/// Writes the scenes as they are declared.
///
/// # Errors
/// When a scene file is wrong.
pub fn list(folder: &Path) -> Result<ExitCode> {
    for scene in Scene::read_all(folder)? {
        println!("{:<24} {}", scene.name, scene.about);
    }
    for scene in Insider::read_all()? {
        println!("{:<24} {}", scene.name, scene.about);
    }
    Ok(ExitCode::SUCCESS)
}

/// The scenes of the wire, and those of insiders, which need a gateway with a configuration of their own; nothing of those is recorded.
fn chosen(options: &Options) -> Result<(Vec<Scene>, Vec<Insider>)> {
    let mut scenes = Scene::read_all(&root().join("tests/lab/scenes"))?;
    let mut insiders = Insider::read_all()?;
    let wanted = |scene: &str, subset: bool| {
        let named = |name: &String| name.strip_suffix('*').map_or(scene == name, |begin| scene.starts_with(begin));
        (options.subset.is_none() || subset) && (options.only.is_empty() || options.only.iter().any(named))
    };
    scenes.retain(|scene| wanted(&scene.name, scene.subset));
    insiders.retain(|scene| !options.bare && options.config.is_none() && wanted(&scene.name, scene.subset));
    ensure!(!scenes.is_empty() || !insiders.is_empty(), "no scene of that name");
    Ok((scenes, insiders))
}

/// What came of a scene, as a line of the table.
fn line(verdict: &Verdict) -> String {
    let seconds = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.2} s"));
    let word = if verdict.as_declared() {
        "as declared".to_owned()
    } else {
        format!("NOT AS DECLARED: {}", verdict.wrong.join("; "))
    };
    format!(
        "{:<24} {:<26} {:<26} {:>8} {:>8}  {word}",
        verdict.scene,
        verdict.expected,
        verdict.found,
        seconds(verdict.finding),
        seconds(verdict.block)
    )
}
