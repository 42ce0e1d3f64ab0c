//! What holds for any order of findings, wishes and changes.

use std::collections::BTreeMap;

use super::*;
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Act {
    Find { n: u8, outside: bool, shared: bool, level: ThreatLevel },
    Wish { n: u8, lasts: u64 },
    Unblock { n: u8 },
    Undo { n: u8 },
    Wait { seconds: u64 },
    Learn { n: u8 },
    Restart,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let n = || 0..40_u8;
    let level = prop_oneof![1 => Just(ThreatLevel::Medium), 9 => Just(ThreatLevel::High)];
    let act = prop_oneof![
        20 => (n(), any::<bool>(), any::<bool>(), level)
            .prop_map(|(n, outside, shared, level)| Act::Find { n, outside, shared, level }),
        2 => (n(), 0..5000_u64).prop_map(|(n, lasts)| Act::Wish { n, lasts }),
        2 => n().prop_map(|n| Act::Unblock { n }),
        1 => n().prop_map(|n| Act::Undo { n }),
        6 => prop_oneof![0..3_u64, 0..1000_u64, Just(DAY)].prop_map(|seconds| Act::Wait { seconds }),
        1 => n().prop_map(|n| Act::Learn { n }),
        1 => Just(Act::Restart),
    ];
    prop::collection::vec(act, 1..200)
}

fn automatic(responder: &Responder, outside: bool) -> usize {
    let is_outside = |block: &&Block| matches!(block.target, BlockTarget::Address(_)) == outside;
    responder.blocks().filter(|block| block.automatic).filter(is_outside).count()
}

proptest! {
    #[test]
    fn the_bounds_hold_and_no_block_moves_or_outlives_the_longest(acts in acts(), hosts in 0..60_u32, per_minute in 0..12_u32, seed: u64) {
        let config = ResponderConfig { per_minute, ..Default::default() };
        let most = config.at_least.max(hosts * u32::from(config.share_percent) / 100) as usize;
        let mut responder = Responder::new(config.clone(), seed);
        let mut now = 1_000_000;
        let mut made = Vec::new();
        let mut learnt = Vec::new();
        for act in acts {
            let before: BTreeMap<_, _> = responder.blocks().map(|block| (block.target, block.until())).collect();
            match act {
                Act::Find { n, outside, shared, level } => {
                    let suspect = if outside { outsider(n, now) } else { scanner(n, now) };
                    let addresses_on_mac = if shared { 2 } else { 1 };
                    let decision = responder.respond(&Suspect { level, addresses_on_mac, ..suspect }, hosts);
                    if let Decision::Block(block) = &decision {
                        prop_assert_eq!(level, ThreatLevel::High);
                        prop_assert!(block.lasts >= config.block_for && block.lasts <= config.longest);
                        prop_assert!(before.get(&block.target).is_none_or(|until| *until <= second(now)));
                        prop_assert!(automatic(&responder, outside) <= most);
                        made.push(now);
                        let lately = made.iter().filter(|at| now - **at < 60).count();
                        prop_assert!(lately <= per_minute as usize);
                    }
                    for (target, until) in before.iter().filter(|(_, until)| **until > second(now)) {
                        prop_assert_eq!(responder.blocks().find(|b| b.target == *target).map(Block::until), Some(*until));
                    }
                }
                Act::Wish { n, lasts } => {
                    let granted = responder.manual(wish(n, lasts, now));
                    prop_assert_eq!(granted.is_ok(), lasts > 0 && !learnt.contains(&NeverBlock::Mac(mac(n))));
                }
                Act::Unblock { n } => {
                    let host = address(n).into();
                    if let Some(block) = responder.unblock(host, second(now)) {
                        let answer = responder.respond(&scanner(n, now), hosts);
                        let is_let_be = matches!(answer, Decision::Grace { .. } | Decision::Already { .. });
                        prop_assert!(is_let_be, "{:?} after {:?}", answer, block);
                    }
                }
                Act::Undo { n } => {
                    responder.undo(&BlockTarget::Mac(mac(n)));
                }
                Act::Wait { seconds } => {
                    now += seconds;
                    let ended = responder.expire(second(now));
                    prop_assert!(ended.iter().all(|block| block.until() <= second(now)));
                    prop_assert!(responder.blocks().all(|block| block.until() > second(now)));
                }
                Act::Learn { n } => {
                    learnt = vec![NeverBlock::Mac(mac(n)), NeverBlock::Address(outsider(n, 0).host.ip().unwrap())];
                    let _lifted = responder.set_never(learnt.clone());
                }
                Act::Restart => {
                    let blocks: Vec<_> = responder.blocks().cloned().collect();
                    responder = Responder::new(config.clone(), seed);
                    prop_assert_eq!(responder.set_never(learnt.clone()), []);
                    prop_assert_eq!(responder.restore(blocks.clone()), []);
                    prop_assert_eq!(responder.blocks().cloned().collect::<Vec<_>>(), blocks);
                    made.clear();
                }
            }
            for entry in &learnt {
                let is_hit = |block: &Block| match (entry, block.target) {
                    (NeverBlock::Mac(mac), BlockTarget::Mac(other) | BlockTarget::MacAndAddress(other, _)) => *mac == other,
                    (NeverBlock::Address(address), BlockTarget::Address(other) | BlockTarget::Anywhere(other)) => *address == other,
                    _ => false,
                };
                prop_assert!(!responder.blocks().any(is_hit), "{entry} is blocked");
            }
        }
    }

    #[test]
    fn observing_never_blocks_by_itself(acts in prop::collection::vec((0..40_u8, any::<bool>(), 0..100_u64), 1..100)) {
        let mut responder = Responder::new(ResponderConfig { posture: Posture::Observe, ..Default::default() }, 7);
        let mut now = 0;
        for (n, outside, wait) in acts {
            now += wait;
            let suspect = if outside { outsider(n, now) } else { scanner(n, now) };
            let is_would_block = matches!(responder.respond(&suspect, 1000), Decision::WouldBlock { .. });
            prop_assert!(is_would_block);
        }
        prop_assert_eq!(responder.blocks().count(), 0);
    }
}
