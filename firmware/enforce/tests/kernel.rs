//! Rulesets and blocks against the real kernel, with Debian's `nft` as the second pair of eyes.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod namespace;

use enforce::{BLOCKS_A_SET, EnforceError, Enforcer, Held, probe};
use namespace::{address, alone, listed, mac, oracle, ruleset, run, secs};
use policy::BlockTarget;
use terms::{Span, Timestamp};

const GOLDEN: &str = include_str!("golden.nft");

fn many(count: u32) -> Vec<(BlockTarget, Span)> {
    let v4 = |n: u32| std::net::Ipv4Addr::from(0x0a00_0000 + n);
    (0..count).map(|n| (BlockTarget::Address(v4(n).into()), secs(600))).collect()
}

fn left(held: &Held, target: BlockTarget) -> Option<u64> {
    held.blocks.iter().find(|(t, _)| *t == target).map(|(_, left)| left.micros().div_ceil(1_000_000))
}

#[test]
fn the_table_reads_as_written_down() {
    alone(|| {
        let ruleset = ruleset(&["02:5a:10:00:00:01", "192.168.7.1", "fd00::1"]);
        Enforcer::open().unwrap().apply(&ruleset, Timestamp::EPOCH).unwrap();
        eprintln!("oracle: {}", run(&format!("{} --version", oracle())).trim());
        if std::env::var_os("PICKET_WRITE_GOLDEN").is_some() {
            std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden.nft"), listed()).unwrap();
        }
        assert_eq!(listed(), GOLDEN, "\n{}", listed());
    });
}

#[test]
fn applied_twice_the_table_is_the_same() {
    alone(|| {
        let (mut enforcer, ruleset) = (Enforcer::open().unwrap(), ruleset(&["192.168.7.1"]));
        enforcer.apply(&ruleset, Timestamp::EPOCH).unwrap();
        let (first, text) = (enforcer.held().unwrap(), listed());
        enforcer.apply(&ruleset, Timestamp::EPOCH).unwrap();
        assert_eq!((enforcer.held().unwrap(), listed()), (first, text));
    });
}

#[test]
fn a_change_of_the_rules_keeps_blocks_with_the_time_left_and_counts() {
    alone(|| {
        let mut enforcer = Enforcer::open().unwrap();
        enforcer.apply(&ruleset(&["192.168.7.1"]), Timestamp::EPOCH).unwrap();
        run("nft delete table bridge picket");
        // Counters that have counted, as `nft` can write them.
        run("nft add table bridge picket");
        run("nft add counter bridge picket blocked_lan { packets 7 bytes 448 }");
        enforcer.apply(&ruleset(&["192.168.7.1"]), Timestamp::EPOCH).unwrap();
        let blocked = BlockTarget::MacAndAddress(mac("02:5a:10:00:00:09"), "192.168.7.9".parse().unwrap());
        enforcer.block(&[(blocked, secs(600))]).unwrap();
        let mut other = ruleset(&["192.168.7.2", "fd00::1"]);
        other.uplink = "up1".into();
        let before = enforcer.held().unwrap();
        enforcer.apply(&other, Timestamp::EPOCH).unwrap();
        let after = enforcer.held().unwrap();
        assert_eq!(after.blocks.len(), 1);
        assert!(after.blocks[0].1 <= before.blocks[0].1 && left(&after, blocked) > Some(590), "{after:?}");
        assert_eq!((after.rules, after.dropped[0].packets, after.dropped[0].octets), (before.rules, 7, 448));
        assert_ne!(after.fingerprint, before.fingerprint);
        let text = listed();
        assert!(text.contains("elements = { 192.168.7.2 }") && !text.contains("192.168.7.1 "), "{text}");
    });
}

