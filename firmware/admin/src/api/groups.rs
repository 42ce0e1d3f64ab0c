//! Groups of the policy: which devices are in them, which rules name them, and their own posture.

use policy::{Group, Policy, To, Who, text};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use terms::Posture;

use super::policy::{Change, apply, read, reason, rules};
use crate::office::Office;
use crate::problem::Problem;
use crate::route::Call;

/// A group.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct GroupRow {
    /// Its name.
    id: String,
    /// The groups that it is in: their rules hold for its devices too.
    groups: Vec<String>,
    /// Its devices' posture instead of the box's.
    posture: Option<String>,
    /// The devices that are in it, through other groups too.
    devices: Vec<String>,
    /// The rules that name it.
    rules: Vec<String>,
}

/// What a group is beyond its devices; what is absent stays.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Changed {
    /// The groups that it is in.
    #[schemars(length(max = 16), inner(length(min = 1, max = 64)))]
    groups: Option<Vec<String>>,
    /// `observe`, `protect` or `enforce` instead of the box's posture; an empty text for the box's.
    #[schemars(length(max = 10))]
    posture: Option<String>,
    /// Why, for those who read the history later.
    #[schemars(length(max = 500))]
    #[serde(default)]
    why: String,
}

/// A new group.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewGroup {
    /// Its name.
    #[schemars(length(min = 1, max = 64))]
    name: String,
    /// The groups that it is in.
    #[schemars(length(max = 16), inner(length(min = 1, max = 64)))]
    groups: Option<Vec<String>>,
    /// `observe`, `protect` or `enforce` instead of the box's posture.
    #[schemars(length(max = 10))]
    posture: Option<String>,
    /// Why, for those who read the history later.
    #[schemars(length(max = 500))]
    #[serde(default)]
    why: String,
}

/// `GET groups`.
pub fn all(office: &Office, _: &Call) -> Result<Vec<GroupRow>, Problem> {
    read(office).map(|(_, policy)| rows(&policy))
}

/// `GET groups/{name}`.
pub fn one(office: &Office, call: &Call) -> Result<GroupRow, Problem> {
    find(&read(office)?.1, call.text("name"))
}

/// `POST groups`.
pub fn create(office: &Office, call: &Call, body: NewGroup) -> Result<GroupRow, Problem> {
    let NewGroup { name, groups, posture, why } = body;
    let (held, mut policy) = read(office)?;
    if policy.groups.iter().any(|group| group.name == name) {
        return Err(Problem { field: Some("name".into()), ..Problem::conflict("a group has this name") });
    }
    let posture = posture.as_deref().map(word).transpose()?.flatten();
    policy.groups.push(Group { name: name.clone(), groups: groups.unwrap_or_default(), posture });
    put(office, call, "group.create", &name, &policy, held.version, &why)
}

/// `PATCH groups/{name}`.
pub fn change(office: &Office, call: &Call, body: Changed) -> Result<GroupRow, Problem> {
    let (held, mut policy) = read(office)?;
    let name = call.text("name").to_owned();
    call.unchanged(&find(&policy, &name)?)?;
    if !policy.groups.iter().any(|group| group.name == name) {
        policy.groups.push(Group { name: name.clone(), ..Group::default() });
    }
    let group = policy.groups.iter_mut().find(|group| group.name == name).ok_or_else(|| Problem::missing("group"))?;
    if let Some(groups) = body.groups {
        group.groups = groups;
    }
    if let Some(posture) = body.posture.as_deref() {
        group.posture = word(posture)?;
    }
    put(office, call, "group.change", &name, &policy, held.version, &body.why)
}

/// `DELETE groups/{name}`: refused while rules name it; its devices stay.
pub fn remove(office: &Office, call: &Call) -> Result<(), Problem> {
    let (held, mut policy) = read(office)?;
    let name = call.text("name").to_owned();
    let row = find(&policy, &name)?;
    call.unchanged(&row)?;
    if let Some(rule) = row.rules.first() {
        return Err(Problem::conflict(format!("the rule {rule} names it; change that first")));
    }
    policy.groups.retain(|group| group.name != name);
    policy.groups.iter_mut().for_each(|group| group.groups.retain(|of| *of != name));
    policy.devices.iter_mut().for_each(|device| device.groups.retain(|of| *of != name));
    write(office, call, "group.remove", &name, &policy, held.version, "")
}

fn word(posture: &str) -> Result<Option<Posture>, Problem> {
    let found = Posture::ALL.into_iter().find(|known| known.as_str() == posture);
    if found.is_none() && !posture.is_empty() {
        return Err(Problem::field("posture", "takes observe, protect or enforce"));
    }
    Ok(found)
}

fn put(
    office: &Office,
    call: &Call,
    what: &'static str,
    name: &str,
    policy: &Policy,
    version: u64,
    why: &str,
) -> Result<GroupRow, Problem> {
    write(office, call, what, name, policy, version, why)?;
    find(&read(office)?.1, name)
}

fn write(
    office: &Office,
    call: &Call,
    what: &'static str,
    name: &str,
    policy: &Policy,
    version: u64,
    why: &str,
) -> Result<(), Problem> {
    // The tag in the request was the group's, not the policy's.
    let call = Call { if_match: None, ..call.clone() };
    let text = text::write(policy);
    let change = Change { text, within_secs: None, why: reason(why), force: false, if_version: Some(version) };
    apply(office, &call, what, name, change).map(drop)
}

fn find(policy: &Policy, name: &str) -> Result<GroupRow, Problem> {
    rows(policy).into_iter().find(|row| row.id == name).ok_or_else(|| Problem::missing("group"))
}

/// Every group: those that say something of themselves, and those that devices or rules name.
fn rows(policy: &Policy) -> Vec<GroupRow> {
    let rules = rules(policy);
    let named = rules.iter().flat_map(|(rule, _)| &rule.who).filter_map(|who| match who {
        Who::Group(name) => Some(name.as_str()),
        _ => None,
    });
    let declared = policy.groups.iter().flat_map(|group| group.groups.iter().chain([&group.name]));
    let worn = policy.devices.iter().flat_map(|device| &device.groups);
    let mut names: Vec<&str> = declared.chain(worn).map(String::as_str).chain(named).collect();
    names.sort_unstable();
    names.dedup();
    let row = |name: &str| {
        let group = policy.groups.iter().find(|group| group.name == name);
        let within = policy.devices.iter().filter(|device| policy.groups_of(device).contains(name));
        let names_it = |rule: &policy::Rule| {
            rule.who.iter().any(|who| matches!(who, Who::Group(of) if of == name))
                || rule.to.iter().any(|to| matches!(to, To::Device(of) if of == name))
        };
        GroupRow {
            id: name.to_owned(),
            groups: group.map_or(Vec::new(), |group| group.groups.clone()),
            posture: group.and_then(|group| group.posture).map(|posture| posture.as_str().into()),
            devices: within.map(|device| device.name.clone()).collect(),
            rules: rules.iter().filter(|(rule, _)| names_it(rule)).map(|(rule, _)| rule.name.clone()).collect(),
        }
    };
    names.into_iter().map(row).collect()
}
