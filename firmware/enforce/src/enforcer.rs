//! The one that owns the way to nftables.

use std::collections::BTreeMap;
use std::net::IpAddr;

use nftnl::{ProtoFamily, Table};
use policy::{BlockTarget, RuleNumber, Ruleset};
use terms::{MacAddr, Span, Timestamp};

use crate::census::Holder;
use crate::change::{self, Outline, Standing};
use crate::connections;
use crate::draft::Draft;
use crate::error::EnforceError;
use crate::held::{self, Held};
use crate::key::Key;
use crate::layout::{Set, TABLE_C};
use crate::message::{self, Act};
use crate::ruleset::{Tracking, Wanted};
use crate::shape::{self, Changed, Shape};
use crate::socket::Socket;
use crate::talk::Talk;

/// Carries rulesets and blocks to the kernel and reads back what it holds.
///
/// Owns one netlink socket in the network namespace of the thread that opened it. Every change is one transaction.
pub struct Enforcer {
    socket: Socket,
    removal: Removal,
    tracking: Tracking,
    applied: Option<Shape>,
    /// The ruleset that was applied last.
    outline: Option<Outline>,
}

/// What a ruleset comes to before it is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Messages in the transaction.
    pub messages: usize,
    /// The request's length.
    pub octets: usize,
    /// Rules that the table will hold.
    pub rules: usize,
}

/// How an element goes that may be missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Removal {
    /// By the message made for it.
    Destroy,
    /// Added first and then removed, for kernels before 6.3.
    AddAndRemove,
}

/// Builds a ruleset's transaction without a kernel.
///
/// # Errors
/// `LinkName` if one of the links cannot exist.
pub fn plan(ruleset: &Ruleset) -> Result<Plan, EnforceError> {
    let mut draft = Draft::new();
    let changed =
        change::whole(&mut draft, &Wanted::of(ruleset, Tracking::Map)?, false, &Standing::default(), Timestamp::EPOCH);
    Ok(Plan { messages: draft.len(), octets: draft.finish().octets.len(), rules: changed.chains.values().sum() })
}

impl Enforcer {
    /// Opens the way to nftables; changes nothing.
    ///
    /// # Errors
    /// `Unreachable` if the kernel has no nftables, `Refused` (see [`EnforceError::is_permission`]) without `CAP_NET_ADMIN`.
    pub fn open() -> Result<Self, EnforceError> {
        let mut socket = Socket::open()?;
        let mut draft = Draft::new();
        draft.write("the right to change nftables", &message::destroy_table("picket_missing"));
        let removal = match socket.commit(&draft.finish()) {
            Ok(()) => Removal::Destroy,
            Err(EnforceError::Refused { errno: libc::EINVAL | libc::EOPNOTSUPP, .. }) => Removal::AddAndRemove,
            Err(error) => return Err(error),
        };
        Ok(Self { socket, removal, tracking: Tracking::Map, applied: None, outline: None })
    }

    /// The same with conversations tracked otherwise; a kernel that cannot do it refuses the ruleset.
    #[must_use]
    pub fn tracking(mut self, tracking: Tracking) -> Self {
        self.tracking = tracking;
        self
    }

    /// Makes the table equal the ruleset: what was learned (blocks with the time left, conversations, names, counters) stays, and
    /// where nobody else changed any ruleset since the last time only the difference is sent. What is alive for some time is so from
    /// `at` on.
    ///
    /// # Errors
    /// `LinkName` before anything is sent; `Refused` with nothing changed, which for an object of the same name but another form
    /// (left by another version) is mended by [`Self::rebuild`]; `Unconfirmed` if what was read back lacks rules; `Foreign` if the
    /// table holds chains, rules or sets of somebody else besides, which [`Self::rebuild`] takes out.
    pub fn apply(&mut self, ruleset: &Ruleset, at: Timestamp) -> Result<(), EnforceError> {
        let wanted = Wanted::of(ruleset, self.tracking)?;
        let mut draft = Draft::new();
        let known = self.outline.take().filter(|outline| outline.links == wanted.links);
        let now = shape::generation(&mut self.socket)?;
        if let (Some(before), Some(shape)) = (known, self.applied.take_if(|shape| shape.generation == now)) {
            let changed = before.change(&mut draft, &wanted, at, &|draft, set, keys| self.take_out(draft, set, keys));
            if draft.len() == 0 {
                (self.applied, self.outline) = (Some(shape), Some(before));
                return Ok(());
            }
            return self.commit_ruleset(draft, wanted, &changed, Some(shape));
        }
        let armed = !held::blocks(&mut self.socket)?.is_empty();
        let standing = held::standing(&mut self.socket)?;
        let changed = change::whole(&mut draft, &wanted, armed, &standing, at);
        self.commit_ruleset(draft, wanted, &changed, None)
    }

