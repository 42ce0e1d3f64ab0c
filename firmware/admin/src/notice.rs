//! Alerts that reach people: channels, and what waits for each until its receiver has it.
//!
//! An incident that begins, or that becomes High, is one notice to each channel whose level it has; what follows of the same incident is
//! none. A notice is written together with the incident that it tells of, and goes when its receiver took it; it is tried again with growing pauses,
//! and after a day, or when the receiver will never take it, it is dead and shown.
//!
//! **Bounds**: `CHANNELS_MAX` channels, `NOTICES_MAX` notices in all; the oldest dead one goes first, and what finds no room is counted.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::sleep;
use std::time::Duration;

use protocol::incident::IncidentView;
use protocol::{PostOrder, PostSent, Request};
use ring::hmac;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::clock::now;
use crate::office::{Office, of_gateway};
use crate::outbox::{Letter, post};
use crate::rows::{Change, Kind, Rows, RowsError};
use crate::secret::{hex, unhex};

/// The most channels that a box keeps.
pub const CHANNELS_MAX: usize = 16;
/// The most notices that wait or are dead.
const NOTICES_MAX: usize = 500;
/// The first and the longest pause after a failure, and for how long a notice is tried. **Units**: seconds.
const PAUSES: (u64, u64, u64) = (1, 3_600, 86_400);
/// How often it is looked what is due.
const LOOK: Duration = Duration::from_millis(500);

/// The form in which a webhook is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Preset {
    /// The incident as the API shows it, signed.
    #[default]
    Json,
    /// Slack's incoming webhooks, and what speaks like them.
    Slack,
    /// Microsoft Teams' workflows, as an adaptive card.
    Teams,
    /// Discord's webhooks.
    Discord,
    /// Telegram's `sendMessage`, with `chat_id` in the address.
    Telegram,
    /// ntfy, with the topic in the address.
    Ntfy,
    /// Gotify, with the token in the address.
    Gotify,
}

/// Where a channel leads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sink {
    /// A webhook.
    Webhook {
        /// Its address.
        url: String,
        /// In which form it is told.
        preset: Preset,
        /// The authority that signed its certificate, as PEM; empty for the public ones.
        ca: String,
        /// What it is signed with, as hexadecimal digits.
        secret: String,
    },
    /// A mail, by the server of the settings.
    Mail {
        /// To whom.
        to: String,
    },
}

/// One channel, as it is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Channel {
    /// Its number.
    pub number: u64,
    /// What it is called.
    pub name: String,
    /// Where it leads.
    pub sink: Sink,
    /// Whether it hears of High alone.
    pub high_only: bool,
    /// When something was taken last, in microseconds.
    pub last: Option<u64>,
    /// Why the last try failed; empty where it did not.
    pub trouble: String,
    /// Notices that found no room.
    pub dropped: u64,
}

/// One notice, as it is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Notice {
    /// Its number: the receiver sees it, so that it can tell a repeat.
    pub number: u64,
    /// The channel.
    pub channel: u64,
    /// The incident as it was; nothing for a try.
    pub incident: Option<IncidentView>,
    /// In words.
    pub text: String,
    /// When, in microseconds.
    pub created: u64,
    /// Tries so far.
    pub tries: u32,
    /// When it is tried next, in microseconds.
    pub next: u64,
    /// Why it is tried no more.
    pub dead: Option<String>,
}

/// Channels and notices.
#[derive(Default)]
pub struct Notices {
    /// By number.
    pub channels: BTreeMap<u64, Channel>,
    /// By number.
    pub waiting: BTreeMap<u64, Notice>,
}

impl Notices {
    /// Those of the last run.
    ///
    /// # Errors
    /// The rows cannot be read.
    pub fn load(rows: &Rows) -> Result<Mutex<Self>, RowsError> {
        Ok(Mutex::new(Self {
            channels: rows.all(Kind::Channel)?.into_iter().collect(),
            waiting: rows.all(Kind::Notice)?.into_iter().collect(),
        }))
    }

    /// An incident began, or became High: every channel that wants to know has a notice, in the change that tells of the incident.
    pub fn tell(&mut self, incident: &IncidentView, change: &mut Change) {
        let high = incident.level == "HIGH";
        let wanted = self.channels.values().filter(|channel| high || !channel.high_only);
        for channel in wanted.map(|channel| channel.number).collect::<Vec<_>>() {
            let text = format!("{}: {} (incident {})", incident.level, incident.summary, incident.id);
            self.add(channel, Some(incident.clone()), text, change);
        }
    }

