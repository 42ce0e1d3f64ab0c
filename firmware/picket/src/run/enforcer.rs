//! The enforcer: decides by `policy`, carries out by nftables, reads back, and says what is true.

use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::time::{Duration, Instant};

use enforce::{EnforceError, Enforcer, Held};
use policy::{Block, BlockTarget, Decision, ManualBlock, NeverBlock, Responder, Suspect};
use store::Event;
use terms::{BlockState, HostKey, MacAddr, Span, Timestamp};

use super::event::{KernelState, News, Order, Suspected, Wish, Work, act, now};
use super::settings::{self, Settings};
use crate::config::Config;
use crate::control::{Response, views::BlockView};

/// How often the table is looked at, and the state told.
const LOOK: Duration = Duration::from_secs(1);
/// What events of the gateway's own acts name as their detector.
const ITSELF: &str = "gateway";

/// Decides and enforces until told to stop.
pub fn enforce(
    config: &Config,
    settings: Settings,
    work: &Receiver<Work>,
    news: &SyncSender<News>,
    orders: &SyncSender<Order>,
) {
    let responder = Responder::new(settings::responder(config), settings.secret[2]);
    let mut hand = Hand {
        kernel: None,
        responder,
        settings,
        block_for: config.respond.block_for,
        serving: Vec::new(),
        news: news.clone(),
        orders: orders.clone(),
        complaint: None,
    };
    hand.open();
    let mut look = Instant::now();
    loop {
        match work.recv_timeout(LOOK.saturating_sub(look.elapsed()).max(Duration::from_millis(1))) {
            Ok(Work::Suspect(suspected)) => hand.respond(*suspected),
            Ok(Work::Block(wish, reply)) => answer(&reply, hand.block(wish)),
            Ok(Work::Unblock(host, reply)) => answer(&reply, hand.unblock(host)),
            Ok(Work::Blocks(reply)) => answer(&reply, hand.blocks()),
            Ok(Work::Configure(config)) => hand.configure(config),
            Ok(Work::Serving(list)) => hand.serve(list),
            Ok(Work::Stop) | Err(RecvTimeoutError::Disconnected) => return,
            Err(RecvTimeoutError::Timeout) => {}
        }
        if look.elapsed() >= LOOK {
            look = Instant::now();
            hand.look();
        }
    }
}

/// Nobody may wait any more; then the answer is lost, which is theirs to say.
fn answer(reply: &SyncSender<Response>, response: Response) {
    let _gone = reply.try_send(response);
}

struct Hand {
    kernel: Option<Enforcer>,
    responder: Responder,
    settings: Settings,
    block_for: Span,
    serving: Vec<NeverBlock>,
    news: SyncSender<News>,
    orders: SyncSender<Order>,
    complaint: Option<String>,
}

