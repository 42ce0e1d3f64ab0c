//! A file to a description.

use super::entry::{Entry, address};
use super::json::parse;
use super::rule::{Description, Direction};
use super::tree::{Place, bare};
use super::{LONGEST, MudError, fold};

/// The container of access lists: of RFC 8519, and of the drafts.
const LISTS: [&str; 2] = ["ietf-access-control-list:acls", "ietf-access-control-list:access-lists"];
/// Members of the description that are known.
const KNOWN: [&str; 15] = [
    "mud-version",
    "mud-url",
    "last-update",
    "mud-signature",
    "cache-validity",
    "is-supported",
    "systeminfo",
    "mfg-name",
    "model-name",
    "firmware-rev",
    "software-rev",
    "documentation",
    "extensions",
    "from-device-policy",
    "to-device-policy",
];
/// How long a description is kept that does not say so.
///
/// **Units**: hours. **Source**: RFC 8520 section 3.5.
const CACHE_VALIDITY: u8 = 48;

/// Reads a file.
///
/// # Errors
/// It is longer than 64 KiB, no JSON, lacks something, or says what no rule can tell; the error names line and member. Nothing of
/// such a file is used.
pub fn read(file: &[u8]) -> Result<Description, MudError> {
    let whole = |what: String| MudError { line: 0, field: String::new(), what };
    if file.len() > LONGEST {
        return Err(whole(format!("is {} octets long; a MUD file may have {LONGEST}", file.len())));
    }
    let text = str::from_utf8(file).map_err(|error| {
        let line = 1 + file[..error.valid_up_to()].iter().filter(|octet| **octet == b'\n').count();
        MudError { line: u32::try_from(line).unwrap_or(u32::MAX), ..whole("is not UTF-8".into()) }
    })?;
    let tree = parse(text)?;
    let file = Place::whole(&tree);
    file.members(&["ietf-mud:mud", LISTS[0], LISTS[1]])?;
    let mud = file.need(&["ietf-mud:mud"])?;
    let mut description = header(&mud)?;
    let lists = lists(&file, &mud)?;
    (description.rules, description.notes) = fold::rules(&lists)?;
    Ok(description)
}

/// Everything but the rules.
fn header(mud: &Place<'_>) -> Result<Description, MudError> {
    mud.members(&KNOWN)?;
    mud.need(&["mud-version"])?.number(1..=1)?;
    let url = mud.need(&["mud-url"])?;
    let last_update = mud.need(&["last-update"])?;
    let text = |name: &str| Ok(mud.get(name)?.map(|place| place.text()).transpose()?.map(str::to_owned));
    if let Some(extensions) = mud.get("extensions")?
        && let Some(first) = extensions.list()?.first()
    {
        return Err(first.wrong(format!("the extension {:?} is not known", first.text()?)));
    }
    let hours = mud.get("cache-validity")?.map(|place| place.number(1..=168)).transpose()?;
    Ok(Description {
        url: https(&url)?,
        last_update: moment(&last_update)?,
        cache_validity: hours.and_then(|hours| u8::try_from(hours).ok()).unwrap_or(CACHE_VALIDITY),
        is_supported: mud.need(&["is-supported"])?.is_true()?,
        system: text("systeminfo")?,
        manufacturer: text("mfg-name")?,
        model: text("model-name")?,
        rules: Vec::new(),
        notes: Vec::new(),
    })
}

/// The entries of each list that the description uses.
fn lists<'a>(file: &Place<'a>, mud: &Place<'a>) -> Result<Vec<Vec<(Entry, Place<'a>)>>, MudError> {
    let policies = [("from-device-policy", Direction::FromDevice), ("to-device-policy", Direction::ToDevice)];
    let mut used = Vec::new();
    for (name, way) in policies {
        let Some(policy) = mud.get(name)? else { continue };
        policy.members(&["access-lists"])?;
        let lists = policy.need(&["access-lists"])?;
        lists.members(&["access-list"])?;
        for list in lists.need(&["access-list"])?.list()? {
            list.members(&["name"])?;
            used.push((list.need(&["name"])?, way));
        }
    }
    if used.is_empty() {
        return Err(mud.wrong("names no access list in from-device-policy or to-device-policy"));
    }
    let container = file.need(&LISTS)?;
    container.members(&["acl"])?;
    let acls = container.need(&["acl"])?.list()?;
    let mut lists = Vec::new();
    for (name, way) in used {
        let wanted = name.text()?;
        let mut found = None;
        for acl in &acls {
            if acl.need(&["name", "acl-name"])?.text()? == wanted && found.replace(acl).is_some() {
                return Err(acl.wrong(format!("is a second list named {wanted:?}")));
            }
        }
        let acl = found.ok_or_else(|| name.wrong(format!("there is no list named {wanted:?}")))?;
        lists.push(entries(acl, way)?);
    }
    Ok(lists)
}

/// The entries of a list.
fn entries<'a>(acl: &Place<'a>, way: Direction) -> Result<Vec<(Entry, Place<'a>)>, MudError> {
    acl.members(&["name", "acl-name", "type", "acl-type", "aces", "access-list-entries"])?;
    if let Some(kind) = acl.one_of(&["type", "acl-type"])?
        && !["ipv4-acl-type", "ipv6-acl-type", "mixed-ipv4-ipv6-acl-type", "ipv4-acl", "ipv6-acl"]
            .contains(&bare(kind.text()?))
    {
        return Err(kind.wrong("is no list about IPv4 or IPv6"));
    }
    let aces = acl.need(&["aces", "access-list-entries"])?;
    aces.members(&["ace"])?;
    let aces = aces.need(&["ace"])?.list()?;
    aces.into_iter().map(|ace| Ok((Entry::read(&ace, way)?, ace))).collect()
}

fn https(place: &Place<'_>) -> Result<String, MudError> {
    let url = address(place)?;
    if url.starts_with("https://") && url.len() > 8 { Ok(url) } else { Err(place.wrong("must begin with https://")) }
}

/// A moment as RFC 3339 writes it.
fn moment(place: &Place<'_>) -> Result<String, MudError> {
    let text = place.text()?;
    if is_moment(text) { Ok(text.into()) } else { Err(place.wrong("is no moment, as in 2026-01-31T12:00:00Z")) }
}

/// Whether this is a moment as RFC 3339 writes it, by its shape.
pub(super) fn is_moment(text: &str) -> bool {
    let shaped = |text: &str, shape: &str| {
        text.len() == shape.len()
            && text.bytes().zip(shape.bytes()).all(|(c, s)| if s == b'0' { c.is_ascii_digit() } else { c == s })
    };
    let Some((head, tail)) = text.split_at_checked(19) else { return false };
    let fraction = tail.strip_prefix('.').map(|rest| rest.trim_start_matches(|c: char| c.is_ascii_digit()));
    let zone = fraction.unwrap_or(tail);
    shaped(head, "0000-00-00T00:00:00") && (zone == "Z" || shaped(zone, "+00:00") || shaped(zone, "-00:00"))
}
