//! What the programs of hosts say of people: who did what, to what, from where, and how it went.
//!
//! One function a program. A sentence that is not known is no fault: it is `Act::Other`, and can still be searched. Where two programs tell the
//! same act, as sshd and its PAM, one of them is counted.

use std::net::IpAddr;

use crate::activity::{Act, Outcome};

/// What a log-in fails with where the account was closed: nobody who still works there tries that.
const CLOSED: &str = "closed account";

/// What is understood of a message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// The account that did it.
    pub subject: String,
    /// What was done.
    pub action: Act,
    /// To what or whom.
    pub object: String,
    /// How it went.
    pub result: Outcome,
    /// From which address.
    pub address: Option<IpAddr>,
}

/// Understands a program's message.
#[must_use]
pub fn said(program: &str, message: &str) -> Said {
    // A path, a thread and a number are no part of the name.
    let name = program.rsplit('/').next().unwrap_or_default();
    let known = match name {
        "sshd" | "sshd-session" => sshd(message),
        "sudo" => sudo(message),
        "su" => su(message),
        "login" => login(message),
        "useradd" | "userdel" | "usermod" | "groupadd" | "groupdel" | "gpasswd" | "passwd" | "chpasswd" => {
            accounts(message)
        }
        "kernel" => kernel(message),
        "vsftpd" => vsftpd(message),
        "smbd_audit" => smbd(message),
        "rsyslogd" | "syslog-ng" | "systemd-journald" | "auditd" => watch(message),
        _ => None,
    };
    known.or_else(|| pam(name, message)).unwrap_or_default()
}

fn sshd(message: &str) -> Option<Said> {
    let (result, rest) = match message.split_once(' ')? {
        ("Accepted", rest) => (Outcome::Done, rest),
        ("Failed", rest) => (Outcome::Failed, rest),
        ("Disconnected", rest) => return left(rest),
        ("User", rest) => return closed(rest.strip_suffix(" not allowed because account is locked")?),
        ("Account", rest) => return closed(rest.strip_suffix(" has expired")?),
        _ => return None,
    };
    let (method, rest) = rest.split_once(" for ")?;
    // The name may hold blanks, and even " from ": the address is behind the last one.
    let (user, from) = rest.rsplit_once(" from ")?;
    let subject = user.strip_prefix("invalid user ").unwrap_or(user).to_owned();
    Some(Said { subject, action: Act::Login, object: method.into(), result, address: address(from) })
}

/// Somebody tries an account that was locked, or whose time is over.
fn closed(who: &str) -> Option<Said> {
    let (subject, object) = (who.to_owned(), CLOSED.to_owned());
    Some(Said { subject, action: Act::Login, object, result: Outcome::Failed, address: None })
}

fn left(rest: &str) -> Option<Said> {
    let mut words = rest.strip_prefix("from user ")?.split(' ');
    let subject = words.next()?.to_owned();
    let address = words.next().and_then(address);
    Some(Said { subject, action: Act::Logout, result: Outcome::Done, address, ..Said::default() })
}

fn sudo(message: &str) -> Option<Said> {
    let (who, rest) = message.trim_start().split_once(" : ")?;
    let mut parts = rest.split(" ; ");
    let command = parts.clone().find_map(|part| part.strip_prefix("COMMAND="));
    let first = parts.next()?;
    let refused = ["incorrect password attempt", "NOT in sudoers", "command not allowed", "not allowed to"];
    let result = match refused.iter().any(|words| first.contains(words)) {
        true => Outcome::Failed,
        false if command.is_some() => Outcome::Done,
        false => return None,
    };
    let object = command.unwrap_or_default().to_owned();
    Some(Said { subject: who.into(), action: Act::RightsRaised, object, result, address: None })
}

