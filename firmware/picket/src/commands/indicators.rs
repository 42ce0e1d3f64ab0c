//! `picket indicators`: lists of addresses, networks and names that hosts are held against, now and in what they did.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::process::ExitCode;

use ::policy::indicators::{self, Listing, TEXT_MAX};
use protocol::past::Past;
use serde::Serialize;

use super::flows::{Socket, since};
use super::{BAD_FILE, Outcome, finish, listed, show};
use crate::cli::{ClientArgs, IndicatorsCommand, LoadListArgs, PastArgs};
use crate::config::Config;
use crate::control::Request;
use crate::control::client::ask;
use crate::control::views::{IndicatorsView, PastView};
use crate::terminal::{Table, clean, moment, print, rounded};

/// What `picket indicators load` tells in JSON.
#[derive(Serialize)]
struct Loaded {
    list: IndicatorsView,
    past: PastView,
}

/// `picket indicators`; exit status 2 for a file that is no list.
pub fn indicators(command: &IndicatorsCommand) -> ExitCode {
    match command {
        IndicatorsCommand::Check { file } => match read(file) {
            Ok((_, listing)) => {
                print(&format!("{}: {}\n", clean(&file.display().to_string()), holds(&listing)));
                ExitCode::SUCCESS
            }
            Err(error) => {
                eprintln!("picket indicators: {error}");
                ExitCode::from(BAD_FILE)
            }
        },
        IndicatorsCommand::Load(args) => finish(load(args)),
        IndicatorsCommand::List(client) => finish(list(client)),
        IndicatorsCommand::Past(args) => finish(past(args)),
        IndicatorsCommand::Remove { client, name } => {
            finish(show(client, &Request::IndicatorsRemove { name: name.clone() }, |view: &IndicatorsView| {
                format!("{} is not looked for any more\n", clean(&view.name))
            }))
        }
    }
}

fn load(args: &LoadListArgs) -> Outcome {
    let (text, listing) = read(&args.file)?;
    let stem = args.file.file_stem().map(|stem| stem.to_string_lossy().to_lowercase().replace(['.', ' '], "-"));
    let name = args.name.clone().or(stem).unwrap_or_default();
    let origin = args.origin.clone().unwrap_or_else(|| clean(&args.file.display().to_string()));
    let request =
        Request::IndicatorsLoad { name, text, high: args.high, origin: clean(&origin), for_secs: args.lasts.secs() };
    let socket = Socket::find(&args.client)?;
    let list: IndicatorsView = ask(&Config::find(args.client.config.as_deref())?.control.socket, &request)?;
    let past = Past::of(&socket)?.met(&listing, since(args.past.span()))?;
    if args.client.json {
        print(&(serde_json::to_string(&Loaded { list, past })? + "\n"));
    } else {
        let until = moment(list.until);
        print(&format!("list {} {}: {}; {} until {until} UTC\n", list.number, list.name, holds(&listing), list.level));
        print(&told(&past));
    }
    Ok(())
}

fn list(client: &ClientArgs) -> Outcome {
    show(client, &Request::Indicators, |all: &Vec<IndicatorsView>| {
        let mut table =
            Table::new(&["LIST", "NAME", "LEVEL", "NETWORKS", "NAMES", "LOADED (UTC)", "UNTIL (UTC)", "ORIGIN"]);
        for view in all {
            let over = if view.over { ", over" } else { "" };
            table.row([
                view.number.to_string(),
                view.name.clone(),
                view.level.clone(),
                view.networks.to_string(),
                view.names.to_string(),
                moment(view.loaded),
                moment(view.until) + over,
                clean(&view.origin),
            ]);
        }
        listed(&table, "no list is loaded")
    })
}

fn past(args: &PastArgs) -> Outcome {
    let socket = Socket::find(&args.client)?;
    let listing = match (&args.file, &args.name) {
        (Some(file), _) => read(file)?.1,
        (None, name) => {
            let name = name.clone().unwrap_or_default();
            let config = Config::find(args.client.config.as_deref())?;
            let text: String = ask(&config.control.socket, &Request::IndicatorsText { name })?;
            of_text(&text)?
        }
    };
    let past = Past::of(&socket)?.met(&listing, since(args.past.span()))?;
    if args.client.json {
        print(&(serde_json::to_string(&past)? + "\n"));
    } else {
        print(&told(&past));
    }
    Ok(())
}

/// A file's text, and what it lists; what is wrong names the file.
pub fn read(path: &Path) -> Result<(String, Listing), String> {
    let name = clean(&path.display().to_string());
    let mut octets = Vec::new();
    let file = File::open(path).and_then(|file| file.take(TEXT_MAX as u64 + 1).read_to_end(&mut octets));
    file.map_err(|error| format!("{name}: {error}"))?;
    let text = String::from_utf8(octets).map_err(|_| format!("{name}: this is no text (UTF-8)"))?;
    let listing = of_text(&text).map_err(|error| format!("{name}: {error}"))?;
    Ok((text, listing))
}

fn of_text(text: &str) -> Result<Listing, String> {
    indicators::read(text).map_err(|faults| faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n  "))
}

fn holds(listing: &Listing) -> String {
    let passed = match listing.passed_over {
        0 => String::new(),
        n => format!("; {n} lines are about what any network has, and do not count"),
    };
    let clients = match listing.clients.len() {
        0 => String::new(),
        n => format!(" and {n} TLS clients"),
    };
    format!("{} networks and {} names{clients}{passed}", listing.networks.len(), listing.names.len())
}

/// Who had to do with what is listed.
fn told(past: &PastView) -> String {
    let head = format!("{} conversations since {} UTC were looked at: ", past.conversations, moment(past.since));
    if past.met.is_empty() {
        return head + "no device had to do with it\n";
    }
    let mut table = Table::new(&["LAST (UTC)", "DEVICE", "WITH", "ABOUT", "BEGUN BY", "TIMES", "OCTETS OUT"]);
    for met in &past.met {
        let with = met.name.as_ref().map_or_else(|| met.peer.clone(), |name| format!("{} ({})", clean(name), met.peer));
        table.row([
            moment(met.last),
            format!("{} ({})", met.device, met.mac),
            with,
            met.service.clone(),
            met.begun_by.clone(),
            met.conversations.to_string(),
            rounded(met.octets_out),
        ]);
    }
    let rest = if past.untold > 0 { format!("and {} conversations more\n", past.untold) } else { String::new() };
    format!("{head}these had to do with it\n{}{rest}", table.text())
}
