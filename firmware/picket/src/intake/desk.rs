//! What the gateway asks of the intake, and the answers.

use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use intake::habits::Subject;
use intake::rules::{Found, Judge, Rule, SHIPPED};
use intake::{Act, Activity, Proof};
use protocol::intake::{ActivityAsk, ActivityView, CountView, FoundView, LogsBatch, SubjectView, TestAsk};
use protocol::{Request, Response};
use store::Query;
use terms::Timestamp;

use super::Room;
use super::pseudonyms::PREFIX;

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
            Ok(Request::SubjectName { subject }) => self.name(&subject),
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
        if self.room.rules().pseudonyms.is_some() {
            return Ok(Response::of(&self.unnamed(ask, query)?));
        }
        let shot = self.room.log().shot();
        let found = shot.find(&query, ask.limit as usize, PATIENCE).map_err(|error| error.to_string())?;
        Ok(Response::of(&found.into_iter().map(view).collect::<Vec<_>>()))
    }

    /// The same under pseudonyms. What is asked for is held against what is shown, so that no search tells which name stands behind one.
    fn unnamed(&self, ask: &ActivityAsk, mut query: Query) -> Result<Vec<ActivityView>, String> {
        let begun = Instant::now();
        let limit = ask.limit as usize;
        query.subject = match &ask.subject {
            None => None,
            Some(wanted) => match self.account(wanted) {
                None => return Ok(Vec::new()),
                account => account,
            },
        };
        // A pseudonym is in no record; every other text is in the record too.
        query.text = query.text.filter(|text| !text.contains(PREFIX.trim_end_matches('-')));
        let shot = self.room.log().shot();
        // Newest first; each part is oldest first.
        let mut shown: Vec<ActivityView> = Vec::new();
        loop {
            let left = PATIENCE.saturating_sub(begun.elapsed());
            let part = shot.find(&query, limit, left).map_err(|error| error.to_string())?;
            let (first, whole) = (part.first().map(|activity| activity.id), part.len() < limit);
            let rules = self.room.rules();
            let Some(pseudonyms) = &rules.pseudonyms else { break };
            let views = part.into_iter().rev().map(|activity| pseudonyms.record(&activity, view(activity.clone())));
            let fits = |view: &ActivityView| {
                ask.subject.as_ref().is_none_or(|wanted| *wanted == view.subject)
                    && ask.text.as_ref().is_none_or(|text| view.text.contains(text.as_str()))
            };
            shown.extend(views.filter(fits));
            drop(rules);
            query.before = first;
            if whole || shown.len() >= limit || limit == 0 {
                break;
            }
        }
        shown.truncate(limit);
        shown.reverse();
        Ok(shown)
    }

    fn unnamed_count(&self, wanted: &str, query: Query) -> Result<u64, String> {
        let shot = self.room.log().shot();
        let (mut count, rules) = (0, self.room.rules());
        let Some(pseudonyms) = &rules.pseudonyms else { return Ok(0) };
        let is = |activity: &Activity| pseudonyms.subject_of(activity) == wanted;
        let walked = shot.each(&query, PATIENCE, |activity| {
            count += u64::from(is(&activity));
            true
        });
        walked.map(|()| count).map_err(|error| error.to_string())
    }

    /// The account behind a pseudonym, as records have it.
    fn account(&self, pseudonym: &str) -> Option<String> {
        let rules = self.room.rules();
        let known = rules.pseudonyms.as_ref()?;
        // Who is no person has no pseudonym.
        let named = || (known.of("", pseudonym) == pseudonym).then(|| pseudonym.to_owned());
        known.account(pseudonym).map(str::to_owned).or_else(named)
    }

    /// The name behind a pseudonym: the API asks once people consented.
    fn name(&self, subject: &str) -> Result<Response, String> {
        let rules = self.room.rules();
        let known =
            rules.pseudonyms.as_ref().ok_or("pseudonyms are off: intake.pseudonyms in the configuration file")?;
        known.name(subject).map(|name| Response::of(&name)).ok_or_else(|| "no account has this pseudonym".into())
    }

    fn count(&self, ask: &ActivityAsk) -> Result<Response, String> {
        let mut query = query(ask)?;
        if self.room.rules().pseudonyms.is_some() {
            if ask.text.is_some() {
                return Err("under pseudonyms messages are not counted by their text".into());
            }
            if let Some(wanted) = &ask.subject {
                query.subject = Some(self.account(wanted).unwrap_or_else(|| wanted.clone()));
                // Of the same name on other sources there is another pseudonym.
                return Ok(Response::of(&CountView { count: self.unnamed_count(wanted, query)? }));
            }
        }
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
        let all = rules.judge.habits().all().map(|(name, subject)| subject_view(name, subject));
        let mut views: Vec<SubjectView> = match &rules.pseudonyms {
            Some(pseudonyms) => all.map(|view| pseudonyms.subject(view)).collect(),
            None => all.collect(),
        };
        views.sort_by(|a, b| b.last_seen.total_cmp(&a.last_seen));
        views
    }

    /// Tries a rule on what is stored.
    fn test(&self, ask: &TestAsk) -> Result<Response, String> {
        let rule = match &ask.text {
            Some(_) if self.room.rules().pseudonyms.is_some() => {
                return Err(
                    "under pseudonyms only rules that the binary carries can be tried: another could name a person"
                        .into(),
                );
            }
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
                found.push(self.room.rules().told(&judge.rules()[one.rule], one, &activity));
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
