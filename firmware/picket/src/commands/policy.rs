//! `picket policy`, `picket posture` and what is decided about devices.

mod amend;

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use ::policy::Policy;
use ::policy::text::{self, Difference};

use super::{Outcome, finish, show};
use crate::cli::{ClientArgs, DecideArgs, PolicyCommand, PostureArgs};
use crate::config::duration;
use crate::control::Request;
use crate::control::client::ask;
use crate::control::views::{PolicyView, RulingView, VersionView};
use crate::terminal::{Table, clean, moment, print};

/// `picket policy ...`.
pub fn policy(command: &PolicyCommand) -> ExitCode {
    match command {
        PolicyCommand::Check { file, .. } => check(file),
        PolicyCommand::Timemachine(args) => super::flows::timemachine(args),
        PolicyCommand::Apply { client, file, confirm_within, why, force } => {
            apply(client, file, confirm_within.map(|span| span.secs()), why, *force)
        }
        PolicyCommand::Allow { client, from, to, service, lasts, always, why } => {
            let until = (!always).then_some(*lasts);
            finish(amend::allow(client, [from, to, service], until, why))
        }
        PolicyCommand::Preset { client, preset, device, with, apply } => {
            finish(amend::preset(client, preset.as_deref(), device.as_deref(), with, *apply))
        }
        PolicyCommand::Show(client) => finish(show(client, &Request::Policy, |view: &PolicyView| {
            format!(
                "# version {}\n{}\n# The rules that every policy has:\n{}",
                view.version,
                view.text,
                commented(&view.built_in)
            )
        })),
        PolicyCommand::Confirm(client) => {
            finish(show(client, &Request::PolicyConfirm { author: author() }, |view: &PolicyView| {
                format!("kept: version {} holds for good, posture {}\n", view.version, view.posture)
            }))
        }
        PolicyCommand::Revert { client, version, why } => {
            let request = Request::PolicyRevert { version: *version, author: author(), why: why.clone() };
            finish(show(client, &request, |view: &PolicyView| {
                format!("version {} holds, posture {}\n", view.version, view.posture)
            }))
        }
        PolicyCommand::History(client) => finish(show(client, &Request::PolicyHistory, |all: &Vec<VersionView>| {
            let mut table = Table::new(&["VERSION", "AT (UTC)", "BY", "ACT", "WHY"]);
            for v in all {
                let mark = if v.in_force { " *" } else { "" };
                table.row([
                    format!("{}{mark}", v.version),
                    moment(v.at),
                    clean(&v.author),
                    v.act.clone(),
                    clean(&v.why),
                ]);
            }
            if all.is_empty() { "no policy was ever applied\n".into() } else { table.text() + "* holds now\n" }
        })),
        PolicyCommand::Explain { client, from, to, service, at } => {
            let at = at.map(|at| at.as_secs_f64());
            let request = Request::PolicyExplain { from: from.clone(), to: to.clone(), service: service.clone(), at };
            finish(show(client, &request, |view: &RulingView| {
                let decision = if view.decision == "allow" { "allowed" } else { "denied" };
                format!(
                    "{} to {} about {}: {decision}, by {}\n{}\n",
                    view.from,
                    view.to,
                    view.service,
                    view.rule,
                    clean(&view.why)
                )
            }))
        }
        PolicyCommand::Diff { client, file } => finish(diff(client, file)),
        PolicyCommand::Export { client, file } => finish(export(client, file)),
        PolicyCommand::Import { client, file, why } => apply(client, file, None, why, false),
    }
}

/// Puts what a file holds in force. Only where the gateway refuses it the file is read here too: that costs as much as the change itself,
/// and only this names the file.
fn apply(client: &ClientArgs, file: &Path, within_secs: Option<u64>, why: &str, force: bool) -> ExitCode {
    let text = match text_of(file) {
        Ok(text) => text,
        Err(why) => return bad(&why),
    };
    let brief = !client.json;
    let request = Request::PolicyApply {
        text,
        within_secs,
        author: author(),
        why: why.to_owned(),
        force,
        if_version: None,
        brief,
    };
    let done = show(client, &request, applied);
    match done.is_err().then(|| read(file)) {
        Some(Err(why)) => bad(&why),
        _ => finish(done),
    }
}

/// What a file holds, or what is wrong with it.
fn check(file: &Path) -> ExitCode {
    match read(file) {
        Ok((_, policy)) => {
            let (devices, rules) = (policy.devices.len(), policy.rules.len());
            print(&format!("{}: a policy with {devices} devices and {rules} rules\n", file.display()));
            ExitCode::SUCCESS
        }
        Err(why) => bad(&why),
    }
}

