//! `picket statistics`: figures over time, each line's sum for people, all points as JSON.

use std::process::ExitCode;

use protocol::series::SeriesView;

use super::{finish, listed, show};
use crate::cli::StatisticsArgs;
use crate::control::Request;
use crate::terminal::{Table, clean, rounded};

/// `picket statistics`.
pub fn statistics(args: &StatisticsArgs) -> ExitCode {
    let request = Request::Series { reach: args.reach.into(), topic: args.topic.into() };
    finish(show(&args.client, &request, |series: &SeriesView| {
        let octets = series.unit == "octets";
        let heads: &[&str] = if octets { &["NAME", "SENT", "RECEIVED", "TOTAL"] } else { &["NAME", "FINDINGS"] };
        let mut table = Table::new(heads);
        let sum = |values: &[u64]| rounded(values.iter().fold(0, |sum, value| value.saturating_add(sum)));
        for line in &series.lines {
            let name = clean(&line.name);
            if octets {
                table.row([name, sum(&line.sent), sum(&line.received), rounded(line.total)]);
            } else {
                table.row([name, line.total.to_string()]);
            }
        }
        listed(&table, "nothing was counted in this time")
    }))
}