    /// Adds a notice to a channel.
    pub fn add(&mut self, channel: u64, incident: Option<IncidentView>, text: String, change: &mut Change) {
        if self.waiting.len() >= NOTICES_MAX {
            let dead = self.waiting.values().find(|notice| notice.dead.is_some()).map(|notice| notice.number);
            let Some(dead) = dead else {
                if let Some(channel) = self.channels.get_mut(&channel) {
                    channel.dropped += 1;
                    change.put(Kind::Channel, channel.number, channel);
                }
                return;
            };
            self.waiting.remove(&dead);
            change.remove(Kind::Notice, dead);
        }
        let created = now().micros();
        let number = self.waiting.last_key_value().map_or(created, |(last, _)| created.max(last + 1));
        let notice = Notice { number, channel, incident, text, created, tries: 0, next: created, dead: None };
        change.put(Kind::Notice, number, &notice);
        self.waiting.insert(number, notice);
    }

    /// What is due, with where it goes.
    fn due(&self, now: u64) -> Option<(Notice, Channel)> {
        // What lies far in the future was put there before the clock was set back.
        let due = |notice: &&Notice| {
            notice.dead.is_none() && (notice.next <= now || notice.next > now + 2 * PAUSES.1 * 1_000_000)
        };
        let notice = self.waiting.values().find(due)?;
        Some((notice.clone(), self.channels.get(&notice.channel)?.clone()))
    }
}

/// The notices of an office, for as long as the guard lives.
pub fn lock(notices: &Mutex<Notices>) -> MutexGuard<'_, Notices> {
    notices.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Delivers what is due until the process ends.
pub fn deliver(office: &Office) {
    loop {
        let due = office.notices().due(now().micros());
        match due {
            Some((notice, channel)) => {
                let sent = send(office, &notice, &channel);
                settle(office, notice, &sent);
            }
            None => sleep(LOOK),
        }
    }
}

fn send(office: &Office, notice: &Notice, channel: &Channel) -> PostSent {
    match &channel.sink {
        Sink::Webhook { url, preset, ca, secret } => {
            let order = order(notice, url, *preset, ca, secret);
            let sent = office.ask::<PostSent>(Request::Post(Box::new(order)));
            sent.unwrap_or_else(|problem| PostSent { why: problem.detail, ..PostSent::default() })
        }
        // The outbox keeps it from here on, and tries on its own.
        Sink::Mail { to } => {
            let subject = format!("Picket: {}", notice.text.chars().take(120).collect::<String>());
            let letter = Letter::Note { to: to.clone(), subject, lines: vec![notice.text.clone(), more(notice)] };
            match post(office, letter) {
                Some(_) => PostSent { accepted: true, ..PostSent::default() },
                None => PostSent { why: "no mail is configured, or the outbox is full".into(), ..PostSent::default() },
            }
        }
    }
}

/// What else a person wants to know.
fn more(notice: &Notice) -> String {
    notice.incident.as_ref().map_or_else(
        || "Nothing happened: somebody tries this channel.".into(),
        |incident| {
            let done = if incident.blocked { "A host was blocked." } else { "Nothing was blocked." };
            format!(
                "Since {} (UTC), {} events. {done} More on the page, or: picket incidents {}",
                incident.began, incident.events, incident.id
            )
        },
    )
}

/// A notice takes its end, or its next try.
fn settle(office: &Office, mut notice: Notice, sent: &PostSent) {
    let at = now().micros();
    let mut change = Change::default();
    let mut notices = office.notices();
    if let Some(channel) = notices.channels.get_mut(&notice.channel) {
        channel.trouble.clone_from(&sent.why);
        channel.last = if sent.accepted { Some(at) } else { channel.last };
        change.put(Kind::Channel, channel.number, channel);
    }
    let mut acts = Vec::new();
    if sent.accepted {
        notices.waiting.remove(&notice.number);
        change.remove(Kind::Notice, notice.number);
    } else {
        notice.tries += 1;
        let pause = (PAUSES.0 << notice.tries.min(11)).min(PAUSES.1);
        notice.next = at + pause * 1_000_000;
        if sent.refused || at.saturating_sub(notice.created) > PAUSES.2 * 1_000_000 {
            notice.dead = Some(sent.why.clone());
            acts.push(of_gateway("notification.dead", &notice.channel.to_string(), &sent.why));
        }
        // A channel that was taken away meanwhile took its notices with it.
        if notices.waiting.contains_key(&notice.number) {
            change.put(Kind::Notice, notice.number, &notice);
            notices.waiting.insert(notice.number, notice);
        }
    }
    drop(notices);
    office.jot(change, acts);
    if let Err(error) = office.rows().sync() {
        tracing::error!("{error}");
    }
}

