//! What is due goes, and takes its end or its next try.

use std::io;
use std::sync::Arc;
use std::thread::{self, sleep};
use std::time::Duration;

use protocol::{PostOrder, PostSent, Request};

use super::{Channel, Journal, Notice, PAUSES, Sink, TOGETHER, eve, syslog, webhook};
use crate::clock::now;
use crate::office::{Office, of_gateway};
use crate::outbox::{Letter, post};
use crate::rows::{Change, Kind};

/// How often it is looked what is due.
const LOOK: Duration = Duration::from_millis(500);

/// Delivers what is due until the process ends, on so many threads: a receiver that hangs holds up its own channel.
///
/// # Errors
/// The system starts no thread.
pub fn deliver(office: &Arc<Office>) -> io::Result<()> {
    for number in 0..TOGETHER {
        let office = Arc::clone(office);
        thread::Builder::new().name(format!("notices-{number}")).spawn(move || work(&office, number == 0))?;
    }
    Ok(())
}

/// One thread's work; the first one lets go of what was held back, too.
fn work(office: &Office, first: bool) {
    loop {
        if first {
            let_go(office);
        }
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
        Sink::Webhook { url, preset, ca, secret } => ask(office, webhook::order(notice, url, *preset, ca, secret)),
        Sink::Syslog { url, ca } => ask(office, line(url, ca, syslog::message(notice, &name()))),
        Sink::Eve { url, ca } => ask(office, line(url, ca, eve::lines(notice, &name()))),
        Sink::File => {
            // Nobody reads the file meanwhile, or takes it away.
            let notices = office.notices();
            if !notices.channels.contains_key(&channel.number) {
                return PostSent { refused: true, ..PostSent::default() };
            }
            match Journal::of(channel.number).append(&eve::lines(notice, &name())) {
                Ok(()) => PostSent { accepted: true, ..PostSent::default() },
                Err(error) => PostSent { why: error.to_string(), ..PostSent::default() },
            }
        }
        // The outbox keeps it from here on, and tries on its own.
        Sink::Mail { to } => {
            let subject = format!("Picket: {}", notice.text.chars().take(120).collect::<String>());
            let letter = Letter::Note { to: to.clone(), subject, lines: notice.lines() };
            match post(office, letter) {
                Some(_) => PostSent { accepted: true, ..PostSent::default() },
                None => PostSent { why: "no mail is configured, or the outbox is full".into(), ..PostSent::default() },
            }
        }
    }
}

/// What was held back goes where its time has come.
fn let_go(office: &Office) {
    let mut change = Change::default();
    let mut notices = office.notices();
    if notices.let_go(now(), &mut change) {
        // Written before anybody else writes the same channel.
        office.jot(change, Vec::new());
        drop(notices);
        sync(office);
    }
}

fn sync(office: &Office) {
    if let Err(error) = office.rows().sync() {
        tracing::error!("{error}");
    }
}

/// Has the gateway start the process that posts it; this one can make no connection.
fn ask(office: &Office, order: PostOrder) -> PostSent {
    let sent = office.ask::<PostSent>(Request::Post(Box::new(order)));
    sent.unwrap_or_else(|problem| PostSent { why: problem.detail, ..PostSent::default() })
}

fn line(url: &str, ca: &str, body: String) -> PostOrder {
    PostOrder { url: url.into(), ca: ca.into(), headers: Vec::new(), body }
}

/// What the box calls itself: visible ASCII, at most 255 octets (RFC 5424, 6).
fn name() -> String {
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let good =
        name != "(none)" && (1..=255).contains(&name.len()) && name.bytes().all(|octet| octet.is_ascii_graphic());
    if good { name } else { "picket".into() }
}

/// A notice takes its end, or its next try.
fn settle(office: &Office, mut notice: Notice, sent: &PostSent) {
    let at = now().micros();
    let mut change = Change::default();
    let mut notices = office.notices();
    notices.busy.remove(&notice.channel);
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
    office.jot(change, acts);
    drop(notices);
    sync(office);
}
