//! The names of rules: who was told which addresses for them, and what the kernel holds of that.

use std::collections::BTreeMap;
use std::net::IpAddr;

use ::policy::RuleNumber;
use terms::{MacAddr, Span, Timestamp};

use super::super::event::{Order, now};
use super::super::told::Told;
use super::Hand;

/// What devices were told is remembered of so many addresses; what ends first goes.
const TOLD: usize = 20_000;

/// Who was told what, and until when it counts.
#[derive(Debug, Default)]
pub(super) struct TellBook {
    told: BTreeMap<(MacAddr, IpAddr, String), Timestamp>,
}

impl TellBook {
    fn note(&mut self, told: &Told) {
        for (address, lasts) in &told.addresses {
            self.told.insert((told.mac, *address, told.name.clone()), told.at + *lasts);
        }
        if self.told.len() > TOLD {
            // Several at once: to look for them costs as much as to look for one.
            let mut ends: Vec<Timestamp> = self.told.values().copied().collect();
            let (_, last, _) = ends.select_nth_unstable(TOLD / 16);
            let last = *last;
            self.told.retain(|_, until| *until > last);
        }
    }

    /// Everything that counts still.
    fn all(&mut self, at: Timestamp) -> impl Iterator<Item = (MacAddr, IpAddr, &str, Span)> {
        self.told.retain(|_, until| *until > at);
        self.told.iter().map(move |((mac, address, name), until)| (*mac, *address, name.as_str(), until.since(at)))
    }

    /// Every address that any device was told.
    pub(super) fn addresses(&self) -> std::collections::BTreeSet<IpAddr> {
        self.told.keys().map(|(_, address, _)| *address).collect()
    }

    /// The names for which a device was told an address.
    pub(super) fn names(&self, mac: MacAddr, address: IpAddr) -> Vec<String> {
        let of = self.told.range((mac, address, String::new())..);
        of.take_while(|((m, a, _), _)| (*m, *a) == (mac, address)).map(|((.., name), _)| name.clone()).collect()
    }
}

impl Hand {
    /// A device was told addresses: the kernel lets it reach them where a rule allows the name.
    pub(super) fn hear_told(&mut self, told: Told) {
        let numbers = self.rules_named(told.mac, &told.name);
        self.told.note(&told);
        let each = |number: RuleNumber| {
            told.addresses.iter().map(move |(address, lasts)| (told.mac, *address, number, *lasts))
        };
        let elements: Vec<_> = numbers.into_iter().flat_map(each).collect();
        self.tell_kernel(&elements);
    }

    /// After a change of the policy: the names that count from now on, and what is known of them.
    pub(super) fn follow_names(&mut self) {
        if self.orders.try_send(Order::Names(self.policy.names())).is_err() {
            tracing::warn!("the inspector is behind and did not hear which names rules are about");
        }
        let all: Vec<_> =
            self.told.all(now()).map(|(mac, address, name, lasts)| (mac, address, name.to_owned(), lasts)).collect();
        let mut elements = Vec::new();
        for (mac, address, name, lasts) in all {
            elements.extend(self.rules_named(mac, &name).into_iter().map(|number| (mac, address, number, lasts)));
        }
        self.tell_kernel(&elements);
    }

    /// The rules that let a device reach a name.
    fn rules_named(&self, mac: MacAddr, name: &str) -> Vec<RuleNumber> {
        let device = self.policy.device_of(Some(mac), None);
        let about = self.policy.rules.iter().filter(|rule| self.policy.is_about(rule, device));
        let named = about.filter(|rule| self.policy.names_in(rule).any(|wanted| wanted.matches(name)));
        named.filter_map(|rule| self.numbers.get(&rule.name).copied()).collect()
    }

    fn tell_kernel(&mut self, elements: &[(MacAddr, IpAddr, RuleNumber, Span)]) {
        let Some(kernel) = self.kernel.as_mut().filter(|_| !elements.is_empty()) else { return };
        if let Err(error) = kernel.name(elements) {
            tracing::warn!("an address of a name could not be handed to the kernel: {error}");
        }
    }
}