/// A notice as its receiver expects it. Signed is the time, a dot and the body, so that neither can be another.
fn order(notice: &Notice, url: &str, preset: Preset, ca: &str, secret: &str) -> PostOrder {
    let text = format!("{} {}", notice.text, more(notice));
    let high = notice.incident.as_ref().is_some_and(|incident| incident.level == "HIGH");
    let body: Value = match preset {
        Preset::Json => {
            json!({"id": notice.number, "kind": if notice.incident.is_some() { "incident" } else { "test" },
            "text": notice.text, "incident": notice.incident})
        }
        Preset::Slack | Preset::Telegram => json!({"text": text}),
        Preset::Discord => {
            json!({"content": text.chars().take(1_900).collect::<String>(), "allowed_mentions": {"parse": []}})
        }
        Preset::Gotify => json!({"title": "Picket", "message": text, "priority": if high { 8 } else { 4 }}),
        Preset::Teams => json!({"type": "message", "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "content": {"type": "AdaptiveCard", "version": "1.4", "body": [{"type": "TextBlock", "text": text, "wrap": true}]}}]}),
        Preset::Ntfy => Value::Null,
    };
    let (body, kind) = match preset {
        Preset::Ntfy => (text, "text/plain; charset=utf-8"),
        _ => (body.to_string(), "application/json"),
    };
    let time = (now().secs()).to_string();
    let key = hmac::Key::new(hmac::HMAC_SHA256, &unhex(secret).unwrap_or_default());
    let signature = hmac::sign(&key, format!("{time}.{body}").as_bytes());
    let mut headers = vec![
        ("content-type".to_owned(), kind.to_owned()),
        ("x-picket-delivery".into(), notice.number.to_string()),
        ("x-picket-timestamp".into(), time),
        ("x-picket-signature".into(), format!("sha256={}", hex(signature.as_ref()))),
    ];
    if preset == Preset::Ntfy {
        headers.push(("title".into(), "Picket".into()));
        headers.push(("priority".into(), if high { "high" } else { "default" }.into()));
    }
    PostOrder { url: url.into(), ca: ca.into(), headers, body }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn channel(number: u64, high_only: bool) -> Channel {
        let sink = Sink::Mail { to: "ada@example.org".into() };
        Channel { number, name: "x".into(), sink, high_only, last: None, trouble: String::new(), dropped: 0 }
    }

    fn incident(level: &str) -> IncidentView {
        IncidentView { id: 7, level: level.into(), summary: "ann on nas: =1+1".into(), ..IncidentView::default() }
    }

    #[test]
    fn a_channel_hears_of_its_level_and_memory_is_bounded() {
        let mut notices = Notices {
            channels: BTreeMap::from([(1, channel(1, true)), (2, channel(2, false))]),
            waiting: BTreeMap::new(),
        };
        let mut change = Change::default();
        notices.tell(&incident("MEDIUM"), &mut change);
        notices.tell(&incident("HIGH"), &mut change);
        let of = |number| notices.waiting.values().filter(|notice| notice.channel == number).count();
        assert_eq!((of(1), of(2)), (1, 2));
        (0..NOTICES_MAX).for_each(|_| notices.tell(&incident("MEDIUM"), &mut change));
        assert_eq!((notices.waiting.len(), notices.channels[&2].dropped), (NOTICES_MAX, 3));
        notices.waiting.values_mut().next().expect("one").dead = Some("refused".into());
        notices.tell(&incident("MEDIUM"), &mut change);
        assert_eq!((notices.waiting.len(), notices.channels[&2].dropped), (NOTICES_MAX, 3), "a dead one makes room");
        assert!(notices.due(now().micros() + 1).is_some());
    }

    #[test]
    fn every_preset_says_the_words_and_is_signed() {
        let mut notices = Notices { channels: BTreeMap::from([(1, channel(1, false))]), waiting: BTreeMap::new() };
        notices.tell(&incident("HIGH"), &mut Change::default());
        let notice = notices.waiting.values().next().expect("one").clone();
        let presets = [
            Preset::Json,
            Preset::Slack,
            Preset::Teams,
            Preset::Discord,
            Preset::Telegram,
            Preset::Ntfy,
            Preset::Gotify,
        ];
        for preset in presets {
            let order = order(&notice, "http://x/y", preset, "", "aabb");
            let header = |name: &str| order.headers.iter().find(|(one, _)| one == name).expect("there").1.clone();
            assert!(order.body.contains("ann on nas: =1+1"), "{preset:?} {}", order.body);
            let key = hmac::Key::new(hmac::HMAC_SHA256, &[0xaa, 0xbb]);
            let signed = format!("{}.{}", header("x-picket-timestamp"), order.body);
            let tag = unhex(header("x-picket-signature").trim_start_matches("sha256=")).expect("digits");
            assert!(hmac::verify(&key, signed.as_bytes(), &tag).is_ok());
        }
    }
}
