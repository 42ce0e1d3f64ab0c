//! Insider rules: which acts, how many of them, one after another within a window, are worth a person's look.
//!
//! Each rule is one file under `firmware/intake/rules/`, in TOML, with words for people. A rule follows one subject or one source at a time through its steps; every record moves
//! each rule by one step at most. A rule may name a habit instead, and fires when an account leaves it. What it finds names the proof of its weakest record: plain syslog proves nothing, so that what rests on it is a
//! hint and never a reason for a block.

mod judge;
mod shipped;

use std::borrow::Cow;

use serde::Deserialize;
use terms::Span;

use crate::activity::{Act, Activity, Outcome, Proof};
use crate::habits::Habit;

pub use judge::{Found, Judge, KEYS_MAX};
pub use shipped::SHIPPED;

/// The most records that one step can ask for.
pub const COUNT_MAX: u32 = 1_000;
/// The longest text of a rule file.
const TEXT_MAX: usize = 16 << 10;

/// One rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Its name: that of its file.
    pub name: String,
    /// What it finds, as a heading.
    pub title: String,
    /// What happened, in words that follow the one who did it.
    pub words: String,
    /// What a person does about it.
    pub next: String,
    /// How bad it is: `MEDIUM` or `HIGH`.
    pub level: String,
    /// What it adds to a risk.
    pub weight: u8,
    /// Within which time the records of a step must come, and one step after the other.
    pub window: Span,
    /// Whose records are counted together.
    pub by: By,
    /// What must happen, in this order.
    pub steps: Vec<Step>,
    /// Accounts whose work it is: what they do is not counted.
    pub except: Vec<String>,
    /// A change of the account's habits instead of steps.
    pub habit: Option<Habit>,
}

/// Whose records are counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum By {
    /// Those of one account.
    Subject,
    /// Those that came from one address.
    Source,
}

/// What must differ from record to record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Distinct {
    /// The account.
    Subject,
    /// The address that it was done from.
    Address,
    /// What it was done to.
    Object,
}

/// One step of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What is done.
    pub action: Act,
    /// How it went; nothing asks for nothing.
    pub result: Option<Outcome>,
    /// What it was done to holds one of these; none asks for nothing.
    pub contains: Vec<String>,
    /// How many such records.
    pub count: u32,
    /// What differs from one to the next.
    pub distinct: Option<Distinct>,
}

/// Why a file is no rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleFault(String);

impl std::fmt::Display for RuleFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for RuleFault {}

/// A rule as its file has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    title: String,
    words: String,
    next: String,
    level: String,
    weight: u8,
    window: String,
    by: By,
    #[serde(default)]
    steps: Vec<FileStep>,
    #[serde(default)]
    except: Vec<String>,
    habit: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileStep {
    action: String,
    result: Option<String>,
    #[serde(default)]
    contains: Vec<String>,
    #[serde(default = "one")]
    count: u32,
    distinct: Option<Distinct>,
}

fn one() -> u32 {
    1
}

impl Rule {
    /// Reads a rule file.
    ///
    /// # Errors
    /// What is wrong with it, with its name.
    pub fn read(name: &str, text: &str) -> Result<Self, RuleFault> {
        let fault = |what: String| RuleFault(format!("rule {name}: {what}"));
        if text.len() > TEXT_MAX {
            return Err(fault(format!("it is longer than {} KiB", TEXT_MAX >> 10)));
        }
        let file: File = toml::from_str(text).map_err(|error| fault(error.to_string().trim().replace('\n', "; ")))?;
        if !matches!(file.level.as_str(), "MEDIUM" | "HIGH") {
            return Err(fault(format!("level is {:?}; MEDIUM and HIGH are levels", file.level)));
        }
        let window = window(&file.window)
            .ok_or_else(|| fault(format!("window is {:?}; it is a time from 1s to 30d such as 10m", file.window)))?;
        let habit = match file.habit.as_deref().map(|word| (Habit::of(word), word)) {
            Some((None, word)) => {
                return Err(fault(format!("habit is {word:?}; there are hour, device, volume and dormant")));
            }
            Some((Some(_), _)) if !file.steps.is_empty() || file.by != By::Subject => {
                return Err(fault("a rule about a habit has no steps and is by subject".into()));
            }
            habit => habit.and_then(|(habit, _)| habit),
        };
        if habit.is_none() && file.steps.is_empty() || file.steps.len() > 8 {
            return Err(fault(format!("it has {} steps; there are 1 to 8", file.steps.len())));
        }
        let steps = file.steps.into_iter().map(|step| Step::read(step).map_err(&fault)).collect::<Result<_, _>>()?;
        let File { title, words, next, level, weight, by, except, .. } = file;
        Ok(Self { name: name.into(), title, words, next, level, weight, window, by, steps, except, habit })
    }

    /// Whose record this is, for this rule; nothing where it is nobody's.
    ///
    /// An enrolled source speaks for its own accounts: what it says of `ann` counts for `ann on nas` and never for the `ann` of another
    /// host, and what anybody can forge from its address does not mix with what it proves.
    fn key<'a>(&self, activity: &'a Activity, source: &'a str) -> Option<Cow<'a, str>> {
        if self.except.contains(&activity.subject) {
            return None;
        }
        let (subject, device) = (activity.subject.as_str(), activity.device.as_str());
        match (self.by, activity.proof) {
            (By::Subject, _) if subject.is_empty() => None,
            (By::Subject, Proof::Enrolled) => Some(format!("{subject} on {device}").into()),
            (By::Subject, Proof::Unproven) => Some(subject.into()),
            (By::Source, Proof::Enrolled) => Some(device.into()),
            (By::Source, Proof::Unproven) => Some(source.into()),
        }
    }
}

impl Step {
    fn read(step: FileStep) -> Result<Self, String> {
        let known = || Act::ALL.map(Act::as_str).join(", ");
        let action =
            Act::of(&step.action).ok_or_else(|| format!("action is {:?}; there are {}", step.action, known()))?;
        let result = match step.result.as_deref() {
            None => None,
            Some("done") => Some(Outcome::Done),
            Some("failed") => Some(Outcome::Failed),
            Some(other) => return Err(format!("result is {other:?}; it is done or failed")),
        };
        if !(1..=COUNT_MAX).contains(&step.count) {
            return Err(format!("count is {}; it is a number from 1 to {COUNT_MAX}", step.count));
        }
        Ok(Self { action, result, contains: step.contains, count: step.count, distinct: step.distinct })
    }

    /// Whether a record is one of those that are counted.
    fn is(&self, activity: &Activity) -> bool {
        self.action == activity.action
            && self.result.is_none_or(|result| result == activity.result)
            && (self.contains.is_empty() || self.contains.iter().any(|part| activity.object.contains(part.as_str())))
    }
}

/// A time as `10m`.
fn window(text: &str) -> Option<Span> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let unit = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return None,
    };
    let secs = number.parse::<u64>().ok()?.checked_mul(unit)?;
    (1..=30 * 86_400).contains(&secs).then(|| Span::from_secs(secs))
}

#[cfg(test)]
mod tests;
