//! Findings to decisions: who is blocked, by what, for how long, and what stands against it.
//!
//! A [`Responder`] holds what earlier decisions left behind (the blocks that stand, who was blocked before, whom an admin has
//! unblocked) and asks in this order: is a block due, can the kernel match the host, does the never-block list forbid it, is it
//! blocked already, is it in grace, does the posture act, is a bound reached. Time comes with each call, and nothing grows past
//! its stated bound: [`BLOCKS`] blocks, 4,096 repeaters, 1,024 graces.

mod book;
mod config;
mod decision;
mod grace;
mod jitter;
mod limits;
mod never;
mod repeats;
mod target;
#[cfg(test)]
mod tests;

pub use config::ResponderConfig;
pub use decision::{Decision, ManualBlock, Refusal, Suspect};

use terms::{HostKey, Posture, Span, ThreatLevel, Timestamp};

use crate::{Block, BlockTarget, NeverBlock};
use book::Book;
use grace::Graces;
use jitter::Jitter;
use limits::{Bound, Limits};
use never::NeverList;
use repeats::Repeats;

/// How many blocks stand at a time.
///
/// **Bounds**: one more is held back, or refused to an admin.
pub const BLOCKS: usize = 16_384;

/// The longest block that an admin can ask for.
pub const MANUAL_LONGEST: Span = Span::from_secs(366 * 86_400);

/// The shortest block that an admin can ask for.
const MANUAL_SHORTEST: Span = Span::from_secs(1);

/// Turns findings and an admin's wishes into blocks, and knows which blocks stand.
#[derive(Debug)]
pub struct Responder {
    config: ResponderConfig,
    never: NeverList,
    book: Book,
    repeats: Repeats,
    graces: Graces,
    limits: Limits,
    jitter: Jitter,
}

impl Responder {
    /// A responder without blocks. The seed decides the jitter; draw it anew at each start.
    #[must_use]
    pub fn new(mut config: ResponderConfig, seed: u64) -> Self {
        let mut never = NeverList::default();
        never.configure(core::mem::take(&mut config.never));
        Self {
            config,
            never,
            book: Book::default(),
            repeats: Repeats::default(),
            graces: Graces::default(),
            limits: Limits::default(),
            jitter: Jitter::new(seed),
        }
    }

    /// What is to be done about a suspect, and takes note of the block if that is the answer.
    ///
    /// `known_lan_hosts` is how many hosts of the LAN side are known; the bound on blocks at a time follows it. Count only hosts
    /// that spoofing cannot invent.
    pub fn respond(&mut self, suspect: &Suspect, known_lan_hosts: u32) -> Decision {
        let why = &suspect.why;
        if suspect.level < ThreatLevel::High {
            return Decision::Watch { why: why.clone() };
        }
        let Suspect { host, mac, side, at, family, addresses_on_mac, .. } = *suspect;
        let target = match target::target(host, mac, side, addresses_on_mac, Some(family)) {
            Ok(target) => target,
            Err(missing) => return self.hold_back(why, Bound::NoTarget, missing, at),
        };
        if let Some(entry) = self.never.forbids(host, target) {
            return Decision::Never { why: format!("{why}; not blocked: {entry} is on the never-block list") };
        }
        if let Some(standing) = self.book.covering(host, target, at) {
            return Decision::Already { until: standing.until() };
        }
        if let Some(until) = self.graces.until(host, target, self.config.grace, at) {
            let left = until.since(at).secs();
            return Decision::Grace {
                why: format!("{why}; not blocked: an admin has unblocked it, grace lasts {left} s more"),
            };
        }
        if self.config.posture == Posture::Observe {
            return Decision::WouldBlock { why: format!("{why}; not blocked: the posture is observe") };
        }
        if let Some((bound, words)) = self.limits.reached(&self.config, &self.book, target, known_lan_hosts, at) {
            return self.hold_back(why, bound, &words, at);
        }
        Decision::Block(self.block(suspect, target))
    }

    /// Blocks a host because an admin says so: neither posture nor bounds nor a grace stand against it, and it takes the place of
    /// a block with the same target. It does not count as a repeat.
    ///
    /// # Errors
    /// The never-block list forbids it, the host cannot be matched, the length is out of range, or there is no room.
    pub fn manual(&mut self, wish: ManualBlock) -> Result<Block, Refusal> {
        let ManualBlock { host, mac, side, addresses_on_mac, lasts, why, at } = wish;
        if !(MANUAL_SHORTEST..=MANUAL_LONGEST).contains(&lasts) {
            return Err(Refusal::Length { asked: lasts });
        }
        let target = target::target(host, mac, side, addresses_on_mac, None)
            .map_err(|missing| Refusal::NoTarget { host, missing })?;
        if let Some(entry) = self.never.forbids(host, target) {
            return Err(Refusal::Never { host, entry });
        }
        if self.book.len() >= BLOCKS && self.book.get(&target).is_none() {
            return Err(Refusal::Full);
        }
        self.graces.close(host, target);
        let block = Block { host, mac: target.mac().or(mac), target, since: at, lasts, why, automatic: false };
        self.book.insert(block.clone());
        Ok(block)
    }

