//! A host's counters over three horizons: ten seconds, one minute, ten minutes.
//!
//! **Shape**: six buckets of 10 s, each folded into one of ten buckets of 60 s when it closes. Buckets begin at multiples of their
//! length since the epoch, so that a capture gives the same vectors live, replayed, and a year later.

use terms::Timestamp;

/// Length of a short bucket in microseconds.
const SHORT: u64 = 10_000_000;
const SHORTS: usize = 6;
const LONGS: usize = 10;

macro_rules! tallies {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// What is counted of a host: first what nearly every frame adds to, then what is remembered for ten minutes, then the rest.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(usize)]
        pub enum Tally { $($(#[$doc])* $name,)* }
        /// How many tallies there are.
        pub const TALLIES: usize = [$(Tally::$name),*].len();
    };
}

tallies! {
    /// Frames received.
    FramesIn,
    /// Octets sent.
    OctetsOut,
    /// Octets received.
    OctetsIn,
    /// TCP segments sent.
    TcpOut,
    /// UDP datagrams sent.
    UdpOut,
    /// Frames sent to groups.
    GroupOut,
    /// Frames sent of fewer than 100 octets.
    SmallOut,
    /// Frames sent.
    FramesOut,
    /// Conversations asked for.
    Asks,
    /// Of them refused.
    Refused,
    /// Of them silent for a second.
    Silent,
    /// Conversations asked of servers on the internet that no answer from DNS named.
    Unnamed,
    /// Failed log-ins at others.
    LoginsFailed,
    /// DNS answers received that say the name does not exist.
    NoSuchName,
    /// ARP claims that contradict a living owner.
    Claims,
    /// Gaps between questions to one target that could be compared with the gap before.
    Gaps,
    /// How equal they were to the one before, in hundredths, summed.
    EqualGaps,
    /// Signs of an infection given.
    Signs,
    /// ICMP messages sent.
    IcmpOut,
    /// ARP packets sent.
    ArpOut,
    /// TCP segments sent with SYN and without ACK.
    SynOut,
    /// TCP segments sent with RST.
    RstOut,
    /// TCP segments received with RST.
    RstIn,
    /// Of them accepted.
    Accepted,
    /// Conversations that others asked this host for.
    AskedOf,
    /// Asks of targets that were not among the remembered peers.
    NewPeers,
    /// DNS queries sent.
    DnsOut,
    /// Octets of the names asked for.
    NameOctets,
    /// Hundredths of a bit of entropy of the names asked for, summed over the queries.
    NameEntropy,
    /// TCP conversations that others asked this host for.
    SynIn,
    /// Of them those whose handshake was completed.
    CompletedIn,
    /// Conversations that others asked this host for and that it refused or left silent.
    FailedIn,
}

/// An estimate of how many different values were seen.
///
/// **Bounds**: linear counting over 128 bits; good to about 300, then it saturates at 621.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sketch(u128);

/// The tallies that are remembered for ten minutes.
const LASTING: core::ops::Range<usize> = Tally::FramesOut as usize..Tally::Signs as usize + 1;

/// The counters of one stretch of time.
///
/// **Shape**: in the order written; what every frame adds to comes first.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Counters {
    /// Sum of squared frame sizes sent, octets squared.
    pub(crate) squares: u64,
    tallies: [u32; TALLIES],
    /// Targets asked.
    pub(crate) targets: Sketch,
    /// Ports asked.
    pub(crate) ports: Sketch,
    /// Hosts that asked this one.
    pub(crate) sources: Sketch,
}

/// What is remembered for ten minutes of the counters of one stretch of time: less than half of them.
#[derive(Clone, Copy, Debug, Default)]
pub struct Lasting {
    tallies: [u32; LASTING.end - LASTING.start],
    /// Targets asked.
    pub(crate) targets: Sketch,
    /// Ports asked.
    pub(crate) ports: Sketch,
}

/// The ring of buckets.
///
/// **Shape**: in the order written; the number of the newest bucket lies beside what the owner of the window touches first.
#[derive(Clone, Debug)]
#[repr(C)]
pub struct Window {
    /// Number of the newest short bucket since the epoch.
    newest: u64,
    /// Where it stands.
    open: usize,
    /// Which buckets were counted in, a bit each, the long ones behind the short ones: in the others stands what was counted for others.
    used: u32,
    shorts: [Counters; SHORTS],
    longs: [Lasting; LONGS],
}

/// The three horizons, summed at one moment.
#[derive(Clone, Copy, Debug)]
pub struct Horizons {
    /// The current bucket of ten seconds and the one before.
    pub short: Counters,
    /// The last minute.
    pub middle: Counters,
    /// The last ten minutes.
    pub long: Lasting,
}

impl Sketch {
    /// Adds a value by its hash.
    pub fn add(&mut self, hash: u64) {
        self.0 |= 1 << (hash >> 57);
    }

    /// How many different values, estimated.
    #[must_use]
    pub fn estimate(self) -> f32 {
        let empty = self.0.count_zeros();
        if empty == 0 { 621.0 } else { 128.0 * libm::logf(128.0 / lossless(empty)) }
    }
}

impl Default for Counters {
    fn default() -> Self {
        let none = Sketch(0);
        Self { tallies: [0; TALLIES], squares: 0, targets: none, ports: none, sources: none }
    }
}

impl Counters {
    /// Adds to a tally; it saturates rather than wraps.
    pub fn add(&mut self, tally: Tally, n: u32) {
        let slot = &mut self.tallies[tally as usize];
        *slot = slot.saturating_add(n);
    }

    /// How many.
    #[must_use]
    pub fn get(&self, tally: Tally) -> f32 {
        lossless(self.tallies[tally as usize])
    }

    /// One tally for each of another, `empty` where there is none of the other.
    #[must_use]
    pub fn share(&self, part: Tally, whole: Tally, empty: f32) -> f32 {
        share(self.get(part), self.get(whole), empty)
    }

    fn merge(&mut self, other: &Self) {
        add(&mut self.tallies, &other.tallies);
        self.squares = self.squares.saturating_add(other.squares);
        self.targets.0 |= other.targets.0;
        self.ports.0 |= other.ports.0;
        self.sources.0 |= other.sources.0;
    }
}

impl Lasting {
    /// How many.
    ///
    /// # Panics
    /// Of a tally that is not remembered for so long, which no feature asks for.
    #[must_use]
    pub fn get(&self, tally: Tally) -> f32 {
        lossless(self.tallies[tally as usize - LASTING.start])
    }

    /// One tally for each of another, `empty` where there is none of the other.
    #[must_use]
    pub fn share(&self, part: Tally, whole: Tally, empty: f32) -> f32 {
        share(self.get(part), self.get(whole), empty)
    }

    fn merge(&mut self, other: &Self) {
        add(&mut self.tallies, &other.tallies);
        self.targets.0 |= other.targets.0;
        self.ports.0 |= other.ports.0;
    }
}

impl From<&Counters> for Lasting {
    fn from(counters: &Counters) -> Self {
        let mut tallies = [0; LASTING.end - LASTING.start];
        tallies.copy_from_slice(&counters.tallies[LASTING]);
        Self { tallies, targets: counters.targets, ports: counters.ports }
    }
}

impl Default for Window {
    fn default() -> Self {
        Self { shorts: [Counters::default(); SHORTS], longs: [Lasting::default(); LONGS], newest: 0, open: 0, used: 1 }
    }
}

impl Window {
    /// Forgets all.
    pub(crate) fn clear(&mut self) {
        (self.newest, self.open, self.used) = (0, 0, 1);
        self.shorts[0] = Counters::default();
    }

    /// The bucket that is open at this time.
    #[inline]
    pub fn open(&mut self, at: Timestamp) -> &mut Counters {
        let now = at.micros() / SHORT;
        if now > self.newest {
            self.turn(now);
        }
        &mut self.shorts[self.open]
    }

    /// The three horizons that end now.
    #[must_use]
    pub fn read(&mut self, at: Timestamp) -> Horizons {
        self.open(at);
        let mut short = self.shorts[self.open];
        let (mut middle, mut long) = (Counters::default(), Lasting::from(&short));
        let used = |n: usize| self.used >> n & 1 == 1;
        let before = place(self.newest.wrapping_sub(1), SHORTS);
        if used(before) {
            short.merge(&self.shorts[before]);
        }
        let (shorts, longs) = (self.shorts.iter().enumerate(), self.longs.iter().enumerate());
        shorts.filter(|(n, _)| used(*n)).for_each(|(_, c)| middle.merge(c));
        longs.filter(|(n, _)| used(SHORTS + n)).for_each(|(_, c)| long.merge(c));
        Horizons { short, middle, long }
    }

    /// Closes buckets up to `now`: each goes into its minute, and what is older than the ring is forgotten.
    fn turn(&mut self, now: u64) {
        let minute = |bucket: u64| bucket / SHORTS as u64;
        let long = place(minute(self.newest), LONGS);
        let (closed, bit) = (Lasting::from(&self.shorts[self.open]), 1 << (SHORTS + long));
        if self.used & bit == 0 {
            self.longs[long] = closed;
        } else {
            self.longs[long].merge(&closed);
        }
        self.used |= bit;
        for bucket in (self.newest + 1..=now).rev().take(SHORTS) {
            self.used &= !(1 << place(bucket, SHORTS));
        }
        for m in (minute(self.newest) + 1..=minute(now)).rev().take(LONGS) {
            self.used &= !(1 << (SHORTS + place(m, LONGS)));
        }
        self.newest = now;
        self.open = place(now, SHORTS);
        self.used |= 1 << self.open;
        self.shorts[self.open] = Counters::default();
    }
}

#[allow(clippy::cast_possible_truncation, reason = "a remainder of a small number")]
fn place(bucket: u64, buckets: usize) -> usize {
    (bucket % buckets as u64) as usize
}

fn share(part: f32, whole: f32, empty: f32) -> f32 {
    if whole > 0.0 { part / whole } else { empty }
}

/// Adds counts to counts; they saturate rather than wrap.
fn add(counts: &mut [u32], more: &[u32]) {
    for (mine, theirs) in counts.iter_mut().zip(more) {
        *mine = mine.saturating_add(*theirs);
    }
}

/// A count as a float; counts above 2^24 lose their last digits, alike on every machine.
#[allow(clippy::cast_precision_loss, reason = "rounding is the same everywhere")]
pub(crate) fn lossless(n: u32) -> f32 {
    n as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_horizon_forgets_in_its_own_time() {
        let mut window = Window::default();
        window.open(Timestamp::from_secs(600)).add(Tally::FramesOut, 7);
        let seen = |w: &mut Window, s| {
            let h = w.read(Timestamp::from_secs(s));
            [h.short.get(Tally::FramesOut), h.middle.get(Tally::FramesOut), h.long.get(Tally::FramesOut)]
                .map(|n| n as u32)
        };
        assert_eq!(seen(&mut window, 605), [7, 7, 7]);
        assert_eq!(seen(&mut window, 619), [7, 7, 7]);
        assert_eq!(seen(&mut window, 625), [0, 7, 7]);
        assert_eq!(seen(&mut window, 665), [0, 0, 7]);
        assert_eq!(seen(&mut window, 1_199), [0, 0, 7]);
        assert_eq!(seen(&mut window, 1_205), [0, 0, 0]);
    }

    #[test]
    fn the_estimate_is_near_the_truth() {
        let key = crate::hash::HashKey::FIXED;
        let mut sketch = Sketch::default();
        for n in 0..100_u32 {
            sketch.add(key.octets(&n.to_be_bytes()));
        }
        assert!((75.0..135.0).contains(&sketch.estimate()), "{}", sketch.estimate());
    }
}
