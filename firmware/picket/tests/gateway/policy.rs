//! Policies on a running gateway: what they cut and let pass, trials that end by themselves, names that a device was told.

use super::stand::{HOST, HOST_MAC, ROUTER, Stand, eventually, pings, said};

/// An address of the router's other self, and one that nobody is told.
pub const CLOUD: &str = "192.168.9.77";
pub const OTHER: &str = "192.168.9.78";

pub fn device() -> String {
    format!("[[device]]\nname = \"pc\"\nmacs = [\"{HOST_MAC}\"]\naddresses = [\"{HOST}\"]\nstate = \"approved\"\n")
}

fn allow(name: &str, to: &str, service: &str) -> String {
    format!("[[allow]]\nname = \"{name}\"\nwho = \"pc\"\nto = \"{to}\"\nservice = \"{service}\"\n")
}

/// A gateway with detection off, and files with policies.
fn stand(test: &str) -> Option<Stand> {
    let stand = Stand::build(test)?;
    stand.configure("[detect]\nenabled = false\n");
    let policy = |name: &str, text: String| std::fs::write(stand.file(name), text).unwrap();
    policy("open.toml", "posture = \"observe\"\n".into());
    policy("shut.toml", format!("posture = \"enforce\"\nnew = \"nothing\"\n{}", device()));
    policy("ping.toml", format!("posture = \"enforce\"\n{}{}", device(), allow("to-router", ROUTER, "ping")));
    let never = allow("to-router", ROUTER, "ping") + &allow("never", "uplink", "ping").replace("allow", "deny");
    policy("never.toml", format!("posture = \"enforce\"\n{}{never}", device()));
    let names = allow("cloud", "*.example.com", "ping") + &allow("dns", ROUTER, "udp/53");
    policy("names.toml", format!("posture = \"enforce\"\n{}{names}", device()));
    Some(stand)
}

fn policy(stand: &Stand, words: &[&str]) {
    let output = stand.picket(&[&["policy"], words].concat());
    assert!(output.status.success(), "policy {}: {}", words.join(" "), said(&output));
}

pub fn apply(stand: &Stand, file: &str, more: &[&str]) {
    let file = stand.file(file).display().to_string();
    policy(stand, &[&["apply", &file], more].concat());
}

#[test]
fn a_policy_lets_pass_what_it_allows_and_says_which_rule_does() {
    let Some(mut stand) = stand("policy-plain") else { return };
    stand.start();
    apply(&stand, "ping.toml", &[]);
    assert_eq!(stand.pings(3), 3);
    let explain = |service: &str| stand.ask(&["policy", "explain", "pc", ROUTER, service]);
    assert_eq!(explain("ping")["rule"], "to-router");
    assert_eq!(explain("tcp/22")["decision"], "deny");
    apply(&stand, "shut.toml", &[]);
    assert_eq!(stand.pings(2), 0, "what was known ends with its rule");
    eventually(5, "the event", || stand.tells(&["denied", HOST, ROUTER, "no rule allows it"]));
    apply(&stand, "ping.toml", &[]);
    let running = stand.file("running.log");
    let _running = stand.host.start(&format!("exec ping -n -i 0.2 {ROUTER}"), &running).unwrap();
    let answers = || std::fs::read_to_string(&running).unwrap_or_default().matches("bytes from").count();
    eventually(5, "answers", || answers() > 3);
    apply(&stand, "never.toml", &[]);
    std::thread::sleep(std::time::Duration::from_millis(500));
    let before = answers();
    std::thread::sleep(std::time::Duration::from_millis(1_500));
    assert_eq!(answers(), before, "a conversation that is under way ends with the deny");
    eventually(5, "the event with the rule", || stand.tells(&["denied", HOST, ROUTER, "rule never denies it"]));
    policy(&stand, &["revert"]);
    assert_eq!(stand.pings(3), 3, "as before the last one");
    let quarantined = stand.picket(&["devices", "quarantine", HOST]);
    assert!(quarantined.status.success(), "{}", said(&quarantined));
    assert_eq!(stand.pings(2), 0);
    let paused = stand.picket(&["posture", "observe", "--for", "10s"]);
    assert!(paused.status.success(), "{}", said(&paused));
    assert_eq!(stand.pings(2), 2);
    eventually(20, "the pause to end by itself", || stand.pings(1) == 0);
    assert_eq!(
        stand.ask(&["devices", "list"]).as_array().unwrap().iter().filter(|d| d["state"] == "quarantined").count(),
        1
    );
}

