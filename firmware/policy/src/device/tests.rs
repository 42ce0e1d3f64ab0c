//! Facts about the book: who is whom, what contradicts, what people do.

use core::net::IpAddr;

use proptest::prelude::*;
use terms::{HostKey, MacAddr, Side, Timestamp};

use super::*;

const PHONE: MacAddr = MacAddr::new([0xda, 0xa1, 0x19, 0, 0, 1]);
const FRESH: MacAddr = MacAddr::new([0xda, 0xa1, 0x19, 0, 0, 2]);
const CAMERA: MacAddr = MacAddr::new([0xb8, 0x27, 0xeb, 0, 0, 1]);

fn at(secs: u64) -> Timestamp {
    Timestamp::from_secs(1_000_000 + secs)
}

fn sight(mac: MacAddr, host: &str, secs: u64) -> Sight {
    Sight { host: host.parse().unwrap(), mac, side: Side::Lan, at: at(secs) }
}

fn clue(mac: MacAddr, secs: u64, says: Says) -> Clue {
    Clue { mac, side: Side::Lan, at: at(secs), says }
}

fn name(text: &str) -> Says {
    Says::Name(NameSource::Dhcp, text.into())
}

fn asks(parameters: &[u8]) -> Says {
    Says::Fingerprint(parameters.into(), "udhcp 1".into())
}

/// A phone that was given 192.168.7.5 and is called kims-phone.
fn with_phone() -> Devices {
    let mut book = Devices::default();
    for says in [name("kims-phone"), asks(&[1, 3, 6])] {
        assert_eq!(book.told(&clue(PHONE, 0, says)), None);
    }
    assert_eq!(book.saw(&sight(PHONE, "192.168.7.5", 1)), None);
    book
}

#[test]
fn one_record_holds_all_addresses_and_names_of_a_device() {
    let mut book = with_phone();
    book.saw(&sight(PHONE, "fe80::5", 9));
    book.told(&clue(PHONE, 10, Says::Name(NameSource::Mdns, "kim.local".into())));
    let [phone] = book.records().collect::<Vec<_>>()[..] else { panic!("one device") };
    let addresses: Vec<String> = phone.addresses.iter().map(|place| place.address.to_string()).collect();
    assert_eq!(addresses, ["192.168.7.5", "fe80::5"]);
    assert_eq!((phone.name().as_str(), phone.names.len(), phone.is_randomised()), ("kims-phone", 2, true));
    assert_eq!((phone.first_seen, phone.last_seen), (at(0), at(9)));
    assert_eq!(book.of_address("fe80::5".parse().unwrap()), book.of_mac(PHONE));
}

#[test]
fn the_internet_behind_the_router_is_not_the_router_s_address() {
    let mut book = Devices::default();
    for host in ["198.51.100.7", "192.168.7.1", "2001:db8::1"] {
        book.saw(&Sight { side: Side::Uplink, ..sight(CAMERA, host, 0) });
    }
    let router = book.of_mac(CAMERA).unwrap();
    assert_eq!((router.side, router.addresses.len()), (Side::Uplink, 1));
}

#[test]
fn a_name_in_another_case_or_cut_short_is_the_same_name() {
    let mut book = Devices::default();
    for text in ["ESP", "ESP_07AEFB", "esp_07aefb", "ESP_07"] {
        book.told(&clue(CAMERA, 0, name(text)));
    }
    let names: Vec<_> = book.records().flat_map(|device| &device.names).map(|name| name.text.as_str()).collect();
    assert_eq!(names, ["ESP_07AEFB"]);
}

#[test]
fn a_name_server_names_the_device_that_has_the_address() {
    let mut book = with_phone();
    book.called("192.168.7.5".parse().unwrap(), "kim.home", at(9));
    book.called("192.168.7.6".parse().unwrap(), "nobody.home", at(9));
    let names: Vec<_> = book.records().flat_map(|device| &device.names).map(|name| name.text.as_str()).collect();
    assert_eq!(names, ["kims-phone", "kim.home"]);
}

