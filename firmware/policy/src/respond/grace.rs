//! Whom an admin has unblocked a short while ago.

use std::collections::VecDeque;

use terms::{HostKey, Span, Timestamp};

use crate::BlockTarget;

/// How many unblocks are remembered. **Bounds**: the oldest goes first.
const GRACES: usize = 1024;

/// The unblocks, oldest first.
#[derive(Debug, Default)]
pub(super) struct Graces(VecDeque<Grace>);

#[derive(Debug)]
struct Grace {
    host: HostKey,
    target: BlockTarget,
    since: Timestamp,
}

impl Graces {
    /// Notes an unblock.
    pub(super) fn open(&mut self, host: HostKey, target: BlockTarget, now: Timestamp) {
        self.close(host, target);
        if self.0.len() >= GRACES {
            self.0.pop_front();
        }
        self.0.push_back(Grace { host, target, since: now });
    }

    /// Ends the grace of a host: an admin has blocked it again.
    pub(super) fn close(&mut self, host: HostKey, target: BlockTarget) {
        self.0.retain(|grace| !grace.is_for(host, target));
    }

    /// Until when the host is not blocked automatically, if it is so at `now`.
    pub(super) fn until(
        &mut self,
        host: HostKey,
        target: BlockTarget,
        lasts: Span,
        now: Timestamp,
    ) -> Option<Timestamp> {
        // Counted in both directions: a clock that is set back ends a grace rather than keep it open for good.
        self.0.retain(|grace| now.since(grace.since) < lasts && grace.since.since(now) < lasts);
        self.0.iter().find(|grace| grace.is_for(host, target)).map(|grace| grace.since + lasts)
    }
}

impl Grace {
    fn is_for(&self, host: HostKey, target: BlockTarget) -> bool {
        self.host == host || self.target == target
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::net::{IpAddr, Ipv4Addr};

    #[test]
    fn the_oldest_unblock_is_forgotten_when_full() {
        let mut graces = Graces::default();
        let of = |n: usize| IpAddr::from(Ipv4Addr::from_bits(0x0a00_0000 + n as u32));
        for n in 0..=GRACES {
            graces.open(of(n).into(), BlockTarget::Address(of(n)), Timestamp::EPOCH);
        }
        let mut is_open = |n| {
            let target = BlockTarget::Address(of(n));
            graces.until(of(n).into(), target, Span::from_secs(1), Timestamp::EPOCH).is_some()
        };
        assert!(!is_open(0) && is_open(1) && is_open(GRACES));
    }
}
