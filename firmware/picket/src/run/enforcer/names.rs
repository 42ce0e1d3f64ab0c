//! The names of rules: who was told which addresses for them, and what the kernel holds of that.
//!
//! A name that a device shows (see `shown`) can only take away: it marks the address for rules that deny the name, never for one that
//! allows it.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::ops::Deref;
use std::sync::Arc;

use ::policy::{Between, Effect, NAMED_AT_ALL, Policy, Rule, RuleNumber, To};
use terms::{BlockState, MacAddr, Span, Timestamp};

use super::super::event::{News, Order, act, now};
use super::super::shown::Shown;
use super::super::told::{Told, Wanted};
use super::Hand;

/// What devices were told for the names of rules is remembered of so many addresses; what ends first goes.
const TOLD: usize = 20_000;
/// So many addresses are remembered as told for whatever name, and so many of one device: who asks for more falls back to TLS, and
/// leaves the kernel's set to the names of rules.
const AT_ALL: usize = 16_384;
const AT_ALL_A_DEVICE: usize = 1_024;
/// The longest that one of those counts.
const AT_ALL_LASTS: Span = Span::from_secs(1_800);
/// So many addresses are remembered for which a device showed a name, and for how long.
const SHOWN: usize = 4_096;
const SHOWN_LASTS: Span = Span::from_secs(3_600);

/// Who was told what, and until when it counts.
#[derive(Debug, Default)]
pub(super) struct TellBook {
    told: BTreeMap<(MacAddr, IpAddr, String), Timestamp>,
    /// For whatever name, where a rule asks for that.
    at_all: BTreeMap<(MacAddr, IpAddr), (String, Timestamp)>,
    /// The last name that a device showed to an address which it was told for another, or that a rule denies.
    shown: BTreeMap<(MacAddr, IpAddr), (String, Timestamp)>,
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

    /// Notes addresses that have a name at all; gives back those for which there was room.
    fn note_at_all(&mut self, told: &Told) -> Vec<(IpAddr, Span)> {
        let lasts = |lasts: Span| lasts.min(AT_ALL_LASTS);
        let of = |mac| (mac, IpAddr::from([0, 0, 0, 0]))..=(mac, IpAddr::from([u8::MAX; 16]));
        let full =
            |book: &Self| book.at_all.len() >= AT_ALL || book.at_all.range(of(told.mac)).count() >= AT_ALL_A_DEVICE;
        if full(self) {
            self.at_all.retain(|_, (_, until)| *until > told.at);
        }
        let mut room = Vec::new();
        for (address, long) in &told.addresses {
            let key = (told.mac, *address);
            if !self.at_all.contains_key(&key) && full(self) {
                continue;
            }
            self.at_all.insert(key, (told.name.clone(), told.at + lasts(*long)));
            room.push((*address, lasts(*long)));
        }
        room
    }

    fn note_shown(&mut self, shown: &Shown) {
        if self.shown.len() >= SHOWN {
            self.shown.retain(|_, (_, until)| *until > shown.at);
        }
        let key = (shown.mac, shown.far);
        if self.shown.len() < SHOWN || self.shown.contains_key(&key) {
            self.shown.insert(key, (shown.name.clone(), shown.at + SHOWN_LASTS));
        }
    }

    /// Everything that counts still, for the names of rules.
    fn all(&self, at: Timestamp) -> impl Iterator<Item = (MacAddr, IpAddr, &str, Span)> {
        self.told.iter().map(move |((mac, address, name), until)| (*mac, *address, name.as_str(), until.since(at)))
    }

    /// Every address that any device was told, or showed a name to.
    pub(super) fn addresses(&self) -> std::collections::BTreeSet<IpAddr> {
        let shown = self.shown.keys().map(|(_, address)| *address);
        self.told.keys().map(|(_, address, _)| *address).chain(shown).collect()
    }

