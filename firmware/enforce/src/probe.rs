//! Which features of nftables the running kernel has.
//!
//! Each feature is tried in a transaction of its own that ends with a message which must fail: the kernel checks every object and
//! then makes none of them, so that a probe changes nothing, even if the program dies meanwhile.

use std::ffi::CStr;

use nftnl::expr::{Conntrack, Expression, IcmpCode, LLHeaderField, Payload, RejectionType, Verdict};
use nftnl::{Chain, ChainType, Hook, ProtoFamily, Rule, Table};
use nftnl_sys as sys;
use nftnl_sys::libc;

use crate::attribute::Writer;
use crate::connections::{self, CONNECTIONS_NEEDED};
use crate::draft::Draft;
use crate::error::EnforceError;
use crate::expression::{Raw, Step, Value};
use crate::layout::Set;
use crate::message::{self, number};
use crate::part::{Part, Rate};
use crate::ruleset::Tracking;
use crate::socket::Socket;

const TABLE: &CStr = c"picket_probe";
const SEEN: &CStr = c"seen";
/// The object of the message that must fail.
const END: &str = "the end of the probe";
/// What Picket does where rules cannot fill sets.
const NO_DENY: &str = "posture enforce is refused: it needs a map of conversations that rules fill";
/// What Picket does without any of its own sets and rules.
const NOTHING: &str = "nothing: without it no host can be blocked, Picket only watches";

const TRACKED: &str = "connection tracking in the bridge";
const COUNTED: &str = "connections counted by rules";

/// Who could know the conversations under way, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Who.
    pub tracking: Tracking,
    /// What the kernel lacks, or the room that it has.
    pub why: String,
}

/// One feature of nftables in the bridge family.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Feature {
    /// What it is.
    pub name: &'static str,
    /// Whether the running kernel has it.
    pub present: bool,
    /// What Picket does where it is missing.
    pub instead: &'static str,
    /// The kernel's reason where it is missing.
    pub why: Option<String>,
}

/// What is tried.
enum Trial {
    /// A set with such flags.
    Set(i32),
    /// A rule with this expression, in a chain at this hook.
    Rule(Hook, Box<dyn Expression>),
    /// The same where frames cross the bridge, with a set whose elements do not end by themselves.
    Lasting(Box<dyn Expression>),
    /// A message that nftnl has no words for.
    Message(Vec<u8>),
}

/// Tries each feature; the first line tells whether nftables answers at all, and is the only one if it does not.
#[must_use]
pub fn probe() -> Vec<Feature> {
    let mut socket = match Socket::open() {
        Ok(socket) => socket,
        Err(error) => return vec![Feature::new("nftables", NOTHING, Err(error))],
    };
    let mut found = Vec::new();
    for (name, instead, trial) in trials() {
        let outcome = socket.commit(&draft(&trial).finish());
        found.push(Feature::new(name, instead, outcome));
        if found.len() == 1 && !found[0].present {
            break;
        }
    }
    found
}

/// Who could know the conversations under way here: the kernel's connection tracking where it knows the bridge and has room for as many
/// as Picket's own map, else that map. What finds no room there is dropped whoever sends it, and one device could take all of it.
#[must_use]
pub fn tracking() -> Found {
    let map = |why| Found { tracking: Tracking::Map, why };
    let mut socket = match Socket::open() {
        Ok(socket) => socket,
        Err(error) => return map(error.to_string()),
    };
    for (name, instead, trial) in trials().into_iter().filter(|(name, ..)| [TRACKED, COUNTED].contains(name)) {
        let found = Feature::new(name, instead, socket.commit(&draft(&trial).finish()));
        if let Some(why) = found.why {
            return map(format!("the kernel has no {name}: {why}"));
        }
    }
    match connections::room(&mut socket) {
        Ok(room) if room >= CONNECTIONS_NEEDED => {
            Found { tracking: Tracking::Kernel, why: format!("it has room for {room} connections") }
        }
        Ok(room) => map(format!(
            "the kernel has room for {room} connections, and {CONNECTIONS_NEEDED} are needed (nf_conntrack_max)"
        )),
        Err(error) => map(format!("the kernel tells nobody of its connections: {error}")),
    }
}

impl Feature {
    fn new(name: &'static str, instead: &'static str, outcome: Result<(), EnforceError>) -> Self {
        let why = match outcome {
            Ok(()) => None,
            Err(EnforceError::Refused { object, .. }) if object == END => None,
            Err(EnforceError::Refused { errno, .. }) => Some(std::io::Error::from_raw_os_error(errno).to_string()),
            Err(error) => Some(error.to_string()),
        };
        Self { name, present: why.is_none(), instead, why }
    }
}

