//! Frames to a classic capture, for evidence and for recording the lab.

use std::io::{self, Write};

use wire::LinkType;

use crate::Frame;

/// Writes frames as a pcap file of little-endian microseconds.
///
/// **Shape**: a header of 24 octets, then a header of 16 octets before each frame. A VLAN tag that the kernel took off is
/// put back where it was. **Source**: draft-ietf-opsawg-pcap-05.
pub struct PcapWriter<W: Write> {
    out: W,
}

impl<W: Write> PcapWriter<W> {
    /// The most octets that are kept of a frame.
    pub const SNAP: u32 = 256 * 1024;

    /// Begins a capture of Ethernet frames; `out` should be buffered.
    ///
    /// # Errors
    /// The header could not be written.
    pub fn new(out: W) -> io::Result<Self> {
        Self::with_link(out, LinkType::Ethernet)
    }

    /// Begins a capture of frames of one link type.
    ///
    /// # Errors
    /// The header could not be written.
    pub fn with_link(mut out: W, link: LinkType) -> io::Result<Self> {
        out.write_all(&0xa1b2_c3d4_u32.to_le_bytes())?;
        out.write_all(&[2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0])?;
        out.write_all(&Self::SNAP.to_le_bytes())?;
        out.write_all(&link.to_pcap().to_le_bytes())?;
        Ok(Self { out })
    }

    /// Writes one frame.
    ///
    /// # Errors
    /// It could not be written, or its time is past the year 2106.
    pub fn write(&mut self, frame: &Frame<'_>) -> io::Result<()> {
        let secs = u32::try_from(frame.at.secs()).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
        let micros = u32::try_from(frame.at.micros() % 1_000_000).map_err(io::Error::other)?;
        let whole = &frame.octets[..frame.octets.len().min(Self::SNAP as usize - 4)];
        // The tag belongs behind the two addresses; a frame cut before that has no place for it.
        let tag = frame
            .vlan
            .filter(|_| frame.link == LinkType::Ethernet && whole.len() >= 12)
            .map(|id| [0x81, 0, (id >> 8) as u8, id as u8]);
        let (addresses, rest) = whole.split_at(if tag.is_some() { 12 } else { 0 });
        let tag = tag.as_ref().map_or(&[][..], |four| four);
        let kept = u32::try_from(whole.len() + tag.len()).map_err(io::Error::other)?;
        let len = frame.len.saturating_add(if tag.is_empty() { 0 } else { 4 }).max(kept);
        for field in [secs, micros, kept, len] {
            self.out.write_all(&field.to_le_bytes())?;
        }
        for part in [addresses, tag, rest] {
            self.out.write_all(part)?;
        }
        Ok(())
    }

    /// Hands what was written to the medium's cache.
    ///
    /// # Errors
    /// It could not be written.
    pub fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    /// Ends the capture and gives back where it was written to.
    ///
    /// # Errors
    /// The last octets could not be written.
    pub fn finish(mut self) -> io::Result<W> {
        self.out.flush()?;
        Ok(self.out)
    }
}
