//! Recipes: what tools are to be recorded, from whose choices a seed draws.
//!
//! ```text
//! recipes/FAMILY.toml ── seed ──> Draw: one tool with chosen options, its host, its peer, the talk of others beside it
//! ```
//! The same seed gives the same draws; what the tools and the kernel make of them is never the same twice, which is why
//! it is recorded.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use crate::chance::Chance;
use crate::network::HOSTS;
use crate::scene::{Level, Run, name_of, read_folder};

/// The shortest and the longest that a recording lasts, seconds.
pub const LASTS: (f64, f64) = (20.0, 90.0);
/// What stands for the drawn host itself, and for another one, in commands and hosts.
const SELF: &str = "self";
const PEER: &str = "peer";
/// How many other hosts talk beside a tool, at most.
const TALKERS: u64 = 4;

/// How one family is made.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// The family, which is the file's name.
    #[serde(skip)]
    pub family: String,
    /// What happens, in one sentence.
    pub about: String,
    /// What it is.
    pub level: Level,
    /// By what its host is named in the labels.
    #[serde(default)]
    pub named_by: NamedBy,
    /// What makes it.
    pub tool: Vec<Tool>,
}

/// By what a host is named in the labels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NamedBy {
    /// Its IPv4 address.
    #[default]
    V4,
    /// Its IPv6 address.
    V6,
    /// Its hardware address.
    Mac,
}

/// A tool and what may be chosen about it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tool {
    /// Its name in the labels; `own-...` for a script of this project.
    pub name: String,
    /// The Debian package whose version is noted; an own script has none.
    pub package: Option<String>,
    /// How many recordings.
    pub draws: u32,
    /// After how many seconds it is ended.
    pub seconds: f64,
    /// The fewest frames of its host while it runs.
    #[serde(default = "few")]
    pub frames: u64,
    /// The hosts that it may run on; without them any on the LAN.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// By what its host is named, where that is not as in the rest of the file.
    pub named_by: Option<NamedBy>,
    /// What runs before and during it, such as a server.
    #[serde(default)]
    pub prepare: Vec<Run>,
    /// What runs beside it, after so many seconds of its own.
    #[serde(default)]
    pub beside: Vec<Run>,
    /// A shell line with `{choices}`, `{self}`, `{peer}` and the names that scenes know.
    pub command: String,
    /// From what is chosen; a choice may hold names itself, but no choices.
    #[serde(default)]
    pub choices: BTreeMap<String, Vec<String>>,
}

/// Something harmless that a host does meanwhile.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Talk {
    /// A shell line, as of a tool.
    pub command: String,
    /// From what is chosen.
    #[serde(default)]
    pub choices: BTreeMap<String, Vec<String>>,
}

/// One recording to be made.
#[derive(Clone, Debug, PartialEq)]
pub struct Draw {
    /// Its name: family, tool and number.
    pub name: String,
    /// Which of the tool's recordings it is, from 1.
    pub number: u32,
    /// The family.
    pub family: String,
    /// What happens.
    pub about: String,
    /// What it is.
    pub level: Level,
    /// The tool's name.
    pub tool: String,
    /// The tool's package.
    pub package: Option<String>,
    /// What everything else here was drawn from.
    pub seed: u64,
    /// The host that does it.
    pub host: String,
    /// By what it is named.
    pub named_by: NamedBy,
    /// After how many seconds it is ended.
    pub seconds: f64,
    /// How many seconds the others talk before it begins.
    pub lead: f64,
    /// The fewest frames of its host.
    pub frames: u64,
    /// Its command.
    pub command: String,
    /// What runs before and during it.
    pub prepare: Vec<Run>,
    /// What runs beside it.
    pub beside: Vec<Run>,
    /// The harmless talk of other hosts and perhaps of the same one.
    pub talk: Vec<Run>,
}

const fn few() -> u64 {
    10
}

impl Recipe {
    /// Reads every recipe of a folder, in the order of their names.
    ///
    /// # Errors
    /// Names the file and what is wrong in it.
    pub fn read_all(folder: &Path) -> Result<Vec<Self>> {
        let recipe = |(path, recipe): (PathBuf, Self)| {
            Self { family: name_of(&path), ..recipe }.checked().with_context(|| path.display().to_string())
        };
        read_folder(folder)?.into_iter().map(recipe).collect()
    }