#[test]
fn each_kind_of_target_is_read_back_as_sent() {
    alone(|| {
        let mut enforcer = Enforcer::open().unwrap();
        enforcer.apply(&ruleset(&[]), Timestamp::EPOCH).unwrap();
        let device = mac("02:5a:10:00:00:09");
        let mut targets = [
            BlockTarget::Mac(device),
            BlockTarget::MacAndAddress(device, "192.168.7.9".parse().unwrap()),
            BlockTarget::MacAndAddress(device, "fd00::9".parse().unwrap()),
            address("203.0.113.9"),
            address("2001:db8::9"),
            BlockTarget::Anywhere("192.168.7.10".parse().unwrap()),
            BlockTarget::Anywhere("fd00::10".parse().unwrap()),
        ];
        targets.sort_unstable();
        enforcer.block(&targets.map(|t| (t, secs(600)))).unwrap();
        let held = enforcer.held().unwrap();
        assert_eq!(held.blocks.iter().map(|(t, _)| *t).collect::<Vec<_>>(), targets);
        let text = listed();
        for words in ["02:5a:10:00:00:09 . 192.168.7.9", "02:5a:10:00:00:09 . fd00::9", "203.0.113.9", "2001:db8::9"] {
            assert!(text.contains(&format!("{words} timeout 10m expires")), "{words} in\n{text}");
        }
    });
}

#[test]
fn links_are_armed_as_long_as_a_block_stands() {
    alone(|| {
        let mut enforcer = Enforcer::open().unwrap();
        enforcer.apply(&ruleset(&[]), Timestamp::EPOCH).unwrap();
        let armed = || {
            let set = listed().split("set armed").nth(1).unwrap().split("chain").next().unwrap().to_owned();
            let links = [set.contains("\"lan0\""), set.contains("\"up0\"")];
            assert_eq!(links[0], links[1], "{set}");
            links[0]
        };
        assert!(!armed(), "nothing is blocked");
        enforcer.block(&many(1)).unwrap();
        assert!(armed() && enforcer.intact().unwrap(), "{}", listed());
        enforcer.apply(&ruleset(&["192.168.7.1"]), Timestamp::EPOCH).unwrap();
        assert!(armed(), "a new ruleset keeps blocks in force");
        Enforcer::open().unwrap().apply(&ruleset(&[]), Timestamp::EPOCH).unwrap();
        assert!(armed(), "so does another start");
        enforcer.apply(&ruleset(&[]), Timestamp::EPOCH).unwrap();
        run("nft flush set bridge picket armed");
        assert!(!enforcer.intact().unwrap(), "blocks that are passed by are a change");
        enforcer.apply(&ruleset(&[]), Timestamp::EPOCH).unwrap();
        enforcer.disarm().unwrap();
        assert!(armed(), "a block stands");
        enforcer.unblock(&[many(1)[0].0]).unwrap();
        enforcer.disarm().unwrap();
        assert!(!armed() && enforcer.intact().unwrap());
        enforcer.rebuild(&ruleset(&[]), &many(2), Timestamp::EPOCH).unwrap();
        assert!(armed() && enforcer.intact().unwrap());
    });
}

#[test]
fn ten_thousand_blocks_land_in_one_go_and_end_in_one_go() {
    alone(|| {
        let mut enforcer = Enforcer::open().unwrap();
        enforcer.apply(&ruleset(&[]), Timestamp::EPOCH).unwrap();
        let blocks = many(10_000);
        enforcer.block(&blocks).unwrap();
        let held = enforcer.held().unwrap();
        assert_eq!(held.blocks.len(), 10_000);
        assert!(held.blocks.iter().zip(&blocks).all(|(held, sent)| held.0 == sent.0));
        let targets: Vec<_> = blocks.iter().map(|(target, _)| *target).collect();
        enforcer.unblock(&targets[1..]).unwrap();
        assert_eq!(enforcer.held().unwrap().blocks.len(), 1);
    });
}

#[test]
fn a_second_block_gives_the_new_time_longer_or_shorter() {
    for before_6_3 in [false, true] {
        alone(move || {
            let mut enforcer = Enforcer::open().unwrap();
            if before_6_3 {
                enforcer = enforcer.as_before_linux_6_3();
            }
            enforcer.apply(&ruleset(&[]), Timestamp::EPOCH).unwrap();
            let target = address("203.0.113.9");
            for time in [10, 600, 5] {
                enforcer.block(&[(target, secs(time))]).unwrap();
                assert_eq!(left(&enforcer.held().unwrap(), target), Some(time));
            }
            // The kernel's other pair of eyes sees one element only.
            assert_eq!(listed().matches("203.0.113.9").count(), 1);
        });
    }
}