    /// The names for which a device was told an address.
    pub(super) fn names(&self, mac: MacAddr, address: IpAddr) -> Vec<String> {
        let of = self.told.range((mac, address, String::new())..);
        let of = of.take_while(|((m, a, _), _)| (*m, *a) == (mac, address)).map(|((.., name), _)| name.clone());
        let mut names: Vec<String> = of.collect();
        if let Some((name, _)) = self.at_all.get(&(mac, address))
            && !names.contains(name)
        {
            names.push(name.clone());
        }
        names
    }

    /// The name that a device showed to an address, where it was told that for another.
    pub(super) fn shown(&self, mac: MacAddr, address: IpAddr) -> Option<&str> {
        self.shown.get(&(mac, address)).filter(|(_, until)| *until > now()).map(|(name, _)| name.as_str())
    }
}

impl Hand {
    /// A device was told addresses: the kernel lets it reach them where a rule allows the name.
    pub(super) fn hear_told(&mut self, told: Told) {
        let mut elements = Vec::new();
        for number in self.rules_named(told.mac, &told.name, None) {
            elements.extend(told.addresses.iter().map(|(address, lasts)| (told.mac, *address, number, *lasts)));
        }
        if self.policy.is_about_name(&told.name) {
            self.told.note(&told);
        }
        if self.policy.counts_every_name() {
            let room = self.told.note_at_all(&told);
            elements.extend(room.into_iter().map(|(address, lasts)| (told.mac, address, NAMED_AT_ALL, lasts)));
        }
        self.tell_kernel(&elements);
    }

    /// A device showed the name of whom it means. Where rules deny the name, its conversations with the address end; where it was told
    /// the address for other names alone, that is told.
    pub(super) fn hear_shown(&mut self, shown: &Shown) {
        let numbers = self.rules_named(shown.mac, &shown.name, Some(Effect::Deny));
        if !numbers.is_empty() {
            self.told.note_shown(shown);
            let elements: Vec<_> =
                numbers.into_iter().map(|number| (shown.mac, shown.far, number, SHOWN_LASTS)).collect();
            self.tell_kernel(&elements);
            if let Some(Err(error)) =
                self.kernel.as_mut().map(|kernel| kernel.end(|talk| (talk.lan, talk.far) == (shown.lan, shown.far)))
            {
                tracing::warn!("a conversation with a name that a rule denies goes on: {error}");
            }
            return;
        }
        let told = self.told.names(shown.mac, shown.far);
        if told.is_empty() || told.iter().any(|name| name.eq_ignore_ascii_case(&shown.name)) {
            return;
        }
        let known = self.told.shown(shown.mac, shown.far) == Some(shown.name.as_str());
        self.told.note_shown(shown);
        let allowed = told.iter().any(|name| !self.rules_named(shown.mac, name, Some(Effect::Allow)).is_empty());
        if allowed && !known {
            let why = format!(
                "{} was told {} for {} and asks it for {}: the address is shared with others",
                shown.lan,
                shown.far,
                told.join(" and "),
                shown.name
            );
            let mut event = act(shown.at, None, shown.lan.into(), BlockState::Observed, "policy", why);
            event.mac = Some(shown.mac);
            self.tell(News::Event(Box::new(event)));
        }
    }

