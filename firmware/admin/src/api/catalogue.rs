//! The catalogue of threats: what Picket looks for, and what it does not see.

use detect::catalogue::{Found, THREATS, Threat};
use schemars::JsonSchema;
use serde::Serialize;

use crate::office::Office;
use crate::problem::Problem;
use crate::route::Call;

/// One kind of threat.
#[derive(Serialize, JsonSchema)]
pub struct CatalogueRow {
    /// Its name, as in findings.
    id: &'static str,
    /// What it belongs to.
    group: &'static str,
    /// What somebody does, in plain language.
    meaning: &'static str,
    /// What is counted, with the shipped thresholds.
    definition: &'static str,
    /// Over which time.
    horizon: &'static str,
    /// The least that is found.
    least: &'static str,
    /// The highest level that it makes by itself.
    level: &'static str,
    /// What is done about it in posture `protect`.
    response: &'static str,
    /// What hides it.
    hidden_by: &'static str,
    /// Techniques of MITRE ATT&CK, Enterprise.
    techniques: Vec<&'static str>,
    /// Why it is not found, where that is so.
    not_found: Option<&'static str>,
}

/// `GET catalogue`.
pub fn all(_: &Office, _: &Call) -> Result<Vec<CatalogueRow>, Problem> {
    Ok(THREATS.iter().map(CatalogueRow::from).collect())
}

impl From<&Threat> for CatalogueRow {
    fn from(threat: &Threat) -> Self {
        Self {
            id: threat.word,
            group: threat.group.as_str(),
            meaning: threat.meaning,
            definition: threat.definition,
            horizon: threat.horizon,
            least: threat.least,
            level: threat.level.as_str(),
            response: threat.response().as_str(),
            hidden_by: threat.hides,
            techniques: threat.technique.split(", ").filter(|technique| !technique.is_empty()).collect(),
            not_found: if let Found::Not(why) = threat.found { Some(why) } else { None },
        }
    }
}
