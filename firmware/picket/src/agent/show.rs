//! `picket agent show`: one screen for the person at this host.

use std::fs;

use super::sender::Standing;
use super::state::Enrolment;
use super::{Trouble, journal};
use crate::cli::AgentArgs;
use crate::terminal::{clean, moment, print};

/// Says what is told, to whom, and how that stands.
pub fn show(args: &AgentArgs) -> Result<(), Trouble> {
    let enrolment = Enrolment::read(&args.folder)?;
    let standing: Option<Standing> =
        fs::read(args.folder.join("standing.json")).ok().and_then(|text| serde_json::from_slice(&text).ok());
    let log = if args.log.exists() || !journal::is_there() {
        format!("{} ", args.log.display())
    } else {
        "the system's journal (log-ins) ".to_owned()
    };
    let folders = match args.watch.as_slice() {
        [] => "none".to_owned(),
        some => some.iter().map(|folder| folder.display().to_string()).collect::<Vec<_>>().join(", "),
    };
    let stands = match standing {
        None => "nothing was told yet; is the agent running?".to_owned(),
        Some(Standing { told, trouble, waiting, lost, .. }) => {
            let last = if told > 0.0 { moment(told) + " UTC" } else { "never".into() };
            let trouble = if trouble.is_empty() { "all is well".into() } else { clean(&trouble) };
            format!("last told {last}; {waiting} lines wait, {lost} were lost; {trouble}")
        }
    };
    print(&format!(
        "This host reports to the Picket box at {at} as {name}.

It tells
  who logs in and out, fails to, and uses sudo or su     from {log}
  accounts, groups and log-in keys that change           from /etc/passwd, /etc/group, authorized_keys
  media that are mounted                                 with device and place
  files read and written, and by whom, in                {folders}
  that a log was cleared, and that this agent stops

It does not tell
  what anybody types, what is in a file, where anybody browses, what is on the screen

Now: {stands}
Questions go to whoever runs the box. To stop: systemctl disable --now picket-agent (the box notices).
",
        at = clean(&enrolment.at),
        name = clean(&enrolment.name),
    ));
    Ok(())
}
