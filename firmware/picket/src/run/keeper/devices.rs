//! The devices: what the keeper learns of them, keeps and tells.

use std::collections::VecDeque;
use std::net::IpAddr;

use policy::device::{Conflict, DeviceId, DeviceRecord, Devices, Sight, Suggestion, guess};
use store::{Event, Store};
use terms::{BlockState, HostKey, MacAddr, Span, ThreatLevel, Timestamp};

use super::super::clues::Learnt;
use super::super::event::{Second, act, now};
use super::Book;
use crate::control::Response;
use crate::control::protocol::DeviceAsk;
use crate::control::views::{DeviceName, DeviceView};

/// Conflicts that are shown; the oldest go first.
const CONFLICTS: usize = 256;
/// How long a device is there before it is told as new: by then most have said who they are.
const SETTLED: Span = Span::from_secs(15);
/// New devices that are told in a minute; the others wait for the next one.
const NEW_A_MINUTE: usize = 30;

/// What the keeper knows of devices.
pub struct Shelf {
    pub devices: Devices,
    /// What could not be true, with its moment, oldest first.
    pub conflicts: VecDeque<(Timestamp, Conflict)>,
    /// Those of them that no event tells yet.
    untold: Vec<(Timestamp, Conflict)>,
    /// The newest moment that was taken in.
    at: Timestamp,
    /// The newest device that was told as new.
    told: Option<DeviceId>,
    /// When devices were told last, and how many in that minute.
    telling: (Timestamp, usize),
    /// Events that nobody has taken yet.
    news: Vec<Event>,
}

impl Shelf {
    /// What the store remembers.
    pub fn new(store: &dyn Store) -> Self {
        let devices = Devices::load(store.devices());
        // Whoever was there in the last run is not new.
        let told = devices.records().last().map(|device| device.id);
        let (at, telling) = (Timestamp::EPOCH, (Timestamp::EPOCH, 0));
        let (conflicts, untold, news) = (VecDeque::new(), Vec::new(), Vec::new());
        Self { devices, conflicts, untold, at, told, telling, news }
    }

    /// Takes in what was learnt of a device.
    pub fn learn(&mut self, learnt: Learnt) {
        match learnt {
            Learnt::Said(clue) => {
                let conflict = self.devices.told(&clue);
                self.note(clue.at, conflict);
            }
            Learnt::Called(address, name, at) => self.devices.called(address, &name, at),
            Learnt::Told(_) => {}
        }
    }

    /// Takes in who was there since the last call.
    pub fn see(&mut self, second: &Second) {
        for host in &second.hosts {
            let record = &host.record;
            let Some(mac) = record.mac.filter(|_| record.last_seen > self.at) else { continue };
            // Who invents hosts must not fill the book; one that said something, or that is there for a while, is none of these.
            if host.lasting || self.devices.of_mac(mac).is_some() {
                let host = if host.lasting { record.host } else { HostKey::Mac(mac) };
                let sight = Sight { host, mac, side: record.side, at: record.last_seen };
                let conflict = self.devices.saw(&sight);
                self.note(sight.at, conflict);
            }
        }
        let newest = second.hosts.iter().map(|host| host.record.last_seen).max();
        self.at = self.at.max(newest.unwrap_or_default());
        self.tell_new(second.at);
    }

    /// Tells of devices that were not there before, once they had time to say who they are; not more in a minute than people could read.
    fn tell_new(&mut self, at: Timestamp) {
        if at.minute() != self.telling.0.minute() {
            self.telling = (at, 0);
        }
        let room = NEW_A_MINUTE.saturating_sub(self.telling.1);
        let settled = |device: &&DeviceRecord| at.since(device.first_seen) >= SETTLED;
        let new: Vec<&DeviceRecord> = self.devices.newer(self.told).take_while(settled).take(room).collect();
        let Some(last) = new.last().map(|device| device.id) else { return };
        let count = new.len();
        let events: Vec<Event> = new.into_iter().map(|device| is_new(device, at)).collect();
        self.told = Some(last);
        self.telling.1 += count;
        self.news.extend(events);
    }

