//! The posture of the box, and a pause of it that ends by itself.

use protocol::Request;
use protocol::views::PolicyView;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use terms::Posture;

use super::policy::{act, held, reason};
use crate::office::Office;
use crate::problem::Problem;
use crate::route::Call;

/// The longest pause. **Units**: seconds.
const PAUSE_MAX: u64 = 7 * 86_400;

/// What the box does with what it finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Word {
    /// Nothing is dropped; what would have been is told.
    Observe,
    /// Flagged hosts are blocked, the rest flows.
    Protect,
    /// Only what the policy allows passes, and flagged hosts are blocked.
    Enforce,
}

/// The posture now.
#[derive(Serialize, JsonSchema)]
pub struct Now {
    /// `observe`, `protect` or `enforce`.
    posture: String,
    /// The version of the policy that says so.
    version: u64,
    /// Seconds until it is again as before, where it is a pause or a trial.
    left: Option<f64>,
}

/// Another posture.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Set {
    /// Which.
    posture: Word,
    /// For how many seconds; then it is again as before, also after a restart. For good where nothing is said.
    #[schemars(range(min = 1, max = 604_800))]
    #[serde(rename = "for")]
    lasts: Option<u64>,
    /// Why, for those who read the history later.
    #[schemars(length(max = 500))]
    #[serde(default)]
    why: String,
}

/// `GET posture`.
pub fn now(office: &Office, _: &Call) -> Result<Now, Problem> {
    let view: PolicyView = office.ask(Request::Policy)?;
    Ok(Now { posture: view.posture, version: view.version, left: view.confirm_within })
}

/// `POST posture`: to observe asks for a log-in younger than five minutes.
pub fn set(office: &Office, call: &Call, body: Set) -> Result<Now, Problem> {
    if body.lasts.is_some_and(|secs| !(1..=PAUSE_MAX).contains(&secs)) {
        return Err(Problem::field("for", format!("takes 1 to {PAUSE_MAX}")));
    }
    if body.posture == Word::Observe {
        call.asked_again()?;
    }
    let posture = match body.posture {
        Word::Observe => Posture::Observe,
        Word::Protect => Posture::Protect,
        Word::Enforce => Posture::Enforce,
    };
    let (before, why, author) = (held(office)?, reason(&body.why), call.caller()?.email.clone());
    let request = Request::PolicyPosture { posture, for_secs: body.lasts, author, why: why.clone() };
    act(office, call.act("posture.set", posture.as_str()), &why, &before, request)?;
    now(office, call)
}
