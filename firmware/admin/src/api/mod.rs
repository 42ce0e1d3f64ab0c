//! The routes: each one declared once, here.

mod activity;
mod alerts;
mod audit;
mod auth;
mod backup;
mod blocks;
mod catalogue;
mod certificate;
mod devices;
mod disclosures;
mod flows;
mod grants;
mod groups;
mod hosts;
mod incidents;
mod indicators;
mod logs;
mod model;
mod notifications;
mod policy;
mod posture;
mod power;
mod profile;
mod reports;
mod requests;
mod rules;
mod series;
mod settings;
mod sources;
mod statistics;
mod system;
mod threats;
mod tokens;
mod totp;
mod users;

use crate::role::{ADMINS, ANYBODY, ASKERS, OVERSEERS, OWNERS, READERS, Scope};
use crate::route::Route;

pub use activity::EventRow;
pub use certificate::{at_the_box as certificate_at_the_box, serve_installed};
pub use devices::DeviceRow;
pub use grants::errand as about_access;
pub use hosts::HostRow;
pub use incidents::at_the_box as incidents_at_the_box;
pub use policy::Applied;
pub use reports::organisation;
pub use sources::at_the_box as source_at_the_box;
pub use users::recover;

/// The longest body with a policy: its text with every octet escaped twice would not be one.
const POLICY_MAX: usize = 6 << 20;
/// The longest body with a manufacturer's description.
const MUD_MAX: usize = 80 << 10;

/// The longest body with a list of indicators.
const LIST_MAX: usize = 6 << 20;
/// The longest body with a forest.
const MODEL_MAX: usize = protocol::MODEL_TEXT_MAX + (1 << 10);

