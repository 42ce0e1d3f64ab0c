//! `picket threats`: the catalogue, for people, for programs, and as the text that stands in the tree.

use std::fmt::Write as _;
use std::process::ExitCode;

use detect::Source;
use detect::catalogue::{Found, Group, THREATS, Threat};
use serde::Serialize;

use crate::cli::ThreatsArgs;
use crate::terminal::{Table, print};

/// One entry, as programs read it.
#[derive(Serialize)]
struct Entry {
    family: &'static str,
    group: &'static str,
    meaning: &'static str,
    definition: &'static str,
    horizon: &'static str,
    fault: &'static str,
    least_evidence: &'static str,
    level: &'static str,
    response: &'static str,
    hidden_by: &'static str,
    techniques: Vec<&'static str>,
    detectors: Vec<String>,
    raised_by: Option<&'static str>,
    near_miss: Option<&'static str>,
    not_found: Option<&'static str>,
}

/// Prints the catalogue, or the entry of one family.
///
/// Exit status 1 where there is no family of that name.
#[must_use]
pub fn threats(args: &ThreatsArgs) -> ExitCode {
    let wanted: Vec<Entry> = THREATS
        .iter()
        .filter(|threat| args.family.as_ref().is_none_or(|family| family == threat.word))
        .map(Entry::new)
        .collect();
    if let (Some(family), true) = (&args.family, wanted.is_empty()) {
        eprintln!("picket threats: no family is named {family}; `picket threats` lists them");
        return ExitCode::FAILURE;
    }
    if args.json {
        print(&(serde_json::to_string(&wanted).unwrap_or_default() + "\n"));
    } else if args.markdown {
        print(&markdown());
    } else if let ([entry], Some(_)) = (wanted.as_slice(), &args.family) {
        print(&entry.text());
    } else {
        print(&list(&wanted));
    }
    ExitCode::SUCCESS
}

impl Entry {
    fn new(threat: &Threat) -> Self {
        let (mut raised_by, mut near_miss, mut not_found) = (None, None, None);
        let detectors = match threat.found {
            Found::By { rules, raises, spares } => {
                (raised_by, near_miss) = (Some(raises), Some(spares));
                rules.iter().map(|rule| format!("rule:{}", rule.name())).collect()
            }
            Found::ByBaseline { habit, raises, spares } => {
                (raised_by, near_miss) = (Some(raises), Some(spares));
                vec![Source::Baseline(habit).to_string()]
            }
            Found::ByForest => vec!["forest".into()],
            Found::Not(why) => {
                not_found = Some(why);
                Vec::new()
            }
        };
        Self {
            family: threat.word,
            group: threat.group.as_str(),
            meaning: threat.meaning,
            definition: threat.definition,
            horizon: threat.horizon,
            fault: threat.fault.as_str(),
            least_evidence: threat.least,
            level: threat.level.as_str(),
            response: threat.response().as_str(),
            hidden_by: threat.hides,
            techniques: threat.technique.split(", ").filter(|technique| !technique.is_empty()).collect(),
            detectors,
            raised_by,
            near_miss,
            not_found,
        }
    }

    /// What finds it, or that nothing does.
    fn finders(&self) -> String {
        if self.detectors.is_empty() { "not found".into() } else { self.detectors.join(", ") }
    }

    fn text(&self) -> String {
        let mut text = format!("{} ({})\n\n{}\n\n", self.family, self.group, self.meaning);
        let techniques = self.techniques.join(", ");
        let rows = [
            ("definition", self.definition),
            ("over", self.horizon),
            ("at least", self.least_evidence),
            ("whose doing", self.fault),
            ("level", self.level),
            ("response in protect", self.response),
            ("hidden by", self.hidden_by),
            ("MITRE ATT&CK", &techniques),
            ("not found", self.not_found.unwrap_or_default()),
        ];
        for (what, words) in rows.into_iter().filter(|(_, words)| !words.is_empty()) {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{what:<20} {words}");
        }
        let _ = writeln!(text, "{:<20} {}", "found by", self.finders());
        text
    }
}

fn list(entries: &[Entry]) -> String {
    let mut table = Table::new(&["FAMILY", "LEVEL", "RESPONSE", "OVER", "FOUND BY"]);
    for entry in entries {
        table.row([
            entry.family.into(),
            entry.level.into(),
            entry.response.into(),
            entry.horizon.into(),
            entry.finders(),
        ]);
    }
    table.text() + "\n`picket threats FAMILY` says what one means and what hides it.\n"
}

/// The catalogue as it stands in the tree.
fn markdown() -> String {
    let mut text = String::from(
        "# Threats\n\nWritten by `picket threats --markdown`; do not edit. Figures are those that are shipped; each is a key of \
         `[detect]`.\n",
    );
    let groups =
        [Group::Reconnaissance, Group::Credentials, Group::LocalLink, Group::Flood, Group::Infected].map(Group::as_str);
    for group in groups {
        let mut title = group.to_owned();
        title[..1].make_ascii_uppercase();
        let _ = writeln!(text, "\n## {title}\n");
        text.push_str(
            "| family | what somebody does | found when | over | level | response | hidden by | ATT&CK | found by |\n",
        );
        text.push_str("|---|---|---|---|---|---|---|---|---|\n");
        for entry in THREATS.iter().map(Entry::new).filter(|entry| entry.group == group) {
            let found = entry.not_found.map_or_else(|| entry.finders(), |why| format!("not found: {why}"));
            let _ = writeln!(
                text,
                "| {} | {} | {} | {} | {} | {} | {} | {} | {found} |",
                entry.family,
                entry.meaning,
                entry.definition,
                entry.horizon,
                entry.level,
                entry.response,
                entry.hidden_by,
                entry.techniques.join(", ")
            );
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_in_the_tree_is_what_the_table_gives() {
        let written = include_str!("../../detect/THREATS.md");
        assert!(written == markdown(), "write it anew: picket threats --markdown >firmware/detect/THREATS.md");
    }
}
