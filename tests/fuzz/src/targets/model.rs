//! The forest's image, its card and its package, as they are and with their checksums made right, so that the checks behind those
//! are reached.

use detect::forest::card::{self, Card};
use detect::forest::package::Package;
use detect::forest::{Forest, format, golden};
use terms::ThreatLevel;

use super::{kind, size};
use crate::seeds::model::{FEATURES, SCHEMA};

pub fn run(input: &[u8]) -> u64 {
    let plain = judge(input);
    let mut sealed = input.to_vec();
    format::seal(&mut sealed);
    kind((plain, judge(&sealed), read_card(input), read_package(input)))
}

/// A card is read by what it says of itself, as if it went with the forest that it names.
fn read_card(input: &[u8]) -> u64 {
    let Some((body, _)) = input.split_last_chunk::<8>() else { return 0 };
    let whole = [body, &card::checksum(body)].concat();
    let features = usize::from(whole.get(10).copied().unwrap_or(0));
    let forest = whole.get(16..24).and_then(|octets| octets.try_into().ok()).map_or(0, u64::from_le_bytes);
    let card = match Card::load(&whole, features, forest) {
        Ok(card) => card,
        Err(error) => return kind(std::mem::discriminant(&error)),
    };
    for value in [0.0, 1.0, f32::NAN, f32::INFINITY] {
        assert!(card.worth(value).is_none_or(|worth| (0.0..=1.0).contains(&worth)), "{card:?}");
        for feature in 0..=features {
            assert!(card.reference(feature).is_none_or(|reference| reference.bin(value) < card::BINS));
        }
    }
    kind((features, card.knots().count()))
}

fn read_package(input: &[u8]) -> u64 {
    Package::of(input).map_or(0, |package| {
        assert!(package.image.len() + package.card.len() < input.len());
        kind(package.image.len() > package.card.len())
    })
}

fn judge(image: &[u8]) -> u64 {
    let forest = match Forest::load(image, SCHEMA) {
        Ok(forest) => forest,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return kind(std::mem::discriminant(&error));
        }
    };
    assert!(image.len() <= format::MAX_LEN && forest.nodes() * format::NODE_LEN <= image.len());
    let edges = [0.0, -1.0, 1e30, f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MIN_POSITIVE];
    let mut levels = Vec::new();
    for value in edges {
        for len in [0, FEATURES, 200] {
            let vector = vec![value; len];
            let said = forest.classify(&vector);
            let sum: f32 = said.shares.iter().sum();
            assert!(
                (sum - 1.0).abs() < 1e-3 && said.shares.iter().all(|share| (0.0..=1.0).contains(share)),
                "{said:?}"
            );
            assert!((0.0..=1.0).contains(&said.confidence), "{said:?}");
            for moved in forest.explain(&vector).into_iter().flatten() {
                assert!(moved.feature < forest.features() && moved.share.is_finite(), "{moved:?}");
            }
            let told = forest.contributions(&vector);
            let parts = told.base() + (0..forest.features()).map(|feature| told.of(feature)).sum::<f64>();
            assert!((parts - f64::from(1.0 - said.shares[0])).abs() < 1e-6, "{told:?}");
            if len == FEATURES
                && let Some(changes) = forest.counterfactual(&vector)
            {
                let mut changed = vector.clone();
                changed.resize(forest.features(), 0.0);
                changes.iter().for_each(|change| changed[change.feature] = change.to);
                assert_eq!(forest.classify(&changed).level, ThreatLevel::Safe, "{changes:?}");
            }
            levels.push((said.level, said.family));
        }
    }
    let rows = golden::check(&forest, image).is_ok();
    kind((forest.trees(), size(forest.nodes()), levels, rows))
}
