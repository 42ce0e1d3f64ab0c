//! The admin API: turns requests of people and programs into answers, over TLS, for those who may.
//!
//! It runs as a process of its own (`run`), started by the gateway, which it asks by the typed messages of `protocol` and by nothing
//! else. It refuses: a body that is not what a route declares, whoever a route does not name, whatever comes too fast, too slow or too
//! long. It keeps accounts, sessions, tokens, alerts and the audit in a folder of its own.
//!
//! | module | what |
//! |---|---|
//! | `api` | every route, declared once, and its handler |
//! | `route` | what a route is, lists and pages, the OpenAPI document |
//! | `serve` | TLS, limits, the door |
//! | `office` | what handlers share: people, rows, audit, the way to the gateway |
//! | `audit` | the chain: written, exported, verified without the box |
//! | `follow` | the gateway's events into audit, alerts and the live feed |
//! | `process`, `privileges`, `link` | the process: its start, what it gives up, the socket pair |
#![forbid(unsafe_code)]

mod access;
mod account;
mod alert;
mod api;
mod audit;
mod backup;
mod calendar;
mod clock;
mod disclosure;
mod draft;
mod follow;
mod incident;
mod link;
pub mod mail;
mod news;
mod notice;
mod office;
mod outbox;
mod password;
mod people;
mod privileges;
mod problem;
mod process;
mod reports;
mod role;
mod route;
mod rows;
mod secret;
mod serve;
mod session;
mod settings;
mod source;
mod throttle;
mod token;
mod totp;

mod words;

pub use audit::{Broken, Verified, verify};
pub use privileges::{RightsError, give_up, give_up_all, give_up_all_but_one_port, has_landlock};
pub use process::{ProcessError, close_inherited, listen, run};

/// The user as whom the API runs unless the configuration names another: a number that nothing else on the box has.
pub const USER: u32 = protocol::API_USER;

/// The OpenAPI document of every route, as it is served.
#[must_use]
pub fn openapi() -> serde_json::Value {
    route::document(&api::routes())
}