    /// Throws the table away and makes it anew with these blocks, in one transaction; the counters begin at nothing.
    ///
    /// # Errors
    /// As [`Self::apply`].
    pub fn rebuild(
        &mut self,
        ruleset: &Ruleset,
        blocks: &[(BlockTarget, Span)],
        at: Timestamp,
    ) -> Result<(), EnforceError> {
        let wanted = Wanted::of(ruleset, self.tracking)?;
        let mut draft = Draft::new();
        clear(&mut draft);
        let changed = change::whole(&mut draft, &wanted, !blocks.is_empty(), &Standing::default(), at);
        for (set, elements) in by_set(blocks.iter().map(|(target, lasts)| (*target, Some(*lasts)))) {
            draft.elements(Act::Add, set, &elements);
        }
        self.commit_ruleset(draft, wanted, &changed, None)
    }

    /// Removes the table with everything in it; it may be missing.
    ///
    /// # Errors
    /// `Refused` with nothing changed.
    pub fn remove(&mut self) -> Result<(), EnforceError> {
        let mut draft = Draft::new();
        clear(&mut draft);
        (self.applied, self.outline) = (None, None);
        self.socket.commit(&draft.finish())
    }

    /// Blocks targets for so long from now on, however many, all of them or none. A target that is blocked already gets the new
    /// time; of a target named twice the last counts.
    ///
    /// **Bounds**: `BLOCKS_A_SET` a kind of target; one millisecond to ten years.
    ///
    /// # Errors
    /// `Refused` with nothing changed: it names the set, and the target where the kernel says it. A missing table or a full set is
    /// one such case.
    pub fn block(&mut self, blocks: &[(BlockTarget, Span)]) -> Result<(), EnforceError> {
        let mut draft = Draft::new();
        for (set, elements) in by_set(blocks.iter().map(|(target, lasts)| (*target, Some(*lasts)))) {
            // Kernels before 6.12 leave the time of an element that is there as it is: it has to go first.
            self.take_out(&mut draft, set, &elements);
            draft.elements(Act::Add, set, &elements);
        }
        let links = self.outline.as_ref().filter(|_| draft.len() > 0).map(|outline| outline.links);
        if let Some(links) = &links {
            draft.elements(Act::Add, Set::Armed, links);
        }
        self.commit(draft)?;
        if let Some(links) = &links {
            self.expect(links);
        }
        Ok(())
    }

    /// Lets every frame pass with one look again, where no block stands any more; the next one arms the links.
    ///
    /// # Errors
    /// `Refused` with nothing changed.
    pub fn disarm(&mut self) -> Result<(), EnforceError> {
        let armed = self.applied.as_ref().is_some_and(|applied| applied.armed != shape::NONE_ARMED);
        if !armed || !held::blocks(&mut self.socket)?.is_empty() {
            return Ok(());
        }
        let mut draft = Draft::new();
        draft.refill(Set::Armed, &[]);
        self.commit(draft)?;
        self.expect(&[]);
        Ok(())
    }

    /// Ends blocks, all of them or none; a target that is not blocked is no error.
    ///
    /// # Errors
    /// `Refused` with nothing changed, as when the table is missing on a kernel before 6.3.
    pub fn unblock(&mut self, targets: &[BlockTarget]) -> Result<(), EnforceError> {
        let mut draft = Draft::new();
        for (set, elements) in by_set(targets.iter().map(|target| (*target, None))) {
            self.take_out(&mut draft, set, &elements);
        }
        self.commit(draft)
    }

