//! Who sends logs, how fast it may, and what became of its lines.

use std::collections::BTreeMap;
use std::net::IpAddr;

use intake::{Proof, Refusal};
use protocol::intake::SourceView;
use terms::{Span, Timestamp};

/// Addresses that are told apart; anybody can forge the sender of a datagram.
const SOURCES_MAX: usize = 256;
/// An address that was silent for so long gives its place away.
const SILENT: Span = Span::from_secs(3_600);
/// Lines a second that a source may send for as long as it likes.
const RATE: u64 = 5_000;
/// Lines that it may send at once.
const BURST: u64 = 20_000;

/// How a line comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Transport {
    /// As a datagram.
    Udp,
    /// Over a connection.
    Tcp,
    /// Over a connection that is sealed.
    Tls,
}

/// One source.
#[derive(Clone, Debug, Default)]
pub struct Source {
    udp: bool,
    tcp: bool,
    tls: bool,
    https: bool,
    connections: u32,
    received: u64,
    octets: u64,
    stored: u64,
    dropped: [u64; Refusal::ALL.len()],
    refused: u64,
    first: Timestamp,
    last: Timestamp,
    /// Lines that it may send now, in millionths.
    allowance: u64,
}

impl Source {
    /// Takes one line off what it may send, which grew since it was heard before.
    fn spend(&mut self, before: Timestamp, at: Timestamp) -> bool {
        // Of one that is new here the time before is the epoch: it begins with a whole burst.
        let grown = at.since(before).micros().saturating_mul(RATE);
        self.allowance = self.allowance.saturating_add(grown).min(BURST * 1_000_000);
        let may = self.allowance >= 1_000_000;
        self.allowance -= if may { 1_000_000 } else { 0 };
        may
    }

    /// Records of an enrolled source came.
    pub fn came_by_https(&mut self, records: usize, octets: usize, at: Timestamp) {
        self.https = true;
        self.received += records as u64;
        self.octets += octets as u64;
        if self.first == Timestamp::EPOCH {
            self.first = at;
        }
    }

    /// Takes one record off what an enrolled source may send. `false` if it may not send one now.
    pub fn pass(&mut self, at: Timestamp) -> bool {
        let before = self.last;
        self.last = self.last.max(at);
        self.spend(before, at)
    }

    /// So many of its records are stored.
    pub fn stored_more(&mut self, records: usize) {
        self.stored += records as u64;
    }

    /// So many of its records are not, for a reason.
    pub fn refuse(&mut self, why: Refusal, records: u64) {
        count(self, why, records);
    }
}

/// Every source, those beyond the bound as one, and the kernel.
#[derive(Debug, Default)]
pub struct Sources {
    known: BTreeMap<IpAddr, Source>,
    others: Source,
    kernel: Source,
}

impl Sources {
    /// A line came.
    pub fn came(&mut self, from: IpAddr, by: Transport, octets: usize, at: Timestamp) {
        let source = self.of(from, by, at);
        source.received += 1;
        source.octets += octets as u64;
    }

    /// Takes one line off what a source may send. `false` if it may not send one now.
    pub fn pass(&mut self, from: IpAddr, by: Transport, at: Timestamp) -> bool {
        let before = self.known.get(&from).unwrap_or(&self.others).last;
        self.of(from, by, at).spend(before, at)
    }

    /// A line that came is not stored.
    pub fn dropped(&mut self, from: IpAddr, by: Transport, why: Refusal, at: Timestamp) {
        let source = self.of(from, by, at);
        count(source, why, 1);
    }

    /// A line reached the log, or the log took none.
    pub fn stored(&mut self, from: IpAddr, by: Transport, done: bool) {
        let at = self.known.get(&from).map_or(Timestamp::EPOCH, |source| source.last);
        let source = self.of(from, by, at);
        if done {
            source.stored += 1;
        } else {
            count(source, Refusal::Store, 1);
        }
    }

    /// The kernel dropped datagrams before anybody could tell whose they were.
    pub fn kernel_dropped(&mut self, lines: u64, at: Timestamp) {
        self.kernel.udp = true;
        self.kernel.received += lines;
        touch(&mut self.kernel, at);
        count(&mut self.kernel, Refusal::Kernel, lines);
    }

    /// A connection begins; `false` where this address has too many.
    pub fn connected(&mut self, from: IpAddr, by: Transport, most: u32, at: Timestamp) -> bool {
        let source = self.of(from, by, at);
        let may = source.connections < most;
        if may {
            source.connections += 1;
        } else {
            source.refused += 1;
        }
        may
    }

    /// A connection is refused: there are too many of all addresses, or it does not shake hands.
    pub fn refused(&mut self, from: IpAddr, by: Transport, at: Timestamp) {
        self.of(from, by, at).refused += 1;
    }

    /// A connection ended.
    pub fn disconnected(&mut self, from: IpAddr, by: Transport, at: Timestamp) {
        let source = self.of(from, by, at);
        source.connections = source.connections.saturating_sub(1);
    }

    /// All of them, for those who ask.
    pub fn views(&self) -> Vec<SourceView> {
        let known = self.known.iter().map(|(address, source)| view_of(address.to_string(), source));
        let rest = [("others", &self.others), ("kernel", &self.kernel)];
        let rest = rest.into_iter().filter(|(_, source)| source.received > 0);
        known.chain(rest.map(|(name, source)| view_of(name.into(), source))).collect()
    }

