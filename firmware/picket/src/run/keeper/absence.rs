//! Forgetting: an approved device that was away for so long is new again, and somebody decides anew.
//!
//! What counts is time in which the box runs and sees its network, by a clock that nobody sets: a box in a cupboard, a cable that is out
//! and a wall clock that jumps forget nobody. That a device is there is told by its frames, not by their time.
//!
//! Forgetting takes rights away and never gives any: a device in quarantine or blocked stays so, and where new devices may do everything
//! nobody is forgotten. A device that a rule names, or that has no hardware address here, was meant to stay. It is a version of the
//! policy like any other: told, with its reason, and undone by going back.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use ::policy::{Device, DeviceState, Newcomers, Policy, To, Who};
use serde::{Deserialize, Serialize};
use terms::{MacAddr, Span};

use super::super::api::replace;
use super::Book;
use super::policy::ITSELF;

/// How often the count is written; what is lost with the power is this much of it.
const WRITTEN: Duration = Duration::from_secs(3_600);
/// The longest that counts at once: who was there in a longer gap is not known.
const GAP: Duration = Duration::from_secs(10);

/// Who was there, and when, by the clock of the box's service.
pub(super) struct Absence {
    file: PathBuf,
    after: Span,
    count: Count,
    /// Frames of each hardware address at the last look; nothing before the first.
    frames: Option<BTreeMap<MacAddr, u64>>,
    looked: Instant,
    written: Instant,
}

/// What outlives a restart.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Count {
    /// How long the box was in service.
    ///
    /// **Units**: milliseconds.
    service: u64,
    /// When each approved device was there last, on that clock.
    seen: BTreeMap<String, u64>,
}

impl Absence {
    /// The count of the last run; a file that can't be read counts as none, which only makes it later.
    pub fn open(store: &Path, after: Span) -> Self {
        let file = store.join("policy").join("absence.json");
        let count = fs::read(&file).ok().and_then(|octets| serde_json::from_slice(&octets).ok()).unwrap_or_default();
        let now = Instant::now();
        Self { file, after, count, frames: None, looked: now, written: now }
    }

    /// Another time holds from now on.
    pub fn set_after(&mut self, after: Span) {
        self.after = after;
    }

    /// Takes in who is there: hardware addresses with their frames so far. The devices that were away for too long.
    fn look(&mut self, policy: &Policy, hosts: impl Iterator<Item = (MacAddr, u64)>, passed: Duration) -> Vec<String> {
        let mut now = BTreeMap::<MacAddr, u64>::new();
        hosts.for_each(|(mac, frames)| *now.entry(mac).or_default() += frames);
        let Some(before) = self.frames.replace(now.clone()) else { return Vec::new() };
        let spoke = |(mac, frames): &(MacAddr, u64)| before.get(mac).map_or(*frames > 0, |before| before != frames);
        let there: BTreeSet<MacAddr> = now.into_iter().filter(spoke).map(|(mac, _)| mac).collect();
        if !there.is_empty() {
            self.count.service += passed.min(GAP).as_millis() as u64;
        }
        let (service, named) = (self.count.service, named(policy));
        let may_go = |device: &&Device| {
            device.state == DeviceState::Approved && !device.macs.is_empty() && !named.contains(device.name.as_str())
        };
        let devices = || policy.devices.iter().filter(may_go);
        let mut seen = BTreeMap::new();
        for device in devices() {
            let is_there = device.macs.iter().any(|mac| there.contains(mac));
            let last = self.count.seen.get(&device.name).copied().filter(|_| !is_there).unwrap_or(service);
            seen.insert(device.name.clone(), last);
        }
        self.count.seen = seen;
        let long = self.after.micros() / 1_000;
        let gone = |device: &&Device| self.count.seen.get(&device.name).is_some_and(|last| service - last >= long);
        if long == 0 || policy.newcomers == Newcomers::Everything {
            return Vec::new();
        }
        devices().filter(gone).map(|device| device.name.clone()).collect()
    }

    /// Writes the count, if it is time or at the `end`.
    pub fn keep(&mut self, end: bool) {
        if self.after == Span::ZERO || !(end || self.written.elapsed() >= WRITTEN) {
            return;
        }
        self.written = Instant::now();
        let octets = serde_json::to_vec(&self.count).unwrap_or_default();
        if let Err(error) = replace(&self.file, &octets) {
            tracing::warn!(
                "{}: {error}; who was away is counted from an earlier time after a restart",
                self.file.display()
            );
        }
    }
}

/// Devices that rules name.
fn named(policy: &Policy) -> BTreeSet<&str> {
    let who = policy.rules.iter().flat_map(|rule| &rule.who).filter_map(|who| match who {
        Who::Device(name) => Some(name.as_str()),
        _ => None,
    });
    let to = policy.rules.iter().flat_map(|rule| &rule.to).filter_map(|to| match to {
        To::Device(name) => Some(name.as_str()),
        _ => None,
    });
    who.chain(to).collect()
}

