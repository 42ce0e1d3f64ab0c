//! When a rule holds: weekly windows in a time zone.
//!
//! The kernel knows no time of day: what ends goes there as an element with a time to live, so the question asked here is not only
//! whether a schedule is open at a moment but until when.

use core::fmt;

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{Timestamp as Instant, ToSpan};
use terms::Timestamp;

/// Minutes of a day.
const DAY: u16 = 24 * 60;
/// The days by which windows name them, Monday first.
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// A time zone by its name in the IANA database, which the binary carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone {
    name: String,
    zone: TimeZone,
}

/// Some days of each week, from one minute to another; past midnight where the end does not come after the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Window {
    /// Bit 0 is Monday.
    days: u8,
    /// Minutes after midnight.
    from: u16,
    to: u16,
}

/// A time that comes again: each day, or on one day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    /// The day of the week, Monday as 0.
    day: Option<u8>,
    /// Minutes after midnight.
    minute: u16,
}

/// Whether a schedule is open, and until when; nothing where it stays so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opening {
    /// It holds until then.
    Open(Option<Timestamp>),
    /// It does not hold until then.
    Shut(Option<Timestamp>),
}

impl Zone {
    /// Universal time.
    #[must_use]
    pub fn utc() -> Self {
        Self { name: "UTC".into(), zone: TimeZone::UTC }
    }

    /// The zone of this name, as in `Europe/Berlin`; nothing if the database has none.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let zone = TimeZone::get(name).ok()?;
        Some(Self { name: zone.iana_name().unwrap_or(name).to_owned(), zone })
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The moment at which clocks there show this; of a minute that does not exist the one that takes its place.
    fn moment(&self, on: Date, minute: u16) -> Option<Timestamp> {
        let hour = i8::try_from(minute % DAY / 60).ok()?;
        let time = Time::new(hour, i8::try_from(minute % 60).ok()?, 0, 0).ok()?;
        let on = if minute >= DAY { on.tomorrow().ok()? } else { on };
        let zoned = self.zone.to_ambiguous_timestamp(DateTime::from_parts(on, time)).compatible().ok()?;
        u64::try_from(zoned.as_microsecond()).ok().map(Timestamp::from_micros)
    }

    fn day(&self, at: Timestamp) -> Option<Date> {
        let instant = Instant::from_microsecond(i64::try_from(at.micros()).ok()?).ok()?;
        Some(self.zone.to_datetime(instant).date())
    }
}

impl Window {
    /// Reads `mon-fri 08:00-18:00`, `sat,sun 22:00-02:00`, `daily 00:00-24:00`.
    ///
    /// # Errors
    /// In words, what is wrong.
    pub fn read(text: &str) -> Result<Self, String> {
        let (days, times) =
            text.trim().split_once(' ').ok_or("expects days and times, as in \"mon-fri 08:00-18:00\"")?;
        let days = days.split(',').try_fold(0, |all, part| Some(all | run_of_days(part)?));
        let days = days.ok_or("expects days as mon-fri, sat,sun or daily before the times")?;
        let (from, to) = times.trim().split_once('-').ok_or("expects two times, as in 08:00-18:00, behind the days")?;
        let times = minute(from).filter(|m| *m < DAY).zip(minute(to).filter(|m| *m > 0));
        let (from, to) = times.ok_or("expects times from 00:00 to 24:00, as in 08:00-18:00")?;
        if from == to {
            return Err("begins and ends at the same time; a whole day is 00:00-24:00".into());
        }
        Ok(Self { days, from, to })
    }

    /// The times that it is open, from the day before a day to eight days after it.
    fn around<'z>(self, day: Date, zone: &'z Zone) -> impl Iterator<Item = (Timestamp, Timestamp)> + use<'z> {
        (-1..9).filter_map(move |offset: i64| {
            let date = day.checked_add(offset.days()).ok()?;
            let bit = u8::try_from(date.weekday().to_monday_zero_offset()).ok()?;
            let end = if self.to > self.from { self.to } else { self.to + DAY };
            let open = self.days >> bit & 1 == 1;
            open.then(|| zone.moment(date, self.from).zip(zone.moment(date, end)))?
        })
    }
}

