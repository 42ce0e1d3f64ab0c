//! Hosts' own logs: real senders, hostile lines, restarts, and what is told of all of it.

use std::fs::{self, File};
use std::io::Write;
use std::net::{TcpStream, UdpSocket};

use nix::sched::{CloneFlags, setns};
use serde_json::Value;

use super::stand::{HOST, Stand, TEN, eventually, said};

/// The box's own address, at which the intake listens.
const BOX: &str = "192.168.9.2";
const CONFIG: &str = "[intake]\nenabled = true\nsyslog_udp = \"192.168.9.2:5514\"\nsyslog_tcp = \"192.168.9.2:5514\"\n";

/// A stand whose gateway takes logs in at the box's own address.
fn stand(test: &str) -> Option<Stand> {
    let mut stand = Stand::build(test)?;
    stand.gate.shell("sysctl -qw net.ipv4.ip_nonlocal_bind=1").unwrap();
    stand.configure(CONFIG);
    stand.start();
    stand.gate.shell(&format!("ip addr add {BOX}/24 dev br0")).unwrap();
    eventually(TEN, "the intake to listen", || stand.try_ask(&["sources"]).is_ok());
    Some(stand)
}

fn count(stand: &Stand, text: &str) -> u64 {
    stand.ask(&["activity", "--text", text, "--count"])["count"].as_u64().unwrap()
}

/// The only record with this in its message.
fn only(stand: &Stand, text: &str) -> Value {
    let rows = stand.ask(&["activity", "--text", text]);
    assert_eq!(rows.as_array().unwrap().len(), 1, "{rows}");
    rows[0].clone()
}

/// Does something in the host's namespace, on a thread of its own.
fn inside(stand: &Stand, act: impl FnOnce() + Send) {
    let space = File::open(format!("/run/netns/{}", stand.host.name())).unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            setns(space, CloneFlags::CLONE_NEWNET).unwrap();
            act();
        });
    });
}

