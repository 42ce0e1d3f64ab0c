//! What is usual for each account, learnt in fixed buffers: hours, devices, addresses, files a day. What is not is told with its numbers.
//!
//! **Bounds**: `SUBJECTS_MAX` accounts, the longest silent go; 16 devices and 16 addresses of each. An account has habits once it was
//! seen on `LEARN_DAYS` different days; before that nothing is unusual. Hours are of the day in UTC, each with its neighbours, so that a
//! change to or from daylight-saving time and a clock that is an hour off are no change of habit.

use std::collections::{BTreeMap, HashMap};

use terms::Timestamp;

use crate::activity::{Act, Activity, Outcome, Proof};

/// Accounts that are followed at a time.
pub const SUBJECTS_MAX: usize = 1_024;
/// Devices and addresses that are told apart for each.
pub const PLACES_MAX: usize = 16;
/// Days on which an account must have been seen before anything is unusual.
pub const LEARN_DAYS: u32 = 10;
/// An account that nobody used for so many days was dormant.
const DORMANT_DAYS: u64 = 60;
/// Files a day below which no day is a busy one.
const FEW_FILES: u64 = 200;
/// How many times the busiest day before is unusual.
const TIMES: u64 = 4;
/// Microseconds of a day.
const DAY: u64 = 86_400_000_000;

/// A change of an account's habits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Habit {
    /// It logs in, or takes rights, at an hour at which it never did.
    Hour,
    /// It is used on a device on which it never was.
    Device,
    /// It reads many times more files in a day than ever.
    Volume,
    /// It is used again after a long time.
    Dormant,
}

impl Habit {
    /// The habit of a rule file's word.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        Some(match word {
            "hour" => Self::Hour,
            "device" => Self::Device,
            "volume" => Self::Volume,
            "dormant" => Self::Dormant,
            _ => return None,
        })
    }
}

/// What was learnt of one account.
#[derive(Clone, Debug, Default)]
pub struct Subject {
    /// The devices that told of it.
    pub devices: Vec<String>,
    /// The addresses from which it was used.
    pub addresses: Vec<String>,
    /// Its first record.
    pub first: Timestamp,
    /// Its newest.
    pub last: Timestamp,
    /// Records.
    pub records: u64,
    /// Those of acts that failed.
    pub failed: u64,
    /// Records by what was done.
    pub actions: BTreeMap<Act, u64>,
    /// Log-ins and raised rights by hour of the day, UTC.
    pub hours: [u32; 24],
    /// Days with a record.
    pub days: u32,
    /// The most files that it read on a day before today.
    pub busiest: u64,
    /// Files that it read today.
    pub today: u64,
    /// Whether plain syslog has a part in it.
    pub unproven: bool,
    told_volume: bool,
}

/// Every account's habits.
#[derive(Debug, Default)]
pub struct Habits {
    subjects: HashMap<String, Subject>,
}

impl Habits {
    /// Learns from a record, in the order in which they came, and says what was unusual about it.
    pub fn hear(&mut self, activity: &Activity) -> Vec<Habit> {
        let Some(name) = name_of(activity) else { return Vec::new() };
        if !self.subjects.contains_key(&name) && self.subjects.len() >= SUBJECTS_MAX {
            let oldest = self.subjects.iter().min_by_key(|(_, subject)| subject.last).map(|(name, _)| name.clone());
            oldest.map(|oldest| self.subjects.remove(&oldest));
        }
        self.subjects.entry(name).or_default().hear(activity)
    }

    /// All accounts.
    pub fn all(&self) -> impl Iterator<Item = (&str, &Subject)> {
        self.subjects.iter().map(|(name, subject)| (name.as_str(), subject))
    }
}

/// An enrolled source speaks for its own accounts; the same name on two of them is two accounts until somebody proves otherwise.
fn name_of(activity: &Activity) -> Option<String> {
    let subject = &activity.subject;
    (!subject.is_empty()).then(|| match activity.proof {
        Proof::Enrolled => format!("{subject} on {}", activity.device),
        Proof::Unproven => subject.clone(),
    })
}