    /// The events that were made since the last call.
    pub fn news(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.news)
    }

    fn note(&mut self, at: Timestamp, conflict: Option<Conflict>) {
        let Some(conflict) = conflict else { return };
        tracing::warn!("{conflict}");
        if self.conflicts.len() == CONFLICTS {
            self.conflicts.pop_front();
        }
        self.untold.push((at, conflict.clone()));
        self.conflicts.push_back((at, conflict));
    }

    /// The conflicts since the last call as events: of each the hardware address that does it, and that again where it is an approved
    /// device's that another one may use now.
    pub fn contradictions(&mut self) -> Vec<(Event, Option<MacAddr>)> {
        let untold = std::mem::take(&mut self.untold);
        let event = |(at, conflict): (Timestamp, Conflict)| {
            let mac = match &conflict {
                Conflict::OtherDevice { mac, .. } | Conflict::OtherSide { mac, .. } => Some(*mac),
                Conflict::AddressTaken { by, .. } => self.devices.get(*by).and_then(|by| by.macs.last().copied()),
            };
            let host = HostKey::Mac(mac.unwrap_or_default());
            let said = act(at, None, host, BlockState::Observed, "devices", conflict.to_string());
            let impostor = matches!(conflict, Conflict::OtherDevice { .. }).then_some(mac).flatten();
            (Event { mac, level: ThreatLevel::Medium, ..said }, impostor)
        };
        untold.into_iter().map(event).collect()
    }

    /// Brings to the store what changed.
    pub fn keep(&mut self, store: &mut dyn Store) -> Result<(), store::StoreError> {
        let (changed, gone) = self.devices.changes();
        if changed.is_empty() && gone.is_empty() {
            return Ok(());
        }
        store.put_devices(&changed, &gone).inspect_err(|_| self.devices.unkept(&changed, &gone))
    }

    /// A device by its number, a hardware address, an address or a name.
    pub fn find(&self, which: &str) -> Result<&DeviceRecord, String> {
        let by_number = which.parse::<DeviceId>().ok().and_then(|id| self.devices.get(id));
        let by_mac = which.parse::<MacAddr>().ok().and_then(|mac| self.devices.of_mac(mac));
        let by_address = which.parse::<IpAddr>().ok().and_then(|address| self.devices.of_address(address));
        if let Some(found) = by_number.or(by_mac).or(by_address) {
            return Ok(found);
        }
        let mut named = self.devices.records().filter(|device| device.name().eq_ignore_ascii_case(which));
        match (named.next(), named.next()) {
            (Some(one), None) => Ok(one),
            (Some(_), Some(_)) => Err(format!("more than one device is called {which:?}; name it by its number")),
            _ => Err(format!("no device {which:?} is known; picket devices list shows those that are")),
        }
    }

    fn view(&self, device: &DeviceRecord) -> DeviceView {
        self.view_with(device, &self.devices.suggestions())
    }

    fn view_with(&self, device: &DeviceRecord, suggestions: &[Suggestion]) -> DeviceView {
        let guess = guess(device);
        let returns = suggestions.iter().find(|suggestion| suggestion.fresh == device.id);
        let conflicts = self.conflicts.iter().filter(|(_, conflict)| conflict.device() == device.id);
        DeviceView {
            id: device.id.number(),
            name: device.name(),
            macs: device.macs.iter().map(ToString::to_string).collect(),
            addresses: device.addresses.iter().map(|place| place.address.to_string()).collect(),
            names: device
                .names
                .iter()
                .map(|name| DeviceName { source: name.source.as_str().into(), name: name.text.clone() })
                .collect(),
            vendor: device.vendor(),
            kind: guess.kind.map(|kind| kind.as_str().into()),
            kind_reasons: guess.reasons,
            randomised: device.is_randomised(),
            first_seen: device.first_seen.as_secs_f64(),
            last_seen: device.last_seen.as_secs_f64(),
            side: device.side.as_str().into(),
            state: "new".into(),
            mud_url: device.mud.as_ref().map(|(_, url)| url.clone()),
            owner: device.owner.clone(),
            groups: device.groups.clone(),
            tags: device.tags.clone(),
            notes: device.notes.clone(),
            conflicts: conflicts.map(|(_, conflict)| conflict.to_string()).collect(),
            returns_as: returns.map(|suggestion| suggestion.known.number()),
            returns_reasons: returns.map(|suggestion| suggestion.reasons.clone()).unwrap_or_default(),
        }
    }
}

/// The event of a device that was not there before: its name, its maker, what it probably is.
fn is_new(device: &DeviceRecord, at: Timestamp) -> Event {
    let kind = guess(device).kind.map(|kind| kind.as_str().to_owned());
    let maker = device.vendor().or_else(|| device.is_randomised().then(|| "a hardware address drawn by chance".into()));
    let more: Vec<String> = kind.into_iter().chain(maker).collect();
    let more = if more.is_empty() { String::new() } else { format!(" ({})", more.join(", ")) };
    let mac = device.macs.last().copied();
    let host = device.addresses.last().map_or(HostKey::Mac(mac.unwrap_or_default()), |place| place.address.into());
    let why = format!("a device that was not here before: {}{more}", device.name());
    Event { mac, side: device.side, ..act(at, None, host, BlockState::Observed, "devices:new", why) }
}