#[test]
fn what_could_not_be_kept_is_a_change_again() {
    let mut book = with_phone();
    book.saw(&sight(PHONE, "192.168.7.5", 60));
    let changes = book.changes();
    book.unkept(&changes.0, &changes.1);
    assert_eq!(book.changes(), changes);
}

#[test]
fn who_takes_an_address_that_is_in_use_does_not_get_it() {
    let mut book = with_phone();
    let conflict = book.saw(&sight(CAMERA, "192.168.7.5", 30)).unwrap();
    let (phone, camera) = (book.of_mac(PHONE).unwrap().id, book.of_mac(CAMERA).unwrap().id);
    let address: IpAddr = "192.168.7.5".parse().unwrap();
    assert_eq!(conflict, Conflict::AddressTaken { device: phone, by: camera, address });
    assert_eq!(book.of_address(address).unwrap().id, phone);
    assert_eq!(book.saw(&sight(CAMERA, "192.168.7.5", 31)), None, "it is told once");
}

#[test]
fn an_address_that_the_server_gives_on_or_that_lies_idle_changes_hands_in_silence() {
    let mut book = with_phone();
    book.told(&clue(CAMERA, 28, name("camera")));
    book.told(&clue(CAMERA, 29, Says::Leased("192.168.7.5".parse().unwrap())));
    assert_eq!(book.saw(&sight(CAMERA, "192.168.7.5", 30)), None);
    assert_eq!(book.of_address("192.168.7.5".parse().unwrap()), book.of_mac(CAMERA));
    let mut book = with_phone();
    assert_eq!(book.saw(&sight(CAMERA, "192.168.7.5", 700)), None);
    assert_eq!(book.of_address("192.168.7.5".parse().unwrap()), book.of_mac(CAMERA));
}

#[test]
fn another_device_under_a_known_hardware_address_is_told() {
    let mut book = with_phone();
    assert_eq!(book.told(&clue(PHONE, 60, name("evil"))), None);
    let conflict = book.told(&clue(PHONE, 60, asks(&[1, 121, 33])));
    let device = book.of_mac(PHONE).unwrap().id;
    assert_eq!(
        conflict,
        Some(Conflict::OtherDevice { device, mac: PHONE, was: "kims-phone".into(), now: "evil".into() })
    );
}

#[test]
fn an_update_and_a_new_name_alone_are_no_conflict() {
    let mut book = with_phone();
    assert_eq!(book.told(&clue(PHONE, 60, name("kims-phone"))), None);
    assert_eq!(book.told(&clue(PHONE, 60, asks(&[1, 3, 6, 121]))), None);
    assert_eq!(book.told(&clue(PHONE, 90, name("other-name"))), None);
    assert_eq!(book.told(&clue(PHONE, 90, asks(&[1, 3, 6, 121]))), None);
}

#[test]
fn a_hardware_address_on_the_other_side_is_told_and_changes_nothing() {
    let mut book = with_phone();
    let before = book.of_mac(PHONE).cloned();
    let conflict = book.saw(&Sight { side: Side::Uplink, ..sight(PHONE, "192.168.7.77", 5) });
    assert!(matches!(conflict, Some(Conflict::OtherSide { side: Side::Uplink, .. })), "{conflict:?}");
    let conflict = book.told(&Clue { side: Side::Uplink, ..clue(PHONE, 6, name("router")) });
    assert_eq!((conflict, book.of_mac(PHONE).cloned()), (None, before));
}

#[test]
fn a_phone_that_returns_under_a_fresh_address_is_suggested_not_merged() {
    let mut book = with_phone();
    for says in [name("kims-phone"), asks(&[1, 3, 6])] {
        book.told(&clue(FRESH, 4_000, says));
    }
    let [suggestion] = &book.suggestions()[..] else { panic!("one suggestion") };
    assert_eq!((suggestion.known, suggestion.fresh), (book.of_mac(PHONE).unwrap().id, book.of_mac(FRESH).unwrap().id));
    assert_eq!(suggestion.reasons.len(), 2);
    // Two phones that are there at the same time are two phones.
    book.saw(&sight(PHONE, "192.168.7.5", 4_100));
    assert_eq!(book.suggestions(), []);
}

