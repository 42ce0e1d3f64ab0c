//! A link or a capture file to frames.
//!
//! Whoever wants frames opens a [`CaptureFile`] (pcap or pcapng, plain, gzip or zstd, a file or standard input) and reads
//! borrowed [`Frame`]s with the time, the length on the wire and the octets that were kept.
//!
//! Refused: files that are not captures, each with one line that names the file. A capture that was cut short is no error:
//! it gives what it holds and says that it was truncated. Memory is bounded whatever the input says of itself.
//!
//! Called by `picket` (live and replay), `models` (training) and the tests. Unsafe code stands in the ring and the sockets only.

mod file;
mod frame;
mod link;
mod live;
mod writer;

pub use file::{CaptureFile, OpenError, Skipped};
pub use frame::Frame;
pub use link::{
    BridgeReport, LinkError, LinkState, OwnAddresses, Setting, ensure_bridge, link_state, list, own_addresses,
};
pub use live::{LinkGone, MOST_TAPS, Plain, Ring, RingCounters, Tap, TapError, wait};
pub use writer::PcapWriter;
