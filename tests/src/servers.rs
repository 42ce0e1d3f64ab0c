//! The servers of the lab: Debian's own programs, with configurations written for one run.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::network::{Network, ROUTER, SERVER};
use crate::process::{Process, output};

/// How long the servers may take until they answer.
const START: Duration = Duration::from_secs(15);
/// Ports that must answer at the servers' first address: FTP, SSH, web, POP3, iperf3.
const PORTS: [u16; 5] = [21, 22, 80, 110, 5201];

/// Running servers. Dropping them ends them.
pub struct Servers {
    _running: Vec<Process>,
}

impl Servers {
    /// Writes the configurations into `folder`, starts the servers and waits until they answer.
    ///
    /// # Errors
    /// When a program is missing or does not come up; its log is in `folder`.
    pub fn start(network: &Network, folder: &Path) -> Result<Self> {
        let text = folder.to_str().context("the lab's folder has an unusual name")?;
        write_configurations(folder, text)?;
        forward_a_port(network)?;
        let log = folder.join("servers.log");
        let lines = [
            ("router", format!("exec dnsmasq --keep-in-foreground --conf-file={text}/dnsmasq.conf")),
            ("inet", format!("exec nginx -c {text}/nginx.conf -e {text}/nginx.log")),
            ("inet", format!("exec /usr/sbin/sshd -D -e -f {text}/sshd.conf")),
            ("h2", format!("exec /usr/sbin/sshd -D -e -f {text}/sshd.conf")),
            ("inet", format!("exec vsftpd {text}/vsftpd.conf")),
            ("inet", format!("exec dovecot -F -c {text}/dovecot.conf")),
            ("inet", "exec iperf3 -s".to_owned()),
        ];
        let mut running = Vec::new();
        for (space, line) in lines {
            running.push(network.space(space)?.start(&line, &log)?);
        }
        wait_for_ports(network, &mut running).with_context(|| format!("see {}", log.display()))?;
        Ok(Self { _running: running })
    }
}

