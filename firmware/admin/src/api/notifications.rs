//! Channels of notifications: who is told of what, and what did not arrive.

use std::collections::{BTreeMap, BTreeSet};

use axum::http::Uri;
use axum::http::uri::PathAndQuery;
use protocol::Way;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use terms::Timestamp;

use crate::clock::{now, rfc3339};
use crate::notice::{CHANNELS_MAX, Channel, Family, Held, Journal, Notice, Notices, Preset, Quiet, Sink};
use crate::office::{Office, shown};
use crate::problem::Problem;
use crate::route::{Call, Reply};
use crate::rows::{Change, Kind};
use crate::secret::{hex, random};
use crate::words::{Email, person};

/// The longest address of a webhook, in octets.
const URL_MAX: usize = 1_024;
/// The zone where none is named.
const UTC: &str = "UTC";
/// The address of the file on the box.
const EVE_FILE: &str = "eve:file";
/// The longest authority, in octets.
const CA_MAX: usize = 8_192;

/// One channel.
#[derive(Clone, Serialize, JsonSchema)]
pub struct ChannelRow {
    /// Its number.
    id: u64,
    /// What it is called.
    name: String,
    /// `webhook`, `mail`, `syslog`, `eve` or `file`.
    kind: &'static str,
    /// Where it leads: an e-mail address, the host of a webhook (the rest of its address may hold a secret), the address of a receiver of
    /// syslog or EVE, or how the file is fetched.
    to: String,
    /// In which form a webhook is told.
    preset: Option<Preset>,
    /// `HIGH`, or `MEDIUM` for both.
    level: &'static str,
    /// What it hears of.
    families: BTreeSet<Family>,
    /// Weekly windows in which it hears of High alone.
    quiet: Vec<String>,
    /// The zone of their times.
    time_zone: String,
    /// For how many minutes what is not High is gathered into one message; 0 for not at all.
    digest_minutes: u32,
    /// Incidents and other things that are held back.
    held: u64,
    /// Since when.
    held_since: Option<String>,
    /// Notices that wait.
    waiting: u64,
    /// Notices that are tried no more.
    dead: u64,
    /// Notices that found no room.
    dropped: u64,
    /// When something was taken last.
    last_sent: Option<String>,
    /// Why the last try failed; empty where it did not.
    trouble: String,
}

/// A channel that was just made.
#[derive(Serialize, JsonSchema)]
pub struct MadeChannel {
    /// The channel.
    #[serde(flatten)]
    row: ChannelRow,
    /// For a webhook: what every message is signed with, by HMAC-SHA256 over time, dot and body. Shown this once.
    secret: Option<String>,
}

/// A new channel: an address or a mail.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewChannel {
    /// What it is called.
    #[schemars(length(min = 1, max = 64))]
    name: String,
    /// A webhook's address; `syslog+udp://host:514`, `syslog+tcp://host:514` or `syslog+tls://host:6514`; for EVE JSON lines
    /// `eve+tcp://host:5045`, `eve+tls://host:5045`, or `eve:file` for a file on the box.
    #[serde(default)]
    #[schemars(length(max = 1_024))]
    url: Option<String>,
    /// In which form the webhook is told.
    #[serde(default)]
    preset: Preset,
    /// The authority that signed the receiver's certificate, as PEM; nothing for the public ones.
    #[serde(default)]
    #[schemars(length(max = 8_192))]
    ca: String,
    /// The address of a mail.
    #[serde(default)]
    #[schemars(length(max = 254))]
    mail: Option<String>,
    /// Whether it hears of High alone.
    #[serde(default)]
    high_only: bool,
    /// What it hears of; `incident`, `agent`, `conflict`, `link` and `store` where it is left out.
    #[serde(default)]
    #[schemars(length(min = 1, max = 8))]
    families: Option<BTreeSet<Family>>,
    /// Weekly windows in which what is not High is held back, as `mon-fri 22:00-06:00` or `sat,sun 00:00-24:00`.
    #[serde(default)]
    #[schemars(length(max = 16))]
    quiet: Vec<String>,
    /// The zone of their times, as `Europe/Berlin`; UTC where it is left out.
    #[serde(default)]
    #[schemars(length(max = 64))]
    time_zone: Option<String>,
    /// For how many minutes what is not High is gathered into one message; 0 for not at all.
    #[serde(default)]
    #[schemars(range(max = 10_080))]
    digest_minutes: u32,
}