fn trials() -> Vec<(&'static str, &'static str, Trial)> {
    use Hook::{Forward, In, PreRouting};
    let (timed, by_rules) = (libc::NFT_SET_TIMEOUT, libc::NFT_SET_TIMEOUT | libc::NFT_SET_EVAL);
    let destroy = message::destroy_table("picket_missing");
    vec![
        ("nftables", NOTHING, Trial::Set(0)),
        ("chains in the bridge's way", NOTHING, Trial::Rule(Forward, Box::new(Verdict::Return))),
        ("chains for frames to the box", NOTHING, Trial::Rule(In, Box::new(Verdict::Return))),
        ("sets whose elements end", NOTHING, Trial::Set(timed)),
        ("named counters", NOTHING, Trial::Rule(Forward, Box::new(Part::Count(c"blocked_lan".to_owned())))),
        ("removal of what may be missing", "adds and removes in one transaction", Trial::Message(destroy)),
        ("sets filled by rules", NO_DENY, Trial::Set(by_rules)),
        ("updates from a rule", NO_DENY, Trial::Rule(Forward, Box::new(update_seen()))),
        (
            "rate limits",
            "nothing needs it yet",
            Trial::Rule(Forward, Box::new(Part::Few(Rate { per_second: 10, burst: 5 }))),
        ),
        (
            "log groups",
            "blocked frames are counted, not copied",
            Trial::Rule(Forward, Box::new(Part::Tell { group: 1, words: c"picket".to_owned(), octets: 64 })),
        ),
        (
            TRACKED,
            "replies pass by Picket's own map of conversations",
            Trial::Rule(Forward, Box::new(Conntrack::State)),
        ),
        (COUNTED, "replies pass by Picket's own map of conversations", Trial::Lasting(Box::new(hold_seen()))),
        ("name of the bridge", "rules name the two links", Trial::Rule(Forward, Box::new(bridge_name()))),
        ("reject", "blocked frames are dropped without an answer", Trial::Rule(PreRouting, Box::new(reject()))),
        ("queue to a program", "no frame ever waits for a program", Trial::Rule(Forward, Box::new(queue()))),
    ]
}

fn draft(trial: &Trial) -> Draft {
    let table = Table::new(TABLE, ProtoFamily::Bridge);
    let mut draft = Draft::new();
    draft.add("table", &table);
    match trial {
        Trial::Set(flags) => draft.write("set", &set(*flags)),
        Trial::Message(octets) => draft.write("message", octets),
        Trial::Rule(hook, expression) => {
            draft.write("set", &set(libc::NFT_SET_TIMEOUT | libc::NFT_SET_EVAL));
            add_rule(&mut draft, &table, *hook, expression.as_ref());
        }
        Trial::Lasting(expression) => {
            draft.write("set", &set(libc::NFT_SET_EVAL));
            add_rule(&mut draft, &table, Hook::Forward, expression.as_ref());
        }
    }
    draft.remove(END, &Chain::new(c"missing", &table));
    draft
}

fn add_rule(draft: &mut Draft, table: &Table, hook: Hook, expression: &dyn Expression) {
    draft.write("counter", &counter());
    let mut chain = Chain::new(c"tried", table);
    chain.set_type(ChainType::Filter);
    chain.set_hook(hook, 0);
    draft.add("chain", &chain);
    let mut rule = Rule::new(&chain);
    // Loaded for those expressions that read a register.
    rule.add_expr(&Payload::LinkLayer(LLHeaderField::Saddr));
    rule.add_expr(&Step(expression));
    draft.add("rule", &rule);
}

fn set(flags: i32) -> Vec<u8> {
    const CREATE: u16 = 0x405;
    let mut writer = Writer::new(number::NEW_SET, CREATE);
    writer.put_text(1, &TABLE.to_string_lossy());
    writer.put_text(2, &SEEN.to_string_lossy());
    for (kind, value) in [(3, flags.unsigned_abs()), (4, Set::BlockedMac.key_type()), (5, 6), (10, 1)] {
        writer.put(kind, &value.to_be_bytes());
    }
    writer.finish()
}

fn counter() -> Vec<u8> {
    message::counter_in(&TABLE.to_string_lossy(), "blocked_lan")
}

fn update_seen() -> Raw {
    let values = vec![
        (sys::NFTNL_EXPR_DYNSET_OP, Value::U32(libc::NFT_DYNSET_OP_UPDATE.unsigned_abs())),
        (sys::NFTNL_EXPR_DYNSET_SREG_KEY, Value::U32(libc::NFT_REG_1.unsigned_abs())),
        (sys::NFTNL_EXPR_DYNSET_SET_NAME, Value::Text(SEEN.to_owned())),
        (sys::NFTNL_EXPR_DYNSET_SET_ID, Value::U32(1)),
    ];
    Raw { name: c"dynset", values }
}

fn hold_seen() -> Raw {
    let mut raw = update_seen();
    let more = vec![(sys::NFTNL_EXPR_CONNLIMIT_COUNT, Value::U32(1)), (sys::NFTNL_EXPR_CONNLIMIT_FLAGS, Value::U32(1))];
    let each = Raw { name: c"connlimit", values: more };
    raw.values.push((sys::NFTNL_EXPR_DYNSET_EXPR, Value::Expression(Box::new(each))));
    raw
}

fn bridge_name() -> Raw {
    let values = vec![
        (sys::NFTNL_EXPR_META_KEY, Value::U32(libc::NFT_META_BRI_IIFNAME.unsigned_abs())),
        (sys::NFTNL_EXPR_META_DREG, Value::U32(libc::NFT_REG_1.unsigned_abs())),
    ];
    Raw { name: c"meta", values }
}

fn reject() -> Verdict {
    Verdict::Reject(RejectionType::Icmp(IcmpCode::AdminProhibited))
}

fn queue() -> Raw {
    Raw {
        name: c"queue",
        values: vec![(sys::NFTNL_EXPR_QUEUE_NUM, Value::U16(0)), (sys::NFTNL_EXPR_QUEUE_TOTAL, Value::U16(1))],
    }
}
