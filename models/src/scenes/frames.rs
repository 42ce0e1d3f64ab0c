//! The frames of a scene, made as they are asked for.

use terms::Timestamp;

use crate::sample::Random;

use super::characters::{Character, ON_EVERY_LINK};
use super::habit::Routine;
use super::packet::Made;
use super::stage::Stage;
use super::threats::Threat;

/// Frames in the order of time: habits act until nothing can come before the next frame.
#[derive(Debug)]
pub struct Frames {
    stage: Stage,
    routines: Vec<Routine>,
    /// When the next routine acts, or lets go at the end; nothing once all did.
    next_act: Option<Timestamp>,
    until: Timestamp,
}

impl Frames {
    pub(super) fn new(
        stage: Stage,
        character: &Character,
        threat: Option<&Threat>,
        (from, until): (Timestamp, Timestamp),
        random: &mut Random,
    ) -> Self {
        let own = ON_EVERY_LINK.iter().chain(character.habits).map(|habit| Routine::begin(*habit, from, random));
        let mut routines: Vec<_> = own.collect();
        if let Some(threat) = threat {
            routines.extend(threat.habits.iter().map(|habit| Routine::begin(*habit, threat.from, random)));
        }
        let mut new = Self { stage, routines, next_act: None, until };
        new.look_ahead();
        new
    }

    /// Frames that are made and not yet asked for.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.stage.waiting()
    }

    fn look_ahead(&mut self) {
        self.next_act = self.routines.iter().filter_map(|r| r.next).min().map(|next| next.min(self.until));
    }

    /// Lets the routine act whose turn it is; at the end all let go of what they hold.
    fn act(&mut self, at: Timestamp) {
        if at >= self.until {
            for routine in &mut self.routines {
                routine.end(self.until, &mut self.stage);
            }
        } else if let Some(routine) = self.routines.iter_mut().find(|r| r.next == Some(at)) {
            routine.act(&mut self.stage);
        }
        self.look_ahead();
    }
}

impl Iterator for Frames {
    type Item = Made;

    fn next(&mut self) -> Option<Made> {
        while let Some(at) = self.next_act
            && self.stage.next_at().is_none_or(|frame| at <= frame)
        {
            self.act(at);
        }
        self.stage.next()
    }
}
