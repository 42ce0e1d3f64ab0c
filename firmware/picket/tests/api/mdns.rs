//! The box's name on the network: who asks for it, who hears it, and who else claims it.

use super::client::{Box, PASSWORD, ROOT};
use super::stand::{Stand, TEN, eventually};

/// `ask.py HOW OWN NAME TYPE`: asks the group and prints who answered, whether to what was asked alone, and the last four octets as an address.
///
/// `HOW` is `all` for a responder that hears what all hear, `one` for one that wants its own answer, `plain` for a program that knows
/// no multicast DNS, and `claim` to say that the name is the address `TYPE`.
const ASK: &str = r#"
import socket, struct, sys, time
how, own, name, kind = sys.argv[1:]
group = "224.0.0.251"
one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
one.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(own))
if how == "all":
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    one.bind((group, 5353))
    one.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(group) + socket.inet_aton(own))
else:
    one.bind((own, 0 if how == "plain" else 5353))
labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split(".")) + b"\0"
if how == "claim":
    record = labels + struct.pack(">HHIH", 1, 0x8001, 120, 4) + socket.inet_aton(kind)
    one.sendto(struct.pack(">6H", 0, 0x8400, 0, 1, 0, 0) + record, (group, 5353))
    sys.exit()
one.sendto(struct.pack(">6H", 7, 0, 1, 0, 0, 0) + labels + struct.pack(">HH", int(kind), 0x8001 if how == "one" else 1), (group, 5353))
until = time.time() + 1
while time.time() < until:
    one.settimeout(max(0.01, until - time.time()))
    try: said, sender = one.recvfrom(9000)
    except TimeoutError: break
    if said[2] & 0x80 and sender[0] != own:
        number, _, questions, answers = struct.unpack(">4H", said[:8])
        print(sender[0], sender[1], number, questions, answers, socket.inet_ntoa(said[-4:])); break
"#;

#[test]
fn the_box_answers_to_its_name_and_tells_of_whoever_else_does() {
    let Some(mut stand) = Stand::build("name") else { return };
    stand.configure("[api]\nlisten = [\"127.0.0.1:8443\", \"192.168.9.2:8443\"]");
    stand.start_after("sysctl -qw net.ipv4.ip_nonlocal_bind=1");
    stand.gate.shell("ip addr add 192.168.9.2/24 dev br0").unwrap();
    let made = Box { stand };
    eventually(TEN, "the API to answer", || made.ask("GET", "/healthz", None, None).status == 200);
    assert_eq!(made.claim(made.code().as_str(), PASSWORD).status, 201);
    let script = made.stand.file("ask.py");
    std::fs::write(&script, ASK).unwrap();
    let ask = |words: &str| made.stand.host.shell(&format!("python3 {} {words}", script.display())).unwrap();
    // Everybody is answered: with the question again whoever needs it, and of a type that there is none of that there is none.
    eventually(TEN, "the name", || {
        ask("plain 192.168.9.10 PICKET.local 1").trim() == "192.168.9.2 5353 7 1 1 192.168.9.2"
    });
    assert_eq!(ask("one 192.168.9.10 picket.local 1").trim(), "192.168.9.2 5353 0 0 1 192.168.9.2");
    eventually(TEN, "an answer to all", || {
        ask("all 192.168.9.10 picket.local 255").trim() == "192.168.9.2 5353 0 0 1 192.168.9.2"
    });
    assert_eq!(ask("plain 192.168.9.10 picket.local 28").trim(), "192.168.9.2 5353 7 1 2 64.0.0.0");
    for other in ["other.local 1", "picket.local 16", "local 1", "a.picket.local 1"] {
        assert_eq!(ask(&format!("plain 192.168.9.10 {other}")), "", "{other}");
    }

    // The socket hears the group alone, and stands in the list of what is open.
    let open = made.stand.gate.shell("ss -Hlun | awk '{print $4}'").unwrap();
    assert_eq!(open.trim(), "224.0.0.251:5353");
    let root = made.log_in(ROOT, PASSWORD);
    let ports = made.get(&root, "/api/v1/system/ports?limit=100").json();
    assert!(
        ports["items"].as_array().unwrap().iter().any(|row| row["port"] == 5353 && row["protocol"] == "udp"),
        "{ports}"
    );

    // Somebody else claims it: the box says so, and goes on.
    made.stand
        .router
        .shell(&format!("python3 {} claim 192.168.9.1 picket.local 192.168.9.66", script.display()))
        .unwrap();
    eventually(TEN, "the warning", || {
        made.stand.warnings().contains("192.168.9.1, says that picket.local is 192.168.9.66")
    });
    assert!(ask("plain 192.168.9.10 picket.local 1").ends_with(" 192.168.9.2\n"));
}
