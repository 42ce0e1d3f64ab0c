//! A forest as it is shown.

use super::{Model, Origin};
use crate::control::views::ModelView;
use crate::terminal::moment;

/// What a forest is; nothing never happens, for a model was checked.
#[must_use]
pub fn view(model: &Model) -> Option<ModelView> {
    let (forest, card) = (model.forest()?, model.card()?);
    let (medium_from, high_from) = forest.thresholds();
    let (signed_by, signed_at) = match model.origin() {
        Origin::Shipped => (None, None),
        Origin::Signed(key, at) => (Some(key.to_string()), Some(moment(at.as_secs_f64()))),
    };
    Some(ModelView {
        id: model.id().into(),
        trees: forest.trees(),
        nodes: forest.nodes(),
        octets: model.octets(),
        features: features::SCHEMA.map(String::from).to_vec(),
        schema: format!("{:016x}", features::schema_hash()),
        rows: forest.trained_on(),
        data: format!("{:016x}", forest.digest()),
        date: moment(f64::from(card.day()) * 86_400.0).split(' ').next().map(String::from),
        medium_from,
        high_from,
        signed_by,
        signed_at,
        worth: card.knots().collect(),
        medium_worth: card.worth(medium_from),
    })
}
