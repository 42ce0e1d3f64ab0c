//! Sessions, and the tokens that stand for them: a JWT is worth nothing without its row here.

use std::net::IpAddr;
use std::sync::Once;

use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use ring::hmac;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use signature::{Signer, Verifier};
use terms::{Span, Timestamp};

use crate::clock::{now, rfc3339};
use crate::secret::{NoRandom, hex, random, same, sha256};

/// For how long a cookie of the page is signed; it is signed anew while its session's row holds.
pub const COOKIE: Span = Span::from_secs(600);
/// How long the page may be left alone.
pub const IDLE: Span = Span::from_secs(1_800);
/// How long a session of the page lasts at most.
pub const PAGE: Span = Span::from_secs(43_200);
/// How long a log-in counts as having been asked for the password again.
pub const FRESH: Span = Span::from_secs(300);
/// The most sessions of one account; the oldest goes.
pub const SESSIONS_MAX: usize = 32;
/// How long one key signs.
const KEY_LASTS: Span = Span::from_secs(7 * 86_400);
/// How far clocks may be apart. **Units**: seconds.
const LEEWAY: u64 = 5;
const ISSUER: &str = "picket";
const AUDIENCE: &str = "picket-api";

/// One session, as it is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Session {
    /// Its number.
    pub number: u64,
    /// Whose it is.
    pub account: u64,
    /// The hash of its token's id.
    token: String,
    /// When it began, in microseconds.
    pub created: u64,
    /// When it ends.
    pub until: u64,
    /// When it was last used; kept in memory only.
    #[serde(skip)]
    pub seen: u64,
    /// From where it was begun.
    pub from: IpAddr,
    /// What the client calls itself.
    pub agent: String,
    /// Whether the second factor has not been asked for yet.
    #[serde(default)]
    pub due: bool,
    /// Whether it is the page's, by a cookie; else it is a program's, by a bearer token.
    #[serde(default)]
    pub page: bool,
}

/// A session as its owner sees it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct SessionRow {
    /// Its number.
    pub id: u64,
    /// Whose it is.
    pub user: u64,
    /// When it began.
    pub created: String,
    /// When it ends.
    pub until: String,
    /// When it was last used.
    pub seen: String,
    /// From where it was begun.
    pub from: String,
    /// What the client calls itself.
    pub agent: String,
    /// Whether it is the page's; else it is a program's.
    pub page: bool,
    /// Whether it is the one that asks.
    pub current: bool,
}

impl Session {
    /// A new session with the id that goes into its token: a bearer's lasts as long as is said, the page's by its own rules.
    ///
    /// # Errors
    /// The system gives no random octets.
    pub fn begin(
        number: u64,
        account: u64,
        from: IpAddr,
        agent: String,
        due: bool,
        bearer: Option<Span>,
    ) -> Result<(Self, String), NoRandom> {
        let id = hex(&random::<16>()?);
        let (token, created, page) = (sha256(id.as_bytes()), now().micros(), bearer.is_none());
        let until = created + bearer.unwrap_or(PAGE).micros();
        Ok((Self { number, account, token, created, until, seen: created, from, agent, due, page }, id))
    }

    /// Whether it still holds, for the token with this id.
    #[must_use]
    pub fn holds(&self, id: &str) -> bool {
        self.lives(now().micros()) && same(&self.token, &sha256(id.as_bytes()))
    }

    /// Whether it is not over: by its age, and the page's by having been left alone.
    #[must_use]
    pub fn lives(&self, now: u64) -> bool {
        let used = !self.page || now.saturating_sub(self.seen.max(self.created)) < IDLE.micros();
        // A clock that was set back must not make a session last longer.
        (self.created..self.until).contains(&now) && used
    }

    /// Whether the password was asked for just now.
    #[must_use]
    pub fn fresh(&self) -> bool {
        now().micros().saturating_sub(self.created) < FRESH.micros()
    }

    /// As its owner sees it.
    #[must_use]
    pub fn row(&self, current: bool) -> SessionRow {
        let at = |micros| rfc3339(Timestamp::from_micros(micros));
        SessionRow {
            id: self.number,
            user: self.account,
            created: at(self.created),
            until: at(self.until),
            seen: at(self.seen.max(self.created)),
            from: self.from.to_string(),
            agent: self.agent.clone(),
            page: self.page,
            current,
        }
    }
}

