//! Blocks: made by people, ended by people, seen by all who may read.

use protocol::views::BlockView;
use protocol::{Request, WHY_MAX};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::hosts::key;
use crate::clock::Moment;
use crate::office::{Office, shown};
use crate::problem::Problem;
use crate::route::Call;
use crate::words::plain;

/// The longest block. **Units**: seconds.
const LONGEST: u64 = 30 * 86_400;

/// A block in force.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct BlockRow {
    /// Who is blocked.
    host: String,
    /// Its hardware address.
    mac: Option<String>,
    /// What the kernel matches.
    target: String,
    /// `blocked` or `confirmed`.
    state: String,
    /// In words.
    why: String,
    /// When it was decided.
    since: Moment,
    /// When it ends.
    until: Moment,
    /// Whether the gateway decided it by itself.
    automatic: bool,
}

impl From<BlockView<Moment>> for BlockRow {
    fn from(view: BlockView<Moment>) -> Self {
        let BlockView { host, mac, target, state, why, since, until, automatic, .. } = view;
        Self { host, mac, target, state, why, since, until, automatic }
    }
}

/// A block to be made.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewBlock {
    /// An IPv4, IPv6 or hardware address.
    #[schemars(length(min = 2, max = 64))]
    host: String,
    /// For how many seconds; the configured time where nothing is said.
    #[schemars(range(min = 1, max = 2_592_000))]
    for_secs: Option<u64>,
    /// Why, for those who read the list later.
    #[schemars(length(min = 1, max = 500))]
    why: String,
}

/// `GET blocks`.
pub fn all(office: &Office, _: &Call) -> Result<Vec<BlockRow>, Problem> {
    Ok(office.ask::<Vec<BlockView<Moment>>>(Request::Blocks)?.into_iter().map(BlockRow::from).collect())
}

/// `GET blocks/{host}`.
pub fn one(office: &Office, call: &Call) -> Result<BlockRow, Problem> {
    find(office, call)
}

/// `POST blocks`.
pub fn create(office: &Office, call: &Call, body: NewBlock) -> Result<BlockRow, Problem> {
    let host = body.host.parse().map_err(|_| Problem::field("host", "takes an IPv4, IPv6 or hardware address"))?;
    let why = plain(&body.why, WHY_MAX);
    if body.why.trim().is_empty() || why.len() > WHY_MAX {
        return Err(Problem::field("why", format!("takes 1 to {WHY_MAX} octets")));
    }
    if body.for_secs.is_some_and(|secs| !(1..=LONGEST).contains(&secs)) {
        return Err(Problem::field("for_secs", format!("takes 1 to {LONGEST}")));
    }
    let mut act = call.act("block.create", body.host.clone());
    act.why = why.clone();
    let made =
        office.ask::<BlockView<Moment>>(Request::Block { host, for_secs: body.for_secs, why }).map(BlockRow::from);
    office.outcome(act, made, shown)
}

/// `DELETE blocks/{host}`.
pub fn end(office: &Office, call: &Call) -> Result<(), Problem> {
    let row = find(office, call)?;
    call.unchanged(&row)?;
    office.ask::<BlockView>(Request::Unblock { host: key(call)? })?;
    let mut act = call.act("block.end", row.host.clone());
    act.before = shown(&row);
    office.record(act)
}

fn find(office: &Office, call: &Call) -> Result<BlockRow, Problem> {
    let wanted = key(call).map_err(|_| Problem::missing("block"))?.to_string();
    let named = |row: &BlockRow| row.host == wanted || row.mac.as_deref() == Some(&wanted);
    all(office, call)?.into_iter().find(named).ok_or_else(|| Problem::missing("block"))
}
