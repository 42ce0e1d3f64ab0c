//! A link or a capture file to frames.
//!
//! Whoever wants frames opens a [`CaptureFile`] (pcap or pcapng, plain, gzip or zstd, a file or standard input) or a
//! [`Tap`] on a live link (a ring shared with the kernel; pnet where the kernel grants none) and is lent [`Frame`]s: the time,
//! the side, the length on the wire and the octets that were kept. [`Answers`] lends what DNS servers say where that is longer. [`ensure_bridge`] makes the bridge whose links are read,
//! and [`PcapWriter`] writes frames down again. [`Frame::snapped`] keeps of a frame from a file what a ring would have kept.
//!
//! Refused: files that are not captures, links that are missing or taken, each with one line that names them. A capture cut
//! short is no error: it gives what it holds and says that it was truncated. Memory is bounded whatever the input says of
//! itself.
//!
//! Called by `picket` (live and replay), `models` (training) and the tests. Unsafe code stands in `live` and in the netlink
//! socket only: [`ring memory`](Ring), socket options, `poll`.

mod file;
mod frame;
mod link;
mod live;
mod snap;
mod writer;

pub use file::{CaptureFile, OpenError, Skipped};
pub use frame::Frame;
pub use link::{
    BridgeReport, LinkError, LinkState, OwnAddresses, Setting, ensure_bridge, give_address, link_state, list,
    look_at_bridge, make_cable, own_addresses, set_router, take_address,
};
pub use live::{Answers, LinkGone, MOST_TAPS, Plain, Ring, RingCounters, Tap, TapError, drain_in_order, wait};
pub use snap::{DEEP, HEAD};
pub use writer::PcapWriter;
