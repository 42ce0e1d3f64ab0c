//! The versions of the policy, as files that people can read: one a version, and one that says which holds.
//!
//! They lie beside the store, not in it, so that a store that is damaged takes no rule with it. A version is written as a whole, synced,
//! and never changed again; `state` is replaced at once by renaming.
//!
//! | file | what |
//! |---|---|
//! | `policy/N.json` | version N: when, who, why, what made it, the text |
//! | `policy/state.json` | which version is confirmed, and which is on trial until when |

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use terms::Timestamp;

/// How many versions are kept; the oldest go.
pub const VERSIONS: usize = 500;

/// One version of the policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyVersion {
    /// Its number, from 1.
    pub version: u64,
    /// When it was made.
    pub at: Timestamp,
    /// By whom.
    pub author: String,
    /// Why, in their words.
    pub why: String,
    /// What was done: `apply`, `confirm`, `revert`, `posture`...
    pub act: String,
    /// The policy as text; empty before the first one.
    pub text: String,
}

/// Which version holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyState {
    /// The newest version that somebody confirmed; zero before the first.
    pub confirmed: u64,
    /// The version that holds until its deadline unless it is confirmed.
    pub trial: Option<Trial>,
}

/// A version that goes by itself unless it is confirmed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trial {
    /// Which.
    pub version: u64,
    /// Who may confirm it.
    pub author: String,
    /// The start of the machine in which the deadline counts.
    pub boot: String,
    /// The deadline after that start.
    ///
    /// **Units**: milliseconds.
    pub until: u64,
    /// The same on the wall clock, for after another start.
    pub until_wall: Timestamp,
    /// For how long it was given.
    pub secs: u64,
}

/// The folder of the versions.
#[derive(Clone, Debug)]
pub struct Policies {
    folder: PathBuf,
    state: PolicyState,
    newest: u64,
}

impl Policies {
    /// Opens the folder below the store's path, which is made if it is missing.
    ///
    /// # Errors
    /// The system refuses, or the state can't be read: the versions are there then, and nothing is guessed.
    pub fn open(store: &Path) -> io::Result<Self> {
        let folder = store.join("policy");
        fs::create_dir_all(&folder)?;
        let state = read(&folder.join("state.json"))?.unwrap_or_default();
        let newest = numbers(&folder)?.into_iter().max().unwrap_or(0);
        Ok(Self { folder, state, newest })
    }

    /// Which version holds.
    #[must_use]
    pub const fn state(&self) -> &PolicyState {
        &self.state
    }

    /// The version in force: the one on trial, else the confirmed one; nothing before the first.
    ///
    /// # Errors
    /// It can't be read.
    pub fn in_force(&self) -> io::Result<Option<PolicyVersion>> {
        self.version(self.state.trial.as_ref().map_or(self.state.confirmed, |trial| trial.version))
    }

    /// A version by its number, if it is kept.
    ///
    /// # Errors
    /// It can't be read.
    pub fn version(&self, version: u64) -> io::Result<Option<PolicyVersion>> {
        read(&self.file(version))
    }

    /// Every version that is kept, oldest first; one that can't be read is left out.
    ///
    /// # Errors
    /// The folder can't be listed.
    pub fn history(&self) -> io::Result<Vec<PolicyVersion>> {
        let mut all = numbers(&self.folder)?;
        all.sort_unstable();
        Ok(all.into_iter().filter_map(|n| self.version(n).ok().flatten()).collect())
    }

    /// Writes a version and what holds from now on, both on the medium when it returns. The number of the given version is not read.
    ///
    /// # Errors
    /// The system refuses; what held before holds on.
    pub fn put(&mut self, mut version: PolicyVersion, state: impl FnOnce(u64) -> PolicyState) -> io::Result<u64> {
        version.version = self.newest + 1;
        self.write(&self.file(version.version), &version)?;
        self.newest = version.version;
        let state = state(version.version);
        self.write(&self.folder.join("state.json"), &state)?;
        self.state = state;
        self.forget();
        Ok(self.newest)
    }

    /// Lets the oldest versions go that nothing refers to.
    fn forget(&self) {
        let Ok(mut all) = numbers(&self.folder) else { return };
        all.sort_unstable();
        let held = [Some(self.state.confirmed), self.state.trial.as_ref().map(|t| t.version)];
        let many = all.len().saturating_sub(VERSIONS);
        for old in all.into_iter().take(many).filter(|n| !held.contains(&Some(*n))) {
            let _stays = fs::remove_file(self.file(old));
        }
    }

    fn file(&self, version: u64) -> PathBuf {
        self.folder.join(format!("{version}.json"))
    }

    /// A file as a whole or not at all.
    fn write(&self, path: &Path, value: &impl Serialize) -> io::Result<()> {
        let aside = path.with_extension("new");
        let mut file = File::create(&aside)?;
        file.write_all(&serde_json::to_vec_pretty(value)?)?;
        file.sync_all()?;
        fs::rename(&aside, path)?;
        File::open(&self.folder)?.sync_all()
    }
}

fn read<T: DeserializeOwned>(path: &Path) -> io::Result<Option<T>> {
    match fs::read(path) {
        Ok(octets) => Ok(Some(serde_json::from_slice(&octets)?)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn numbers(folder: &Path) -> io::Result<Vec<u64>> {
    let names = fs::read_dir(folder)?.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    Ok(names.filter_map(|name| name.strip_suffix(".json")?.parse().ok()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str) -> PolicyVersion {
        let [author, why, act] = ["ada", "", "apply"].map(str::to_owned);
        PolicyVersion { version: 0, at: Timestamp::from_secs(1), author, why, act, text: text.into() }
    }

    #[test]
    fn what_holds_and_what_was_outlives_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let mut policies = Policies::open(folder.path()).unwrap();
        assert_eq!(policies.in_force().unwrap(), None);
        policies.put(version("one"), |n| PolicyState { confirmed: n, trial: None }).unwrap();
        let trial = |n| Trial {
            version: n,
            author: "ada".into(),
            boot: "x".into(),
            until: 1_000,
            until_wall: Timestamp::EPOCH,
            secs: 60,
        };
        policies.put(version("two"), |n| PolicyState { confirmed: 1, trial: Some(trial(n)) }).unwrap();
        let again = Policies::open(folder.path()).unwrap();
        assert_eq!(again.state(), policies.state());
        assert_eq!(again.in_force().unwrap().unwrap().text, "two");
        assert_eq!(again.history().unwrap().iter().map(|v| v.version).collect::<Vec<_>>(), [1, 2]);
    }

    #[test]
    fn a_file_cut_in_the_middle_is_told_and_not_guessed() {
        let folder = tempfile::tempdir().unwrap();
        let mut policies = Policies::open(folder.path()).unwrap();
        policies.put(version("one"), |n| PolicyState { confirmed: n, trial: None }).unwrap();
        fs::write(folder.path().join("policy/state.json"), "{\"confirmed\":").unwrap();
        assert!(Policies::open(folder.path()).is_err());
    }
}
