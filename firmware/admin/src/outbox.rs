//! The outbox: letters that wait on flash until a server took them, one at a time, with growing pauses.
//!
//! A letter with a code does not hold it: the code is drawn when the letter is about to leave, so that none lies in clear and each
//! reaches its reader young.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use protocol::{MailOrder, MailSent, Request};
use serde::{Deserialize, Serialize};
use terms::Span;

use crate::account::Code;
use crate::clock::now;
use crate::office::{Office, of_gateway};
use crate::rows::{Change, Kind, Rows, RowsError};
use crate::secret::digits;
use crate::settings::Settings;

/// Letters that wait; further ones are not taken.
const LETTERS_MAX: usize = 200;
/// The first and the longest pause after a failure, and for how long a letter is tried. **Units**: seconds.
const PAUSES: (u64, u64, u64) = (15, 3_600, 86_400);
/// Tries after which people are told: some minutes.
const STUCK: u32 = 4;
/// How long a code by mail holds.
pub const CODE_HOLDS: Span = Span::from_secs(300);
/// How often it is looked what is due.
const LOOK: Duration = Duration::from_secs(1);
/// How long whoever posts a letter waits to hear how it fared.
const PATIENCE: Duration = Duration::from_secs(6);

/// What is to be written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Letter {
    /// The code with which an account sets its password.
    Code {
        /// Its number.
        account: u64,
    },
    /// Anything else.
    Note {
        /// To whom.
        to: String,
        /// About what.
        subject: String,
        /// The paragraphs.
        lines: Vec<String>,
    },
}

/// How a letter fares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Fate {
    /// No mail is configured.
    None,
    /// The server took it.
    Accepted,
    /// It waits.
    Queued,
    /// The server will not take it.
    Refused,
}

/// A letter with its tries.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Waiting {
    letter: Letter,
    created: u64,
    tries: u32,
    next: u64,
}

/// The letters.
pub struct Outbox {
    waiting: Mutex<BTreeMap<u64, Waiting>>,
    fates: Mutex<BTreeMap<u64, (Fate, String)>>,
    changed: Condvar,
}

impl Outbox {
    /// The letters of the last run.
    ///
    /// # Errors
    /// The rows cannot be read.
    pub fn load(rows: &Rows) -> Result<Self, RowsError> {
        let waiting = Mutex::new(rows.all(Kind::Letter)?.into_iter().collect());
        Ok(Self { waiting, fates: Mutex::default(), changed: Condvar::new() })
    }

