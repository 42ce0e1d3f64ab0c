//! What the policy denied to devices: one service again and again, and many services of the network.
//!
//! A denied attempt is no attack. A program that is cut off tries on for years, so a device is told once of each kind, and again only
//! after a week without; and all that is denied weighs as one small thing, which never makes a device High by itself.
//!
//! **Bounds**: [`DEVICES`] devices, the one that was denied something longest ago makes room; of each the last [`SERVICES`] services.

extern crate alloc;
use alloc::vec::Vec;

use terms::{HostKey, MacAddr, Span, Timestamp};

use crate::rules::Rule;
use crate::thresholds::Thresholds;

/// Devices of whose attempts something is remembered.
const DEVICES: usize = 256;
/// Services that are remembered of each.
const SERVICES: usize = 32;
/// How long attempts count.
const HORIZON: Span = Span::from_secs(3_600);
/// Packets that come sooner after the last attempt are its repetitions.
const SPACING: Span = Span::from_secs(10);
/// How long a device must keep below a threshold before it is told of again.
const AGAIN: Span = Span::from_secs(7 * 86_400);

/// A conversation that a device tried to begin and the policy denied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Denied {
    /// The device's hardware address.
    pub mac: MacAddr,
    /// Its address.
    pub host: HostKey,
    /// With whom.
    pub target: HostKey,
    /// The protocol's number.
    pub protocol: u8,
    /// The port of the other end; 0 where the protocol has none.
    pub port: u16,
}

/// What one attempt too many adds up to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooMany {
    pub rule: Rule,
    /// How many of what the rule counts.
    pub count: u16,
    /// Above how many.
    pub threshold: u16,
}

/// The devices to which something was denied lately.
pub(crate) struct DeniedTable(Vec<Device>);

struct Device {
    key: HostKey,
    last: Timestamp,
    services: heapless::Vec<Service, SERVICES>,
    /// When it was last above each threshold; the epoch where it never was.
    above: [Timestamp; 2],
}

/// A service, and how often it was tried.
#[derive(Clone, Copy)]
struct Service {
    what: What,
    /// Since when attempts are counted.
    first: Timestamp,
    last: Timestamp,
    attempts: u16,
}

/// A service of one host of the network, or of the internet as a whole: a cloud has many addresses.
#[derive(Clone, Copy, PartialEq, Eq)]
struct What {
    target: Option<HostKey>,
    protocol: u8,
    port: u16,
}

impl DeniedTable {
    /// Nothing was denied; the memory is reserved.
    pub(crate) fn new() -> Self {
        Self(Vec::with_capacity(DEVICES))
    }

    /// Counts an attempt of a device; tells what it is the first too many of.
    pub(crate) fn count(
        &mut self,
        key: HostKey,
        denied: &Denied,
        t: &Thresholds,
        now: Timestamp,
    ) -> heapless::Vec<TooMany, 2> {
        let place = self.0.iter().position(|device| device.key == key).unwrap_or_else(|| self.make_room(key));
        let Some(device) = self.0.get_mut(place) else { return heapless::Vec::new() };
        device.last = now;
        let Some(attempts) = device.attempt(What::of(denied), now) else { return heapless::Vec::new() };
        let counts = [
            (Rule::DeniedAgain, attempts, t.denied_attempts_per_hour),
            (Rule::DeniedServices, device.services_of_the_network(now), t.denied_services_per_hour),
        ];
        let too_many = counts.iter().zip(&mut device.above).filter_map(|(&(rule, count, threshold), above)| {
            let told = *above > Timestamp::EPOCH && now.since(*above) < AGAIN;
            if count <= threshold {
                return None;
            }
            *above = now;
            (!told).then_some(TooMany { rule, count, threshold })
        });
        too_many.collect()
    }

