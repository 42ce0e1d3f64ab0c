//! Captures written by hand, so that reader and writer don't share their mistakes.

#![allow(dead_code, reason = "each test program uses a part of it")]

use std::path::{Path, PathBuf};

use capture::CaptureFile;

/// What a test remembers of a frame: time in microseconds, length on the wire, octets.
pub type Seen = (u64, u32, Vec<u8>);

/// Frames of several lengths; the last two are longer on the wire than what was kept of them.
pub fn frames() -> Vec<Seen> {
    [60_usize, 61, 62, 63, 1514, 128, 96]
        .iter()
        .enumerate()
        .map(|(n, &kept)| {
            let octets = (0..kept).map(|at| (at * 7 + n) as u8).collect();
            let len = if kept < 60 || kept > 100 && kept < 1000 { 1400 } else { kept as u32 };
            (1_700_000_000_000_000 + n as u64 * 250_001, len, octets)
        })
        .collect()
}

/// A field of a capture in the octet order of choice.
pub struct Order(pub bool);

impl Order {
    pub fn u32(&self, value: u32) -> [u8; 4] {
        if self.0 { value.to_be_bytes() } else { value.to_le_bytes() }
    }

    pub fn u16(&self, value: u16) -> [u8; 2] {
        if self.0 { value.to_be_bytes() } else { value.to_le_bytes() }
    }
}

/// A classic capture.
pub fn pcap(frames: &[Seen], big_endian: bool, nanoseconds: bool, link: u32) -> Vec<u8> {
    let order = Order(big_endian);
    let mut out = order.u32(if nanoseconds { 0xa1b2_3c4d } else { 0xa1b2_c3d4 }).to_vec();
    out.extend(order.u16(2));
    out.extend(order.u16(4));
    out.extend([0; 8]);
    out.extend(order.u32(65535));
    out.extend(order.u32(link));
    for (at, len, octets) in frames {
        let part = (at % 1_000_000) as u32 * if nanoseconds { 1000 } else { 1 };
        for field in [(at / 1_000_000) as u32, part, octets.len() as u32, *len] {
            out.extend(order.u32(field));
        }
        out.extend(octets);
    }
    out
}

/// One block of a pcapng capture.
pub fn block(order: &Order, kind: u32, body: &[u8]) -> Vec<u8> {
    let padded = body.len().next_multiple_of(4);
    let mut out = order.u32(kind).to_vec();
    out.extend(order.u32(padded as u32 + 12));
    out.extend(body);
    out.resize(8 + padded, 0);
    out.extend(order.u32(padded as u32 + 12));
    out
}

/// The header of a section.
pub fn section(order: &Order) -> Vec<u8> {
    let mut body = order.u32(0x1a2b_3c4d).to_vec();
    body.extend(order.u16(1));
    body.extend(order.u16(0));
    body.extend([0xff; 8]);
    block(order, 0x0a0d_0d0a, &body)
}

/// The description of an interface whose times are powers of ten.
pub fn interface(order: &Order, link: u16, snap: u32, resolution: u8) -> Vec<u8> {
    let mut body = order.u16(link).to_vec();
    body.extend([0; 2]);
    body.extend(order.u32(snap));
    // A name first (option 2, padded), then the resolution (option 9), then the end of options.
    body.extend([order.u16(2), order.u16(3)].concat());
    body.extend(*b"lan\0");
    body.extend([order.u16(9), order.u16(1)].concat());
    body.extend([resolution, 0, 0, 0, 0, 0, 0, 0]);
    block(order, 1, &body)
}

/// An enhanced packet block.
pub fn enhanced(order: &Order, interface: u32, ticks: u64, len: u32, octets: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    for field in [interface, (ticks >> 32) as u32, ticks as u32, octets.len() as u32, len] {
        body.extend(order.u32(field));
    }
    body.extend(octets);
    block(order, 6, &body)
}

/// A pcapng capture of one section whose interface 1 (of two) holds the frames.
pub fn pcapng(frames: &[Seen], big_endian: bool, resolution: u8) -> Vec<u8> {
    let order = Order(big_endian);
    let mut out = section(&order);
    out.extend(interface(&order, 127, 0, 6));
    out.extend(interface(&order, 1, 0, resolution));
    for (at, len, octets) in frames {
        let ticks = at * 10_u64.pow(u32::from(resolution) - 6);
        out.extend(enhanced(&order, 1, ticks, *len, octets));
        // A block of statistics, which nobody reads.
        out.extend(block(&order, 5, &[0; 12]));
    }
    out
}

/// A file with these octets in the test's own folder.
pub fn file(dir: &Path, name: &str, octets: &[u8]) -> PathBuf {
    let path = dir.join(name);
    std::fs::write(&path, octets).expect("a temporary file can be written");
    path
}

/// Everything that a capture gives, and whether it was truncated.
pub fn read(path: &Path) -> (Vec<Seen>, bool) {
    let mut file = CaptureFile::open(path).expect("the capture opens");
    let mut seen = Vec::new();
    while let Some(frame) = file.next() {
        seen.push((frame.at.micros(), frame.len, frame.octets.to_vec()));
    }
    (seen, file.truncated())
}
