//! Policies against the real kernel.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod namespace;

use enforce::Enforcer;
use namespace::{alone, ruleset};
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
