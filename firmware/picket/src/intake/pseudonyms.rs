//! Pseudonyms: what stands for an account's name in everything that leaves this process.
//!
//! Names of people come in here and nowhere else, so they are replaced here: the gateway, the API, reports, mails, exports and logs never hear
//! one. Which name stands behind a pseudonym is kept beside the records, and said to nobody but the API, which asks once people consented.
//!
//! A pseudonym is of an account on one source. Of a name alone, whoever enrols a source of their own could look up anybody's by telling of
//! that name.
//!
//! **Bounds**: `NAMES_MAX` names, a half of it from plain syslog, which anybody can forge. Beyond it a record's own names are replaced all the same;
//! what other records' messages say of those is not.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use intake::{Act, Activity, Proof};
use protocol::intake::{ActivityView, FoundView, SubjectView};
use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};

/// Names that are known at a time.
const NAMES_MAX: usize = 16_384;
/// The file with the key, and that with the names, in the intake's folder.
const KEY: &str = "pseudonyms.key";
const NAMES: &str = "pseudonyms.names";
/// How every pseudonym begins.
pub const PREFIX: &str = "person-";
/// Octets of the tag that a pseudonym shows.
const SHOWN: usize = 5;
/// Accounts that are no person's.
const NOBODY: [&str; 6] = ["root", "system", "nobody", "daemon", "local service", "network service"];

/// The names that are known, and what stands for each.
pub struct Pseudonyms {
    key: hmac::Key,
    /// Source and name, by pseudonym.
    people: HashMap<String, (String, String)>,
    /// The names in lower case, whatever the source: what is replaced in messages.
    words: HashSet<String>,
    /// Those that hold more than letters and digits: they are looked for inside of words too.
    phrases: Vec<String>,
    unproven: usize,
    file: File,
}

/// One account of one record.
struct Own<'a> {
    scope: &'a str,
    names: [&'a str; 2],
}

