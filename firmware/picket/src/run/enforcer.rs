//! The enforcer: decides by `policy`, carries out by nftables, reads back, and says what is true.

mod kept;
mod names;
mod policy;
mod room;
mod table;

use std::cell::Cell;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::time::{Duration, Instant};

use ::policy::{
    Block, Compiler, Decision, ManualBlock, NeverBlock, Policy, Responder, ResponderConfig, Ruleset, Suspect,
};
use enforce::Enforcer;
use store::Event;
use terms::{BlockState, HostKey, MacAddr, Span, Timestamp};

use super::event::{News, Order, Suspected, Wish, Work, act, now};
use super::pulse::Pulse;
use super::settings::{self, Settings};
use crate::config::{Config, FailConfig};
use crate::control::{Response, views::BlockView};
use names::TellBook;
use room::Refusals;

/// How often the table is looked at, and the state told.
const LOOK: Duration = Duration::from_secs(1);
/// What events of the gateway's own acts name as their detector.
const ITSELF: &str = "gateway";

/// Decides and enforces until told to stop.
pub fn enforce(
    config: &Config,
    settings: Settings,
    work: &Receiver<Work>,
    (news, orders): (&SyncSender<News>, &SyncSender<Order>),
    pulse: &Pulse,
) {
    let configured = settings::responder(config);
    let responder = Responder::new(configured.clone(), settings.secret[2]);
    let mut hand = Hand {
        kernel: None,
        responder,
        settings,
        block_for: config.respond.block_for,
        serving: Vec::new(),
        policy: Arc::new(Policy::empty(configured.posture)),
        compiler: Compiler::default(),
        applied: false,
        configured,
        fail: config.fail.clone(),
        stands: None,
        unkept: Cell::new(true),
        opens: None,
        told: TellBook::default(),
        refusals: Refusals::default(),
        guests: Vec::new(),
        news: news.clone(),
        orders: orders.clone(),
        complaint: None,
    };
    // What was learnt about the network is not swapped out and in again: the first table has the policy in it.
    let first = hand.first_policy(work);
    hand.open();
    hand.follow_names(None);
    let mut look = Instant::now();
    for work in first {
        hand.work(work);
    }
    loop {
        pulse.beat();
        match work.recv_timeout(LOOK.saturating_sub(look.elapsed()).max(Duration::from_millis(1))) {
            Ok(Work::Stop) | Err(RecvTimeoutError::Disconnected) => return,
            Ok(work) => hand.work(work),
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
    /// The policy in force.
    policy: Arc<Policy>,
    /// What it comes to in the kernel.
    compiler: Compiler,
    /// Whether somebody applied it; otherwise its posture is the configuration's.
    applied: bool,
    configured: ResponderConfig,
    /// What passes while the gateway does not run.
    fail: FailConfig,
    /// The ruleset that the kernel confirmed, while it stands.
    stands: Option<Ruleset>,
    /// Whether the keeper has yet to hear of what the kernel holds.
    unkept: Cell<bool>,
    /// When a rule's window opens next.
    opens: Option<Timestamp>,
    /// What devices were told for the names of rules.
    told: TellBook,
    /// Who was refused new conversations, as far as it was told.
    refusals: Refusals,
    guests: Vec<NeverBlock>,
    news: SyncSender<News>,
    orders: SyncSender<Order>,
    complaint: Option<String>,
}

impl Hand {
    fn work(&mut self, work: Work) {
        match work {
            Work::Suspect(suspected) => self.respond(*suspected),
            Work::Block(wish, reply) => answer(&reply, self.block(wish)),
            Work::Unblock(host, reply) => answer(&reply, self.unblock(host)),
            Work::Blocks(reply) => answer(&reply, self.blocks()),
            Work::Configure(config, fail) => self.configure(config, fail),
            Work::Serving(list) => self.serve(list),
            Work::Own(list) => self.own(list),
            Work::Guests(list) => self.host_guests(list),
            Work::Remembered(blocks) => self.remember(blocks),
            Work::Policy(policy, reply) => {
                let done = self.follow(policy);
                reply.iter().for_each(|reply| answer(reply, done.clone()));
            }
            Work::Told(told) => self.hear_told(*told),
            Work::Shown(shown) => self.hear_shown(&shown),
            Work::Counted(count) => self.hear_count(&count),
            Work::Explain(asking, reply) => answer(&reply, self.explain(&asking)),
            Work::Stop => {}
        }
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
        let mut done = kernel.block(&[(block.target, block.lasts)]);
        if done.is_err() && matches!(kernel.intact(), Ok(false)) {
            // The table itself is at fault, not this block, which is among those that are put back.
            self.restore_table();
            done = self.kernel.as_mut().map_or(done, |kernel| kernel.block(&[(block.target, block.lasts)]));
        }
        if let Err(error) = done {
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

    /// Lifts every block of a host, by hardware address and by address.
    fn unblock(&mut self, host: HostKey) -> Response {
        let at = now();
        let mut lifted = None;
        while let Some(block) = self.responder.unblock(host, at) {
            if let Some(Err(error)) = self.kernel.as_mut().map(|kernel| kernel.unblock(&[block.target])) {
                return Response::Error(format!("{host} may still be blocked: {error}"));
            }
            self.freed(&block);
            let why = format!("unblocked by an admin; it was blocked because: {}", block.why);
            self.tell(News::Event(Box::new(act(at, Some(&block), block.host, BlockState::Observed, "admin", why))));
            lifted.get_or_insert(block);
        }
        match lifted {
            Some(block) => Response::of(&view(&block, BlockState::Blocked, at)),
            None => Response::Error(format!("{host} is not blocked; picket blocks lists who is")),
        }
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

    fn configure(&mut self, config: ResponderConfig, fail: FailConfig) {
        self.block_for = config.block_for;
        self.fail = fail;
        self.unkept.set(true);
        self.configured = config;
        if !self.applied {
            Arc::make_mut(&mut self.policy).posture = self.configured.posture;
        }
        self.take_posture("the new configuration never blocks it");
        self.renew();
    }

    /// Takes over who serves the network.
    fn serve(&mut self, list: Vec<NeverBlock>) {
        if list == self.serving {
            return;
        }
        self.serving = list;
        self.learn("it serves the network");
    }

    /// Takes over the box's own addresses, which may change while it runs.
    fn own(&mut self, list: Vec<NeverBlock>) {
        self.settings.own = list;
        self.learn("it is this box");
    }

    /// Takes over from where admins are logged in.
    fn host_guests(&mut self, list: Vec<NeverBlock>) {
        if list == self.guests {
            return;
        }
        self.guests = list;
        self.learn("an admin is logged in from there");
    }

    fn learn(&mut self, why: &str) {
        let all = self.settings.own.iter().chain(&self.serving).chain(&self.guests).copied().collect();
        let ended = self.responder.set_never(all);
        self.end(ended, why);
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
        if matches!(news, News::Blocked(_) | News::Freed(_)) {
            self.unkept.set(true);
        }
        if self.news.try_send(news).is_err() {
            tracing::warn!("the keeper is behind: an event was acted on but is not in the history");
        }
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