    /// Ends the conversations for which this is so; says how many.
    ///
    /// # Errors
    /// `Refused` with nothing changed, or as [`Self::held`]; where the kernel tracks connections, some may have ended.
    pub fn end(&mut self, is_over: impl Fn(&Talk) -> bool) -> Result<usize, EnforceError> {
        if self.tracking == Tracking::Kernel {
            return connections::end(&mut self.socket, is_over);
        }
        let (mut draft, mut count) = (Draft::new(), 0);
        for set in [Set::TalkV4, Set::TalkV6] {
            let keys = held::elements(&mut self.socket, set)?;
            let over = keys.iter().filter(|(key, _)| Talk::of_key(set, key).is_some_and(|talk| is_over(&talk)));
            let over: Vec<_> = over.filter_map(|(key, _)| Some((Key::of_octets(key)?, None))).collect();
            count += over.len();
            // One that ended by itself meanwhile is no error.
            draft.elements(if self.removal == Removal::Destroy { Act::Destroy } else { Act::Remove }, set, &over);
        }
        self.commit(draft)?;
        Ok(count)
    }

    /// Tells the kernel what devices were told: an address, for a name of a rule, for so long.
    ///
    /// # Errors
    /// `Refused` with nothing changed, as when a set is full.
    pub fn name(&mut self, told: &[(MacAddr, IpAddr, RuleNumber, Span)]) -> Result<(), EnforceError> {
        let mut sets = BTreeMap::<_, BTreeMap<Key, Option<Span>>>::new();
        for (mac, address, number, lasts) in told {
            let (set, key) = Key::of_name(*mac, *address, *number);
            sets.entry(set).or_default().insert(key, Some(*lasts));
        }
        let mut draft = Draft::new();
        for (set, elements) in sets {
            let elements: Vec<_> = elements.into_iter().collect();
            self.take_out(&mut draft, set, &elements);
            draft.elements(Act::Add, set, &elements);
        }
        self.commit(draft)
    }

    /// Lets those begin no new conversations for so long who hold as many as they may.
    ///
    /// # Errors
    /// `Refused` with nothing changed.
    pub fn hold_back(&mut self, holders: &[Holder], lasts: Span) -> Result<(), EnforceError> {
        let elements: Vec<_> = holders.iter().map(|holder| (holder.key(), Some(lasts))).collect();
        let mut draft = Draft::new();
        self.take_out(&mut draft, Set::AtCap, &elements);
        draft.elements(Act::Add, Set::AtCap, &elements);
        self.commit(draft)
    }

    /// Lets those begin conversations again who hold fewer by now.
    ///
    /// # Errors
    /// `Refused` with nothing changed.
    pub fn let_begin(&mut self, holders: &[Holder]) -> Result<(), EnforceError> {
        let elements: Vec<_> = holders.iter().map(|holder| (holder.key(), None)).collect();
        let mut draft = Draft::new();
        self.take_out(&mut draft, Set::AtCap, &elements);
        self.commit(draft)
    }

    /// Reads back everything that the kernel holds; the table's form only if any ruleset changed since it was read.
    ///
    /// # Errors
    /// `Restless` if others change the ruleset all the time, `Unconfirmed` if an answer did not come whole.
    pub fn held(&mut self) -> Result<Held, EnforceError> {
        let now = shape::generation(&mut self.socket)?;
        if self.applied.as_ref().is_some_and(|applied| applied.generation == now) {
            return held::read(&mut self.socket, self.applied.as_ref());
        }
        let shape = Shape::read(&mut self.socket)?;
        held::read(&mut self.socket, shape.as_ref())
    }

