//! The folder of recordings and its table of labels.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::network::{Host, Network};
use crate::process::output;
use crate::recipe::{Draw, NamedBy};
use crate::record::COLUMNS;
use crate::scene::Level;

/// Who made the recordings and under which licence they are, as the labels say it.
const SOURCE: &str = "picket-lab,Apache-2.0";

/// Recordings of one folder.
pub(super) struct Shelf {
    folder: PathBuf,
    rows: BTreeMap<String, Vec<String>>,
    versions: BTreeMap<String, String>,
}

impl Shelf {
    /// Opens a folder with what was recorded into it before.
    pub fn open(folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder).with_context(|| format!("can't make {}", folder.display()))?;
        let mut rows: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for line in fs::read_to_string(folder.join("labels.csv")).unwrap_or_default().lines().skip(1) {
            let file = line.split(',').next().unwrap_or_default();
            if folder.join(file).exists() {
                rows.entry(file.to_owned()).or_default().push(line.to_owned());
            }
        }
        Ok(Self { folder: folder.to_owned(), rows, versions: BTreeMap::new() })
    }

    /// The version of a draw's package; empty for an own script.
    pub fn version(&mut self, draw: &Draw) -> Result<String> {
        let Some(package) = &draw.package else { return Ok(String::new()) };
        if let Some(version) = self.versions.get(package) {
            return Ok(version.clone());
        }
        let text = output(Command::new("dpkg-query").args(["-W", "-f", "${db:Status-Status} ${Version}", package]))?;
        let version = text.strip_prefix("installed ").with_context(|| format!("{package} is not installed"))?;
        self.versions.insert(package.clone(), version.to_owned());
        Ok(version.to_owned())
    }

    /// Takes a recording in, with labels about its subjects.
    pub fn put(&mut self, draw: &Draw, file: &Path, subjects: &[String]) -> Result<()> {
        let name = format!("{}.pcap.zst", draw.name);
        fs::copy(file, self.folder.join(&name))?;
        fs::remove_file(file)?;
        let (version, (tool, seed, scene)) = (self.version(draw)?, (&draw.tool, draw.seed, &draw.name));
        let rows = subjects.iter().map(|about| format!("{name},{about},{tool},{version},{seed},{scene}"));
        self.rows.insert(name.clone(), rows.collect());
        self.write()
    }

    /// Removes recordings that are of none of these draws.
    pub fn keep_only(&mut self, draws: &[Draw]) -> Result<()> {
        let names: BTreeSet<String> = draws.iter().map(|draw| format!("{}.pcap.zst", draw.name)).collect();
        for file in self.rows.keys().filter(|file| !names.contains(*file)) {
            fs::remove_file(self.folder.join(file))?;
        }
        self.rows.retain(|file, _| names.contains(file));
        self.write()
    }

    /// Writes the table of labels.
    fn write(&self) -> Result<()> {
        let rows = self.rows.values().flatten().map(|row| format!("{row}\n")).collect::<String>();
        fs::write(self.folder.join("labels.csv"), format!("{COLUMNS}\n{rows}"))?;
        Ok(())
    }

    /// The octets of all recordings.
    pub fn octets(&self) -> u64 {
        self.rows.keys().filter_map(|file| fs::metadata(self.folder.join(file)).ok()).map(|data| data.len()).sum()
    }
}

/// Whom the labels of a recording are about: the host that does it, and those who only talk meanwhile. Subject, level, family,
/// times and reason of each.
pub(super) fn subjects(network: &Network, draw: &Draw, host: &Host, (start, end): (f64, f64)) -> Result<Vec<String>> {
    if draw.level == Level::Safe {
        return Ok(vec![subject("*", Level::Safe, &draw.family, ",", &draw.about)]);
    }
    let who = match draw.named_by {
        NamedBy::V4 => host.address.clone(),
        NamedBy::V6 => host.address6.clone(),
        NamedBy::Mac => format!("mac:{}", host.mac),
    };
    let mut all = vec![subject(&who, draw.level, &draw.family, &format!("{start:.6},{end:.6}"), &draw.about)];
    let others: BTreeSet<&str> =
        draw.talk.iter().map(|run| run.host.as_str()).filter(|name| *name != draw.host).collect();
    for name in others {
        let address = &network.host(name)?.address;
        all.push(subject(address, Level::Safe, "benign_background", ",", "Talks while another attacks."));
    }
    Ok(all)
}

fn subject(who: &str, level: Level, family: &str, times: &str, why: &str) -> String {
    format!("{who},{},{family},{times},{SOURCE},{}", level.as_str(), why.replace(',', ";"))
}
