//! `picket watch`: a live view on a terminal, drawn anew each second.

mod keyboard;
mod screen;

use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::interval;

use self::screen::Screen;
use crate::cli::WatchArgs;
use crate::commands::bad_file;
use crate::config::Config;
use crate::control::Request;
use crate::control::client::{AskError, ask};
use crate::control::views::StatusView;
use crate::terminal::print;

/// How often the view is drawn.
const EVERY: Duration = Duration::from_secs(1);
/// How many of the newest events are asked for.
const EVENTS: u32 = 8;
/// Another screen, so that what was there before comes back; no cursor.
const ENTER: &str = "\x1b[?1049h\x1b[?25l";
/// The screen and the cursor from before.
const LEAVE: &str = "\x1b[?25h\x1b[?1049l";

/// Draws until q or Ctrl-C, or once.
pub fn watch(args: &WatchArgs) -> ExitCode {
    let config = match Config::find(args.client.config.as_deref()) {
        Ok(config) => config,
        Err(error) => return bad_file(&error),
    };
    let socket = &config.control.socket;
    let first = match look(socket, None) {
        Ok(screen) => screen,
        Err(error) => {
            eprintln!("picket: {error}");
            return ExitCode::FAILURE;
        }
    };
    if args.client.json {
        print(&(first.json() + "\n"));
        return ExitCode::SUCCESS;
    }
    if args.once {
        let begin = Instant::now();
        std::thread::sleep(EVERY);
        print(&look(socket, Some(&(first.status.clone(), begin))).unwrap_or(first).text());
        return ExitCode::SUCCESS;
    }
    match live(socket, first) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("picket: the live view cannot be shown: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The view, until a key or a signal ends it.
fn live(socket: &Path, first: Screen) -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (pressed, mut keys) = mpsc::channel(1);
    let _keyboard = keyboard::listen(pressed);
    print(ENTER);
    let ended = runtime.block_on(async {
        let mut tick = interval(EVERY);
        let [mut interrupted, mut terminated] = [signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?];
        let mut last = (first.status.clone(), Instant::now());
        draw(&first.text());
        tick.tick().await;
        loop {
            tokio::select! {
                _ = tick.tick() => {}
                Some(()) = keys.recv() => return Ok(()),
                _ = interrupted.recv() => return Ok(()),
                _ = terminated.recv() => return Ok(()),
            }
            match look(socket, Some(&last)) {
                Ok(screen) => {
                    draw(&screen.text());
                    last = (screen.status, Instant::now());
                }
                Err(error) => draw(&format!("{error}\n\nLooking again each second; q ends.\n")),
            }
        }
    });
    print(LEAVE);
    ended
}

/// Asks for all that one screen shows; rates are since the last look.
fn look(socket: &Path, last: Option<&(StatusView, Instant)>) -> Result<Screen, AskError> {
    let status: StatusView = ask(socket, &Request::Status)?;
    let rates = last.map(|(before, at)| screen::rates(before, &status, at.elapsed()));
    Ok(Screen {
        rates,
        hosts: ask(socket, &Request::Hosts)?,
        events: ask(socket, &Request::Events { limit: EVENTS, since: None })?,
        blocks: ask(socket, &Request::Blocks)?,
        status,
    })
}

/// Puts the text in place of the last one without a flicker.
fn draw(text: &str) {
    let lines: String = text.lines().map(|line| format!("{line}\x1b[K\n")).collect();
    print(&format!("\x1b[H{lines}\x1b[J"));
}
