//! The admin API as a whole: the real binary in a namespace, reached by curl over TLS that trusts the device's own CA.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod agent;
mod attack;
mod backup;
mod calendar;
mod certificate;
mod client;
mod families;
mod first;
mod flows;
mod held;
mod history;
mod indicators;
#[path = "../gateway/leaf.rs"]
mod leaf;
mod limits;
mod logs;
mod mail;
mod matrix;
mod mdns;
mod model;
mod people;
mod post;
mod power;
mod proof;
mod pseudonyms;
mod receivers;
mod redirect;
mod requests;
mod rules;
mod sealed;
mod settings;
#[path = "../gateway/signing.rs"]
mod signing;
#[path = "../gateway/stand.rs"]
mod stand;
mod statistics;
