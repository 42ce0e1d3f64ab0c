use store::{Limits, MemoryStore};
use terms::{HostKey, Side, ThreatLevel};

use super::*;

fn mac(n: u32) -> MacAddr {
    let [a, b, c, d] = n.to_be_bytes();
    MacAddr::new([2, 0, a, b, c, d])
}

fn talk(n: u32, port: u16, secs: u64, octets: [u64; 2]) -> Talk {
    let at = Timestamp::from_secs(secs);
    let mut talk = Talk::begun(mac(n), ([10, 0, 0, 5].into(), [203, 0, 113, 7].into()), Side::Lan, (6, port), at);
    talk.octets = octets;
    talk
}

fn trends(folder: &Path) -> Trends {
    Trends::open(folder, &MemoryStore::new(Limits::default()))
}

fn named(mac: MacAddr) -> (String, Option<u32>) {
    (mac.to_string(), None)
}

fn series(trends: &Trends, reach: Reach, topic: Topic, secs: u64) -> SeriesView {
    trends.series(reach, topic, Timestamp::from_secs(secs), &named)
}

const DAY: u64 = 86_400;
const NOW: u64 = 20_000 * DAY + 7_200;

#[test]
fn what_is_carried_stands_at_its_time_in_every_reach() {
    let folder = tempfile::tempdir().unwrap();
    let mut trends = trends(folder.path());
    for secs in [NOW - 40 * DAY, NOW - 3 * DAY, NOW - 3_000, NOW] {
        trends.carry(&talk(1, 443, secs, [10, 100]));
        trends.carry(&talk(2, 53, secs, [1, 2]));
    }
    // The last point of the longer ones holds the hour before as well.
    for (reach, points, total, last) in [
        (Reach::Hour, 60, 220, 100),
        (Reach::Day, 288, 220, 100),
        (Reach::Week, 168, 330, 100),
        (Reach::Month, 248, 330, 200),
        (Reach::Year, 183, 440, 200),
    ] {
        let told = series(&trends, reach, Topic::Devices, NOW);
        let first = &told.lines[0];
        assert_eq!((told.points, told.lines.len(), first.total), (points, 2, total), "{reach:?}");
        assert_eq!((first.sent.len(), first.received.last().copied()), (points, Some(last)), "{reach:?}");
        assert!(told.from <= NOW as f64 && told.from + (told.step * points as u64) as f64 > NOW as f64);
    }
    let services = series(&trends, Reach::Hour, Topic::Services, NOW);
    assert_eq!(services.lines.iter().map(|line| line.name.as_str()).collect::<Vec<_>>(), ["tcp/443", "tcp/53"]);
}

#[test]
fn whatever_crosses_the_box_memory_does_not_grow_and_nothing_is_lost_from_the_sum() {
    let folder = tempfile::tempdir().unwrap();
    let mut trends = trends(folder.path());
    for minute in 0..3_000_u64 {
        for n in 0..40 {
            trends.carry(&talk(n, n as u16, NOW + minute * 60, [1, 1]));
        }
    }
    for n in 0..20_000 {
        trends.carry(&talk(n, 1, NOW + 3_000 * 60, [1, 1]));
    }
    let later = NOW + 3_000 * 60;
    assert!(trends.minutes.all().count() <= 1_440 && trends.hours.all().count() <= 744);
    let told = series(&trends, Reach::Hour, Topic::Devices, later);
    assert_eq!(told.lines.len(), LINES + 1);
    assert_eq!(told.lines.last().unwrap().name, "other");
    let sum: u64 = told.lines.iter().map(|line| line.total).sum();
    assert_eq!(sum, 59 * 40 * 2 + 20_000 * 2);
    // Who comes after all the others and says much is not among them.
    trends.carry(&talk(77_777, 1, later, [500, 500]));
    assert_eq!(series(&trends, Reach::Hour, Topic::Devices, later).lines[0].name, mac(77_777).to_string());
    let text = serde_json::to_vec(&trends.minutes.closed()).unwrap();
    assert!(text.len() < 12 << 20, "{}", text.len());
}

#[test]
fn a_restart_loses_nothing_and_a_damaged_file_begins_anew() {
    let folder = tempfile::tempdir().unwrap();
    let mut before = trends(folder.path());
    before.carry(&talk(1, 443, NOW - 3_000, [10, 100]));
    let event = Event {
        at: Timestamp::from_secs(NOW - 60),
        host: HostKey::V4([10, 0, 0, 5].into()),
        level: ThreatLevel::High,
        family: terms::Family::ALL.first().copied(),
        ..crate::run::event::act(
            Timestamp::from_secs(NOW - 60),
            None,
            HostKey::V4([10, 0, 0, 5].into()),
            terms::BlockState::Observed,
            "a test",
            String::new(),
        )
    };
    before.find(&event);
    before.keep(Timestamp::from_secs(NOW), true);
    let after = trends(folder.path());
    for topic in Topic::ALL {
        assert_eq!(series(&after, Reach::Day, topic, NOW), series(&before, Reach::Day, topic, NOW));
    }
    let levels = series(&after, Reach::Day, Topic::Levels, NOW);
    assert_eq!((levels.lines[0].name.as_str(), levels.lines[0].total, levels.unit.as_str()), ("HIGH", 1, "findings"));
    assert_eq!(series(&after, Reach::Day, Topic::Sources, NOW).lines[0].name, "10.0.0.5");

    let file = folder.path().join("trends");
    let octets = std::fs::read(&file).unwrap();
    std::fs::write(&file, &octets[..octets.len() / 2]).unwrap();
    assert_eq!(series(&trends(folder.path()), Reach::Day, Topic::Devices, NOW).lines, []);
}

#[test]
fn what_was_not_written_comes_back_from_the_flows_of_the_store_and_not_twice() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = MemoryStore::new(Limits::default());
    let mut before = Trends::open(folder.path(), &store);
    let flow = |secs: u64| ::policy::Flow {
        mac: mac(1),
        lan: [10, 0, 0, 5].into(),
        far: [203, 0, 113, 7].into(),
        inbound: false,
        asked: ::policy::Asked::port(6, 443),
        names: Vec::new(),
        first: Timestamp::from_secs(secs),
        last: Timestamp::from_secs(secs),
        count: 1,
        octets: [10, 100],
    };
    before.carry(&talk(1, 443, NOW - 600, [10, 100]));
    before.keep(Timestamp::from_secs(NOW - 540), true);
    store.append_flows(&[flow(NOW - 600), flow(NOW - 300)]).unwrap();
    let after = Trends::open(folder.path(), &store);
    assert_eq!(series(&after, Reach::Hour, Topic::Devices, NOW).lines[0].total, 220);
}

#[test]
fn a_clock_that_is_set_back_by_years_takes_what_it_counted_wrongly() {
    let folder = tempfile::tempdir().unwrap();
    let mut trends = trends(folder.path());
    trends.carry(&talk(1, 443, NOW + 3_000 * DAY, [10, 100]));
    trends.carry(&talk(1, 443, NOW, [1, 1]));
    assert_eq!(series(&trends, Reach::Year, Topic::Devices, NOW).lines[0].total, 2);
}
