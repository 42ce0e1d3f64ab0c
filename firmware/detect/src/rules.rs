//! The rules: what a counter must say for a name to be given.
//!
//! Each fires on the packet that crosses its threshold. The definitions are the whole of this file; hysteresis is in `evidence`.

use features::{Ask, Change, Listing, Service};
use terms::{Family, HostKey, ThreatLevel};

use wire::intrusion::Intrusion;

use crate::finding::Evidence;
use crate::signs;
use crate::thresholds::Thresholds;

/// Services that worms and bots look for on the internet.
const ATTACKED: [u16; 26] = [
    21, 22, 23, 25, 80, 81, 135, 139, 443, 445, 1_433, 2_323, 3_306, 3_389, 5_060, 5_432, 5_555, 5_900, 6_379, 7_547,
    8_080, 8_291, 8_443, 9_200, 37_215, 52_869,
];

macro_rules! rules {
    ($($(#[$doc:meta])* $rule:ident = $name:literal, $meaning:literal;)*) => {
        /// A rule, by name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Rule { $($(#[$doc])* $rule,)* }

        impl Rule {
            /// Every rule.
            pub const ALL: &[Self] = &[$(Self::$rule),*];
            /// How many rules there are.
            pub const COUNT: usize = Self::ALL.len();

            /// The name behind `rule:`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$rule => $name,)* }
            }

            /// What the host does, in words.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$rule => $meaning,)* }
            }
        }
    };
}

rules! {
    /// Many TCP ports of one target, mostly refused or silent.
    PortScan = "port_scan", "tries many TCP ports of one target that mostly refuses or ignores them";
    /// Many UDP ports of one target, mostly refused or silent.
    UdpScan = "udp_scan", "tries many UDP ports of one target that mostly refuses or ignores them";
    /// One TCP service on many targets, mostly failing.
    ServiceSweep = "service_sweep", "tries one TCP service on many targets that mostly fail to answer";
    /// One UDP service on many targets, mostly failing.
    UdpSweep = "udp_sweep", "tries one UDP service on many targets that mostly fail to answer";
    /// ICMP echo to many targets, mostly failing.
    IcmpSweep = "icmp_sweep", "pings many targets that mostly fail to answer";
    /// ARP requests for many addresses, mostly unanswered.
    ArpSweep = "arp_sweep", "asks by ARP for many addresses that mostly fail to answer";
    /// Log-ins that the server refused in so many words.
    FailedLogins = "failed_logins", "fails to log in again and again";
    /// Log-ins that look refused from outside of the encryption.
    LikelyFailedLogins = "likely_failed_logins", "opens many short encrypted log-in conversations that look refused";
    /// ICMP flood.
    IcmpFlood = "icmp_flood", "floods with ICMP";
    /// SYN flood, at its source.
    SynFlood = "syn_flood", "floods one service with TCP conversations that it does not complete";
    /// UDP flood, at its source.
    UdpFlood = "udp_flood", "floods one target with UDP that it does not answer";
    /// A flood from many, at its victim.
    UnderFlood = "under_flood", "is flooded from many sources";
    /// Claims against the known owner of an address.
    ArpSpoof = "arp_spoof", "claims by ARP, unasked, addresses that others own";
    /// A second DHCP server.
    RogueDhcp = "rogue_dhcp", "hands out addresses beside the DHCP server known so far";
    /// A second router.
    RogueRouter = "rogue_router", "advertises itself as a router beside the one known so far";
    /// Data in DNS names.
    DnsTunnel = "dns_tunnel", "asks for many long and ever different names under one domain";
    /// Invented source addresses.
    SpoofedSource = "spoofed_source", "sends from many source addresses that nobody answers";
    /// Traffic of others, drawn to itself by claims.
    ManInTheMiddle = "man_in_the_middle", "passes on the traffic of others since it pushed ARP claims at a neighbour";
    /// Data in ICMP echoes.
    IcmpTunnel = "icmp_tunnel", "exchanges pings whose answers carry something else than what was asked";
    /// Many IP protocols.
    ProtocolScan = "protocol_scan", "tries many unusual IP protocols";
    /// Log-ins refused here and there.
    PasswordSpray = "password_spray", "fails to log in at one target after the other";
    /// Names made by an algorithm.
    NoSuchNames = "no_such_names", "asks for one domain after the other that does not exist";
    /// Work for a mining pool.
    Mining = "mining", "talks to a mining pool";
    /// Signs of an infection.
    Infection = "infection", "does several things towards the internet that hosts with malware do";
    /// Paths that are not there, one after the other.
    MissingPages = "missing_pages", "asks web servers for one page after the other that is not there";
    /// Requests without a pause.
    RequestFlood = "request_flood", "floods web servers with requests";
    /// Requests without an end.
    Unfinished = "unfinished_requests", "opens many requests to web servers and does not end them";
    /// Mail to many servers.
    MailServers = "mail_servers", "delivers mail to many servers";
    /// Redirects from one that is no router.
    Redirect = "redirect", "redirects the traffic of others and is no router";
    /// IPv6 neighbour solicitations for many addresses, mostly unanswered.
    NeighborSweep = "neighbor_sweep", "asks for many IPv6 neighbours that mostly fail to answer";
    /// Neighbour advertisements against the known owner of an address.
    NdSpoof = "nd_spoof", "claims by neighbour discovery addresses that others own";
    /// Leases for many invented clients.
    DhcpStarvation = "dhcp_starvation", "asks DHCP for addresses in the name of many clients";
    /// Ports and hosts of the network that fail to answer, over an hour.
    SlowScan = "slow_scan", "tries many ports and hosts of the network over an hour that fail to answer";
    /// A request that carries an exploit.
    WebExploit = "web_exploit", "sends a web server or device a request that breaks into it";
    /// Requests that try for weaknesses.
    WebProbe = "web_probe", "sends web servers requests that try for weaknesses";
    /// Words that no client of file sharing or RPC needs.
    SmbExploit = "smb_exploit", "sends file sharing or RPC what breaks into it";
    /// A shell or a trojan's hello.
    RemoteShell = "remote_shell", "speaks as a stolen shell or a remote-access trojan does";
    /// Large answers to small questions from the internet.
    Amplifier = "amplifier", "answers the internet's small questions with large answers, without end";
    /// One denied service, again and again.
    DeniedAgain = "denied_again", "tries again and again what the policy denies it";
    /// Many denied services of the network.
    DeniedServices = "denied_services", "tries many services of the network that the policy denies it";
    /// Something on a list of indicators.
    Listed = "listed", "has to do with what is on a list of indicators";
}

