//! Picket: the inline zero-trust gateway.
//!
//! The binary is wiring: the command line, the configuration, the threads of `run`, the lines of `replay`. What Picket knows
//! stands in the crates beside it.

mod agent;
mod audit;
mod cli;
mod commands;
mod config;
mod control;
mod doctor;
mod intake;
mod links;
mod log;
mod model;
mod poster;
mod replay;
mod reporter;
mod run;
mod self_test;
mod terminal;
mod threats;
mod watch;

use std::process::ExitCode;

use clap::Parser;

use cli::{Cli, Command};

fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Run(args) => run::run(args.config.as_deref()),
        Command::Replay(args) => replay::replay(&args),
        Command::Doctor(args) => doctor::doctor(&args),
        Command::Status(args) => commands::status(&args),
        Command::Hosts(args) => commands::hosts(&args),
        Command::Explain(args) => commands::explain(&args),
        Command::Events(args) => commands::events(&args),
        Command::Flows(args) => commands::flows(&args),
        Command::Indicators(command) => commands::indicators(&command),
        Command::Statistics(args) => commands::statistics(&args),
        Command::Feedback(command) => commands::feedback(&command),
        Command::Blocks(args) => commands::blocks(&args),
        Command::Block(args) => commands::block(&args),
        Command::Unblock(args) => commands::unblock(&args),
        Command::Watch(args) => watch::watch(&args),
        Command::SelfTest(args) => self_test::self_test(&args),
        Command::Model(command) => commands::model(&command),
        Command::Devices(command) => commands::devices(&command),
        Command::Mud(command) => commands::mud(&command),
        Command::Threats(args) => threats::threats(&args),
        Command::Policy(command) => commands::policy(&command),
        Command::Requests(command) => commands::requests(&command),
        Command::Posture(args) => commands::posture(&args),
        Command::Config(command) => commands::config(&command),
        Command::Audit(command) => audit::audit(&command),
        Command::Openapi => audit::openapi(),
        Command::Restart(client) => commands::restart(&client),
        Command::Shutdown(client) => commands::shutdown(&client),
        Command::Certificate(args) => commands::certificate(&args),
        Command::Recover { client, email } => commands::recover(&client, &email),
        Command::Mail => admin::mail::run(),
        Command::Poster => poster::run(),
        Command::Reporter => reporter::run(),
        Command::Api => {
            log::start();
            admin::run()
        }
        Command::Intake => {
            log::start();
            intake::run()
        }
        Command::Activity(args) => commands::activity(&args),
        Command::Report(command) => commands::report(&command),
        Command::Agent(command) => agent::agent(&command),
        Command::Incidents(args) => commands::incidents(&args),
        Command::Sources(args) => commands::sources(&args),
    }
}
