//! Stored conversations and a list of indicators: who had to do with what was not known to be bad yet.

use std::collections::BTreeMap;

use policy::Flow;
use policy::indicators::Listing;
use terms::Timestamp;

use super::{Ask, Past};
use crate::views::{MetView, PastView};

/// Kinds of conversations that are told one by one.
const TOLD: usize = 1_000;

impl<G: Ask> Past<'_, G> {
    /// Who had to do with what is listed, back to a moment.
    ///
    /// # Errors
    /// No answer.
    pub fn met(&self, listing: &Listing, since: Timestamp) -> Result<PastView, G::Error> {
        let mut met: BTreeMap<_, MetView> = BTreeMap::new();
        let (mut conversations, mut untold) = (0, 0);
        self.each(since, |flows| {
            for flow in flows {
                conversations += u64::from(flow.count);
                let Some(name) = found(listing, flow) else { continue };
                let key = (flow.mac, flow.lan, flow.far, name.clone(), flow.asked.to_string(), flow.inbound);
                if met.len() == TOLD && !met.contains_key(&key) {
                    untold += u64::from(flow.count);
                    continue;
                }
                let row = met.entry(key).or_insert_with(|| blank(flow, name));
                row.conversations += u64::from(flow.count);
                row.octets_out += flow.octets[0];
                row.first = row.first.min(flow.first.as_secs_f64());
                row.last = row.last.max(flow.last.as_secs_f64());
            }
            true
        })?;
        let mut met: Vec<MetView> = met.into_values().collect();
        met.sort_by(|a, b| b.last.total_cmp(&a.last));
        Ok(PastView { since: since.as_secs_f64(), conversations, met, untold })
    }
}

/// Whether a conversation was with what is listed, and by which name; nothing inside where its address is.
fn found(listing: &Listing, flow: &Flow) -> Option<Option<String>> {
    let name = flow.names.iter().find(|name| listing.holds_name(name));
    if listing.holds(flow.far) { Some(None) } else { name.map(|name| Some(name.clone())) }
}

fn blank(flow: &Flow, name: Option<String>) -> MetView {
    MetView {
        mac: flow.mac.to_string(),
        device: flow.lan.to_string(),
        peer: flow.far.to_string(),
        name,
        service: flow.asked.to_string(),
        begun_by: if flow.inbound { "uplink" } else { "lan" }.into(),
        first: f64::INFINITY,
        ..MetView::default()
    }
}
