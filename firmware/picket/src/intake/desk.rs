//! What the gateway asks of the intake, and the answers.

use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use intake::habits::Subject;
use intake::rules::{Found, Judge, Rule, SHIPPED};
use intake::{Act, Activity, Proof};
use protocol::intake::{ActivityAsk, ActivityView, CountView, FoundView, LogsBatch, SubjectView, TestAsk};
use protocol::{Request, Response};
use store::Query;
use terms::Timestamp;

use super::Room;

/// Findings of one trial of a rule.
const FOUND_MAX: usize = 1_000;
/// How long a search may take; whoever asks waits a little longer.
const PATIENCE: Duration = Duration::from_secs(4);

/// Where the gateway asks.
pub struct Desk {
    pub room: Arc<Room>,
    /// Where the gateway hears of what rules find.
    pub out: Arc<Mutex<UnixStream>>,
}

impl Desk {
    /// Answers one question.
    pub fn answer(&self, request: Request) -> Response {
        let done = match request.checked() {
            Ok(Request::Activity(ask)) => self.activity(&ask),
            Ok(Request::ActivityCount(ask)) => self.count(&ask),
            Ok(Request::ActivityTest(ask)) => self.test(&ask),
            Ok(Request::Sources) => {
                let mut views = self.room.senders().views();
                views.extend(self.room.sources().views());
                Ok(Response::of(&views))
            }
            Ok(Request::Subjects) => Ok(Response::of(&self.subjects())),
            Ok(Request::Logs(batch)) => self.logs(&batch),
            Ok(Request::SourceGone { sender }) => {
                self.room.senders().forget(sender);
                Ok(Response::Ok(serde_json::Value::Null))
            }
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

impl Desk {
    /// Takes a batch in, and tells what rules find in it. The lock on the rules keeps the order of the log.
    fn logs(&self, batch: &LogsBatch) -> Result<Response, String> {
        let mut rules = self.room.rules();
        let (taken, rows) = self.room.take_batch(batch)?;
        for row in &rows {
            rules.hear(row, &self.out);
        }
        Ok(Response::of(&taken))
    }

    /// The accounts, the last heard of first.
    fn subjects(&self) -> Vec<SubjectView> {
        let rules = self.room.rules();
        let mut views: Vec<SubjectView> =
            rules.judge.habits().all().map(|(name, subject)| subject_view(name, subject)).collect();
        views.sort_by(|a, b| b.last_seen.total_cmp(&a.last_seen));
        views
    }

    /// Tries a rule on what is stored.
    fn test(&self, ask: &TestAsk) -> Result<Response, String> {
        let rule = match &ask.text {
            Some(text) => Rule::read(&ask.name, text),
            None => {
                let known = || SHIPPED.map(|(name, _)| name).join(", ");
                let shipped = SHIPPED.iter().find(|(name, _)| *name == ask.name);
                let (name, text) =
                    shipped.ok_or_else(|| format!("there is no rule {:?}; there are {}", ask.name, known()))?;
                Rule::read(name, text)
            }
        };
        let mut judge = Judge::new(vec![rule.map_err(|fault| fault.to_string())?]);
        let span = ActivityAsk { since: ask.since, until: ask.until, ..ActivityAsk::default() };
        let shot = self.room.log().shot();
        let mut found = Vec::new();
        let walked = shot.each(&query(&span)?, PATIENCE, |activity| {
            for one in judge.hear(&activity) {
                found.push(told(&judge.rules()[one.rule], one, &activity));
            }
            found.len() < FOUND_MAX
        });
        walked.map_err(|error| error.to_string())?;
        Ok(Response::of(&found))
    }
}

/// What a rule found in the record that completed it.
pub fn told(rule: &Rule, found: Found, activity: &Activity) -> FoundView {
    FoundView {
        rule: rule.name.clone(),
        title: rule.title.clone(),
        level: rule.level.clone(),
        weight: rule.weight,
        about: found.key,
        source: activity.source.to_string(),
        since: found.since.as_secs_f64(),
        at: found.at.as_secs_f64(),
        activity: found.id,
        proof: found.proof.as_str().into(),
        words: rule.words.clone(),
        next: rule.next.clone(),
    }
}

fn subject_view(name: &str, subject: &Subject) -> SubjectView {
    let proof = if subject.unproven { Proof::Unproven } else { Proof::Enrolled };
    SubjectView {
        id: name.into(),
        devices: subject.devices.clone(),
        addresses: subject.addresses.clone(),
        first_seen: subject.first.as_secs_f64(),
        last_seen: subject.last.as_secs_f64(),
        records: subject.records,
        failed: subject.failed,
        actions: subject.actions.iter().map(|(act, count)| (act.as_str().to_owned(), *count)).collect(),
        hours: subject.hours.to_vec(),
        days: subject.days,
        busiest_day: subject.busiest.max(subject.today),
        proof: proof.as_str().into(),
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
        since: ask.since.map(Timestamp::from_secs_f64),
        until: ask.until.map(Timestamp::from_secs_f64),
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
