//! Every store gives the same answers.
#![allow(clippy::unwrap_used, reason = "a test fails where it unwraps")]

mod common;

use common::{Fixture, at, block, device, event, flow, host, host_record, minute};
use policy::Block;
use policy::device::DeviceId;
use proptest::prelude::*;
use store::{
    Counters, EVENTS_AT_MOST, Event, EventQuery, FEEDBACK_AT_MOST, Feedback, FoundEvents, Limits, MemoryStore, Minute,
    Store, StoreError,
};
use terms::{BlockState, Family, HostKey, Span, ThreatLevel};

/// Runs a test on each kind of store.
fn on_both(test: impl Fn(&mut dyn Store)) {
    test(&mut MemoryStore::new(Limits::default()));
    test(&mut Fixture::new().open());
}

#[test]
fn events_are_numbered_in_the_order_of_appending() {
    on_both(|store| {
        for n in 1..=5 {
            assert_eq!(store.append_event(event(n)).unwrap(), n);
        }
        let ids = |events: Vec<Event>| events.iter().map(|e| e.id).collect::<Vec<_>>();
        assert_eq!(ids(store.events(3, None).unwrap()), [3, 4, 5]);
        assert_eq!(ids(store.events(3, Some(3)).unwrap()), [1, 2]);
        assert_eq!(ids(store.events(0, None).unwrap()), [0_u64; 0]);
        assert_eq!(store.event(4).unwrap(), Some(Event { id: 4, ..event(4) }));
        assert_eq!(store.event(6).unwrap(), None);
        assert_eq!(store.event(0).unwrap(), None);
    });
}

/// All events that are found, page by page, oldest first.
fn found(store: &dyn Store, query: &EventQuery, limit: usize) -> Vec<Event> {
    let (mut all, mut before) = (Vec::new(), None);
    loop {
        let page = store.find_events(query, limit, before).unwrap();
        assert!(page.events.len() <= limit && page.looked_at >= page.events.len());
        assert!(
            page.next.is_none_or(|next| before.is_none_or(|before| next < before)),
            "each page goes on further back"
        );
        all.splice(0..0, page.events);
        match page.next {
            Some(next) => before = Some(next),
            None => return all,
        }
    }
}

#[test]
fn events_are_found_by_what_is_asked_of_them() {
    on_both(|store| {
        let families = [None, Some(Family::ArpScan), Some(Family::DnsTunnel)];
        let levels = [ThreatLevel::Safe, ThreatLevel::Medium, ThreatLevel::High, ThreatLevel::Medium];
        for n in 1..=900 {
            let host = host((n % 50) as u8);
            let mac = if n % 7 == 0 { None } else { event(n % 30).mac };
            let (family, level) = (families[n as usize % 3], levels[n as usize % 4]);
            store.append_event(Event { host, mac, family, level, ..event(n) }).unwrap();
        }
        assert!(store.set_event_state(3, BlockState::Blocked).unwrap());
        let all = store.events(EVENTS_AT_MOST, None).unwrap();
        let mac = HostKey::Mac(event(4).mac.unwrap());
        let any = EventQuery::default;
        let is_mac = |event: &Event| event.mac.map(HostKey::Mac) == Some(mac);
        let threat = |event: &Event| event.family.is_some() && event.level != ThreatLevel::Safe;
        let expect = |query: EventQuery, is: &dyn Fn(&Event) -> bool| {
            let expected: Vec<Event> = all.iter().filter(|event| is(event)).cloned().collect();
            assert_eq!(found(store, &query, 7), expected, "{query:?}");
            assert_eq!(found(store, &query, 1_000), expected, "{query:?}");
        };
        expect(any(), &|_| true);
        expect(EventQuery { host: Some(host(9)), ..any() }, &|event| event.host == host(9));
        expect(EventQuery { host: Some(host(77)), ..any() }, &|_| false);
        expect(EventQuery { host: Some(mac), ..any() }, &is_mac);
        let among = Some(vec![mac, host(9)]);
        expect(EventQuery { among: among.clone(), ..any() }, &|event| is_mac(event) || event.host == host(9));
        expect(EventQuery { among, host: Some(host(4)), ..any() }, &|event| event.host == host(4) && is_mac(event));
        expect(EventQuery { among: Some(Vec::new()), ..any() }, &|_| false);
        expect(EventQuery { state: Some(BlockState::Blocked), ..any() }, &|event| event.id == 3);
        expect(EventQuery { level: Some(ThreatLevel::High), ..any() }, &|event| event.level == ThreatLevel::High);
        let family = Some(Family::DnsTunnel);
        expect(EventQuery { family, ..any() }, &|event| event.family == family);
        expect(EventQuery { threats: true, ..any() }, &threat);
        expect(EventQuery { since: Some(at(60 * 800)), ..any() }, &|event| event.at >= at(60 * 800));
        assert_eq!(store.find_events(&any(), 0, None).unwrap(), FoundEvents::default());
    });
}