#[test]
fn a_name_alone_suggests_nothing() {
    let mut book = with_phone();
    book.told(&clue(FRESH, 4_000, name("kims-phone")));
    assert_eq!(book.suggestions(), []);
}

#[test]
fn merged_records_are_one_and_split_ones_two_again() {
    let mut book = with_phone();
    book.told(&clue(FRESH, 4_000, name("kim-2")));
    let (phone, fresh) = (book.of_mac(PHONE).unwrap().id, book.of_mac(FRESH).unwrap().id);
    let said = Said { name: Some("Kim's phone".into()), notes: Some("hers".into()), ..Said::default() };
    book.describe(phone, &said).unwrap();
    book.merge(phone, fresh).unwrap();
    let merged = book.of_mac(FRESH).unwrap();
    assert_eq!((merged.id, merged.macs.len(), merged.names.len()), (phone, 2, 2));
    assert_eq!((merged.name().as_str(), merged.last_seen), ("Kim's phone", at(4_000)));
    assert_eq!(book.changes().1, [fresh]);
    let again = book.split(phone, FRESH).unwrap();
    assert!(again != fresh && again != phone);
    assert_eq!((book.of_mac(PHONE).unwrap().id, book.of_mac(FRESH).unwrap().id), (phone, again));
    assert_eq!(book.split(phone, FRESH), Err(HandError::NotSplit(phone, FRESH)));
    assert_eq!(book.merge(phone, phone), Err(HandError::Same(phone)));
    assert_eq!(book.merge(phone, fresh), Err(HandError::Unknown(fresh)));
}

#[test]
fn a_forgotten_device_is_new_when_it_comes_again() {
    let mut book = with_phone();
    let id = book.of_mac(PHONE).unwrap().id;
    book.forget(id).unwrap();
    assert_eq!((book.of_mac(PHONE), book.of_address("192.168.7.5".parse().unwrap())), (None, None));
    book.saw(&sight(PHONE, "192.168.7.5", 9));
    let again = book.of_mac(PHONE).unwrap();
    assert!(again.id > id && again.names.is_empty());
}

#[test]
fn when_full_the_longest_unseen_goes_and_never_one_that_a_person_described() {
    let mac = |n: usize| MacAddr::new([0, 1, 2, 3, (n >> 8) as u8, n as u8]);
    let mut book = Devices::default();
    for n in 0..DEVICES {
        book.saw(&Sight { host: HostKey::Mac(mac(n)), ..sight(mac(n), "::", n as u64) });
    }
    let first = book.of_mac(mac(0)).unwrap().id;
    book.describe(first, &Said { notes: Some("kept".into()), ..Said::default() }).unwrap();
    book.saw(&sight(PHONE, "192.168.7.5", 9_000));
    assert_eq!(book.records().count(), DEVICES);
    assert!(book.of_mac(mac(0)).is_some() && book.of_mac(mac(1)).is_none() && book.of_mac(PHONE).is_some());
}

#[test]
fn a_device_that_invents_addresses_keeps_sixteen_and_the_index_with_it() {
    let mut book = with_phone();
    for n in 0..1_000_u32 {
        let host = HostKey::V4((0x0a00_0000 + n).into());
        book.saw(&Sight { host, ..sight(PHONE, "::", 10 + u64::from(n)) });
    }
    let owned = (0..1_000_u32).filter(|n| book.of_address(IpAddr::V4((0x0a00_0000 + n).into())).is_some()).count();
    assert_eq!((owned, book.of_mac(PHONE).unwrap().addresses.len()), (16, 16));
}

#[test]
fn a_loaded_book_knows_what_the_former_one_knew_and_gives_no_number_twice() {
    let mut book = with_phone();
    assert_eq!(book.changes(), (vec![], vec![]), "a device of a moment is not kept");
    book.saw(&sight(PHONE, "192.168.7.5", 60));
    let (changed, gone) = book.changes();
    assert_eq!((changed.len(), gone.len()), (1, 0));
    book.saw(&sight(PHONE, "192.168.7.5", 61));
    assert_eq!(book.changes(), (vec![], vec![]));
    let mut loaded = Devices::load(changed);
    assert_eq!(loaded.of_mac(PHONE).map(|phone| phone.id), book.of_mac(PHONE).map(|phone| phone.id));
    assert_eq!(loaded.of_address("192.168.7.5".parse().unwrap()), loaded.of_mac(PHONE));
    loaded.saw(&sight(CAMERA, "192.168.7.9", 1));
    assert!(loaded.of_mac(CAMERA).unwrap().id > loaded.of_mac(PHONE).unwrap().id);
}

