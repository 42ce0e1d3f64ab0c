//! The bridge while the gateway runs: looked at once a second, told where something is wrong with it, and mended where that can be.
//!
//! Frames cross the bridge whatever happens here. A link that vanished and came back is taken into the bridge again; a setting
//! that somebody changed is set again; a lost carrier, unequal lengths and a link that is gone are told, once each, and once more
//! when they are over. The conversations of devices are counted on this thread too: nobody waits for it.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::time::Duration;

use capture::{BridgeReport, LinkState, ensure_bridge, look_at_bridge};
use policy::NeverBlock;
use terms::{BlockState, HostKey};

use super::api::Api;
use super::census::Counting;
use super::event::{News, Work, act, now};
use super::settings::{self, Settings};

/// How often the bridge is looked at.
const LOOK: Duration = Duration::from_secs(1);
/// How many looks pass between two questions for the box's own addresses.
const OWN_EVERY: u32 = 10;
/// What events of the bridge name as their detector.
const ITSELF: &str = "gateway";
/// The same where a link passes nothing, or does again.
const LINK: &str = "link";

/// What is wrong with one thing.
#[derive(Clone, PartialEq)]
struct Trouble {
    words: String,
    /// For its end.
    over: String,
    /// Whether nothing passes on a link while it lasts.
    severed: bool,
}

/// What is wrong, by what it is about.
type Troubles = BTreeMap<String, Trouble>;

/// Looks after the bridge until the other end of `end` is gone.
pub fn watch(settings: Settings, end: &Receiver<()>, news: &SyncSender<News>, work: &SyncSender<Work>, api: &Api) {
    let own = settings.own.clone();
    let (news, work, stubborn) = (news.clone(), work.clone(), Vec::new());
    let mut warden = Warden { settings, own, news, work, troubles: Troubles::new(), told: false, stubborn };
    let (mut counting, mut looks) = (Counting::new(), 0_u32);
    api.has(addresses(&warden.own));
    while end.recv_timeout(LOOK) == Err(RecvTimeoutError::Timeout) {
        warden.look();
        counting.look(&warden.work);
        looks = looks.wrapping_add(1);
        if looks.is_multiple_of(OWN_EVERY) {
            warden.own();
            api.has(addresses(&warden.own));
        }
    }
}

/// Those of the box's own that are IP addresses.
fn addresses(own: &[NeverBlock]) -> Vec<IpAddr> {
    let address = |one: &NeverBlock| if let NeverBlock::Address(address) = one { Some(*address) } else { None };
    own.iter().filter_map(address).collect()
}

struct Warden {
    settings: Settings,
    own: Vec<NeverBlock>,
    news: SyncSender<News>,
    work: SyncSender<Work>,
    troubles: Troubles,
    /// Whether the keeper has heard of the troubles.
    told: bool,
    /// Settings that the kernel did not let be set.
    stubborn: Vec<&'static str>,
}

impl Warden {
    fn look(&mut self) {
        let Settings { bridge, lan, uplink, .. } = &self.settings;
        let found = match look_at_bridge(bridge, lan, uplink) {
            // What the kernel did not let be set is not tried each second.
            Ok(Some(report)) if drifted(&report).iter().all(|setting| self.stubborn.contains(setting)) => Ok(report),
            before => ensure_bridge(bridge, lan, uplink).inspect(|after| {
                let before = before.ok().flatten();
                self.mended(before.as_ref(), after);
                self.stubborn = drifted(after);
            }),
        };
        let troubles = match found {
            Ok(report) => troubles(&report),
            Err(error) => {
                let words = format!(
                    "{error}; nothing passes between the two sides until this is mended, looked at each second"
                );
                let over = "both links are in the bridge again".to_owned();
                Troubles::from([("bridge".to_owned(), Trouble { words, over, severed: true })])
            }
        };
        self.compare(troubles);
    }

    /// Tells what was set right just now.
    fn mended(&self, before: Option<&BridgeReport>, after: &BridgeReport) {
        let Settings { bridge, lan, uplink, .. } = &self.settings;
        let Some(before) = before else {
            return self.report(format!("{lan} and {uplink} were not both in bridge {bridge}; they are now"));
        };
        let mut set = drifted(before);
        set.retain(|setting| !drifted(after).contains(setting));
        if !set.is_empty() {
            self.report(format!("bridge {bridge}: somebody changed {}; set again", set.join(", ")));
        }
    }