    /// A place for another device.
    fn make_room(&mut self, key: HostKey) -> usize {
        let device =
            Device { key, last: Timestamp::EPOCH, services: heapless::Vec::new(), above: [Timestamp::EPOCH; 2] };
        if self.0.len() < DEVICES {
            self.0.push(device);
            return self.0.len() - 1;
        }
        let oldest = self.0.iter().enumerate().min_by_key(|(_, device)| device.last).map_or(0, |(place, _)| place);
        self.0[oldest] = device;
        oldest
    }
}

impl Device {
    /// How often the service was tried within the hour; nothing where this is still the attempt before.
    fn attempt(&mut self, what: What, now: Timestamp) -> Option<u16> {
        if let Some(service) = self.services.iter_mut().find(|service| service.what == what) {
            if now.since(service.last) < SPACING {
                return None;
            }
            if now.since(service.first) >= HORIZON {
                (service.first, service.attempts) = (now, 0);
            }
            service.last = now;
            service.attempts = service.attempts.saturating_add(1);
            return Some(service.attempts);
        }
        let service = Service { what, first: now, last: now, attempts: 1 };
        if self.services.push(service).is_err()
            && let Some(oldest) = self.services.iter_mut().min_by_key(|service| service.last)
        {
            *oldest = service;
        }
        Some(1)
    }

    #[allow(clippy::cast_possible_truncation, reason = "there are at most SERVICES")]
    fn services_of_the_network(&self, now: Timestamp) -> u16 {
        let lately = |service: &&Service| service.what.target.is_some() && now.since(service.last) < HORIZON;
        self.services.iter().filter(lately).count() as u16
    }
}

impl What {
    fn of(denied: &Denied) -> Self {
        let Denied { target, protocol, port, .. } = *denied;
        Self { target: Some(target).filter(|target| !target.is_global()), protocol, port }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::net::Ipv4Addr;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_secs(1_700_000_000 + seconds)
    }

    fn key(n: u32) -> HostKey {
        HostKey::V4(Ipv4Addr::from_bits(0x0a00_0000 + n))
    }

    fn denied(target: HostKey, port: u16) -> Denied {
        Denied { mac: MacAddr::ZERO, host: key(1), target, protocol: 6, port }
    }

    fn count(table: &mut DeniedTable, device: HostKey, what: Denied, seconds: u64) -> Option<TooMany> {
        let too_many = table.count(device, &what, &Thresholds::default(), at(seconds));
        assert!(too_many.len() < 2);
        too_many.first().copied()
    }

    #[test]
    fn the_device_that_was_denied_something_longest_ago_makes_room() {
        let mut table = DeniedTable::new();
        let service = |n| denied(key(9_000), n);
        for device in 0..DEVICES as u32 {
            (1..=10).for_each(|port| assert_eq!(count(&mut table, key(device), service(port), device.into()), None));
        }
        let room = table.0.capacity();
        assert_eq!(count(&mut table, key(5_000), service(1), 300), None, "it takes the place of the first");
        assert_eq!(count(&mut table, key(0), service(11), 301), None, "which begins anew, in place of the second");
        assert!(count(&mut table, key(2), service(11), 302).is_some(), "the third stayed");
        assert_eq!((table.0.len(), table.0.capacity()), (DEVICES, room));
    }

    #[test]
    fn of_a_device_the_last_services_are_remembered() {
        let mut table = DeniedTable::new();
        let cloud = HostKey::V4(Ipv4Addr::new(198, 51, 100, 7));
        for port in 1..2_000 {
            assert_eq!(count(&mut table, key(1), denied(cloud, port), port.into()), None);
        }
        assert_eq!(table.0[0].services.len(), SERVICES);
    }

    #[test]
    fn packets_of_one_attempt_count_once() {
        let mut table = DeniedTable::new();
        for second in 0..300 {
            assert_eq!(count(&mut table, key(1), denied(key(2), 443), second), None);
        }
        assert_eq!(table.0[0].services[0].attempts, 30);
        let too_many = TooMany { rule: Rule::DeniedAgain, count: 31, threshold: 30 };
        assert_eq!(count(&mut table, key(1), denied(key(2), 443), 300), Some(too_many));
    }
}
