//! Policies against the real kernel.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod namespace;

use enforce::Enforcer;
use namespace::{alone, ruleset, run};
use policy::{Ruleset, compile, text};
use terms::Timestamp;

const POLICY: &str = "posture = \"enforce\"\nnew = \"nothing\"\n\
    [[device]]\nname = \"pc\"\nmacs = [\"02:00:00:00:00:01\"]\naddresses = [\"192.168.7.5\"]\ngroups = [\"all\"]\nstate = \"approved\"\n\
    [[device]]\nname = \"box\"\naddresses = [\"192.168.7.6\", \"fd00::6\"]\nstate = \"blocked\"\n\
    [[deny]]\nname = \"d\"\nwho = \"lan\"\nto = \"internet\"\nservice = \"telnet\"\n\
    [[allow]]\nname = \"a\"\nwho = \"all\"\nto = [\"203.0.113.0/24\", \"2001:db8::/32\", \"*.example.com\"]\nservice = [\"https\", \"ping\", \"ip/47\"]\n\
    [[allow]]\nname = \"b\"\nwho = \"internet\"\nto = \"pc\"\nservice = \"tcp/1000-2000\"\n";

fn with(text: &str) -> Ruleset {
    let plan =
        compile(&text::read(text).unwrap(), &["192.168.7.1".parse().unwrap()], Timestamp::from_secs(1_800_000_000));
    Ruleset { plan, ..ruleset(&[]) }
}

fn at() -> Timestamp {
    Timestamp::from_secs(1_800_000_000)
}

#[test]
fn a_policy_comes_changes_and_goes_and_the_table_is_as_before() {
    alone(|| {
        let mut enforcer = Enforcer::open().unwrap();
        enforcer.apply(&with(""), at()).unwrap();
        let form = |enforcer: &mut Enforcer| {
            enforcer.held().map(|held| (held.fingerprint, held.rules, held.dropped.len())).unwrap()
        };
        let before = form(&mut enforcer);
        enforcer.apply(&with(POLICY), at()).unwrap();
        assert!(enforcer.intact().unwrap());
        let first = form(&mut enforcer);
        enforcer.apply(&with(POLICY), at()).unwrap();
        assert_eq!(form(&mut enforcer), first, "applied twice");
        enforcer.apply(&with(&POLICY.replace("who = \"all\"", "who = \"pc\"")), at()).unwrap();
        assert_ne!(form(&mut enforcer), first);
        enforcer.apply(&with(""), at()).unwrap();
        assert_eq!(form(&mut enforcer), before, "gone");
    });
}

#[test]
fn a_difference_leaves_the_table_as_the_whole_would() {
    alone(|| {
        let texts = [
            POLICY.to_owned(),
            POLICY.replace("tcp/1000-2000", "tcp/1000-2001"),
            POLICY.replace("02:00:00:00:00:01", "02:00:00:00:00:07"),
            POLICY.replace("name = \"d\"", "name = \"d\"\nuntil = \"2029-01-01T00:00:00Z\""),
            POLICY.replace("state = \"blocked\"", "state = \"approved\""),
            POLICY.replace("new = \"nothing\"", "new = \"everything\""),
            String::new(),
        ];
        let mut enforcer = Enforcer::open().unwrap();
        for (from, to) in (0..texts.len()).flat_map(|a| (0..texts.len()).map(move |b| (a, b))) {
            enforcer.apply(&with(&texts[from]), at()).unwrap();
            enforcer.apply(&with(&texts[to]), at()).unwrap();
            assert!(enforcer.intact().unwrap(), "from {from} to {to}");
            let by_difference = enforcer.held().unwrap();
            // One that has just opened its way to the kernel knows of nothing that stands.
            let mut other = Enforcer::open().unwrap();
            assert_eq!(other.held().unwrap(), by_difference, "what is remembered from {from} to {to} is what stands");
            other.apply(&with(&texts[to]), at()).unwrap();
            assert_eq!(other.held().unwrap(), by_difference, "from {from} to {to}");
            assert_eq!(nft_live(), nft_live_of(&texts[to]), "from {from} to {to}");
        }
    });
}

/// How many rules the kernel says are alive.
fn nft_live() -> usize {
    let listed = run("nft list set bridge picket live");
    listed.matches("0x").count()
}

/// How many a policy has.
fn nft_live_of(text: &str) -> usize {
    with(text).plan.map_or(0, |plan| plan.live.len())
}