fn su(message: &str) -> Option<Said> {
    let (result, rest) = match message.strip_prefix("FAILED SU ") {
        Some(rest) => (Outcome::Failed, rest),
        None => (Outcome::Done, message),
    };
    let (to, rest) = rest.strip_prefix("(to ")?.split_once(") ")?;
    let who = rest.split_once(" on ").map_or(rest, |(who, _)| who);
    Some(Said { subject: who.into(), action: Act::RightsRaised, object: to.into(), result, address: None })
}

fn login(message: &str) -> Option<Said> {
    let said = |subject: &str, result| Said { subject: subject.into(), action: Act::Login, result, ..Said::default() };
    if let Some(rest) = message.strip_prefix("FAILED LOGIN ") {
        let (_, who) = rest.rsplit_once("FOR '").or_else(|| rest.rsplit_once("FOR "))?;
        return Some(said(who.split(['\'', ',']).next()?, Outcome::Failed));
    }
    if message.starts_with("ROOT LOGIN ") {
        return Some(said("root", Outcome::Done));
    }
    let (_, who) = message.strip_prefix("LOGIN ON ")?.split_once(" BY ")?;
    Some(said(who.split(' ').next()?, Outcome::Done))
}

fn accounts(message: &str) -> Option<Said> {
    let done =
        |action, object: &str| Some(Said { action, object: object.into(), result: Outcome::Done, ..Said::default() });
    let named = |rest: &str| rest.split(',').next().unwrap_or_default().trim().to_owned();
    if let Some(rest) = message.strip_prefix("new user: name=") {
        return done(Act::Account, &named(rest));
    }
    if let Some(rest) = message.strip_prefix("new group: name=") {
        return done(Act::Group, &named(rest));
    }
    if let Some((_, who)) = message.split_once("password changed for ") {
        return done(Act::Account, who);
    }
    let quoted: Vec<&str> = message.split('\'').skip(1).step_by(2).collect();
    match (message.split(' ').next()?, quoted.as_slice()) {
        ("add" | "user", [who, group]) if message.contains("group") => done(Act::Group, &format!("{group}: {who}")),
        ("delete" | "removed" | "change" | "lock" | "unlock", [who, ..]) => done(Act::Account, who),
        _ => None,
    }
}

fn kernel(message: &str) -> Option<Said> {
    let medium = ["USB Mass Storage device detected", "Attached SCSI removable disk"];
    let found = medium.iter().find(|words| message.contains(**words))?;
    Some(Said { action: Act::Medium, object: (*found).into(), result: Outcome::Done, ..Said::default() })
}

/// As vsftpd writes with `syslog_enable`: `[alice] OK DOWNLOAD: Client "192.0.2.7", "/plan.pdf", 1024 bytes`.
fn vsftpd(message: &str) -> Option<Said> {
    let (who, rest) = match message.strip_prefix('[') {
        Some(rest) => rest.split_once("] ")?,
        None => ("", message),
    };
    let mut words = rest.split([' ', ':']);
    let result = match words.next()? {
        "OK" => Outcome::Done,
        "FAIL" => Outcome::Failed,
        _ => return None,
    };
    let action = match words.next()? {
        "LOGIN" => Act::Login,
        "DOWNLOAD" => Act::Read,
        "UPLOAD" | "MKDIR" | "RENAME" => Act::Write,
        "DELETE" | "RMDIR" => Act::Delete,
        _ => return None,
    };
    let quoted: Vec<&str> = rest.split('"').skip(1).step_by(2).collect();
    let address = quoted.first().and_then(|text| address(text));
    let object = quoted.get(1).copied().unwrap_or_default().to_owned();
    Some(Said { subject: who.into(), action, object, result, address })
}