    /// Tells what is new and what is over.
    fn compare(&mut self, troubles: Troubles) {
        if troubles == self.troubles && self.told {
            return;
        }
        for (about, trouble) in &troubles {
            if self.troubles.get(about).is_none_or(|old| old.words != trouble.words) {
                self.tell(trouble.words.clone(), detector(trouble), trouble.severed);
            }
        }
        for (about, trouble) in &self.troubles {
            if !troubles.contains_key(about) {
                self.tell(trouble.over.clone(), detector(trouble), false);
            }
        }
        let words = troubles.values().map(|trouble| trouble.words.clone()).collect();
        self.troubles = troubles;
        let Settings { bridge, lan, uplink, .. } = &self.settings;
        // A keeper that is behind hears of it with the next look.
        let news = News::Bridge(format!("{bridge} over {lan} (lan) and {uplink} (uplink)"), words);
        self.told = self.news.try_send(news).is_ok();
    }

    /// The box may get another address at any time.
    fn own(&mut self) {
        let Settings { bridge, lan, uplink, .. } = &self.settings;
        let own = settings::own(&[bridge, lan, uplink]);
        if own != self.own && self.work.try_send(Work::Own(own.clone())).is_ok() {
            self.own = own;
        }
    }

    fn report(&self, why: String) {
        self.tell(why, ITSELF, false);
    }

    fn tell(&self, why: String, detector: &str, severed: bool) {
        tracing::warn!("{why}");
        let this_box = HostKey::Mac(self.settings.this_box());
        let mut event = act(now(), None, this_box, BlockState::Observed, detector, why);
        if severed {
            event.evidence.push(("severed".into(), 1.0));
        }
        if self.news.try_send(News::Event(Box::new(event))).is_err() {
            tracing::warn!("the keeper is behind: this is not in the history");
        }
    }
}

/// Who tells of a trouble.
fn detector(trouble: &Trouble) -> &'static str {
    if trouble.severed { LINK } else { ITSELF }
}

/// Settings that the kernel knows and that are not as they should be.
fn drifted(report: &BridgeReport) -> Vec<&'static str> {
    let wrong = report.settings.iter().filter(|setting| setting.found.is_some() && !setting.held());
    wrong.map(|setting| setting.name).collect()
}

fn troubles(report: &BridgeReport) -> Troubles {
    let BridgeReport { bridge, lan, uplink, .. } = report;
    let mut all = Troubles::new();
    for (link, side) in [(lan, "lan"), (uplink, "uplink"), (bridge, "bridge")] {
        let silent = silent(link, side);
        all.extend(silent.map(|(words, over)| (link.name.clone(), Trouble { words, over, severed: true })));
    }
    if !report.mtu_agrees() {
        let words = format!(
            "{} takes packets of {} octets and {} of {}: larger ones are lost towards the smaller",
            lan.name, lan.mtu, uplink.name, uplink.mtu
        );
        let over = format!("{} and {} take packets of one length again", lan.name, uplink.name);
        all.insert("mtu".to_owned(), Trouble { words, over, severed: false });
    }
    let refused = drifted(report);
    if !refused.is_empty() {
        let words = format!("bridge {}: {} cannot be set as it should be", bridge.name, refused.join(", "));
        let over = format!("bridge {} is set as it should be", bridge.name);
        all.insert("settings".to_owned(), Trouble { words, over, severed: false });
    }
    all
}

/// Why nothing passes on a link, and what to say when it does again.
fn silent(link: &LinkState, side: &str) -> Option<(String, String)> {
    let name = &link.name;
    let words = if !link.up {
        format!("link {name} ({side}) is switched off: nothing passes there; `ip link set {name} up` switches it on")
    } else if !link.carrier && side != "bridge" {
        format!("link {name} ({side}) has lost its carrier: nothing passes there until its cable is in again")
    } else {
        return None;
    };
    Some((words, format!("link {name} ({side}) passes frames again")))
}