/// What a token says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    iss: String,
    aud: String,
    /// The account.
    pub sub: String,
    /// The session.
    pub sid: u64,
    /// The token's own id.
    pub jti: String,
    iat: u64,
    exp: u64,
}

impl Claims {
    /// Whether half of the time for which it was signed is over.
    #[must_use]
    pub fn half_over(&self) -> bool {
        now().micros() / 1_000_000 > (self.iat + self.exp) / 2
    }
}

/// One key of the ring.
#[derive(Clone, Serialize, Deserialize)]
struct Key {
    kid: u64,
    secret: String,
    since: u64,
}

/// The keys that sign tokens: the newest signs, the one before is still believed.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct Keys {
    keys: Vec<Key>,
}

impl Keys {
    /// Makes sure that there is a key young enough; whether one was made.
    ///
    /// # Errors
    /// The system gives no random octets.
    pub fn renew(&mut self) -> Result<bool, NoRandom> {
        let now = now().micros();
        if self.keys.last().is_some_and(|key| now.saturating_sub(key.since) < KEY_LASTS.micros()) {
            return Ok(false);
        }
        let kid = self.keys.last().map_or(1, |key| key.kid + 1);
        self.keys.push(Key { kid, secret: hex(&random::<32>()?), since: now });
        self.keys.drain(..self.keys.len().saturating_sub(2));
        Ok(true)
    }

    /// The token of a session.
    #[must_use]
    pub fn sign(&self, session: &Session, id: String) -> Option<String> {
        provide();
        let key = self.keys.last()?;
        let (from, until) = if session.page {
            let now = now().micros();
            (now, (now + COOKIE.micros()).min(session.until))
        } else {
            (session.created, session.until)
        };
        let claims = Claims {
            iss: ISSUER.into(),
            aud: AUDIENCE.into(),
            sub: session.account.to_string(),
            sid: session.number,
            jti: id,
            iat: from / 1_000_000,
            exp: until / 1_000_000,
        };
        let header = Header { kid: Some(key.kid.to_string()), ..Header::new(Algorithm::HS256) };
        jsonwebtoken::encode(&header, &claims, &EncodingKey::from_secret(key.secret.as_bytes())).ok()
    }

    /// What a bearer token says, if one of the keys signed it and its time is not over.
    #[must_use]
    pub fn read(&self, token: &str) -> Option<Claims> {
        self.believed(token, LEEWAY)
    }

    /// What the page's cookie says. Its own time may be over for as long as the page may be left alone: the row decides.
    #[must_use]
    pub fn read_cookie(&self, token: &str) -> Option<Claims> {
        self.believed(token, IDLE.secs())
    }

    fn believed(&self, token: &str, leeway: u64) -> Option<Claims> {
        provide();
        let kid = jsonwebtoken::decode_header(token).ok()?.kid?;
        let key = self.keys.iter().find(|key| key.kid.to_string() == kid)?;
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[AUDIENCE]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        validation.leeway = leeway;
        let read = jsonwebtoken::decode(token, &DecodingKey::from_secret(key.secret.as_bytes()), &validation);
        read.ok().map(|read| read.claims)
    }
}

/// HMAC-SHA-256 by ring, for signing and for checking.
struct Hs256(hmac::Key);

impl Signer<Vec<u8>> for Hs256 {
    fn try_sign(&self, text: &[u8]) -> Result<Vec<u8>, signature::Error> {
        Ok(hmac::sign(&self.0, text).as_ref().to_vec())
    }
}

impl Verifier<Vec<u8>> for Hs256 {
    fn verify(&self, text: &[u8], tag: &Vec<u8>) -> Result<(), signature::Error> {
        hmac::verify(&self.0, text, tag).map_err(|_| signature::Error::new())
    }
}

impl JwtSigner for Hs256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::HS256
    }
}

impl JwtVerifier for Hs256 {
    fn algorithm(&self) -> Algorithm {
        Algorithm::HS256
    }
}

