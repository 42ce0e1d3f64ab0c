//! What the gateway shows of forests.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a forest is.
///
/// **Units**: `schema` and `data` are 64-bit numbers as 16 hexadecimal digits, as the report about the training prints them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Model")]
pub struct ModelView {
    /// Its name: 16 hexadecimal digits of the SHA-256 over forest and card.
    pub id: String,
    /// How many trees vote.
    pub trees: usize,
    /// How many nodes they have.
    pub nodes: usize,
    /// Its size.
    pub octets: usize,
    /// The features in the order of the schema.
    pub features: Vec<String>,
    /// The hash of the feature schema.
    pub schema: String,
    /// How many rows it was trained on.
    pub rows: u32,
    /// The digest of the rows that it was trained on.
    pub data: String,
    /// The day of its training, as its card names it.
    pub date: Option<String>,
    /// The share of Medium and High together from which a host is Medium.
    pub medium_from: f32,
    /// The share of High from which a host is High.
    pub high_from: f32,
    /// The public key of who signed it; nothing for the forest in the binary, which is trusted as that is.
    pub signed_by: Option<String>,
    /// When that was (UTC).
    pub signed_at: Option<String>,
    /// What shares of the vote were worth on sources that it had never seen: the share of such minutes that were a threat's.
    pub worth: Vec<(f32, f32)>,
    /// What the share from which a host is Medium was worth so.
    pub medium_worth: Option<f32>,
}

/// The forests that vote in a running gateway.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Voting")]
pub struct VotingView<At = f64> {
    /// The one in force; nothing where the rules are alone.
    pub model: Option<ModelView>,
    /// The one to which `picket model revert` goes back.
    pub former: Option<String>,
    /// The one whose votes are only counted.
    pub shadow: Option<ShadowView<At>>,
    /// How far this site is from the training.
    pub drift: DriftView,
    /// What is wrong with the forest that should vote.
    pub trouble: Option<String>,
}

/// How a shadow's votes compare with those that count.
///
/// **Units**: minutes of hosts; pairs are Medium and High.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ModelShadow")]
pub struct ShadowView<At = f64> {
    /// The forest.
    pub forest: String,
    /// Until when it is asked.
    pub until: At,
    /// Minutes on which both voted.
    pub minutes: u64,
    /// Minutes on which they disagreed.
    pub differ: u64,
    /// Minutes that the forest in force called so.
    pub said: [u64; 2],
    /// Minutes that the shadow called so: the findings that it would have made.
    pub would_say: [u64; 2],
    /// Hosts on which they disagreed, with the highest word of each.
    pub hosts: Vec<LevelChange>,
    /// Minutes of disagreement on hosts that are not in this list.
    pub others: u64,
}

/// How far this site's minutes are from the training's.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Drift")]
pub struct DriftView {
    /// Minutes of hosts that were compared; older ones count less.
    pub minutes: u32,
    /// Minutes that are needed before anything is said.
    pub needed: u32,
    /// Features that are farther from the training than any of its own sources was, farthest first.
    pub moved: Vec<MovedView>,
    /// The most features at which one of the training's own sources stood apart so.
    pub usual: u32,
    /// Whether more features moved than that.
    pub drifted: bool,
}

/// A feature that moved.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Moved")]
pub struct MovedView {
    /// Which.
    pub feature: String,
    /// How far: the population stability index.
    pub distance: f64,
    /// How far the farthest of the training's own sources was.
    pub usual: f64,
}

/// What was loaded, or would be, and what it changes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ModelLoad")]
pub struct LoadView<At = f64> {
    /// Whether it votes now.
    pub loaded: bool,
    /// The forest.
    pub forest: String,
    /// The one before it.
    pub before: Option<String>,
    /// Recent minutes of hosts on which both were asked.
    pub minutes: u64,
    /// When the first of them began.
    pub since: Option<At>,
    /// How many hosts these are of.
    pub hosts: u64,
    /// Hosts whose level differs.
    pub changes: Vec<LevelChange>,
}

/// A host that two forests put at different levels.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LevelChange {
    /// Whom.
    pub host: String,
    /// By the forest in force.
    pub now: String,
    /// By the other.
    pub then: String,
}

/// What the forest in force says of a minute of a host, and why.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Classified")]
pub struct ClassifiedView {
    /// `SAFE`, `MEDIUM` or `HIGH`: what its shares of the vote reach.
    pub level: String,
    /// What that counts for with what was learnt of the host; of features that are nobody's, as for a host never seen before.
    pub counts_as: String,
    /// The share of the vote that speaks for this level or a higher one; for `SAFE`, for `SAFE`.
    pub confidence: f64,
    /// What most of the vote names; nothing where it is `SAFE`.
    pub family: Option<String>,
    /// Why.
    #[serde(flatten)]
    pub explanation: ExplanationView,
}

/// A forest's vote, taken apart exactly.
///
/// **Units**: shares of the vote for Medium and High together; counterfactual values in the feature's own unit.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Explanation")]
pub struct ExplanationView {
    /// The share that is expected of a host of which nothing is known.
    pub base: f64,
    /// What each feature moved, by name; those that moved nothing are left out. With the base they add up to the score.
    pub contributions: BTreeMap<String, f64>,
    /// The share of the vote for Medium and High together.
    pub score: f64,
    /// The values that would make the forest say Safe: empty where it does, nothing where it takes more than a few features.
    pub counterfactual: Option<BTreeMap<String, f32>>,
}
