//! The kernel's table as the enforcer keeps it: made right at the start, looked at each second, restored where somebody changed it.

use std::collections::BTreeSet;

use ::policy::{Block, BlockTarget, Responder, Ruleset};
use enforce::{EnforceError, Enforcer, Held};
use terms::{BlockState, HostKey, Span, Timestamp};

use super::super::event::{KernelState, News, act, now};
use super::{Hand, ITSELF};

/// Blocks that end this soon are not missed, and not taken for somebody else's: two clocks end them.
const SLACK: Span = Span::from_secs(2);

/// Why a block stands of which only the kernel knows.
const INHERITED: &str = "blocked before the gateway started";

impl Hand {
    /// Opens the way to the kernel, makes the table right, and takes over the blocks that it still holds.
    pub(super) fn open(&mut self) {
        let ruleset = self.ruleset();
        let opened = Enforcer::open().and_then(|mut kernel| {
            let held = kernel.held()?;
            if let Err(error) = kernel.apply(&ruleset, now()) {
                tracing::warn!("{error}; the table is made anew");
                kernel.rebuild(&ruleset, &held.blocks, now())?;
            }
            Ok((kernel, held))
        });
        match opened {
            Ok((kernel, held)) => {
                self.kernel = Some(kernel);
                self.holds(ruleset);
                // Nothing may have passed until now, if its owner wants that.
                if let Err(error) = enforce::reopen() {
                    tracing::error!("the closed ruleset is still in force: {error}");
                }
                if self.complaint.take().is_some() {
                    tracing::info!("the kernel takes rules again");
                }
                self.take_over(&held);
                self.put_in_what_is_missing();
            }
            Err(error) => self.complain(&error),
        }
    }

    /// Blocks that stood before this start go on with the time that they have left.
    fn take_over(&mut self, held: &Held) {
        let at = now();
        let known: Vec<BlockTarget> = self.responder.blocks().map(|b| b.target).collect();
        let fresh = held.blocks.iter().filter(|(target, _)| !known.contains(target));
        let blocks: Vec<Block> = fresh.map(|(target, left)| inherited(*target, *left, at)).collect();
        if blocks.is_empty() {
            return;
        }
        tracing::info!(blocks = blocks.len(), "blocks from before the start go on");
        // Those that have ended or that the list forbids by now must leave the kernel.
        let refused = self.responder.restore(blocks.clone());
        for block in blocks.into_iter().filter(|b| !refused.contains(b)) {
            self.mark(block.host, true);
            self.tell(News::Blocked(block));
        }
        self.end(refused, "it may not stand any more");
    }

    pub(super) fn complain(&mut self, error: &EnforceError) {
        let text = error.to_string();
        if self.complaint.as_ref() != Some(&text) {
            tracing::error!(
                "{text}; nothing can be blocked until this is mended, the bridge forwards on; trying again each second"
            );
        }
        self.complaint = Some(text);
    }

    /// Blocks that the store remembers: those that the kernel still holds get back who they are about and why, the others their
    /// place in the kernel for the time they have left.
    pub(super) fn remember(&mut self, blocks: Vec<Block>) {
        let at = now();
        let (ended, mut standing): (Vec<_>, Vec<_>) = blocks.into_iter().partition(|block| block.until() <= at);
        ended.iter().for_each(|block| self.tell(News::Freed(block.host)));
        let held = |target| self.responder.blocks().find(|b| b.target == target).cloned();
        standing.retain(|block| held(block.target).is_none_or(|held| held.why == INHERITED));
        if standing.is_empty() {
            return;
        }
        for block in &mut standing {
            let Some(held) = held(block.target) else { continue };
            // The kernel's clock is the one that ends it.
            block.lasts = held.until().since(block.since);
            if held.host != block.host {
                self.mark(held.host, false);
                self.tell(News::Freed(held.host));
            }
        }
        tracing::info!(blocks = standing.len(), "blocks of the last run are remembered");
        let refused = self.responder.restore(standing.clone());
        for block in standing.into_iter().filter(|b| !refused.contains(b)) {
            self.mark(block.host, true);
            self.tell(News::Blocked(block));
        }
        self.end(refused, "it may not stand any more");
        self.put_in_what_is_missing();
    }

    /// Hands the kernel the blocks that it does not hold; without a kernel they wait for one.
    fn put_in_what_is_missing(&mut self) {
        let Some(kernel) = &mut self.kernel else { return };
        let at = now();
        let done = kernel.held().and_then(|held| kernel.block(&missing(&self.responder, &held, at)));
        if let Err(error) = done {
            tracing::warn!("blocks of the last run: {error}");
        }
    }

    /// Brings chains and never-block sets up to date; learned state stays.
    pub(super) fn renew(&mut self) {
        let ruleset = self.ruleset();
        let Some(kernel) = &mut self.kernel else { return };
        // What somebody else did is told before it is mended.
        if matches!(kernel.intact(), Ok(false)) {
            self.restore_table();
            return;
        }
        match kernel.apply(&ruleset, now()) {
            Ok(()) => self.holds(ruleset),
            Err(error) => {
                self.complain(&error);
                self.kernel = None;
            }
        }
    }

    /// The kernel confirmed a ruleset.
    fn holds(&mut self, ruleset: Ruleset) {
        if self.stands.as_ref() != Some(&ruleset) {
            self.stands = Some(ruleset);
            self.unkept.set(true);
        }
    }