#[test]
fn events_are_told_on_from_a_number() {
    on_both(|store| {
        assert_eq!(store.events_after(0, 9).unwrap(), []);
        for n in 1..=600 {
            store.append_event(event(n)).unwrap();
        }
        let told = |store: &dyn Store, after, limit| -> Vec<u64> {
            store.events_after(after, limit).unwrap().iter().map(|e| e.id).collect()
        };
        let ids = |after, limit| told(store, after, limit);
        assert_eq!(ids(0, 3), [1, 2, 3]);
        assert_eq!(ids(170, 200), (171..=370).collect::<Vec<_>>());
        assert_eq!(ids(599, 9), [600]);
        assert_eq!((ids(600, 9), ids(u64::MAX, 9), ids(4, 0)), (vec![], vec![], vec![]));
        store.retain(at(40 * 86_400)).unwrap();
        assert_eq!(
            told(store, 0, 9).first().copied(),
            store.events(1_000, None).unwrap().first().map(|event| event.id)
        );
    });
}

#[test]
fn an_event_is_confirmed_later() {
    on_both(|store| {
        let id = store.append_event(event(1)).unwrap();
        assert!(store.set_event_state(id, BlockState::Confirmed).unwrap());
        assert!(!store.set_event_state(id + 1, BlockState::Confirmed).unwrap());
        assert_eq!(store.event(id).unwrap().unwrap().state, BlockState::Confirmed);
        assert_eq!(store.events(9, None).unwrap()[0].state, BlockState::Confirmed);
    });
}

#[test]
fn an_event_is_cut_to_its_bounds() {
    on_both(|store| {
        let mut long = event(1);
        long.why = "x".repeat(100_000);
        long.frames = vec![store::EvidenceFrame { at: at(1), len: 9_000, octets: vec![7; 9_000] }; 100];
        long.evidence = vec![("y".repeat(5_000), 1.0); 100];
        long.features = vec![("f".repeat(2_000), 0.0); 10_000];
        let id = store.append_event(long).unwrap();
        let kept = store.event(id).unwrap().unwrap();
        assert_eq!((kept.why.len(), kept.frames.len(), kept.frames[0].octets.len()), (1_024, 32, 128));
        assert_eq!((kept.evidence.len(), kept.evidence[0].0.len(), kept.features.len()), (64, 1_024, 128));
        assert_eq!(kept.frames[0].len, 9_000, "the length on the wire is kept");
    });
}

#[test]
fn one_question_has_a_bounded_answer() {
    on_both(|store| {
        for n in 1..=1_100 {
            store.append_event(event(n)).unwrap();
        }
        let newest = store.events(usize::MAX, None).unwrap();
        assert_eq!((newest.len(), newest[0].id, newest[999].id), (EVENTS_AT_MOST, 101, 1_100));
    });
}

#[test]
fn a_host_has_one_block() {
    on_both(|store| {
        store.put_block(&block(1, 10)).unwrap();
        store.put_block(&block(2, 10)).unwrap();
        store.put_block(&block(1, 20)).unwrap();
        assert_eq!(store.blocks(), [block(1, 20), block(2, 10)]);
        assert!(store.remove_block(host(1)).unwrap());
        assert!(!store.remove_block(host(1)).unwrap());
        assert_eq!(store.blocks(), [block(2, 10)]);
    });
}

