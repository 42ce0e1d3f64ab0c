//! Every key of the configuration: its table, name, default, bounds and meaning, each written once, here.
//!
//! The types that the gateway uses, the reader, `config show` and the nearest-key hint all come from this list.

use std::net::SocketAddr;
use std::path::PathBuf;

use terms::{Failure, HostKey, Posture, Span};
use toml::de::DeValue;

use super::kind::{
    Addresses, FailureWord, Flag, FullPath, Kind, Link, Listeners, PostureWord, PublicKeys, Size, SocketPath, Time,
    Whole,
};
use crate::model::PublicKey;

/// One key, as data.
pub struct Key {
    /// The table that holds it; empty for the top of the file.
    pub table: &'static str,
    /// Its name in the table.
    pub name: &'static str,
    /// What it means, a line each.
    pub help: &'static [&'static str],
    /// What its value must be, in words that follow "expects".
    pub expected: fn() -> String,
    /// Takes the value over; `false` where it is not what is expected.
    pub take: fn(&mut Config, &DeValue<'_>) -> bool,
    /// The value in force, as TOML.
    pub write: fn(&Config) -> String,
}

macro_rules! configuration {
    (@key [$($path:ident).+] [$table:expr] $name:ident: $Type:ty, $kind:expr, [$($help:literal)+]) => {
        Key {
            table: $table,
            name: stringify!($name),
            help: &[$($help),+],
            expected: || Kind::<$Type>::expected(&$kind),
            take: |config, value| $kind.read(value).map(|value| config.$($path).+ = value).is_some(),
            write: |config| $kind.write(&config.$($path).+),
        }
    };
    (
        { $($(#[doc = $top_help:literal])+ $top:ident: $Top:ty = $top_default:expr, $top_kind:expr;)* }
        $($(#[doc = $about:literal])+ $table:ident: $Table:ident {
            $($(#[doc = $help:literal])+ $key:ident: $Type:ty = $default:expr, $kind:expr;)*
        })*
    ) => {
        /// The whole configuration, checked.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct Config {
            $($(#[doc = $top_help])+ pub $top: $Top,)*
            $($(#[doc = $about])+ pub $table: $Table,)*
        }

        $($(#[doc = $about])+
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $Table {
            $($(#[doc = $help])+ pub $key: $Type,)*
        })*

        impl Default for Config {
            fn default() -> Self {
                Self { $($top: $top_default,)* $($table: $Table::default(),)* }
            }
        }

        $(impl Default for $Table {
            fn default() -> Self {
                Self { $($key: $default,)* }
            }
        })*

        /// The tables with what each is about, in the order in which they are shown.
        pub const TABLES: &[(&str, &[&str])] = &[$((stringify!($table), &[$($about),+]),)*];

        /// Every key, in the order in which they are shown.
        pub const KEYS: &[Key] = &[
            $(configuration!(@key [$top] [""] $top: $Top, $top_kind, [$($top_help)+]),)*
            $($(configuration!(@key [$table.$key] [stringify!($table)] $key: $Type, $kind, [$($help)+]),)*)*
        ];
    };
}

configuration! {
    {
        /// What to do with a host that is found to attack: "observe" tells, "protect" blocks; "enforce" also
        /// lets pass only what the policy allows. A policy that was applied has a posture of its own, which counts.
        posture: Posture = Posture::Protect, PostureWord;
    }
    /// The two links between which the gateway sits.
    links: LinksConfig {
        /// The link to the switch; "" takes the first Ethernet link that is found.
        lan: String = String::new(), Link;
        /// The link to the router; "" takes the second Ethernet link that is found.
        uplink: String = String::new(), Link;
        /// The bridge over both; one that already holds both links is used as it is.
        bridge: String = "picket0".into(), Link;
    }
    /// What is remembered.
    store: StoreConfig {
        /// The folder of the store.
        path: PathBuf = "/var/lib/picket/store".into(), FullPath;
        /// The oldest history that is kept.
        max_age: Span = days(30), Time(3_600, 3_650 * 86_400);
        /// The most history that is kept.
        max_size: u64 = 512 << 20, Size(16 << 20, 1 << 40);
    }
    /// What becomes of devices that somebody decided about.
    devices: DevicesConfig {
        /// How long an approved device may be away before it is new again, in time in which the box runs and sees its network; "0s"
        /// forgets nobody. A device that a rule names stays.
        forget_after: Span = Span::ZERO, Time(0, 3_650 * 86_400);
        /// Whether an approved device that begins to speak like another one is put in quarantine until somebody decides. It is told in
        /// any case; beware: whoever forges a device's hardware address can have it cut off by that.
        suspend_impostors: bool = false, Flag;
    }
    /// How the commands reach the gateway.
    control: ControlConfig {
        /// The socket; only root may use it.
        socket: PathBuf = "/run/picket/control.sock".into(), SocketPath;
    }
    /// The admin API over TLS.
    api: ApiConfig {
        /// Where it listens: the box's management address with a port, or several; "" serves nobody.
        listen: Vec<SocketAddr> = Vec::new(), Listeners;
        /// Whether port 80 of these addresses sends browsers to the page; nothing else is ever served there.
        redirect: bool = false, Flag;
        /// Whether the box answers to the name picket.local by multicast DNS, on the networks of these addresses.
        mdns: bool = true, Flag;
        /// The number of the user as whom it runs; nothing else on the box may have it.
        user: u32 = protocol::API_USER, Whole(1, 4_294_967_293);
    }
    /// What counts as an attack. A finding is made by the frame that exceeds the number.
    detect: DetectConfig {
        /// Whether anything is looked for at all.
        enabled: bool = true, Flag;
        /// Whether definitions are looked for: scans, guessing, floods, spoofing, tunnels, signs of an infection.
        rules: bool = true, Flag;
        /// Whether the forest votes on each host's minute.
        forest: bool = true, Flag;
        /// Whether each device's habits are learnt, and what it never did is told.
        baseline: bool = true, Flag;
        /// Distinct TCP ports of one target that a host may try in a minute.
        ports_per_minute: u16 = 10, Whole(1, 31);
        /// Whether ports count only where the target mostly refuses or ignores them;
        /// false gives the plain count over all targets.
        require_refused: bool = true, Flag;
        /// Distinct UDP ports of one target that a host may try in a minute.
        udp_ports_per_minute: u16 = 15, Whole(1, 31);
        /// Distinct hosts that a host may try in a minute, mostly without an answer.
        hosts_per_minute: u16 = 20, Whole(1, 47);
        /// Failed log-ins at one service within failed_logins_window.
        failed_logins: u16 = 5, Whole(1, 31);
        /// The time over which failed log-ins add up.
        failed_logins_window: Span = minutes(5), Time(10, 600);
        /// ICMP messages that a host may send in a second.
        icmp_per_second: u32 = 100, Whole(1, 127);
        /// TCP conversations in a second that a host may leave half open at one target.
        syn_per_second: u32 = 200, Whole(1, 10_000_000);
        /// UDP datagrams in a second that a host may send to a target that says nothing back.
        udp_per_second: u32 = 2_000, Whole(1, 10_000_000);
        /// Both of these towards one target, from many hosts together.
        victim_per_second: u32 = 500, Whole(1, 10_000_000);
        /// The fewest hosts that count as many there.
        victim_sources: u16 = 20, Whole(2, 65_535);
        /// Unasked ARP claims, or neighbour advertisements, in a minute against an owner that is alive.
        arp_claims: u16 = 2, Whole(1, 15);
        /// Queries in a minute under one base domain, nearly all for different names.
        tunnel_queries: u16 = 30, Whole(1, 10_000);
        /// Octets that such names carry before the base domain, on average;
        /// a quarter is enough where most are of types that carry data (TXT, NULL).
        tunnel_name_octets: u16 = 40, Whole(1, 255);
        /// Addresses that a host may take over after it pushed ARP claims at a neighbour.
        taken_addresses: u16 = 1, Whole(1, 7);
        /// Answers to pings in a minute, between two hosts, that carry something else than what was asked.
        echo_answers: u16 = 5, Whole(1, 15);
        /// Unusual IP protocols that a host may try in a minute.
        protocols_per_minute: u16 = 8, Whole(1, 15);
        /// Failed log-ins at three targets or more, together, within failed_logins_window.
        sprayed_logins: u16 = 10, Whole(1, 31);
        /// Domains that do not exist, asked for by one host in ten minutes.
        no_such_domains: u16 = 20, Whole(1, 63);
        /// Mail servers that a host may talk to in ten minutes.
        mail_servers: u16 = 20, Whole(1, 31);
        /// Redirects (ICMP) in a minute from a host that is not the router.
        redirects: u16 = 2, Whole(1, 7);
        /// Clients for which one hardware address may ask DHCP in a minute.
        dhcp_clients: u16 = 20, Whole(1, 31);
        /// Pages that are not there, for which a host may ask web servers in a minute.
        missing_pages: u16 = 30, Whole(1, 63);
        /// Requests to web servers that a host may send in a second.
        requests_per_second: u32 = 200, Whole(1, 1_000_000);
        /// Requests to web servers that a host may begin in a minute and leave open.
        unfinished_requests: u16 = 20, Whole(1, 31);
        /// Points of signs of an infection within an hour that a host may have; `picket threats c2` tells the signs.
        infection_points: u16 = 13, Whole(1, 200);
        /// Points that make it an attacker at once.
        infection_points_high: u16 = 24, Whole(1, 200);
        /// New source addresses behind one hardware address in ten seconds that nobody answered.
        spoofed_addresses: u16 = 20, Whole(1, 31);
        /// Datagrams a second in which a host may answer the internet with ten times what it asked.
        amplified_per_second: u32 = 20, Whole(1, 1_000_000);
        /// Different TCP ports of hosts of the network that may refuse or not answer a host in an hour.
        failing_per_hour: u16 = 50, Whole(1, 63);
        /// Requests to web servers in a minute that try for a weakness.
        web_probes: u16 = 3, Whole(1, 7);
        /// Later parts of SMB transactions that a host may send in a minute.
        smb_fragments: u16 = 3, Whole(1, 7);
        /// Attempts an hour, ten seconds apart or more, that a device may make at one service that the policy denies it.
        denied_attempts_per_hour: u16 = 30, Whole(1, 300);
        /// Different services of hosts of the network that a device may try in an hour and the policy denies it.
        denied_services_per_hour: u16 = 10, Whole(1, 31);
    }
    /// Which forests may vote besides the one in this binary. Those that were loaded lie beside the store: its path with ".models".
    model: ModelConfig {
        /// Whose forests may be loaded: ed25519 public keys, besides those in this binary.
        keys: Vec<PublicKey> = Vec::new(), PublicKeys;
    }
    /// What is done about an attacker, in posture "protect".
    respond: RespondConfig {
        /// How long a first block lasts; each repeat doubles it.
        block_for: Span = minutes(10), Time(1, 7 * 86_400);
        /// The most by which a block is made longer at random, so that its end cannot be foreseen.
        jitter_percent: u8 = 10, Whole(0, 100);
        /// The longest block.
        longest: Span = hours(24), Time(1, 30 * 86_400);
        /// The most blocks that the gateway makes by itself in a minute.
        per_minute: u32 = 30, Whole(1, 10_000);
        /// The largest share of the known LAN hosts that it blocks at a time, in percent ...
        share_percent: u8 = 20, Whole(0, 100);
        /// ... and the number of hosts that it may block in any case.
        at_least: u32 = 3, Whole(0, 4_096);
        /// How long a host is left alone after an admin unblocked it.
        grace: Span = minutes(10), Time(0, 7 * 86_400);
    }
    /// What passes while the gateway does not run, by posture: "open" is what the last ruleset lets pass, "closed" is nothing. On
    /// the appliance, whose first process sees to it within a second; from the next start on also before the gateway runs.
    fail: FailConfig {
        /// In posture "observe".
        observe: Failure = Failure::Open, FailureWord;
        /// In posture "protect". "open": who is blocked stays so until the block ends.
        protect: Failure = Failure::Open, FailureWord;
        /// In posture "enforce". "open": the last ruleset stands, and what it denies stays denied.
        enforce: Failure = Failure::Open, FailureWord;
    }
    /// Whom no block may cut, besides the gateway itself, the router, and the DHCP and DNS servers in use.
    never_block: NeverBlockConfig {
        /// IP or hardware addresses. To spare a device whatever address it uses, list its hardware address.
        addresses: Vec<HostKey> = Vec::new(), Addresses;
    }
    /// What hosts and servers log about their users. Plain syslog is taken from any address that reaches the listeners, and proves nothing.
    intake: IntakeConfig {
        /// Whether anything is taken in at all.
        enabled: bool = false, Flag;
        /// Where syslog comes in as datagrams: the box's management address with a port, or several; "" takes none.
        syslog_udp: Vec<SocketAddr> = Vec::new(), Listeners;
        /// Where syslog comes in over connections, by either framing.
        syslog_tcp: Vec<SocketAddr> = Vec::new(), Listeners;
        /// The same over TLS (RFC 5425, port 6514), with a certificate of the box's own authority; needs [api] listen. The way is sealed, who sends is not proven.
        syslog_tls: Vec<SocketAddr> = Vec::new(), Listeners;
        /// The number of the user as whom it runs; nothing else on the box may have it.
        user: u32 = protocol::INTAKE_USER, Whole(1, 4_294_967_293);
        /// The oldest activity that is kept.
        max_age: Span = days(30), Time(3_600, 3_650 * 86_400);
        /// The most activity that is kept, beside the store's own max_size.
        max_size: u64 = 256 << 20, Size(16 << 20, 1 << 40);
        /// An agent that says nothing for so long is told as silent; it says at least once a minute that it is there.
        silent_after: Span = Span::from_secs(300), Time(5, 86_400);
        /// Whether pseudonyms stand for people's names in all that is shown, kept of findings, mailed and exported from then on. A name is shown only once a second admin consented, or where there is one admin after 24 h.
        pseudonyms: bool = false, Flag;
        /// How long a name waits before it is shown to the only admin. An account that consents to another's asking is at least as old.
        consent_after: Span = hours(24), Time(5, 30 * 86_400);
    }
}

/// So many minutes.
const fn minutes(n: u64) -> Span {
    Span::from_secs(n * 60)
}

/// So many hours.
const fn hours(n: u64) -> Span {
    minutes(n * 60)
}

/// So many days.
const fn days(n: u64) -> Span {
    hours(n * 24)
}

/// The key of this name in this table.
#[must_use]
pub fn find(table: &str, name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.table == table && key.name == name)
}