/// What a rule says of one change.
pub(crate) struct Judged {
    pub rule: Rule,
    pub level: ThreatLevel,
    pub family: Family,
    /// What was counted.
    pub value: f32,
    /// Above what it counts.
    pub threshold: f32,
    pub target: Option<HostKey>,
    /// Whether it is High once it persists.
    pub grows: bool,
}

/// The rule that this change is about, whether or not its threshold is crossed.
pub(crate) fn judge(change: &Change, t: &Thresholds) -> Option<Judged> {
    use ThreatLevel::{High, Medium};
    let judged = |rule, level, family, value: f32, threshold: f32, target| Judged {
        rule,
        level,
        family,
        value,
        threshold,
        target,
        grows: false,
    };
    Some(match *change {
        // What is a device's habit no rule can say.
        Change::Administers { .. } | Change::Exposes { .. } | Change::Greets { .. } => return None,
        Change::Ports { target, ask, ports, failing, overall } => {
            let value = if t.require_refused { mostly(failing, ports) } else { overall };
            let (rule, family, limit) = match ask {
                Ask::Udp => (Rule::UdpScan, Family::PortScanUdp, t.udp_ports_per_minute),
                _ => (Rule::PortScan, Family::PortScanVertical, t.ports_per_minute),
            };
            judged(rule, High, family, value.into(), limit.into(), Some(target))
        }
        Change::Targets { ask, port, targets, failing, abroad } => {
            let (rule, family, level) = match ask {
                // Peers that share one port, and are mostly gone, look the same on the internet.
                Ask::Tcp if abroad && !ATTACKED.contains(&port) => {
                    (Rule::ServiceSweep, Family::PortScanHorizontal, Medium)
                }
                Ask::Tcp => (Rule::ServiceSweep, Family::PortScanHorizontal, High),
                Ask::Udp => (Rule::UdpSweep, Family::HostSweepUdp, Medium),
                Ask::Icmp => (Rule::IcmpSweep, Family::HostSweepIcmp, Medium),
                Ask::Arp => (Rule::ArpSweep, Family::ArpScan, Medium),
                Ask::Neighbor => (Rule::NeighborSweep, Family::HostSweepIpv6, Medium),
            };
            judged(rule, level, family, mostly(failing, targets).into(), t.hosts_per_minute.into(), None)
        }
        Change::Logins { target, service, failed, seen } => {
            let rule = if seen { Rule::FailedLogins } else { Rule::LikelyFailedLogins };
            judged(rule, High, brute_force(service), failed.into(), t.failed_logins.into(), Some(target))
        }
        Change::IcmpRate { target, per_second } => {
            let (value, limit) = (count(per_second), count(t.icmp_per_second));
            judged(Rule::IcmpFlood, High, Family::FloodIcmp, value, limit, Some(target))
        }
        Change::HalfOpen { target, per_second, ports, .. } => {
            // Many ports are a scan, however fast.
            let value = if ports > t.ports_per_minute { 0.0 } else { count(per_second) };
            judged(Rule::SynFlood, High, Family::FloodSyn, value, count(t.syn_per_second), Some(target))
        }
        Change::Unanswered { target, per_second, fresh, .. } => {
            // A steady stream may be somebody's one-way video: worth a look, no block.
            let level = if fresh > t.udp_per_second { High } else { Medium };
            let (value, limit) = (count(per_second), count(t.udp_per_second));
            judged(Rule::UdpFlood, level, Family::FloodUdp, value, limit, Some(target))
        }
        Change::UnderFlood { ask, per_second, sources } => {
            let family = if ask == Ask::Udp { Family::FloodUdp } else { Family::FloodSyn };
            let value = if sources < t.victim_sources { 0.0 } else { count(per_second) };
            judged(Rule::UnderFlood, Medium, family, value, count(t.victim_per_second), None)
        }
        Change::Claims { claimed, owner, claims, addresses } => {
            // One address without a known owner may be the pusher's own.
            let value = if owner.is_some() || addresses > 1 { claims } else { 0 };
            // Who owns an IPv6 address is known from who was heard first: proxies for sleepers and failovers look the same.
            let (rule, family, level) = match claimed {
                HostKey::V6(_) => (Rule::NdSpoof, Family::NdSpoof, Medium),
                _ => (Rule::ArpSpoof, Family::ArpSpoof, High),
            };
            judged(rule, level, family, value.into(), t.arp_claims.into(), Some(claimed))
        }
        Change::DhcpServer { .. } => judged(Rule::RogueDhcp, High, Family::RogueDhcp, 2.0, 1.0, None),
        Change::RouterAdvertisement { .. } => judged(Rule::RogueRouter, High, Family::RogueRouter, 2.0, 1.0, None),
        Change::Names { queries, distinct, octets, carrying, .. } => {
            let value = tunnel(queries, distinct, octets, carrying, t);
            judged(Rule::DnsTunnel, High, Family::DnsTunnel, value, t.tunnel_queries.into(), None)
        }
        Change::TakenOver { address, addresses } => {
            let (value, limit) = (addresses.into(), t.taken_addresses.into());
            judged(Rule::ManInTheMiddle, High, Family::ArpSpoof, value, limit, Some(address))
        }
        Change::Echoes { target, other, own } => {
            let level = if own { High } else { Medium };
            judged(Rule::IcmpTunnel, level, Family::IcmpTunnel, other.into(), t.echo_answers.into(), Some(target))
        }
        Change::Protocols { target, protocols } => {
            let (value, limit) = (protocols.into(), t.protocols_per_minute.into());
            judged(Rule::ProtocolScan, High, Family::PortScanProtocol, value, limit, Some(target))
        }
        Change::Sprayed { failed, targets } => {
            // At one or two targets it is somebody who guesses there, and told so.
            let value = if targets > 2 { failed } else { 0 };
            judged(Rule::PasswordSpray, High, Family::BruteForceSpray, value.into(), t.sprayed_logins.into(), None)
        }
        Change::NoSuchNames { domains, existing } => {
            // Who browses behind a filter that denies what exists finds more than is denied.
            let domains = if existing < domains { domains } else { 0 };
            // Resolvers of a whole office and filters that deny what exists look the same.
            judged(Rule::NoSuchNames, Medium, Family::Dga, domains.into(), t.no_such_domains.into(), None)
        }
        Change::Mining { target, .. } => judged(Rule::Mining, Medium, Family::Cryptomining, 2.0, 1.0, Some(target)),
        Change::MailServers { servers } => {
            judged(Rule::MailServers, Medium, Family::SpamSending, servers.into(), t.mail_servers.into(), None)
        }
        Change::Redirects { target, redirects } => {
            judged(Rule::Redirect, Medium, Family::IcmpRedirect, redirects.into(), t.redirects.into(), Some(target))
        }
        Change::DhcpClients { clients, hosts } => {
            // What carries several hosts is an extender after a power cut, as likely as not.
            let level = if hosts > 1 { Medium } else { High };
            judged(Rule::DhcpStarvation, level, Family::DhcpStarvation, clients.into(), t.dhcp_clients.into(), None)
        }
        Change::MissingPages { server, pages } => {
            let (value, limit) = (pages.into(), t.missing_pages.into());
            judged(Rule::MissingPages, Medium, Family::VulnerabilityScan, value, limit, Some(server))
        }
        Change::Requests { server, per_second } => {
            let (value, limit) = (count(per_second), count(t.requests_per_second));
            judged(Rule::RequestFlood, High, Family::FloodHttp, value, limit, Some(server))
        }
        Change::Unfinished { server, requests } => {
            let (value, limit) = (requests.into(), t.unfinished_requests.into());
            judged(Rule::Unfinished, High, Family::SlowHttp, value, limit, Some(server))
        }
        Change::Signs { server, counts, unnamed } => {
            let sum = signs::add_up(&counts, unnamed);
            let level = if sum.kinds > 2 && sum.points > t.infection_points_high { High } else { Medium };
            let (value, limit) = (sum.points.into(), t.infection_points.into());
            // One kind may be how a device is made, and who speaks with many is told by chance again and again.
            let grows = sum.telling && sum.kinds > 1 && unnamed < signs::PEER_TO_PEER;
            Judged { grows, ..judged(Rule::Infection, level, Family::C2, value, limit, Some(server)) }
        }
        Change::Amplified { target, per_second } => {
            // Its host is used rather than a culprit, and may be a server that is meant to answer.
            let (value, limit) = (count(per_second), count(t.amplified_per_second));
            judged(Rule::Amplifier, Medium, Family::Amplification, value, limit, Some(target))
        }
        Change::Failing { asks } => {
            judged(Rule::SlowScan, Medium, Family::PortScanSlow, asks.into(), t.failing_per_hour.into(), None)
        }
        Change::Intrusion { target, what, times } => {
            let (rule, level, family) = match what {
                Intrusion::WebExploit => (Rule::WebExploit, High, Family::ExploitHttp),
                Intrusion::WebProbe => (Rule::WebProbe, Medium, Family::VulnerabilityScan),
                Intrusion::SmbFragment | Intrusion::SmbDoor => (Rule::SmbExploit, High, Family::ExploitSmb),
                // A picture may hold as much white.
                Intrusion::Sled => (Rule::SmbExploit, Medium, Family::ExploitSmb),
                Intrusion::Shell | Intrusion::Trojan => (Rule::RemoteShell, High, Family::C2Rat),
            };
            let (value, limit) = match what {
                Intrusion::WebProbe => (times.into(), t.web_probes.into()),
                Intrusion::SmbFragment => (times.into(), t.smb_fragments.into()),
                _ => (2.0, 1.0),
            };
            judged(rule, level, family, value, limit, Some(target))
        }
        Change::Listed { server, mark, .. } => judged(Rule::Listed, mark.level, Family::Listed, 2.0, 1.0, Some(server)),
        Change::Sources { addresses } => {
            let (value, limit) = (addresses.into(), t.spoofed_addresses.into());
            judged(Rule::SpoofedSource, High, Family::SpoofedSource, value, limit, None)
        }
    })
}

