//! Windows' security events, by their numbers.
//!
//! **Source**: Microsoft, "Audit events" of each number; Winlogbeat and NXLog name the data, Fluent Bit (`in_winevtlog`) gives it by place.

use serde_json::Value;

use super::text;
use crate::activity::{Act, Outcome};
use crate::said::Said;

/// Accounts of the system itself; what they do is nobody's doing.
const SYSTEM: [&str; 4] = ["SYSTEM", "LOCAL SERVICE", "NETWORK SERVICE", "ANONYMOUS LOGON"];

/// What an event says; nothing where the object is none of Windows.
pub(super) fn said(value: &Value) -> Option<Said> {
    let number: u32 = text(value, &["winlog.event_id", "EventID", "event.code", "EventId"])?.parse().ok()?;
    let event = Event { value };
    let (action, result, object) = match number {
        4624 => (Act::Login, Outcome::Done, event.datum("LogonType", 8)),
        4625 => (Act::Login, Outcome::Failed, event.datum("LogonType", 10)),
        4634 | 4647 => (Act::Logout, Outcome::Done, String::new()),
        4648 | 4672 => (Act::RightsRaised, Outcome::Done, event.named("TargetUserName")),
        4720 | 4722 | 4723 | 4724 | 4725 | 4726 | 4738 | 4740 => {
            (Act::Account, Outcome::Done, event.datum("TargetUserName", 0))
        }
        4728 | 4732 | 4756 => {
            let group = event.datum("TargetUserName", 2);
            (Act::Group, Outcome::Done, format!("{group}: {}", event.datum("MemberName", 0)))
        }
        4727 | 4731 | 4754 => (Act::Group, Outcome::Done, event.datum("TargetUserName", 0)),
        4660 => (Act::Delete, Outcome::Done, event.datum("ObjectName", 6)),
        4663 => (event.access(), Outcome::Done, event.datum("ObjectName", 6)),
        5145 => (event.access(), Outcome::Done, event.datum("RelativeTargetName", 9)),
        6416 => (Act::Medium, Outcome::Done, event.datum("DeviceDescription", 5)),
        104 | 1102 | 517 => (Act::LogCleared, Outcome::Done, event.channel()),
        1100 | 4719 => (Act::WatchStopped, Outcome::Done, event.channel()),
        _ => return Some(Said::default()),
    };
    let subject = match number {
        4624 | 4625 => event.datum("TargetUserName", 5),
        4634 | 4647 => event.datum("TargetUserName", 1),
        1102 | 4660 | 4663 | 5145 => event.datum("SubjectUserName", 1),
        4648 | 4672 => event.datum("SubjectUserName", 1),
        _ => event.datum("SubjectUserName", 4),
    };
    let of_system = subject.ends_with('$')
        || SYSTEM.contains(&subject.as_str())
        || ["DWM-", "UMFD-"].iter().any(|prefix| subject.starts_with(prefix));
    if of_system && matches!(action, Act::Login | Act::Logout | Act::RightsRaised | Act::Read | Act::Write) {
        return Some(Said::default());
    }
    let place = if number == 4625 { 19 } else { 18 };
    let address = matches!(number, 4624 | 4625).then(|| event.datum("IpAddress", place).parse().ok()).flatten();
    Some(Said { subject, action, object, result, address })
}

/// An event with its data.
struct Event<'a> {
    value: &'a Value,
}

impl Event<'_> {
    /// Data by its name.
    fn named(&self, name: &str) -> String {
        let places = [format!("winlog.event_data.{name}"), format!("EventData.{name}"), name.to_owned()];
        text(self.value, &places.each_ref().map(String::as_str)).unwrap_or_default()
    }

    /// Data by its name, else by its place among those that have none.
    fn datum(&self, name: &str, place: usize) -> String {
        let named = self.named(name);
        if !named.is_empty() {
            return named;
        }
        let placed = self.value["StringInserts"].get(place).and_then(Value::as_str);
        placed.filter(|text| *text != "-").unwrap_or_default().to_owned()
    }

    /// What was done to a file: the strongest of its accesses.
    fn access(&self) -> Act {
        let list = self.datum("AccessList", 8);
        let mask = self.named("AccessMask");
        let mask = u32::from_str_radix(mask.trim_start_matches("0x"), 16).unwrap_or(0);
        // DELETE, WriteData, AppendData as access masks of files and as message numbers.
        if mask & 0x1_0000 != 0 || list.contains("%%1537") {
            Act::Delete
        } else if mask & 0x6 != 0 || list.contains("%%4417") || list.contains("%%4418") {
            Act::Write
        } else if mask & 0x1 != 0 || list.contains("%%4416") {
            Act::Read
        } else {
            Act::Other
        }
    }

    fn channel(&self) -> String {
        text(self.value, &["winlog.channel", "Channel"]).unwrap_or_default()
    }
}
