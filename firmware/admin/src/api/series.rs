//! Figures over time, as a page draws them.

use protocol::Request;
use protocol::series::{Reach, SeriesView, Topic};

use crate::clock::Moment;
use crate::office::Office;
use crate::problem::Problem;
use crate::route::Call;

/// `GET statistics/{reach}/{topic}`.
pub fn series(office: &Office, call: &Call) -> Result<SeriesView<Moment>, Problem> {
    let reach = Reach::ALL.into_iter().find(|reach| reach.as_str() == call.text("reach"));
    let reach = reach.ok_or_else(|| Problem::missing("reach; there are hour, day, week, month and year"))?;
    let topic = Topic::ALL.into_iter().find(|topic| topic.as_str() == call.text("topic"));
    let topic =
        topic.ok_or_else(|| Problem::missing("topic; there are devices, services, protocols, levels and sources"))?;
    office.ask(Request::Series { reach, topic })
}
