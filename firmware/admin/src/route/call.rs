//! A request that has passed the door: who asks, from where, and what.

use std::net::IpAddr;

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::reply::tag_of;
use crate::audit::{Act, Who};
use crate::people::Caller;
use crate::problem::Problem;
use crate::source::Telling;

/// The longest value of a query parameter, in octets.
const PARAMETER_MAX: usize = 512;

/// One request.
#[derive(Clone, Debug)]
pub struct Call {
    /// Who asks; nothing on a public route without a session.
    pub caller: Option<Caller>,
    /// The enrolled source that tells, on a route for those.
    pub telling: Option<Telling>,
    /// From which address.
    pub from: IpAddr,
    /// From which port there: together with the address it tells one connection from others.
    pub port: u16,
    /// What the client calls itself.
    pub agent: String,
    /// The texts for the names in the path.
    pub path: Vec<(String, String)>,
    /// The query's parameters.
    pub query: Vec<(String, String)>,
    /// The body.
    pub octets: Vec<u8>,
    /// The tags of `If-Match`.
    pub if_match: Option<String>,
    /// Whether a CSV is wanted.
    pub csv: bool,
    /// Whether it is the page that asks.
    pub page: bool,
}

impl Call {
    /// Who asks, on a route that needs somebody.
    ///
    /// # Errors
    /// Nobody does.
    pub fn caller(&self) -> Result<&Caller, Problem> {
        self.caller.as_ref().ok_or_else(Problem::unknown)
    }

    /// Refuses a caller who was not asked for the password within five minutes.
    ///
    /// # Errors
    /// 403.
    pub fn asked_again(&self) -> Result<(), Problem> {
        if self.caller()?.fresh { Ok(()) } else { Err(Problem::stale()) }
    }

    /// The beginning of an audit record about this request.
    #[must_use]
    pub fn act(&self, what: &'static str, on: impl Into<String>) -> Act {
        let name = self.caller.as_ref().map_or_else(|| "nobody".into(), |caller| caller.email.clone());
        let who = Who { name, role: self.caller.as_ref().map(|caller| caller.role), from: Some(self.from) };
        Act { who, what: what.into(), on: on.into(), ..Act::default() }
    }

    /// The number in the path.
    ///
    /// # Errors
    /// It is no number, so there is no such thing.
    pub fn number(&self, name: &str, what: &str) -> Result<u64, Problem> {
        self.text(name).parse().map_err(|_| Problem::missing(what))
    }

    /// A text of the path.
    #[must_use]
    pub fn text(&self, name: &str) -> &str {
        self.path.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    /// A parameter of the query.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The body as what it should be. Unknown fields, wrong types and depth beyond 128 are refused.
    ///
    /// # Errors
    /// 400 where it is no JSON, 422 where it is not what is expected.
    pub fn body<B: DeserializeOwned>(&self) -> Result<B, Problem> {
        let value: Value = serde_json::from_slice(&self.octets)
            .map_err(|error| Problem::malformed(format!("the body is no JSON: {error}")))?;
        serde_json::from_value(value).map_err(|error| {
            let text = error.to_string();
            let field = text.split('`').nth(1).map(str::to_owned);
            Problem { field, ..Problem::new(422, format!("the body is not what is expected: {text}")) }
        })
    }

    /// Refuses a change of something that is not any more as the client saw it.
    ///
    /// # Errors
    /// 412.
    pub fn unchanged(&self, row: &impl serde::Serialize) -> Result<(), Problem> {
        let Some(wanted) = &self.if_match else { return Ok(()) };
        let tag = tag_of(row);
        let matches = wanted.split(',').map(str::trim).any(|one| one == "*" || one == tag);
        if matches { Ok(()) } else { Err(Problem::new(412, "it was changed meanwhile; read it again")) }
    }

    /// The path of this request, from the path of its route.
    #[must_use]
    pub fn path_of(&self, route: &str) -> String {
        let filled =
            |path: String, (name, value): &(String, String)| path.replace(&format!("{{{name}}}"), &encode(value));
        self.path.iter().fold(route.to_owned(), filled)
    }
}

/// Splits a query into its parameters.
///
/// # Errors
/// One is no text, or too long.
pub fn query(text: &str) -> Result<Vec<(String, String)>, Problem> {
    let pairs = text.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            match (decode(key), decode(value)) {
                (Some(key), Some(value)) if value.len() <= PARAMETER_MAX => Ok((key, value)),
                _ => Err(Problem::malformed("the query cannot be read")),
            }
        })
        .collect()
}

/// Percent-decodes, `+` as a space.
fn decode(text: &str) -> Option<String> {
    let (mut octets, mut rest) = (Vec::new(), text.bytes());
    while let Some(octet) = rest.next() {
        octets.push(match octet {
            b'+' => b' ',
            b'%' => {
                let digit = |octet: u8| char::from(octet).to_digit(16);
                u8::try_from(digit(rest.next()?)? << 4 | digit(rest.next()?)?).ok()?
            }
            octet => octet,
        });
    }
    String::from_utf8(octets).ok()
}

/// Percent-encodes everything but what every URL may hold.
#[must_use]
pub fn encode(text: &str) -> String {
    let plain = |octet: u8| octet.is_ascii_alphanumeric() || b"-._~".contains(&octet);
    text.bytes()
        .map(|octet| if plain(octet) { char::from(octet).to_string() } else { format!("%{octet:02X}") })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_reads_back_as_it_was_encoded() {
        let value = "a&b=c d/ü%";
        let text = format!("x={}&y", encode(value));
        assert_eq!(query(&text), Ok(vec![("x".into(), value.into()), ("y".into(), String::new())]));
        for wrong in ["a=%", "a=%zz", "a=%ff", &format!("a={}", "x".repeat(600))] {
            assert!(query(wrong).is_err(), "{wrong}");
        }
    }
}