/// As Samba writes with `vfs objects = full_audit` and its own prefix `%u|%I`: `alice|192.0.2.7|pread_send|ok|plan.pdf`.
fn smbd(message: &str) -> Option<Said> {
    let parts: Vec<&str> = message.split('|').collect();
    let [who, from, operation, result, more @ ..] = parts.as_slice() else { return None };
    let action = match *operation {
        "pread" | "pread_send" | "read" => Act::Read,
        "open" | "openat" | "create_file" if more.len() > 1 => match *more.first()? {
            "r" => Act::Read,
            "w" => Act::Write,
            _ => return None,
        },
        "pwrite" | "pwrite_send" | "write" | "rename" | "renameat" | "mkdir" | "mkdirat" => Act::Write,
        "unlink" | "unlinkat" | "rmdir" => Act::Delete,
        "connect" => Act::Login,
        "disconnect" => Act::Logout,
        _ => return None,
    };
    let result = if result.starts_with("ok") { Outcome::Done } else { Outcome::Failed };
    let object = more.last().copied().unwrap_or_default().to_owned();
    Some(Said { subject: (*who).into(), action, object, result, address: address(from) })
}

fn watch(message: &str) -> Option<Said> {
    let ends = ["exiting on signal", "Journal stopped", "syslog-ng shutting down", "The audit daemon is exiting"];
    ends.iter().any(|words| message.contains(words)).then(|| Said {
        action: Act::WatchStopped,
        result: Outcome::Done,
        ..Said::default()
    })
}

/// What PAM says for whichever program; of sshd, sudo, su and login only what they do not say themselves.
fn pam(program: &str, message: &str) -> Option<Said> {
    let (module, rest) = message.split_once(": ")?;
    let (service, kind) = module.strip_prefix("pam_unix(")?.strip_suffix(')')?.split_once(':')?;
    let tells_itself = ["sshd", "sshd-session", "sudo", "su", "su-l", "login"];
    let own = tells_itself.contains(&service) || tells_itself.contains(&program);
    let user = |rest: &str| rest.split(['(', ' ']).next().unwrap_or_default().to_owned();
    let said = |action, result, subject| Said { subject, action, result, ..Said::default() };
    match kind {
        "session" => {
            if let Some(who) = rest.strip_prefix("session closed for user ") {
                let ended = if matches!(service, "sudo" | "su" | "su-l" | "cron") { Act::Other } else { Act::Logout };
                return Some(said(ended, Outcome::Done, user(who)));
            }
            let who = rest.strip_prefix("session opened for user ")?;
            let action = if own || service == "cron" { Act::Other } else { Act::Login };
            Some(said(action, Outcome::Done, user(who)))
        }
        "auth" if rest.starts_with("authentication failure") => {
            let of = |key: &str| rest.split([' ', ';']).find_map(|part| part.strip_prefix(key)).unwrap_or_default();
            let action = if own { Act::Other } else { Act::Login };
            let address = address(of("rhost="));
            Some(Said { address, ..said(action, Outcome::Failed, of("user=").to_owned()) })
        }
        "account" if rest.ends_with(" has expired (account expired)") => {
            closed(rest.strip_prefix("account ")?.strip_suffix(" has expired (account expired)")?)
        }
        "chauthtok" => accounts(rest),
        _ => None,
    }
}