    /// Each second: blocks that ended, a table that somebody changed, the state for those who ask.
    pub(super) fn look(&mut self) {
        for block in self.responder.expire(now()) {
            self.freed(&block);
        }
        if self.kernel.is_none() {
            self.open();
        }
        if let Some(opens) = self.opens.filter(|opens| *opens <= now()) {
            self.renew();
            let (policy, before) = (self.policy.clone(), Timestamp::from_micros(opens.micros().saturating_sub(1)));
            self.end_denied(&policy, before);
        }
        let intact = self.kernel.as_mut().map(Enforcer::intact);
        match intact {
            Some(Ok(true)) | None => {}
            Some(Ok(false)) => self.restore_table(),
            Some(Err(error)) => {
                self.complain(&error);
                self.kernel = None;
            }
        }
        let held = self.kernel.as_mut().and_then(|k| k.held().ok()).unwrap_or_default();
        self.compare(&held);
        let idle = held.table && held.blocks.is_empty() && self.responder.blocks().next().is_none();
        if let Some(Err(error)) = self.kernel.as_mut().filter(|_| idle).map(Enforcer::disarm) {
            self.complain(&error);
        }
        let dropped = held.dropped.into_iter().map(|d| (d.name, d.packets)).collect();
        let blocks = self.responder.blocks().count() as u64;
        let (servers, warnings) = (self.servers(), self.complaint.iter().cloned().collect());
        let state = KernelState { blocks, intact: held.table, dropped, servers, warnings };
        self.tell(News::Kernel(state));
        self.tell_what_holds();
    }

    /// The table is missing or was changed by somebody else: it is made right again, with every block and the time it has left.
    pub(super) fn restore_table(&mut self) {
        let at = now();
        let ruleset = self.ruleset();
        let standing = self.responder.blocks().filter(|b| b.until() > at);
        let blocks: Vec<(BlockTarget, Span)> = standing.map(|b| (b.target, b.until().since(at))).collect();
        let Some(kernel) = &mut self.kernel else { return };
        let missing = kernel.held().is_ok_and(|held| !held.table);
        let what = if missing { "missing" } else { "changed by somebody else" };
        // Where the table is there, its blocks and counters stay.
        let applied = if missing { None } else { kernel.apply(&ruleset, now()).ok() };
        let done = applied.map_or_else(|| kernel.rebuild(&ruleset, &blocks, at), Ok);
        let why = match done {
            Ok(()) => {
                self.holds(ruleset);
                format!("table bridge picket was {what}; restored with {} blocks", blocks.len())
            }
            Err(error) => {
                let why = format!("table bridge picket was {what} and could not be restored: {error}");
                self.complain(&error);
                self.kernel = None;
                why
            }
        };
        self.follow_names(None);
        self.report(why);
    }

    /// Puts back blocks that somebody took out of the table, and takes out what Picket did not put in.
    fn compare(&mut self, held: &Held) {
        let Some(kernel) = self.kernel.as_mut().filter(|_| held.table) else { return };
        let at = now();
        let missing = missing(&self.responder, held, at);
        let known: BTreeSet<_> = self.responder.blocks().map(|b| b.target).collect();
        let strange = held.blocks.iter().filter(|(target, left)| *left > SLACK && !known.contains(target));
        let strange: Vec<_> = strange.map(|(target, _)| *target).collect();
        if missing.is_empty() && strange.is_empty() {
            return;
        }
        let done = kernel.block(&missing).and_then(|()| kernel.unblock(&strange));
        let (gone, more) = (missing.len(), strange.len());
        let found = format!("table bridge picket lacked {gone} blocks and held {more} that Picket did not put in");
        self.report(match done {
            Ok(()) => format!("{found}; restored"),
            Err(error) => format!("{found}, which could not be mended: {error}"),
        });
    }

    /// Tells of something that happened to the box itself.
    pub(super) fn report(&self, why: String) {
        tracing::warn!("{why}");
        let this_box = HostKey::Mac(self.settings.this_box());
        self.tell(News::Event(Box::new(act(now(), None, this_box, BlockState::Observed, ITSELF, why))));
    }
}

/// The blocks that stand and that the kernel does not hold, with the time they have left.
fn missing(responder: &Responder, held: &Held, at: Timestamp) -> Vec<(BlockTarget, Span)> {
    let is_held = |target: &BlockTarget| held.blocks.binary_search_by(|(other, _)| other.cmp(target)).is_ok();
    let standing = responder.blocks().filter(|b| b.until().since(at) > SLACK && !is_held(&b.target));
    standing.map(|b| (b.target, b.until().since(at))).collect()
}

/// A block that only the kernel remembers.
fn inherited(target: BlockTarget, left: Span, at: Timestamp) -> Block {
    let (host, mac) = match target {
        BlockTarget::Mac(mac) => (HostKey::Mac(mac), Some(mac)),
        BlockTarget::MacAndAddress(mac, address) => (HostKey::from(address), Some(mac)),
        BlockTarget::Address(address) | BlockTarget::Anywhere(address) => (HostKey::from(address), None),
    };
    Block { host, mac, target, since: at, lasts: left, why: INHERITED.into(), automatic: true }
}
