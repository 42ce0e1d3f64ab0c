//! `picket agent install`: a systemd unit that runs this binary as the agent.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::Trouble;
use super::state::{Enrolment, replace};
use crate::cli::AgentInstallArgs;
use crate::terminal::print;

/// Where the unit goes.
const UNIT: &str = "etc/systemd/system/picket-agent.service";

/// Writes the unit, and starts it where systemd runs.
pub fn install(args: &AgentInstallArgs) -> Result<(), Trouble> {
    Enrolment::read(&args.agent.folder)?;
    let binary = std::env::current_exe()?;
    let path = args.root.join(UNIT);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    let text = unit(&binary, args);
    replace(&path, text.as_bytes()).map_err(|error| format!("{}: {error}", path.display()))?;
    let running = args.root == Path::new("/") && Path::new("/run/systemd/system").exists();
    if running {
        for words in [&["daemon-reload"][..], &["enable", "--now", "picket-agent.service"]] {
            let done = Command::new("systemctl").args(words).status()?;
            if !done.success() {
                return Err(format!("systemctl {} fails; the unit is at {}", words.join(" "), path.display()).into());
            }
        }
        print(&format!("{} is written, and the agent runs\n", path.display()));
    } else {
        print(&format!("{} is written; systemd does not run here, so nothing was started\n", path.display()));
    }
    Ok(())
}

/// The unit. Watching folders takes CAP_SYS_ADMIN (fanotify) and reading others' files CAP_DAC_READ_SEARCH; without folders it has the latter alone.
fn unit(binary: &Path, args: &AgentInstallArgs) -> String {
    let quoted = |path: &Path| {
        format!("\"{}\"", path.display().to_string().replace('\\', "\\\\").replace('"', "\\\"").replace('%', "%%"))
    };
    let mut call = format!(
        "{} agent run --folder {} --log {}",
        quoted(binary),
        quoted(&args.agent.folder),
        quoted(&args.agent.log)
    );
    args.agent.watch.iter().for_each(|folder| call += &format!(" --watch {}", quoted(folder)));
    call += &format!(" --spool {}", args.agent.spool);
    let rights = if args.agent.watch.is_empty() {
        "CAP_DAC_READ_SEARCH"
    } else {
        "CAP_DAC_READ_SEARCH CAP_SYS_ADMIN CAP_SYS_NICE"
    };
    format!(
        "[Unit]
Description=Picket agent: tells the box who logs in, takes rights, changes accounts, plugs in media
Documentation=https://www.rfc-editor.org/info/rfc5424
After=network.target

[Service]
ExecStart={call}
Restart=always
RestartSec=5
TimeoutStopSec=10
CapabilityBoundingSet={rights}
NoNewPrivileges=yes
ProtectSystem=strict
ReadWritePaths={}
PrivateTmp=no
ProtectKernelModules=yes
ProtectKernelTunables=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
MemoryMax=64M
CPUQuota=20%

[Install]
WantedBy=multi-user.target
",
        quoted(&args.agent.folder)
    )
}