#[test]
fn a_device_that_knocks_at_what_is_denied_is_told_once_and_not_blocked() {
    let Some(mut stand) = stand("policy-knocks") else { return };
    stand.configure("[detect]\ndenied_services_per_hour = 3\n");
    stand.start();
    apply(&stand, "shut.toml", &[]);
    let knock = |ports: &str| {
        let line = format!("for p in {ports}; do timeout 1 bash -c \"exec 3<>/dev/tcp/{ROUTER}/$p\" & done; wait");
        stand.host.shell(&format!("{{ {line}; }} 2>/dev/null || true")).unwrap();
    };
    let told = || {
        let events = stand.ask(&["events"]);
        let by_policy = |event: &&serde_json::Value| event["detector"] == "rule:denied_services";
        events.as_array().unwrap().iter().filter(by_policy).cloned().collect::<Vec<_>>()
    };
    knock("7001 7002 7003");
    eventually(5, "the denials", || stand.events(&["denied", HOST, "no rule allows it"]).len() >= 3);
    assert_eq!(told(), [] as [serde_json::Value; 0], "three are allowed for");
    knock("7004");
    eventually(5, "the finding", || !told().is_empty());
    let event = told().remove(0);
    assert_eq!(
        (&event["host"], &event["state"], &event["level"]),
        (&HOST.into(), &"observed".into(), &"MEDIUM".into())
    );
    knock("7005 7006");
    eventually(5, "the denials", || stand.tells(&["denied", HOST, "tcp/7006"]));
    assert_eq!(told().len(), 1, "once is enough");
    assert_eq!(stand.ask(&["blocks"]), serde_json::json!([]));
}

#[test]
fn what_is_allowed_for_a_time_ends_by_itself_and_a_preset_is_put_in_force() {
    let Some(mut stand) = stand("policy-allow") else { return };
    stand.start();
    apply(&stand, "shut.toml", &[]);
    assert_eq!(stand.pings(1), 0);
    let unknown = stand.picket(&["policy", "allow", "nobody", ROUTER, "ping"]);
    assert!(!unknown.status.success() && said(&unknown).contains("no device and no group"), "{}", said(&unknown));
    policy(&stand, &["allow", "pc", ROUTER, "ping", "--for", "6s", "--why", "to try"]);
    assert_eq!(stand.pings(2), 2);
    assert!(stand.ask(&["policy", "explain", "pc", ROUTER, "ping"])["rule"].as_str().unwrap().starts_with("by hand"));
    eventually(15, "its end", || stand.pings(1) == 0);
    policy(&stand, &["preset", "local-only", "pc", "--apply"]);
    assert_eq!(stand.pings(2), 2);
    assert_eq!(stand.ask(&["policy", "explain", "pc", "203.0.113.7", "https"])["rule"], "pc local-only");
    let lacking = stand.picket(&["policy", "preset", "vendor-cloud", "pc"]);
    assert!(said(&lacking).contains("needs --with"), "{}", said(&lacking));
    let listed = stand.picket(&["policy", "preset"]).stdout;
    assert!(String::from_utf8_lossy(&listed).contains("camera-to-recorder"));
}

