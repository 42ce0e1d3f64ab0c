//! `picket devices`: who is there, and what people do to the records.

use std::process::ExitCode;

use super::flows::{enforce, propose, shadow};
use super::policy::{author, decide};
use super::{finish, listed, or_dash, show};
use crate::cli::{ClientArgs, DevicesCommand};
use crate::control::Request;
use crate::control::protocol::DeviceAsk;
use crate::control::views::DeviceView;
use crate::terminal::{Table, moment};
use ::policy::DeviceState;
use ::policy::device::Said;

/// `picket devices ...`.
pub fn devices(command: &DevicesCommand) -> ExitCode {
    let (client, ask) = match command {
        DevicesCommand::List(client) => {
            return finish(show(client, &Request::Devices(DeviceAsk::List), |devices: &Vec<DeviceView>| list(devices)));
        }
        DevicesCommand::Show(args) => (&args.client, DeviceAsk::Show { device: args.device.clone() }),
        DevicesCommand::Approve(args) => return decide(args, Some(DeviceState::Approved)),
        DevicesCommand::Quarantine(args) => return decide(args, Some(DeviceState::Quarantined)),
        DevicesCommand::Block(args) => return decide(args, Some(DeviceState::Blocked)),
        DevicesCommand::Propose(args) => return propose(args),
        DevicesCommand::Shadow(args) => return shadow(args),
        DevicesCommand::Enforce(args) => return enforce(args),
        DevicesCommand::Merge { device, with } => {
            (&device.client, DeviceAsk::Merge { device: device.device.clone(), with: with.clone() })
        }
        DevicesCommand::Split { device, mac } => {
            (&device.client, DeviceAsk::Split { device: device.device.clone(), mac: mac.clone() })
        }
        DevicesCommand::Describe { device, name, owner, groups, tags, notes } => {
            let said = Said {
                name: name.clone(),
                owner: owner.clone(),
                groups: groups.clone(),
                tags: tags.clone(),
                notes: notes.clone(),
            };
            (&device.client, DeviceAsk::Describe { device: device.device.clone(), said, author: author() })
        }
        DevicesCommand::Forget(args) => (&args.client, DeviceAsk::Forget { device: args.device.clone() }),
    };
    one(client, ask)
}

/// Asks about one device and prints it.
fn one(client: &ClientArgs, ask: DeviceAsk) -> ExitCode {
    finish(show(client, &Request::Devices(ask), text))
}

fn list(devices: &[DeviceView]) -> String {
    let mut table =
        Table::new(&["ID", "NAME", "STATE", "KIND", "MAKER", "MAC", "ADDRESSES", "SIDE", "LAST SEEN (UTC)"]);
    for device in devices {
        let more = device.addresses.len().saturating_sub(2);
        let mut addresses = device.addresses.iter().take(2).cloned().collect::<Vec<_>>().join(" ");
        if more > 0 {
            addresses.push_str(&format!(" +{more}"));
        }
        table.row([
            device.id.to_string(),
            device.name.clone(),
            device.state.clone(),
            or_dash(device.kind.as_ref()),
            or_dash(device.vendor.as_ref()),
            or_dash(device.macs.last()),
            addresses,
            device.side.clone(),
            moment(device.last_seen),
        ]);
    }
    listed(&table, "no device is known yet")
}

/// A device for people.
fn text(device: &DeviceView) -> String {
    let mut table = Table::new(&["DEVICE", &device.id.to_string()]);
    let chance = if device.randomised { " (drawn by chance)" } else { "" };
    let rows = [
        ("name", device.name.clone()),
        ("state", device.state.clone()),
        ("kind", or_dash(device.kind.as_ref())),
        ("maker", or_dash(device.vendor.as_ref())),
        ("mac", format!("{}{chance}", device.macs.join(" "))),
        ("addresses", device.addresses.join(" ")),
        ("side", device.side.clone()),
        ("first seen", format!("{} UTC", moment(device.first_seen))),
        ("last seen", format!("{} UTC", moment(device.last_seen))),
        ("description", or_dash(device.mud_url.as_ref())),
        ("owner", device.owner.clone()),
        ("groups", device.groups.join(" ")),
        ("tags", device.tags.join(" ")),
        ("notes", device.notes.clone()),
    ];
    rows.into_iter().filter(|(_, value)| !value.is_empty()).for_each(|(what, value)| table.row([what.into(), value]));
    device.names.iter().for_each(|name| table.row([format!("  called by {}", name.source), name.name.clone()]));
    device.kind_reasons.iter().for_each(|reason| table.row(["  kind because".into(), reason.clone()]));
    if let Some(known) = device.returns_as {
        table.row(["may be device".into(), format!("{known}: {}", device.returns_reasons.join("; "))]);
    }
    device.conflicts.iter().for_each(|conflict| table.row(["conflict".into(), conflict.clone()]));
    table.text()
}
