//! Live links: frames as they come in, from a ring shared with the kernel or, where that fails, one system call a frame.

mod answers;
mod filter;
mod memory;
mod pace;
mod plain;
mod ring;
mod socket;

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use terms::{Side, Timestamp};
use thiserror::Error;
use wire::LinkType;

use crate::Frame;
pub use answers::Answers;
pub use plain::Plain;
pub use ring::Ring;

/// The most links that can be waited for at once.
pub const MOST_TAPS: usize = 8;

/// One link that is being read, by the best means that the kernel grants.
pub enum Tap {
    /// Frames lie in memory shared with the kernel.
    Ring(Ring),
    /// Each frame costs a system call, and bursts are lost sooner.
    Plain(Plain),
}

/// What came in on a link since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RingCounters {
    /// Frames that the kernel handed over.
    pub frames: u64,
    /// Frames that the kernel saw but had no room for.
    pub dropped: u64,
}

/// A link could not be opened. Its text names the link.
#[derive(Debug, Error)]
pub enum TapError {
    /// There is no such link.
    #[error("link {0} does not exist")]
    Missing(String),
    /// The kernel refused one step of the way.
    #[error("link {link}: {step}: {cause}")]
    Refused {
        /// The link.
        link: String,
        /// What was asked for.
        step: &'static str,
        /// What the kernel answered.
        cause: io::Error,
    },
}

/// The link was removed; whoever reads it opens it anew when it is back.
#[derive(Debug, Error)]
#[error("link {link} is gone")]
pub struct LinkGone {
    /// The link.
    pub link: String,
}

impl Tap {
    /// Opens a link: as a [`Ring`], or as [`Plain`] where the kernel refuses the ring.
    ///
    /// `snap` octets are kept of every frame, more of those that are read deeper. `frames` is how many the ring holds.
    ///
    /// # Errors
    /// The link does not exist, or packet sockets are not allowed.
    pub fn open(link: &str, side: Side, snap: u32, frames: u32) -> Result<Self, TapError> {
        match Ring::open(link, side, snap, frames) {
            Ok(ring) => Ok(Self::Ring(ring)),
            Err(missing @ TapError::Missing(_)) => Err(missing),
            // If this fails too, what the ring lacked tells more.
            Err(refused) => Plain::open(link, side).map(Self::Plain).map_err(|_| refused),
        }
    }

    /// Lends at most `max` of the frames that have come in, oldest first, and says how many.
    ///
    /// # Errors
    /// The link was removed and everything that came in before was read.
    pub fn drain(&mut self, max: usize, each: &mut dyn FnMut(Frame<'_>)) -> Result<usize, LinkGone> {
        match self {
            Self::Ring(ring) => ring.drain(max, each),
            Self::Plain(plain) => plain.drain(max, each),
        }
    }

    /// When the oldest frame that was not lent yet came in; nothing where there is none, or where only reading would tell.
    fn oldest(&self) -> Option<Timestamp> {
        match self {
            Self::Ring(ring) => ring.oldest(),
            Self::Plain(_) => None,
        }
    }

    /// What came in since the link was opened.
    pub fn counters(&mut self) -> RingCounters {
        match self {
            Self::Ring(ring) => ring.counters(),
            Self::Plain(plain) => plain.counters(),
        }
    }

    /// How the link is read, for people: `ring` or `plain`.
    #[must_use]
    pub fn means(&self) -> &'static str {
        match self {
            Self::Ring(_) => "ring",
            Self::Plain(_) => "plain",
        }
    }

    fn socket(&mut self) -> &mut socket::PacketSocket {
        match self {
            Self::Ring(ring) => ring.socket(),
            Self::Plain(plain) => plain.socket(),
        }
    }
}

impl AsFd for Tap {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Ring(ring) => ring.as_fd(),
            Self::Plain(plain) => plain.as_fd(),
        }
    }
}

/// Lends at most `max` frames of several links in the order of their times, and says how many.
///
/// A question on one side and its answer on the other are told in that order: a frame is lent only after a second look at every
/// link, by which time all that came in before it lies ready. Links without a ring come after the others.
///
/// # Errors
/// One of the links was removed.
pub fn drain_in_order(taps: &mut [Tap], max: usize, each: &mut dyn FnMut(Frame<'_>)) -> Result<usize, LinkGone> {
    let earliest = |taps: &[Tap]| {
        let ready = taps.iter().enumerate().filter_map(|(n, tap)| Some((tap.oldest()?, n)));
        ready.min().map(|(_, n)| n)
    };
    let mut lent = 0;
    while lent < max {
        let Some(next) = earliest(taps).and_then(|_| earliest(taps)) else { break };
        lent += taps[next].drain(1, each)?;
    }
    let quiet = lent == 0;
    for tap in taps {
        match tap {
            Tap::Plain(plain) => lent += plain.drain(max.saturating_sub(lent).min(64), each)?,
            Tap::Ring(ring) if quiet => ring.socket().check(false)?,
            Tap::Ring(_) => {}
        }
    }
    Ok(lent)
}

/// Waits until a frame lies ready on one of the links, or until the time is over; says whether one does.
///
/// A busy link is left alone for up to a millisecond before it is looked at, one that carries bulk for up to three, so that its
/// frames are read in batches.
///
/// **Bounds**: at most [`MOST_TAPS`] links, further ones are not waited for. The timeout is at most a minute, to the
/// millisecond, and at least one millisecond unless it is zero.
///
/// # Errors
/// One of the links was removed.
pub fn wait(taps: &mut [Tap], timeout: Duration) -> Result<bool, LinkGone> {
    let now = Instant::now();
    let pause = taps.iter_mut().map(|tap| tap.socket().pace.pause(now)).max().unwrap_or_default();
    if pause > Duration::ZERO {
        std::thread::sleep(pause.min(timeout));
        // What lies in a ring is seen without asking the kernel, which costs a busy link more than reading it.
        let (now, mut ready) = (Instant::now(), false);
        for tap in taps.iter_mut().filter(|tap| tap.oldest().is_some()) {
            tap.socket().pace.woke(now);
            ready = true;
        }
        if ready {
            return Ok(true);
        }
    }
    let mut asked = [libc::pollfd { fd: -1, events: libc::POLLIN, revents: 0 }; MOST_TAPS];
    for (entry, tap) in asked.iter_mut().zip(&*taps) {
        entry.fd = tap.as_fd().as_raw_fd();
    }
    let left = timeout.saturating_sub(pause);
    let millis = left.as_micros().div_ceil(1000).min(60_000) as libc::c_int;
    // SAFETY: `asked` is a live array of as many entries as are told, and poll writes `revents` within it only; it
    // passes by the entries whose descriptor is -1.
    unsafe { libc::poll(asked.as_mut_ptr(), asked.len() as libc::nfds_t, millis) };
    let (now, mut ready) = (Instant::now(), false);
    for (tap, answer) in taps.iter_mut().zip(&asked) {
        let socket = tap.socket();
        if answer.revents & libc::POLLIN == 0 {
            socket.check(answer.revents & libc::POLLERR != 0)?;
        } else {
            socket.pace.woke(now);
            ready = true;
        }
    }
    Ok(ready)
}

/// A frame that was just read by a means that does not tell when it came in.
fn read_now(side: Side, octets: &[u8]) -> Frame<'_> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let at = Timestamp::from_micros(u64::try_from(now.as_micros()).unwrap_or(u64::MAX));
    let len = u32::try_from(octets.len()).unwrap_or(u32::MAX);
    Frame { at, side, link: LinkType::Ethernet, len, vlan: None, octets }
}