#[test]
fn ending_a_block_that_is_not_there_is_no_error() {
    for before_6_3 in [false, true] {
        alone(move || {
            let mut enforcer = Enforcer::open().unwrap();
            if before_6_3 {
                enforcer = enforcer.as_before_linux_6_3();
            }
            enforcer.apply(&ruleset(&[]), Timestamp::EPOCH).unwrap();
            enforcer.block(&many(1)).unwrap();
            enforcer
                .unblock(&[address("203.0.113.9"), many(1)[0].0, BlockTarget::Mac(mac("02:00:00:00:00:01"))])
                .unwrap();
            enforcer.unblock(&[]).unwrap();
            assert!(enforcer.held().unwrap().blocks.is_empty());
        });
    }
}

#[test]
fn a_block_fades_by_the_kernels_own_clock() {
    alone(|| {
        let mut enforcer = Enforcer::open().unwrap();
        enforcer.apply(&ruleset(&[]), Timestamp::EPOCH).unwrap();
        enforcer
            .block(&[(address("203.0.113.9"), Span::from_millis(200)), (address("203.0.113.8"), secs(60))])
            .unwrap();
        assert_eq!(enforcer.held().unwrap().blocks.len(), 2);
        std::thread::sleep(std::time::Duration::from_millis(400));
        assert_eq!(enforcer.held().unwrap().blocks.len(), 1);
    });
}

#[test]
fn a_full_set_is_told_by_name_and_nothing_is_changed() {
    alone(|| {
        let mut enforcer = Enforcer::open().unwrap();
        enforcer.apply(&ruleset(&[]), Timestamp::EPOCH).unwrap();
        enforcer.block(&many(1)).unwrap();
        let error = enforcer.block(&many(BLOCKS_A_SET + 1)).unwrap_err();
        assert!(
            matches!(&error, EnforceError::Refused { object, errno: libc::ENFILE, .. } if object.starts_with("set blocked_v4")),
            "{error}"
        );
        assert_eq!(enforcer.held().unwrap().blocks.len(), 1);
        enforcer.block(&many(BLOCKS_A_SET)).unwrap();
        let all = enforcer.held().unwrap().blocks.len();
        assert_eq!(all, usize::try_from(BLOCKS_A_SET).unwrap());
        // A full set still lets go of what it holds, and still takes a new time for it.
        enforcer.block(&many(100)).unwrap();
        enforcer.unblock(&[many(1)[0].0, address("203.0.113.9")]).unwrap();
        assert_eq!(enforcer.held().unwrap().blocks.len(), all - 1);
    });
}

#[test]
fn an_error_names_the_element_at_fault() {
    alone(|| {
        let mut enforcer = Enforcer::open().unwrap();
        run("nft add table bridge picket");
        run("nft add set bridge picket blocked_v4 { type ipv4_addr; flags timeout; size 2; }");
        let error = enforcer.block(&many(3)).unwrap_err().to_string();
        assert!(error.starts_with("nftables refuses set blocked_v4, element 10.0.0.2: "), "{error}");
    });
}

#[test]
fn an_error_names_the_set_that_is_missing() {
    alone(|| {
        let mut enforcer = Enforcer::open().unwrap();
        let error = enforcer.block(&[(BlockTarget::Mac(mac("02:00:00:00:00:01")), secs(60))]).unwrap_err().to_string();
        assert!(error.starts_with("nftables refuses set blocked_mac: No such file"), "{error}");
    });
}

