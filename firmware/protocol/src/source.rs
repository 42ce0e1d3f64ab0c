//! Enrolments of sources: which hosts may tell over HTTPS, and with what they prove to be themselves.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is asked of enrolments at the command line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case", deny_unknown_fields)]
pub enum SourceAsk {
    /// Enrols a source.
    Enroll {
        /// What it is called from then on.
        name: String,
        /// With a token for a shipper, or a code for an agent.
        with: Handed,
    },
    /// Ends an enrolment.
    Revoke {
        /// Its name.
        name: String,
    },
}

/// What a source is handed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Handed {
    /// A token, for a shipper's configuration.
    #[default]
    Token,
    /// A code that works once, for an agent that fetches its token with it.
    Code,
}

/// An enrolment that was just made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Enrolled {
    /// Its number.
    pub id: u64,
    /// What the source is called.
    pub name: String,
    /// The token: send it as `Authorization: Bearer`. Shown this once.
    pub token: Option<String>,
    /// The code, which works once within a day. Shown this once.
    pub code: Option<String>,
}