fn write_configurations(folder: &Path, text: &str) -> Result<()> {
    fs::set_permissions(folder, Permissions::from_mode(0o755))?;
    for sub in ["www", "ftp", "empty", "mail", "box", "backup"] {
        fs::create_dir_all(folder.join(sub))?;
    }
    fs::create_dir_all("/run/sshd")?;
    fs::write(folder.join("www/index.html"), "<html><body>a page</body></html>\n".repeat(40))?;
    fs::write(folder.join("www/package"), vec![0x5a; 4 << 20])?;
    fs::write(folder.join("people"), "someone:{PLAIN}right\n")?;
    fs::write(folder.join("ftp/file"), vec![0x5a; 256 << 10])?;
    fs::write(folder.join("passwords"), (0..60).map(|n| format!("wrong{n}\n")).collect::<String>())?;
    for (key, kind) in [("host_key", "ed25519"), ("user_key", "ed25519")] {
        output(Command::new("ssh-keygen").args(["-q", "-N", "", "-t", kind, "-f"]).arg(folder.join(key)))?;
    }
    // Scenes write names into it and have it read anew.
    fs::write(folder.join("names"), "")?;
    fs::write(
        folder.join("dnsmasq.conf"),
        format!(
            "no-ping\nno-resolv\nno-hosts\nuser=root\nbind-interfaces\ninterface=lan\nlog-facility=-\npid-file={text}/dnsmasq.pid\n\
             dhcp-range=192.168.77.100,192.168.77.199,255.255.255.0,2m\ndhcp-leasefile={text}/leases\n\
             enable-ra\ndhcp-range=fd77::,ra-only,64\nra-param=lan,4\nserver=/tunnel.lab/198.51.100.66\naddress=/web.lab/{SERVER}\naddress=/web.lab/fd78::10\n\
             host-record=router.lab,{ROUTER}\naddress=/sites.lab/{SERVER}\n\
             address=/cloud.lab/198.51.100.21\naddress=/elsewhere.lab/198.51.100.22\naddn-hosts={text}/names\nlocal=/lab/\nlocal=/invalid/\n"
        ),
    )?;
    fs::write(
        folder.join("nginx.conf"),
        format!(
            "user root;\ndaemon off;\nworker_processes 1;\npid {text}/nginx.pid;\nevents {{ worker_connections 512; }}\n\
             http {{ access_log off;\n client_body_temp_path {text}/empty/a; proxy_temp_path {text}/empty/b;\n\
             fastcgi_temp_path {text}/empty/c; uwsgi_temp_path {text}/empty/d; scgi_temp_path {text}/empty/e;\n\
             server {{ listen 80; listen [::]:80; listen 443; root {text}/www;\n\
             location /private {{ auth_basic private; auth_basic_user_file {text}/people; }} }} }}\n"
        ),
    )?;
    fs::write(
        folder.join("sshd.conf"),
        format!(
            "Port 22\nHostKey {text}/host_key\nPidFile none\nUsePAM no\nStrictModes no\nPermitRootLogin yes\n\
             PasswordAuthentication yes\nAuthorizedKeysFile {text}/user_key.pub\nUseDNS no\nMaxStartups 100\n\
             Subsystem sftp internal-sftp\n"
        ),
    )?;
    fs::write(
        folder.join("vsftpd.conf"),
        format!(
            "listen=YES\nanonymous_enable=YES\nanon_root={text}/ftp\nno_anon_password=YES\nlocal_enable=YES\n\
             secure_chroot_dir={text}/empty\npam_service_name=vsftpd\nbackground=NO\n\
             delay_failed_login=0\nmax_login_fails=3\nseccomp_sandbox=NO\nxferlog_enable=NO\n"
        ),
    )?;
    fs::write(
        folder.join("dovecot.conf"),
        format!(
            "base_dir={text}/mail/run\nstate_dir={text}/mail/state\nprotocols=pop3\nssl=no\ndisable_plaintext_auth=no\n\
             auth_failure_delay=0\nlog_path={text}/dovecot.log\nlisten=*\ndefault_internal_user=root\n\
             default_login_user=nobody\ndefault_internal_group=root\nmail_location=maildir:{text}/box/%u\n\
             first_valid_uid=1\npassdb {{\n driver = static\n args = password=right\n}}\n\
             userdb {{\n driver = static\n args = uid=mail gid=mail home={text}/box\n}}\n"
        ),
    )?;
    fs::set_permissions(folder.join("box"), Permissions::from_mode(0o777))?;
    fs::set_permissions(folder.join("empty"), Permissions::from_mode(0o555))?;
    Ok(())
}

/// The router forwards its outer port 2222 to SSH on `h2`, and a range to the same host, as people do at home.
fn forward_a_port(network: &Network) -> Result<()> {
    network.space("router")?.shell(
        "nft 'table ip forwarded { chain in { type nat hook prerouting priority -100; \
         iifname \"wan\" tcp dport 2222 dnat to 192.168.77.12:22; \
         iifname \"wan\" tcp dport 3000-3199 dnat to 192.168.77.12; }; }'",
    )?;
    Ok(())
}

fn wait_for_ports(network: &Network, running: &mut [Process]) -> Result<()> {
    let until = Instant::now() + START;
    let probe = PORTS.map(|port| format!("</dev/tcp/{SERVER}/{port}")).join(" && ");
    loop {
        for server in running.iter_mut() {
            if let Some(status) = server.ended() {
                anyhow::bail!("{} ended: {status}", server.what());
            }
        }
        let mut command = network.space("inet")?.command("bash");
        if output(command.args(["-c", &format!("for p in 1; do {probe}; done")])).is_ok() {
            return Ok(());
        }
        ensure!(Instant::now() < until && !crate::stop::asked(), "the servers do not answer");
        std::thread::sleep(Duration::from_millis(100));
    }
}
