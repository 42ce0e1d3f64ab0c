//! Conversations end with the rule that admitted them, whoever knows them: Picket's map, or the kernel's connection tracking.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use enforce::{CONNECTIONS_NEEDED, Enforcer, Tracking};
use policy::{Asked, Ruleset, compile, protocol, text};
use terms::Timestamp;

use super::namespace::wire::{End, bridge, keep_order};
use super::namespace::{alone, ruleset};
use super::{Case, FREE, MARKER, NOW, arrive, frame};

/// TCP and UDP over both kinds of IP, as one device begins them, and what is known of each: its number and its protocol.
const KINDS: [(u32, u8, &str, &str); 4] = [
    (1, protocol::TCP, "192.168.7.11", "203.0.113.7"),
    (2, protocol::UDP, "192.168.7.11", "203.0.113.7"),
    (3, protocol::TCP, "fd00::11", "2001:db8::7"),
    (4, protocol::UDP, "fd00::11", "2001:db8::7"),
];
const DEVICES: &str = "posture = \"enforce\"\nnew = \"nothing\"\n\
    [[device]]\nname = \"d1\"\nmacs = [\"02:00:00:00:00:01\"]\nstate = \"approved\"\n\
    [[device]]\nname = \"d7\"\nmacs = [\"02:00:00:00:00:07\"]\nstate = \"approved\"\nposture = \"protect\"\n";
const TCP: &str = "[[allow]]\nname = \"by-tcp\"\nwho = \"d1\"\nto = \"uplink\"\nservice = \"tcp/1000\"\n";
const UDP: &str = "[[allow]]\nname = \"by-udp\"\nwho = \"d1\"\nto = \"uplink\"\nservice = \"udp/1000\"\n";
/// How long the rules live that end by themselves, in seconds.
const LIVES: u64 = 2;
/// How much later the last packet may pass.
const AFTER: Duration = Duration::from_secs(1);

struct Stand {
    enforcer: Enforcer,
    ends: (End, End),
}

impl Stand {
    fn new(tracking: Tracking) -> Self {
        keep_order();
        Self { enforcer: Enforcer::open().unwrap().tracking(tracking), ends: bridge() }
    }

    fn apply(&mut self, rules: &str) {
        let at = Timestamp::from_secs(NOW);
        let plan = compile(&text::read(&format!("{DEVICES}{rules}")).unwrap(), &[], at);
        self.enforcer.apply(&Ruleset { plan, ..ruleset(&[]) }, at).unwrap();
    }

    /// Which of the four pass, from the LAN end or from the other.
    fn pass(&self, answers: bool) -> Vec<u32> {
        let free = case(FREE, protocol::UDP, "192.168.7.17", "10.9.9.9");
        // The device for which no rule holds tells when all have arrived that do.
        let marker = frame(&Case { inbound: answers, ..free }, MARKER, false);
        let frames: Vec<_> =
            KINDS.map(|(n, protocol, lan, far)| frame(&case(1, protocol, lan, far), n, answers)).into();
        let (from, to) = if answers { (&self.ends.1, &self.ends.0) } else { (&self.ends.0, &self.ends.1) };
        let mut arrived = arrive(from, to, &frames, &marker, MARKER);
        assert!(arrived.remove(&MARKER), "who is free passes");
        arrived.into_iter().collect()
    }
}

fn case(device: u8, number: u8, lan: &str, far: &str) -> Case {
    let asked = Asked::port(number, 1_000);
    Case { mac: device, lan: lan.parse().unwrap(), far: far.parse().unwrap(), asked, inbound: false, tagged: false }
}

