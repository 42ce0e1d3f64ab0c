//! Requests for access, as they are kept: asked for, then granted, refused or withdrawn, once.

use protocol::AccessView;
use serde::{Deserialize, Serialize};

use crate::problem::Problem;

/// The most requests that are kept; the oldest one that does not wait goes first.
pub const REQUESTS_MAX: usize = 1_000;
/// The most requests of an account that wait.
pub const WAITING_MAX: usize = 10;
/// How rules that came of a request are named, before its number.
pub const RULE: &str = "request-";

/// One request.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Access {
    /// Its number.
    pub number: u64,
    /// The account that asks.
    pub account: u64,
    /// Its address then.
    pub email: String,
    /// The number of the device that wants to begin the conversation.
    pub device: u32,
    /// What that was called then.
    pub device_name: String,
    /// With whom, as a rule has it.
    pub to: String,
    /// About what, as a rule has it.
    pub service: String,
    /// For how many hours.
    pub hours: u64,
    /// Why.
    pub reason: String,
    /// When, in microseconds.
    pub created: u64,
    /// What became of it.
    pub state: State,
    /// Who said so, and when.
    pub decided: Option<(String, u64)>,
    /// What they said to it.
    pub note: String,
    /// The rule that it became, and when that ends, in microseconds.
    pub rule: Option<(String, u64)>,
}

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Nothing yet.
    Waiting,
    /// A rule.
    Granted,
    /// Nothing.
    Refused,
    /// Who asked thought better of it.
    Withdrawn,
}

impl Access {
    /// The request, if nothing was decided about it yet.
    ///
    /// # Errors
    /// 409.
    pub fn waiting(self) -> Result<Self, Problem> {
        if self.state == State::Waiting {
            return Ok(self);
        }
        Err(Problem::conflict(format!("it is {} already", self.state.as_str())))
    }

    /// The same, decided.
    #[must_use]
    pub fn decided(self, state: State, by: &str, at: u64, note: String) -> Self {
        Self { state, decided: Some((by.into(), at)), note, ..self }
    }

    /// The name of the rule that it becomes.
    #[must_use]
    pub fn rule_name(&self) -> String {
        format!("{RULE}{}", self.number)
    }

    /// It as it is shown; `at` writes a moment of so many microseconds.
    #[must_use]
    pub fn view<At>(&self, at: impl Fn(u64) -> At) -> AccessView<At> {
        AccessView {
            id: self.number,
            state: self.state.as_str().into(),
            asked_by: self.email.clone(),
            device: self.device,
            device_name: self.device_name.clone(),
            to: self.to.clone(),
            service: self.service.clone(),
            hours: self.hours,
            reason: self.reason.clone(),
            created: at(self.created),
            decided_by: self.decided.as_ref().map(|(by, _)| by.clone()),
            decided: self.decided.as_ref().map(|(_, when)| at(*when)),
            note: self.note.clone(),
            rule: self.rule.as_ref().map(|(name, _)| name.clone()),
            until: self.rule.as_ref().map(|(_, until)| at(*until)),
        }
    }
}

impl State {
    /// The word of the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Granted => "granted",
            Self::Refused => "refused",
            Self::Withdrawn => "withdrawn",
        }
    }
}
