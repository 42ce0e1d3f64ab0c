//! Enrolled sources: hosts that may tell over HTTPS what they log, each with a token of its own that is kept as a hash.

use std::collections::BTreeMap;

use protocol::source::Handed;
use serde::{Deserialize, Serialize};
use terms::{Span, Timestamp};

use crate::clock::{now, rfc3339};
use crate::secret::{NoRandom, code, hex, random, same, sha256, typed};

/// The most sources that a box enrols.
pub const SOURCES_MAX: usize = 256;
/// How every token of a source begins.
pub const PREFIX: &str = "pksrc_";
/// How long a code holds.
const CODE_HOLDS: Span = Span::from_secs(86_400);

/// One enrolment, as it is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Source {
    /// Its number, never used twice.
    pub number: u64,
    /// What the source is called.
    pub name: String,
    /// The hash of its token; nothing before an agent has fetched one.
    hash: Option<String>,
    /// The hash of the code with which it fetches one, and until when that holds, in microseconds.
    code: Option<(String, u64)>,
    /// When it was enrolled, in microseconds.
    pub created: u64,
    /// By whom.
    pub by: String,
}

/// Who tells, once that is proven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Telling {
    /// The number of the enrolment.
    pub number: u64,
    /// What the source is called.
    pub name: String,
}

impl Source {
    /// A new enrolment, with the text that its host is handed and that is kept nowhere.
    ///
    /// # Errors
    /// The system gives no random octets.
    pub fn make(number: u64, name: String, with: Handed, by: String) -> Result<(Self, String), NoRandom> {
        let created = now().micros();
        let mut source = Self { number, name, hash: None, code: None, created, by };
        let text = match with {
            Handed::Token => source.token()?,
            Handed::Code => {
                let text = code()?;
                source.code = Some((sha256(typed(&text).as_bytes()), created + CODE_HOLDS.micros()));
                text
            }
        };
        Ok((source, text))
    }

    /// Draws another token; the code and the token before hold no more.
    ///
    /// # Errors
    /// The system gives no random octets.
    pub fn token(&mut self) -> Result<String, NoRandom> {
        let text = format!("{PREFIX}{}_{}", self.number, hex(&random::<32>()?));
        (self.hash, self.code) = (Some(sha256(text.as_bytes())), None);
        Ok(text)
    }

    /// Whether this is the code with which it may fetch a token now.
    #[must_use]
    pub fn opens(&self, text: &str) -> bool {
        let hash = sha256(typed(text).as_bytes());
        self.code
            .as_ref()
            .is_some_and(|(code, until)| (self.created..*until).contains(&now().micros()) && same(code, &hash))
    }

    /// Whether it waits for its agent to fetch a token.
    #[must_use]
    pub fn waits(&self) -> bool {
        self.hash.is_none()
    }

    /// When it was enrolled.
    #[must_use]
    pub fn enrolled_at(&self) -> String {
        rfc3339(Timestamp::from_micros(self.created))
    }
}

/// Who a token stands for.
#[must_use]
pub fn telling(sources: &BTreeMap<u64, Source>, text: &str) -> Option<Telling> {
    let number: u64 = text.strip_prefix(PREFIX)?.split_once('_')?.0.parse().ok()?;
    let source = sources.get(&number)?;
    let holds = same(source.hash.as_ref()?, &sha256(text.as_bytes()));
    holds.then(|| Telling { number, name: source.name.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_its_whole_text_and_a_code_fetches_one_once() {
        let (source, text) = Source::make(7, "nas".into(), Handed::Token, "root".into()).expect("random");
        let mut all = BTreeMap::from([(7, source)]);
        assert_eq!(telling(&all, &text).map(|telling| telling.name).as_deref(), Some("nas"));
        for wrong in [&text[..text.len() - 1], "pksrc_7_", "pksrc_8_00", "picket_7_00", ""] {
            assert_eq!(telling(&all, wrong), None, "{wrong}");
        }
        let (mut waiting, code) = Source::make(8, "pc".into(), Handed::Code, "root".into()).expect("random");
        assert!(waiting.waits() && waiting.opens(&code.to_lowercase()) && !waiting.opens("0000-0000-0000-0000"));
        let token = waiting.token().expect("random");
        assert!(!waiting.waits() && !waiting.opens(&code));
        let late = Source { code: Some((sha256(b"x"), waiting.created)), ..waiting.clone() };
        assert!(!late.opens("x"));
        all.insert(8, waiting);
        assert_eq!(telling(&all, &token).map(|telling| telling.number), Some(8));
        all.remove(&8);
        assert_eq!(telling(&all, &token), None);
    }
}