#[test]
fn a_policy_that_nobody_confirms_goes_by_itself_also_after_a_kill() {
    let Some(mut stand) = stand("policy-trial") else { return };
    stand.start();
    apply(&stand, "open.toml", &[]);
    apply(&stand, "shut.toml", &["--confirm-within", "15"]);
    let until = std::time::Instant::now() + std::time::Duration::from_secs(14);
    assert_eq!(stand.pings(2), 0);
    stand.kill();
    assert_eq!(stand.pings(2), 0, "the last ruleset stands");
    stand.start_blocked();
    while std::time::Instant::now() < until {
        assert_eq!(stand.pings(1), 0, "not before its time");
    }
    eventually(15, "the policy before", || stand.pings(1) == 1);
    let history = stand.ask(&["policy", "history"]);
    assert_eq!(history.as_array().unwrap().last().unwrap()["act"], "revert");
    apply(&stand, "shut.toml", &["--confirm-within", "10"]);
    let stranger = stand.gate.shell(&format!(
        "SUDO_USER=stranger {} policy confirm --config {} 2>&1 || true",
        super::stand::binary(),
        stand.file("picket.toml").display()
    ));
    assert!(stranger.unwrap().contains("only they can confirm it"));
    policy(&stand, &["confirm"]);
    std::thread::sleep(std::time::Duration::from_secs(12));
    assert_eq!(stand.pings(1), 0, "what was confirmed stays");
}

#[test]
fn a_name_opens_the_addresses_that_the_device_was_told_and_no_others() {
    let Some(mut stand) = stand("policy-names") else { return };
    stand.start();
    stand.router.shell(&format!("ip addr add {CLOUD}/24 dev eth0; ip addr add {OTHER}/24 dev eth0")).unwrap();
    let server = format!(
        "exec dnsmasq --keep-in-foreground --no-resolv --no-hosts --user=root --pid-file= --local-ttl=1 \
         --address=/cloud.example.com/{CLOUD} --address=/elsewhere.org/{OTHER}"
    );
    let _server = stand.router.start(&server, &stand.file("dnsmasq.log")).unwrap();
    apply(&stand, "names.toml", &[]);
    let ask = |name: &str| stand.host.shell(&format!("dig +short +tries=5 +time=1 @{ROUTER} {name}")).unwrap();
    assert_eq!(pings(&stand.host, 1, CLOUD, &[]), 0, "nobody was told");
    assert_eq!(ask("elsewhere.org").trim(), OTHER);
    assert_eq!(ask("cloud.example.com").trim(), CLOUD);
    eventually(5, "the address to be open", || pings(&stand.host, 1, CLOUD, &[]) == 1);
    assert_eq!(pings(&stand.host, 2, OTHER, &[]), 0, "no rule is about that name");
    assert_eq!(stand.ask(&["policy", "explain", "pc", CLOUD, "ping"])["rule"], "cloud");
    assert_eq!(stand.ask(&["policy", "explain", "pc", "a.example.com", "ping"])["rule"], "cloud");
    stand.kill();
    assert_eq!(pings(&stand.host, 2, CLOUD, &[]), 2, "a daemon that is dead cuts nobody");
}

#[test]
fn every_address_of_a_long_answer_is_open_over_udp_and_over_tcp() {
    let Some(mut stand) = stand("policy-long-answers") else { return };
    let dns = allow("dns", ROUTER, "udp/53") + &allow("dns-tcp", ROUTER, "tcp/53");
    let text = format!("posture = \"enforce\"\n{}{}{dns}", device(), allow("cloud", "*.example.com", "ping"));
    std::fs::write(stand.file("long.toml"), text).unwrap();
    let hosts = |name: &str, net: u8, count: u8| {
        (1..=count).fold(String::new(), |all, n| format!("{all}10.77.{net}.{n} {name}.example.com\n"))
    };
    std::fs::write(stand.file("hosts"), hosts("sixty", 1, 60) + &hosts("many", 2, 200)).unwrap();
    stand.start();
    stand.router.shell("ip route add local 10.77.0.0/16 dev lo").unwrap();
    stand.host.shell(&format!("ip route add 10.77.0.0/16 via {ROUTER}")).unwrap();
    let server = format!(
        "exec dnsmasq --keep-in-foreground --no-resolv --no-hosts --user=root --pid-file= --local-ttl=0 --addn-hosts={}",
        stand.file("hosts").display()
    );
    let _server = stand.router.start(&server, &stand.file("dnsmasq.log")).unwrap();
    apply(&stand, "long.toml", &[]);
    for (name, how, net, count) in [("sixty", "+notcp +ignore", 1, 60), ("many", "+tcp", 2, 200)] {
        let last = format!("10.77.{net}.{count}");
        assert_eq!(pings(&stand.host, 1, &last, &[]), 0, "nobody was told {last}");
        let answer = stand.host.shell(&format!("dig +short +tries=5 +time=1 {how} @{ROUTER} {name}.example.com"));
        assert_eq!(answer.unwrap().lines().count(), count, "{name}");
        eventually(5, "the last address to be open", || pings(&stand.host, 1, &last, &[]) == 1);
        for n in [1, count / 2, count - 1] {
            assert_eq!(pings(&stand.host, 1, &format!("10.77.{net}.{n}"), &[]), 1, "{name} {n}");
        }
    }
    assert_eq!(pings(&stand.host, 1, "10.77.2.201", &[]), 0, "what nobody was told stays closed");
}