/// The numbers behind a change, and the threshold that they were held against.
pub(crate) fn evidence(change: &Change, judged: &Judged, t: &Thresholds) -> Evidence {
    let figures = |list: &[(&'static str, f64)]| Evidence::from_slice(list).unwrap_or_default();
    let threshold = ("threshold", judged.threshold.into());
    let within = ("within_seconds", t.failed_logins_seconds.into());
    match *change {
        Change::Administers { .. } | Change::Exposes { .. } | Change::Greets { .. } => Evidence::new(),
        Change::Ports { ports, failing, overall, .. } => figures(&[
            ("ports_per_minute", ports.into()),
            ("refused_or_silent", failing.into()),
            ("ports_over_all_targets", overall.into()),
            threshold,
        ]),
        Change::Targets { port, targets, failing, .. } => figures(&[
            ("targets_per_minute", targets.into()),
            ("refused_or_silent", failing.into()),
            ("port", port.into()),
            threshold,
        ]),
        Change::Logins { failed, .. } => figures(&[("failed_logins", failed.into()), within, threshold]),
        Change::IcmpRate { per_second, .. } => figures(&[("icmp_per_second", per_second.into()), threshold]),
        Change::HalfOpen { port, per_second, .. } => {
            figures(&[("half_open_per_second", per_second.into()), ("port", port.into()), threshold])
        }
        Change::Unanswered { per_second, fresh, ports, .. } => figures(&[
            ("unanswered_per_second", per_second.into()),
            ("new_or_refused", fresh.into()),
            ("ports", ports.into()),
            threshold,
        ]),
        Change::UnderFlood { per_second, sources, .. } => {
            figures(&[("per_second", per_second.into()), ("sources", sources.into()), threshold])
        }
        Change::Claims { claims, addresses, .. } => {
            figures(&[("claims_per_minute", claims.into()), ("addresses", addresses.into()), threshold])
        }
        Change::DhcpServer { .. } => figures(&[("servers", 2.0)]),
        Change::RouterAdvertisement { .. } => figures(&[("routers", 2.0)]),
        Change::Names { queries, distinct, octets, carrying, entropy } => figures(&[
            ("queries_per_minute", queries.into()),
            ("different_names", distinct.into()),
            ("name_octets", octets.into()),
            ("carrying_types", carrying.into()),
            ("bits_per_letter", entropy.into()),
            threshold,
        ]),
        Change::TakenOver { addresses, .. } => figures(&[("addresses_taken_over", addresses.into()), threshold]),
        Change::Echoes { other, .. } => figures(&[("other_answers_per_minute", other.into()), threshold]),
        Change::Protocols { protocols, .. } => figures(&[("protocols_per_minute", protocols.into()), threshold]),
        Change::Sprayed { failed, targets } => {
            figures(&[("failed_logins", failed.into()), ("targets", targets.into()), within, threshold])
        }
        Change::NoSuchNames { domains, existing } => figures(&[
            ("missing_domains_in_ten_minutes", domains.into()),
            ("existing_domains_meanwhile", existing.into()),
            threshold,
        ]),
        Change::Mining { port, .. } => figures(&[("port", port.into())]),
        Change::MailServers { servers } => figures(&[("mail_servers_in_ten_minutes", servers.into()), threshold]),
        Change::Redirects { redirects, .. } => figures(&[("redirects_per_minute", redirects.into()), threshold]),
        Change::DhcpClients { clients, hosts } => {
            figures(&[("clients_per_minute", clients.into()), ("hosts_behind_it", hosts.into()), threshold])
        }
        Change::MissingPages { pages, .. } => figures(&[("missing_pages_per_minute", pages.into()), threshold]),
        Change::Requests { per_second, .. } => figures(&[("requests_per_second", per_second.into()), threshold]),
        Change::Unfinished { requests, .. } => {
            figures(&[("unfinished_requests_per_minute", requests.into()), threshold])
        }
        Change::Signs { ref counts, unnamed, .. } => {
            let mut evidence =
                figures(&[("points", judged.value.into()), threshold, ("unnamed_servers", unnamed.into())]);
            // Where there are more than have room, the first say enough.
            let _ = signs::telling(counts).try_for_each(|(sign, n)| evidence.push((sign.name(), n.into())));
            evidence
        }
        Change::Amplified { per_second, .. } => figures(&[("large_answers_per_second", per_second.into()), threshold]),
        Change::Failing { asks } => figures(&[("failing_an_hour", asks.into()), threshold]),
        Change::Intrusion { times, .. } => figures(&[("times_a_minute", times.into()), threshold]),
        Change::Listed { mark, by, .. } => {
            let by = match by {
                Listing::Peer => "speaks_with_it",
                Listing::Itself => "is_it",
                Listing::Name => "names_it_to_a_server",
                Listing::Question => "asks_dns_for_it",
                Listing::Client => "uses_it_as_tls_client",
            };
            figures(&[("list", mark.list.into()), (by, 1.0)])
        }
        Change::Sources { addresses } => figures(&[("addresses_in_ten_seconds", addresses.into()), threshold]),
    }
}

/// How many, where most of them fail; otherwise none.
fn mostly(failing: u16, all: u16) -> u16 {
    if u32::from(failing) * 2 > u32::from(all) { all } else { 0 }
}

/// Queries under one base domain, where nearly all names differ and are long, or most are of types that carry data.
fn tunnel(queries: u16, distinct: u16, octets: u32, carrying: u16, t: &Thresholds) -> f32 {
    let (queries32, distinct) = (u32::from(queries), u32::from(distinct));
    let mean = octets / queries32.max(1);
    let different = distinct * 10 > queries32 * 8 || distinct >= 200;
    let long = mean >= u32::from(t.tunnel_name_octets);
    let carries = u32::from(carrying) * 2 > queries32 && mean >= u32::from(t.tunnel_name_octets) / 4;
    if different && (long || carries) { queries.into() } else { 0.0 }
}

fn brute_force(service: Service) -> Family {
    match service {
        Service::Ssh => Family::BruteForceSsh,
        Service::Ftp => Family::BruteForceFtp,
        Service::Telnet => Family::BruteForceTelnet,
        Service::Http => Family::BruteForceHttp,
        Service::Mail => Family::BruteForceMail,
        Service::Rdp => Family::BruteForceRdp,
        Service::Smb => Family::BruteForceSmb,
        Service::Database => Family::BruteForceDatabase,
    }
}

#[allow(clippy::cast_precision_loss, reason = "rates are far below 2^24")]
fn count(n: u32) -> f32 {
    n as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::net::Ipv4Addr;

    const TARGET: HostKey = HostKey::V4(Ipv4Addr::new(192, 168, 7, 1));

    fn fires(change: Change) -> bool {
        judge(&change, &Thresholds::default()).is_some_and(|judged| judged.value > judged.threshold)
    }

    fn ports(ports: u16, failing: u16) -> Change {
        Change::Ports { target: TARGET, ask: Ask::Tcp, ports, failing, overall: ports }
    }

    #[test]
    fn a_scan_needs_more_than_ten_ports_that_mostly_fail() {
        assert!(!fires(ports(10, 10)));
        assert!(fires(ports(11, 6)));
        assert!(!fires(ports(11, 5)));
        assert!(!fires(ports(15, 0)));
    }

    #[test]
    fn without_require_refused_every_distinct_port_counts() {
        let thresholds = Thresholds { require_refused: false, ..Thresholds::default() };
        assert!(judge(&ports(11, 0), &thresholds).is_some_and(|judged| judged.value > judged.threshold));
    }

    #[test]
    fn many_ports_are_a_scan_and_not_a_flood() {
        let half_open = |ports| Change::HalfOpen { target: TARGET, port: 80, per_second: 500, ports };
        assert!(fires(half_open(1)));
        assert!(!fires(half_open(30)));
    }

    #[test]
    fn short_names_that_repeat_are_no_tunnel() {
        let names =
            |distinct, octets, carrying| Change::Names { queries: 100, distinct, octets, carrying, entropy: 3.0 };
        assert!(!fires(names(3, 600, 0)));
        assert!(!fires(names(100, 1_000, 0)));
        assert!(fires(names(95, 6_000, 0)));
        assert!(fires(names(95, 2_000, 90)));
    }
}
