//! Lists of indicators: addresses, networks and names that hosts are held against.

use policy::indicators::{self, TEXT_MAX};
use protocol::past::Past;
use protocol::views::{IndicatorsView, PastView};
use protocol::{Request, WHY_MAX};
use schemars::JsonSchema;
use serde::Deserialize;

use super::flows::{Days, in_moments, since};
use super::policy::told;
use crate::clock::Moment;
use crate::office::{Office, shown};
use crate::problem::Problem;
use crate::route::Call;
use crate::words::plain;

/// The longest that a list holds. **Units**: seconds.
const LONGEST: u64 = 3_650 * 86_400;

/// A list.
pub type ListRow = IndicatorsView<Moment>;

/// A list to be looked for.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewList {
    /// What to call it; a list of this name is replaced.
    #[schemars(regex(pattern = "^[a-z0-9_-]{1,40}$"))]
    name: String,
    /// As it was published: an address, a network or a name a line.
    #[schemars(length(min = 1))]
    text: String,
    /// Whether it is held High against who has to do with what it lists, so that it is blocked; else Medium.
    #[serde(default)]
    high: bool,
    /// Where it comes from, in words.
    #[schemars(length(max = 500))]
    #[serde(default)]
    origin: String,
    /// For how many seconds it holds.
    #[schemars(range(min = 1, max = 315_360_000))]
    for_secs: u64,
}

/// `GET indicators`.
pub fn all(office: &Office, _: &Call) -> Result<Vec<ListRow>, Problem> {
    office.ask(Request::Indicators)
}

/// `POST indicators`.
pub fn create(office: &Office, call: &Call, body: NewList) -> Result<ListRow, Problem> {
    if !(1..=LONGEST).contains(&body.for_secs) {
        return Err(Problem::field("for_secs", format!("takes 1 to {LONGEST}")));
    }
    if body.text.len() > TEXT_MAX {
        return Err(Problem::field("text", format!("takes at most {TEXT_MAX} octets")));
    }
    indicators::read(&body.text).map_err(|faults| Problem::field("text", told(&faults)))?;
    let origin = plain(&body.origin, WHY_MAX);
    let mut act = call.act("indicators.load", body.name.clone());
    act.why.clone_from(&origin);
    let NewList { name, text, high, for_secs, .. } = body;
    let row = office.ask::<ListRow>(Request::IndicatorsLoad { name, text, high, origin, for_secs });
    office.outcome(act, row, shown)
}

/// `DELETE indicators/{name}`.
pub fn remove(office: &Office, call: &Call) -> Result<(), Problem> {
    let row = find(office, call)?;
    office.ask::<ListRow>(Request::IndicatorsRemove { name: row.name.clone() })?;
    let mut act = call.act("indicators.remove", row.name.clone());
    act.before = shown(&row);
    office.record(act)
}

/// `POST indicators/{name}/past`.
pub fn past(office: &Office, call: &Call, body: Days) -> Result<PastView<Moment>, Problem> {
    let text: String = office.ask(Request::IndicatorsText { name: find(office, call)?.name })?;
    let listing = indicators::read(&text).map_err(|faults| Problem::new(500, told(&faults)))?;
    let met: PastView = Past::of(office)?.met(&listing, since(office, body.days)?)?;
    in_moments(&met)
}

fn find(office: &Office, call: &Call) -> Result<ListRow, Problem> {
    let wanted = call.text("name");
    all(office, call)?.into_iter().find(|row| row.name == wanted).ok_or_else(|| Problem::missing("list"))
}
