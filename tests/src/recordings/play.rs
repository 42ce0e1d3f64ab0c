//! Playing draws: their neighbourhood's first talk, the tool, its end, and what others say meanwhile.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::recipe::{Draw, LASTS};
use crate::record::{Recording, tap};
use crate::scene::{Level, Run};
use crate::stage::{Part, Stage, now};
use crate::stop;

/// How often it is looked whether a tool has ended.
const LOOK: Duration = Duration::from_millis(50);
/// How long what was prepared may take until it is ready.
const READY: Duration = Duration::from_millis(700);
/// How long the others talk on after a tool has ended, seconds.
const TAIL: f64 = 2.0;

/// A draw while it is played.
pub(super) struct Play<'a> {
    /// What was drawn.
    pub draw: &'a Draw,
    /// The capture that is written meanwhile.
    pub raw: PathBuf,
    recording: Option<Recording>,
    prepared: Vec<Part>,
    talk: Vec<Part>,
    tool: Vec<Part>,
    beside: Vec<Part>,
    began: Option<(f64, f64)>,
    ended: Option<f64>,
}

impl<'a> Play<'a> {
    fn begin(stage: &Stage<'_>, draw: &'a Draw) -> Result<Self> {
        let raw = stage.folder.join(format!("{}.pcap", draw.name));
        // Harmless draws are played together, and each is its own hosts' traffic; about an attack, all is kept.
        let hosts = if draw.level == Level::Safe { lan(draw) } else { BTreeSet::new() };
        let macs =
            hosts.into_iter().map(|name| Ok(stage.network.host(name)?.mac.clone())).collect::<Result<Vec<_>>>()?;
        let recording = Some(tap(stage.network, &macs, &raw)?);
        let talk = stage.parts(&draw.name, &draw.talk)?;
        let tool = Run { host: draw.host.clone(), command: draw.command.clone(), after: 0.0 };
        let (tool, beside) = (stage.parts(&draw.name, &[tool])?, stage.parts(&draw.name, &draw.beside)?);
        Ok(Self { draw, raw, recording, prepared: Vec::new(), talk, tool, beside, began: None, ended: None })
    }

    /// When the tool began and ended, seconds since the epoch; nothing where it did not.
    pub fn times(&self) -> Option<(f64, f64)> {
        Some((self.began?.0, self.ended?))
    }

    /// Starts and ends what is due; tells whether the recording must go on.
    fn advance(&mut self, stage: &Stage<'_>, elapsed: f64) -> Result<bool> {
        let name = &self.draw.name;
        // What they say is no word of the tool's, in whose log one looks for what went wrong.
        stage.advance(&mut self.talk, elapsed, "talk")?;
        if elapsed < self.draw.lead {
            return Ok(true);
        }
        if let Some(ended) = self.ended {
            return Ok(now() - ended < TAIL);
        }
        let (_, since) = *self.began.get_or_insert_with(|| (now(), elapsed));
        let running = stage.advance(&mut self.tool, elapsed - since, name)?;
        stage.advance(&mut self.beside, elapsed - since, name)?;
        if !running || elapsed - since > self.draw.seconds {
            self.tool.clear();
            self.beside.clear();
            self.ended = Some(now());
        }
        Ok(true)
    }
}

/// Plays draws at the same time, from the neighbourhood's first talk to the last word of the others.
///
/// # Errors
/// A program is missing, or nothing can be recorded.
pub(super) fn take<'a>(stage: &Stage<'_>, draws: &'a [Draw]) -> Result<Vec<Play<'a>>> {
    let opened = Instant::now();
    let mut plays = draws.iter().map(|draw| Play::begin(stage, draw)).collect::<Result<Vec<_>>>()?;
    stage.network.warm_up(&[])?;
    for play in &mut plays {
        let mut prepared = stage.parts(&play.draw.name, &play.draw.prepare)?;
        stage.advance(&mut prepared, 0.0, &play.draw.name)?;
        play.prepared.extend(prepared);
    }
    sleep(READY);
    let begin = Instant::now();
    loop {
        let elapsed = begin.elapsed().as_secs_f64();
        let mut running = false;
        for play in &mut plays {
            running |= play.advance(stage, elapsed)?;
        }
        if (!running && opened.elapsed().as_secs_f64() >= LASTS.0) || stop::asked() {
            break;
        }
        sleep(LOOK);
    }
    for play in &mut plays {
        if let Some(recording) = play.recording.take() {
            recording.finish();
        }
        play.prepared.clear();
        play.talk.clear();
    }
    Ok(plays)
}

/// The LAN hosts whose traffic a draw is.
pub(super) fn lan(draw: &Draw) -> BTreeSet<&str> {
    let runs = draw.prepare.iter().chain(&draw.beside).map(|run| run.host.as_str());
    runs.chain([draw.host.as_str()]).filter(|host| host.starts_with('h')).collect()
}