#[test]
fn left_overs_of_another_form_are_named_and_then_mended_with_the_blocks() {
    alone(|| {
        let mut enforcer = Enforcer::open().unwrap();
        run("nft add table bridge picket");
        run("nft add set bridge picket blocked_mac { type ipv4_addr; }");
        let error = enforcer.apply(&ruleset(&[]), Timestamp::EPOCH).unwrap_err().to_string();
        assert!(error.starts_with("nftables refuses set blocked_mac: "), "{error}");
        assert!(!enforcer.intact().unwrap());
        enforcer.rebuild(&ruleset(&[]), &many(3), Timestamp::EPOCH).unwrap();
        assert_eq!(enforcer.held().unwrap().blocks.len(), 3);
        assert!(enforcer.intact().unwrap());
    });
}

#[test]
fn a_table_that_somebody_changed_is_not_intact_until_it_is_applied_again() {
    alone(|| {
        let (mut enforcer, ruleset) = (Enforcer::open().unwrap(), ruleset(&["192.168.7.1"]));
        assert!(!enforcer.intact().unwrap(), "nothing was applied");
        enforcer.apply(&ruleset, Timestamp::EPOCH).unwrap();
        for line in [
            "nft add rule bridge picket forward counter accept",
            "nft insert rule bridge picket blocked_from_lan return",
            "nft flush chain bridge picket blocked_from_uplink",
            "nft flush set bridge picket never_v4",
            "nft add element bridge picket never_v4 { 192.168.7.66 }",
            "nft add chain bridge picket forward { policy drop; }",
            "nft add table bridge picket { flags dormant; }",
            "nft delete table bridge picket",
            "nft flush ruleset",
        ] {
            assert!(enforcer.intact().unwrap(), "before {line}");
            run(line);
            assert!(!enforcer.intact().unwrap(), "after {line}");
            enforcer.apply(&ruleset, Timestamp::EPOCH).unwrap();
        }
        enforcer.remove().unwrap();
        assert!(!enforcer.intact().unwrap());
        assert_eq!(enforcer.held().unwrap(), Held::default());
    });
}

#[test]
fn a_table_in_which_somebody_made_sets_of_intervals_is_not_intact() {
    alone(|| {
        let (mut enforcer, ruleset) = (Enforcer::open().unwrap(), ruleset(&["192.168.7.1"]));
        enforcer.apply(&ruleset, Timestamp::EPOCH).unwrap();
        for line in [
            "nft delete table bridge picket",
            "nft add table bridge picket",
            "nft add set bridge picket never_v4 { type ipv4_addr; flags interval; }",
            "nft add element bridge picket never_v4 { 192.168.0.0/24, 192.168.1.0/24 }",
        ] {
            run(line);
            assert!(!enforcer.intact().unwrap(), "after {line}");
        }
        enforcer.rebuild(&ruleset, &[], Timestamp::EPOCH).unwrap();
        assert!(enforcer.intact().unwrap());
    });
}

#[test]
fn chains_rules_and_sets_of_others_in_the_table_are_told_and_taken_out() {
    alone(|| {
        let (mut enforcer, ruleset) = (Enforcer::open().unwrap(), ruleset(&[]));
        enforcer.apply(&ruleset, Timestamp::EPOCH).unwrap();
        let form = enforcer.held().unwrap().fingerprint;
        for line in [
            "nft add chain bridge picket other { type filter hook forward priority 0; policy drop; }",
            "nft add set bridge picket blocked_other { type ether_addr; }",
            "nft add chain bridge picket allowed",
        ] {
            run(line);
            assert!(!enforcer.intact().unwrap(), "after {line}");
            // Chains go with the next ruleset; what else is there goes with the table.
            if line.contains(" set ") {
                assert!(matches!(enforcer.apply(&ruleset, Timestamp::EPOCH), Err(EnforceError::Foreign(1))));
                assert!(!enforcer.intact().unwrap(), "it is still there");
            } else {
                enforcer.apply(&ruleset, Timestamp::EPOCH).unwrap();
                assert!(enforcer.intact().unwrap(), "after {line}");
            }
            enforcer.rebuild(&ruleset, &many(2), Timestamp::EPOCH).unwrap();
            assert!(enforcer.intact().unwrap());
            assert_eq!((enforcer.held().unwrap().fingerprint, enforcer.held().unwrap().blocks.len()), (form, 2));
        }
    });
}