    fn checked(self) -> Result<Self> {
        let recipe = self;
        ensure!(recipe.is_benign() == recipe.family.starts_with("benign_"), "the level does not fit the name");
        for tool in &recipe.tool {
            let name = &tool.name;
            ensure!(tool.draws > 0 && tool.seconds > 0.0 && tool.seconds <= LASTS.1 - 10.0, "{name}: draws, seconds");
            ensure!(tool.package.is_some() != name.starts_with("own-"), "{name}: a package, or a name with own-");
            let runs = tool.prepare.iter().chain(&tool.beside).map(|run| run.command.as_str());
            let lines: String = runs.chain([tool.command.as_str()]).collect();
            for (key, of) in &tool.choices {
                ensure!(
                    !of.is_empty() && lines.contains(&format!("{{{key}}}")),
                    "{name}: {key} is empty or never used"
                );
            }
        }
        Ok(recipe)
    }

    /// Whether nothing is wrong with what it makes.
    #[must_use]
    pub fn is_benign(&self) -> bool {
        self.level == Level::Safe
    }

    /// All draws, each from a seed of its own that follows from `seed` and the draw's name.
    #[must_use]
    pub fn draws(&self, seed: u64, talks: &[Talk]) -> Vec<Draw> {
        let mut numbers: BTreeMap<&str, u32> = BTreeMap::new();
        let mut draws = Vec::new();
        for tool in &self.tool {
            for _ in 0..tool.draws {
                let number = numbers.entry(&tool.name).and_modify(|number| *number += 1).or_insert(1);
                draws.push(self.draw(tool, *number, seed, talks));
            }
        }
        draws
    }

    fn draw(&self, tool: &Tool, number: u32, seed: u64, talks: &[Talk]) -> Draw {
        let name = format!("{}.{}.{}", self.family, tool.name, number);
        let seed = of_name(seed, &name);
        let mut chance = Chance(seed);
        let mut lan: Vec<String> = (1..=HOSTS).map(|n| format!("h{n}")).collect();
        shuffle(&mut lan, &mut chance);
        let host = if tool.hosts.is_empty() { lan[0].clone() } else { pick(&tool.hosts, &mut chance).clone() };
        lan.retain(|other| *other != host);
        let peer = lan.remove(0);
        let who = |line: &str| line.replace("{self", &format!("{{{host}")).replace("{peer", &format!("{{{peer}"));
        let chosen: BTreeMap<&str, &str> =
            tool.choices.iter().map(|(key, of)| (key.as_str(), pick(of, &mut chance).as_str())).collect();
        let line = |text: &str| who(&choose(text, &chosen));
        let runs = |runs: &[Run]| -> Vec<Run> {
            let run = |run: &Run| {
                let host = match run.host.as_str() {
                    SELF => host.clone(),
                    PEER => peer.clone(),
                    other => other.to_owned(),
                };
                Run { host, command: line(&run.command), after: run.after }
            };
            runs.iter().map(run).collect()
        };
        let (prepare, beside, command) = (runs(&tool.prepare), runs(&tool.beside), line(&tool.command));
        let mut talk = Vec::new();
        if !self.is_benign() && !talks.is_empty() {
            let others = 1 + chance.draw() % TALKERS;
            // One time in two the host itself goes on with something harmless.
            let itself = chance.draw().is_multiple_of(2).then_some(&host);
            for talker in lan.iter().take(others as usize).chain(itself) {
                let said = pick(talks, &mut chance);
                let chosen: BTreeMap<&str, &str> =
                    said.choices.iter().map(|(key, of)| (key.as_str(), pick(of, &mut chance).as_str())).collect();
                let after = (chance.draw() % 20) as f64 / 10.0;
                talk.push(Run { host: talker.clone(), command: choose(&said.command, &chosen), after });
            }
        }
        let lead = 2.0 + (chance.draw() % 40) as f64 / 10.0;
        Draw {
            name,
            number,
            family: self.family.clone(),
            about: self.about.clone(),
            level: self.level,
            tool: tool.name.clone(),
            package: tool.package.clone(),
            seed,
            host,
            named_by: tool.named_by.unwrap_or(self.named_by),
            seconds: tool.seconds,
            lead,
            frames: tool.frames,
            command,
            prepare,
            beside,
            talk,
        }
    }
}

/// Reads what hosts say beside a tool.
///
/// # Errors
/// Names what is wrong in the file.
pub fn talks(path: &Path) -> Result<Vec<Talk>> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct All {
        talk: Vec<Talk>,
    }
    let text = fs::read_to_string(path).with_context(|| format!("{}", path.display()))?;
    Ok(toml::from_str::<All>(&text).with_context(|| format!("{}", path.display()))?.talk)
}