impl Turn {
    /// Reads `07:00`, or `mon 07:00`.
    ///
    /// # Errors
    /// In words, what is wrong.
    pub fn read(text: &str) -> Result<Self, String> {
        let (day, time) = match text.trim().split_once(' ') {
            Some((day, time)) => {
                let place = DAYS.iter().position(|known| *known == day.trim());
                let place = place.and_then(|place| u8::try_from(place).ok());
                (Some(place.ok_or("expects a day as mon, tue, wed, thu, fri, sat or sun")?), time)
            }
            None => (None, text),
        };
        let minute = minute(time).filter(|minute| *minute < DAY).ok_or("expects a time from 00:00 to 23:59")?;
        Ok(Self { day, minute })
    }

    /// Whether it comes once a week.
    #[must_use]
    pub const fn is_weekly(self) -> bool {
        self.day.is_some()
    }

    /// When it came last, not after a moment, and the two times before, the newest first.
    #[must_use]
    pub fn last(self, zone: &Zone, at: Timestamp) -> Option<[Timestamp; 3]> {
        let today = zone.day(at)?;
        let mut came = (0..=28_i64).filter_map(|back| {
            let date = today.checked_sub(back.days()).ok()?;
            let weekday = u8::try_from(date.weekday().to_monday_zero_offset()).ok()?;
            let moment = zone.moment(date, self.minute).filter(|moment| *moment <= at)?;
            self.day.is_none_or(|day| day == weekday).then_some(moment)
        });
        Some([came.next()?, came.next()?, came.next()?])
    }
}

/// Whether any of the windows is open at a moment; no windows at all means always.
#[must_use]
pub fn opening(windows: &[Window], zone: &Zone, at: Timestamp) -> Opening {
    if windows.is_empty() {
        return Opening::Open(None);
    }
    let Some(day) = zone.day(at) else { return Opening::Open(None) };
    let mut times: Vec<_> = windows.iter().flat_map(|window| window.around(day, zone)).collect();
    times.sort_unstable();
    let mut until = None;
    for (from, to) in times {
        match until {
            // What follows without a gap goes on with it.
            Some(end) if from <= end => until = Some(to.max(end)),
            Some(_) => break,
            None if from <= at && at < to => until = Some(to),
            None if from > at => return Opening::Shut(Some(from)),
            None => {}
        }
    }
    until.map_or(Opening::Shut(None), |end| Opening::Open(Some(end)))
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let days: Vec<_> = DAYS.iter().enumerate().filter(|(n, _)| self.days >> n & 1 == 1).map(|(_, d)| *d).collect();
        let days = if days.len() == 7 { "daily".to_owned() } else { days.join(",") };
        let time = |minute: u16| format!("{:02}:{:02}", minute / 60, minute % 60);
        write!(f, "{days} {}-{}", time(self.from), time(self.to))
    }
}

/// The bits of `mon`, `mon-fri` (also across the week's end, `fri-mon`) or `daily`.
fn run_of_days(text: &str) -> Option<u8> {
    let day = |name: &str| DAYS.iter().position(|d| *d == name);
    if text == "daily" {
        return Some(0x7f);
    }
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = day(first).zip(day(last))?;
    let count = (last + 7 - first) % 7;
    Some((0..=count).fold(0, |bits, n| bits | 1 << ((first + n) % 7)))
}