/// `picket posture`.
pub fn posture(args: &PostureArgs) -> ExitCode {
    let Some(posture) = args.posture else {
        return finish(show(&args.client, &Request::Policy, |view: &PolicyView| match view.confirm_within {
            Some(left) => format!("{} for {left:.0} s more\n", view.posture),
            None => format!("{}\n", view.posture),
        }));
    };
    let request = Request::PolicyPosture {
        posture: posture.into(),
        for_secs: args.lasts.map(|span| span.secs()),
        author: author(),
        why: args.why.clone(),
    };
    finish(show(&args.client, &request, |view: &PolicyView| match view.confirm_within {
        Some(left) => format!(
            "posture {} for {}; then it is again as before\n",
            view.posture,
            duration::glance(terms::Span::from_secs(left as u64))
        ),
        None => format!("posture {}\n", view.posture),
    }))
}

/// `picket devices approve | quarantine | block | forget`.
pub fn decide(args: &DecideArgs, state: Option<::policy::DeviceState>) -> ExitCode {
    let request = Request::PolicyDevice {
        device: args.device.clone(),
        name: args.name.clone(),
        state,
        author: author(),
        why: args.why.clone(),
    };
    let done = state.map_or("forgotten", ::policy::DeviceState::as_str);
    finish(show(&args.client, &request, |view: &PolicyView| {
        format!("{} is {done} (policy version {})\n", clean(&args.device), view.version)
    }))
}

pub(super) fn applied(view: &PolicyView) -> String {
    let until = view.confirm_within.map_or(String::new(), |left| {
        format!("\nIt goes by itself in {left:.0} s unless you say: picket policy confirm")
    });
    format!(
        "version {} holds: posture {}, {} devices, {} rules{until}\n",
        view.version, view.posture, view.devices, view.rules
    )
}

/// Line by line what a file would change, and which conversations of the last day.
fn diff(client: &ClientArgs, file: &Path) -> Outcome {
    let (_, policy) = read(file)?;
    let wanted = text::write(&policy);
    let config = crate::config::Config::find(client.config.as_deref())?;
    let held: PolicyView = ask(&config.control.socket, &Request::Policy)?;
    let Difference { removed: gone, added: come } = text::difference(&held.text, &wanted);
    let (day, conversations) = super::flows::day_of(client, &policy)?;
    if client.json {
        print(&(serde_json::json!({ "removed": gone, "added": come, "day": conversations }).to_string() + "\n"));
        return Ok(());
    }
    let lines: String = gone.iter().map(|b| marked('-', b)).chain(come.iter().map(|b| marked('+', b))).collect();
    print(&if lines.is_empty() { "nothing would change\n".to_owned() } else { lines + &day });
    Ok(())
}

fn marked(mark: char, block: &str) -> String {
    block.lines().map(|line| format!("{mark} {}\n", clean(line))).collect::<String>() + "\n"
}

fn export(client: &ClientArgs, file: &Path) -> Outcome {
    let config = crate::config::Config::find(client.config.as_deref())?;
    let held: PolicyView = ask(&config.control.socket, &Request::Policy)?;
    if file == Path::new("-") {
        print(&held.text);
    } else {
        fs::write(file, &held.text).map_err(|error| format!("{}: {error}", file.display()))?;
        print(&format!("version {} is in {}\n", held.version, file.display()));
    }
    Ok(())
}

/// A policy's text, checked: the gateway says the same, but only this names the file.
pub(super) fn read(file: &Path) -> Result<(String, Policy), String> {
    let (name, text) = (file.display(), text_of(file)?);
    match text::read(&text) {
        Ok(policy) => Ok((text, policy)),
        Err(faults) => Err(faults.iter().map(|fault| format!("{name}: {fault}")).collect::<Vec<_>>().join("\n")),
    }
}

fn text_of(file: &Path) -> Result<String, String> {
    let name = file.display();
    let long = fs::metadata(file).is_ok_and(|file| file.len() > text::TEXT_MAX as u64);
    if long {
        return Err(format!("{name}: longer than {} MiB", text::TEXT_MAX >> 20));
    }
    fs::read_to_string(file).map_err(|error| format!("{name}: {error}"))
}

fn bad(why: &str) -> ExitCode {
    eprintln!("{why}");
    ExitCode::from(super::BAD_FILE)
}

fn commented(text: &str) -> String {
    text.lines().map(|line| format!("# {line}\n")).collect()
}

/// Who gives the command: the person behind sudo, else the user of this process.
pub fn author() -> String {
    let named =
        ["SUDO_USER", "USER", "LOGNAME"].iter().find_map(|name| std::env::var(name).ok().filter(|v| !v.is_empty()));
    named.unwrap_or_else(|| "root".into())
}
