//! `picket requests`: what people ask for, granted or refused.

use std::process::ExitCode;

use protocol::{AccessAsk, AccessView};
use terms::Span;

use super::policy::author;
use super::{finish, listed, show};
use crate::cli::{ClientArgs, RequestsCommand};
use crate::control::Request;
use crate::terminal::{Table, clean, moment};

/// `picket requests ...`.
pub fn requests(command: &RequestsCommand) -> ExitCode {
    match command {
        RequestsCommand::List(client) => finish(show(client, &Request::Access(AccessAsk::List), all)),
        RequestsCommand::Grant(args) => {
            // An hour that has begun counts.
            let hours = args.lasts.map(|lasts| lasts.secs().div_ceil(Span::from_secs(3_600).secs()));
            let ask = AccessAsk::Grant { id: args.id, hours, note: args.note.clone(), author: author() };
            decide(&args.client, ask)
        }
        RequestsCommand::Refuse(args) => {
            let ask = AccessAsk::Refuse { id: args.id, note: args.note.clone(), author: author() };
            decide(&args.client, ask)
        }
    }
}

fn decide(client: &ClientArgs, ask: AccessAsk) -> ExitCode {
    finish(show(client, &Request::Access(ask), |request: &AccessView| {
        let rule = request.rule.as_ref().zip(request.until).map_or(String::new(), |(rule, until)| {
            format!(
                ": {rule} allows {} {} to {} until {} UTC",
                request.device_name,
                request.service,
                request.to,
                moment(until)
            )
        });
        format!("request {} of {} is {}{}\n", request.id, clean(&request.asked_by), request.state, clean(&rule))
    }))
}

fn all(requests: &Vec<AccessView>) -> String {
    let mut table = Table::new(&[
        "REQUEST",
        "STATE",
        "BY",
        "DEVICE",
        "SERVICE",
        "TO",
        "HOURS",
        "ASKED (UTC)",
        "UNTIL (UTC)",
        "WHY",
    ]);
    for request in requests {
        table.row([
            request.id.to_string(),
            request.state.clone(),
            clean(&request.asked_by),
            format!("{} ({})", clean(&request.device_name), request.device),
            clean(&request.service),
            clean(&request.to),
            request.hours.to_string(),
            moment(request.created),
            request.until.map_or_else(|| "-".into(), moment),
            clean(&request.reason),
        ]);
    }
    listed(&table, "nobody has asked for access")
}