/// The address at the beginning of a text.
fn address(text: &str) -> Option<IpAddr> {
    let word = text.split([' ', ',', '"']).next()?;
    let address: IpAddr = word.parse().ok()?;
    Some(address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn programs_are_understood_in_their_own_words() {
        use Act::*;
        use Outcome::{Done, Failed, Unknown};
        let table = [
            (
                "sshd",
                "Accepted publickey for ann from 192.0.2.7 port 22 ssh2: ED25519 SHA256:x",
                "ann",
                Login,
                Done,
                "192.0.2.7",
            ),
            (
                "sshd",
                "Failed password for invalid user a from b from 2001:db8::1 port 9 ssh2",
                "a from b",
                Login,
                Failed,
                "2001:db8::1",
            ),
            ("sshd", "User carl not allowed because account is locked", "carl", Login, Failed, ""),
            ("sshd", "Account carl has expired", "carl", Login, Failed, ""),
            ("sshd", "pam_unix(sshd:account): account carl has expired (account expired)", "carl", Login, Failed, ""),
            ("sshd", "Account carl has expired today", "", Other, Unknown, ""),
            ("sshd-session", "Disconnected from user ann 192.0.2.7 port 9", "ann", Logout, Done, "192.0.2.7"),
            (
                "sshd",
                "pam_unix(sshd:session): session opened for user ann(uid=1000) by (uid=0)",
                "ann",
                Other,
                Done,
                "",
            ),
            ("sshd", "Server listening on 0.0.0.0 port 22.", "", Other, Unknown, ""),
            (
                "sudo",
                "     ann : TTY=pts/0 ; PWD=/home/ann ; USER=root ; COMMAND=/usr/bin/id",
                "ann",
                RightsRaised,
                Done,
                "",
            ),
            (
                "sudo",
                "ann : 3 incorrect password attempts ; TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/sh",
                "ann",
                RightsRaised,
                Failed,
                "",
            ),
            ("su", "(to root) ann on pts/1", "ann", RightsRaised, Done, ""),
            ("su", "FAILED SU (to root) ann on pts/1", "ann", RightsRaised, Failed, ""),
            ("login", "FAILED LOGIN (1) on '/dev/tty1' FOR 'ann', Authentication failure", "ann", Login, Failed, ""),
            ("login", "LOGIN ON tty1 BY ann", "ann", Login, Done, ""),
            (
                "gdm-password",
                "pam_unix(gdm-password:auth): authentication failure; logname= uid=0 ruser= rhost=192.0.2.9  user=ann",
                "ann",
                Login,
                Failed,
                "192.0.2.9",
            ),
            (
                "gdm-password",
                "pam_unix(gdm-password:session): session opened for user ann(uid=1) by (uid=0)",
                "ann",
                Login,
                Done,
                "",
            ),
            ("cron", "pam_unix(cron:session): session opened for user root(uid=0) by (uid=0)", "root", Other, Done, ""),
            (
                "useradd",
                "new user: name=bob, UID=1001, GID=1001, home=/home/bob, shell=/bin/sh, from=/dev/pts/0",
                "",
                Account,
                Done,
                "",
            ),
            ("usermod", "add 'bob' to group 'sudo'", "", Group, Done, ""),
            ("passwd", "pam_unix(passwd:chauthtok): password changed for bob", "", Account, Done, ""),
            ("kernel", "[ 9.1] sd 6:0:0:0: [sdb] Attached SCSI removable disk", "", Medium, Done, ""),
            (
                "vsftpd",
                "[ann] OK DOWNLOAD: Client \"192.0.2.7\", \"/plan.pdf\", 10 bytes, 1.00Kbyte/sec",
                "ann",
                Read,
                Done,
                "192.0.2.7",
            ),
            ("smbd_audit", "ann|192.0.2.7|unlinkat|ok|a/b.txt", "ann", Delete, Done, "192.0.2.7"),
            ("rsyslogd", "[origin software=\"rsyslogd\"] exiting on signal 15.", "", WatchStopped, Done, ""),
            ("/usr/sbin/unknown", "log cleared by root", "", Other, Unknown, ""),
        ];
        for (program, message, subject, action, result, from) in table {
            let told = said(program, message);
            let address = told.address.map(|address| address.to_string()).unwrap_or_default();
            assert_eq!(
                (&*told.subject, told.action, told.result, &*address),
                (subject, action, result, from),
                "{message}"
            );
        }
        let objects =
            [("usermod", "add 'bob' to group 'sudo'", "sudo: bob"), ("useradd", "new user: name=bob, UID=1", "bob")];
        for (program, message, object) in objects {
            assert_eq!(said(program, message).object, object);
        }
    }

    proptest! {
        #[test]
        fn no_sentence_is_a_panic(program in 0_usize..12, message in "(Accepted|Failed|FAILED SU|new user: name=|pam_unix\\(|\\[a\\] OK|ann \\||add)?[ -~é]{0,80}") {
            let programs = ["sshd", "sudo", "su", "login", "useradd", "passwd", "kernel", "vsftpd", "smbd_audit", "rsyslogd", "x", ""];
            let _ = said(programs[program], &message);
        }
    }
}