impl Book {
    /// Answers what is asked of devices, or does what a person wants done to them.
    pub(super) fn ask_devices(&mut self, ask: &DeviceAsk) -> Response {
        self.learn();
        match self.answer_devices(ask) {
            Ok(response) => response,
            Err(why) => Response::Error(why),
        }
    }

    fn answer_devices(&mut self, ask: &DeviceAsk) -> Result<Response, String> {
        let find =
            |shelf: &Shelf, which: &str| shelf.find(which).map(|device| (device.id, device.macs.last().copied()));
        let said = |error: policy::device::HandError| error.to_string();
        let (id, mac, done) = match ask {
            DeviceAsk::List => {
                let suggestions = self.shelf.devices.suggestions();
                let records = self.shelf.devices.records();
                let mut views: Vec<_> =
                    records.map(|device| self.decided(device, self.shelf.view_with(device, &suggestions))).collect();
                views.sort_by(|a, b| b.last_seen.total_cmp(&a.last_seen));
                return Ok(Response::of(&views));
            }
            DeviceAsk::Show { device } => {
                let device = self.shelf.find(device)?;
                return Ok(Response::of(&self.decided(device, self.shelf.view(device))));
            }
            DeviceAsk::Merge { device, with } => {
                let ((id, mac), (gone, _)) = (find(&self.shelf, device)?, find(&self.shelf, with)?);
                self.shelf.devices.merge(id, gone).map_err(said)?;
                (id, mac, format!("device {gone} was merged into device {id} by hand"))
            }
            DeviceAsk::Split { device, mac } => {
                let (id, _) = find(&self.shelf, device)?;
                let wanted = mac.parse().map_err(|error: terms::ParseMacError| error.to_string())?;
                let fresh = self.shelf.devices.split(id, wanted).map_err(said)?;
                (fresh, Some(wanted), format!("{wanted} was split off device {id} by hand, as device {fresh}"))
            }
            DeviceAsk::Describe { device, said: what, author } => {
                let (id, mac) = find(&self.shelf, device)?;
                let macs = self.shelf.find(device)?.macs.clone();
                // First where it may be refused.
                self.describe_in_policy(&macs, what, author)?;
                self.shelf.devices.describe(id, what).map_err(said)?;
                (id, mac, format!("device {id} was described by hand"))
            }
            DeviceAsk::Forget { device } => {
                let view = self.shelf.view(self.shelf.find(device)?);
                let (id, mac) = find(&self.shelf, device)?;
                self.shelf.devices.forget(id).map_err(said)?;
                self.record_act(mac, format!("device {id} ({}) was forgotten by hand", view.name));
                self.keep_devices();
                return Ok(Response::of(&DeviceView { state: "forgotten".into(), ..view }));
            }
        };
        self.record_act(mac, done);
        self.keep_devices();
        let device = self.shelf.find(&id.to_string())?;
        Ok(Response::of(&self.decided(device, self.shelf.view(device))))
    }

    /// Puts the devices of a backup in place of all.
    pub(super) fn replace_devices(&mut self, devices: Vec<serde_json::Value>) -> Response {
        let read: Result<Vec<DeviceRecord>, _> = devices.into_iter().map(serde_json::from_value).collect();
        match read {
            Ok(records) if records.iter().all(DeviceRecord::is_within_bounds) => {
                let number = records.len();
                self.shelf.devices.replace(records);
                self.shelf.told = self.shelf.devices.records().last().map(|device| device.id);
                self.record_act(None, format!("{number} devices were restored by hand"));
                self.keep_devices();
                Response::of(&number)
            }
            _ => Response::Error("these are no devices as this box keeps them".into()),
        }
    }

    /// The view of a device with what the policy says of it.
    fn decided(&self, device: &DeviceRecord, view: DeviceView) -> DeviceView {
        let Some(known) = self.policies.device(&device.macs) else { return view };
        let owner = if known.owner.is_empty() { view.owner } else { known.owner.clone() };
        DeviceView { state: known.state.as_str().into(), owner, groups: known.groups.clone(), ..view }
    }

    /// Brings what is known of devices to the store.
    pub(super) fn keep_devices(&mut self) {
        let done = self.shelf.keep(self.store.as_mut());
        self.ran(done);
    }

    fn record_act(&mut self, mac: Option<MacAddr>, what: String) {
        let host = HostKey::Mac(mac.unwrap_or_default());
        self.waiting.push_back(act(now(), None, host, BlockState::Observed, "admin", what));
        self.catch_up();
    }
}
