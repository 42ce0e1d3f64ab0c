//! Drawn scenes: the same for the same seed, well formed, harmless where they say so, and what they claim where they do not.

mod conversations;
mod days;
mod frames;
mod rows;
mod threats;

use models::scenes::{Made, Scene, characters, plots};
use wire::{Net, Packet};

/// A scene of each character, with each plot in one of them.
fn one_of_each(seed: u64, hours: f64) -> impl Iterator<Item = Scene> {
    let plots: Vec<_> = plots().collect();
    let scene = move |(n, character)| Scene::of((seed, n as u64), character, plots.get(n).copied(), hours, None);
    characters().enumerate().map(scene)
}

/// A scene of each plot, whatever the device.
fn one_of_each_plot(seed: u64, hours: f64) -> impl Iterator<Item = Scene> {
    let characters: Vec<_> = characters().collect();
    let character = move |n: usize| characters[(3 * n + seed as usize) % characters.len()];
    plots().enumerate().map(move |(n, plot)| Scene::of((seed, n as u64), character(n), Some(plot), hours, None))
}

fn packet(frame: &Made) -> Option<Packet<'_>> {
    let lent = frame.as_frame();
    let summary = wire::parse(lent.link, lent.octets, lent.len, lent.vlan).expect("a drawn frame is well formed");
    match summary.net {
        Net::Ip(packet) => Some(packet),
        Net::Arp(_) => None,
        Net::Lldp(_) => panic!("nobody draws LLDP"),
        Net::Other(ethertype) => panic!("nobody draws frames of type {ethertype:04x}"),
    }
}