/// What changes of a channel; what is left out stays.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChannelRules {
    /// Whether it hears of High alone.
    #[serde(default)]
    high_only: Option<bool>,
    /// What it hears of.
    #[serde(default)]
    #[schemars(length(min = 1, max = 8))]
    families: Option<BTreeSet<Family>>,
    /// Weekly windows in which what is not High is held back; none for never.
    #[serde(default)]
    #[schemars(length(max = 16))]
    quiet: Option<Vec<String>>,
    /// The zone of their times.
    #[serde(default)]
    #[schemars(length(max = 64))]
    time_zone: Option<String>,
    /// For how many minutes what is not High is gathered into one message; 0 for not at all.
    #[serde(default)]
    #[schemars(range(max = 10_080))]
    digest_minutes: Option<u32>,
}

/// A notice that waits or is dead.
#[derive(Serialize, JsonSchema)]
pub struct NoticeRow {
    /// Its number, as the receiver sees it.
    id: u64,
    /// The incident that it tells of.
    incident: Option<u64>,
    /// The family, where it tells of something else.
    family: Option<Family>,
    /// In words.
    text: String,
    /// When it was written.
    created: String,
    /// Tries so far.
    tries: u32,
    /// When it is tried next.
    next: Option<String>,
    /// Why it is tried no more.
    dead: Option<String>,
}

/// `GET notifications`.
pub fn all(office: &Office, _: &Call) -> Result<Vec<ChannelRow>, Problem> {
    let notices = office.notices();
    Ok(notices.channels.values().map(|channel| row(channel, &notices)).collect())
}

/// `POST notifications`.
pub fn create(office: &Office, call: &Call, body: NewChannel) -> Result<MadeChannel, Problem> {
    let name = person("name", &body.name)?;
    let (sink, secret) = match (&body.url, &body.mail) {
        (Some(url), None) => by_address(url, body.preset, body.ca)?,
        (None, Some(mail)) => {
            let to = Email::new(mail).map_err(|problem| Problem { field: Some("mail".into()), ..problem })?;
            (Sink::Mail { to: to.as_str().into() }, None)
        }
        _ => return Err(Problem::field("url", "takes a receiver's address, or leave it out and name a mail")),
    };
    let zone = body.time_zone.as_deref().unwrap_or(UTC);
    let quiet = Quiet::new(body.quiet, zone, body.digest_minutes, now())?;
    let families = chosen(body.families)?.unwrap_or_else(|| Family::USUAL.into());
    let mut notices = office.notices();
    if notices.channels.len() >= CHANNELS_MAX {
        return Err(Problem::conflict(format!("a box keeps {CHANNELS_MAX} channels; take one away first")));
    }
    // Of the time, so that a number is never used twice.
    let number = notices.channels.last_key_value().map_or(0, |(last, _)| last + 1).max(now().micros());
    let (high_only, held, trouble) = (body.high_only, Held::default(), String::new());
    let recent = BTreeMap::new();
    let channel =
        Channel { number, name, sink, high_only, families, recent, quiet, held, last: None, trouble, dropped: 0 };
    let made = row(&channel, &notices);
    let mut change = Change::default();
    change.put(Kind::Channel, number, &channel);
    let mut act = call.act("notification.create", channel.name.clone());
    act.after = shown(&made);
    office.commit(change, act)?;
    notices.channels.insert(number, channel);
    Ok(MadeChannel { row: made, secret })
}

