//! Scenes: traffic that nobody captured, whose time stamps are its own.
//!
//! ```text
//! seed, number ─> character (+ plot) ─> habits ─> deeds ─> conversations, datagrams ─> frames in the order of time ─> rows or a pcap
//!                 characters/, threats/  habit.rs  deeds/   conversation.rs              packet.rs                      label.rs
//! ```
//! Captures are minutes long and hold what somebody wanted to show. A scene is hours of one harmless device in its network, and
//! in every second one the device is infected: from some moment on it does something else beside its own job. What is said is
//! what the box reads (handshakes, names, hellos, sizes, times); the octets inside of encrypted conversations are noise.
//!
//! **Bounds**: frames are made some seconds ahead, as they are asked for; addresses and names belong to nobody (RFC 2544, RFC
//! 2606, RFC 3849). The same seed and number give the same frames, octet by octet, on every target.

pub mod chance;
mod characters;
mod conversation;
mod deeds;
mod frames;
mod habit;
mod label;
mod packet;
mod site;
mod speech;
mod stage;
mod threats;
mod words;

use terms::{MacAddr, Span, Timestamp};

pub use characters::{Character, all as characters};
pub use deeds::{Deed, Speech, To, Visit};
pub use frames::Frames;
pub use habit::{Habit, Rhythm};
pub use label::{SOURCE, rows, write};
pub use packet::Made;
pub use threats::{Plot, Threat, all as plots};

use chance::{Between, drawn_for, seconds};
use stage::Stage;

/// The day on which the first scenes play: 2025-01-01, and the year after it.
const FIRST_DAY: u64 = 1_735_689_600;
const DAYS: usize = 365;
/// Hours of a scene whose length nobody gives; what beats slowly has the most.
const HOURS: Between = Between(2.0, 6.0);
const SLOW: f64 = 600.0;
/// Harmless hours before a threat, where a scene takes more than a day: a baseline holds after 24.
const PAST: Between = Between(26.0, 34.0);

/// Some hours of a device.
#[derive(Debug)]
pub struct Scene {
    /// `scene-<seed>-<number>`.
    pub name: String,
    /// What the device is.
    pub character: &'static Character,
    /// What it does beside its job.
    pub threat: Option<Threat>,
    /// The device's hardware address.
    pub device: MacAddr,
    /// When it begins.
    pub from: Timestamp,
    /// When it ends; conversations that are open then are ended.
    pub until: Timestamp,
    /// What is sent, in the order of time.
    pub frames: Frames,
}

/// The scene of this number. Each character and each plot comes in its turn; a plot's character is drawn.
#[must_use]
pub fn draw(seed: u64, number: u64) -> Scene {
    let mut random = drawn_for("scene", seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let (characters, plots): (Vec<_>, Vec<_>) = (characters().collect(), plots().collect());
    let turn = usize::try_from(number / 2).unwrap_or(0);
    let hours = HOURS.draw(&mut random);
    if number.is_multiple_of(2) {
        return Scene::of((seed, number), characters[turn % characters.len()], None, hours, None);
    }
    let character = characters[random.below(characters.len())];
    Scene::of((seed, number), character, Some(plots[turn % plots.len()]), hours, None)
}

/// The scene of this number among those of more than a day: the device is harmless for so long that it has habits of its own, and then
/// it is not. Each plot comes in its turn, its character is drawn.
#[must_use]
pub fn draw_day(seed: u64, number: u64) -> Scene {
    let mut random = drawn_for("day", seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let (characters, plots): (Vec<_>, Vec<_>) = (characters().collect(), plots().collect());
    let turn = usize::try_from(number).unwrap_or(0);
    let past = PAST.draw(&mut random);
    let hours = past + HOURS.draw(&mut random);
    let character = characters[random.below(characters.len())];
    Scene::of((seed, number), character, Some(plots[turn % plots.len()]), hours, Some(past))
}

impl Scene {
    /// A scene of a character, and of a plot, where one is given; `past` says after how many of its hours that begins, or chance does.
    #[must_use]
    pub fn of(
        (seed, number): (u64, u64),
        character: &'static Character,
        plot: Option<&'static Plot>,
        hours: f64,
        past: Option<f64>,
    ) -> Self {
        let mut random = drawn_for(character.name, seed ^ number.wrapping_mul(0xd6e8_feb8_6659_fd93));
        let start = FIRST_DAY + 86_400 * random.below(DAYS) as u64;
        let from = Timestamp::from_secs(start) + Between(0.0, 86_400.0).span(&mut random);
        let stage = Stage::draw(&mut random);
        let device = stage.device.peer.mac;
        let mut hours = hours;
        let threat = plot.map(|plot| {
            let habits = (plot.draw)(&mut random);
            let threat = Threat { plot, subject: device, from, habits };
            if threat.beat().is_some_and(|(period, _)| period > SLOW) {
                hours = hours.max(past.unwrap_or(0.0) + HOURS.1);
            }
            let after = past.unwrap_or_else(|| hours * (0.1 + 0.3 * random.share()));
            Threat { from: from + seconds(3_600.0 * after), ..threat }
        });
        let until = from + Span::from_secs((hours * 3_600.0) as u64);
        let frames = Frames::new(stage, character, threat.as_ref(), (from, until), &mut random);
        Self { name: format!("scene-{seed}-{number}"), character, threat, device, from, until, frames }
    }
}
