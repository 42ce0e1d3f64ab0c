//! Rules that are put behind the policy in force: of a preset, or one by hand that ends by itself.

use ::policy::preset::{PRESETS, Preset, quoted};
use ::policy::text;
use terms::Span;

use super::super::{Outcome, show};
use super::{applied, author};
use crate::cli::ClientArgs;
use crate::config::Config;
use crate::control::Request;
use crate::control::client::ask;
use crate::control::views::PolicyView;
use crate::run::now;
use crate::terminal::{Table, print};

/// `picket policy allow`.
pub(super) fn allow(client: &ClientArgs, words: [&String; 3], lasts: Option<Span>, why: &str) -> Outcome {
    let [from, to, service] = words.map(|word| quoted(word));
    amend(client, why, |held| {
        let until = lasts.map_or(String::new(), |lasts| {
            let until = now() + lasts;
            format!("until = \"{}\"\n", until.secs())
        });
        format!(
            "\n[[allow]]\nname = \"by hand {}\"\nwho = {from}\nto = {to}\nservice = {service}\n{until}owner = {}\ncomment = {}\n",
            held.version + 1,
            quoted(&author()),
            quoted(why)
        )
    })
}

/// `picket policy preset`.
pub(super) fn preset(
    client: &ClientArgs,
    name: Option<&str>,
    device: Option<&str>,
    with: &[String],
    apply: bool,
) -> Outcome {
    let Some(name) = name else {
        let mut table = Table::new(&["PRESET", "WITH", "A DEVICE"]);
        for preset in PRESETS {
            table.row([preset.name.to_owned(), preset.with.unwrap_or("-").to_owned(), preset.words.to_owned()]);
        }
        print(&table.text());
        return Ok(());
    };
    let preset =
        Preset::named(name).ok_or_else(|| format!("{name} is no preset; picket policy preset lists what there is"))?;
    let device = device.ok_or_else(|| format!("say which device {name} is for, by its name in the policy"))?;
    match (preset.with, with) {
        (Some(what), []) => return Err(format!("{name} needs --with: {what}").into()),
        (None, [_, ..]) => return Err(format!("{name} takes no --with").into()),
        _ => {}
    }
    let rules = preset.text(device, with, &author());
    if apply {
        amend(client, &format!("preset {name} for {device}"), |_| rules)
    } else {
        print(rules.trim_start());
        Ok(())
    }
}

/// Puts the policy in force with these tables behind it; refused if another came in force meanwhile.
fn amend(client: &ClientArgs, why: &str, tables: impl FnOnce(&PolicyView) -> String) -> Outcome {
    let config = Config::find(client.config.as_deref())?;
    let held: PolicyView = ask(&config.control.socket, &Request::Policy)?;
    let whole = held.text.clone() + &tables(&held);
    // Lines of a text that nobody wrote help nobody.
    text::read(&whole).map_err(|faults| faults.into_iter().map(|fault| fault.what).collect::<Vec<_>>().join("\n"))?;
    let request = Request::PolicyApply {
        text: whole,
        within_secs: None,
        author: author(),
        why: why.to_owned(),
        force: false,
        if_version: Some(held.version),
        brief: !client.json,
    };
    show(client, &request, applied)
}
