//! Asking for access: what people want a device to be let do for some time, and what became of it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is asked about requests for access. Only the API process keeps them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case", deny_unknown_fields)]
pub enum AccessAsk {
    /// All of them, the newest first: answered by an array of `AccessView`.
    List,
    /// Grants one: answered by its `AccessView` once the kernel holds the rule.
    Grant {
        /// Its number.
        id: u64,
        /// For how many hours; as asked for if absent.
        hours: Option<u64>,
        /// For who asked.
        note: String,
        /// Who grants it.
        author: String,
    },
    /// Refuses one: answered by its `AccessView`.
    Refuse {
        /// Its number.
        id: u64,
        /// Why, for who asked.
        note: String,
        /// Who refuses it.
        author: String,
    },
}

/// A request for access.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Request")]
pub struct AccessView<At = f64> {
    /// Its number, counting up.
    pub id: u64,
    /// `waiting`, `granted`, `refused` or `withdrawn`.
    pub state: String,
    /// Who asked, by e-mail address.
    pub asked_by: String,
    /// The number of the device that wants to begin the conversation.
    pub device: u32,
    /// What that was called then.
    pub device_name: String,
    /// With whom: `internet`, an address, a network, a host's name, a device of the policy.
    pub to: String,
    /// About what: `https`, `tcp/8443`.
    pub service: String,
    /// For how many hours it was asked for, or granted.
    pub hours: u64,
    /// Why it is wanted.
    pub reason: String,
    /// When it was asked for.
    pub created: At,
    /// Who granted or refused it.
    pub decided_by: Option<String>,
    /// When.
    pub decided: Option<At>,
    /// What they said to it.
    pub note: String,
    /// The rule that it became.
    pub rule: Option<String>,
    /// When that rule ends.
    pub until: Option<At>,
}