    /// After a change of the policy: the names that count from now on, and what is known of them. What the policy before had of the same
    /// rules for the same devices, the kernel knows already.
    pub(super) fn follow_names(&mut self, before: Option<&Policy>) {
        let between = before.and_then(|before| Between::of(before, &self.policy));
        let is_about_names =
            |rule: &Arc<Rule>| rule.to.contains(&To::Unnamed) || self.policy.names_in(rule).next().is_some();
        if between.is_some_and(|between| !between.gone.iter().chain(between.come).any(is_about_names)) {
            return;
        }
        if self.orders.try_send(Order::Names(Wanted::of(&self.policy))).is_err() {
            tracing::warn!("the inspector is behind and did not hear which names rules are about");
        }
        let at = now();
        self.told.told.retain(|_, until| *until > at);
        let come: Vec<&Rule> = match between {
            Some(between) => between.come.iter().map(Deref::deref).collect(),
            None => self.policy.numbered().collect(),
        };
        let come = come.into_iter().filter(|rule| self.policy.names_in(rule).next().is_some());
        let fresh: Vec<(&Rule, RuleNumber)> =
            come.filter_map(|rule| Some((rule, self.compiler.number(&rule.name)?))).collect();
        let mut about = HashMap::<MacAddr, Vec<(&Rule, RuleNumber)>>::new();
        let mut rules = |mac: MacAddr| {
            let of = about.entry(mac).or_insert_with(|| {
                let device = self.policy.device_of(Some(mac), None);
                fresh.iter().filter(|(rule, _)| self.policy.is_about(rule, device)).copied().collect()
            });
            of.clone()
        };
        let named = |rule: &Rule, name: &str| self.policy.names_in(rule).any(|wanted| wanted.matches(name));
        let mut elements = Vec::new();
        if !fresh.is_empty() {
            for (mac, address, name, lasts) in self.told.all(at) {
                let of = rules(mac).into_iter().filter(|(rule, _)| named(rule, name));
                elements.extend(of.map(|(_, number)| (mac, address, number, lasts)));
            }
            for ((mac, address), (name, until)) in &self.told.shown {
                let of = rules(*mac).into_iter().filter(|(rule, _)| rule.effect == Effect::Deny && named(rule, name));
                elements.extend(of.map(|(_, number)| (*mac, *address, number, until.since(at))));
            }
        }
        let stands = between.is_some() && before.is_some_and(Policy::counts_every_name);
        if !self.policy.counts_every_name() {
            self.told.at_all.clear();
        } else if !stands {
            let at_all = self.told.at_all.iter().filter(|(_, (_, until))| *until > at);
            elements.extend(at_all.map(|((mac, address), (_, until))| (*mac, *address, NAMED_AT_ALL, until.since(at))));
        }
        elements.retain(|(.., lasts)| *lasts > Span::ZERO);
        self.tell_kernel(&elements);
    }

    /// The rules that are about a device and a name; with an effect only those.
    fn rules_named(&self, mac: MacAddr, name: &str, effect: Option<Effect>) -> Vec<RuleNumber> {
        let device = self.policy.device_of(Some(mac), None);
        let about = self.policy.numbered().filter(|rule| self.policy.is_about(rule, device));
        let about = about.filter(|rule| effect.is_none_or(|effect| rule.effect == effect));
        let named = about.filter(|rule| self.policy.names_in(rule).any(|wanted| wanted.matches(name)));
        named.filter_map(|rule| self.compiler.number(&rule.name)).collect()
    }

    fn tell_kernel(&mut self, elements: &[(MacAddr, IpAddr, RuleNumber, Span)]) {
        let Some(kernel) = self.kernel.as_mut().filter(|_| !elements.is_empty()) else { return };
        if let Err(error) = kernel.name(elements) {
            tracing::warn!("an address of a name could not be handed to the kernel: {error}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(mac: u8, first: u32, count: u32, at: u64) -> Told {
        let addresses =
            (first..first + count).map(|n| (IpAddr::from((0x0b00_0000 + n).to_be_bytes()), Span::from_secs(700)));
        let mac = MacAddr::new([2, 0, 0, 0, 0, mac]);
        Told {
            mac,
            name: format!("n{first}.example.org"),
            addresses: addresses.collect(),
            at: Timestamp::from_secs(at),
        }
    }

    #[test]
    fn who_asks_for_many_names_fills_its_own_share_and_what_is_over_makes_room() {
        let mut book = TellBook::default();
        for n in 0..8 {
            book.note_at_all(&told(1, n * 256, 256, 1));
        }
        assert_eq!(book.at_all.len(), AT_ALL_A_DEVICE);
        assert_eq!(book.note_at_all(&told(2, 0, 3, 1)).len(), 3, "another device has room");
        assert_eq!(book.note_at_all(&told(1, 0, 2, 2)).len(), 2, "what is known counts anew");
        assert_eq!(book.note_at_all(&told(1, 9_000, 2, 800)).len(), 2, "the others are over");
        let address = IpAddr::from(0x0b00_0000_u32.to_be_bytes());
        assert_eq!(book.names(MacAddr::new([2, 0, 0, 0, 0, 9]), address), [] as [String; 0]);
    }
}
