//! What is kept of the kernel's table for the next start, while there is no gateway yet.

use enforce::Kept;

use super::super::event::{News, now};
use super::Hand;

impl Hand {
    /// Tells the keeper what the kernel holds, where that is not what it heard last. A policy on trial is the keeper's to hold back.
    pub(super) fn tell_what_holds(&mut self) {
        let Some(ruleset) = self.stands.as_ref().filter(|_| self.unkept.get() && self.complaint.is_none()) else {
            return;
        };
        let at = now();
        let blocks = self.responder.blocks().filter(|block| block.until() > at);
        let kept = Kept {
            at,
            failure: self.fail.of(self.policy.posture),
            ruleset: ruleset.clone(),
            blocks: blocks.map(|block| (block.target, block.until())).collect(),
        };
        // A keeper that is behind hears of it with the next look.
        self.unkept.set(self.news.try_send(News::Holds(Box::new(kept))).is_err());
    }
}
