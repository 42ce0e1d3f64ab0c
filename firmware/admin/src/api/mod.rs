//! The routes: each one declared once, here.

mod activity;
mod alerts;
mod audit;
mod auth;
mod blocks;
mod hosts;
mod profile;
mod statistics;
mod system;
mod threats;
mod tokens;
mod totp;
mod users;

use crate::role::{ADMINS, ANYBODY, OVERSEERS, OWNERS, READERS, Scope};
use crate::route::Route;

pub use activity::EventRow;

/// Every route of the API.
#[must_use]
#[rustfmt::skip]
pub fn routes() -> Vec<Route> {
    vec![
        Route::post("/api/v1/auth/claim", "Makes the first superadmin, with the code on the box's console").unclaimed().creates(auth::claim),
        Route::post("/api/v1/auth/login", "Begins a session").takes(auth::login),
        Route::post("/api/v1/auth/verify", "Sets an account's own password with its one-time code").obeys(auth::verify),
        Route::post("/api/v1/auth/logout", "Ends the session that asks").roles(ANYBODY).unverified().before_totp().does(auth::logout),
        Route::post("/api/v1/auth/totp", "Answers with the second factor that a log-in left due").roles(ANYBODY).unverified().before_totp().takes(totp::answer),
        Route::post("/api/v1/auth/password", "Changes the own password; the other sessions end").roles(ANYBODY).obeys(auth::password),

        Route::get("/api/v1/profile", "The own account").roles(ANYBODY).unverified().before_totp().gives(profile::show),
        Route::post("/api/v1/profile/totp", "Begins a second factor: a secret for an app").roles(ANYBODY).dangerous().makes(totp::begin),
        Route::post("/api/v1/profile/totp/confirm", "Confirms the second factor with its first code").roles(ANYBODY).takes(totp::confirm),
        Route::delete("/api/v1/profile/totp", "Ends the second factor").roles(ANYBODY).dangerous().does(totp::end),
        Route::patch("/api/v1/profile", "Changes the own names").roles(ANYBODY).takes(profile::change),
        Route::get("/api/v1/sessions", "The own sessions").roles(ANYBODY).lists(&["from"], profile::sessions),
        Route::delete("/api/v1/sessions/{id}", "Ends one of the own sessions").roles(ANYBODY).does(profile::end_session),

        Route::get("/api/v1/users", "The accounts").roles(OVERSEERS).lists(&["role", "active", "verified", "email"], users::all),
        Route::post("/api/v1/users", "Creates an account; its owner sets the password with the code").roles(OWNERS).dangerous().creates(users::create),
        Route::get("/api/v1/users/{id}", "One account").roles(OVERSEERS).gives(users::one),
        Route::patch("/api/v1/users/{id}", "Changes an account; another role or inactive ends its sessions").roles(OWNERS).dangerous().takes(users::change),
        Route::delete("/api/v1/users/{id}", "Takes an account away, with its sessions and tokens").roles(OWNERS).dangerous().does(users::remove),
        Route::post("/api/v1/users/{id}/code", "Hands out a new one-time code, with which the owner sets a password").roles(OWNERS).dangerous().takes(users::code),
        Route::get("/api/v1/users/{id}/sessions", "An account's sessions").roles(OVERSEERS).lists(&["from"], users::sessions),
        Route::delete("/api/v1/users/{id}/sessions", "Ends all of an account's sessions").roles(OWNERS).does(users::end_sessions),

        Route::get("/api/v1/tokens", "The tokens of programs: the own ones, all of them for who oversees").roles(READERS).lists(&["user", "name"], tokens::all),
        Route::post("/api/v1/tokens", "Makes a token; its text is shown this once").roles(ADMINS).dangerous().creates(tokens::create),
        Route::delete("/api/v1/tokens/{id}", "Ends a token").roles(ADMINS).does(tokens::remove),

        Route::get("/api/v1/hosts", "The hosts being watched").roles(READERS).lists(&["host", "mac", "side", "level", "family", "score", "last_seen"], hosts::all),
        Route::get("/api/v1/hosts/{host}", "A host, with all that its level rests on").roles(READERS).gives(hosts::one),

        Route::get("/api/v1/threats", "The threat log, newest first").roles(READERS).pages(&["host", "level", "family"], threats::all),
        Route::get("/api/v1/threats/{id}", "A threat with its numbers and frames").roles(READERS).gives(threats::one),
        Route::get("/api/v1/threats/{id}/pcap", "A threat's frames as a capture file, in hexadecimal digits").roles(READERS).writes("text/plain; charset=utf-8", threats::pcap),
        Route::post("/api/v1/threats/{id}/feedback", "Says that a threat was right, or a false alarm").roles(ADMINS).scope(Scope::Alerts).takes(threats::judge),
        Route::delete("/api/v1/threats/{id}/feedback", "Takes back what was said of a threat").roles(ADMINS).scope(Scope::Alerts).does(threats::unsay),

        Route::get("/api/v1/alerts", "What wants to be looked at: one for each rise of a host to High").roles(READERS).lists(&["host", "severity", "acknowledged", "assigned"], alerts::all),
        Route::get("/api/v1/alerts/{id}", "One alert").roles(READERS).gives(alerts::one),
        Route::post("/api/v1/alerts/{id}/acknowledge", "Says that an alert was seen").roles(ADMINS).scope(Scope::Alerts).takes(alerts::acknowledge),
        Route::post("/api/v1/alerts/{id}/assign", "Gives an alert to an account").roles(ADMINS).scope(Scope::Alerts).takes(alerts::assign),
        Route::post("/api/v1/alerts/{id}/note", "Writes a note to an alert").roles(ADMINS).scope(Scope::Alerts).takes(alerts::note),
        Route::post("/api/v1/alerts/{id}/false-alarm", "Says that an alert was nothing: its family is quiet for its host").roles(ADMINS).scope(Scope::Alerts).takes(alerts::false_alarm),

        Route::get("/api/v1/blocks", "The blocks in force").roles(READERS).lists(&["host", "state", "automatic", "until"], blocks::all),
        Route::post("/api/v1/blocks", "Blocks a host").roles(ADMINS).scope(Scope::Blocks).creates(blocks::create),
        Route::get("/api/v1/blocks/{host}", "One block").roles(READERS).gives(blocks::one),
        Route::delete("/api/v1/blocks/{host}", "Ends a block").roles(ADMINS).scope(Scope::Blocks).does(blocks::end),

        Route::get("/api/v1/activity", "All that was found and done, newest first").roles(READERS).pages(&["host", "state"], activity::all),
        Route::get("/api/v1/events", "What is found and done, as it happens (server-sent events)").roles(READERS).streams(),
        Route::get("/api/v1/statistics", "Totals, hosts by level, the worst hosts, findings by family").roles(READERS).gives(statistics::now),

        Route::get("/api/v1/audit", "Who did what, newest first").roles(OVERSEERS).pages(&[], audit::all),
        Route::get("/api/v1/audit/state", "Whether the audit is whole, its head and its key").roles(OVERSEERS).gives(audit::state),

        Route::get("/api/v1/system", "The box: version, posture, uptime, what is not as it should be").roles(READERS).gives(system::show),
        Route::get("/metrics", "Figures for Prometheus").roles(READERS).writes("text/plain; version=0.0.4; charset=utf-8", system::metrics),
        Route::get("/api/v1/openapi.json", "This document").roles(ANYBODY).gives(system::document),
        Route::get("/healthz", "One word").unclaimed().writes("text/plain; charset=utf-8", system::healthz),
    ]
}
