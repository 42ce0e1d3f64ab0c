//! `make record`: plays every recipe without a gateway, keeps what passed the box, checks it right away and labels it.

mod found;
mod play;
mod shelf;

use std::collections::VecDeque;
use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, ensure};
use clap::Args;
use toml::Table;

use crate::gateway::{binary, root};
use crate::keep::{Kept, keep};
use crate::recipe::{Draw, Recipe, talks};
use crate::scene::Level;
use crate::site::Site;
use crate::stage::Stage;
use crate::stop;
use found::{Found, found};
use play::{Play, lan, take};
use shelf::{Shelf, subjects};

/// Harmless recordings that are made at the same time, each of its own hosts.
const TOGETHER: usize = 6;
/// What `lab record` takes.
#[derive(Args, Debug)]
pub struct Options {
    /// Only what begins with one of these words, such as a family or family.tool; the other recordings stay as they are.
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// What everything is drawn from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Where the recordings go.
    #[arg(long)]
    out: Option<PathBuf>,
    /// End well even if a tool was missing or did nothing.
    #[arg(long)]
    keep_going: bool,
    /// How many labs play beside each other; in each of them one recording follows the other.
    #[arg(long, default_value_t = 4)]
    labs: u32,
    /// Keep the folders of logs.
    #[arg(long)]
    keep: bool,
    /// Say what would be recorded, and do nothing.
    #[arg(long)]
    list: bool,
}

/// What came of one draw.
struct Taken {
    file: PathBuf,
    subjects: Vec<String>,
    line: String,
}

/// What came of all so far.
struct Made {
    shelf: Shelf,
    wrong: Vec<String>,
    done: usize,
    of: usize,
    begin: Instant,
}