#[test]
fn blocks_counts_and_other_tables_are_no_change_of_the_table() {
    alone(|| {
        let mut enforcer = Enforcer::open().unwrap();
        enforcer.apply(&ruleset(&[]), Timestamp::EPOCH).unwrap();
        enforcer.block(&many(2)).unwrap();
        run("nft add table inet other");
        run("nft add chain inet other input { type filter hook input priority 0; }");
        assert!(enforcer.intact().unwrap());
        enforcer.unblock(&[many(1)[0].0]).unwrap();
        assert!(enforcer.intact().unwrap());
    });
}

#[test]
fn a_ruleset_that_is_refused_leaves_the_old_one_whole() {
    alone(|| {
        let mut enforcer = Enforcer::open().unwrap();
        enforcer.apply(&ruleset(&["192.168.7.1"]), Timestamp::EPOCH).unwrap();
        let before = listed();
        let mut wrong = ruleset(&[]);
        wrong.lan = "a name too long".into();
        assert!(matches!(enforcer.apply(&wrong, Timestamp::EPOCH), Err(EnforceError::LinkName(_))));
        assert!(enforcer.rebuild(&ruleset(&[]), &many(BLOCKS_A_SET + 1), Timestamp::EPOCH).is_err());
        assert_eq!(listed(), before);
    });
}

#[test]
fn other_writers_do_not_spoil_a_reading() {
    alone(|| {
        let mut enforcer = Enforcer::open().unwrap();
        enforcer.apply(&ruleset(&[]), Timestamp::EPOCH).unwrap();
        enforcer.block(&many(3_000)).unwrap();
        let whole = enforcer.held().unwrap();
        let stop = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            // Threads inherit the namespace of the one that starts them.
            scope.spawn(|| {
                while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                    run("nft add table inet other");
                    run("nft delete table inet other");
                }
            });
            for _ in 0..50 {
                match enforcer.held() {
                    Ok(held) => assert_eq!((held.blocks.len(), held.fingerprint), (3_000, whole.fingerprint)),
                    Err(error) => assert!(matches!(error, EnforceError::Restless(_)), "{error}"),
                }
            }
            stop.store(true, std::sync::atomic::Ordering::Relaxed);
        });
    });
}

#[test]
fn a_probe_finds_what_blocks_need_and_leaves_nothing_behind() {
    alone(|| {
        let features = probe();
        for feature in &features {
            eprintln!("{:36} {:5} {}", feature.name, feature.present, feature.why.as_deref().unwrap_or(""));
        }
        let missing: Vec<_> = features.iter().filter(|f| f.instead.starts_with("nothing:") && !f.present).collect();
        assert!(missing.is_empty() && features.len() > 10, "{missing:?}");
        assert_eq!(run("nft list ruleset"), "");
    });
}

#[test]
fn a_closed_bridge_is_a_table_beside_ours_that_goes_as_it_came() {
    alone(|| {
        let mut enforcer = Enforcer::open().unwrap();
        enforcer.rebuild(&ruleset(&[]), &many(3).into_iter().collect::<Vec<_>>(), Timestamp::EPOCH).unwrap();
        let before = listed();
        for _ in 0..2 {
            enforce::close().unwrap();
        }
        let closed = run(&format!("{} list table bridge {}", oracle(), enforce::CLOSED_TABLE));
        assert!(closed.contains("hook forward") && closed.contains("policy drop"), "{closed}");
        assert!(enforcer.intact().unwrap(), "our own table is as it was");
        for _ in 0..2 {
            enforce::reopen().unwrap();
        }
        assert!(!run(&format!("{} list tables", oracle())).contains(enforce::CLOSED_TABLE));
        assert_eq!(enforcer.held().unwrap().blocks.len(), 3);
        let untimed = |text: &str| text.split(" expires ").next().map(str::to_owned);
        assert_eq!(untimed(&listed()), untimed(&before));
    });
}