    fn of(&mut self, from: IpAddr, by: Transport, at: Timestamp) -> &mut Source {
        if !self.known.contains_key(&from) && self.known.len() >= SOURCES_MAX {
            self.make_room(at);
        }
        let source = if self.known.contains_key(&from) || self.known.len() < SOURCES_MAX {
            self.known.entry(from).or_default()
        } else {
            &mut self.others
        };
        match by {
            Transport::Udp => source.udp = true,
            Transport::Tcp => source.tcp = true,
            Transport::Tls => source.tls = true,
        }
        touch(source, at);
        source
    }

    /// Lets the address go that was silent the longest, if that is long enough; what was counted of it stays counted.
    fn make_room(&mut self, at: Timestamp) {
        let idle = self.known.iter().filter(|(_, source)| source.connections == 0 && at.since(source.last) > SILENT);
        let Some(address) = idle.min_by_key(|(_, source)| source.last).map(|(address, _)| *address) else { return };
        let Some(gone) = self.known.remove(&address) else { return };
        let others = &mut self.others;
        others.received += gone.received;
        others.octets += gone.octets;
        others.stored += gone.stored;
        others.refused += gone.refused;
        others.dropped.iter_mut().zip(gone.dropped).for_each(|(sum, more)| *sum += more);
        (others.udp, others.tcp) = (others.udp | gone.udp, others.tcp | gone.tcp);
        others.tls |= gone.tls;
        touch(others, gone.last);
    }
}

fn touch(source: &mut Source, at: Timestamp) {
    if source.first == Timestamp::EPOCH {
        source.first = at;
    }
    source.last = source.last.max(at);
}

fn count(source: &mut Source, why: Refusal, lines: u64) {
    if let Some(place) = Refusal::ALL.iter().position(|reason| *reason == why) {
        source.dropped[place] += lines;
    }
}

/// What is told of a source.
pub fn view_of(name: String, source: &Source) -> SourceView {
    let reasons = Refusal::ALL.iter().zip(source.dropped).filter(|(_, count)| *count > 0);
    SourceView {
        source: name,
        transports: [("udp", source.udp), ("tcp", source.tcp), ("tls", source.tls), ("https", source.https)]
            .into_iter()
            .filter(|(_, used)| *used)
            .map(|(name, _)| name.to_owned())
            .collect(),
        proof: Proof::Unproven.as_str().into(),
        connections: source.connections,
        received: source.received,
        octets: source.octets,
        stored: source.stored,
        dropped: source.dropped.iter().sum(),
        dropped_for: reasons.map(|(why, count)| (why.as_str().to_owned(), count)).collect(),
        refused: source.refused,
        first_seen: source.first.as_secs_f64(),
        last_seen: source.last.as_secs_f64(),
        ..SourceView::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(n: u32) -> IpAddr {
        std::net::Ipv4Addr::from(n).into()
    }

    #[test]
    fn a_million_forged_senders_take_no_more_places_and_all_are_counted() {
        let mut sources = Sources::default();
        for n in 1..=1_000_000 {
            sources.came(address(n), Transport::Udp, 10, Timestamp::from_secs(100));
        }
        let views = sources.views();
        assert_eq!((views.len(), views.iter().map(|view| view.received).sum::<u64>()), (SOURCES_MAX + 1, 1_000_000));
        // An hour later another one finds a place, and nothing that was counted is lost.
        sources.came(address(0xffff_ffff), Transport::Tcp, 1, Timestamp::from_secs(5_000));
        let views = sources.views();
        assert!(views.iter().any(|view| view.source == "255.255.255.255"));
        assert_eq!(views.iter().map(|view| view.received).sum::<u64>(), 1_000_001);
    }

    #[test]
    fn a_source_may_send_a_burst_and_then_its_rate() {
        let mut sources = Sources::default();
        let at = |millis: u64| Timestamp::from_micros(1_000_000_000_000 + millis * 1_000);
        let count = |sources: &mut Sources, millis| {
            (0_u32..).take_while(|_| sources.pass(address(1), Transport::Udp, at(millis))).count()
        };
        assert_eq!(count(&mut sources, 0), 20_000);
        assert_eq!(count(&mut sources, 100), 500);
        assert_eq!(count(&mut sources, 90), 0, "a clock that goes back gives nothing");
        assert_eq!(count(&mut sources, 100_000), 20_000);
    }

    #[test]
    fn what_is_dropped_is_told_by_reason() {
        let mut sources = Sources::default();
        let at = Timestamp::from_secs(9);
        sources.came(address(1), Transport::Tcp, 10, at);
        sources.dropped(address(1), Transport::Tcp, Refusal::TooLong, at);
        sources.came(address(1), Transport::Tcp, 10, at);
        sources.stored(address(1), Transport::Tcp, true);
        sources.kernel_dropped(7, at);
        let views = sources.views();
        assert_eq!((views[0].received, views[0].stored, views[0].dropped), (2, 1, 1));
        assert_eq!(views[0].dropped_for["too long"], 1);
        assert_eq!((views[1].source.as_str(), views[1].dropped), ("kernel", 7));
    }
}
