//! The bridge, before and without the gateway.

use std::thread::sleep;
use std::time::{Duration, Instant};

use board::{Board, Links};
use capture::{LinkState, ensure_bridge};

use crate::console::{say, uptime};

/// The bridge's name, which the gateway takes over.
pub const BRIDGE: &str = "picket0";
/// How long links may take to be there; those on USB take a few seconds.
const LIMIT: Duration = Duration::from_secs(30);
const LOOK: Duration = Duration::from_millis(20);

/// Waits for both links and bridges them. Without both it says so; the gateway goes on trying.
pub fn up() {
    let board = Board::of_this_machine().inspect_err(|error| say(error)).ok();
    if let Some(board) = &board {
        say(format_args!("this is {}", board.about));
    }
    let wanted = board.map(|board| board.links).unwrap_or_default();
    let until = Instant::now() + LIMIT;
    let pair = loop {
        let links = capture::list().unwrap_or_default();
        if let Some(pair) = choose(&wanted, &links) {
            break pair;
        }
        if Instant::now() > until {
            let there: Vec<&str> = links.iter().filter(|link| fit(link)).map(|link| link.name.as_str()).collect();
            say(format_args!("nothing passes: two links are needed and there are: {}", there.join(", ")));
            return;
        }
        sleep(LOOK);
    };
    let (lan, uplink) = pair;
    match ensure_bridge(BRIDGE, &lan, &uplink) {
        Ok(_) => say(format_args!(
            "bridge {BRIDGE} forwards between {lan} (lan) and {uplink} (uplink), {:.2} s after the kernel's start",
            uptime()
        )),
        Err(error) => say(format_args!("nothing passes: {error}")),
    }
}

/// Both links, lan first: those that the board names, else the first two of hardware.
fn choose(wanted: &Links, links: &[LinkState]) -> Option<(String, String)> {
    let named = |name: &str| links.iter().any(|link| fit(link) && link.name == name);
    if named(&wanted.lan) && named(&wanted.uplink) {
        return Some((wanted.lan.clone(), wanted.uplink.clone()));
    }
    if !wanted.lan.is_empty() {
        return None;
    }
    let mut free = links.iter().filter(|link| fit(link)).map(|link| link.name.clone());
    Some((free.next()?, free.next()?))
}

/// Ethernet of hardware, and not a radio.
fn fit(link: &LinkState) -> bool {
    link.ethernet && link.kind.is_empty() && !link.name.starts_with("wl")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links(names: &[&str]) -> Vec<LinkState> {
        let mac = terms::MacAddr::new([2, 0, 0, 0, 0, 1]);
        names.iter().map(|name| LinkState::named(name, mac)).collect()
    }

    #[test]
    fn the_boards_links_are_waited_for() {
        let wanted = Links { lan: "eth1".into(), uplink: "eth0".into() };
        assert_eq!(choose(&wanted, &links(&["eth0", "eth2"])), None);
        assert_eq!(choose(&wanted, &links(&["eth0", "eth1"])), Some(("eth1".into(), "eth0".into())));
    }

    #[test]
    fn where_the_board_names_none_hardware_is_taken_in_order() {
        let taken = choose(&Links::default(), &links(&["wlan0", "eth3", "eth5", "eth7"]));
        assert_eq!(taken, Some(("eth3".into(), "eth5".into())));
        assert_eq!(choose(&Links::default(), &links(&["wlan0", "eth3"])), None);
    }
}
