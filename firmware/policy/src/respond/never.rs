//! The never-block list: configured entries and those learnt from the network, as one.

use terms::HostKey;

use crate::{BlockTarget, NeverBlock};

/// Both halves of the list and their sum.
#[derive(Debug, Default)]
pub(super) struct NeverList {
    configured: Vec<NeverBlock>,
    learnt: Vec<NeverBlock>,
    /// **Shape**: sorted, without doubles.
    all: Vec<NeverBlock>,
}

impl NeverList {
    /// Replaces the entries of the configuration file.
    pub(super) fn configure(&mut self, entries: Vec<NeverBlock>) {
        self.configured = entries;
        self.join();
    }

    /// Replaces the entries learnt from the network.
    pub(super) fn learn(&mut self, entries: Vec<NeverBlock>) {
        self.learnt = entries;
        self.join();
    }

    /// The whole list, sorted, without doubles.
    pub(super) fn all(&self) -> &[NeverBlock] {
        &self.all
    }

    /// The entry that forbids to block `host` by `target`.
    ///
    /// A hardware address forbids nothing on the uplink side: all frames there carry the router's.
    pub(super) fn forbids(&self, host: HostKey, target: BlockTarget) -> Option<NeverBlock> {
        let (mac, address) = match target {
            BlockTarget::Mac(mac) => (Some(mac), host.ip()),
            BlockTarget::MacAndAddress(mac, address) => (Some(mac), Some(address)),
            BlockTarget::Address(address) | BlockTarget::Anywhere(address) => (None, Some(address)),
        };
        let entries = [mac.map(NeverBlock::Mac), address.map(NeverBlock::Address)];
        entries.into_iter().flatten().find(|entry| self.all.binary_search(entry).is_ok())
    }

    fn join(&mut self) {
        self.all = [self.configured.as_slice(), &self.learnt].concat();
        self.all.sort_unstable();
        self.all.dedup();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::net::IpAddr;
    use terms::MacAddr;

    const ROUTER: MacAddr = MacAddr::new([2, 0, 0, 0, 0, 1]);
    const OTHER: MacAddr = MacAddr::new([2, 0, 0, 0, 0, 9]);

    #[test]
    fn an_entry_is_matched_by_the_host_and_by_what_the_kernel_would_match() {
        let mut list = NeverList::default();
        let router: IpAddr = "10.0.0.1".parse().unwrap();
        let other: IpAddr = "10.0.0.9".parse().unwrap();
        list.configure(vec![NeverBlock::Address(router)]);
        list.learn(vec![NeverBlock::Mac(ROUTER)]);
        for (host, target, forbidden) in [
            (router.into(), BlockTarget::Mac(OTHER), true),
            (other.into(), BlockTarget::Mac(ROUTER), true),
            (HostKey::Mac(ROUTER), BlockTarget::Mac(ROUTER), true),
            (other.into(), BlockTarget::MacAndAddress(ROUTER, other), true),
            (router.into(), BlockTarget::MacAndAddress(OTHER, router), true),
            (router.into(), BlockTarget::Address(router), true),
            (router.into(), BlockTarget::Anywhere(router), true),
            (other.into(), BlockTarget::Address(other), false),
            (other.into(), BlockTarget::Anywhere(other), false),
            (other.into(), BlockTarget::Mac(OTHER), false),
            (other.into(), BlockTarget::MacAndAddress(OTHER, other), false),
        ] {
            assert_eq!(list.forbids(host, target).is_some(), forbidden, "{host} by {target}");
        }
    }

    #[test]
    fn learning_anew_keeps_what_was_configured() {
        let mut list = NeverList::default();
        let entry = NeverBlock::Mac(ROUTER);
        list.configure(vec![entry, entry]);
        list.learn(vec![entry, NeverBlock::Mac(OTHER)]);
        assert_eq!(list.all(), [entry, NeverBlock::Mac(OTHER)]);
        list.learn(vec![]);
        assert_eq!(list.all(), [entry]);
    }
}