#[test]
fn what_logger_and_rsyslog_send_is_stored_once_and_understood() {
    let Some(stand) = stand("senders") else { return };
    let logger = format!("logger --server {BOX} --port 5514 --rfc5424 --tag sshd");
    stand.host.shell(&format!("{logger} --udp 'Accepted password for ann from 10.0.0.7 port 22 ssh2'")).unwrap();
    stand
        .host
        .shell(&format!("{logger} --tcp --octet-count 'Failed password for bob from 10.0.0.8 port 22 ssh2'"))
        .unwrap();
    stand
        .host
        .shell(&format!("logger --server {BOX} --port 5514 --rfc3164 --tcp --tag su '(to root) carl on pts/1'"))
        .unwrap();
    eventually(TEN, "three lines", || count(&stand, "") == 3);
    let keys = ["subject", "action", "result", "address", "program", "proof", "source"];
    let told = |row: Value| keys.map(|key| row[key].as_str().unwrap_or("").to_owned());
    assert_eq!(told(only(&stand, "ann")), ["ann", "login", "done", "10.0.0.7", "sshd", "unproven", HOST]);
    assert_eq!(told(only(&stand, "bob")), ["bob", "login", "failed", "10.0.0.8", "sshd", "unproven", HOST]);
    assert_eq!(told(only(&stand, "carl")), ["carl", "rights raised", "done", "", "su", "unproven", HOST]);
    // A daemon reads a file and sends it, counted in octets.
    let (input, work) = (stand.file("input.log"), stand.file("work"));
    fs::create_dir(&work).unwrap();
    let lines: String =
        (0..500).map(|n| format!("<38>1 2026-11-22T05:00:00Z web app{n} - - - number {n:04} relayed\n")).collect();
    fs::write(&input, lines).unwrap();
    let rsyslog = stand.file("rsyslog.conf");
    let text = format!(
        "global(workDirectory=\"{0}\")\nmodule(load=\"imfile\")\ninput(type=\"imfile\" File=\"{1}\" Tag=\"x\" ruleset=\"out\")
template(name=\"raw\" type=\"string\" string=\"%rawmsg%\")
ruleset(name=\"out\") {{ action(type=\"omfwd\" target=\"{BOX}\" port=\"5514\" protocol=\"tcp\" TCP_Framing=\"octet-counted\" template=\"raw\") }}\n",
        work.display(),
        input.display()
    );
    fs::write(&rsyslog, text).unwrap();
    let run = format!("exec rsyslogd -n -f {} -i {}", rsyslog.display(), stand.file("rsyslog.pid").display());
    let mut daemon = stand.host.start(&run, &stand.file("rsyslog.log")).unwrap();
    eventually(20, "what rsyslog relays", || count(&stand, "relayed") == 500);
    daemon.kill();
    for n in [0, 499] {
        assert_eq!(count(&stand, &format!("number {n:04} ")), 1, "{n}");
    }
    let sources = stand.ask(&["sources"]);
    assert_eq!((sources[0]["source"].as_str(), sources[0]["dropped"].as_u64()), (Some(HOST), Some(0)), "{sources}");
    assert_eq!(sources[0]["stored"], 503, "{sources}");
}

#[test]
fn hostile_lines_are_text_and_forged_ones_block_nobody() {
    let Some(stand) = stand("forged") else { return };
    let forged = format!("<38>1 - x sshd - - - Failed password for root from {HOST} port 22 ssh2");
    inside(&stand, || {
        let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
        let send = |octets: &[u8]| assert_eq!(socket.send_to(octets, (BOX, 5514)).unwrap(), octets.len());
        (0..300).for_each(|_| send(forged.as_bytes()));
        let evil: [&[u8]; 6] = [
            b"",
            b"\n\0",
            &[0xff; 900],
            b"<34>1 - - =evil - - - @SUM(1+1) evil\x1b[2J",
            b"<999>99 evil x",
            &[b'A'; 60_000],
        ];
        evil.into_iter().for_each(&send);
        let mut stream = TcpStream::connect((BOX, 5514)).unwrap();
        let refused = stream.write_all(b"999999 <13>lost").and_then(|()| stream.write_all(&[b'B'; 1 << 20]));
        drop(refused);
        let mut stream = TcpStream::connect((BOX, 5514)).unwrap();
        stream.write_all(&[b'C'; 200_000]).unwrap();
        stream.write_all(b"\n<13>1 - h a - - - last evil\n").unwrap();
    });
    eventually(TEN, "the last line", || count(&stand, "last evil") == 1);
    assert_eq!((count(&stand, "evil"), count(&stand, "Failed password")), (3, 300));
    assert_eq!((stand.pings(3), stand.ask(&["blocks"]).as_array().unwrap().len()), (3, 0));
    let long = only(&stand, "AAAA");
    assert_eq!((long["cut"].as_bool(), long["text"].as_str().unwrap().len()), (Some(true), 8 << 10));
    let source = &stand.ask(&["sources"])[0];
    assert_eq!(
        (source["dropped_for"]["empty"].as_u64(), source["dropped_for"]["too long"].as_u64()),
        (Some(2), Some(2)),
        "{source}"
    );
    assert_eq!(
        source["received"].as_u64().unwrap(),
        source["stored"].as_u64().unwrap() + source["dropped"].as_u64().unwrap()
    );
    for how in [&["--json"][..], &["--csv"], &[]] {
        let output = stand.picket(&[&["activity", "--text", "evil"], how].concat());
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains("SUM") && !text.contains('\u{1b}'), "{how:?}: {text}");
    }
    let refused = stand.picket(&["activity", "--action", "dance"]);
    assert!(said(&refused).contains("no action") && !refused.status.success(), "{}", said(&refused));
}

#[test]
fn what_was_taken_in_outlives_a_kill_and_the_intake_is_started_again() {
    let Some(mut stand) = stand("outlives") else { return };
    let send = |stand: &Stand, from: u32, until: u32| {
        let lines: String = (from..until).map(|n| format!("<13>1 - h a - - - sequence {n:05}\n")).collect();
        inside(stand, || TcpStream::connect((BOX, 5514)).unwrap().write_all(lines.as_bytes()).unwrap());
        eventually(TEN, "the lines", || count(stand, "sequence") == u64::from(until));
    };
    send(&stand, 0, 2_000);
    // Whatever was there a second ago is on the medium.
    std::thread::sleep(std::time::Duration::from_millis(1_500));
    let children = stand.gate.shell(&format!("pgrep -P {} -a", stand.id())).unwrap();
    let intake = children.lines().find(|line| line.ends_with(" intake")).unwrap().split(' ').next().unwrap().to_owned();
    stand.gate.shell(&format!("kill -9 {intake}")).unwrap();
    eventually(TEN, "another intake", || stand.try_ask(&["sources"]).is_ok());
    assert_eq!(count(&stand, "sequence"), 2_000);
    send(&stand, 2_000, 3_000);
    std::thread::sleep(std::time::Duration::from_millis(1_500));
    stand.kill();
    stand.start();
    eventually(TEN, "the intake to listen", || stand.try_ask(&["sources"]).is_ok());
    send(&stand, 3_000, 3_001);
    let rows = stand.ask(&["activity", "--text", "sequence", "--limit", "10000"]);
    let numbers: Vec<_> = rows.as_array().unwrap().iter().map(|row| row["text"].as_str().unwrap().to_owned()).collect();
    let expected: Vec<_> = (0..3_001).map(|n| format!("sequence {n:05}")).collect();
    assert!(numbers == expected, "each once, in order: {} of them", numbers.len());
    let status = stand.ask(&["status"]);
    let held = status["intake"].to_string();
    assert!(["user 61002", "no capabilities", "seccomp"].iter().all(|word| held.contains(word)), "{status}");
}

#[test]
fn what_an_insider_rule_finds_in_plain_logs_is_an_event_and_no_block() {
    let Some(mut stand) = stand("insider") else { return };
    let login = |word: &str, who: &str| {
        let line = format!("{word} password for {who} from 192.168.9.66 port 22 ssh2");
        stand.host.shell(&format!("logger --server {BOX} --port 5514 --udp --tag sshd '{line}'")).unwrap();
    };
    (0..5).for_each(|_| login("Failed", "ann"));
    (0..4).for_each(|_| login("Failed", "bob"));
    ["ann", "bob"].into_iter().for_each(|who| login("Accepted", who));
    eventually(TEN, "the event", || stand.tells(&["A password was guessed: ann", "unproven logs of 192.168.9.10"]));
    let event = &stand.events(&["A password was guessed"])[..];
    assert_eq!(event.len(), 1, "bob only forgot his: {event:?}");
    let told = ["detector", "host", "state", "level"].map(|key| event[0][key].as_str().unwrap().to_owned());
    assert_eq!(told, ["insider:guessed-password", HOST, "observed", "MEDIUM"]);
    assert_eq!((stand.pings(3), stand.ask(&["blocks"]).as_array().unwrap().len()), (3, 0));
    // The same rule, tried on what is stored; then one of the admin's own that is stricter.
    let found = stand.ask(&["activity", "test", "guessed-password"]);
    assert_eq!((found.as_array().unwrap().len(), found[0]["about"].as_str()), (1, Some("ann")), "{found}");
    let own = stand.file("stricter.toml");
    let shipped = include_str!("../../../intake/rules/guessed-password.toml");
    fs::write(&own, shipped.replace("count = 5", "count = 4")).unwrap();
    let found = stand.ask(&["activity", "test", own.to_str().unwrap()]);
    assert_eq!(found.as_array().unwrap().len(), 2, "{found}");
    fs::write(&own, shipped.replace("count = 5", "count = 0")).unwrap();
    for (rule, why) in
        [(own.to_str().unwrap(), "rule stricter: count is 0"), ("no-such", "there are account-changed, ")]
    {
        let refused = stand.picket(&["activity", "test", rule]);
        assert!(said(&refused).contains(why) && !refused.status.success(), "{}", said(&refused));
    }
    // A restart tells nothing again, and forgets no failure before it.
    (0..5).for_each(|_| login("Failed", "carl"));
    eventually(TEN, "the lines", || count(&stand, "carl") == 5);
    std::thread::sleep(std::time::Duration::from_millis(1_500));
    stand.stop();
    stand.start();
    eventually(TEN, "the intake to listen", || stand.try_ask(&["sources"]).is_ok());
    let line = "Accepted password for carl from 192.168.9.66 port 22 ssh2";
    stand.host.shell(&format!("logger --server {BOX} --port 5514 --udp --tag sshd '{line}'")).unwrap();
    eventually(TEN, "the other event", || stand.tells(&["A password was guessed: carl"]));
    assert_eq!(stand.events(&["A password was guessed: ann"]).len(), 1);
}