#[test]
fn of_an_event_the_last_thing_said_is_kept() {
    on_both(|store| {
        let said =
            |id, secs, right| Feedback { at: at(secs), right, until: at(secs + 5), event: Event { id, ..event(3) } };
        store.put_feedback(said(7, 1, true)).unwrap();
        store.put_feedback(said(7, 2, false)).unwrap();
        store.put_feedback(said(3, 3, false)).unwrap();
        let kept = store.feedback();
        assert_eq!(kept.iter().map(|f| (f.event.id, f.right)).collect::<Vec<_>>(), [(3, false), (7, false)]);
        assert!(kept[0].event.frames.is_empty() && !kept[0].event.features.is_empty());
        assert!(store.remove_feedback(7).unwrap());
        assert!(!store.remove_feedback(7).unwrap());
        for id in 0..FEEDBACK_AT_MOST as u64 {
            store.put_feedback(said(100 + id, 10 + id, true)).unwrap();
        }
        let kept = store.feedback();
        assert_eq!((kept.len(), kept[0].event.id), (FEEDBACK_AT_MOST, 3), "what quiets somebody stays");
        assert_eq!(kept[1].event.id, 101, "the first to expire goes first");
    });
}

#[test]
fn a_device_has_one_record_and_goes_when_it_is_forgotten() {
    on_both(|store| {
        store.put_devices(&[device(2, "b"), device(1, "a")], &[]).unwrap();
        store.put_devices(&[device(2, "c")], &[DeviceId::of(9)]).unwrap();
        assert_eq!(store.devices(), [device(1, "a"), device(2, "c")]);
        store.put_devices(&[], &[DeviceId::of(1)]).unwrap();
        assert_eq!(store.devices(), [device(2, "c")]);
    });
}

#[test]
fn minutes_are_told_by_host_and_range() {
    on_both(|store| {
        store.append_minutes(&[minute(11, 1), minute(10, 1), minute(10, 2)]).unwrap();
        store.append_minutes(&[]).unwrap();
        store.append_minutes(&[minute(12, 1)]).unwrap();
        assert_eq!(store.minutes(host(1), 10..12).unwrap(), [minute(10, 1), minute(11, 1)]);
        assert_eq!(store.minutes(host(2), 0..u64::MAX).unwrap(), [minute(10, 2)]);
        assert_eq!(store.minutes(host(3), 0..u64::MAX).unwrap(), []);
    });
}

#[test]
fn flows_are_told_newest_first_in_lots_of_a_minute() {
    on_both(|store| {
        store.append_flows(&[flow(10, 1), flow(10, 2), flow(11, 3)]).unwrap();
        store.append_flows(&[flow(12, 4)]).unwrap();
        let lots = store.flows(None, 2).unwrap();
        assert_eq!(lots, [(3, vec![flow(12, 4)]), (2, vec![flow(11, 3)])]);
        assert_eq!(store.flows(Some(2), 1).unwrap(), [(1, vec![flow(10, 1), flow(10, 2)])]);
        assert_eq!(store.flows(Some(1), 9).unwrap(), []);
        assert_eq!(store.next_flows().unwrap(), 4);
        store.retain(at(40 * 86_400)).unwrap();
        assert_eq!(store.flows(None, 9).unwrap(), []);
        assert_eq!(store.next_flows().unwrap(), 4, "numbers are not used again");
        store.append_flows(&[flow(99_999, 5)]).unwrap();
        assert_eq!(store.flows(None, 9).unwrap(), [(4, vec![flow(99_999, 5)])]);
    });
}

#[test]
fn a_host_keeps_its_first_sight() {
    on_both(|store| {
        store.put_hosts(&[host_record(1, 100)]).unwrap();
        store.put_hosts(&[host_record(1, 200), host_record(2, 200)]).unwrap();
        let hosts = store.hosts();
        assert_eq!((hosts[0].first_seen, hosts[0].last_seen), (at(100), at(200)));
        assert_eq!(hosts[1], host_record(2, 200));
    });
}