impl Pseudonyms {
    /// Opens those of a folder; draws a key where there is none.
    ///
    /// # Errors
    /// The medium or the system refuses.
    pub fn open(folder: &Path) -> io::Result<Self> {
        let key = match fs::read(folder.join(KEY)) {
            Ok(key) if key.len() == 32 => key,
            Ok(_) => return Err(io::Error::other(format!("{KEY} is damaged; without it no pseudonym stays the same"))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => draw(folder)?,
            Err(error) => return Err(error),
        };
        let lines = fs::read_to_string(folder.join(NAMES)).unwrap_or_default();
        let file = OpenOptions::new().append(true).create(true).mode(0o600).open(folder.join(NAMES))?;
        let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
        let (people, words, phrases) = (HashMap::new(), HashSet::new(), Vec::new());
        let mut known = Self { key, people, words, phrases, unproven: 0, file };
        // A line that a power cut left half is not there.
        for (scope, name) in lines.lines().filter_map(|line| serde_json::from_str::<(String, String)>(line).ok()) {
            known.learn(&scope, &name);
        }
        Ok(known)
    }

    /// What stands for an account's name on a source; on none for what is not proven.
    pub fn of(&self, scope: &str, name: &str) -> String {
        let lower = name.to_lowercase();
        if name.is_empty() || NOBODY.contains(&lower.as_str()) {
            return name.into();
        }
        let tag = hmac::sign(&self.key, format!("{}\0{lower}", scope.to_lowercase()).as_bytes());
        let digits: String = tag.as_ref().iter().take(SHOWN).map(|octet| format!("{octet:02x}")).collect();
        format!("{PREFIX}{digits}")
    }

    /// The account behind a pseudonym, with its source where it is proven.
    pub fn name(&self, pseudonym: &str) -> Option<String> {
        let (scope, name) = self.people.get(pseudonym.split(' ').next()?)?;
        Some(if scope.is_empty() { name.clone() } else { format!("{name} on {scope}") })
    }

    /// The account's name as its records have it.
    pub fn account(&self, pseudonym: &str) -> Option<&str> {
        self.people.get(pseudonym.split(' ').next()?).map(|(_, name)| name.as_str())
    }

    /// Learns the names of a record that is stored.
    pub fn hear(&mut self, activity: &Activity) {
        let own = own(activity);
        for name in own.names {
            if !self.people.contains_key(&self.of(own.scope, name)) && self.learn(own.scope, name) {
                let line = serde_json::to_string(&(own.scope, name)).unwrap_or_default();
                if let Err(error) = writeln!(self.file, "{line}") {
                    tracing::error!("the name behind a pseudonym is not kept: {error}");
                }
            }
        }
    }

    /// What stands for who did what a record says.
    pub fn subject_of(&self, activity: &Activity) -> String {
        self.of(own(activity).scope, &activity.subject)
    }

    /// A record without names.
    pub fn record(&self, activity: &Activity, view: ActivityView) -> ActivityView {
        let own = own(activity);
        let hide = |text: &str| self.hidden(text, &own);
        ActivityView {
            subject: self.of(own.scope, &view.subject),
            object: hide(&view.object),
            text: hide(&view.text),
            ..view
        }
    }

    /// A finding without names; `activity` is the record that completed it.
    pub fn finding(&self, activity: &Activity, view: FoundView) -> FoundView {
        let about = self.hidden(&view.about, &own(activity));
        FoundView { about, ..view }
    }

    /// An account without its name. `id` is the name, with its source where that is proven.
    pub fn subject(&self, view: SubjectView) -> SubjectView {
        let on = view.devices.iter().find_map(|device| {
            let name = view.id.strip_suffix(device.as_str())?.strip_suffix(" on ")?;
            Some((device.as_str(), name))
        });
        let id = match on {
            Some((device, name)) => format!("{} on {device}", self.of(device, name)),
            None => self.of("", &view.id),
        };
        SubjectView { id, ..view }
    }

    /// Whether there was room.
    fn learn(&mut self, scope: &str, name: &str) -> bool {
        let pseudonym = self.of(scope, name);
        if pseudonym == name || self.people.len() >= NAMES_MAX {
            return false;
        }
        if scope.is_empty() {
            if self.unproven >= NAMES_MAX / 2 {
                return false;
            }
            self.unproven += 1;
        }
        // An account's name in a domain, and that of a mailbox, hold the person's.
        for part in std::iter::once(name).chain(name.split(['@', '\\'])) {
            let lower = part.to_lowercase();
            if part.chars().count() < 2 || NOBODY.contains(&lower.as_str()) {
                continue;
            }
            let plain = part.chars().all(char::is_alphanumeric);
            if self.words.insert(lower.clone()) && !plain {
                self.phrases.push(lower);
            }
        }
        self.people.insert(pseudonym, (scope.into(), name.into()));
        true
    }

    /// A text in which pseudonyms stand for its own names and for all that are known.
    fn hidden(&self, text: &str, own: &Own<'_>) -> String {
        let mut out = text.to_owned();
        let lower = text.to_lowercase();
        let of_record: Vec<String> = own.names.iter().map(|name| name.to_lowercase()).collect();
        for phrase in of_record.iter().chain(&self.phrases) {
            if !phrase.chars().all(char::is_alphanumeric) && lower.contains(phrase.as_str()) {
                out = replaced(&out, phrase, &self.of(own.scope, phrase));
            }
        }
        let is_name = |word: &str| {
            let lower = word.to_lowercase();
            self.words.contains(&lower) || of_record.contains(&lower)
        };
        let mut hidden = String::with_capacity(out.len());
        let mut rest = out.as_str();
        while let Some(begin) = rest.find(of_word) {
            let (before, from) = rest.split_at(begin);
            let (word, after) = from.split_at(from.find(|c| !of_word(c)).unwrap_or(from.len()));
            hidden.push_str(before);
            if word.starts_with(PREFIX) {
                hidden.push_str(word);
            } else if is_name(word) {
                hidden.push_str(&self.of(own.scope, word));
            } else {
                // A name that is a part of a host's, of a file's, or ends a sentence.
                for part in word.split_inclusive(['.', '-', '_']) {
                    let name = part.trim_end_matches(['.', '-', '_']);
                    if !name.is_empty() && is_name(name) {
                        hidden.push_str(&self.of(own.scope, name));
                        hidden.push_str(&part[name.len()..]);
                    } else {
                        hidden.push_str(part);
                    }
                }
            }
            rest = after;
        }
        hidden + rest
    }
}

/// The accounts that a record names: who did it, and to whom.
fn own(activity: &Activity) -> Own<'_> {
    let scope = if activity.proof == Proof::Enrolled { activity.device.as_str() } else { "" };
    let of_account = matches!(activity.action, Act::RightsRaised | Act::Account | Act::Group | Act::Key);
    let named = of_account && activity.object.chars().all(|c| of_word(c) || c == '@');
    Own { scope, names: [&activity.subject, if named { &activity.object } else { "" }] }
}