#[test]
fn a_policy_that_cannot_be_written_does_not_hold() {
    let Some(mut stand) = stand("policy-unwritten") else { return };
    stand.start();
    apply(&stand, "ping.toml", &[]);
    std::fs::rename(stand.file("store/state/policy"), stand.file("away")).unwrap();
    let shut = stand.file("shut.toml").display().to_string();
    for trial in [&[][..], &["--confirm-within", "60"]] {
        let refused = stand.picket(&[&["policy", "apply", &shut], trial].concat());
        assert!(!refused.status.success() && said(&refused).contains("can't be written"), "{}", said(&refused));
        assert_eq!(stand.ask(&["policy", "explain", "pc", ROUTER, "ping"])["rule"], "to-router");
        assert_eq!(stand.pings(3), 3);
    }
    std::fs::rename(stand.file("away"), stand.file("store/state/policy")).unwrap();
    apply(&stand, "shut.toml", &[]);
    assert_eq!(stand.pings(2), 0);
}

#[test]
fn the_posture_of_an_applied_policy_counts_after_a_restart_too() {
    let Some(mut stand) = Stand::build("policy-posture") else { return };
    stand.configure("posture = \"protect\"\n");
    std::fs::write(stand.file("open.toml"), "posture = \"observe\"\n").unwrap();
    stand.start();
    apply(&stand, "open.toml", &[]);
    stand.stop();
    stand.start();
    assert_eq!(stand.ask(&["status"])["posture"], "observe");
    let scan = format!("nmap -n -Pn -sS -p 1-200 --max-retries 0 {ROUTER} || true");
    stand.host.shell(&scan).unwrap();
    eventually(10, "the finding", || stand.tells(&["the posture is observe"]));
    assert!(stand.ask(&["blocks"]).as_array().unwrap().is_empty());
}

#[test]
fn a_device_that_is_away_too_long_is_new_again_and_one_step_back_undoes_it() {
    let Some(mut stand) = stand("policy-away") else { return };
    stand.configure("[detect]\nenabled = false\n[devices]\nforget_after = \"3s\"\n");
    let away = "[[device]]\nname = \"lamp\"\nmacs = [\"02:00:00:00:aa:01\"]\nstate = \"approved\"\n";
    let rule = allow("lan-router", ROUTER, "ping").replace("\"pc\"", "\"lan\"");
    std::fs::write(stand.file("away.toml"), format!("posture = \"enforce\"\n{}{away}{rule}", device())).unwrap();
    stand.start();
    apply(&stand, "away.toml", &[]);
    let approved = |name: &str| {
        let text = stand.ask(&["policy", "show"])["text"].as_str().unwrap_or_default().to_owned();
        let of = text.split("[[device]]").find(|table| table.contains(&format!("\"{name}\""))).unwrap_or_default();
        of.contains("state = \"approved\"")
    };
    // Time counts while somebody is there.
    let running = stand.file("running.log");
    let _running = stand.host.start(&format!("exec ping -n -i 0.2 {ROUTER}"), &running).unwrap();
    eventually(30, "the forgetting", || !approved("lamp"));
    assert!(approved("pc"), "it is there");
    eventually(5, "the event", || stand.tells(&["policy", "forget", "lamp"]));
    policy(&stand, &["revert"]);
    assert!(approved("lamp"));
}
