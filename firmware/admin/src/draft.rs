//! Drafts of the policy: one an account, kept on flash until it is applied or dropped.

use serde::{Deserialize, Serialize};
use terms::Timestamp;

use crate::office::Office;
use crate::problem::Problem;
use crate::route::Call;
use crate::rows::{Change, Kind};

/// One account's draft.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Draft {
    /// The policy as text.
    pub text: String,
    /// When it was kept.
    pub at: Timestamp,
    /// The version that held then.
    pub based_on: u64,
}

impl Draft {
    /// The draft of an account.
    ///
    /// # Errors
    /// 503: the rows cannot be read.
    pub fn of(office: &Office, account: u64) -> Result<Option<Self>, Problem> {
        office.rows().get(Kind::Draft, account).map_err(|error| Problem::busy(error.to_string()))
    }

    /// Keeps it as the caller's.
    ///
    /// # Errors
    /// 503: it may not be there.
    pub fn keep(&self, office: &Office, call: &Call) -> Result<(), Problem> {
        let mut change = Change::default();
        change.put(Kind::Draft, call.caller()?.account, self);
        let mut act = call.act("policy.draft", "policy");
        act.why = format!("{} octets, over version {}", self.text.len(), self.based_on);
        office.commit(change, act)
    }

    /// Drops the caller's.
    ///
    /// # Errors
    /// 503: it may still be there.
    pub fn drop(office: &Office, call: &Call) -> Result<(), Problem> {
        let mut change = Change::default();
        change.remove(Kind::Draft, call.caller()?.account);
        office.commit(change, call.act("policy.draft.drop", "policy"))
    }
}
