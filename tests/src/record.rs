//! Labelled captures of scenes: one plain pcap each, and one table of labels.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use rustix::process::{Pid, Signal, kill_process};

use crate::network::{LAN_LINK, Network};
use crate::process::Process;
use crate::scene::Scene;

/// The columns of the labels.
pub const COLUMNS: &str = "file,attacker_or_subject_ip,label,family,start_time_epoch,end_time_epoch,source,license,why,tool,version,seed,scene";
/// Octets kept of each frame; the gateway reads less.
const SNAP: u32 = 1600;

/// A folder that scenes are recorded into.
pub struct Record {
    folder: PathBuf,
    labels: File,
}

/// One running recording. Dropping it ends it.
pub struct Recording {
    process: Process,
}

impl Record {
    /// Opens the folder and begins a new table of labels.
    ///
    /// # Errors
    /// When the folder can't be written.
    pub fn open(folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder).with_context(|| format!("can't make {}", folder.display()))?;
        let folder = folder.canonicalize()?;
        let mut labels = File::create(folder.join("labels.csv"))?;
        writeln!(labels, "{COLUMNS}")?;
        Ok(Self { folder, labels })
    }

    /// Begins to record what the box's LAN link carries, only frames of these hardware addresses where some are named.
    ///
    /// # Errors
    /// When tcpdump does not start.
    pub fn start(&self, network: &Network, scene: &Scene, only: &[String]) -> Result<Recording> {
        tap(network, only, &self.folder.join(file(scene)))
    }

    /// Writes a scene's label: what it declares, about the host as the gateway named it where it found one.
    ///
    /// # Errors
    /// When the table can't be written.
    pub fn label(
        &mut self,
        network: &Network,
        scene: &Scene,
        host: Option<&str>,
        (start, end): (f64, f64),
    ) -> Result<()> {
        let (who, level, family) = match &scene.expect {
            Some(expect) => (
                host.unwrap_or(&network.host(&expect.host)?.address).to_owned(),
                expect.level.as_str(),
                expect.family.clone(),
            ),
            None => ("*".to_owned(), "SAFE", "benign_misc".to_owned()),
        };
        let why = scene.about.replace(',', ";");
        writeln!(
            self.labels,
            "{},{who},{level},{family},{start:.6},{end:.6},lab,Apache-2.0,{why},,,,{}",
            file(scene),
            scene.name
        )?;
        Ok(())
    }
}

/// Begins to write what the box's LAN link carries into a file, only frames of these hardware addresses where some are named.
///
/// # Errors
/// When tcpdump does not start.
pub fn tap(network: &Network, only: &[String], file: &Path) -> Result<Recording> {
    let log = file.with_extension("tap");
    let filter = only.iter().map(|mac| format!("ether host {mac}")).collect::<Vec<_>>().join(" or ");
    let line = format!("exec tcpdump -Z root -i {LAN_LINK} -U -s {SNAP} -B 8192 -w '{}' '{filter}'", file.display());
    let process = network.space("box")?.start(&line, &log)?;
    let until = Instant::now() + Duration::from_secs(5);
    while !fs::read_to_string(&log).unwrap_or_default().contains("listening on") {
        ensure!(Instant::now() < until, "tcpdump does not start; see {}", log.display());
        sleep(Duration::from_millis(20));
    }
    fs::remove_file(log)?;
    Ok(Recording { process })
}

impl Recording {
    /// Ends the recording with everything written.
    pub fn finish(mut self) {
        sleep(Duration::from_millis(150));
        if let Some(pid) = i32::try_from(self.process.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process(pid, Signal::INT);
        }
        self.process.wait(Duration::from_secs(2));
    }
}

fn file(scene: &Scene) -> String {
    format!("{}.pcap", scene.name)
}
