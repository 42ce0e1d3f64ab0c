//! What is kept of a recording: of each frame what the box keeps of it, compressed.

use std::fs::{self, File};
use std::io::BufWriter;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use capture::{CaptureFile, PcapWriter};
use wire::Net;

use crate::network::Host;

/// The most frames of a recording; what comes later is left out, which makes it shorter.
const MOST: u64 = 20_000;
/// How hard the compressor tries.
const EFFORT: i32 = 19;

/// What a recording holds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Kept {
    /// Its frames.
    pub frames: u64,
    /// Those of the host that it is about, while it did what it is about.
    pub own: u64,
    /// When the last one passed, seconds since the epoch.
    pub last: f64,
    /// Octets of the file.
    pub octets: u64,
}

/// Copies a capture into `to`, and counts the frames that `host` sent between two times.
///
/// # Errors
/// When the capture can't be read to its end or the copy can't be written.
pub fn keep(from: &Path, to: &Path, host: &Host, (start, end): (f64, f64)) -> Result<Kept> {
    let mut capture = CaptureFile::open(from)?;
    let out = zstd::Encoder::new(BufWriter::new(File::create(to)?), EFFORT)?;
    let mut writer = PcapWriter::new(out)?;
    let mut kept = Kept::default();
    while kept.frames < MOST {
        let Some(frame) = capture.next() else { break };
        let frame = frame.snapped();
        writer.write(&frame)?;
        kept.frames += 1;
        kept.last = frame.at.as_secs_f64();
        let within = kept.last >= start && kept.last <= end;
        if let (true, Ok(summary)) = (within, wire::parse(frame.link, frame.octets, frame.len, frame.vlan)) {
            let by_address = match &summary.net {
                Net::Ip(packet) => host.is(&packet.src.to_string()),
                _ => false,
            };
            kept.own += u64::from(by_address || host.is(&summary.src.to_string()));
        }
    }
    ensure!(!capture.truncated(), "the capture is cut short");
    writer.finish()?.finish()?.into_inner().context("the copy can't be written")?;
    kept.octets = fs::metadata(to)?.len();
    Ok(kept)
}
