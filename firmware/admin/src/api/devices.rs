//! Devices: what is known of them, what people write down, what is decided. An account of the role `user` sees its own ones.

use policy::DeviceState;
use policy::device::Said;
use protocol::views::{DeviceView, PolicyView};
use protocol::{AMONG_MAX, DeviceAsk, Request, WHY_MAX};
use schemars::JsonSchema;
use serde::Deserialize;
use terms::HostKey;

use crate::clock::Moment;
use crate::office::{Office, shown};
use crate::problem::Problem;
use crate::role::Role;
use crate::route::Call;
use crate::words::plain;

/// The longest text of a description, in characters; the gateway keeps as many.
const TEXT_MAX: usize = 256;
/// The most groups, or tags.
const WORDS_MAX: usize = 16;
/// The longest name of a group or a tag, in characters.
const WORD_MAX: usize = 64;

/// A device.
pub type DeviceRow = DeviceView<Moment>;

/// `GET devices`.
pub fn all(office: &Office, call: &Call) -> Result<Vec<DeviceRow>, Problem> {
    let mut devices: Vec<DeviceRow> = office.ask(Request::Devices(DeviceAsk::List))?;
    if let Some(names) = own_names(office, call)? {
        devices.retain(|device| is_of(device, &names));
    }
    Ok(devices)
}

/// `GET devices/{id}`.
pub fn one(office: &Office, call: &Call) -> Result<DeviceRow, Problem> {
    let device = find(office, call)?;
    match own_names(office, call)? {
        Some(names) if !is_of(&device, &names) => Err(Problem::missing("device")),
        _ => Ok(device),
    }
}

/// A device by its number, if the caller sees it.
///
/// # Errors
/// 422: there is none for them.
pub fn own(office: &Office, call: &Call, number: u32) -> Result<DeviceRow, Problem> {
    let none = || Problem::field("device", "is no device's number, or not yours");
    let device = ask(office, DeviceAsk::Show { device: number.to_string() })
        .map_err(|problem| if problem.status == 404 { none() } else { problem })?;
    let names = own_names(office, call)?;
    names.is_none_or(|names| is_of(&device, &names)).then_some(device).ok_or_else(none)
}

/// What a person says of a device; what is absent stays, an empty text takes away.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Description {
    /// Its name.
    #[schemars(length(max = 256))]
    name: Option<String>,
    /// Whose it is: the account with this e-mail address or user name sees it.
    #[schemars(length(max = 256))]
    owner: Option<String>,
    /// The groups that it is in.
    #[schemars(length(max = 16), inner(length(min = 1, max = 64)))]
    groups: Option<Vec<String>>,
    /// Tags.
    #[schemars(length(max = 16), inner(length(min = 1, max = 64)))]
    tags: Option<Vec<String>>,
    /// What those who come later should know.
    #[schemars(length(max = 256))]
    notes: Option<String>,
}

/// `PATCH devices/{id}`.
pub fn describe(office: &Office, call: &Call, body: Description) -> Result<DeviceRow, Problem> {
    let text = |field: &str, text: Option<String>| match text {
        Some(text) if text.chars().count() > TEXT_MAX => {
            Err(Problem::field(field, format!("takes at most {TEXT_MAX} characters")))
        }
        text => Ok(text.map(|text| plain(text.trim(), TEXT_MAX))),
    };
    let words = |field: &str, words: Option<Vec<String>>| match words {
        Some(words)
            if words.len() > WORDS_MAX || words.iter().any(|word| !(1..=WORD_MAX).contains(&word.chars().count())) =>
        {
            Err(Problem::field(field, format!("takes at most {WORDS_MAX} words of 1 to {WORD_MAX} characters")))
        }
        words => Ok(words.map(|words| words.iter().map(|word| plain(word.trim(), WORD_MAX)).collect())),
    };
    let said = Said {
        name: text("name", body.name)?,
        owner: text("owner", body.owner)?,
        groups: words("groups", body.groups)?,
        tags: words("tags", body.tags)?,
        notes: text("notes", body.notes)?,
    };
    let author = call.caller()?.email.clone();
    act(office, call, "device.describe", "", |device| DeviceAsk::Describe { device, said, author })
}

/// Why, and under which name.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// The name that it gets in the policy, where that does not know it yet.
    #[schemars(length(min = 1, max = 64))]
    name: Option<String>,
    /// For those who read the history later.
    #[schemars(length(max = 500))]
    #[serde(default)]
    why: String,
}

/// `POST devices/{id}/approve`.
pub fn approve(office: &Office, call: &Call, body: Decision) -> Result<DeviceRow, Problem> {
    decide(office, call, "device.approve", body, Some(DeviceState::Approved))
}

/// `POST devices/{id}/quarantine`.
pub fn quarantine(office: &Office, call: &Call, body: Decision) -> Result<DeviceRow, Problem> {
    decide(office, call, "device.quarantine", body, Some(DeviceState::Quarantined))
}

/// `POST devices/{id}/block`.
pub fn block(office: &Office, call: &Call, body: Decision) -> Result<DeviceRow, Problem> {
    decide(office, call, "device.block", body, Some(DeviceState::Blocked))
}

/// `POST devices/{id}/undecide`.
pub fn undecide(office: &Office, call: &Call, body: Decision) -> Result<DeviceRow, Problem> {
    decide(office, call, "device.undecide", body, None)
}