/// A rule that goes takes its conversations with it and no others; those that are ended by what they are can begin anew.
fn at_once(tracking: Tracking) {
    let mut stand = Stand::new(tracking);
    stand.apply(&format!("{TCP}{UDP}"));
    assert_eq!(stand.pass(true), [0; 0], "nobody began one");
    assert_eq!((stand.pass(false), stand.pass(true)), (vec![1, 2, 3, 4], vec![1, 2, 3, 4]), "{tracking:?}");
    stand.apply(UDP);
    assert_eq!((stand.pass(true), stand.pass(false)), (vec![2, 4], vec![2, 4]), "{tracking:?}: one rule is gone");
    let far: IpAddr = KINDS[1].3.parse().unwrap();
    let over = |talk: &enforce::Talk| talk.far == far && talk.far_port == 1_000 && talk.protocol == protocol::UDP;
    assert_eq!(stand.enforcer.end(over).unwrap(), 1, "{tracking:?}: of all that are known one is meant");
    assert_eq!(stand.pass(true), [4], "{tracking:?}: nobody began it anew");
    assert_eq!((stand.pass(false), stand.pass(true)), (vec![2, 4], vec![2, 4]), "{tracking:?}: its rule is alive");
}

/// A rule that ends by itself does so in the kernel, with nobody there to end it.
fn by_time(tracking: Tracking) {
    let mut stand = Stand::new(tracking);
    let until = |rule: &str| format!("{rule}until = 2026-11-22T12:00:0{LIVES}Z\n");
    let before = Instant::now();
    stand.apply(&format!("{}{}", until(TCP), until(UDP)));
    let (first, last) = (before + Duration::from_secs(LIVES), Instant::now() + Duration::from_secs(LIVES));
    let mut passed = [Instant::now(); 2];
    for answers in [false, true] {
        assert_eq!(stand.pass(answers), [1, 2, 3, 4], "{tracking:?}");
    }
    loop {
        for answers in [false, true] {
            let sent = Instant::now();
            match stand.pass(answers).len() {
                4 => passed[usize::from(answers)] = sent,
                some => assert!(Instant::now() >= first, "{tracking:?}: {some} pass before the end"),
            }
        }
        if passed.iter().all(|passed| passed.elapsed() > AFTER) {
            break;
        }
        assert!(Instant::now() < last + 20 * AFTER, "{tracking:?}: they never end");
    }
    assert!(passed.iter().all(|passed| *passed <= last + AFTER), "{tracking:?}: they go on for too long");
    assert_eq!((stand.pass(true), stand.pass(false)), (vec![], vec![]), "{tracking:?}");
}

#[test]
fn a_conversation_ends_with_its_rule() {
    alone(|| at_once(Tracking::Map));
}

#[test]
fn a_rule_that_ends_by_itself_needs_nobody() {
    alone(|| by_time(Tracking::Map));
}

#[test]
#[ignore = "child: run by image::both_ways_of_knowing_conversations_agree in a machine whose kernel tracks connections in the bridge"]
fn a_conversation_that_the_kernel_tracks_ends_with_its_rule() {
    if std::process::id() == 1 {
        alone(|| at_once(Tracking::Kernel));
    }
}

#[test]
#[ignore = "child: run by image::both_ways_of_knowing_conversations_agree in a machine whose kernel tracks connections in the bridge"]
fn a_rule_that_ends_by_itself_needs_nobody_where_the_kernel_tracks() {
    if std::process::id() == 1 {
        alone(|| by_time(Tracking::Kernel));
    }
}

#[test]
#[ignore = "child: run by image::both_ways_of_knowing_conversations_agree in a machine whose kernel tracks connections in the bridge"]
fn the_kernel_is_asked_to_track_where_it_has_room_and_not_where_it_lacks_it() {
    if std::process::id() != 1 {
        return;
    }
    alone(|| {});
    // That is the first namespace's to say.
    let room = |connections: u32| {
        std::fs::write("/proc/sys/net/netfilter/nf_conntrack_max", connections.to_string()).unwrap();
        let found = enforce::tracking();
        eprintln!("{connections} connections: {found:?}");
        found.tracking
    };
    assert_eq!(room(CONNECTIONS_NEEDED - 1), Tracking::Map);
    assert_eq!(room(CONNECTIONS_NEEDED), Tracking::Kernel);
}
