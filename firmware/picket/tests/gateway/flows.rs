//! What devices did: the time machine and the shadow say what the kernel does, and a proposal lets a device go on.

use std::collections::BTreeSet;

use lab::process::Process;

use super::policy::{CLOUD, OTHER, apply, device};
use super::stand::{HOST, ROUTER, Stand, eventually, said};

/// A gateway with detection off that tolerates everything, a name server for the device, and an address that only it is told.
fn stand(test: &str) -> Option<(Stand, Process)> {
    let mut stand = Stand::build(test)?;
    stand.configure("[detect]\nenabled = false\n");
    stand.start();
    std::fs::write(stand.file("open.toml"), format!("posture = \"protect\"\n{}", device())).unwrap();
    apply(&stand, "open.toml", &[]);
    stand.router.shell(&format!("ip addr add {CLOUD}/24 dev eth0; ip addr add {OTHER}/24 dev eth0")).unwrap();
    let server = format!(
        "exec dnsmasq --keep-in-foreground --no-resolv --no-hosts --user=root --pid-file= --local-ttl=1 \
         --address=/cloud.example.com/{CLOUD}"
    );
    let server = stand.router.start(&server, &stand.file("dnsmasq.log")).unwrap();
    let asked = || stand.host.shell(&format!("dig +short +tries=1 +time=1 @{ROUTER} cloud.example.com || true"));
    eventually(10, "the name server", || asked().unwrap().trim() == CLOUD);
    Some((stand, server))
}

/// Knocks at TCP and UDP ports; those that answer nothing, as `address tcp/port`. Where nobody listens the router refuses aloud.
fn unanswered(stand: &Stand, targets: &[&str], ports: &str) -> BTreeSet<String> {
    let scan = format!(
        "nmap -n -Pn -sT -sU -p T:{ports},U:{ports} --max-retries 1 --initial-rtt-timeout 300ms --min-parallelism 20 -oG - {}",
        targets.join(" ")
    );
    // The router tells one UDP port a second at most that nobody listens.
    stand.router.shell("sysctl -q net.ipv4.icmp_ratelimit=0").unwrap();
    let told = stand.host.shell(&scan).unwrap();
    let hosts = told.lines().filter_map(|line| line.strip_prefix("Host: ")).filter(|line| line.contains("Ports:"));
    let silent = hosts.flat_map(|line| {
        let address = line.split(' ').next().unwrap_or_default().to_owned();
        let ports = line.split("Ports: ").nth(1).unwrap_or_default().split('\t').next().unwrap_or_default();
        let each = ports.split(", ").filter_map(move |port| {
            let fields: Vec<&str> = port.trim().split('/').collect();
            let silent = fields.get(1).is_some_and(|state| state.contains("filtered"));
            silent.then(|| format!("{address} {}/{}", fields[2], fields[0]))
        });
        each.collect::<Vec<_>>()
    });
    silent.collect()
}

