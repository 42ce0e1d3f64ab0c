//! Passwords: what is taken, and how they are kept (argon2id).
//!
//! One hash at a time: a storm of log-ins costs one processor a hash after the other and never the memory of many.

use std::collections::HashSet;
use std::io::Read as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use flate2::read::GzDecoder;

use crate::problem::Problem;
use crate::secret::random;
use crate::words::{Email, UserName};

/// Memory, passes and lanes. **Units**: KiB. **Source**: OWASP's first choice for argon2id.
const COST: (u32, u32, u32) = (19_456, 2, 1);
/// The shortest and the longest password, in characters.
pub const LENGTH: (usize, usize) = (12, 256);
/// How many may wait for their hash; more are told to come again.
const WAITING_MAX: usize = 8;
/// The 10,000 most used passwords, and what has 12 characters and more among the next 40,000, in small letters, one a line, packed by
/// build.rs. **Source**: the frequency lists of the npm packages zxcvbn 4.4.2 and @zxcvbn-ts/language-common 4.1.3 (both MIT).
const MOST_USED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/passwords.gz"));

/// The one place where passwords are hashed and compared.
pub struct Hasher {
    turn: Mutex<()>,
    waiting: AtomicUsize,
    done: AtomicU64,
    /// Stands in for the hash of an account that does not exist, so that the answer takes as long.
    nobody: String,
}

impl Hasher {
    /// A hasher.
    ///
    /// # Errors
    /// The system gives no random octets.
    pub fn new() -> Result<Self, Problem> {
        let none =
            Self { turn: Mutex::new(()), waiting: AtomicUsize::new(0), done: AtomicU64::new(0), nobody: String::new() };
        let nobody = none.hash("a password of nobody")?;
        Ok(Self { nobody, done: AtomicU64::new(0), ..none })
    }

    /// The hash of a password, with a salt of its own.
    ///
    /// # Errors
    /// Too many wait already.
    pub fn hash(&self, password: &str) -> Result<String, Problem> {
        self.in_turn(|| {
            let salt: [u8; 16] = random().map_err(|error| Problem::busy(error.to_string()))?;
            let hash: PasswordHash = argon2()?
                .hash_password_with_salt(password.as_bytes(), &salt)
                .map_err(|_| Problem::busy("no password can be hashed now"))?;
            Ok(hash.to_string())
        })
    }

    /// A key of 32 octets, made of a passphrase at the cost of a password.
    ///
    /// # Errors
    /// Too many wait already.
    pub fn key(&self, passphrase: &str, salt: &[u8]) -> Result<[u8; 32], Problem> {
        self.in_turn(|| {
            let mut key = [0; 32];
            let made = argon2()?.hash_password_into(passphrase.as_bytes(), salt, &mut key);
            made.map(|()| key).map_err(|_| Problem::busy("no key can be made now"))
        })
    }

    /// Whether this is the password; takes as long where there is none to compare with.
    ///
    /// # Errors
    /// Too many wait already.
    pub fn matches(&self, password: &str, hash: Option<&str>) -> Result<bool, Problem> {
        self.matches_if(|| Ok(()), password, hash)
    }

    /// The same, if it may be compared once its turn has come: those that wait side by side are counted one after the other.
    ///
    /// # Errors
    /// It may not, or too many wait already.
    pub fn matches_if(
        &self,
        may: impl FnOnce() -> Result<(), Problem>,
        password: &str,
        hash: Option<&str>,
    ) -> Result<bool, Problem> {
        self.in_turn_if(may, || {
            let right = PasswordHash::new(hash.unwrap_or(&self.nobody)).is_ok_and(|hash| {
                argon2().is_ok_and(|argon2| argon2.verify_password(password.as_bytes(), &hash).is_ok())
            });
            Ok(right && hash.is_some())
        })
    }

    /// Hashes made since the start.
    #[must_use]
    pub fn done(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }

    fn in_turn<T>(&self, work: impl FnOnce() -> Result<T, Problem>) -> Result<T, Problem> {
        self.in_turn_if(|| Ok(()), work)
    }

    fn in_turn_if<T>(
        &self,
        may: impl FnOnce() -> Result<(), Problem>,
        work: impl FnOnce() -> Result<T, Problem>,
    ) -> Result<T, Problem> {
        if self.waiting.fetch_add(1, Ordering::AcqRel) >= WAITING_MAX {
            self.waiting.fetch_sub(1, Ordering::AcqRel);
            return Err(Problem::too_often(2));
        }
        let turn = self.turn.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let done = may().and_then(|()| {
            self.done.fetch_add(1, Ordering::Relaxed);
            work()
        });
        drop(turn);
        self.waiting.fetch_sub(1, Ordering::AcqRel);
        done
    }
}

