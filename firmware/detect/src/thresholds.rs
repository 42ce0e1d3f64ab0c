//! The figures that rules compare with; every one is adjustable.

use serde::{Deserialize, Serialize};

/// What is still normal. A rule fires above its figure, never at it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Thresholds {
    /// Distinct TCP ports of one target a minute (at most 31).
    pub ports_per_minute: u16,
    /// Whether most of them must be refused or silent; otherwise all distinct ports over all targets count.
    pub require_refused: bool,
    /// Distinct UDP ports of one target a minute (at most 31).
    pub udp_ports_per_minute: u16,
    /// Distinct targets of one service a minute, mostly failing (at most 47).
    pub hosts_per_minute: u16,
    /// Failed log-ins at one service within `failed_logins_seconds` (at most 31).
    pub failed_logins: u16,
    /// How long a failed log-in counts, seconds.
    pub failed_logins_seconds: u32,
    /// ICMP messages a second (at most 127).
    pub icmp_per_second: u32,
    /// TCP conversations a second that one host leaves half open at one target.
    pub syn_per_second: u32,
    /// UDP datagrams a second to a target that says nothing back.
    pub udp_per_second: u32,
    /// The same towards one target from many hosts.
    pub victim_per_second: u32,
    /// Distinct sources from which such a flood comes at least.
    pub victim_sources: u16,
    /// Unasked ARP claims a minute against a living owner (at most 15).
    pub arp_claims: u16,
    /// Queries a minute under one base domain, nearly all for different names.
    pub tunnel_queries: u16,
    /// Octets that those names carry, on average, before the base domain; a quarter is enough where most are of types that carry data.
    pub tunnel_name_octets: u16,
    /// Addresses that a host may take over after it pushed claims at a neighbour (at most 7).
    pub taken_addresses: u16,
    /// Answers to echoes a minute, between two hosts, that carry something else than what was asked (at most 15).
    pub echo_answers: u16,
    /// Unusual IP protocols a minute (at most 15).
    pub protocols_per_minute: u16,
    /// Failed log-ins at three targets or more, together, within `failed_logins_seconds` (at most 31).
    pub sprayed_logins: u16,
    /// Base domains that do not exist, in ten minutes (at most 63).
    pub no_such_domains: u16,
    /// Mail servers talked to in ten minutes (at most 31).
    pub mail_servers: u16,
    /// Redirects a minute of one that is not the router (at most 7).
    pub redirects: u16,
    /// Clients for which one hardware address may ask DHCP a minute (at most 31).
    pub dhcp_clients: u16,
    /// Answers a minute that what was asked for by HTTP is not there (at most 63).
    pub missing_pages: u16,
    /// Requests by HTTP a second.
    pub requests_per_second: u32,
    /// Requests by HTTP a minute that are begun and not ended (at most 31).
    pub unfinished_requests: u16,
    /// Points of signs of an infection; see the signs in `threats c2`.
    pub infection_points: u16,
    /// Points that are enough for High by themselves.
    pub infection_points_high: u16,
    /// New source addresses behind one hardware address in ten seconds that nobody answered (at most 31).
    pub spoofed_addresses: u16,
    /// Datagrams a second that answer the internet with ten times what it asked.
    pub amplified_per_second: u32,
    /// Different TCP ports of hosts of the network that fail in an hour (at most 63).
    pub failing_per_hour: u16,
    /// Requests by HTTP a minute that try for a weakness (at most 7).
    pub web_probes: u16,
    /// Later parts of SMB transactions a minute (at most 7).
    pub smb_fragments: u16,
    /// Attempts an hour at one service that the policy denies.
    pub denied_attempts_per_hour: u16,
    /// Different services of hosts of the network that the policy denies, in an hour (at most 31).
    pub denied_services_per_hour: u16,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self {
            ports_per_minute: 10,
            require_refused: true,
            udp_ports_per_minute: 15,
            hosts_per_minute: 20,
            failed_logins: 5,
            failed_logins_seconds: 300,
            icmp_per_second: 100,
            syn_per_second: 200,
            udp_per_second: 2_000,
            victim_per_second: 500,
            victim_sources: 20,
            arp_claims: 2,
            tunnel_queries: 30,
            tunnel_name_octets: 40,
            taken_addresses: 1,
            echo_answers: 5,
            protocols_per_minute: 8,
            sprayed_logins: 10,
            no_such_domains: 20,
            mail_servers: 20,
            redirects: 2,
            dhcp_clients: 20,
            missing_pages: 30,
            requests_per_second: 200,
            unfinished_requests: 20,
            infection_points: 13,
            infection_points_high: 24,
            spoofed_addresses: 20,
            amplified_per_second: 20,
            failing_per_hour: 50,
            web_probes: 3,
            smb_fragments: 3,
            denied_attempts_per_hour: 30,
            denied_services_per_hour: 10,
        }
    }
}
