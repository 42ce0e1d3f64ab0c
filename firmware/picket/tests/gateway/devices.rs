//! What the gateway knows of devices: what they say of themselves, who takes another's address, what people write down.

use serde_json::Value;

use super::stand::{HOST, HOST_MAC, ROUTER_MAC, Stand, TEN, eventually, said};

/// Says in python, from a host's link, what a camera says: DHCP, multicast DNS, LLDP.
const SPEAK: &str = r#"
import socket
mac = bytes.fromhex(open("/sys/class/net/eth0/address").read().strip().replace(":", ""))
option = lambda code, value: bytes([code, len(value)]) + value
dhcp = bytes([1, 1, 6, 0]) + bytes(24) + mac + bytes(202) + bytes([99, 130, 83, 99]) + option(53, b"\x03") + option(12, b"front-cam") \
    + option(60, b"udhcp 1.30") + option(55, bytes([1, 3, 6, 15])) + option(161, b"https://cams.example.com/c9") + b"\xff"
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
udp.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"eth0")
udp.bind(("", 68)); udp.sendto(dhcp, ("255.255.255.255", 67))
mdns = bytes([0, 0, 0x84, 0, 0, 0, 0, 1, 0, 0, 0, 1]) + b"\x05_rtsp\x04_tcp\x05local\x00" + bytes([0, 12, 0, 1, 0, 0, 0, 9, 0, 6]) + b"\x03cam\xc0\x0c" \
    + b"\x03cam\xc0\x17" + bytes([0, 1, 0, 1, 0, 0, 0, 9, 0, 4, 192, 168, 9, 10])
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("192.168.9.10"))
udp.bind(("192.168.9.10", 5353)); udp.sendto(mdns, ("224.0.0.251", 5353))
tlv = lambda kind, value: (kind << 9 | len(value)).to_bytes(2, "big") + value
raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW); raw.bind(("eth0", 0))
raw.send(bytes.fromhex("0180c200000e") + mac + b"\x88\xcc" + tlv(1, b"\x04" + mac) + tlv(2, b"\x07a") + tlv(3, b"\x00\x78") + tlv(5, b"cam-lldp") + tlv(0, b""))
"#;

fn speak(stand: &Stand) {
    let script = stand.file("speak.py");
    std::fs::write(&script, SPEAK).unwrap();
    stand.host.shell(&format!("python3 {}", script.display())).unwrap();
}

fn names(device: &Value) -> Vec<&str> {
    device["names"].as_array().unwrap().iter().filter_map(|name| name["name"].as_str()).collect()
}

#[test]
fn a_device_is_known_by_what_it_says_and_what_is_written_down_outlives_a_restart() {
    let Some(mut stand) = Stand::build("devices") else { return };
    stand.configure("");
    stand.start();
    speak(&stand);
    let known = |stand: &Stand| stand.try_ask(&["devices", "show", HOST_MAC]).unwrap_or_default();
    eventually(TEN, "the camera to be known", || {
        known(&stand)["names"].as_array().is_some_and(|names| names.len() == 3)
            && known(&stand)["addresses"].as_array().is_some_and(|addresses| addresses.len() == 1)
    });
    let camera = known(&stand);
    assert_eq!(names(&camera), ["front-cam", "cam.local", "cam-lldp"], "{camera}");
    assert_eq!((camera["name"].as_str(), camera["kind"].as_str()), (Some("front-cam"), Some("camera")), "{camera}");
    assert!(camera["kind_reasons"].to_string().contains("_rtsp._tcp"), "{camera}");
    assert_eq!(camera["mud_url"], "https://cams.example.com/c9");
    assert_eq!((camera["side"].as_str(), camera["state"].as_str()), (Some("lan"), Some("new")));
    assert_eq!((camera["addresses"][0].as_str(), camera["randomised"].as_bool()), (Some(HOST), Some(true)));
    eventually(TEN, "the router to be known", || {
        let all = stand.ask(&["devices", "list"]);
        let router = all.as_array().unwrap().iter().find(|device| device["macs"][0] == ROUTER_MAC).cloned();
        router.is_some_and(|router| router["side"] == "uplink")
    });

    let id = camera["id"].to_string();
    let written = stand.ask(&["devices", "describe", "front-cam", "--name", "Front door", "--notes", "left of it"]);
    assert_eq!((written["name"].as_str(), written["id"].to_string()), (Some("Front door"), id.clone()));
    assert!(stand.tells(&["was described by hand"]));
    stand.stop();
    stand.start();
    let again = stand.ask(&["devices", "show", "front door"]);
    assert_eq!((names(&again), again["notes"].as_str()), (names(&camera), Some("left of it")), "{again}");
    assert_eq!(stand.ask(&["devices", "forget", &id])["state"], "forgotten");
    let gone = stand.picket(&["devices", "show", &id]);
    assert!(gone.status.code() == Some(1) && said(&gone).contains("picket devices list"), "{}", said(&gone));
}