/// `PATCH notifications/{id}`: what is held back goes by the new rules.
pub fn change(office: &Office, call: &Call, body: ChannelRules) -> Result<ChannelRow, Problem> {
    let number = call.number("id", "channel")?;
    let mut notices = office.notices();
    let mut channel = notices.channels.get(&number).cloned().ok_or_else(|| Problem::missing("channel"))?;
    let mut act = call.act("notification.change", channel.name.clone());
    act.before = shown(&row(&channel, &notices));
    let zone = body.time_zone.unwrap_or_else(|| zone(&channel));
    let windows = body.quiet.unwrap_or_else(|| channel.quiet.windows.clone());
    channel.quiet = Quiet::new(windows, &zone, body.digest_minutes.unwrap_or(channel.quiet.digest), now())?;
    channel.high_only = body.high_only.unwrap_or(channel.high_only);
    channel.families = chosen(body.families)?.unwrap_or(channel.families);
    let changed = row(&channel, &notices);
    act.after = shown(&changed);
    let mut change = Change::default();
    change.put(Kind::Channel, number, &channel);
    office.commit(change, act)?;
    notices.channels.insert(number, channel);
    Ok(changed)
}

/// `DELETE notifications/{id}`: what waits for it goes with it.
pub fn remove(office: &Office, call: &Call) -> Result<(), Problem> {
    let number = call.number("id", "channel")?;
    let mut notices = office.notices();
    let channel = notices.channels.get(&number).ok_or_else(|| Problem::missing("channel"))?;
    let mut change = Change::default();
    change.remove(Kind::Channel, number);
    let of_it = notices.waiting.values().filter(|notice| notice.channel == number).map(|notice| notice.number);
    let of_it: Vec<u64> = of_it.collect();
    of_it.iter().for_each(|notice| change.remove(Kind::Notice, *notice));
    office.commit(change, call.act("notification.remove", channel.name.clone()))?;
    notices.channels.remove(&number);
    Journal::of(number).remove();
    notices.waiting.retain(|_, notice| notice.channel != number);
    Ok(())
}

/// `POST notifications/{id}/test`: how it fares shows in the channel.
pub fn test(office: &Office, call: &Call) -> Result<ChannelRow, Problem> {
    let number = call.number("id", "channel")?;
    let mut notices = office.notices();
    let name = notices.channels.get(&number).map(|channel| channel.name.clone());
    let name = name.ok_or_else(|| Problem::missing("channel"))?;
    let mut change = Change::default();
    notices.try_out(number, now(), &mut change);
    office.commit(change, call.act("notification.test", name))?;
    notices.channels.get(&number).map(|channel| row(channel, &notices)).ok_or_else(|| Problem::missing("channel"))
}

/// `GET notifications/{id}/letters`.
pub fn letters(office: &Office, call: &Call) -> Result<Vec<NoticeRow>, Problem> {
    let number = call.number("id", "channel")?;
    let notices = office.notices();
    if !notices.channels.contains_key(&number) {
        return Err(Problem::missing("channel"));
    }
    Ok(notices.waiting.values().filter(|notice| notice.channel == number).map(notice_row).collect())
}

/// `GET notifications/{id}/file`: the EVE lines of a channel that writes them on the box.
pub fn file(office: &Office, call: &Call) -> Result<Reply, Problem> {
    let number = call.number("id", "channel")?;
    // Held so that nothing is added while it is read.
    let notices = office.notices();
    match notices.channels.get(&number).map(|channel| &channel.sink) {
        Some(Sink::File) => {}
        Some(_) => return Err(Problem::conflict("this channel writes no file")),
        None => return Err(Problem::missing("channel")),
    }
    let lines = Journal::of(number).read().map_err(|error| Problem::busy(error.to_string()))?;
    Ok(Reply::file("application/x-ndjson", lines, "eve.json".into()))
}

fn chosen(families: Option<BTreeSet<Family>>) -> Result<Option<BTreeSet<Family>>, Problem> {
    if families.as_ref().is_some_and(BTreeSet::is_empty) {
        return Err(Problem::field("families", "names what the channel hears of; to hear of nothing take it away"));
    }
    Ok(families)
}

/// Where an address leads, and a webhook's new secret.
fn by_address(url: &str, preset: Preset, ca: String) -> Result<(Sink, Option<String>), Problem> {
    if url == EVE_FILE {
        return Ok((Sink::File, None));
    }
    let (url, way) = address(url)?;
    let ca = authority(ca)?;
    if !way.encrypted() && !ca.is_empty() {
        return Err(Problem::field("ca", "is for https, syslog+tls and eve+tls alone: this way shows no certificate"));
    }
    Ok(match way {
        Way::Http | Way::Https => {
            let secret = hex(&random::<32>().map_err(|error| Problem::busy(error.to_string()))?);
            (Sink::Webhook { url, preset, ca, secret: secret.clone() }, Some(secret))
        }
        Way::SyslogUdp | Way::SyslogTcp | Way::SyslogTls => (Sink::Syslog { url, ca }, None),
        Way::EveTcp | Way::EveTls => (Sink::Eve { url, ca }, None),
    })
}