/// Makes the recordings.
///
/// # Errors
/// When the lab can't be built; a recording that fails is told, and by the exit status.
pub fn run(options: &Options) -> Result<ExitCode> {
    stop::listen()?;
    let lab = root().join("tests/lab");
    let talks = talks(&lab.join("talk.toml"))?;
    let mut draws: Vec<Draw> =
        Recipe::read_all(&lab.join("recipes"))?.iter().flat_map(|recipe| recipe.draws(options.seed, &talks)).collect();
    draws
        .retain(|draw| options.only.is_empty() || options.only.iter().any(|word| draw.name.starts_with(word.as_str())));
    ensure!(!draws.is_empty(), "no recipe of that name");
    if options.list {
        draws.iter().for_each(|draw| println!("{} on {}: {}", draw.name, draw.host, draw.command));
        return Ok(ExitCode::SUCCESS);
    }
    let mut shelf = Shelf::open(&options.out.clone().unwrap_or_else(|| root().join("models/recordings")))?;
    binary()?;
    if options.only.is_empty() {
        shelf.keep_only(&draws)?;
    }
    let (all, mut wrong) = (draws.len(), Vec::new());
    draws.retain(|draw| match shelf.version(draw) {
        Ok(_) => true,
        Err(error) => {
            println!("{}: LEFT OUT: {error:#}", draw.name);
            wrong.push(draw.name.clone());
            false
        }
    });
    let batches = batches(&draws);
    let labs = options.labs.clamp(1, batches.len().max(1) as u32);
    let queue = Mutex::new(batches);
    let made = Mutex::new(Made { shelf, wrong, done: 0, of: draws.len(), begin: Instant::now() });
    println!("record: {} recordings in {labs} labs, seed {}", draws.len(), options.seed);
    thread::scope(|scope| -> Result<()> {
        let lab = |n: u32| {
            let (queue, made) = (&queue, &made);
            move || play_all(&format!("{n}"), options.keep, queue, made)
        };
        let labs: Vec<_> = (0..labs).map(|n| scope.spawn(lab(n))).collect();
        labs.into_iter().try_for_each(|lab| lab.join().map_err(|_| anyhow!("a thread ended badly"))?)
    })?;
    ensure!(!stop::asked(), "ended before all was recorded");
    let Made { shelf, wrong, begin, .. } = made.into_inner().map_err(|_| anyhow!("a thread ended badly"))?;
    let made_well = all.saturating_sub(wrong.len());
    println!(
        "record: {} of {} recordings in {:.0} min, {:.1} MiB in all",
        made_well,
        all,
        begin.elapsed().as_secs_f64() / 60.0,
        shelf.octets() as f64 / f64::from(1 << 20)
    );
    wrong.iter().for_each(|name| println!("left out: {name}"));
    Ok(if wrong.is_empty() || options.keep_going { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Builds a lab and plays in it one after the other, until nothing is left.
fn play_all(name: &str, keep: bool, queue: &Mutex<VecDeque<Vec<Draw>>>, made: &Mutex<Made>) -> Result<()> {
    let site = Site::build_beside(name, keep)?;
    let over = Table::new();
    let stage =
        Stage { network: site.network(), folder: site.folder(), over: &over, bare: true, linger: Duration::ZERO };
    loop {
        let batch = queue.lock().map_err(|_| anyhow!("another lab ended badly"))?.pop_front();
        let Some(batch) = batch.filter(|_| !stop::asked()) else { return Ok(()) };
        let done: Vec<Result<Taken>> = match take(&stage, &batch) {
            Ok(plays) => plays.iter().map(|play| made_of(&stage, play)).collect(),
            Err(error) => batch.iter().map(|_| Err(anyhow!("{error:#}"))).collect(),
        };
        let mut made = made.lock().map_err(|_| anyhow!("another lab ended badly"))?;
        batch.iter().zip(done).for_each(|(draw, taken)| made.put(draw, taken));
        drop(made);
        site.network().forget_neighbours()?;
    }
}

/// What is played at the same time: one attack, or some harmless draws that share no host.
/// The first draw of each tool comes first: what does not work is soon known.
fn batches(draws: &[Draw]) -> VecDeque<Vec<Draw>> {
    let mut batches: Vec<Vec<Draw>> = Vec::new();
    let (benign, mut attacks): (Vec<&Draw>, Vec<&Draw>) = draws.iter().partition(|draw| draw.level == Level::Safe);
    for draw in benign {
        let mine = lan(draw);
        let fits =
            |batch: &&mut Vec<Draw>| batch.len() < TOGETHER && batch.iter().all(|other| lan(other).is_disjoint(&mine));
        match batches.iter_mut().find(fits) {
            Some(batch) => batch.push(draw.clone()),
            None => batches.push(vec![draw.clone()]),
        }
    }
    attacks.sort_by_key(|draw| draw.number);
    batches.extend(attacks.into_iter().map(|draw| vec![draw.clone()]));
    batches.into()
}

impl Made {
    /// Takes in what became of a draw, and says it.
    fn put(&mut self, draw: &Draw, taken: Result<Taken>) {
        self.done += 1;
        let left = self.begin.elapsed().as_secs_f64() / self.done as f64 * self.of.saturating_sub(self.done) as f64;
        let put = taken.and_then(|taken| self.shelf.put(draw, &taken.file, &taken.subjects).map(|()| taken.line));
        match put {
            Ok(line) => println!("{:3.0} min left  {line}", left / 60.0),
            Err(error) => {
                println!("{:3.0} min left  {}: LEFT OUT: {error:#}", left / 60.0, draw.name);
                self.wrong.push(draw.name.clone());
            }
        }
    }
}

/// Keeps what was played and checks it: the replay reads it, and the host is in it.
fn made_of(stage: &Stage<'_>, play: &Play<'_>) -> Result<Taken> {
    let (draw, host) = (play.draw, stage.network.host(&play.draw.host)?);
    let (start, end) = play.times().context("it was not played to its end")?;
    let file = stage.folder.join(format!("{}.pcap.zst", draw.name));
    let checked = keep(&play.raw, &file, host, (start, end)).and_then(|kept| {
        ensure!(kept.own >= draw.frames, "{} sent {} frames only; does the tool fail?", draw.host, kept.own);
        Ok((kept, found(&file, host)?))
    });
    fs::remove_file(&play.raw)?;
    let (kept, found) = checked.with_context(|| {
        let log = fs::read_to_string(stage.folder.join(format!("{}.log", draw.name))).unwrap_or_default();
        let last: Vec<&str> = log.lines().rev().filter(|line| !line.trim().is_empty()).take(3).collect();
        last.into_iter().rev().collect::<Vec<_>>().join(" | ")
    })?;
    let end = end.min(kept.last);
    let subjects = subjects(stage.network, draw, host, (start, end))?;
    Ok(Taken { file, subjects, line: line(draw, &kept, end - start, &found) })
}

fn line(draw: &Draw, kept: &Kept, seconds: f64, found: &Found) -> String {
    let missed = draw.level > Level::Safe && !found.own.iter().any(|what| what.ends_with(&format!(" {}", draw.family)));
    format!(
        "{:<34} {:>3} s, {:>6} frames, {:>6} of it, {:>4} KiB  {found}{}",
        draw.name,
        seconds.round(),
        kept.frames,
        kept.own,
        kept.octets.div_ceil(1024),
        if missed { "  MISSED" } else { "" }
    )
}