#[test]
fn who_takes_another_s_address_is_told_and_merged_only_by_hand() {
    let Some(mut stand) = Stand::build("thief") else { return };
    stand.configure("");
    stand.start();
    let id = |stand: &Stand, mac: &str| Some(stand.try_ask(&["devices", "show", mac]).ok()?["id"].to_string());
    eventually(TEN, "the host to be known", || id(&stand, HOST_MAC).is_some());
    let thief = "02:09:00:00:00:66";
    stand.host.shell(&format!("ip link set eth0 address {thief}; ip neigh flush all")).unwrap();
    stand.router.shell("ip neigh flush all").unwrap();
    let conflicts = |stand: &Stand| stand.ask(&["devices", "show", HOST_MAC])["conflicts"].to_string();
    eventually(TEN, "the thief to be told", || stand.pings(2) < 9 && conflicts(&stand).contains(HOST));
    let (host, other) = (id(&stand, HOST_MAC).unwrap(), id(&stand, thief).unwrap());
    assert_ne!(host, other);
    let merged = stand.ask(&["devices", "merge", HOST_MAC, thief]);
    assert_eq!((merged["macs"].as_array().unwrap().len(), merged["id"].to_string()), (2, host.clone()), "{merged}");
    assert_eq!(id(&stand, thief), Some(host.clone()));
    let split = stand.ask(&["devices", "split", &host, thief]);
    assert!(split["id"] != merged["id"] && split["macs"][0] == thief, "{split}");
}

#[test]
fn an_approved_device_that_speaks_like_another_is_suspended_where_that_is_wanted() {
    let Some(mut stand) = Stand::build("impostor") else { return };
    stand.configure("[detect]\nenabled = false\n[devices]\nsuspend_impostors = true\n");
    stand.start();
    let policy =
        format!("posture = \"enforce\"\n[[device]]\nname = \"cam\"\nmacs = [\"{HOST_MAC}\"]\nstate = \"approved\"\n");
    std::fs::write(stand.file("cam.toml"), policy).unwrap();
    let applied = stand.picket(&["policy", "apply", &stand.file("cam.toml").display().to_string()]);
    assert!(applied.status.success(), "{}", said(&applied));
    let shown = |stand: &Stand| stand.try_ask(&["devices", "show", HOST_MAC]).unwrap_or_default();
    eventually(TEN, "the camera", || {
        speak(&stand);
        shown(&stand)["names"].to_string().contains("front-cam")
    });
    assert_eq!(shown(&stand)["state"], "approved", "it speaks as it always did");
    let script = SPEAK.replace("front-cam", "thief").replace("bytes([1, 3, 6, 15])", "bytes([1, 3, 43])");
    std::fs::write(stand.file("thief.py"), script).unwrap();
    stand.host.shell(&format!("python3 {}", stand.file("thief.py").display())).unwrap();
    eventually(TEN, "the quarantine", || shown(&stand)["state"] == "quarantined");
    assert!(stand.tells(&["policy", "quarantined", "cam", "another device"]));
    let approved = stand.picket(&["devices", "approve", "cam"]);
    assert!(approved.status.success(), "{}", said(&approved));
    assert_eq!(shown(&stand)["state"], "approved", "somebody decided");
}