    /// Whether the table still is as it was read back after the last [`Self::apply`] or [`Self::rebuild`]; `false` before the first.
    ///
    /// One small request while nobody changes any ruleset; blocks and counters do not count as changes.
    ///
    /// # Errors
    /// As [`Self::held`].
    pub fn intact(&mut self) -> Result<bool, EnforceError> {
        let Some(applied) = &self.applied else {
            return Ok(false);
        };
        if shape::generation(&mut self.socket)? == applied.generation {
            return Ok(true);
        }
        match Shape::read(&mut self.socket)? {
            Some(shape) if shape.is_as(applied) => {
                self.applied = Some(shape);
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    /// The same without the messages that came with Linux 6.3, so that tests walk the older way too.
    #[doc(hidden)]
    #[must_use]
    pub fn as_before_linux_6_3(mut self) -> Self {
        self.removal = Removal::AddAndRemove;
        self
    }

    /// Which links should be armed from now on.
    fn expect(&mut self, links: &[(Key, Option<Span>)]) {
        if let Some(applied) = &mut self.applied {
            applied.armed = shape::armed(links.iter().map(|(key, _)| key.octets()));
        }
    }

    /// Sends a ruleset, or what changes from the one that `before` is the shape of, and reads back what it was about.
    fn commit_ruleset(
        &mut self,
        draft: Draft,
        wanted: Wanted,
        changed: &Changed,
        before: Option<Shape>,
    ) -> Result<(), EnforceError> {
        (self.applied, self.outline) = (None, Some(Outline::of(wanted)));
        self.socket.commit(&draft.finish())?;
        let is_whole = before.is_none();
        let shape = match before {
            Some(before) => before.after(&mut self.socket, changed)?,
            None => Shape::read(&mut self.socket)?,
        };
        let expected = changed.chains.values().sum();
        let acknowledged = shape.as_ref().map_or(0, |shape| shape.rules_of(&changed.chains));
        if acknowledged < expected {
            return Err(EnforceError::Unconfirmed { acknowledged, expected });
        }
        let parts = shape.as_ref().map_or(0, Shape::parts);
        let foreign = parts.saturating_sub(expected + changed.chains.len() + Set::ALL.len());
        if is_whole && foreign > 0 {
            return Err(EnforceError::Foreign(foreign));
        }
        self.applied = shape;
        Ok(())
    }

    /// Sends a change of elements alone. Where nobody else changed any ruleset meanwhile, the table's form is known still, and need not
    /// be read again.
    fn commit(&mut self, draft: Draft) -> Result<(), EnforceError> {
        if draft.len() == 0 {
            return Ok(());
        }
        self.socket.commit(&draft.finish())?;
        if let Some(applied) = &mut self.applied
            && shape::generation(&mut self.socket).is_ok_and(|now| now == applied.next_generation())
        {
            applied.generation = applied.next_generation();
        }
        Ok(())
    }

    fn take_out(&self, draft: &mut Draft, set: Set, elements: &[(Key, Option<Span>)]) {
        match self.removal {
            Removal::Destroy => draft.elements(Act::Destroy, set, elements),
            Removal::AddAndRemove => {
                draft.elements(Act::Add, set, elements);
                draft.elements(Act::Remove, set, elements);
            }
        }
    }
}

impl std::fmt::Debug for Enforcer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Enforcer")
            .field("removal", &self.removal)
            .field("applied", &self.applied)
            .finish_non_exhaustive()
    }
}

/// Removes the table, which may be missing: it is added first.
fn clear(draft: &mut Draft) {
    let table = Table::new(TABLE_C, ProtoFamily::Bridge);
    draft.add("table bridge picket", &table);
    draft.remove("table bridge picket", &table);
}

/// Elements by the set that holds them; of a target named twice the last stays.
fn by_set(targets: impl Iterator<Item = (BlockTarget, Option<Span>)>) -> BTreeMap<Set, Vec<(Key, Option<Span>)>> {
    let unique: BTreeMap<_, _> = targets.map(|(target, lasts)| (Key::of_block(target), lasts)).collect();
    let mut sets = BTreeMap::<_, Vec<_>>::new();
    for ((set, key), lasts) in unique {
        sets.entry(set).or_default().push((key, lasts));
    }
    sets
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::IpAddr;

    #[test]
    fn of_a_target_named_twice_the_last_counts() {
        let target = BlockTarget::Address("10.0.0.1".parse::<IpAddr>().unwrap());
        let sets = by_set([(target, Some(Span::from_secs(1))), (target, Some(Span::from_secs(2)))].into_iter());
        assert_eq!(sets[&Set::BlockedV4], [(Key::of_block(target).1, Some(Span::from_secs(2)))]);
    }

    #[test]
    fn a_plan_needs_no_kernel() {
        let ruleset = Ruleset { lan: "lan0".into(), uplink: "up0".into(), never_block: vec![], plan: None };
        let plan = plan(&ruleset).unwrap();
        assert!(plan.messages > plan.rules && plan.octets > 1_000, "{plan:?}");
    }
}
