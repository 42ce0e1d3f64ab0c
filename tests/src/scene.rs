//! Scene files: who runs which command, what must be found, and what must still work meanwhile.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::crossing::{Crossing, Ending};
use crate::network::{BOX, FAR, Network, OUTSIDE, RECORDER, ROUTER, SERVER, SERVER6};

/// Longest time that an attack scene or one of a policy may take after set-up, seconds.
pub const ATTACK_LIMIT: f64 = 20.0;
/// Longest time that the benign scenes may take together, seconds.
pub const BENIGN_LIMIT: f64 = 150.0;

/// A threat level as the gateway's JSON writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Level {
    /// Nothing is held against the host.
    Safe,
    /// It is watched.
    Medium,
    /// It is blocked where the posture says so.
    High,
}

impl Level {
    /// Reads a level in any case; what is not a level is nothing.
    #[must_use]
    pub fn read(word: &str) -> Option<Self> {
        match word.to_ascii_uppercase().as_str() {
            "SAFE" => Some(Self::Safe),
            "MEDIUM" => Some(Self::Medium),
            "HIGH" => Some(Self::High),
            _ => None,
        }
    }

    /// The word of the captures' labels.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Safe => "SAFE",
            Self::Medium => "MEDIUM",
            Self::High => "HIGH",
        }
    }
}

/// One scene.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scene {
    /// The file's name without its ending.
    #[serde(skip)]
    pub name: String,
    /// What happens, in one sentence.
    pub about: String,
    /// Whether `make test` runs it too.
    #[serde(default)]
    pub subset: bool,
    /// What runs before and during the scene and is not judged, such as a server.
    #[serde(default)]
    pub prepare: Vec<Run>,
    /// What is judged.
    pub run: Vec<Run>,
    /// What must be found; nothing may be found where it is missing.
    pub expect: Option<Expect>,
    /// What must still work while the attacker is blocked.
    #[serde(default)]
    pub works: Vec<Run>,
    /// A policy that the gateway is given first, in its text form without its posture, which is `enforce` unless the lab's
    /// configuration names one; `{in:6}` stands for the moment six seconds after the scene's start, and `{window:6}` for a weekly window that
    /// ends then, for which the start waits: windows end with full minutes.
    pub policy: Option<String>,
    /// Under a policy: what must arrive, by which rule.
    #[serde(default)]
    pub passes: Vec<Crossing>,
    /// Under a policy: what must be sent, must not arrive, and must be told with the rule.
    #[serde(default)]
    pub denied: Vec<Crossing>,
    /// Under a policy: what must go on and end in time.
    #[serde(default)]
    pub ends: Vec<Ending>,
    /// Under a policy: words that must stand together in one event.
    #[serde(default)]
    pub tells: Vec<Vec<String>>,
    /// After how many seconds everything is ended.
    pub seconds: f64,
}

/// One command on one host.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// Where.
    pub host: String,
    /// A shell line; `{server}` and the like stand for addresses.
    pub command: String,
    /// How many seconds after the scene's start.
    #[serde(default)]
    pub after: f64,
}

/// What must be found.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// Who does it.
    pub host: String,
    /// The name of what it does, as in the labels; a name that ends with `_` stands for all that begin so.
    pub family: String,
    /// The least level.
    pub level: Level,
    /// Within how many seconds of its start the kernel must hold a block; without it none may be held.
    pub blocked_within: Option<f64>,
    /// Others that may be found too, because they are part of it.
    #[serde(default)]
    pub also: Vec<String>,
}

/// Every file of a folder of scenes or recipes as it is written, in the order of their names.
///
/// # Errors
/// Names the file that can't be read and what is wrong in it.
pub fn read_folder<T: DeserializeOwned>(folder: &Path) -> Result<Vec<(PathBuf, T)>> {
    let entries = fs::read_dir(folder).with_context(|| format!("nothing to play in {}", folder.display()))?;
    let mut files: Vec<PathBuf> = entries
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| path.extension().is_some_and(|ending| ending == "toml"))
        .collect();
    files.sort();
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        let scene = toml::from_str(&text).with_context(|| path.display().to_string())?;
        Ok((path, scene))
    };
    files.into_iter().map(read).collect()
}

