use super::*;
use crate::{Proof, plain};
use terms::Timestamp;

fn shipped() -> Judge {
    Judge::new(SHIPPED.iter().map(|(name, text)| Rule::read(name, text).unwrap()).collect())
}

/// What the shipped rules find in lines that come at these seconds, from one address.
fn found(lines: &[(u64, String)]) -> Vec<(String, String, u64)> {
    let mut judge = shipped();
    let mut out = Vec::new();
    for (n, (secs, line)) in lines.iter().enumerate() {
        let at = Timestamp::from_secs(1_000_000 + secs);
        let mut activity = plain(line.as_bytes(), [192, 0, 2, 1].into(), at).unwrap();
        activity.id = n as u64 + 1;
        for found in judge.hear(&activity) {
            assert_eq!((found.at, found.id, found.proof), (at, n as u64 + 1, Proof::Unproven));
            out.push((judge.rules()[found.rule].name.clone(), found.key, *secs));
        }
    }
    out
}

fn line(program: &str, message: &str) -> String {
    format!("<38>1 - web {program} - - - {message}")
}

fn login(done: bool, who: &str, from: u32) -> String {
    let word = if done { "Accepted" } else { "Failed" };
    line("sshd", &format!("{word} password for {who} from 10.0.0.{from} port 9 ssh2"))
}

fn read(n: u64) -> String {
    line("smbd_audit", &format!("ann|10.0.0.7|pread_send|ok|plans/{n}.pdf"))
}

fn names(found: &[(String, String, u64)]) -> Vec<&str> {
    found.iter().map(|(name, ..)| name.as_str()).collect()
}

#[test]
fn every_shipped_rule_reads_and_says_what_to_do() {
    let judge = shipped();
    for rule in judge.rules() {
        assert!(
            rule.title.len() > 10 && rule.words.len() > 10 && rule.next.len() > 20 && rule.weight > 0,
            "{}",
            rule.name
        );
    }
}

#[test]
fn a_guessed_password_is_found_and_a_forgotten_one_is_not() {
    let tries = |fails: u64, gap: u64| {
        let mut lines: Vec<_> = (0..fails).map(|n| (n * gap, login(false, "ann", 7))).collect();
        lines.push((fails * gap, login(true, "ann", 7)));
        lines
    };
    assert_eq!(found(&tries(5, 10)), [("guessed-password".into(), "ann".into(), 50)]);
    assert_eq!(found(&tries(40, 10)), [("guessed-password".into(), "ann".into(), 400)], "also after many more");
    assert_eq!(found(&tries(4, 10)), [], "one less");
    assert_eq!(found(&tries(5, 200)), [], "over a quarter of an hour");
    let mut others = tries(5, 10);
    others[5].1 = login(true, "bob", 7);
    assert_eq!(found(&others), [], "somebody else logs in");
    let mut late = tries(5, 10);
    late[5].0 = 700;
    assert_eq!(found(&late), [], "long after");
}

#[test]
fn distinct_accounts_and_addresses_are_counted_once_each() {
    let sprayed: Vec<_> = (0..8).map(|n| (n, login(false, &format!("user{n}"), 7))).collect();
    assert_eq!(names(&found(&sprayed)), ["tried-accounts"]);
    let same: Vec<_> = (0..100).map(|n| (n, login(false, &format!("user{}", n % 4), 7))).collect();
    assert_eq!(names(&found(&same)), Vec::<&str>::new());
    let places: Vec<_> = (0..9).map(|n| (n, login(true, "ann", u32::try_from(n % 3).unwrap()))).collect();
    assert_eq!(names(&found(&places)), ["several-places"], "told once, not with each log-in");
}

#[test]
fn a_stick_after_many_files_is_found_and_either_alone_is_not() {
    let stick = line("kernel", "usb 1-1: USB Mass Storage device detected");
    let mut lines: Vec<_> = (0..200).map(|n| (n / 10, read(n))).collect();
    assert_eq!(names(&found(&lines)), Vec::<&str>::new());
    assert_eq!(names(&found(&[(0, stick.clone())])), Vec::<&str>::new());
    lines.push((600, stick.clone()));
    assert_eq!(names(&found(&lines)), ["stick-after-bulk-read"]);
    lines[200].0 = 19 + 3_601;
    assert_eq!(names(&found(&lines)), Vec::<&str>::new(), "an hour later it is another story");
    let many: Vec<_> = (0..500).map(|n| (n / 10, read(n))).collect();
    assert_eq!(names(&found(&many)), ["bulk-read"]);
}

#[test]
fn single_acts_of_weight_are_found_once_a_window() {
    let lines = [
        (0, line("usermod", "add 'bob' to group 'sudo'")),
        (1, line("usermod", "add 'bob' to group 'audio'")),
        (2, line("useradd", "new user: name=eve, UID=1002, GID=1002")),
        (3, line("useradd", "new user: name=eva, UID=1003, GID=1003")),
        (4, line("rsyslogd", "[origin] exiting on signal 15.")),
        (5, line("sudo", "ann : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/usr/bin/id")),
    ];
    assert_eq!(names(&found(&lines)), ["powerful-group", "account-changed", "watch-stopped"]);
}

#[test]
fn a_rule_that_makes_no_sense_is_refused_with_its_name() {
    let good = SHIPPED[0].1;
    let refusals = [
        (good.replace("MEDIUM", "LOUD"), "level is"),
        (good.replace("\"1m\"", "\"soon\""), "window is"),
        (good.replace("\"1m\"", "\"99d\""), "window is"),
        (good.replace("result = \"done\"", "result = \"well\""), "result is"),
        (good.replace("action = \"account\"", "action = \"dance\""), "action is"),
        (good.replace("weight = 2", "weight = 2\ncolour = 3"), "unknown field"),
        (good.replace("[[steps]]", "[[steps]]\ncount = 0"), "count is 0"),
        ("steps = []".into(), "missing field"),
    ];
    for (text, why) in refusals {
        let fault = Rule::read("x", &text).unwrap_err().to_string();
        assert!(fault.starts_with("rule x: ") && fault.contains(why), "{fault}");
    }
}

#[test]
fn a_million_invented_accounts_take_no_more_memory() {
    let mut judge = shipped();
    for n in 0..20_000 {
        let line = login(false, &format!("user{n}"), 7);
        let activity = plain(line.as_bytes(), [192, 0, 2, 1].into(), Timestamp::from_secs(1_000_000)).unwrap();
        judge.hear(&activity);
        assert!(judge.followed() <= KEYS_MAX);
    }
}

#[test]
fn the_backup_s_account_reads_everything_and_nobody_else_does_under_its_name() {
    let read = |who: &str, n: u64| (n, line("smbd_audit", &format!("{who}|10.0.0.7|pread_send|ok|plans/{n}.pdf")));
    let all = |who: &str| found(&(0..600).map(|n| read(who, n / 2)).collect::<Vec<_>>());
    assert_eq!(all("backup"), []);
    assert_eq!(names(&all("backups")), ["bulk-read"]);
}

#[test]
fn a_closed_account_is_told_when_it_is_tried_and_a_mistyped_password_is_not() {
    let tried =
        found(&[(0, line("sshd", "User carl not allowed because account is locked")), (9, login(false, "carl", 7))]);
    assert_eq!(tried, [("closed-account".into(), "carl".into(), 0)]);
    assert_eq!(found(&[(0, login(false, "carl", 7)), (9, login(true, "carl", 7))]), []);
}
