//! Figures over time: traffic that was really there is read back, by device, service and protocol, also after a restart.

use serde_json::Value;

use super::client::Box;
use super::stand::{HOST, ROUTER, TEN, eventually};

/// What is fetched. **Units**: octets.
const FETCHED: u64 = 3_000_000;

#[test]
fn what_crossed_the_box_is_counted_each_way_and_stands_after_a_restart() {
    let Some((made, root)) = Box::claimed("figures") else { return };
    let serve = "mkdir -p /tmp/picket-figures && cd /tmp/picket-figures && head -c 3000000 /dev/zero >octets && \
                 exec /usr/bin/python3 -m http.server 8000";
    let _server = made.stand.router.start(serve, &made.stand.file("server"));
    eventually(TEN, "the server", || made.stand.router.shell("ss -Hltn sport = :8000 | grep -q .").is_ok());
    made.stand.host.shell(&format!("curl -sf -o /dev/null --max-time 9 http://{ROUTER}:8000/octets")).unwrap();
    // A finding, too.
    let scan = format!("nmap -n -Pn -sS -T4 --max-rate 100 --max-retries 0 --host-timeout 6s -p 1000-1060 {ROUTER}");
    made.stand.host.shell(&scan).unwrap();

    let lines = |made: &Box, reach: &str, topic: &str| {
        let series = made.get(&root, &format!("/api/v1/statistics/{reach}/{topic}"));
        assert_eq!(series.status, 200, "{series:?}");
        let series = series.json();
        let points = series["points"].as_u64().unwrap();
        assert!(points <= 300, "{series}");
        let lines = series["lines"].as_array().unwrap().clone();
        assert!(lines.iter().all(|line| line["sent"].as_array().unwrap().len() as u64 == points), "{series}");
        lines
    };
    let sum = |line: &Value, way: &str| line[way].as_array().unwrap().iter().map(|n| n.as_u64().unwrap()).sum::<u64>();
    let service = |made: &Box| {
        let all = lines(made, "hour", "services");
        all.into_iter().find(|line| line["name"] == "tcp/8000")
    };
    // What a conversation went on to carry is told at the turn of a minute.
    eventually(80, "the octets", || service(&made).is_some_and(|line| sum(&line, "received") >= FETCHED));
    let line = service(&made).unwrap();
    let (sent, received) = (sum(&line, "sent"), sum(&line, "received"));
    assert!(received < FETCHED * 11 / 10 && sent > 0 && sent < received / 10, "each way: {line}");
    for reach in ["hour", "day", "week", "month", "year"] {
        let devices = lines(&made, reach, "devices");
        assert!(devices[0]["device"].is_u64() && sum(&devices[0], "received") >= FETCHED, "{reach}: {devices:?}");
        assert_eq!(lines(&made, reach, "protocols")[0]["name"], "tcp");
    }
    let levels = lines(&made, "hour", "levels");
    assert!(levels.iter().any(|line| line["name"] == "HIGH" && sum(line, "sent") > 0), "{levels:?}");
    assert_eq!(lines(&made, "day", "sources")[0]["name"], HOST);
    for path in ["decade/devices", "day/colours"] {
        assert_eq!(made.get(&root, &format!("/api/v1/statistics/{path}")).status, 404);
    }
    let printed = made.stand.ask(&["statistics", "--reach", "hour", "--topic", "services"]);
    assert!(printed["lines"].to_string().contains("tcp/8000"), "{printed}");

    let mut made = made;
    made.stand.stop();
    made.stand.start_blocked();
    eventually(TEN, "the API to answer", || made.ask("GET", "/healthz", None, None).status == 200);
    let after = service(&made).expect("it stands after a restart");
    assert!(sum(&after, "received") >= received, "{after}");
}
