use proptest::prelude::*;
use serde_json::json;

use super::*;

const AT: Timestamp = Timestamp::from_secs(1_795_363_200);
const NAS: Teller<'static> = Teller { name: "nas", from: IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 7)) };

fn told(value: &Value) -> (Activity, Option<Place>) {
    of_value(value, NAS, AT).expect("a record")
}

fn words(value: &Value) -> (String, Act, String, Outcome, String) {
    let (activity, _) = told(value);
    let from = activity.address.map(|address| address.to_string()).unwrap_or_default();
    (activity.subject, activity.action, activity.object, activity.result, from)
}

fn is(value: &Value, subject: &str, action: Act, object: &str, result: Outcome, from: &str) {
    assert_eq!(words(value), (subject.into(), action, object.into(), result, from.into()), "{value}");
}

#[test]
fn winlogbeat_nxlog_and_fluent_bit_say_the_same_of_a_windows_log_in() {
    let beat = |id: &str, data: Value| {
        json!({"@timestamp": "2026-11-22T15:00:00.250Z", "event": {"code": id}, "winlog":
        {"event_id": id, "channel": "Security", "computer_name": "pc7", "event_data": data}, "message": "An account"})
    };
    let data = json!({"TargetUserName": "ann", "LogonType": "3", "IpAddress": "10.0.0.9"});
    is(&beat("4624", data.clone()), "ann", Act::Login, "3", Outcome::Done, "10.0.0.9");
    is(&beat("4625", data), "ann", Act::Login, "3", Outcome::Failed, "10.0.0.9");
    assert_eq!(
        told(&beat("1102", json!({"SubjectUserName": "eve"}))).0.claimed.map(Timestamp::secs),
        Some(1_795_359_600)
    );
    is(&beat("1102", json!({"SubjectUserName": "eve"})), "eve", Act::LogCleared, "Security", Outcome::Done, "");
    let nxlog = json!({"EventTime": "2026-11-22 15:00:00", "Hostname": "pc7", "EventID": 4625, "SourceName": "Microsoft-Windows-Security-Auditing",
        "TargetUserName": "ann", "IpAddress": "10.0.0.9", "LogonType": 10, "Message": "An account failed to log on."});
    is(&nxlog, "ann", Act::Login, "10", Outcome::Failed, "10.0.0.9");
    let mut inserts = vec![json!("-"); 20];
    (inserts[5], inserts[8], inserts[18]) = (json!("ann"), json!("2"), json!("10.0.0.9"));
    let fluent = json!({"EventID": 4624, "ProviderName": "Security", "TimeCreated": "2026-11-22 15:00:00 +0100", "StringInserts": inserts, "Message": "x"});
    is(&fluent, "ann", Act::Login, "2", Outcome::Done, "10.0.0.9");
    assert_eq!(told(&fluent).0.claimed.map(Timestamp::secs), Some(1_795_356_000));
}

#[test]
fn windows_tells_of_accounts_groups_files_and_sticks_and_its_own_accounts_are_nobody() {
    let nxlog = |id: u32, data: Value| {
        let mut value = json!({"EventID": id, "Message": "m"});
        value.as_object_mut().unwrap().extend(data.as_object().unwrap().clone());
        value
    };
    let made = nxlog(4720, json!({"TargetUserName": "new", "SubjectUserName": "eve"}));
    is(&made, "eve", Act::Account, "new", Outcome::Done, "");
    let member = json!({"TargetUserName": "Administrators", "MemberName": "CN=eve", "SubjectUserName": "eve"});
    is(&nxlog(4732, member), "eve", Act::Group, "Administrators: CN=eve", Outcome::Done, "");
    for (mask, act) in [("0x1", Act::Read), ("0x2", Act::Write), ("0x10000", Act::Delete), ("0x80", Act::Other)] {
        let file = json!({"ObjectName": "C:\\x", "AccessMask": mask, "SubjectUserName": "eve"});
        is(&nxlog(4663, file), "eve", act, "C:\\x", Outcome::Done, "");
    }
    is(
        &nxlog(6416, json!({"DeviceDescription": "USB Stick", "SubjectUserName": "PC$"})),
        "PC$",
        Act::Medium,
        "USB Stick",
        Outcome::Done,
        "",
    );
    for nobody in ["SYSTEM", "PC7$", "DWM-1"] {
        let login = nxlog(4624, json!({"TargetUserName": nobody, "LogonType": "5"}));
        assert_eq!(words(&login).1, Act::Other, "{nobody}");
    }
}

#[test]
fn the_agents_own_words_and_its_numbers_are_taken_and_no_other_hosts_name() {
    let own = json!({"seq": 7, "stream": 99, "at": 1_795_363_100.5, "action": "read", "subject": "ann", "object": "/srv/a",
        "result": "done", "address": "10.0.0.9", "message": "600 files", "host": "bank", "device": "bank"});
    let (activity, place) = told(&own);
    assert_eq!((activity.proof, activity.device.as_str(), activity.source), (Proof::Enrolled, "nas", NAS.from));
    assert_eq!(place, Some(Place { stream: 99, seq: 7 }));
    is(&own, "ann", Act::Read, "/srv/a", Outcome::Done, "10.0.0.9");
    let line = json!({"seq": 8, "stream": 99, "program": "sshd", "message": "Accepted password for bob from 10.0.0.8 port 1 ssh2"});
    is(&line, "bob", Act::Login, "password", Outcome::Done, "10.0.0.8");
    let journal = json!({"MESSAGE": "FAILED SU (to root) ann on pts/1", "SYSLOG_IDENTIFIER": "su", "_HOSTNAME": "x"});
    is(&journal, "ann", Act::RightsRaised, "root", Outcome::Failed, "");
}

#[test]
fn what_is_no_record_is_refused() {
    for wrong in ["", "7", "[]", "{", "{}", "{\"a\":1}", "\"x\"", "{\"action\":\"dance\"}"] {
        assert_eq!(record(wrong.as_bytes(), NAS, AT).unwrap_err(), Refusal::NoRecord, "{wrong}");
    }
    assert_eq!(record(&vec![b' '; LINE_MAX + 1], NAS, AT).unwrap_err(), Refusal::TooLong);
}

proptest! {
    #[test]
    fn whatever_comes_is_a_record_or_a_refusal(octets in prop::collection::vec(any::<u8>(), 0..200), id in 0_u32..7_000, text in "\\PC{0,40}") {
        let _ = record(&octets, NAS, AT);
        let value = json!({"EventID": id, "TargetUserName": text, "AccessMask": text, "Message": text, "EventTime": text, "StringInserts": [text]});
        let _ = of_value(&value, NAS, AT);
    }
}