#[test]
fn old_history_and_hosts_go_and_numbers_are_not_used_again() {
    on_both(|store| {
        let day = 86_400;
        store.append_event(event(1)).unwrap();
        store.append_event(Event { at: at(20 * day), ..event(2) }).unwrap();
        store.append_minutes(&[minute(1, 1), minute(20 * 1_440, 1)]).unwrap();
        store.append_counters(&Counters { minute: 1, ..Counters::default() }).unwrap();
        store.put_hosts(&[host_record(1, 1), host_record(2, 20 * day)]).unwrap();
        store.put_block(&block(1, 5)).unwrap();
        let gone = store.retain(at(40 * day)).unwrap();
        assert_eq!((gone.history, gone.hosts, gone.more), (3, 1, false));
        assert_eq!(store.events(9, None).unwrap().len(), 1);
        assert_eq!(store.minutes(host(1), 0..u64::MAX).unwrap().len(), 1);
        assert_eq!(store.counters(0..u64::MAX).unwrap(), []);
        assert_eq!(store.hosts(), [host_record(2, 20 * day)]);
        assert_eq!(store.blocks().len(), 1, "a block goes only when it is removed");
        store.retain(at(400 * day)).unwrap();
        assert_eq!(store.append_event(event(3)).unwrap(), 3);
    });
}

#[test]
fn a_clock_before_the_limit_removes_nothing() {
    on_both(|store| {
        store.append_event(Event { at: at(0), ..event(1) }).unwrap();
        assert_eq!(store.retain(at(5)).unwrap().history, 0);
    });
}

#[test]
fn a_closed_store_says_so() {
    on_both(|store| {
        store.append_event(event(1)).unwrap();
        store.close().unwrap();
        assert!(matches!(store.append_event(event(2)), Err(StoreError::Closed)));
        assert!(matches!(store.events(1, None), Err(StoreError::Closed)));
        assert!(matches!(store.tick(), Err(StoreError::Closed)));
        assert!(matches!(store.remove_block(host(1)), Err(StoreError::Closed)));
    });
}

#[derive(Clone, Debug)]
enum Act {
    Event(u64),
    Burst,
    State(u64),
    Put(Block),
    Remove(HostKey),
    Minutes(Vec<Minute>),
    Counters(u64),
    Host(u8, u64),
    Said(u64, u64),
    Unsaid(u64),
    Device(u32, String),
    Flows(u64, u8),
    Reopen,
    Tick,
}

