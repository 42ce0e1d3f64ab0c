//! What may be asked of a running gateway, and how it answers: plain data, the same for the commands and for the API.
//!
//! A `Request` comes in as one line of JSON through the one door `Request::read`, which refuses whatever is out of bounds; the answer
//! is one of the `views`. `link` frames the same words for the socket pair between the gateway and its API process.
#![forbid(unsafe_code)]

mod access;
pub mod certificate;
pub mod incident;
pub mod intake;
pub mod link;
mod mail;
pub mod past;
mod post;
pub mod report;
mod request;
pub mod series;
pub mod source;
pub mod views;

pub use access::{AccessAsk, AccessView};
pub use mail::{MailOrder, MailSent};
pub use post::{POSTS_MAX, PostOrder, PostSent, Way};
pub use request::{
    AMONG_MAX, DeviceAsk, EVENTS_MAX, EventsWanted, FlowsWanted, MODEL_TEXT_MAX, Minute, ModelFile, REQUEST_MAX,
    RESPONSE_MAX, Request, Response, WHY_MAX, host_text,
};

/// The user as whom the API's process runs, unless the configuration names another.
pub const API_USER: u32 = 61_000;
/// The user as whom the process runs that sends a mail.
pub const MAIL_USER: u32 = 61_001;
/// The user as whom the intake's process runs, unless the configuration names another.
pub const INTAKE_USER: u32 = 61_002;
/// The user as whom the process runs that makes a report.
pub const REPORT_USER: u32 = 61_003;
