//! Accounts, groups and keys that appear, change or go.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::sync::mpsc::SyncSender;
use std::thread::sleep;
use std::time::Duration;

use super::Line;

/// How often the files are read.
const LOOK: Duration = Duration::from_secs(2);
/// Accounts whose keys are looked at.
const HOMES_MAX: usize = 1_000;

/// What there is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct There {
    /// Account and the rest of its line.
    accounts: BTreeMap<String, String>,
    /// Group and member.
    members: BTreeSet<(String, String)>,
    groups: BTreeSet<String>,
    /// Account and the keys that open it.
    keys: BTreeSet<(String, String)>,
}

/// Tells what changes. Ends when nobody listens.
pub fn watch(told: &SyncSender<Line>) {
    let mut before = read();
    loop {
        sleep(LOOK);
        let after = read();
        for line in changes(&before, &after) {
            if told.send(line).is_err() {
                return;
            }
        }
        before = after;
    }
}

fn read() -> There {
    let text = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let keys = |home: PathBuf| fs::read_to_string(home.join(".ssh/authorized_keys")).unwrap_or_default();
    of(&text("/etc/passwd"), &text("/etc/group"), &keys)
}

fn of(passwd: &str, group: &str, keys: &dyn Fn(PathBuf) -> String) -> There {
    let mut there = There::default();
    for line in passwd.lines() {
        let Some((name, rest)) = line.split_once(':') else { continue };
        let home = rest.split(':').nth(4).unwrap_or_default();
        if !home.is_empty() && there.accounts.len() < HOMES_MAX {
            let lines = keys(PathBuf::from(home));
            let lines = lines.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
            // The comment at the end tells whose it is; the key itself is nobody's business here.
            there.keys.extend(lines.take(100).map(|line| (name.to_owned(), fingerprint(line))));
        }
        there.accounts.insert(name.into(), rest.into());
    }
    for line in group.lines() {
        let mut parts = line.split(':');
        let (Some(name), members) = (parts.next(), parts.nth(2).unwrap_or_default()) else { continue };
        there.groups.insert(name.into());
        for member in members.split(',').filter(|member| !member.is_empty()) {
            there.members.insert((name.into(), member.into()));
        }
    }
    there
}

/// What tells a key from another one: its hash and its comment.
fn fingerprint(line: &str) -> String {
    let hash = ring::digest::digest(&ring::digest::SHA256, line.as_bytes());
    let hash: String = hash.as_ref().iter().take(8).map(|octet| format!("{octet:02x}")).collect();
    format!("{hash} {}", line.split_whitespace().nth(2).unwrap_or_default())
}

fn changes(before: &There, after: &There) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut tell = |action: &str, object: &str, message: String| lines.push(Line::act(action, "", object, message));
    for (name, rest) in &after.accounts {
        match before.accounts.get(name) {
            None => tell("account", name, format!("the account {name} was made")),
            Some(old) if old != rest => tell("account", name, format!("the account {name} was changed")),
            Some(_) => {}
        }
    }
    for name in before.accounts.keys().filter(|name| !after.accounts.contains_key(*name)) {
        tell("account", name, format!("the account {name} was removed"));
    }
    for name in after.groups.difference(&before.groups) {
        tell("group", name, format!("the group {name} was made"));
    }
    for (group, member) in after.members.difference(&before.members) {
        tell("group", &format!("{group}: {member}"), format!("{member} joined the group {group}"));
    }
    for (group, member) in before.members.difference(&after.members) {
        tell("group", &format!("{group} without {member}"), format!("{member} left the group {group}"));
    }
    for (account, key) in after.keys.difference(&before.keys) {
        tell("key", account, format!("the key {key} opens the account {account} from now on"));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_a_membership_and_a_key_are_told_and_what_stays_is_not() {
        let none = |_| String::new();
        let before = of(
            "root:x:0:0:root:/root:/bin/sh\nann:x:1000:1000::/home/ann:/bin/sh\n",
            "sudo:x:27:\nann:x:1000:\n",
            &none,
        );
        assert!(changes(&before, &before).is_empty());
        let keys =
            |home: PathBuf| if home.ends_with("ann") { "# a\nssh-ed25519 AAAA eve@pc\n".into() } else { String::new() };
        let after = of(
            "ann:x:1000:1000::/home/ann:/bin/zsh\neve:x:0:0::/root:/bin/sh\n",
            "sudo:x:27:eve,ann\nann:x:1000:\n",
            &keys,
        );
        let told = changes(&before, &after).into_iter().map(|line| {
            format!("{} {}", line.value["action"].as_str().expect("text"), line.value["object"].as_str().expect("text"))
        });
        assert_eq!(
            told.collect::<Vec<_>>(),
            ["account ann", "account eve", "account root", "group sudo: ann", "group sudo: eve", "key ann"]
        );
        assert!(changes(&before, &after).iter().all(|line| !line.value["message"].to_string().contains("AAAA")));
    }
}