/// Every route of the API.
#[must_use]
#[rustfmt::skip]
pub fn routes() -> Vec<Route> {
    vec![
        Route::post("/api/v1/auth/claim", "Makes the first superadmin, with the code on the box's console").unclaimed().creates(auth::claim),
        Route::get("/api/v1/auth/claim", "Whether the box waits for its owner").unclaimed().gives(auth::waiting),
        Route::post("/api/v1/auth/login", "Begins a session; the page's is kept in a cookie").enters(auth::login),
        Route::post("/api/v1/auth/verify", "Sets an account's own password with its one-time code").obeys(auth::verify),
        Route::post("/api/v1/auth/register", "Asks for an account, where that is on; a superadmin approves it").obeys(auth::register),
        Route::post("/api/v1/auth/resend", "Sends an account that waits for it another code by mail").obeys(auth::resend),
        Route::post("/api/v1/auth/logout", "Ends the session that asks").roles(ANYBODY).unverified().before_totp().does(auth::logout),
        Route::post("/api/v1/auth/totp", "Answers with the second factor that a log-in left due").roles(ANYBODY).unverified().before_totp().takes(totp::answer),
        Route::post("/api/v1/auth/password", "Changes the own password; the other sessions end").roles(ANYBODY).obeys(auth::password),

        Route::get("/api/v1/profile", "The own account").roles(ANYBODY).unverified().before_totp().gives(profile::show),
        Route::post("/api/v1/profile/totp", "Begins a second factor: a secret for an app").roles(ANYBODY).enrols().dangerous().makes(totp::begin),
        Route::post("/api/v1/profile/totp/confirm", "Confirms the second factor with its first code").roles(ANYBODY).enrols().takes(totp::confirm),
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
        Route::post("/api/v1/users/{id}/approve", "Approves an account that its owner asked for").roles(OWNERS).dangerous().takes(users::approve),
        Route::get("/api/v1/users/{id}/sessions", "An account's sessions").roles(OVERSEERS).lists(&["from"], users::sessions),
        Route::delete("/api/v1/users/{id}/sessions", "Ends all of an account's sessions").roles(OWNERS).does(users::end_sessions),

        Route::get("/api/v1/tokens", "The tokens of programs: the own ones, all of them for who oversees").roles(READERS).lists(&["user", "name"], tokens::all),
        Route::post("/api/v1/tokens", "Makes a token; its text is shown this once").roles(ADMINS).dangerous().creates(tokens::create),
        Route::delete("/api/v1/tokens/{id}", "Ends a token").roles(ADMINS).does(tokens::remove),

        Route::get("/api/v1/hosts", "The hosts being watched").roles(READERS).lists(&["host", "mac", "side", "level", "family", "score", "last_seen"], hosts::all),
        Route::get("/api/v1/hosts/{host}", "A host, with all that its level rests on").roles(READERS).gives(hosts::one),

        Route::get("/api/v1/devices", "The devices: an account of the role user sees its own").roles(ANYBODY).lists(&["name", "macs", "addresses", "kind", "vendor", "side", "state", "owner", "groups", "tags", "first_seen", "last_seen"], devices::all),
        Route::get("/api/v1/devices/{id}", "One device, with all that is known of it").roles(ANYBODY).gives(devices::one),
        Route::patch("/api/v1/devices/{id}", "Writes down a device's name, owner, groups, tags and notes").roles(ADMINS).scope(Scope::Devices).takes(devices::describe),
        Route::delete("/api/v1/devices/{id}", "Forgets a device; if it comes again, it is new").roles(ADMINS).scope(Scope::Devices).does(devices::forget),
        Route::post("/api/v1/devices/{id}/approve", "Approves a device: rules allow it what they say").roles(ADMINS).scope(Scope::Devices).takes(devices::approve),
        Route::post("/api/v1/devices/{id}/quarantine", "Leaves a device the starter set and nothing else").roles(ADMINS).scope(Scope::Devices).takes(devices::quarantine),
        Route::post("/api/v1/devices/{id}/block", "Cuts a device off until it is approved").roles(ADMINS).scope(Scope::Devices).takes(devices::block),
        Route::post("/api/v1/devices/{id}/undecide", "Takes back what was decided about a device: it is new again").roles(ADMINS).scope(Scope::Devices).takes(devices::undecide),
        Route::post("/api/v1/devices/{id}/merge", "Makes another record part of this device").roles(ADMINS).scope(Scope::Devices).takes(devices::merge),
        Route::post("/api/v1/devices/{id}/split", "Makes one of its hardware addresses a device of its own").roles(ADMINS).scope(Scope::Devices).creates(devices::split),

        Route::get("/api/v1/groups", "The groups, with their devices and the rules that name them").roles(READERS).lists(&["posture", "groups", "devices", "rules"], groups::all),
        Route::post("/api/v1/groups", "Makes a group").roles(ADMINS).scope(Scope::Policy).creates(groups::create),
        Route::get("/api/v1/groups/{name}", "One group").roles(READERS).gives(groups::one),
        Route::patch("/api/v1/groups/{name}", "Changes a group's posture and the groups that it is in").roles(ADMINS).scope(Scope::Policy).takes(groups::change),
        Route::delete("/api/v1/groups/{name}", "Takes a group away; its devices stay").roles(ADMINS).scope(Scope::Policy).does(groups::remove),

        Route::get("/api/v1/rules", "The rules, the built-in ones last").roles(READERS).lists(&["effect", "who", "to", "service", "owner", "until", "shadow", "built_in"], rules::all),
        Route::get("/api/v1/rules/policy", "The policy in force as text, with its version").roles(READERS).gives(rules::policy),
        Route::get("/api/v1/rules/export", "The policy in force as the text that apply takes").roles(READERS).writes("text/plain; charset=utf-8", rules::export),
        Route::post("/api/v1/rules/check", "Says what is wrong with a policy's text, line by line").roles(READERS).scope(Scope::Read).up_to(POLICY_MAX).takes(rules::check),
        Route::post("/api/v1/rules/diff", "Says what a policy's text would change").roles(READERS).scope(Scope::Read).up_to(POLICY_MAX).takes(rules::diff),
        Route::get("/api/v1/rules/draft", "The own draft of the policy").roles(ADMINS).gives(rules::draft),
        Route::post("/api/v1/rules/draft", "Keeps a draft of the policy for the caller").roles(ADMINS).scope(Scope::Policy).up_to(POLICY_MAX).creates(rules::keep_draft),
        Route::delete("/api/v1/rules/draft", "Drops the own draft").roles(ADMINS).scope(Scope::Policy).does(rules::drop_draft),
        Route::post("/api/v1/rules/apply", "Puts a policy in force, on trial where within_secs is given").roles(ADMINS).scope(Scope::Policy).up_to(POLICY_MAX).parting().takes(rules::apply),
        Route::get("/api/v1/rules/trial", "The policy on trial, and how long it has left").roles(READERS).gives(rules::trial),
        Route::post("/api/v1/rules/confirm", "Keeps the policy on trial: for who applied it, over a new connection").roles(ADMINS).scope(Scope::Policy).gives(rules::confirm),
        Route::post("/api/v1/rules/revert", "Ends a trial, or goes back to a version").roles(ADMINS).scope(Scope::Policy).takes(rules::revert),
        Route::get("/api/v1/rules/history", "The policy's versions, newest first").roles(READERS).pages(&["author", "act"], rules::history),
        Route::get("/api/v1/rules/history/{id}", "One version, with its text").roles(READERS).gives(rules::version),
        Route::post("/api/v1/rules/explain", "Says whether a conversation would pass, and which rule says so").roles(READERS).scope(Scope::Read).takes(rules::explain),
        Route::post("/api/v1/rules/timemachine", "Says what a policy's text would have cut of what devices did").roles(READERS).scope(Scope::Read).up_to(POLICY_MAX).takes(flows::timemachine),
        Route::post("/api/v1/rules/mud", "Reads a manufacturer's description (RFC 8520) as rules; nothing is changed").roles(READERS).scope(Scope::Read).up_to(MUD_MAX).takes(rules::read_mud),
        Route::get("/api/v1/rules/mud/{name}", "Writes the rules of a device of the policy as a description").roles(READERS).gives(rules::write_mud),
        Route::get("/api/v1/posture", "What the box does with what it finds, and for how long").roles(READERS).gives(posture::now),
        Route::post("/api/v1/posture", "Another posture, for good or for some time").roles(ADMINS).scope(Scope::Policy).takes(posture::set),

        Route::get("/api/v1/flows", "What devices did, newest first: an account of the role user sees its own devices'").roles(ANYBODY).pages(&["mac", "device", "peer", "service", "begun_by"], flows::all),
        Route::post("/api/v1/proposals/{device}", "The rules that a device would need to go on with what it did; nothing is changed").roles(READERS).scope(Scope::Read).takes(flows::propose),
        Route::get("/api/v1/proposals/{device}/shadow", "What would have been cut of a device, had it been held to its rules").roles(READERS).gives(flows::shadow),
        Route::post("/api/v1/proposals/{device}/shadow", "Begins or ends a device's shadow; nothing is cut by it").roles(ADMINS).scope(Scope::Policy).takes(flows::watch),
        Route::post("/api/v1/proposals/{device}/enforce", "Holds a device to its rules").roles(ADMINS).scope(Scope::Policy).takes(flows::enforce),

        Route::get("/api/v1/requests", "Requests for access: an account of the role user sees its own").roles(ANYBODY).lists(&["state", "asked_by", "device", "to", "service", "created"], requests::all),
        Route::post("/api/v1/requests", "Asks for access of a device for some time; an admin decides").roles(ASKERS).creates(requests::create),
        Route::get("/api/v1/requests/{id}", "One request").roles(ANYBODY).gives(requests::one),
        Route::post("/api/v1/requests/{id}/grant", "Makes a request a rule that ends by itself; who asked is told").roles(ADMINS).scope(Scope::Policy).takes(requests::grant),
        Route::post("/api/v1/requests/{id}/refuse", "Refuses a request with a note; who asked is told").roles(ADMINS).scope(Scope::Policy).takes(requests::refuse),
        Route::delete("/api/v1/requests/{id}", "Withdraws an own request that waits").roles(ASKERS).does(requests::withdraw),

        Route::get("/api/v1/model", "The forests that vote, what was counted of their votes, and how far this site is from the training").roles(READERS).gives(model::show),
        Route::post("/api/v1/model/check", "Says what a forest's file holds, or why it may not vote here").roles(READERS).scope(Scope::Read).up_to(MODEL_MAX).takes(model::check),
        Route::post("/api/v1/model/dry-run", "Says which hosts' levels a forest would change; nothing is changed").roles(READERS).scope(Scope::Read).up_to(MODEL_MAX).takes(model::dry_run),
        Route::post("/api/v1/model/load", "Has another forest vote; the former one is kept").roles(OWNERS).dangerous().up_to(MODEL_MAX).takes(model::load),
        Route::post("/api/v1/model/revert", "Has the former forest vote again").roles(OWNERS).dangerous().gives(model::revert),
        Route::post("/api/v1/model/shadow", "Counts a forest's votes beside those that decide").roles(OWNERS).dangerous().up_to(MODEL_MAX).takes(model::shadow),
        Route::delete("/api/v1/model/shadow", "Ends that").roles(OWNERS).does(model::unshadow),
        Route::post("/api/v1/model/classify", "What the forest in force says of a host's newest minute, or of features, and why").roles(READERS).scope(Scope::Read).takes(model::classify),

        Route::get("/api/v1/indicators", "The lists of indicators that are looked for").roles(READERS).lists(&["name", "level", "over"], indicators::all),
        Route::post("/api/v1/indicators", "Looks for what is on a list from now on").roles(ADMINS).scope(Scope::Blocks).up_to(LIST_MAX).creates(indicators::create),
        Route::delete("/api/v1/indicators/{name}", "Forgets a list").roles(ADMINS).scope(Scope::Blocks).does(indicators::remove),
        Route::post("/api/v1/indicators/{name}/past", "Says which devices had to do with what is on a list").roles(READERS).scope(Scope::Read).takes(indicators::past),

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
        Route::post("/api/v1/alerts/{id}/mute", "Has an alert tell nobody for some time").roles(ADMINS).scope(Scope::Alerts).takes(alerts::mute),
        Route::post("/api/v1/alerts/{id}/false-alarm", "Says that an alert was nothing: its family is quiet for its host").roles(ADMINS).scope(Scope::Alerts).takes(alerts::false_alarm),

        Route::get("/api/v1/blocks", "The blocks in force").roles(READERS).lists(&["host", "state", "automatic", "until"], blocks::all),
        Route::post("/api/v1/blocks", "Blocks a host").roles(ADMINS).scope(Scope::Blocks).creates(blocks::create),
        Route::get("/api/v1/blocks/{host}", "One block").roles(READERS).gives(blocks::one),
        Route::delete("/api/v1/blocks/{host}", "Ends a block").roles(ADMINS).scope(Scope::Blocks).does(blocks::end),

        Route::get("/api/v1/activity", "All that was found and done, newest first; the role user sees what concerns its devices").roles(ANYBODY).pages(&["host", "state"], activity::all),
        Route::get("/api/v1/events", "What is found and done, as it happens (server-sent events); the role user hears of its own requests").roles(ANYBODY).streams(),
        Route::get("/api/v1/statistics", "Totals, hosts by level, the worst hosts, findings by family").roles(READERS).gives(statistics::now),
        Route::get("/api/v1/statistics/{reach}/{topic}", "Figures over the last hour, day, week, month or year: octets each way by devices, services or protocols, findings by levels or sources").roles(READERS).gives(series::series),

        Route::get("/api/v1/incidents", "What belongs together, as one story each").roles(READERS).lists(&["state", "level", "hosts", "subjects", "sources", "began", "last", "assigned", "blocked"], incidents::all),
        Route::get("/api/v1/incidents/{id}", "One incident: what happened, what was done, what to do next").roles(READERS).gives(incidents::one),
        Route::post("/api/v1/incidents/{id}/assign", "Gives an incident to an account").roles(ADMINS).scope(Scope::Alerts).takes(incidents::assign),
        Route::post("/api/v1/incidents/{id}/comment", "Writes a comment to an incident").roles(ADMINS).scope(Scope::Alerts).takes(incidents::write),
        Route::post("/api/v1/incidents/{id}/close", "Closes an incident with the reason").roles(ADMINS).scope(Scope::Alerts).takes(incidents::close),
        Route::post("/api/v1/incidents/{id}/reopen", "Opens a closed incident again").roles(ADMINS).scope(Scope::Alerts).takes(incidents::reopen),
        Route::post("/api/v1/incidents/{id}/merge", "Makes another incident part of this one").roles(ADMINS).scope(Scope::Alerts).takes(incidents::merge),
        Route::post("/api/v1/incidents/{id}/split", "Makes a part of this incident an incident of its own").roles(ADMINS).scope(Scope::Alerts).creates(incidents::split),
        Route::get("/api/v1/notifications", "The channels by which people hear of incidents, and how they fare").roles(READERS).lists(&["kind", "level", "trouble"], notifications::all),
        Route::post("/api/v1/notifications", "Makes a channel: a webhook, a mail, a receiver of syslog or EVE JSON lines, a file; a webhook's secret is shown this once").roles(ADMINS).scope(Scope::Settings).creates(notifications::create),
        Route::patch("/api/v1/notifications/{id}", "Changes what a channel hears of, and when").roles(ADMINS).scope(Scope::Settings).takes(notifications::change),
        Route::delete("/api/v1/notifications/{id}", "Takes a channel away, with what waits for it").roles(ADMINS).scope(Scope::Settings).does(notifications::remove),
        Route::post("/api/v1/notifications/{id}/test", "Sends a message to try a channel").roles(ADMINS).scope(Scope::Settings).gives(notifications::test),
        Route::get("/api/v1/notifications/{id}/letters", "What waits for a channel, and what did not arrive").roles(READERS).lists(&["incident", "dead"], notifications::letters),
        Route::get("/api/v1/notifications/{id}/file", "The EVE JSON lines of a channel that writes them on the box").roles(READERS).hands(notifications::file),
        Route::get("/api/v1/logs", "What hosts say of their users, newest first").roles(READERS).pages(&logs::FIELDS, logs::all),
        Route::post("/api/v1/logs", "Takes what an enrolled source logs: JSON, or a JSON object a line").up_to(protocol::intake::BATCH_MAX).tells(logs::take),
        Route::get("/api/v1/subjects", "The accounts that hosts told of, and what is usual for each").roles(READERS).lists(&["devices", "addresses", "proof", "last_seen", "records", "failed"], logs::subjects),
        Route::get("/api/v1/disclosures", "The names behind pseudonyms that are asked for, and who consented").roles(READERS).lists(&["subject", "state", "asked_by", "created"], disclosures::all),
        Route::post("/api/v1/disclosures", "Asks for the name behind a pseudonym; another admin consents, or it opens after a wait where there is none").roles(ADMINS).dangerous().creates(disclosures::create),
        Route::post("/api/v1/disclosures/{id}/consent", "Consents to a disclosure that another admin asks for").roles(ADMINS).dangerous().gives(disclosures::consent),
        Route::post("/api/v1/disclosures/{id}/name", "Tells the name to who asked for it, while it is open").roles(ADMINS).dangerous().gives(disclosures::told),
        Route::delete("/api/v1/disclosures/{id}", "Withdraws or refuses a disclosure").roles(ADMINS).does(disclosures::remove),
        Route::get("/api/v1/sources", "Who sends logs, and what became of its lines").roles(READERS).lists(&["name", "proof", "address", "agent", "silent", "waiting", "dropped"], sources::all),
        Route::post("/api/v1/sources", "Enrols a host that tells over HTTPS; its token or its code is shown this once").roles(ADMINS).scope(Scope::Settings).dangerous().creates(sources::enroll),
        Route::post("/api/v1/sources/redeem", "Fetches an agent's token with its code").takes(sources::redeem),
        Route::delete("/api/v1/sources/{id}", "Ends an enrolment; what the source told stays").roles(ADMINS).scope(Scope::Settings).does(sources::revoke),
        Route::get("/api/v1/reports", "The reports that are kept").roles(READERS).lists(&["state", "format", "by", "created"], reports::all),
        Route::post("/api/v1/reports", "Has the report of a period made; it is fetched when it is done").roles(READERS).scope(Scope::Read).begins(reports::make),
        Route::get("/api/v1/reports/{id}", "One report, and whether it is made").roles(READERS).gives(reports::one),
        Route::get("/api/v1/reports/{id}/file", "A report's file").roles(READERS).hands(reports::file),

        Route::get("/api/v1/audit", "Who did what, newest first").roles(OVERSEERS).pages(&[], audit::all),
        Route::get("/api/v1/audit/state", "Whether the audit is whole, its head and its key").roles(OVERSEERS).gives(audit::state),
        Route::get("/api/v1/audit/verify", "Reads the whole audit again and checks its chain").roles(OVERSEERS).gives(audit::verify),

        Route::get("/api/v1/catalogue", "The threats that Picket knows, and what hides them").roles(ANYBODY).lists(&["group", "level", "response"], catalogue::all),

        Route::get("/api/v1/system", "The box: version, posture, uptime, what is not as it should be").roles(READERS).gives(system::show),
        Route::get("/api/v1/system/resources", "The machine: memory, load, disk, temperature, links").roles(READERS).gives(system::resources),
        Route::get("/api/v1/system/ports", "Every port of the box that is open").roles(READERS).lists(&["protocol", "address", "port"], system::ports),
        Route::get("/api/v1/system/certificate", "The certificates that are served, with their names and ends").roles(READERS).gives(certificate::show),
        Route::post("/api/v1/system/certificate", "Installs a certificate with its key: it is served to whoever asks by one of its names").roles(OWNERS).dangerous().up_to(certificate::BODY_MAX).takes(certificate::install),
        Route::delete("/api/v1/system/certificate", "Takes the installed certificate away; the box's own is served to everybody").roles(OWNERS).dangerous().does(certificate::remove),
        Route::post("/api/v1/system/restart", "Starts the gateway again; traffic crosses meanwhile").roles(OWNERS).dangerous().takes(power::restart),
        Route::post("/api/v1/system/shutdown", "Switches the box off, where it can; with it off no traffic crosses").roles(OWNERS).dangerous().takes(power::shutdown),
        Route::get("/.well-known/security.txt", "Whom to tell of a weakness (RFC 9116)").writes("text/plain; charset=utf-8", power::security),
        Route::get("/api/v1/settings", "Every setting, with its meaning, its default and who set it").roles(READERS).lists(&["origin", "changeable"], settings::all),
        Route::get("/api/v1/settings/{id}", "One setting").roles(READERS).gives(settings::one),
        Route::patch("/api/v1/settings/{id}", "Changes a setting at once").roles(ADMINS).scope(Scope::Settings).takes(settings::change),
        Route::post("/api/v1/backup", "Makes an encrypted backup of all that people made of the box: accounts, policy, devices, audit, requests, sources, channels, incidents, settings, lists").roles(OWNERS).dangerous().takes(backup::make),
        Route::post("/api/v1/backup/restore", "Goes back to a backup: everything that people made of the box is replaced").roles(OWNERS).dangerous().up_to(backup::BODY_MAX).takes(backup::restore),
        Route::post("/api/v1/settings/mail/test", "Sends the caller a message, and says how that fared").roles(ADMINS).scope(Scope::Settings).gives(settings::try_mail),
        Route::get("/metrics", "Figures for Prometheus").roles(READERS).writes("text/plain; version=0.0.4; charset=utf-8", system::metrics),
        Route::get("/api/v1/openapi.json", "This document").roles(ANYBODY).gives(system::document),
        Route::get("/healthz", "One word").unclaimed().writes("text/plain; charset=utf-8", system::healthz),
    ]
}