impl Hand {
    /// Opens the way to the kernel, makes the table right, and takes over the blocks that it still holds.
    fn open(&mut self) {
        let opened = Enforcer::open().and_then(|mut kernel| {
            let ruleset = self.settings.ruleset(self.responder.never_block());
            let held = kernel.held()?;
            if let Err(error) = kernel.apply(&ruleset) {
                tracing::warn!("{error}; the table is made anew");
                kernel.rebuild(&ruleset, &held.blocks)?;
            }
            Ok((kernel, held))
        });
        match opened {
            Ok((kernel, held)) => {
                self.kernel = Some(kernel);
                if self.complaint.take().is_some() {
                    tracing::info!("the kernel takes rules again");
                }
                self.take_over(&held);
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
        self.end(refused, "it is on the never-block list");
    }

    fn complain(&mut self, error: &EnforceError) {
        let text = error.to_string();
        if self.complaint.as_ref() != Some(&text) {
            tracing::error!(
                "{text}; nothing can be blocked until this is mended, the bridge forwards on; trying again each second"
            );
        }
        self.complaint = Some(text);
    }

    fn respond(&mut self, suspected: Suspected) {
        let finding = &suspected.finding;
        let suspect = Suspect {
            host: finding.host,
            mac: Some(finding.mac).filter(|mac| *mac != MacAddr::ZERO),
            side: finding.side,
            level: finding.host_level,
            family: finding.family,
            at: now(),
            why: finding.to_string(),
            addresses_on_mac: suspected.addresses_on_mac,
        };
        match self.responder.respond(&suspect, suspected.known_lan_hosts) {
            Decision::Block(block) => {
                let (state, why) = self.carry_out(&block);
                self.tell(News::Event(Box::new(suspected.event(state, why))));
            }
            Decision::WouldBlock { why } => self.note(suspected, BlockState::WouldBlock, why),
            Decision::Never { why } | Decision::Grace { why } => self.note(suspected, BlockState::WouldBlock, why),
            Decision::HoldBack { why, tell: true } => {
                tracing::warn!("{why}");
                self.note(suspected, BlockState::WouldBlock, why);
            }
            Decision::Watch { why } => self.note(suspected, BlockState::Observed, why),
            Decision::HoldBack { tell: false, .. } | Decision::Already { .. } => {}
        }
    }

    /// Hands a block to the kernel and reads it back.
    fn carry_out(&mut self, block: &Block) -> (BlockState, String) {
        let Some(kernel) = &mut self.kernel else {
            self.responder.undo(&block.target);
            let why = self.complaint.clone().unwrap_or_default();
            return (BlockState::WouldBlock, format!("{}; not blocked: {why}", block.why));
        };
        if let Err(error) = kernel.block(&[(block.target, block.lasts)]) {
            self.responder.undo(&block.target);
            return (BlockState::WouldBlock, format!("{}; not blocked: {error}", block.why));
        }
        self.mark(block.host, true);
        tracing::info!(host = %block.host, target = %block.target, seconds = block.lasts.secs(), "blocked: {}", block.why);
        self.tell(News::Blocked(block.clone()));
        let held = self.kernel.as_mut().and_then(|k| k.held().ok());
        let confirmed = held.is_some_and(|held| held.blocks.iter().any(|(target, _)| *target == block.target));
        (if confirmed { BlockState::Confirmed } else { BlockState::Blocked }, block.why.clone())
    }

    fn block(&mut self, wish: Wish) -> Response {
        let Wish { host, mac, side, addresses_on_mac, lasts, why } = wish;
        let at = now();
        let lasts = lasts.unwrap_or(self.block_for);
        let manual = ManualBlock { host, mac, side, addresses_on_mac, lasts, why, at };
        let block = match self.responder.manual(manual) {
            Ok(block) => block,
            Err(refusal) => return Response::Error(refusal.to_string()),
        };
        let (state, why) = self.carry_out(&block);
        self.tell(News::Event(Box::new(act(at, Some(&block), block.host, state, "admin", why.clone()))));
        if state >= BlockState::Blocked { Response::of(&view(&block, state, at)) } else { Response::Error(why) }
    }

    fn unblock(&mut self, host: HostKey) -> Response {
        let at = now();
        let Some(block) = self.responder.unblock(host, at) else {
            return Response::Error(format!("{host} is not blocked; picket blocks lists who is"));
        };
        if let Some(kernel) = &mut self.kernel
            && let Err(error) = kernel.unblock(&[block.target])
        {
            return Response::Error(format!("{host} may still be blocked: {error}"));
        }
        self.freed(&block);
        let why = format!("unblocked by an admin; it was blocked because: {}", block.why);
        self.tell(News::Event(Box::new(act(at, Some(&block), host, BlockState::Observed, "admin", why))));
        Response::of(&view(&block, BlockState::Blocked, at))
    }

    /// The blocks in force, each with its state as the kernel tells it now.
    fn blocks(&mut self) -> Response {
        let at = now();
        let held = self.kernel.as_mut().and_then(|k| k.held().ok()).unwrap_or_default();
        let state = |block: &Block| {
            let there = held.blocks.iter().any(|(target, _)| *target == block.target);
            if there { BlockState::Confirmed } else { BlockState::Blocked }
        };
        let blocks = self.responder.blocks().filter(|b| b.until() > at);
        Response::of(&blocks.map(|block| view(block, state(block), at)).collect::<Vec<_>>())
    }

    fn configure(&mut self, config: policy::ResponderConfig) {
        self.block_for = config.block_for;
        let ended = self.responder.reconfigure(config);
        self.end(ended, "the new configuration never blocks it");
        self.renew();
    }

    /// Takes over who serves the network.
    fn serve(&mut self, list: Vec<NeverBlock>) {
        if list == self.serving {
            return;
        }
        self.serving.clone_from(&list);
        let all = self.settings.own.iter().copied().chain(list).collect();
        let ended = self.responder.set_never(all);
        self.end(ended, "it serves the network");
        self.renew();
    }

    fn end(&mut self, ended: Vec<Block>, why: &str) {
        for block in ended {
            if let Some(Err(error)) = self.kernel.as_mut().map(|k| k.unblock(&[block.target])) {
                tracing::warn!("{}: {error}", block.host);
            }
            self.freed(&block);
            let why = format!("no longer blocked: {why}");
            self.tell(News::Event(Box::new(act(now(), Some(&block), block.host, BlockState::Observed, ITSELF, why))));
        }
    }

    /// Brings chains and never-block sets up to date; learned state stays.
    fn renew(&mut self) {
        let ruleset = self.settings.ruleset(self.responder.never_block());
        if let Some(Err(error)) = self.kernel.as_mut().map(|kernel| kernel.apply(&ruleset)) {
            self.complain(&error);
            self.kernel = None;
        }
    }

    /// Each second: blocks that ended, a table that somebody changed, the state for those who ask.
    fn look(&mut self) {
        for block in self.responder.expire(now()) {
            self.freed(&block);
        }
        if self.kernel.is_none() {
            self.open();
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
        let dropped = held.dropped.into_iter().map(|d| (d.name, d.packets)).collect();
        let blocks = self.responder.blocks().count() as u64;
        let state =
            KernelState { blocks, intact: held.table, dropped, warnings: self.complaint.iter().cloned().collect() };
        self.tell(News::Kernel(state));
    }

    /// The table is missing or was changed by somebody else: it is made anew, with every block and the time it has left.
    fn restore_table(&mut self) {
        let at = now();
        let ruleset = self.settings.ruleset(self.responder.never_block());
        let standing = self.responder.blocks().filter(|b| b.until() > at);
        let blocks: Vec<(BlockTarget, Span)> = standing.map(|b| (b.target, b.until().since(at))).collect();
        let Some(kernel) = &mut self.kernel else { return };
        let missing = kernel.held().is_ok_and(|held| !held.table);
        let what = if missing { "missing" } else { "changed" };
        let done = kernel.rebuild(&ruleset, &blocks);
        let mut why = format!("table bridge picket was {what} by somebody else; restored with {} blocks", blocks.len());
        if let Err(error) = done {
            why = format!("table bridge picket was {what} by somebody else and could not be restored: {error}");
            self.complain(&error);
            self.kernel = None;
        }
        tracing::warn!("{why}");
        let this_box = self.settings.own.iter().find_map(|own| match own {
            NeverBlock::Mac(mac) => Some(*mac),
            NeverBlock::Address(_) => None,
        });
        let host = HostKey::Mac(this_box.unwrap_or_default());
        self.tell(News::Event(Box::new(act(at, None, host, BlockState::Observed, ITSELF, why))));
    }

    fn freed(&mut self, block: &Block) {
        self.mark(block.host, false);
        self.tell(News::Freed(block.host));
    }

    fn note(&mut self, suspected: Suspected, state: BlockState, why: String) {
        let event: Event = suspected.event(state, why);
        self.tell(News::Event(Box::new(event)));
    }

    fn mark(&self, host: HostKey, blocked: bool) {
        if self.orders.try_send(Order::Mark(host, blocked)).is_err() {
            tracing::warn!(%host, "the inspector is behind and did not hear of a block");
        }
    }

    fn tell(&self, news: News) {
        if self.news.try_send(news).is_err() {
            tracing::warn!("the keeper is behind: an event was acted on but is not in the history");
        }
    }
}

/// A block that only the kernel remembers.
fn inherited(target: BlockTarget, left: Span, at: Timestamp) -> Block {
    let (host, mac) = match target {
        BlockTarget::Mac(mac) => (HostKey::Mac(mac), Some(mac)),
        BlockTarget::MacAndAddress(mac, address) => (HostKey::from(address), Some(mac)),
        BlockTarget::Address(address) | BlockTarget::Anywhere(address) => (HostKey::from(address), None),
    };
    Block {
        host,
        mac,
        target,
        since: at,
        lasts: left,
        why: "blocked before the gateway started".into(),
        automatic: true,
    }
}

fn view(block: &Block, state: BlockState, at: Timestamp) -> BlockView {
    BlockView {
        host: block.host.to_string(),
        mac: block.mac.map(|mac| mac.to_string()),
        target: block.target.to_string(),
        state: state.as_str().into(),
        why: block.why.clone(),
        since: block.since.as_secs_f64(),
        until: block.until().as_secs_f64(),
        left: Timestamp::EPOCH.as_secs_f64() + (block.until().as_secs_f64() - at.as_secs_f64()).max(0.0),
        automatic: block.automatic,
    }
}
