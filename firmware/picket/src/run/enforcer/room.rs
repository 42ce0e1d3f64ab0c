//! Devices that hold as many conversations as they may: kept from more, and told by name.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use ::policy::Begins;
use enforce::{Count, Holder, TALKS_V4, TALKS_V6};
use terms::{BlockState, HostKey, Span};

use super::super::census::REMEMBERED;
use super::super::event::{News, act, now};
use super::Hand;

/// How long the same device is not told of again.
const AGAIN: Duration = Duration::from_secs(60);

/// What was told of refused conversations.
#[derive(Default)]
pub(super) struct Refusals {
    /// Whom the kernel keeps from new conversations.
    held_back: Vec<Holder>,
    /// When each was told last, as too fast and as at its cap, and how many refusals there were then.
    told: BTreeMap<(Holder, bool), (Instant, u64)>,
    /// The same of the whole map.
    full: Option<(Instant, u64)>,
}

impl Hand {
    /// Keeps from new conversations who holds as many as it may, lets others begin again, and tells who was refused.
    pub(super) fn hear_count(&mut self, count: &Count) {
        let at_cap: Vec<Holder> = count.at_cap.keys().copied().collect();
        let free: Vec<Holder> =
            self.refusals.held_back.iter().copied().filter(|holder| !count.at_cap.contains_key(holder)).collect();
        if let Some(kernel) = self.kernel.as_mut().filter(|_| !(at_cap.is_empty() && free.is_empty())) {
            let lasts = Span::from_micros(u64::try_from(REMEMBERED.as_micros()).unwrap_or(u64::MAX));
            if let Err(error) = kernel.let_begin(&free).and_then(|()| kernel.hold_back(&at_cap, lasts)) {
                tracing::warn!("devices that hold as many conversations as they may go on beginning new ones: {error}");
            }
        }
        self.refusals.held_back = at_cap;
        // The kernel forgets its count when nobody was refused for a while, and holds a bounded number of them.
        let counts_on = |holder: &Holder, before: u64| count.refused.get(holder).is_some_and(|now| before <= *now);
        self.refusals.told.retain(|(holder, _), (_, before)| counts_on(holder, *before));
        for (holder, refused) in &count.refused {
            self.tell_refused(*holder, *refused, count.at_cap.get(holder).copied());
        }
        self.tell_full(count.map_full);
    }

    fn tell_refused(&mut self, holder: Holder, refused: u64, held: Option<u32>) {
        let key = (holder, held.is_some());
        if self.refusals.told.get(&key).is_some_and(|(at, before)| *before == refused || at.elapsed() < AGAIN) {
            return;
        }
        self.refusals.told.insert(key, (Instant::now(), refused));
        let whose = match holder.mac {
            Some(mac) => self.policy.device_of(Some(mac), None).map_or_else(|| mac.to_string(), |d| d.name.clone()),
            None => "devices that the policy does not know".into(),
        };
        let (begins, with) = match holder.begins {
            Begins::Lan => (format!("{whose} began"), String::new()),
            Begins::Uplink => ("the uplink side began".into(), format!(" with {whose}")),
        };
        let why = match held {
            Some(held) => format!(
                "refused: new conversations that {begins}{with}, {refused} packets so far: {held} are under way, as many as there may be; those go on"
            ),
            None => format!(
                "refused: new conversations that {begins}{with} faster than is let pass, {refused} packets so far; those under way go on"
            ),
        };
        let host = HostKey::Mac(holder.mac.unwrap_or_else(|| self.settings.this_box()));
        let mut event = act(now(), None, host, BlockState::Blocked, "policy", why);
        event.mac = holder.mac;
        self.tell(News::Event(Box::new(event)));
    }

    fn tell_full(&mut self, refused: u64) {
        let before = self.refusals.full.map_or(0, |(_, before)| before.min(refused));
        if refused == before || self.refusals.full.is_some_and(|(at, _)| at.elapsed() < AGAIN) {
            return;
        }
        self.refusals.full = Some((Instant::now(), refused));
        self.report(format!(
            "refused: {} new conversations, whoever began them: the box knows as many as it can ({TALKS_V4} of IPv4, {TALKS_V6} of IPv6); those go on",
            refused - before
        ));
    }
}
