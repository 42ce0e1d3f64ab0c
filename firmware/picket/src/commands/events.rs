//! `picket events`: the list, and one event with its evidence.

use std::fs::OpenOptions;
use std::io::{self, BufWriter};
use std::path::Path;
use std::process::ExitCode;

use capture::{Frame, PcapWriter};
use terms::{Side, Timestamp};
use wire::LinkType;

use super::{finish, listed, or_dash, show};
use crate::cli::{EventArgs, EventsArgs, EventsCommand};
use crate::config::Config;
use crate::control::Request;
use crate::control::client::ask;
use crate::control::views::{EventDetail, EventView, FrameView};
use crate::terminal::{Table, moment};

/// `picket events` and `picket events show`.
pub fn events(args: &EventsArgs) -> ExitCode {
    if let Some(EventsCommand::Show(one)) = &args.one {
        return finish(event(one));
    }
    let request = Request::Events { limit: args.limit, since: args.since };
    finish(show(&args.client, &request, |events: &Vec<EventView>| {
        let mut table = Table::new(&["ID", "AT (UTC)", "HOST", "LEVEL", "STATE", "FAMILY", "WHY"]);
        for event in events {
            table.row([
                event.id.to_string(),
                moment(event.at),
                event.host.clone(),
                event.level.clone(),
                event.state.clone(),
                or_dash(event.family.as_ref()),
                event.why.clone(),
            ]);
        }
        listed(&table, "nothing has happened")
    }))
}

/// One event, and its frames as a capture where one is wanted.
fn event(args: &EventArgs) -> super::Outcome {
    let request = Request::Event { id: args.id };
    if let Some(path) = &args.pcap {
        let config = Config::find(args.client.config.as_deref())?;
        let detail: EventDetail = ask(&config.control.socket, &request)?;
        write_pcap(path, &detail.frames).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    show(&args.client, &request, text)
}

/// An event for people.
fn text(detail: &EventDetail) -> String {
    let event = &detail.event;
    let mut table = Table::new(&["EVENT", &event.id.to_string()]);
    let rows = [
        ("at", format!("{} UTC", moment(event.at))),
        ("host", event.host.clone()),
        ("mac", or_dash(event.mac.as_ref())),
        ("side", event.side.clone()),
        ("level", event.level.clone()),
        ("state", event.state.clone()),
        ("family", or_dash(event.family.as_ref())),
        ("detector", event.detector.clone()),
        ("confidence", format!("{:.2}", event.confidence)),
        ("why", event.why.clone()),
    ];
    rows.into_iter().for_each(|(what, value)| table.row([what.into(), value]));
    event.evidence.iter().for_each(|(name, value)| table.row([format!("  {name}"), value.to_string()]));
    let mut text = table.text();
    if !detail.frames.is_empty() {
        let mut frames = Table::new(&["FRAME AT (s)", "FROM", "TO", "PROTOCOL", "OCTETS"]);
        for frame in &detail.frames {
            let [from, to, protocol] = [&frame.source, &frame.destination, &frame.protocol].map(Clone::clone);
            frames.row([format!("{:+.6}", frame.at - event.at), from, to, protocol, frame.len.to_string()]);
        }
        text.push('\n');
        text.push_str(&frames.text());
    }
    text
}

/// Writes frames to a new file; one that exists is left alone.
fn write_pcap(path: &Path, frames: &[FrameView]) -> io::Result<()> {
    let file = OpenOptions::new().write(true).create_new(true).open(path)?;
    let mut writer = PcapWriter::new(BufWriter::new(file))?;
    for view in frames {
        let octets = octets(&view.octets).ok_or(io::ErrorKind::InvalidData)?;
        let frame = Frame {
            at: Timestamp::from_secs_f64(view.at),
            side: Side::Unknown,
            link: LinkType::Ethernet,
            len: view.len,
            vlan: None,
            octets: &octets,
        };
        writer.write(&frame)?;
    }
    writer.flush()
}

/// Octets from pairs of hexadecimal digits.
fn octets(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    let pair =
        |pair: &[u8]| u8::try_from(char::from(pair[0]).to_digit(16)? * 16 + char::from(pair[1]).to_digit(16)?).ok();
    digits.len().is_multiple_of(2).then(|| digits.chunks_exact(2).map(pair).collect())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_written_capture_holds_the_frames_and_replaces_no_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("evidence.pcap");
        let frame = FrameView { at: 1_700_000_000.25, len: 60, octets: "0001fEff".into(), ..FrameView::default() };
        write_pcap(&path, &[frame]).expect("a capture");
        let written = std::fs::read(&path).expect("the capture");
        assert_eq!(written.len(), 24 + 16 + 4);
        assert_eq!(written[24..32], [1_700_000_000_u32.to_le_bytes(), 250_000_u32.to_le_bytes()].concat());
        assert_eq!(written[32..], [&[4, 0, 0, 0, 60, 0, 0, 0], &[0, 1, 0xfe, 0xff][..]].concat());
        assert_eq!(write_pcap(&path, &[]).expect_err("it exists").kind(), io::ErrorKind::AlreadyExists);
    }

    #[test]
    fn what_is_no_hexadecimal_is_refused() {
        assert_eq!(octets("0g"), None);
        assert_eq!(octets("012"), None);
        assert_eq!(octets(""), Some(Vec::new()));
    }
}
