//! Files that are read and written in watched folders, and by whom: fanotify, which names the process, unlike inotify.
//!
//! Needs root. **Bounds**: the kernel's queue of 16,384 events; what does not fit is told as a number. Of a file that the same process
//! opens again within a second one line is told. Of a process that is over before it is looked at the person is not known: "somebody".

use std::collections::HashMap;
use std::fs;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::sync::mpsc::SyncSender;
use std::time::{Duration, Instant};

use nix::sys::fanotify::{EventFFlags, Fanotify, InitFlags, MarkFlags, MaskFlags};

use super::{Line, Trouble};

/// The same file by the same process within this time is one act.
const SAME: Duration = Duration::from_secs(1);
/// The niceness of the thread that asks whose a process is, which may last a millisecond.
const FIRST: i32 = -20;
/// Files and processes that are remembered.
const REMEMBERED: usize = 4_096;

/// The watched folders.
pub struct Folders {
    folders: Vec<PathBuf>,
    kernel: Fanotify,
}

impl Folders {
    /// Begins to watch.
    ///
    /// # Errors
    /// A folder is not there, or this is not root.
    pub fn open(folders: &[PathBuf]) -> Result<Self, Trouble> {
        let refused = |error: nix::Error| format!("folders cannot be watched ({error}); that takes root and fanotify");
        let flags = EventFFlags::O_RDONLY | EventFFlags::O_LARGEFILE | EventFFlags::O_CLOEXEC;
        let kernel = Fanotify::init(InitFlags::FAN_CLASS_NOTIF | InitFlags::FAN_CLOEXEC, flags).map_err(refused)?;
        let mut whole = Vec::new();
        for folder in folders {
            let path = fs::canonicalize(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
            let mask = MaskFlags::FAN_OPEN | MaskFlags::FAN_CLOSE_NOWRITE | MaskFlags::FAN_CLOSE_WRITE;
            let mark = MarkFlags::FAN_MARK_ADD | MarkFlags::FAN_MARK_MOUNT;
            kernel.mark(mark, mask, nix::fcntl::AT_FDCWD, Some(path.as_path())).map_err(refused)?;
            whole.push(path);
        }
        Ok(Self { folders: whole, kernel })
    }

    /// Tells what is read and written. Ends when nobody listens.
    pub fn watch(&self, told: &SyncSender<Line>) {
        // Whose a process is can be read for as long as it lives: this thread, which mostly sleeps, goes before others.
        let _ = rustix::process::setpriority_process(Some(rustix::thread::gettid()), FIRST);
        let own = i32::try_from(std::process::id()).unwrap_or(0);
        let (mut seen, mut people) =
            (HashMap::<(i32, PathBuf, bool), Instant>::new(), HashMap::<i32, (Instant, String)>::new());
        loop {
            let events = match self.kernel.read_events() {
                Ok(events) => events,
                Err(nix::Error::EINTR) => continue,
                Err(error) => {
                    tracing::error!("folders are watched no more: {error}");
                    let line =
                        Line::act("watch stopped", "", "folders", format!("folders are watched no more: {error}"));
                    let _ = told.send(line);
                    return;
                }
            };
            for event in events {
                let Some(file) = event.fd() else {
                    let text = "more files were opened than the kernel's queue holds".to_owned();
                    if told.send(Line::act("other", "", "", text)).is_err() {
                        return;
                    }
                    continue;
                };
                let path = fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd())).unwrap_or_default();
                if event.pid() == own || !self.folders.iter().any(|folder| path.starts_with(folder)) || path.is_dir() {
                    continue;
                }
                // A process may be gone before what it closed is looked at: whose it is is learnt when it opens.
                // A number of a process may be another's a moment later.
                if people.get(&event.pid()).is_none_or(|(then, _)| then.elapsed() >= SAME) {
                    if people.len() >= REMEMBERED {
                        people.clear();
                    }
                    person(event.pid()).map(|who| people.insert(event.pid(), (Instant::now(), who)));
                }
                if !event.mask().intersects(MaskFlags::FAN_CLOSE_NOWRITE | MaskFlags::FAN_CLOSE_WRITE) {
                    continue;
                }
                let wrote = event.mask().contains(MaskFlags::FAN_CLOSE_WRITE);
                let key = (event.pid(), path.clone(), wrote);
                if seen.get(&key).is_some_and(|then| then.elapsed() < SAME) {
                    continue;
                }
                if seen.len() >= REMEMBERED {
                    seen.clear();
                }
                seen.insert(key, Instant::now());
                let who = people.get(&event.pid()).map(|(_, who)| who.clone()).unwrap_or_default();
                if told.send(line(&who, &path, wrote)).is_err() {
                    return;
                }
            }
        }
    }
}

fn line(who: &str, path: &Path, wrote: bool) -> Line {
    let (action, word) = if wrote { ("write", "wrote") } else { ("read", "read") };
    let by = if who.is_empty() { "somebody" } else { who };
    Line::act(action, who, &path.to_string_lossy(), format!("{by} {word} {}", path.display()))
}

/// Whose process it is: who logged in, where that is known, else as whom it runs.
fn person(process: i32) -> Option<String> {
    let read = |name: &str| fs::read_to_string(format!("/proc/{process}/{name}")).ok();
    let login = read("loginuid").and_then(|text| text.trim().parse::<u32>().ok()).filter(|uid| *uid != u32::MAX);
    let runs = || {
        let status = read("status")?;
        status.lines().find_map(|line| line.strip_prefix("Uid:")?.split_whitespace().next()?.parse().ok())
    };
    let uid = login.or_else(runs)?;
    let passwd = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let of = |line: &str| {
        let mut parts = line.split(':');
        let (name, id) = (parts.next()?, parts.nth(1)?);
        (id.parse() == Ok(uid)).then(|| name.to_owned())
    };
    Some(passwd.lines().find_map(of).unwrap_or_else(|| format!("uid {uid}")))
}