#[test]
fn the_time_machine_says_of_the_past_what_the_kernel_then_does() {
    let Some((stand, _server)) = stand("flows-machine") else { return };
    let rules =
        [(ROUTER, "tcp/5000-5003"), (ROUTER, "udp/5002-5005"), ("*.example.com", "tcp/5001-5004"), (OTHER, "udp/5007")];
    let rule = |(n, (to, service)): (usize, &(&str, &str))| {
        format!("[[allow]]\nname = \"r{n}\"\nwho = \"pc\"\nto = \"{to}\"\nservice = \"{service}\"\n")
    };
    let rules: String = rules.iter().enumerate().map(rule).collect();
    let deny = format!("[[deny]]\nname = \"no\"\nwho = \"lan\"\nto = \"{ROUTER}\"\nservice = \"udp/5003\"\n");
    std::fs::write(stand.file("draft.toml"), format!("posture = \"enforce\"\n{}{rules}{deny}", device())).unwrap();
    let targets = [ROUTER, CLOUD, OTHER];
    assert_eq!(unanswered(&stand, &targets, "5000-5007"), BTreeSet::new(), "nothing is cut yet");
    let draft = stand.file("draft.toml").display().to_string();
    let tried = || stand.ask(&["policy", "timemachine", &draft]);
    let wanted = |row: &serde_json::Value| row["service"].as_str().is_some_and(|s| s.contains("/500"));
    let cut = || -> BTreeSet<String> {
        let told = tried();
        let rows = told["differences"].as_array().unwrap().iter().filter(|row| wanted(row));
        let peer = |row: &serde_json::Value| match row["peer"].as_str() {
            Some("cloud.example.com") => CLOUD.to_owned(),
            peer => peer.unwrap_or_default().to_owned(),
        };
        rows.map(|row| format!("{} {}", peer(row), row["service"].as_str().unwrap_or_default())).collect()
    };
    eventually(10, "all to be written down", || tried()["conversations"].as_u64() >= Some(48));
    let said_before = cut();
    assert_eq!(said_before.len(), 48 - 4 - 3 - 4 - 1, "{said_before:?}");
    let of_a_day = stand.ask(&["policy", "diff", &draft]);
    assert_eq!(of_a_day["day"]["cut"], tried()["cut"]);
    apply(&stand, "draft.toml", &[]);
    assert_eq!(unanswered(&stand, &targets, "5000-5007"), said_before);
}

#[test]
fn a_device_is_learnt_watched_and_held_to_what_it_does() {
    let Some((mut stand, _server)) = stand("flows-propose") else { return };
    assert_eq!(unanswered(&stand, &[CLOUD], "6001"), BTreeSet::new());
    assert_eq!(stand.pings(1), 1);
    let flows = || stand.ask(&["flows", "--device", "pc"]);
    eventually(10, "the flows", || {
        let services: BTreeSet<String> =
            flows().as_array().unwrap().iter().map(|row| row["service"].as_str().unwrap_or_default().into()).collect();
        ["ping", "tcp/6001", "udp/6001"].iter().all(|service| services.contains(*service))
    });
    let named = flows().as_array().unwrap().iter().any(|row| row["names"][0] == "cloud.example.com");
    assert!(named, "{}", flows());
    // What was written down outlives a restart.
    stand.stop();
    stand.start();
    let proposal = stand.ask(&["devices", "propose", HOST]);
    let text = proposal["text"].as_str().unwrap();
    assert!(text.contains("cloud.example.com") && text.contains("tcp/6001"), "{text}");
    let run = |words: &[&str]| {
        let output = stand.picket(words);
        assert!(output.status.success(), "{}: {}", words.join(" "), said(&output));
        String::from_utf8(output.stdout).unwrap()
    };
    run(&["devices", "shadow", "pc"]);
    assert_eq!(unanswered(&stand, &[OTHER], "6002"), BTreeSet::new(), "a shadow cuts nothing");
    let seen = || stand.ask(&["devices", "shadow", "pc"]);
    eventually(10, "the shadow", || seen()["cut"] == 2);
    assert!(seen()["differences"][0]["allow"].as_str().unwrap().contains(OTHER));
    let summary = run(&["devices", "enforce", "pc"]);
    assert!(summary.contains("pc loses: tcp/6002"), "{summary}");
    let both = BTreeSet::from([format!("{OTHER} tcp/6002"), format!("{OTHER} udp/6002")]);
    assert_eq!(unanswered(&stand, &[OTHER], "6002"), both);
    assert_eq!(unanswered(&stand, &[CLOUD], "6001"), BTreeSet::new(), "what it did goes on");
    assert_eq!(stand.pings(1), 1);
    let described = run(&["mud", "write", "pc"]);
    let file = stand.file("pc.json");
    std::fs::write(&file, described).unwrap();
    let read = std::process::Command::new(super::stand::binary()).args(["mud", "read"]).arg(&file).output().unwrap();
    assert!(String::from_utf8(read.stdout).unwrap().contains("cloud.example.com"));
}