    /// Lifts the block of a host, or the one of a hardware address, opens its grace and forgets that it was blocked. `None` if
    /// there is none. A host can be under two blocks, by hardware address alone and with an address: call until `None`.
    pub fn unblock(&mut self, host: HostKey, now: Timestamp) -> Option<Block> {
        let block = self.book.meant_by(host).and_then(|target| self.book.remove(&target))?;
        if block.automatic {
            self.repeats.forgive(block.target, now);
        }
        self.graces.open(block.host, block.target, now);
        Some(block)
    }

    /// Takes back a block that the kernel did not take, as if it had never been decided: the next finding decides anew.
    pub fn undo(&mut self, target: &BlockTarget) -> Option<Block> {
        let block = self.book.remove(target)?;
        if block.automatic {
            self.repeats.forgive(block.target, block.since);
        }
        Some(block)
    }

    /// The blocks that have ended; call it each second. The kernel ends them by its own timer.
    #[must_use = "ended blocks leave the store and are told"]
    pub fn expire(&mut self, now: Timestamp) -> Vec<Block> {
        self.book.expire(now)
    }

    /// Takes in the blocks of the last run with their ends unmoved, and gives back those that may not stand any more: forbidden
    /// by the never-block list, automatic while observing, or without room. Ended ones come out of the next
    /// [`expire`](Self::expire).
    #[must_use = "these must leave the store and the kernel"]
    pub fn restore(&mut self, blocks: Vec<Block>) -> Vec<Block> {
        let mut out = Vec::new();
        for block in blocks {
            if self.book.len() >= BLOCKS || !self.may_stand(&block) {
                out.push(block);
                continue;
            }
            if block.automatic {
                self.repeats.note(block.target, self.config.doublings(block.lasts) + 1, block.until());
            }
            self.book.insert(block);
        }
        out
    }

    /// Every block that stands, ended ones included until [`expire`](Self::expire) takes them out.
    pub fn blocks(&self) -> impl Iterator<Item = &Block> {
        self.book.iter()
    }

    /// Replaces the never-block entries learnt from the network (the box, the router, DHCP and DNS servers in use); configured
    /// ones stay. Gives back the blocks that may not stand any more.
    #[must_use = "these must leave the store and the kernel"]
    pub fn set_never(&mut self, learnt: Vec<NeverBlock>) -> Vec<Block> {
        self.never.learn(learnt);
        self.lift()
    }

    /// The whole never-block list, sorted, without doubles, as a [`Ruleset`](crate::Ruleset) wants it.
    #[must_use]
    pub fn never_block(&self) -> &[NeverBlock] {
        self.never.all()
    }

    /// Changes the settings; blocks that stand keep their ends. Gives back those that may not stand any more: forbidden by the
    /// new never-block list, or automatic where the posture is now to observe.
    #[must_use = "these must leave the store and the kernel"]
    pub fn reconfigure(&mut self, mut config: ResponderConfig) -> Vec<Block> {
        self.never.configure(core::mem::take(&mut config.never));
        self.config = config;
        self.lift()
    }

    fn block(&mut self, suspect: &Suspect, target: BlockTarget) -> Block {
        let before = self.repeats.before(target, suspect.at);
        let why = match before {
            0 => suspect.why.clone(),
            1 => format!("{}; blocked once before", suspect.why),
            n => format!("{}; blocked {n} times before", suspect.why),
        };
        let ResponderConfig { jitter_percent, longest, .. } = self.config;
        let doubled = self.config.doubled(before);
        let lasts = self.jitter.stretch(doubled, jitter_percent.min(99)).min(longest);
        let Suspect { host, mac, at, .. } = *suspect;
        let block = Block { host, mac, target, since: at, lasts, why, automatic: true };
        self.repeats.note(target, before.saturating_add(1), block.until());
        self.limits.note(at);
        self.book.insert(block.clone());
        block
    }

    fn hold_back(&mut self, why: &str, bound: Bound, words: &str, now: Timestamp) -> Decision {
        Decision::HoldBack { why: format!("{why}; held back: {words}"), tell: self.limits.tell(bound, now) }
    }

    fn may_stand(&self, block: &Block) -> bool {
        let observed = block.automatic && self.config.posture == Posture::Observe;
        !observed && self.never.forbids(block.host, block.target).is_none()
    }

    fn lift(&mut self) -> Vec<Block> {
        let standing: Vec<_> =
            self.book.iter().filter(|block| !self.may_stand(block)).map(|block| block.target).collect();
        standing.iter().filter_map(|target| self.book.remove(target)).collect()
    }
}
