//! The catalogue of threats: what each is, how it is found, and what hides it.
//!
//! One table, from which `picket threats` and all other texts about threats are made. A family of which nothing is found stands here
//! too, and says why.

mod table;

use terms::{Family, ThreatLevel};

use crate::finding::Habit;
use crate::rules::Rule;
pub use table::THREATS;

/// One kind of threat.
#[derive(Clone, Copy, Debug)]
pub struct Threat {
    /// Its name, as in findings and labels.
    pub word: &'static str,
    /// What it belongs to.
    pub group: Group,
    /// What somebody does, in plain language.
    pub meaning: &'static str,
    /// What is counted, with the shipped thresholds.
    pub definition: &'static str,
    /// Over which time.
    pub horizon: &'static str,
    /// Whose doing it is.
    pub fault: Fault,
    /// The least that is found.
    pub least: &'static str,
    /// The highest level that it makes by itself.
    pub level: ThreatLevel,
    /// What hides it.
    pub hides: &'static str,
    /// Techniques of MITRE ATT&CK, Enterprise, separated by commas; empty where there is none.
    pub technique: &'static str,
    /// Whether and by what it is found.
    pub found: Found,
}

/// What a threat belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// Somebody looks around.
    Reconnaissance,
    /// Somebody guesses.
    Credentials,
    /// Somebody deceives the neighbours.
    LocalLink,
    /// Somebody takes away room or time.
    Flood,
    /// A host serves somebody else.
    Infected,
}

/// Whose doing it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Of the host that sends it.
    Source,
    /// Of both ends.
    Both,
}

/// What is done about it in posture `protect`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Response {
    /// The host is blocked.
    Block,
    /// The host is watched and named.
    Watch,
    /// Nothing, because it is not found.
    None,
}

/// Whether and by what it is found.
#[derive(Clone, Copy, Debug)]
pub enum Found {
    /// By rules.
    By {
        /// Which.
        rules: &'static [Rule],
        /// A scene of the lab, or a boundary test, that raises it.
        raises: &'static str,
        /// A near miss that must not.
        spares: &'static str,
    },
    /// By the device's own baseline.
    ByBaseline {
        /// Which habit.
        habit: Habit,
        /// As for rules.
        raises: &'static str,
        /// As for rules.
        spares: &'static str,
    },
    /// By the forest alone.
    ByForest,
    /// Not, and why.
    Not(&'static str),
}

impl Threat {
    /// The entry of a family; nothing for [`Family::Benign`].
    #[must_use]
    pub fn of(family: Family) -> Option<&'static Self> {
        THREATS.iter().find(|threat| threat.word == family.as_str())
    }

    /// What is done about it: its level says so, where it is found.
    #[must_use]
    pub const fn response(&self) -> Response {
        match (self.found, self.level) {
            (Found::Not(_), _) | (_, ThreatLevel::Safe) => Response::None,
            (_, ThreatLevel::Medium) => Response::Watch,
            (_, ThreatLevel::High) => Response::Block,
        }
    }
}

impl Group {
    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reconnaissance => "reconnaissance",
            Self::Credentials => "credentials",
            Self::LocalLink => "the local link",
            Self::Flood => "floods",
            Self::Infected => "infected hosts",
        }
    }
}

impl Fault {
    /// In words.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Both => "both ends",
        }
    }
}

impl Response {
    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Block => "block",
            Self::Watch => "watch",
            Self::None => "none",
        }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::collections::BTreeSet;
    use std::path::Path;
    use std::string::String;
    use std::{format, fs};

    #[test]
    fn every_family_and_every_rule_has_its_entry() {
        for family in Family::ALL.iter().filter(|family| **family != Family::Benign) {
            assert!(Threat::of(*family).is_some_and(|t| !matches!(t.found, Found::Not(_))), "{family}");
        }
        for rule in Rule::ALL {
            let named = |t: &Threat| matches!(t.found, Found::By { rules, .. } if rules.contains(rule));
            assert!(THREATS.iter().any(named), "{}", rule.name());
        }
        let words: BTreeSet<&str> = THREATS.iter().map(|threat| threat.word).collect();
        assert_eq!(words.len(), THREATS.len(), "a word stands twice");
    }

    #[test]
    fn no_entry_leaves_something_out() {
        for threat in THREATS {
            let said = [threat.meaning, threat.definition, threat.horizon, threat.least, threat.hides];
            assert!(said.iter().all(|words| !words.is_empty()), "{}", threat.word);
            let found = Family::ALL.iter().any(|family| family.as_str() == threat.word);
            assert_eq!(found, !matches!(threat.found, Found::Not(_)), "{}", threat.word);
            assert_eq!(threat.response() == Response::None, !found, "{}", threat.word);
            assert_eq!(threat.response() == Response::Block, threat.level == ThreatLevel::High, "{}", threat.word);
        }
    }

    /// What raises each threat, and the near miss that does not, are scenes or tests that exist.
    #[test]
    fn what_raises_and_what_spares_can_be_run() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let read = |path: &Path| fs::read_to_string(path).unwrap_or_default();
        let tests: String =
            fs::read_dir(root.join("tests/boundary")).unwrap().map(|file| read(&file.unwrap().path())).collect();
        let scene = |name: &str| read(&root.join("../../tests/lab/scenes").join(format!("{name}.toml")));
        for threat in THREATS {
            let (Found::By { raises, spares, .. } | Found::ByBaseline { raises, spares, .. }) = threat.found else {
                continue;
            };
            for (proof, must_raise) in [(raises, true), (spares, false)] {
                match proof.split_once(' ') {
                    Some(("scene", name)) => {
                        let text = scene(name);
                        assert!(!text.is_empty(), "{}: no scene {name}", threat.word);
                        let expected = text.contains(&format!("family = \"{}\"", threat.word));
                        assert_eq!(expected, must_raise, "{}: scene {name}", threat.word);
                    }
                    Some(("boundary", name)) => {
                        assert!(tests.contains(&format!("fn {name}(")), "{}: no test {name}", threat.word);
                    }
                    _ => panic!("{}: {proof} is neither a scene nor a test", threat.word),
                }
            }
        }
    }
}
