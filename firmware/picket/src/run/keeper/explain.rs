//! What is known of one host, and why it stands where it does.

use std::collections::BTreeMap;

use detect::Baseline;
use policy::BlockTarget;
use store::{EventQuery, HostRecord};
use terms::{HostKey, Side};

use super::{Book, event_view, host_view, record_view};
use crate::control::Response;
use crate::control::views::{BaselineView, BlockedView, EventView, ExplainView, HostView};
use crate::run::event::now;

/// Events about the host that are told, the newest.
const EVENTS: usize = 10;
/// Minutes that are told of.
const DAY: u64 = 24 * 60;

impl Book {
    pub(super) fn explain(&mut self, asked: HostKey) -> Response {
        let (seen, at) = (self.seen(asked).copied(), now());
        let stored = || {
            let named = |r: &HostRecord| r.host == asked || r.mac.map(HostKey::Mac) == Some(asked);
            self.store.hosts().into_iter().find(named)
        };
        let record = seen.map(|seen| seen.record).or_else(stored);
        let host = record.map_or(asked, |record| record.host);
        // What was invented behind a hardware address, and blocks of it, go by that.
        let mac = record.and_then(|record| record.mac).filter(|_| record.is_some_and(|r| r.side == Side::Lan));
        let names = |other: HostKey| other == host || other == asked || mac.map(HostKey::Mac) == Some(other);
        let done = self.store.minutes(host, at.minute().saturating_sub(DAY)..at.minute() + 1);
        let Some(past) = self.ran(done) else { return self.refused() };
        let mut minutes = BTreeMap::new();
        past.iter().for_each(|minute| *minutes.entry(minute.level.as_str().to_owned()).or_default() += 1);
        let among = [Some(host), Some(asked), mac.map(HostKey::Mac)].into_iter().flatten().collect();
        let query = EventQuery { among: Some(among), ..EventQuery::default() };
        let done = self.store.find_events(&query, store::EVENTS_AT_MOST, None);
        let Some(found) = self.ran(done) else { return self.refused() };
        let about = found.events.iter().chain(&self.waiting).filter(|event| names(event.host));
        let mut events: Vec<EventView> = about.map(event_view).collect();
        events.drain(..events.len().saturating_sub(EVENTS));
        let known = seen.as_ref().map(host_view).or_else(|| record.as_ref().map(record_view));
        let block = self.store.blocks().into_iter().find(|block| {
            let by_mac = matches!(block.target, BlockTarget::Mac(blocked) if Some(blocked) == mac);
            (names(block.host) || by_mac) && block.until() > at
        });
        if known.is_none() && block.is_none() && events.is_empty() {
            return Response::Error(format!("nothing is known of {asked}; picket hosts lists the hosts being watched"));
        }
        let learnt = record.and_then(|record| Baseline::of_record(&record.learnt));
        Response::of(&ExplainView {
            host: known.unwrap_or_else(|| HostView { host: host.to_string(), ..HostView::default() }),
            baseline: learnt.and_then(|baseline| baseline_view(&baseline, at)),
            blocked: block.map(|block| BlockedView {
                until: block.until().as_secs_f64(),
                automatic: block.automatic,
                why: block.why,
            }),
            minutes,
            events,
            feedback: self.feedbacks().into_iter().filter(|said| said.host == host.to_string()).collect(),
        })
    }
}

fn baseline_view(baseline: &Baseline, at: terms::Timestamp) -> Option<BaselineView> {
    Some(BaselineView {
        since: baseline.since()?.as_secs_f64(),
        minutes: baseline.minutes(),
        holds: baseline.holds(at),
        usual_share: baseline.usual_share().into(),
        busiest_hour: baseline.busiest_hour(),
        administers_by: baseline.administers_by().map(|what| what.name().into()).collect(),
        exposed_by: baseline.exposed_by().map(|how| how.name().into()).collect(),
        usual_signs: baseline.usual_signs().map(|sign| sign.name().into()).collect(),
    })
}