/// The record that goes.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Merge {
    /// Its number.
    with: u32,
}

/// `POST devices/{id}/merge`.
pub fn merge(office: &Office, call: &Call, body: Merge) -> Result<DeviceRow, Problem> {
    let with = body.with.to_string();
    let gone: DeviceRow = ask(office, DeviceAsk::Show { device: with.clone() }).map_err(|problem| {
        if problem.status == 404 { Problem::field("with", "is no device's number") } else { problem }
    })?;
    let why = format!("with {} ({})", gone.id, gone.name);
    act(office, call, "device.merge", &why, |device| DeviceAsk::Merge { device, with })
}

/// The hardware address that becomes a device of its own.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Split {
    /// One of several of the device.
    #[schemars(length(min = 17, max = 17))]
    mac: String,
}

/// `POST devices/{id}/split`: answers with the new device.
pub fn split(office: &Office, call: &Call, body: Split) -> Result<DeviceRow, Problem> {
    if body.mac.parse::<terms::MacAddr>().is_err() {
        return Err(Problem::field("mac", "takes a hardware address such as 02:5a:10:00:00:07"));
    }
    let (why, mac) = (body.mac.clone(), body.mac);
    act(office, call, "device.split", &why, |device| DeviceAsk::Split { device, mac })
}

/// `DELETE devices/{id}`: what the policy says of it stays, and is undone by `undecide`.
pub fn forget(office: &Office, call: &Call) -> Result<(), Problem> {
    act(office, call, "device.forget", "", |device| DeviceAsk::Forget { device }).map(drop)
}

/// Asks about a device; one that is not there is missing.
fn ask(office: &Office, ask: DeviceAsk) -> Result<DeviceRow, Problem> {
    office.ask(Request::Devices(ask)).map_err(|problem| match problem.status {
        409 if problem.detail.starts_with("no device") => Problem::missing("device"),
        _ => problem,
    })
}

fn find(office: &Office, call: &Call) -> Result<DeviceRow, Problem> {
    let number = call.number("id", "device")?;
    ask(office, DeviceAsk::Show { device: number.to_string() })
}

/// Does something to the device in the path and says so in the audit.
fn act(
    office: &Office,
    call: &Call,
    what: &'static str,
    why: &str,
    asked: impl FnOnce(String) -> DeviceAsk,
) -> Result<DeviceRow, Problem> {
    let before = find(office, call)?;
    call.unchanged(&before)?;
    let after = ask(office, asked(before.id.to_string()))?;
    let mut act = call.act(what, format!("{} ({})", before.id, before.name));
    (act.why, act.before, act.after) = (why.into(), shown(&before), shown(&after));
    office.record(act)?;
    Ok(after)
}

fn decide(
    office: &Office,
    call: &Call,
    what: &'static str,
    body: Decision,
    state: Option<DeviceState>,
) -> Result<DeviceRow, Problem> {
    let before = find(office, call)?;
    call.unchanged(&before)?;
    let why = plain(&body.why, WHY_MAX);
    // A record has at least one hardware address, by which the policy knows it.
    let device = before.macs.last().cloned().unwrap_or_else(|| before.id.to_string());
    let author = call.caller()?.email.clone();
    let mut act = call.act(what, format!("{} ({})", before.id, before.name));
    act.why.clone_from(&why);
    if let Err(problem) =
        office.ask::<PolicyView>(Request::PolicyDevice { device, name: body.name, state, author, why })
    {
        office.refused(act, &problem.detail);
        return Err(problem);
    }
    let after = find(office, call)?;
    (act.before, act.after) = (shown(&before.state), shown(&after.state));
    office.record(act)?;
    Ok(after)
}

/// The names by which devices are the caller's; nothing for a role that sees all of them.
fn own_names(office: &Office, call: &Call) -> Result<Option<Vec<String>>, Problem> {
    let caller = call.caller()?;
    if caller.role != Role::User {
        return Ok(None);
    }
    let people = office.people();
    let account = people.accounts.get(&caller.account).ok_or_else(Problem::unknown)?;
    let user_name = account.user_name.as_ref().map(|name| name.as_str().to_owned());
    Ok(Some(user_name.into_iter().chain([account.email.as_str().to_owned()]).collect()))
}

fn is_of(device: &DeviceRow, names: &[String]) -> bool {
    names.iter().any(|name| name.eq_ignore_ascii_case(&device.owner))
}

/// The addresses of the caller's own devices, to ask for what is theirs; nothing for a role that sees all hosts.
///
/// **Bounds**: the first [`AMONG_MAX`].
///
/// # Errors
/// The gateway gives no answer.
pub fn own_addresses(office: &Office, call: &Call) -> Result<Option<Vec<HostKey>>, Problem> {
    let Some(names) = own_names(office, call)? else { return Ok(None) };
    let devices: Vec<DeviceRow> = office.ask(Request::Devices(DeviceAsk::List))?;
    let own = devices.into_iter().filter(|device| is_of(device, &names));
    let addresses = own.flat_map(|device| device.macs.into_iter().chain(device.addresses));
    Ok(Some(addresses.filter_map(|address| address.parse().ok()).take(AMONG_MAX).collect()))
}