#[test]
fn kinds_are_guessed_with_their_reasons() {
    let guessed = |mac: MacAddr, says: &[Says]| {
        let mut book = Devices::default();
        says.iter().for_each(|says| drop(book.told(&clue(mac, 0, says.clone()))));
        guess(book.of_mac(mac).unwrap())
    };
    let printer = guessed(CAMERA, &[Says::Service("_ipp._tcp".into()), Says::Model("HP LaserJet 9".into())]);
    assert_eq!(printer.kind, Some(Kind::Printer));
    assert_eq!(printer.reasons, ["offers _ipp._tcp", "its model is \"HP LaserJet 9\""]);
    let camera = guessed(CAMERA, &[name("front-doorbell"), Says::Service("_rtsp._tcp".into())]);
    assert_eq!(camera.kind, Some(Kind::Camera));
    let windows = guessed(PHONE, &[Says::Fingerprint(vec![1, 3], "MSFT 5.0".into()), name("DESKTOP-9K")]);
    assert_eq!(windows.kind, Some(Kind::Computer));
    assert_eq!(guessed(PHONE, &[name("Kims-iPhone")]).kind, Some(Kind::Phone));
    assert_eq!(guessed(PHONE, &[Says::UpnpType("InternetGatewayDevice".into())]).kind, Some(Kind::Router));
    assert_eq!(guessed(PHONE, &[Says::Capabilities(1 << 5)]).kind, Some(Kind::Voip));
    let nothing = guessed(PHONE, &[name("xyz")]);
    assert_eq!((nothing.kind, nothing.reasons), (None, vec![]));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever comes: the indexes agree with the records, bounds hold, and nobody has two records.
    #[test]
    fn the_book_stays_in_order(steps in prop::collection::vec((0u8..9, 0u8..6, 0u8..6, any::<bool>()), 0..80)) {
        let mut book = Devices::default();
        for (n, (act, a, b, lan)) in steps.into_iter().enumerate() {
            let (mac, other) = (MacAddr::new([0, 0, 0, 0, 1, a]), MacAddr::new([0, 0, 0, 0, 1, b]));
            let side = if lan { Side::Lan } else { Side::Uplink };
            let (time, id) = (at(n as u64 * 100), |mac| book.of_mac(mac).map_or(DeviceId::of(99), |d: &DeviceRecord| d.id));
            let (one, two) = (id(mac), id(other));
            match act {
                0 => drop(book.merge(one, two)),
                1 => drop(book.split(one, mac)),
                2 => drop(book.forget(one)),
                3 => drop(book.told(&Clue { mac, side, at: time, says: name(&b.to_string()) })),
                4 => drop(book.told(&Clue { mac, side, at: time, says: Says::Leased([10, 0, 0, b].into()) })),
                5 => drop(book.told(&Clue { mac, side, at: time, says: asks(&[b]) })),
                _ => drop(book.saw(&Sight { host: HostKey::V4([10, 0, 0, b].into()), mac, side, at: time })),
            }
        }
        let mut macs: Vec<_> = book.records().flat_map(|device| device.macs.clone()).collect();
        let all = macs.len();
        macs.sort_unstable();
        macs.dedup();
        prop_assert_eq!(macs.len(), all);
        for device in book.records() {
            prop_assert!(!device.macs.is_empty() && device.macs.len() <= 8 && device.addresses.len() <= 16);
            prop_assert!(device.macs.iter().all(|mac| book.of_mac(*mac) == Some(device)));
        }
        let (changed, gone) = book.changes();
        prop_assert!(gone.iter().all(|id| book.get(*id).is_none()));
        prop_assert!(changed.iter().all(|device| book.get(device.id) == Some(device)));
    }
}
