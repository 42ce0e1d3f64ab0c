//! What the gateway asks of the intake, and the answers.

use std::sync::Arc;
use std::time::Duration;

use intake::{Act, Activity};
use protocol::intake::{ActivityAsk, ActivityView, CountView};
use protocol::{Request, Response};
use store::Query;
use terms::Timestamp;

use super::Room;

/// How long a search may take; whoever asks waits a little longer.
const PATIENCE: Duration = Duration::from_secs(4);

/// Where the gateway asks.
pub struct Desk {
    pub room: Arc<Room>,
}

impl Desk {
    /// Answers one question.
    pub fn answer(&self, request: Request) -> Response {
        let done = match request.checked() {
            Ok(Request::Activity(ask)) => self.activity(&ask),
            Ok(Request::ActivityCount(ask)) => self.count(&ask),
            Ok(Request::Sources) => Ok(Response::of(&self.room.sources().views())),
            Ok(_) => Err("that is not the intake's to answer".into()),
            Err(what) => Err(what),
        };
        done.unwrap_or_else(Response::Error)
    }

    fn activity(&self, ask: &ActivityAsk) -> Result<Response, String> {
        let query = query(ask)?;
        let shot = self.room.log().shot();
        let found = shot.find(&query, ask.limit as usize, PATIENCE).map_err(|error| error.to_string())?;
        Ok(Response::of(&found.into_iter().map(view).collect::<Vec<_>>()))
    }

    fn count(&self, ask: &ActivityAsk) -> Result<Response, String> {
        let query = query(ask)?;
        let shot = self.room.log().shot();
        let count = shot.count(&query, PATIENCE).map_err(|error| error.to_string())?;
        Ok(Response::of(&CountView { count }))
    }
}

fn query(ask: &ActivityAsk) -> Result<Query, String> {
    let action = match ask.action.as_deref() {
        None => None,
        Some(word) => Some(Act::of(word).ok_or_else(|| {
            let known: Vec<_> = Act::ALL.iter().map(|act| act.as_str()).collect();
            format!("{word:?} is no action; there are {}", known.join(", "))
        })?),
    };
    Ok(Query {
        text: ask.text.clone().filter(|text| !text.is_empty()),
        subject: ask.subject.clone(),
        device: ask.device.clone(),
        action,
        since: ask.since.map(timestamp),
        until: ask.until.map(timestamp),
        before: ask.before,
    })
}

fn view(activity: Activity) -> ActivityView {
    ActivityView {
        id: activity.id,
        at: activity.at.as_secs_f64(),
        claimed: activity.claimed.map(Timestamp::as_secs_f64),
        source: activity.source.to_string(),
        device: activity.device,
        subject: activity.subject,
        action: activity.action.as_str().into(),
        object: activity.object,
        result: activity.result.as_str().into(),
        address: activity.address.map(|address| address.to_string()),
        proof: activity.proof.as_str().into(),
        program: activity.program,
        priority: activity.priority,
        cut: activity.cut,
        text: activity.text,
    }
}

/// The moment of a question.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast from a float saturates")]
fn timestamp(secs: f64) -> Timestamp {
    Timestamp::from_micros((secs * 1e6).round() as u64)
}