/// What a scene is called: its file's name without the ending.
pub fn name_of(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

impl Scene {
    /// Reads every scene of a folder, in the order of their names.
    ///
    /// # Errors
    /// Names the file and what is wrong in it.
    pub fn read_all(folder: &Path) -> Result<Vec<Self>> {
        read_folder(folder)?
            .into_iter()
            .map(|(path, scene)| Self { name: name_of(&path), ..scene }.checked(&path))
            .collect()
    }

    fn checked(self, path: &Path) -> Result<Self> {
        let (what, scene) = (path.display(), self);
        let limit = if scene.is_benign() { BENIGN_LIMIT } else { ATTACK_LIMIT };
        ensure!(scene.seconds > 0.0 && scene.seconds <= limit, "{what}: seconds must be over 0 and at most {limit}");
        ensure!(!scene.run.is_empty(), "{what}: nothing runs");
        let of_policy =
            !(scene.passes.is_empty() && scene.denied.is_empty() && scene.ends.is_empty() && scene.tells.is_empty());
        ensure!(of_policy == scene.policy.is_some(), "{what}: a policy, and what comes of it, or neither");
        ensure!(scene.policy.is_none() || scene.expect.is_none(), "{what}: a scene of a policy expects no finding");
        if let Some(expect) = &scene.expect {
            ensure!(
                expect.blocked_within.is_none_or(|limit| limit > 0.0 && limit <= scene.seconds),
                "{what}: blocked_within"
            );
            ensure!(scene.run.iter().any(|run| run.host == expect.host), "{what}: {} does nothing", expect.host);
        }
        Ok(scene)
    }

    /// Whether nothing may be found.
    #[must_use]
    pub const fn is_benign(&self) -> bool {
        self.expect.is_none() && !self.is_of_policy()
    }

    /// Whether it is about what a policy lets pass.
    #[must_use]
    pub const fn is_of_policy(&self) -> bool {
        self.policy.is_some()
    }

    /// The hosts whose behaviour the scene is about, each once.
    #[must_use]
    pub fn actors(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.run.iter().map(|run| run.host.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        names
    }
}

/// Puts addresses and files in the place of `{names}`.
///
/// # Errors
/// When a name is not known.
pub fn fill(line: &str, network: &Network, folder: &Path) -> Result<String> {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(at) = rest.find('{') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let Some((name, after)) = rest.split_once('}') else { bail!("a brace is not closed in: {line}") };
        rest = after;
        match name {
            "router" => out.push_str(ROUTER),
            "box" => out.push_str(BOX),
            "server" => out.push_str(SERVER),
            "server6" => out.push_str(SERVER6),
            "far" => out.push_str(FAR),
            "outside" => out.push_str(OUTSIDE),
            "dir" => out.push_str(&folder.to_string_lossy()),
            "scripts" => out.push_str(&crate::gateway::root().join("tests/lab/scripts").to_string_lossy()),
            "lab" => out.push_str(&folder.join("lab").to_string_lossy()),
            "picket" => out.push_str(&crate::gateway::binary()?.to_string_lossy()),
            "recorder" => out.push_str(RECORDER),
            host => {
                let (host, what) = host.split_once('.').unwrap_or((host, "v4"));
                let host = network.host(host)?;
                out.push_str(match what {
                    "v4" => &host.address,
                    "v6" => &host.address6,
                    "mac" => &host.mac,
                    other => bail!("no {{host.{other}}} in: {line}"),
                });
            }
        }
    }
    out.push_str(rest);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scenes() -> Vec<Scene> {
        Scene::read_all(&Path::new(env!("CARGO_MANIFEST_DIR")).join("lab/scenes")).expect("the scenes are right")
    }

    #[test]
    fn there_are_enough_scenes_of_both_kinds_and_for_the_gate() {
        let scenes = scenes();
        assert!(scenes.len() >= 25, "{} scenes", scenes.len());
        assert!(scenes.iter().filter(|scene| scene.is_benign()).count() >= 10);
        assert!(scenes.iter().filter(|scene| scene.subset).count() >= 8);
    }

    #[test]
    fn benign_scenes_do_not_share_a_host() {
        let mut seen = std::collections::BTreeMap::new();
        for scene in scenes().iter().filter(|scene| scene.is_benign()) {
            for host in scene.actors() {
                if host.starts_with('h') {
                    assert_eq!(seen.insert(host.to_owned(), scene.name.clone()), None, "{host} in {}", scene.name);
                }
            }
        }
    }

    #[test]
    fn an_unknown_key_is_an_error() {
        assert!(toml::from_str::<Scene>("about = 'x'\nrun = []\nseconds = 1\nsurprise = 1").is_err());
    }
}
