//! One record and its line.
//!
//! **Shape**: a JSON object whose last key is `hash`: SHA-256, hexadecimal, over everything before `,"hash":`. `prev` is the hash of the
//! record before; that of the first is 64 zeros.

use std::borrow::Cow;

use protocol::link::Head;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::role::Role;
use crate::secret::sha256;
use crate::words::plain;

/// The `prev` of the first record.
pub const BEGIN: &str = "0000000000000000000000000000000000000000000000000000000000000000";
/// The longest text of a record, in characters.
const TEXT_MAX: usize = 600;
/// What stands between the octets that are hashed and the hash.
const JOINT: &str = ",\"hash\":\"";
/// The hash, its closing quote and the object's end.
const END: usize = 66;

/// Who acted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Who {
    /// The e-mail address, `command line`, `gateway`, or `nobody` where there is no session.
    pub name: String,
    /// Their role.
    pub role: Option<Role>,
    /// From which address.
    pub from: Option<std::net::IpAddr>,
}

/// Something done or refused, before it has a place in the chain.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Act {
    /// Who.
    pub who: Who,
    /// What: `auth.login`, `block.create`.
    pub what: Cow<'static, str>,
    /// To whom or what.
    pub on: String,
    /// Why, in the words of who did it.
    pub why: String,
    /// What was changed, before and after. No secrets.
    pub before: Option<Value>,
    /// The same afterwards.
    pub after: Option<Value>,
    /// `done`, or why not.
    pub result: String,
}

/// A record as it is exported.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// Its number, from 1, without gaps.
    pub number: u64,
    /// When, RFC 3339.
    pub at: String,
    /// How often the box had been started by then: the clock may have been wrong, this is not.
    pub boot: u64,
    /// Who.
    pub who: String,
    /// Their role.
    pub role: Option<Role>,
    /// From which address.
    pub from: Option<String>,
    /// What was done.
    pub what: String,
    /// To whom or what.
    pub on: String,
    /// Why.
    pub why: String,
    /// What was changed, as it was.
    pub before: Option<Value>,
    /// What was changed, as it became.
    pub after: Option<Value>,
    /// `done`, or why not.
    pub result: String,
    /// The hash of the record before.
    pub prev: String,
    /// This record's hash.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub hash: String,
}

/// Gives an act its place after `head`: the line, and the head that it makes.
pub fn seal(act: Act, head: &Head, boot: u64, at: &str) -> (String, Head) {
    let number = head.number + 1;
    let record = Record {
        number,
        at: at.into(),
        boot,
        who: plain(&act.who.name, TEXT_MAX),
        role: act.who.role,
        from: act.who.from.map(|from| from.to_string()),
        what: plain(&act.what, TEXT_MAX),
        on: plain(&act.on, TEXT_MAX),
        why: plain(&act.why, TEXT_MAX),
        before: act.before,
        after: act.after,
        result: if act.result.is_empty() { "done".into() } else { plain(&act.result, TEXT_MAX) },
        prev: head.hash.clone(),
        hash: String::new(),
    };
    // A struct of texts and numbers always serialises.
    let mut line = serde_json::to_string(&record).unwrap_or_default();
    line.pop();
    let hash = sha256(line.as_bytes());
    line.push_str(JOINT);
    line.push_str(&hash);
    line.push_str("\"}");
    (line, Head { number, hash })
}

/// Checks a line against the head before it; the head that it makes.
///
/// # Errors
/// Why it does not follow.
pub fn open(line: &str, head: &Head) -> Result<Head, &'static str> {
    let cut = line.len().checked_sub(END + JOINT.len()).ok_or("it is too short")?;
    let (body, joint) = (line.get(..cut).ok_or("it is cut")?, line.get(cut..).ok_or("it is cut")?);
    let hash = joint.strip_prefix(JOINT).and_then(|rest| rest.strip_suffix("\"}")).ok_or("it has no hash")?;
    if sha256(body.as_bytes()) != hash {
        return Err("it was changed");
    }
    let record: Record = serde_json::from_str(line).map_err(|_| "it is no record")?;
    if record.number != head.number + 1 {
        return Err("records are missing before it, or stand in another order");
    }
    if record.prev != head.hash {
        return Err("the record before it is another one");
    }
    Ok(Head { number: record.number, hash: record.hash })
}

/// The hash that a line claims; of a line that claims none, its own.
pub fn hash_of(line: &str) -> String {
    let claimed = line.len().checked_sub(END).and_then(|at| line.get(at..at + 64));
    claimed.map_or_else(|| sha256(line.as_bytes()), Into::into)
}
