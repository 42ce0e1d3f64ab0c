//! Scenes to labelled rows, and to captures that can be looked at.

use std::fmt::Write as _;
use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

use anyhow::{Context, Result};
use capture::{Frame, PcapWriter};
use terms::Side;
use wire::LinkType;

use crate::labels::Labels;
use crate::replay::{Replay, schema};
use crate::rows::Rows;

use super::{Made, Scene, draw};

/// Who made the scenes, as the rows word it.
pub const SOURCE: &str = "picket-scenes";
/// The columns of `labels.csv`.
const HEAD: &str = "file,attacker_or_subject_ip,label,family,start_time_epoch,end_time_epoch,source,license,why\n";

impl Made {
    /// As a capture lends it.
    #[must_use]
    pub fn as_frame(&self) -> Frame<'_> {
        let Self { at, len, octets } = self;
        Frame { at: *at, side: Side::Unknown, link: LinkType::Ethernet, len: *len, vlan: None, octets }
    }
}

impl Scene {
    /// Its lines of `labels.csv`, for a capture of this name: the device is harmless, and from some moment on it is not.
    #[must_use]
    pub fn labels(&self, file: &str) -> String {
        let (device, kind, name) = (self.device, self.character.family, self.character.name);
        let mut lines = format!("{file},mac:{device},SAFE,{kind},,,{SOURCE},Apache-2.0,{name}\n");
        if let Some(threat) = &self.threat {
            let (plot, from) = (threat.plot, threat.from.as_secs_f64());
            let level = plot.level.as_str();
            // Nothing can go wrong with a line that is written to memory.
            let _ = writeln!(
                lines,
                "{file},mac:{device},{level},{},{from:.6},,{SOURCE},Apache-2.0,{name} with {}",
                plot.family, plot.name
            );
        }
        lines
    }
}

/// The rows of so many scenes, through the code that runs on the box; `progress` hears of each scene how many rows it gave.
///
/// # Errors
/// A label cannot be read back.
pub fn rows(seed: u64, count: u64, progress: &mut dyn FnMut(&str, usize)) -> Result<Rows> {
    let mut rows = Rows { schema: schema(), rows: Vec::new() };
    for number in 0..count {
        let scene = draw(seed, number);
        let labels = Labels::read(format!("{HEAD}{}", scene.labels(&scene.name)).as_bytes())?;
        let mut replay = Replay::default();
        for frame in scene.frames {
            replay.observe(&frame.as_frame());
        }
        let before = rows.rows.len();
        let found = replay.end();
        rows.rows.extend(found.iter().filter_map(|w| labels.row(&scene.name, scene.character.name, w)));
        progress(&scene.name, rows.rows.len() - before);
    }
    Ok(rows)
}

/// Writes these scenes as captures, with their `labels.csv`.
///
/// # Errors
/// A file cannot be written.
pub fn write(scenes: impl Iterator<Item = Scene>, folder: &Path) -> Result<()> {
    let cannot = |path: &Path| format!("{} cannot be written", path.display());
    let mut labels = HEAD.to_owned();
    for scene in scenes {
        let file = format!("{}.pcap", scene.name);
        let path = folder.join(&file);
        labels.push_str(&scene.labels(&file));
        let mut writer = PcapWriter::new(BufWriter::new(File::create(&path).with_context(|| cannot(&path))?))?;
        for frame in scene.frames {
            writer.write(&frame.as_frame()).with_context(|| cannot(&path))?;
        }
        writer.finish().with_context(|| cannot(&path))?;
    }
    let list = folder.join("labels.csv");
    std::fs::write(&list, labels).with_context(|| cannot(&list))
}