/// Minutes after midnight, up to 24:00.
fn minute(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once(':')?;
    let number = |text: &str| text.parse::<u16>().ok().filter(|_| text.len() == 2 && !text.starts_with('+'));
    let (hours, minutes) = number(hours).zip(number(minutes).filter(|m| *m < 60))?;
    Some(hours * 60 + minutes).filter(|minute| *minute <= DAY)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::from_micros(text.parse::<Instant>().unwrap().as_microsecond().unsigned_abs())
    }

    fn asked(windows: &[&str], zone: &str, moment: &str) -> Opening {
        let windows: Vec<_> = windows.iter().map(|w| Window::read(w).unwrap()).collect();
        opening(&windows, &Zone::named(zone).unwrap(), at(moment))
    }

    #[test]
    fn a_window_reads_back_as_written() {
        for text in ["mon,tue,wed 08:00-18:30", "daily 00:00-24:00", "sat,sun 22:00-02:00"] {
            assert_eq!(Window::read(text).unwrap().to_string(), text);
        }
        assert_eq!(Window::read("fri-mon 08:00-09:00").unwrap().to_string(), "mon,fri,sat,sun 08:00-09:00");
    }

    #[test]
    fn what_is_no_window_is_refused() {
        for text in
            ["", "mon", "mon 8:00-18:00", "mon 08:00-24:01", "mon 08:00-08:00", "mo 08:00-09:00", "mon 09:60-10:00"]
        {
            assert!(Window::read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn no_window_means_always() {
        assert_eq!(asked(&[], "UTC", "2026-11-22T12:00:00Z"), Opening::Open(None));
    }

    #[test]
    fn a_window_across_midnight_belongs_to_the_day_on_which_it_begins() {
        let sunday_night = at("2026-11-23T01:00:00Z");
        assert_eq!(
            asked(&["sun 22:00-02:00"], "UTC", "2026-11-23T00:30:00Z"),
            Opening::Open(Some(at("2026-11-23T02:00:00Z")))
        );
        assert!(
            matches!(asked(&["mon 22:00-02:00"], "UTC", "2026-11-23T01:00:00Z"), Opening::Shut(Some(next)) if next > sunday_night)
        );
    }

    #[test]
    fn windows_that_meet_are_one() {
        let two = ["sun 08:00-12:00", "sun 12:00-13:00"];
        assert_eq!(asked(&two, "UTC", "2026-11-22T09:00:00Z"), Opening::Open(Some(at("2026-11-22T13:00:00Z"))));
    }

    #[test]
    fn the_clock_of_the_zone_counts_also_in_the_night_when_it_changes() {
        // In Berlin clocks go from 02:00 to 03:00 on 29 March 2026: 01:00 is 00:00 UTC, 04:00 is 02:00 UTC.
        let open = asked(&["sun 01:00-04:00"], "Europe/Berlin", "2026-03-29T01:30:00Z");
        assert_eq!(open, Opening::Open(Some(at("2026-03-29T02:00:00Z"))));
        assert!(matches!(asked(&["sun 01:00-04:00"], "Europe/Berlin", "2026-03-29T02:30:00Z"), Opening::Shut(_)));
    }

    #[test]
    fn a_turn_comes_at_its_local_time_over_a_change_of_clocks() {
        let zone = Zone::named("Europe/Berlin").expect("a zone");
        let daily = Turn::read("07:00").expect("a turn");
        // 2026-03-29 has 23 hours there, and 2026-10-25 has 25.
        let at = |text: &str| {
            let instant: Instant = text.parse().expect("a time");
            Timestamp::from_micros(u64::try_from(instant.as_microsecond()).expect("late enough"))
        };
        let last = |turn: Turn, now: &str| turn.last(&zone, at(now)).expect("days").map(|moment| moment.secs());
        let [a, b, c] = last(daily, "2026-03-29T05:00:00Z");
        assert_eq!((a, a - b, b - c), (at("2026-03-29T05:00:00Z").secs(), 23 * 3_600, 24 * 3_600));
        assert_eq!(last(daily, "2026-03-29T04:59:59Z")[0], at("2026-03-28T06:00:00Z").secs());
        let [a, b, _] = last(daily, "2026-10-25T12:00:00Z");
        assert_eq!((a, a - b), (at("2026-10-25T06:00:00Z").secs(), 25 * 3_600));
        // Half past two does not exist on that day in March: it comes when clocks have gone on.
        let [a, ..] = last(Turn::read("02:30").expect("a turn"), "2026-03-29T12:00:00Z");
        assert_eq!(a, at("2026-03-29T01:30:00Z").secs());
        let weekly = Turn::read("mon 07:00").expect("a turn");
        let [a, b, c] = last(weekly, "2026-04-01T00:00:00Z");
        assert_eq!(
            [a, b, c],
            ["2026-03-30T05:00:00Z", "2026-03-23T06:00:00Z", "2026-03-16T06:00:00Z"].map(|t| at(t).secs())
        );
        assert!(weekly.is_weekly() && !daily.is_weekly());
        for wrong in ["", "24:00", "7", "monday 07:00", "mon", "mon-fri 07:00"] {
            assert!(Turn::read(wrong).is_err(), "{wrong}");
        }
    }
}
