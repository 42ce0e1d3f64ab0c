//! A device that begins conversations without end: told by name, kept from more, and alone in that.

use lab::namespace::Namespace;

use super::policy::{apply, device};
use super::stand::{HOST, HOST_MAC, ROUTER, Stand, eventually, pings};

const OTHER: &str = "192.168.9.11";
const OTHER_MAC: &str = "02:09:00:00:00:11";

#[test]
fn a_device_that_begins_conversations_without_end_is_told_and_the_others_go_on() {
    let Some(mut stand) = Stand::build("room") else { return };
    stand.configure("[detect]\nenabled = false\n");
    // A switch behind the host, with another device on it.
    let other = Namespace::create("room-other").unwrap();
    let switch = format!(
        "ip addr flush dev eth0; ip link add sw type bridge mcast_snooping 0; ip link set eth0 master sw
         ip link add p0 type veth peer name eth0 netns {}; ip link set p0 master sw up
         ip link set sw address {HOST_MAC}; ip addr add {HOST}/24 dev sw; ip link set sw up",
        other.name()
    );
    stand.host.shell(&switch).unwrap();
    other
        .shell(&format!("ip link set eth0 address {OTHER_MAC}; ip addr add {OTHER}/24 dev eth0; ip link set eth0 up"))
        .unwrap();
    let text = format!(
        "posture = \"enforce\"\nnew = \"nothing\"\n{}[[device]]\nname = \"desk\"\nmacs = [\"{OTHER_MAC}\"]\nstate = \"approved\"\n\
         [[allow]]\nname = \"all\"\nwho = \"lan\"\nto = \"uplink\"\n",
        device()
    );
    std::fs::write(stand.file("all.toml"), text).unwrap();
    stand.start();
    apply(&stand, "all.toml", &[]);
    eventually(10, "the other device's ping", || pings(&other, 1, ROUTER, &[]) == 1);
    let log = stand.file("ping.log");
    let _pinging = stand.host.start(&format!("exec ping -n -i 0.5 {ROUTER}"), &log).unwrap();
    let answers = || std::fs::read_to_string(&log).unwrap_or_default().matches("bytes from").count();
    eventually(10, "the host's own ping", || answers() > 0);
    // Some thousands a second, each from a port of its own: many times what a device may begin.
    let flood = format!("exec hping3 -q --udp -p 9 -i u300 {ROUTER}");
    let _flood = stand.host.start(&flood, &stand.file("flood.log")).unwrap();
    eventually(60, "the event about its pace", || stand.tells(&["refused", "pc began", "faster than is let pass"]));
    eventually(120, "the event about its cap", || stand.tells(&["refused", "pc began", "as many as there may be"]));
    let before = answers();
    assert_eq!(pings(&other, 3, ROUTER, &["-i", "0.2"]), 3, "the other device begins what it likes");
    eventually(10, "the host's own ping", || answers() > before + 1);
    let status = stand.ask(&["status"]);
    let counted = status["blocked_frames"]["refused_device_full"].as_u64().unwrap_or_default();
    assert!(counted > 0, "{status}");
    assert!(!stand.tells(&["refused", "desk began"]) && stand.warnings().is_empty(), "{}", stand.warnings());
}