/// An address that a message can be posted to, and how.
fn address(url: &str) -> Result<(String, Way), Problem> {
    let wrong = || {
        Problem::field(
            "url",
            "takes an address as https://chat.example.org/hooks/abc, syslog+tls://logs.example.org:6514 or eve+tcp://10.0.0.5:5045",
        )
    };
    let uri: Uri = url.parse().map_err(|_| wrong())?;
    let way = uri.scheme_str().and_then(Way::of).ok_or_else(wrong)?;
    if url.len() > URL_MAX || uri.host().is_none_or(str::is_empty) {
        return Err(wrong());
    }
    let webhook = matches!(way, Way::Http | Way::Https);
    if !webhook && !matches!(uri.path_and_query().map(PathAndQuery::as_str), None | Some("/" | "")) {
        return Err(Problem::field("url", "takes a host and a port and nothing behind them"));
    }
    if uri.port_u16().or(way.port()).is_none_or(|port| port == 0) {
        return Err(Problem::field("url", "needs a port, as in eve+tcp://10.0.0.5:5045"));
    }
    Ok((url.to_owned(), way))
}

fn authority(ca: String) -> Result<String, Problem> {
    let good = ca.is_empty() || ca.contains("BEGIN CERTIFICATE") && ca.len() <= CA_MAX;
    good.then_some(ca).ok_or_else(|| Problem::field("ca", "takes a certificate as PEM"))
}

fn row(channel: &Channel, notices: &Notices) -> ChannelRow {
    let of_it = || notices.waiting.values().filter(|notice| notice.channel == channel.number);
    let dead = of_it().filter(|notice| notice.dead.is_some()).count() as u64;
    let (kind, to, preset) = match &channel.sink {
        Sink::Webhook { url, preset, .. } => {
            let uri: Option<Uri> = url.parse().ok();
            ("webhook", uri.and_then(|uri| uri.host().map(str::to_owned)).unwrap_or_default(), Some(*preset))
        }
        Sink::Mail { to } => ("mail", to.clone(), None),
        Sink::Syslog { url, .. } => ("syslog", url.clone(), None),
        Sink::Eve { url, .. } => ("eve", url.clone(), None),
        Sink::File => ("file", format!("/api/v1/notifications/{}/file", channel.number), None),
    };
    ChannelRow {
        id: channel.number,
        name: channel.name.clone(),
        kind,
        to,
        preset,
        level: if channel.high_only { "HIGH" } else { "MEDIUM" },
        families: channel.families.clone(),
        quiet: channel.quiet.windows.clone(),
        time_zone: zone(channel),
        digest_minutes: channel.quiet.digest,
        held: channel.held.count(),
        held_since: (!channel.held.is_empty()).then(|| rfc3339(Timestamp::from_micros(channel.held.since))),
        waiting: of_it().count() as u64 - dead,
        dead,
        dropped: channel.dropped,
        last_sent: channel.last.map(|micros| rfc3339(Timestamp::from_micros(micros))),
        trouble: channel.trouble.clone(),
    }
}

/// The zone of a channel's times; one that was made before there were any has none.
fn zone(channel: &Channel) -> String {
    if channel.quiet.zone.is_empty() { UTC.into() } else { channel.quiet.zone.clone() }
}

fn notice_row(notice: &Notice) -> NoticeRow {
    let at = |micros| rfc3339(Timestamp::from_micros(micros));
    NoticeRow {
        id: notice.number,
        incident: notice.incident.as_ref().map(|incident| incident.id),
        family: notice.matter.as_ref().map(|matter| matter.family),
        text: notice.text.clone(),
        created: at(notice.created),
        tries: notice.tries,
        next: notice.dead.is_none().then(|| at(notice.next)),
        dead: notice.dead.clone(),
    }
}
