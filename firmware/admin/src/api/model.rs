//! The forests that vote.

use std::collections::BTreeMap;

use protocol::views::{ClassifiedView, LoadView, ModelView, VotingView};
use protocol::{Minute, ModelFile, Request};
use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::clock::Moment;
use crate::office::{Office, shown};
use crate::problem::Problem;
use crate::route::Call;

/// The longest shadow. **Units**: seconds.
const SHADOW_MAX: u64 = 90 * 86_400;

/// The forests that vote.
type Voting = VotingView<Moment>;
/// What was loaded, or would be.
type Loaded = LoadView<Moment>;

/// A forest to be looked at.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// The file as it was signed, base 64.
    #[schemars(length(min = 1))]
    model: String,
}

/// A forest whose votes are counted.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Shadow {
    /// The file as it was signed, base 64.
    #[schemars(length(min = 1))]
    model: String,
    /// For how many seconds; a restart of the gateway ends it too.
    #[schemars(range(min = 1, max = 7_776_000))]
    for_secs: u64,
}

/// A minute of a host: exactly one of the two.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// An IPv4, IPv6 or hardware address: the newest minute of this host.
    #[schemars(length(min = 2, max = 64))]
    host: Option<String>,
    /// Features by name; what is not named is 0.
    vector: Option<BTreeMap<String, f32>>,
}

/// `GET model`.
pub fn show(office: &Office, _: &Call) -> Result<Voting, Problem> {
    office.ask(Request::Model)
}

/// `POST model/check`.
pub fn check(office: &Office, _: &Call, body: File) -> Result<ModelView, Problem> {
    office.ask(Request::ModelCheck { file: ModelFile::Sent(body.model) }).map_err(of_file)
}

/// `POST model/dry-run`.
pub fn dry_run(office: &Office, _: &Call, body: File) -> Result<Loaded, Problem> {
    office.ask(Request::ModelLoad { file: ModelFile::Sent(body.model), dry_run: true }).map_err(of_file)
}

/// `POST model/load`.
pub fn load(office: &Office, call: &Call, body: File) -> Result<Loaded, Problem> {
    let request = Request::ModelLoad { file: ModelFile::Sent(body.model), dry_run: false };
    act(office, call, "model.load", request, |loaded: &Loaded| Some(&loaded.forest))
}

/// `POST model/revert`.
pub fn revert(office: &Office, call: &Call) -> Result<Loaded, Problem> {
    act(office, call, "model.revert", Request::ModelRevert, |loaded: &Loaded| Some(&loaded.forest))
}

/// `POST model/shadow`.
pub fn shadow(office: &Office, call: &Call, body: Shadow) -> Result<Voting, Problem> {
    if !(1..=SHADOW_MAX).contains(&body.for_secs) {
        return Err(Problem::field("for_secs", format!("takes 1 to {SHADOW_MAX}")));
    }
    let request = Request::ModelShadow { file: ModelFile::Sent(body.model), for_secs: body.for_secs };
    act(office, call, "model.shadow", request, in_shadow)
}

/// `DELETE model/shadow`.
pub fn unshadow(office: &Office, call: &Call) -> Result<(), Problem> {
    act(office, call, "model.unshadow", Request::ModelUnshadow, in_shadow).map(drop)
}

/// `POST model/classify`.
pub fn classify(office: &Office, _: &Call, body: Asked) -> Result<ClassifiedView, Problem> {
    let minute = match (body.host, body.vector) {
        (Some(host), None) => {
            let wrong = |_| Problem::field("host", "takes an IPv4, IPv6 or hardware address");
            Minute::Newest(host.parse().map_err(wrong)?)
        }
        // What does not fit the type is read as endless, and JSON, in which the gateway is asked, has no word for that.
        (None, Some(vector)) if vector.values().any(|value| !value.is_finite()) => {
            return Err(Problem::field("vector", "takes numbers up to 3.4e38"));
        }
        (None, Some(vector)) => Minute::Of(vector),
        _ => return Err(Problem::field("host", "takes a host or a vector, one of the two")),
    };
    office.ask(Request::ModelClassify { minute })
}

/// Has something done to the forests, and records how it went.
fn act<T: DeserializeOwned>(
    office: &Office,
    call: &Call,
    what: &'static str,
    request: Request,
    which: fn(&T) -> Option<&String>,
) -> Result<T, Problem> {
    let act = call.act(what, "forest");
    let sent = !matches!(request, Request::ModelRevert | Request::ModelUnshadow);
    let view = office.ask::<T>(request).map_err(|problem| if sent { of_file(problem) } else { problem });
    office.outcome(act, view, |view| shown(&which(view)))
}

fn in_shadow(voting: &Voting) -> Option<&String> {
    voting.shadow.as_ref().map(|shadow| &shadow.forest)
}

/// The gateway refuses what is not in order with the file.
fn of_file(problem: Problem) -> Problem {
    if problem.status == 409 { Problem::field("model", problem.detail) } else { problem }
}