fn argon2() -> Result<Argon2<'static>, Problem> {
    let params = Params::new(COST.0, COST.1, COST.2, None).map_err(|_| Problem::busy("no password can be hashed"))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// Refuses a password that is easy to guess. No rules about kinds of characters.
///
/// # Errors
/// It is too short, too long, among the most used ones, or made of the account's own words.
pub fn check(password: &str, email: &Email, user_name: Option<&UserName>, names: &[&str]) -> Result<(), Problem> {
    let wrong = |detail: String| Err(Problem::field("password", detail));
    let length = password.chars().count();
    if !(LENGTH.0..=LENGTH.1).contains(&length) {
        return wrong(format!("takes {} to {} characters", LENGTH.0, LENGTH.1));
    }
    let lower = password.to_lowercase();
    if is_most_used(&lower) {
        return wrong("is one of the most used passwords, or two of them in a row".into());
    }
    let first = lower.chars().next();
    if lower.chars().all(|c| Some(c) == first) {
        return wrong("is one character repeated".into());
    }
    // The account's own words may stand in it, but must not be what it is made of.
    let own = [email.as_str(), email.local(), user_name.map_or("", UserName::as_str), "picket", "password"];
    let rest = own
        .iter()
        .chain(names)
        .filter(|word| word.chars().count() >= 3)
        .fold(lower.clone(), |rest, word| rest.replace(&word.to_lowercase(), ""));
    if rest != lower && rest.chars().filter(|c| c.is_alphabetic()).count() < 4 {
        return wrong("is made of the account's own words".into());
    }
    Ok(())
}

/// Whether a text in small letters is one of the most used passwords, or two of them in a row: most of them are shorter than what is
/// taken, and doubled by whoever is told so.
fn is_most_used(lower: &str) -> bool {
    let mut text = String::new();
    // What was packed at build time unpacks.
    if GzDecoder::new(MOST_USED).read_to_string(&mut text).is_err() {
        return true;
    }
    let all: HashSet<&str> = text.lines().collect();
    let two = |(at, _): (usize, char)| all.contains(&lower[..at]) && all.contains(&lower[at..]);
    all.contains(lower) || lower.char_indices().skip(1).any(two)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(password: &str) -> bool {
        let email = Email::new("anna.miller@example.org").expect("an address");
        check(password, &email, UserName::new("amiller").ok().as_ref(), &["Anna", "Miller"]).is_err()
    }

    #[test]
    fn what_is_short_common_or_the_accounts_own_is_refused() {
        for password in [
            "short-12345",
            "aaaaaaaaaaaaaa",
            "annamiller2026",
            "Anna.Miller@example.org",
            "picket123456",
            "password12345",
            "1q2w3e4r5t6y",
            "Dragon123456",
            "qwertyqwerty",
        ] {
            assert!(refused(password), "{password}");
        }
        assert!(refused(&"x1".repeat(129)));
        let mut text = String::new();
        GzDecoder::new(MOST_USED).read_to_string(&mut text).expect("packed at build time");
        assert!(text.lines().count() >= 10_000 && text.lines().step_by(400).all(is_most_used));
    }

    #[test]
    fn any_other_password_is_taken_as_it_is() {
        for password in
            ["correct-horse-7-staple", "           .", "äöüäöüäöüäöü1", "annas cat likes tuna", &"ab".repeat(128)]
        {
            assert!(!refused(password), "{password}");
        }
    }

    #[test]
    fn the_hash_is_argon2id_with_its_cost_and_a_salt_of_its_own() {
        let hasher = Hasher::new().expect("random");
        let (a, b) = (hasher.hash("one password").expect("a hash"), hasher.hash("one password").expect("a hash"));
        assert!(a.starts_with("$argon2id$v=19$m=19456,t=2,p=1$") && a != b, "{a}");
        assert_eq!(hasher.matches("one password", Some(&a)), Ok(true));
        assert_eq!(hasher.matches("another one", Some(&a)), Ok(false));
        assert_eq!(hasher.matches("a password of nobody", None), Ok(false));
        assert_eq!(hasher.done(), 5);
    }
}