impl Subject {
    fn hear(&mut self, activity: &Activity) -> Vec<Habit> {
        let at = activity.at;
        let mut unusual = Vec::new();
        let learnt = self.days >= LEARN_DAYS;
        let done = activity.result == Outcome::Done;
        let used = done && matches!(activity.action, Act::Login | Act::RightsRaised);
        let day = at.micros() / DAY;
        if self.records == 0 {
            (self.first, self.days) = (at, 1);
        } else if day > self.last.micros() / DAY {
            self.days += 1;
            self.busiest = self.busiest.max(self.today);
            (self.today, self.told_volume) = (0, false);
            if used && day - self.last.micros() / DAY >= DORMANT_DAYS {
                unusual.push(Habit::Dormant);
            }
        }
        if used {
            let hour = usize::try_from(at.micros() / 3_600_000_000 % 24).unwrap_or(0);
            let near = [hour, (hour + 23) % 24, (hour + 1) % 24];
            if learnt && near.iter().all(|hour| self.hours[*hour] == 0) {
                unusual.push(Habit::Hour);
            }
            self.hours[hour] = self.hours[hour].saturating_add(1);
        }
        let device = if activity.device.is_empty() { activity.source.to_string() } else { activity.device.clone() };
        if place(&mut self.devices, device) && learnt && used {
            unusual.push(Habit::Device);
        }
        if let Some(address) = activity.address.filter(|_| done) {
            place(&mut self.addresses, address.to_string());
        }
        if done && activity.action == Act::Read {
            self.today += 1;
            if learnt && !self.told_volume && self.today > FEW_FILES.max(self.busiest * TIMES) {
                self.told_volume = true;
                unusual.push(Habit::Volume);
            }
        }
        self.records += 1;
        self.failed += u64::from(activity.result == Outcome::Failed);
        *self.actions.entry(activity.action).or_default() += 1;
        self.unproven |= activity.proof == Proof::Unproven;
        self.last = self.last.max(at);
        unusual
    }
}

/// Adds a place; whether it is a new one. Beyond the bound every place counts as known.
fn place(known: &mut Vec<String>, place: String) -> bool {
    if known.contains(&place) || known.len() >= PLACES_MAX {
        return false;
    }
    known.push(place);
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plain;

    const HOUR: u64 = 3_600;

    fn login(day: u64, hour: u64, host: &str) -> Activity {
        let line = format!("<38>1 - {host} sshd - - - Accepted password for ann from 10.0.0.7 port 9 ssh2");
        plain(line.as_bytes(), [192, 0, 2, 1].into(), Timestamp::from_secs(1_000 * 86_400 + day * 86_400 + hour * HOUR))
            .expect("a record")
    }

    /// Somebody who logs in at nine on three weeks' working days.
    fn regular(shift: u64) -> Habits {
        let mut habits = Habits::default();
        for day in (0..21).filter(|day| day % 7 < 5) {
            assert_eq!(habits.hear(&login(day, 9 + shift, "web")), [], "day {day}");
        }
        habits
    }

    #[test]
    fn the_night_is_unusual_and_a_clock_that_is_an_hour_off_is_not() {
        for shift in [0, 5, 12] {
            assert_eq!(regular(shift).hear(&login(22, (2 + shift) % 24, "web")), [Habit::Hour]);
            assert_eq!(regular(shift).hear(&login(22, 10 + shift, "web")), []);
            assert_eq!(regular(shift).hear(&login(22, 8 + shift, "web")), []);
        }
    }

    #[test]
    fn a_first_use_of_a_server_and_an_account_that_slept_are_told_once() {
        let mut habits = regular(0);
        assert_eq!(habits.hear(&login(22, 9, "payroll")), [Habit::Device]);
        assert_eq!(habits.hear(&login(23, 9, "payroll")), []);
        assert_eq!(habits.hear(&login(90, 9, "web")), [Habit::Dormant]);
        assert_eq!(habits.hear(&login(90, 10, "web")), []);
    }

    #[test]
    fn many_times_more_files_than_ever_are_told_once_a_day() {
        let mut habits = regular(0);
        let read = |habits: &mut Habits, day: u64, files: u64| -> usize {
            let line = b"<13>1 - web smbd_audit - - - ann|10.0.0.7|pread_send|ok|a.txt";
            let at = Timestamp::from_secs((1_000 + day) * 86_400 + 9 * HOUR);
            let one = plain(line, [192, 0, 2, 1].into(), at).expect("a record");
            (0..files).map(|_| habits.hear(&one).len()).sum()
        };
        assert_eq!(read(&mut habits, 22, 150), 0);
        assert_eq!(read(&mut habits, 23, 600), 0);
        assert_eq!(read(&mut habits, 23, 500), 1);
        assert_eq!(read(&mut habits, 24, 3_000), 0, "yesterday there were 1,100");
    }

    #[test]
    fn nothing_is_unusual_before_it_was_learnt_and_memory_is_fixed() {
        let mut habits = Habits::default();
        assert_eq!(habits.hear(&login(0, 9, "web")), []);
        assert_eq!(habits.hear(&login(1, 3, "other")), []);
        let mut one = login(2, 9, "web");
        for n in 0..3 * SUBJECTS_MAX {
            one.subject = format!("s{n}");
            habits.hear(&one);
        }
        assert_eq!(habits.all().count(), SUBJECTS_MAX);
    }
}
