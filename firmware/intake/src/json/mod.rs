//! One JSON object from an enrolled source: Picket's own agent, or the field names of common shippers.
//!
//! | shipper | told apart by | fields |
//! |---|---|---|
//! | Picket's agent | `seq` and `stream` | `action`, `subject`, `object`, `result`, `address`, or a program's `message` |
//! | Winlogbeat | `winlog` | `winlog.event_id`, `winlog.event_data`, `message` |
//! | NXLog | `EventID`, `EventTime` | `TargetUserName` and so on beside it, `Message` |
//! | Fluent Bit | `EventID`, `StringInserts` | data by place, `Message`; of a Linux host `MESSAGE` or `log` with its identifier |
//!
//! Whatever is none of these but holds a message is read as a program's message. The object speaks for its source alone: the host's
//! name that it claims is kept out of the record, and its time is a claim.

mod windows;

use std::net::IpAddr;

use chrono::{DateTime, NaiveDateTime};
use serde_json::Value;
use terms::Timestamp;

use crate::activity::{Act, Activity, Outcome, Proof};
use crate::said::{Said, said};
use crate::syslog::Line;
use crate::{LINE_MAX, Refusal};

/// The source that tells.
#[derive(Clone, Copy, Debug)]
pub struct Teller<'a> {
    /// The name under which it was enrolled.
    pub name: &'a str,
    /// From which address it tells.
    pub from: IpAddr,
}

/// The place of a record in what an agent tells: nothing is lost or told twice unnoticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Which spool of the agent's: drawn when it was made.
    pub stream: u64,
    /// Its number there, counting up from 1.
    pub seq: u64,
}

/// The record of one JSON object that came at a moment, and its place where the source numbers what it tells.
///
/// # Errors
/// Why it is none.
pub fn record(octets: &[u8], teller: Teller<'_>, at: Timestamp) -> Result<(Activity, Option<Place>), Refusal> {
    if octets.len() > LINE_MAX {
        return Err(Refusal::TooLong);
    }
    let value: Value = serde_json::from_slice(octets).map_err(|_| Refusal::NoRecord)?;
    of_value(&value, teller, at)
}

/// The same of an object that was read already.
///
/// # Errors
/// Why it is none.
pub fn of_value(value: &Value, teller: Teller<'_>, at: Timestamp) -> Result<(Activity, Option<Place>), Refusal> {
    if !value.is_object() {
        return Err(Refusal::NoRecord);
    }
    let place = place(value);
    let message = text(value, &["message", "Message", "MESSAGE", "msg", "log"]).unwrap_or_default();
    let windows = windows::said(value);
    let program = text(
        value,
        &[
            "program",
            "winlog.provider_name",
            "SourceName",
            "ProviderName",
            "SYSLOG_IDENTIFIER",
            "ident",
            "_COMM",
            "app",
        ],
    )
    .unwrap_or_default();
    let understood = own(value).or(windows).unwrap_or_else(|| said(&program, &message));
    if message.is_empty() && understood.action == Act::Other {
        return Err(Refusal::NoRecord);
    }
    let priority = value["priority"].as_u64().and_then(|priority| u8::try_from(priority).ok());
    let line = Line {
        priority: priority.filter(|priority| *priority <= 191).unwrap_or(13),
        at: moment(value),
        host: teller.name.to_owned(),
        app: program,
        data: String::new(),
        message: if message.is_empty() { value.to_string() } else { message },
    };
    Ok((Activity::of(line, understood, teller.from, at, Proof::Enrolled), place))
}

/// The place of an object, where its source numbers what it tells.
#[must_use]
pub fn place(value: &Value) -> Option<Place> {
    let (seq, stream) = value["seq"].as_u64().zip(value["stream"].as_u64())?;
    Some(Place { stream, seq })
}

/// What an object says in Picket's own words.
fn own(value: &Value) -> Option<Said> {
    let action = Act::of(value["action"].as_str()?)?;
    let result = match value["result"].as_str() {
        Some("done") => Outcome::Done,
        Some("failed") => Outcome::Failed,
        _ => Outcome::Unknown,
    };
    let word = |name: &str| value[name].as_str().unwrap_or_default().to_owned();
    let address = value["address"].as_str().and_then(|address| address.parse().ok());
    Some(Said { subject: word("subject"), action, object: word("object"), result, address })
}

/// The first of these fields that is a text or a number and not empty; a dot leads into an object.
fn text(value: &Value, names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| {
        let found = value.get(*name).or_else(|| name.split('.').try_fold(value, |value, part| value.get(part)))?;
        match found {
            Value::String(text) => Some(text.clone()).filter(|text| !text.is_empty() && text != "-"),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    })
}

/// When it was, as it claims.
fn moment(value: &Value) -> Option<Timestamp> {
    let names = ["at", "@timestamp", "EventTime", "TimeCreated", "TimeGenerated", "time", "timestamp", "date"];
    let found = names.iter().map(|name| &value[*name]).find(|value| !value.is_null())?;
    if let Some(secs) = found.as_f64() {
        return (secs.is_finite() && secs > 0.0).then(|| Timestamp::from_secs_f64(secs));
    }
    let text = found.as_str()?;
    let zoned =
        DateTime::parse_from_rfc3339(text).or_else(|_| DateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f %z"));
    let micros = zoned.map(|at| at.timestamp_micros()).or_else(|_| {
        NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f").map(|at| at.and_utc().timestamp_micros())
    });
    micros.ok().and_then(|micros| u64::try_from(micros).ok()).map(Timestamp::from_micros)
}

#[cfg(test)]
mod tests;