impl Book {
    /// Each second: counts who is away, and has the policy forget who was for too long.
    pub(super) fn watch_absence(&mut self) {
        let passed = std::mem::replace(&mut self.absence.looked, Instant::now()).elapsed();
        let Some(policy) = self.policies.for_good().filter(|_| self.absence.after > Span::ZERO) else { return };
        let hosts = self.second.hosts.iter().filter_map(|host| Some((host.record.mac?, host.frames)));
        let gone = self.absence.look(policy, hosts, passed);
        self.absence.keep(false);
        if gone.is_empty() {
            return;
        }
        let mut forgetful = policy.clone();
        for device in forgetful.devices.iter_mut().filter(|device| gone.contains(&device.name)) {
            device.state = DeviceState::New;
        }
        let why = format!(
            "{} away for {} of the box's service: new again until somebody decides",
            gone.join(", "),
            crate::config::duration::glance(self.absence.after)
        );
        if let Err(error) = self.put_changed("forget", &forgetful, ITSELF, why) {
            tracing::warn!("devices that were away too long are approved still: {error}");
            // Not again each second.
            self.absence.count.seen.retain(|name, _| !gone.contains(name));
        }
        self.absence.keep(true);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const THERE: MacAddr = MacAddr::new([2, 0, 0, 0, 0, 9]);
    const DAY: Span = Span::from_secs(86_400);

    fn policy(new: &str) -> Policy {
        let mut text = format!("posture = \"enforce\"\nnew = \"{new}\"\n");
        for (n, state) in ["approved", "approved", "quarantined", "blocked", "new"].into_iter().enumerate() {
            text += &format!("[[device]]\nname = \"d{n}\"\nmacs = [\"02:00:00:00:00:0{n}\"]\nstate = \"{state}\"\n");
        }
        text += "[[device]]\nname = \"far\"\naddresses = [\"10.0.0.1\"]\nstate = \"approved\"\n\
                 [[device]]\nname = \"door\"\nmacs = [\"02:00:00:00:00:0a\"]\nstate = \"approved\"\n\
                 [[allow]]\nname = \"a\"\nwho = \"door\"\nto = \"internet\"\n";
        ::policy::text::read(&text).expect("a policy")
    }

    fn absence(folder: &Path) -> Absence {
        fs::create_dir_all(folder.join("policy")).expect("a folder");
        Absence::open(folder, DAY)
    }

    /// Seconds of service, in which somebody and these devices are there.
    fn serve(absence: &mut Absence, policy: &Policy, secs: u64, there: &[u8]) -> Vec<String> {
        let mut gone = Vec::new();
        for _ in 0..secs / GAP.as_secs() {
            let frames = absence.frames.iter().flatten().map(|(_, frames)| *frames).max().unwrap_or(0) + 1;
            let macs = there.iter().map(|n| MacAddr::new([2, 0, 0, 0, 0, *n])).chain([THERE]);
            gone = absence.look(policy, macs.map(|mac| (mac, frames)), GAP);
            if !gone.is_empty() {
                break;
            }
        }
        gone
    }

    #[test]
    fn who_is_away_too_long_is_named_unless_a_rule_names_it_or_it_has_no_rights_to_lose() {
        let (folder, policy) = (tempfile::tempdir().expect("a folder"), policy("starter"));
        let mut absence = absence(folder.path());
        assert_eq!(serve(&mut absence, &policy, DAY.secs(), &[0]), [] as [&str; 0], "from when it was known first");
        assert_eq!(serve(&mut absence, &policy, 60, &[0]), ["d1"]);
        assert_eq!(serve(&mut absence, &policy, 60, &[0, 1]), [] as [&str; 0], "it came back");
    }

    #[test]
    fn where_new_devices_may_do_everything_nobody_gains_by_being_forgotten() {
        let (folder, policy) = (tempfile::tempdir().expect("a folder"), policy("everything"));
        assert_eq!(serve(&mut absence(folder.path()), &policy, 3 * DAY.secs(), &[]), [] as [&str; 0]);
    }

    #[test]
    fn time_without_a_network_and_gaps_do_not_count_and_a_restart_goes_on() {
        let (folder, policy) = (tempfile::tempdir().expect("a folder"), policy("starter"));
        let mut absence = absence(folder.path());
        serve(&mut absence, &policy, DAY.secs() / 2, &[]);
        let half = absence.count.clone();
        for _ in 0..100_000 {
            assert_eq!(absence.look(&policy, [(THERE, 1)].into_iter().take(0), GAP), [] as [&str; 0]);
        }
        assert_eq!(absence.count, half, "nobody is there");
        absence.look(&policy, [(THERE, 5)].into_iter(), Duration::from_secs(10 * 86_400));
        assert_eq!(absence.count.service, half.service + GAP.as_millis() as u64, "a gap");
        absence.keep(true);
        let mut again = Absence::open(folder.path(), DAY);
        assert_eq!(again.count, absence.count);
        assert_eq!(serve(&mut again, &policy, DAY.secs() / 2 + 60, &[0]), ["d1"]);
    }
}