/// Has jsonwebtoken use ring; nothing but HS256 is possible then.
fn provide() {
    use jsonwebtoken::errors::{ErrorKind, Result};
    fn only(algorithm: &Algorithm) -> Result<()> {
        if *algorithm == Algorithm::HS256 { Ok(()) } else { Err(ErrorKind::InvalidAlgorithm.into()) }
    }
    static PROVIDER: CryptoProvider = CryptoProvider {
        signer_factory: |algorithm, key| {
            only(algorithm)?;
            Ok(Box::new(Hs256(hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes()))))
        },
        verifier_factory: |algorithm, key| {
            only(algorithm)?;
            Ok(Box::new(Hs256(hmac::Key::new(hmac::HMAC_SHA256, key.try_get_as_bytes()?))))
        },
        key_utils: KeyUtils::new_unimplemented(),
    };
    static ONCE: Once = Once::new();
    // Somebody else may have installed one first, as another test; it is the same.
    ONCE.call_once(|| {
        let _ = PROVIDER.install_default();
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys() -> Keys {
        let mut keys = Keys::default();
        assert!(keys.renew().expect("random") && !keys.renew().expect("random"));
        keys
    }

    fn session() -> (Session, String) {
        Session::begin(7, 3, [127, 0, 0, 1].into(), "a test".into(), false, Some(Span::from_secs(600))).expect("random")
    }

    #[test]
    fn a_token_is_read_by_the_keys_that_signed_it_and_by_no_others() {
        let (keys, (session, id)) = (keys(), session());
        let token = keys.sign(&session, id.clone()).expect("a key");
        let claims = keys.read(&token).expect("signed");
        assert_eq!((claims.sid, claims.sub.as_str(), claims.jti.as_str()), (7, "3", id.as_str()));
        assert!(session.holds(&claims.jti) && !session.holds("another"));
        assert_eq!(super::tests::keys().read(&token), None);
    }

    #[test]
    fn no_other_algorithm_and_no_changed_octet_is_taken() {
        let (keys, (session, id)) = (keys(), session());
        let token = keys.sign(&session, id).expect("a key");
        let body = token.split('.').nth(1).expect("three parts");
        // {"alg":"none","kid":"1"} and {"alg":"HS384","kid":"1"}
        for header in ["eyJhbGciOiJub25lIiwia2lkIjoiMSJ9", "eyJhbGciOiJIUzM4NCIsImtpZCI6IjEifQ"] {
            for tag in ["", "AAAA", token.rsplit('.').next().expect("a tag")] {
                assert_eq!(keys.read(&format!("{header}.{body}.{tag}")), None);
            }
        }
        for at in (0..token.len() - 1).step_by(7) {
            let mut octets = token.clone().into_bytes();
            octets[at] = if octets[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(octets).expect("text");
            assert!(changed == token || keys.read(&changed).is_none(), "octet {at}");
        }
        for wrong in ["", ".", "..", "a.b.c", &"x".repeat(9_000)] {
            assert_eq!(keys.read(wrong), None);
        }
    }

    #[test]
    fn a_session_of_the_page_ends_when_it_is_left_alone_and_after_twelve_hours() {
        let begun = Session::begin(7, 3, [127, 0, 0, 1].into(), "a test".into(), false, None);
        let (mut session, id) = begun.expect("random");
        let begin = session.created;
        assert!(session.lives(begin + IDLE.micros() - 1) && !session.lives(begin + IDLE.micros()));
        session.seen = begin + PAGE.micros() - 1;
        assert!(session.lives(session.seen) && !session.lives(begin + PAGE.micros()), "it was used all the time");
        // Its cookie is signed for ten minutes, whatever the row says.
        let keys = keys();
        let claims = keys.read_cookie(&keys.sign(&session, id).expect("a key")).expect("signed");
        assert_eq!(claims.exp - claims.iat, COOKIE.secs());
        assert!(!claims.half_over());
    }

    #[test]
    fn a_session_that_begins_in_the_future_does_not_hold() {
        let (mut session, id) = session();
        session.created += 60_000_000;
        assert!(!session.holds(&id));
    }
}