fn act() -> impl Strategy<Value = Act> {
    let level = |n: u8| [ThreatLevel::Safe, ThreatLevel::Medium, ThreatLevel::High][usize::from(n % 3)];
    prop_oneof![
        8 => (1..3_000_u64).prop_map(Act::Event),
        1 => Just(Act::Burst),
        2 => (0..200_u64).prop_map(Act::State),
        2 => (0..9_u8, 1..99_u64).prop_map(|(n, s)| Act::Put(Block { lasts: Span::from_secs(s), ..block(n, s) })),
        1 => (0..9_u8).prop_map(|n| Act::Remove(host(n))),
        3 => prop::collection::vec((0..50_u64, 0..9_u8), 0..40)
            .prop_map(move |m| Act::Minutes(m.into_iter().map(|(t, n)| Minute { level: level(n), ..minute(t, n) }).collect())),
        2 => (0..50_u64).prop_map(Act::Counters),
        3 => (0..9_u8, 0..2_000_u64).prop_map(|(n, t)| Act::Host(n, t)),
        2 => (0..9_u64, 0..2_000_u64).prop_map(|(id, t)| Act::Said(id, t)),
        1 => (0..9_u64).prop_map(Act::Unsaid),
        2 => (0..9_u32, "[a-z]{0,9}").prop_map(|(n, name)| Act::Device(n, name)),
        2 => (0..50_u64, 1..9_u8).prop_map(|(minute, n)| Act::Flows(minute, n)),
        1 => Just(Act::Reopen),
        1 => Just(Act::Tick),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn the_store_on_flash_answers_as_the_one_in_memory(acts in prop::collection::vec(act(), 1..80)) {
        let fixture = Fixture::new();
        let mut flash = fixture.open();
        let mut memory = MemoryStore::new(Limits::default());
        let mut told = 0;
        for act in acts {
            match act {
                // The one in memory keeps a thousand events.
                Act::Event(_) | Act::Burst if told + 130 > 1_000 => {}
                Act::Event(n) => {
                    told += 1;
                    prop_assert_eq!(flash.append_event(event(n)).unwrap(), memory.append_event(event(n)).unwrap());
                }
                // long enough to be sealed
                Act::Burst => {
                    told += 130;
                    for n in 0..130 {
                        let features = (0..128).map(|v| (format!("feature {v} of {n}"), (v * n) as f32)).collect();
                        let long = Event { features, ..event(n) };
                        prop_assert_eq!(flash.append_event(long.clone()).unwrap(), memory.append_event(long).unwrap());
                    }
                }
                Act::State(id) => prop_assert_eq!(
                    flash.set_event_state(id, BlockState::Blocked).unwrap(),
                    memory.set_event_state(id, BlockState::Blocked).unwrap()
                ),
                Act::Put(block) => {
                    flash.put_block(&block).unwrap();
                    memory.put_block(&block).unwrap();
                }
                Act::Remove(host) => prop_assert_eq!(flash.remove_block(host).unwrap(), memory.remove_block(host).unwrap()),
                Act::Minutes(minutes) => {
                    flash.append_minutes(&minutes).unwrap();
                    memory.append_minutes(&minutes).unwrap();
                }
                Act::Counters(minute) => {
                    let counters = Counters { minute, ..Counters::default() };
                    flash.append_counters(&counters).unwrap();
                    memory.append_counters(&counters).unwrap();
                }
                Act::Host(n, t) => {
                    flash.put_hosts(&[host_record(n, t)]).unwrap();
                    memory.put_hosts(&[host_record(n, t)]).unwrap();
                }
                Act::Said(id, t) => {
                    let event = Event { id, ..event(t) };
                    let said = Feedback { at: at(t), right: t % 2 == 0, until: at(t + 60), event };
                    flash.put_feedback(said.clone()).unwrap();
                    memory.put_feedback(said).unwrap();
                }
                Act::Unsaid(id) => {
                    prop_assert_eq!(flash.remove_feedback(id).unwrap(), memory.remove_feedback(id).unwrap());
                }
                Act::Device(n, name) => {
                    flash.put_devices(&[device(n, &name)], &[DeviceId::of(n + 1)]).unwrap();
                    memory.put_devices(&[device(n, &name)], &[DeviceId::of(n + 1)]).unwrap();
                }
                Act::Flows(minute, n) => {
                    let flows: Vec<_> = (0..n).map(|n| flow(minute, n)).collect();
                    flash.append_flows(&flows).unwrap();
                    memory.append_flows(&flows).unwrap();
                }
                Act::Reopen => {
                    flash.close().unwrap();
                    drop(flash);
                    flash = fixture.open();
                }
                Act::Tick => prop_assert_eq!(flash.tick().unwrap(), None),
            }
        }
        prop_assert_eq!(flash.events(1_000, None).unwrap(), memory.events(1_000, None).unwrap());
        prop_assert_eq!(flash.events(7, Some(20)).unwrap(), memory.events(7, Some(20)).unwrap());
        let blocked = EventQuery { state: Some(BlockState::Blocked), ..EventQuery::default() };
        prop_assert_eq!(found(&flash, &blocked, 5), found(&memory, &blocked, 5));
        prop_assert_eq!(flash.events_after(9, 20).unwrap(), memory.events_after(9, 20).unwrap());
        prop_assert_eq!(flash.blocks(), memory.blocks());
        prop_assert_eq!(flash.hosts(), memory.hosts());
        prop_assert_eq!(flash.feedback(), memory.feedback());
        prop_assert_eq!(flash.devices(), memory.devices());
        prop_assert_eq!(flash.counters(5..40).unwrap(), memory.counters(5..40).unwrap());
        prop_assert_eq!(flash.flows(None, 20).unwrap(), memory.flows(None, 20).unwrap());
        for n in 0..9 {
            prop_assert_eq!(flash.minutes(host(n), 3..45).unwrap(), memory.minutes(host(n), 3..45).unwrap());
        }
        prop_assert_eq!(flash.figures().unreadable, 0);
    }
}