/// The seed of a draw. **Source**: FNV-1a over the name, begun from the seed of all.
fn of_name(seed: u64, name: &str) -> u64 {
    let begun = Chance(seed).draw() ^ 0xcbf2_9ce4_8422_2325;
    name.bytes().fold(begun, |hash, octet| (hash ^ u64::from(octet)).wrapping_mul(0x0100_0000_01b3))
}

fn pick<'a, T>(of: &'a [T], chance: &mut Chance) -> &'a T {
    &of[(chance.draw() % of.len() as u64) as usize]
}

fn shuffle<T>(all: &mut [T], chance: &mut Chance) {
    for last in (1..all.len()).rev() {
        all.swap(last, (chance.draw() % (last as u64 + 1)) as usize);
    }
}

/// Puts what was chosen in the place of `{choices}`; other names are left to [`crate::scene::fill`].
fn choose(line: &str, chosen: &BTreeMap<&str, &str>) -> String {
    chosen.iter().fold(line.to_owned(), |line, (key, value)| line.replace(&format!("{{{key}}}"), value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use detect::catalogue::THREATS;
    use std::path::PathBuf;

    fn lab() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("lab")
    }

    fn recipes() -> Vec<Recipe> {
        Recipe::read_all(&lab().join("recipes")).expect("the recipes are right")
    }

    fn drawn(seed: u64) -> Vec<Draw> {
        let talks = talks(&lab().join("talk.toml")).expect("the talk is right");
        recipes().iter().flat_map(|recipe| recipe.draws(seed, &talks)).collect()
    }

    #[test]
    fn every_recipe_is_of_a_family_that_there_is() {
        for recipe in recipes().iter().filter(|recipe| !recipe.is_benign()) {
            assert!(THREATS.iter().any(|threat| threat.word == recipe.family), "{}", recipe.family);
        }
    }

    #[test]
    fn the_same_seed_draws_the_same_and_another_draws_otherwise() {
        assert_eq!(drawn(1), drawn(1));
        let (one, two) = (drawn(1), drawn(2));
        assert_eq!(one.len(), two.len());
        assert!(one.iter().zip(&two).filter(|(one, two)| one.command != two.command).count() > one.len() / 2);
    }

    #[test]
    fn a_draw_does_not_depend_on_the_draws_before_it() {
        let all = recipes();
        let mut alone = all[0].clone();
        let last = alone.tool.pop().expect("a tool");
        alone.tool = vec![last];
        let (alone, among) = (alone.draws(1, &[]), all[0].draws(1, &[]));
        assert_eq!(among[among.len() - alone.len()..], alone);
    }

    #[test]
    fn every_draw_has_a_name_of_its_own_and_leaves_no_choice_open() {
        let draws = drawn(3);
        let names: std::collections::BTreeSet<&str> = draws.iter().map(|draw| draw.name.as_str()).collect();
        assert_eq!(names.len(), draws.len());
        let known = ["router", "box", "server", "server6", "far", "outside", "dir", "lab", "scripts"];
        for draw in &draws {
            let runs = draw.prepare.iter().chain(&draw.beside).chain(&draw.talk).map(|run| run.command.as_str());
            for line in runs.chain([draw.command.as_str()]) {
                for name in line.split('{').skip(1).filter_map(|rest| rest.split('}').next()) {
                    let host = name.split('.').next().unwrap_or_default();
                    assert!(known.contains(&host) || host.starts_with('h'), "{}: {{{name}}} in {line}", draw.name);
                }
            }
        }
    }

    #[test]
    fn most_attacks_are_made_by_two_tools_or_more() {
        let two = |recipe: &&Recipe| {
            recipe.tool.iter().map(|tool| &tool.name).collect::<std::collections::BTreeSet<_>>().len() > 1
        };
        let all = recipes();
        let attacks: Vec<_> = all.iter().filter(|recipe| !recipe.is_benign()).collect();
        assert!(attacks.iter().copied().filter(two).count() * 10 >= attacks.len() * 9);
    }

    #[test]
    fn a_recipe_with_a_choice_that_is_never_used_is_refused() {
        let folder = std::env::temp_dir().join(format!("picket-recipes-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        let tool = "[[tool]]\nname = 'own-x'\ndraws = 1\nseconds = 5\ncommand = 'true'\nchoices = { a = ['b'] }\n";
        fs::write(folder.join("benign_recipe.toml"), format!("about = 'x'\nlevel = 'SAFE'\n{tool}")).expect("a file");
        let said = format!("{:#}", Recipe::read_all(&folder).expect_err("never used"));
        fs::remove_dir_all(&folder).expect("it is there");
        assert!(said.contains("never used"), "{said}");
    }
}
