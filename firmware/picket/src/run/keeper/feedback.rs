//! What admins say of events: false alarms are quiet for a time, and all of it can teach the next forest.

use std::sync::mpsc::sync_channel;

use detect::{QUIET_AT_MOST, Quiet};
use store::{Event, Feedback};
use terms::{BlockState, Side, Span};

use super::Book;
use crate::control::Response;
use crate::control::views::FeedbackView;
use crate::run::event::{News, Order, Work, act, now};

/// What events of admins' acts name as their detector.
const ADMIN: &str = "admin";

impl Book {
    /// The false alarms that hold, each host and family once.
    pub(super) fn quiet(&self) -> Vec<Quiet> {
        let mut said = self.in_force();
        said.sort_by_key(|said| std::cmp::Reverse(said.until));
        let mut list: Vec<Quiet> = Vec::new();
        for said in &said {
            let Some(family) = said.event.family else { continue };
            // In the network an address may be another device's tomorrow.
            let mac = said.event.mac.filter(|_| said.event.side == Side::Lan);
            if !list.iter().any(|known| (known.host, known.mac, known.family) == (said.event.host, mac, family)) {
                list.push(Quiet { host: said.event.host, mac, family, until: said.until });
            }
        }
        list
    }

    /// The events of the false alarms that hold, whose numbers are usual.
    pub(super) fn forgiven(&self) -> Vec<Event> {
        self.in_force().into_iter().map(|said| said.event).collect()
    }

    /// The false alarms that have not expired.
    fn in_force(&self) -> Vec<Feedback> {
        let at = now();
        let mut said = self.store.feedback();
        said.retain(|said| !said.right && said.until > at);
        said
    }

    pub(super) fn feedbacks(&self) -> Vec<FeedbackView> {
        self.store.feedback().iter().map(view).collect()
    }

    pub(super) fn give_feedback(&mut self, id: u64, right: bool, lasts: Span) -> Response {
        let done = self.store.event(id);
        let event = match self.ran(done) {
            None => return self.refused(),
            Some(None) => {
                return Response::Error(format!("there is no event {id}; picket events lists those that are kept"));
            }
            Some(Some(event)) => event,
        };
        if event.family.is_none() {
            return Response::Error(format!("event {id} is an act, not a finding: {}", event.why));
        }
        let at = now();
        if !right && self.quiet().len() >= QUIET_AT_MOST {
            let text =
                format!("{QUIET_AT_MOST} false alarms are kept in mind already; picket feedback undo makes room");
            return Response::Error(text);
        }
        let said = Feedback { at, right, until: if right { at } else { at + lasts }, event };
        let done = self.store.put_feedback(said.clone());
        if self.ran(done).is_none() {
            return self.refused();
        }
        let synced = self.store.sync();
        self.ran(synced);
        let what = if right { "right" } else { "a false alarm" };
        self.write_down(&said.event, format!("an admin said that event {id} was {what}: {}", said.event.why));
        if right {
            // It may have been called a false alarm before.
            self.tell_inspector(Vec::new());
        } else {
            self.let_go(&said.event);
            self.tell_inspector(vec![said.event.clone()]);
        }
        Response::of(&view(&said))
    }

    pub(super) fn unsay(&mut self, id: u64) -> Response {
        let Some(said) = self.store.feedback().into_iter().find(|said| said.event.id == id) else {
            return Response::Error(format!("nothing was said of event {id}; picket feedback list tells of which"));
        };
        let done = self.store.remove_feedback(id);
        if self.ran(done).is_none() {
            return self.refused();
        }
        let synced = self.store.sync();
        self.ran(synced);
        self.write_down(&said.event, format!("an admin took back what was said of event {id}"));
        self.tell_inspector(Vec::new());
        Response::of(&view(&said))
    }

    /// The block that the gateway decided for this finding ends with it; one for another reason stays.
    fn let_go(&self, event: &Event) {
        let of_this = |block: &policy::Block| block.host == event.host && block.automatic && block.why == event.why;
        if self.store.blocks().iter().any(of_this) {
            let (reply, _unheard) = sync_channel(1);
            self.pass(Work::Unblock(event.host, reply));
        }
    }

    fn write_down(&mut self, about: &Event, why: String) {
        let event = act(now(), None, about.host, BlockState::Observed, ADMIN, why);
        self.hear(News::Event(Box::new(Event { mac: about.mac, side: about.side, ..event })));
    }

    fn tell_inspector(&self, forgiven: Vec<Event>) {
        if self.orders.send(Order::Quiet(self.quiet(), forgiven)).is_err() {
            tracing::warn!("the inspector is gone and did not hear what an admin said");
        }
    }
}

fn view(said: &Feedback) -> FeedbackView {
    let event = &said.event;
    FeedbackView {
        id: event.id,
        at: said.at.as_secs_f64(),
        verdict: if said.right { "right" } else { "false alarm" }.into(),
        host: event.host.to_string(),
        level: event.level.as_str().into(),
        family: event.family.map_or_else(String::new, |family| family.as_str().into()),
        until: (!said.right).then(|| said.until.as_secs_f64()),
        features: event.features.iter().map(|(name, value)| (name.clone(), f64::from(*value))).collect(),
    }
}