/// What a name without spaces is made of.
fn of_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '.' | '-' | '_')
}

/// A text with every occurrence of a phrase replaced, whatever the case of its ASCII letters.
fn replaced(text: &str, phrase: &str, by: &str) -> String {
    let lower = text.to_ascii_lowercase();
    let (mut out, mut last) = (String::with_capacity(text.len()), 0);
    for (at, found) in lower.match_indices(&phrase.to_ascii_lowercase()) {
        out.push_str(&text[last..at]);
        out.push_str(by);
        last = at + found.len();
    }
    out + &text[last..]
}

fn draw(folder: &Path) -> io::Result<Vec<u8>> {
    let mut key = vec![0; 32];
    SystemRandom::new().fill(&mut key).map_err(|_| io::Error::other("the system gives no random octets"))?;
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(folder.join(KEY))?;
    file.write_all(&key)?;
    file.sync_all()?;
    File::open(folder)?.sync_all()?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(device: &str, subject: &str, proof: Proof, text: &str) -> Activity {
        Activity {
            id: 1,
            at: terms::Timestamp::from_secs(1),
            claimed: None,
            source: std::net::IpAddr::from([192, 0, 2, 1]),
            device: device.into(),
            subject: subject.into(),
            action: Act::Login,
            object: String::new(),
            result: intake::Outcome::Done,
            address: None,
            proof,
            program: "sshd".into(),
            priority: 13,
            cut: false,
            text: text.into(),
        }
    }

    #[test]
    fn no_name_that_is_known_is_left_in_a_text() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut known = Pseudonyms::open(folder.path()).expect("pseudonyms");
        for name in ["alice", "Bob", "ann.smith", "carol@example.org", "CORP\\dave", "Eve Adams", "root"] {
            known.hear(&record("nas", name, Proof::Enrolled, ""));
        }
        let shown = |text: &str| {
            known
                .record(
                    &record("nas", "alice", Proof::Enrolled, ""),
                    ActivityView { text: text.into(), ..ActivityView::default() },
                )
                .text
        };
        for text in [
            "Accepted password for alice from 10.0.0.1",
            "(ALICE) CMD (cat /home/alice/.profile)",
            "alice.",
            "copied to bob-laptop by ann.smith, then to Ann.Smith-laptop.lan",
            "mail to carol@example.org and carol",
            "CORP\\dave and dave",
            "opened by eve adams: x",
        ] {
            let shown = shown(text);
            let lower = shown.to_lowercase();
            for name in ["alice", "bob", "smith", "carol", "dave", "adams"] {
                assert!(!lower.contains(name), "{text}: {shown}");
            }
            assert!(shown.contains(PREFIX), "{shown}");
        }
        assert_eq!(shown("session opened for root, malice, 10.0.0.1"), "session opened for root, malice, 10.0.0.1");
    }

    #[test]
    fn a_pseudonym_stays_the_same_and_is_of_one_source_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut known = Pseudonyms::open(folder.path()).expect("pseudonyms");
        let told = record("nas", "alice", Proof::Enrolled, "");
        known.hear(&told);
        known.hear(&told);
        let pseudonym = known.of("nas", "Alice");
        assert_eq!(known.name(&pseudonym).as_deref(), Some("alice on nas"));
        assert_eq!(known.name(&format!("{pseudonym} on nas")).as_deref(), Some("alice on nas"));
        assert!(pseudonym != known.of("mine", "alice") && pseudonym != known.of("", "alice"));
        assert_eq!(known.name("person-0000000000"), None);
        drop(known);
        let known = Pseudonyms::open(folder.path()).expect("pseudonyms");
        assert_eq!((known.of("nas", "alice"), known.people.len()), (pseudonym, 1));
    }

    #[test]
    fn forged_names_take_at_most_half_of_the_room() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut known = Pseudonyms::open(folder.path()).expect("pseudonyms");
        for n in 0..NAMES_MAX {
            known.learn("", &format!("forged{n}"));
        }
        assert_eq!(known.people.len(), NAMES_MAX / 2);
        assert!(known.learn("nas", "alice"));
        let late = record("", "zoe", Proof::Unproven, "");
        let shown = known.record(
            &late,
            ActivityView { subject: "zoe".into(), text: "zoe did it".into(), ..ActivityView::default() },
        );
        assert!(!shown.subject.contains("zoe") && !shown.text.contains("zoe"));
    }
}