    fn waiting(&self) -> MutexGuard<'_, BTreeMap<u64, Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fates(&self) -> MutexGuard<'_, BTreeMap<u64, (Fate, String)>> {
        self.fates.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The number of the letter that is due, if one is.
    fn due(&self, now: u64) -> Option<(u64, Waiting)> {
        // What lies far in the future was put there before the clock was set back.
        let due = |(_, waiting): &(&u64, &Waiting)| waiting.next <= now || waiting.next > now + PAUSES.1 * 1_000_000;
        self.waiting().iter().find(due).map(|(number, waiting)| (*number, waiting.clone()))
    }

    /// Why letters do not leave, where one was tried for some minutes.
    #[must_use]
    pub fn stuck(&self) -> Option<String> {
        let tried = |(_, waiting): &(&u64, &Waiting)| waiting.tries >= STUCK;
        let number = self.waiting().iter().find(tried).map(|(number, _)| *number)?;
        let why = self.fates().get(&number).map(|(_, why)| why.clone());
        Some(why.unwrap_or_else(|| "it was tried in vain".into()))
    }

    fn tell(&self, number: u64, fate: Fate, why: &str) {
        let mut fates = self.fates();
        fates.insert(number, (fate, why.into()));
        while fates.len() > LETTERS_MAX {
            fates.pop_first();
        }
        drop(fates);
        self.changed.notify_all();
    }
}

/// Puts a letter into the box; its number. Nothing where no mail is configured, or the box is full.
pub fn post(office: &Office, letter: Letter) -> Option<u64> {
    configured(&office.settings())?;
    let outbox = office.outbox();
    let mut waiting = outbox.waiting();
    if waiting.len() >= LETTERS_MAX {
        tracing::warn!("the outbox is full; a letter is not written");
        return None;
    }
    let at = now().micros();
    let number = waiting.last_key_value().map_or(at, |(last, _)| at.max(last + 1));
    let letter = Waiting { letter, created: at, tries: 0, next: at };
    let mut change = Change::default();
    change.put(Kind::Letter, number, &letter);
    if let Err(error) = office.rows().commit(change) {
        tracing::error!("{error}; a letter is not written");
        return None;
    }
    waiting.insert(number, letter);
    drop(waiting);
    outbox.changed.notify_all();
    Some(number)
}

/// Posts a letter and waits a moment for how it fares, and why.
pub fn post_and_hear(office: &Office, letter: Letter) -> (Fate, String) {
    let Some(number) = post(office, letter) else { return (Fate::None, "no mail is configured".into()) };
    let until = Instant::now() + PATIENCE;
    let mut fates = office.outbox().fates();
    loop {
        let left = until.saturating_duration_since(Instant::now());
        if let Some(fate) = fates.get(&number) {
            return fate.clone();
        }
        if left.is_zero() {
            return (Fate::Queued, "the server takes its time".into());
        }
        fates = office.outbox().changed.wait_timeout(fates, left).unwrap_or_else(PoisonError::into_inner).0;
    }
}

/// Sends what is due until the process ends.
pub fn deliver(office: &Office) {
    loop {
        let outbox = office.outbox();
        let Some((number, waiting)) = outbox.due(now().micros()) else {
            let fates = outbox.fates();
            drop(outbox.changed.wait_timeout(fates, LOOK));
            continue;
        };
        let Some(order) = order(office, &waiting.letter) else {
            let why = "nobody waits for it any more, or no mail is configured";
            end(office, number, "mail.dropped", "", why);
            outbox.tell(number, Fate::Refused, why);
            continue;
        };
        let to = order.to.clone();
        let sent = office.ask::<MailSent>(Request::Mail(Box::new(order)));
        let sent = sent.unwrap_or_else(|problem| MailSent { why: problem.detail, ..MailSent::default() });
        let old = now().micros().saturating_sub(waiting.created) > PAUSES.2 * 1_000_000;
        if sent.accepted {
            end(office, number, "mail.sent", &to, "");
            outbox.tell(number, Fate::Accepted, "");
        } else if sent.refused || old {
            tracing::warn!("a mail is given up: {}", sent.why);
            end(office, number, "mail.refused", &to, &sent.why);
            outbox.tell(number, Fate::Refused, &sent.why);
        } else {
            put_off(office, number, waiting);
            outbox.tell(number, Fate::Queued, &sent.why);
        }
    }
}

/// Takes a letter out of the box and says so in the audit.
fn end(office: &Office, number: u64, what: &'static str, to: &str, why: &str) {
    let mut change = Change::default();
    change.remove(Kind::Letter, number);
    office.jot(change, vec![of_gateway(what, to, why)]);
    office.outbox().waiting().remove(&number);
}

fn put_off(office: &Office, number: u64, mut waiting: Waiting) {
    let pause = (PAUSES.0 << waiting.tries.min(8)).min(PAUSES.1);
    waiting.tries += 1;
    waiting.next = now().micros() + pause * 1_000_000;
    let mut change = Change::default();
    change.put(Kind::Letter, number, &waiting);
    office.jot(change, Vec::new());
    office.outbox().waiting().insert(number, waiting);
}

/// Where mail goes and how, if that is configured.
fn configured(settings: &Settings) -> Option<MailOrder> {
    let text = |id: &str| settings.value(id).as_str().unwrap_or_default().to_owned();
    let server = text("mail.server");
    let order = MailOrder {
        port: u16::try_from(settings.number("mail.port")).unwrap_or(587),
        implicit_tls: text("mail.security") == "tls",
        ca: text("mail.ca"),
        user: text("mail.user"),
        password: text("mail.password"),
        from: text("mail.from"),
        to: String::new(),
        subject: String::new(),
        lines: Vec::new(),
        server,
    };
    (!order.server.is_empty() && !order.from.is_empty()).then_some(order)
}

/// A letter as it leaves. One with a code gets it now.
fn order(office: &Office, letter: &Letter) -> Option<MailOrder> {
    let base = configured(&office.settings())?;
    match letter {
        Letter::Note { to, subject, lines } => {
            Some(MailOrder { to: to.clone(), subject: subject.clone(), lines: lines.clone(), ..base })
        }
        Letter::Code { account } => {
            let code = digits().ok()?;
            let mut people = office.people();
            let mut account = people.accounts.get(account).filter(|account| account.active).cloned()?;
            account.code = Some(Code::new(&code, CODE_HOLDS));
            let to = account.email.as_str().to_owned();
            let mut change = Change::default();
            change.put(Kind::Account, account.number, &account);
            office.commit(change, of_gateway("user.code", &to, "by mail")).ok()?;
            let name = account.first_name.clone();
            people.accounts.insert(account.number, account);
            let lines = vec![
                format!("Hello {name},"),
                format!("the code with which you set the password of your account on the Picket box is {code}."),
                format!("It holds for {} minutes and works once.", CODE_HOLDS.secs() / 60),
                "If you expect no account there, do nothing.".into(),
            ];
            Some(MailOrder { to, subject: "Your code for the Picket box".into(), lines, ..base })
        }
    }
}
