//! The catalogue of threats: what each is, how it is found, and what hides it.
//!
//! One table, from which `picket threats` and all other texts about threats are made. A family of which nothing is found stands here
//! too, and says why.

use terms::{Family, ThreatLevel};

use crate::rules::Rule;

/// One kind of threat.
#[derive(Clone, Copy, Debug)]
pub struct Threat {
    /// Its name, as in findings and labels.
    pub word: &'static str,
    /// What it belongs to.
    pub group: Group,
    /// What somebody does, in plain language.
    pub meaning: &'static str,
    /// What is counted, with the shipped thresholds.
    pub definition: &'static str,
    /// Over which time.
    pub horizon: &'static str,
    /// Whose doing it is.
    pub fault: Fault,
    /// The least that is found.
    pub least: &'static str,
    /// The highest level that it makes by itself.
    pub level: ThreatLevel,
    /// What is done about it in posture `protect`.
    pub response: Response,
    /// What hides it.
    pub hides: &'static str,
    /// Techniques of MITRE ATT&CK, Enterprise, separated by commas; empty where there is none.
    pub technique: &'static str,
    /// Whether and by what it is found.
    pub found: Found,
}

/// What a threat belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// Somebody looks around.
    Reconnaissance,
    /// Somebody guesses.
    Credentials,
    /// Somebody deceives the neighbours.
    LocalLink,
    /// Somebody takes away room or time.
    Flood,
    /// A host serves somebody else.
    Infected,
}

/// Whose doing it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Of the host that sends it.
    Source,
    /// Of both ends.
    Both,
}

/// What is done about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Response {
    /// The host is blocked.
    Block,
    /// The host is watched and named.
    Watch,
    /// Nothing, because it is not found.
    None,
}

/// Whether and by what it is found.
#[derive(Clone, Copy, Debug)]
pub enum Found {
    /// By rules.
    By {
        /// Which.
        rules: &'static [Rule],
        /// A scene of the lab, or a boundary test, that raises it.
        raises: &'static str,
        /// A near miss that must not.
        spares: &'static str,
    },
    /// By the forest alone.
    ByForest,
    /// Not, and why.
    Not(&'static str),
}

impl Group {
    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reconnaissance => "reconnaissance",
            Self::Credentials => "credentials",
            Self::LocalLink => "the local link",
            Self::Flood => "floods",
            Self::Infected => "infected hosts",
        }
    }
}

impl Threat {
    /// The entry of a family; nothing for [`Family::Benign`].
    #[must_use]
    pub fn of(family: Family) -> Option<&'static Self> {
        THREATS.iter().find(|threat| threat.word == family.as_str())
    }
}

/// Every threat, by group.
pub const THREATS: &[Threat] = &[
    Threat {
        word: "port_scan_vertical",
        group: Group::Reconnaissance,
        meaning: "Tries which services a machine offers, one port after the other.",
        definition: "More than 10 TCP ports of one target, most of them refused or silent; SYN, connect, FIN, NULL, Xmas and ACK scans alike.",
        horizon: "1 minute",
        fault: Fault::Source,
        least: "11 ports, 6 of them refused or silent",
        level: ThreatLevel::High,
        response: Response::Block,
        hides: "fewer than 11 ports a minute; several machines that share the ports",
        technique: "T1046",
        found: Found::By {
            rules: &[Rule::PortScan],
            raises: "scene scan-syn",
            spares: "scene benign-fifty-connections",
        },
    },
    Threat {
        word: "port_scan_udp",
        group: Group::Reconnaissance,
        meaning: "Tries which UDP services a machine offers.",
        definition: "More than 15 UDP ports of one target, most of them refused or silent.",
        horizon: "1 minute",
        fault: Fault::Source,
        least: "16 ports, 9 of them refused or silent",
        level: ThreatLevel::High,
        response: Response::Block,
        hides: "fewer than 16 ports a minute; a source port below 1024, which passes for an answer",
        technique: "T1046",
        found: Found::By { rules: &[Rule::UdpScan], raises: "scene scan-udp", spares: "scene benign-video" },
    },
    Threat {
        word: "port_scan_protocol",
        group: Group::Reconnaissance,
        meaning: "Tries which IP protocols a machine speaks.",
        definition: "More than 8 IP protocols that hosts and routers do not usually speak.",
        horizon: "1 minute",
        fault: Fault::Source,
        least: "9 protocols",
        level: ThreatLevel::High,
        response: Response::Block,
        hides: "fewer than 9 protocols a minute",
        technique: "T1046",
        found: Found::By {
            rules: &[Rule::ProtocolScan],
            raises: "scene scan-protocol",
            spares: "boundary eight_ip_protocols_are_no_scan",
        },
    },
    Threat {
        word: "port_scan_horizontal",
        group: Group::Reconnaissance,
        meaning: "Tries one service on one machine after the other, as a worm or the scout of an attack does.",
        definition: "One TCP service on more than 20 targets, most of them refused or silent.",
        horizon: "1 minute",
        fault: Fault::Source,
        least: "21 targets, 11 of them refused or silent",
        level: ThreatLevel::High,
        response: Response::Block,
        hides: "fewer than 21 targets a minute; targets that mostly answer",
        technique: "T1046, T1595.001",
        found: Found::By { rules: &[Rule::ServiceSweep], raises: "scene sweep-tcp", spares: "scene benign-monitoring" },
    },
    Threat {
        word: "host_sweep_udp",
        group: Group::Reconnaissance,
        meaning: "Tries one UDP service on one machine after the other.",
        definition: "One UDP service on more than 20 targets, most of them refused or silent.",
        horizon: "1 minute",
        fault: Fault::Source,
        least: "21 targets, 11 of them refused or silent",
        level: ThreatLevel::Medium,
        response: Response::Watch,
        hides: "fewer than 21 targets a minute",
        technique: "T1018",
        found: Found::By {
            rules: &[Rule::UdpSweep],
            raises: "boundary twenty_one_hosts_asked_for_one_udp_service_are_a_sweep",
            spares: "scene benign-discovery",
        },
    },
    Threat {
        word: "host_sweep_icmp",
        group: Group::Reconnaissance,
        meaning: "Pings one address after the other to learn who is there.",
        definition: "ICMP echo to more than 20 targets, most of them silent.",
        horizon: "1 minute",
        fault: Fault::Source,
        least: "21 targets, 11 of them silent",
        level: ThreatLevel::Medium,
        response: Response::Watch,
        hides: "fewer than 21 targets a minute",
        technique: "T1018",
        found: Found::By { rules: &[Rule::IcmpSweep], raises: "scene sweep-icmp", spares: "scene benign-monitoring" },
    },
    Threat {
        word: "arp_scan",
        group: Group::Reconnaissance,
        meaning: "Asks by ARP for one address after the other to learn who is there.",
        definition: "ARP requests for more than 20 addresses, most of them unanswered.",
        horizon: "1 minute",
        fault: Fault::Source,
        least: "21 addresses, 11 of them silent",
        level: ThreatLevel::Medium,
        response: Response::Watch,
        hides: "fewer than 21 addresses a minute; answers that stay inside the switch make living hosts look silent",
        technique: "T1018",
        found: Found::By {
            rules: &[Rule::ArpSweep],
            raises: "scene sweep-arp",
            spares: "boundary twenty_addresses_asked_for_by_arp_are_no_sweep",
        },
    },
    Threat {
        word: "host_sweep_ipv6",
        group: Group::Reconnaissance,
        meaning: "Looks for IPv6 neighbours, one address after the other.",
        definition: "Neighbour solicitations for more than 20 addresses, most of them unanswered.",
        horizon: "1 minute",
        fault: Fault::Source,
        least: "21 addresses, 11 of them silent",
        level: ThreatLevel::Medium,
        response: Response::Watch,
        hides: "fewer than 21 addresses a minute; asking all of them at once by multicast",
        technique: "T1018",
        found: Found::By {
            rules: &[Rule::NeighborSweep],
            raises: "boundary twenty_one_ipv6_neighbours_asked_for_are_a_sweep",
            spares: "boundary twenty_ipv6_neighbours_asked_for_are_no_sweep",
        },
    },
    Threat {
        word: "nd_spoof",
        group: Group::LocalLink,
        meaning: "Claims by neighbour discovery that another's IPv6 address is its own.",
        definition: "More than 2 advertisements with the override flag against a living owner, asked for or not.",
        horizon: "1 minute",
        fault: Fault::Source,
        least: "3 advertisements",
        level: ThreatLevel::Medium,
        response: Response::Watch,
        hides: "advertisements that do not cross the box; an owner that was never seen; it is watched only, since proxies for sleepers and failovers do the same",
        technique: "T1557",
        found: Found::By {
            rules: &[Rule::NdSpoof],
            raises: "boundary three_advertisements_of_anothers_address_in_a_minute_are_an_attack",
            spares: "boundary two_advertisements_of_anothers_address_are_no_attack",
        },
    },
    Threat {
        word: "brute_force_ssh",
        group: Group::Credentials,
        meaning: "Guesses passwords over SSH.",
        definition: "More than 5 short encrypted conversations with one server that look like refused log-ins.",
        horizon: "5 minutes",
        fault: Fault::Source,
        least: "6 failed log-ins",
        level: ThreatLevel::High,
        response: Response::Block,
        hides: "fewer than 6 guesses in 5 minutes; several guesses in one conversation",
        technique: "T1110.001",
        found: Found::By {
            rules: &[Rule::LikelyFailedLogins],
            raises: "scene login-ssh",
            spares: "scene benign-logins",
        },
    },
    Threat {
        word: "brute_force_ftp",
        group: Group::Credentials,
        meaning: "Guesses passwords over FTP.",
        definition: "More than 5 log-ins at one server that it refuses in so many words.",
        horizon: "5 minutes",
        fault: Fault::Source,
        least: "6 failed log-ins",
        level: ThreatLevel::High,
        response: Response::Block,
        hides: "fewer than 6 guesses in 5 minutes; encryption of the service",
        technique: "T1110.001",
        found: Found::By { rules: &[Rule::FailedLogins], raises: "scene login-ftp", spares: "scene benign-logins" },
    },
    Threat {
        word: "brute_force_telnet",
        group: Group::Credentials,
        meaning: "Guesses passwords over Telnet.",
        definition: "More than 5 log-ins at one server that it refuses in so many words.",
        horizon: "5 minutes",
        fault: Fault::Source,
        least: "6 failed log-ins",
        level: ThreatLevel::High,
        response: Response::Block,
        hides: "fewer than 6 guesses in 5 minutes; encryption of the service",
        technique: "T1110.001",
        found: Found::By {
            rules: &[Rule::FailedLogins],
            raises: "boundary six_refused_log_ins_in_five_minutes_are_an_attack",
            spares: "scene benign-logins",
        },
    },
    Threat {
        word: "brute_force_http",
        group: Group::Credentials,
        meaning: "Guesses passwords over HTTP.",
        definition: "More than 5 log-ins at one server that it refuses in so many words.",
        horizon: "5 minutes",
        fault: Fault::Source,
        least: "6 failed log-ins",
        level: ThreatLevel::High,
        response: Response::Block,
        hides: "fewer than 6 guesses in 5 minutes; encryption of the service",
        technique: "T1110.001",
        found: Found::By { rules: &[Rule::FailedLogins], raises: "scene login-http", spares: "scene benign-logins" },
    },
    Threat {
        word: "brute_force_mail",
        group: Group::Credentials,
        meaning: "Guesses passwords over SMTP, POP3 and IMAP.",
        definition: "More than 5 log-ins at one server that it refuses in so many words.",
        horizon: "5 minutes",
        fault: Fault::Source,
        least: "6 failed log-ins",
        level: ThreatLevel::High,
        response: Response::Block,
        hides: "fewer than 6 guesses in 5 minutes; encryption of the service",
        technique: "T1110.001",
        found: Found::By { rules: &[Rule::FailedLogins], raises: "scene login-pop3", spares: "scene benign-logins" },
    },
    Threat {
        word: "brute_force_rdp",
        group: Group::Credentials,
        meaning: "Guesses passwords over RDP.",
        definition: "More than 5 short encrypted conversations with one server that look like refused log-ins.",
        horizon: "5 minutes",
        fault: Fault::Source,
        least: "6 failed log-ins",
        level: ThreatLevel::High,
        response: Response::Block,
        hides: "fewer than 6 guesses in 5 minutes; several guesses in one conversation",
        technique: "T1110.001",
        found: Found::By {
            rules: &[Rule::LikelyFailedLogins],
            raises: "boundary six_short_encrypted_conversations_in_five_minutes_are_an_attack",
            spares: "scene benign-logins",
        },
    },
    Threat {
        word: "brute_force_smb",
        group: Group::Credentials,
        meaning: "Guesses passwords over SMB.",
        definition: "More than 5 short encrypted conversations with one server that look like refused log-ins.",
        horizon: "5 minutes",
        fault: Fault::Source,
        least: "6 failed log-ins",
        level: ThreatLevel::High,
        response: Response::Block,
        hides: "fewer than 6 guesses in 5 minutes; several guesses in one conversation",
        technique: "T1110.001",
        found: Found::By {
            rules: &[Rule::LikelyFailedLogins],
            raises: "boundary six_short_encrypted_conversations_in_five_minutes_are_an_attack",
            spares: "scene benign-logins",
        },
    },
    Threat {
        word: "brute_force_spray",
        group: Group::Credentials,
        meaning: "Tries a few passwords at one server after the other, so that none of them notices.",
        definition: "More than 10 log-ins that servers refuse in so many words, at 3 servers or more, together.",
        horizon: "5 minutes",
        fault: Fault::Source,
        least: "11 failed log-ins at 3 servers",
        level: ThreatLevel::High,
        response: Response::Block,
        hides: "fewer than 11 guesses in 5 minutes; encryption of the service",
        technique: "T1110.003",
        found: Found::By {
            rules: &[Rule::PasswordSpray],
            raises: "scene spray-ftp",
            spares: "boundary ten_log_ins_refused_at_many_targets_are_no_spray",
        },
    },
    Threat {
        word: "arp_spoof",
        group: Group::LocalLink,
        meaning: "Claims by ARP that another's address is its own, to read or cut its traffic.",
        definition: "More than 2 unasked claims against a living owner, or pushed at single neighbours for several addresses; or more than 1 address that comes from it since it pushed one claim (man in the middle).",
        horizon: "1 minute; 10 minutes for a man in the middle",
        fault: Fault::Source,
        least: "3 claims; 1 claim and 2 addresses",
        level: ThreatLevel::High,
        response: Response::Block,
        hides: "claims that do not cross the box; an owner that was never seen",
        technique: "T1557.002",
        found: Found::By {
            rules: &[Rule::ArpSpoof, Rule::ManInTheMiddle],
            raises: "scene arp-spoof",
            spares: "scene benign-router-addresses",
        },
    },
    Threat {
        word: "rogue_dhcp",
        group: Group::LocalLink,
        meaning: "Hands out addresses, and with them a router of its own choice.",
        definition: "A DHCP offer or grant from another machine than the server known so far.",
        horizon: "until the end",
        fault: Fault::Source,
        least: "1 message",
        level: ThreatLevel::High,
        response: Response::Block,
        hides: "being the first that answers after the box started; answers that do not cross the box",
        technique: "T1557.003",
        found: Found::By { rules: &[Rule::RogueDhcp], raises: "scene rogue-dhcp", spares: "scene benign-dhcp" },
    },
    Threat {
        word: "dhcp_starvation",
        group: Group::LocalLink,
        meaning: "Takes all addresses that the DHCP server has.",
        definition: "DHCP asked for in the name of more than 20 clients by one hardware address.",
        horizon: "1 minute",
        fault: Fault::Source,
        least: "21 clients",
        level: ThreatLevel::High,
        response: Response::Block,
        hides: "an invented hardware address for each request; several hosts behind the hardware address, which make it Medium",
        technique: "T1498.001",
        found: Found::By {
            rules: &[Rule::DhcpStarvation],
            raises: "scene starve-dhcp",
            spares: "boundary twenty_clients_behind_one_machine_are_an_extender",
        },
    },
    Threat {
        word: "rogue_router",
        group: Group::LocalLink,
        meaning: "Announces itself as the IPv6 router of the network.",
        definition: "A router advertisement from another machine than the router known so far.",
        horizon: "until the end",
        fault: Fault::Source,
        least: "1 message",
        level: ThreatLevel::High,
        response: Response::Block,
        hides: "being the first that advertises after the box started",
        technique: "T1557",
        found: Found::By { rules: &[Rule::RogueRouter], raises: "scene rogue-router", spares: "scene benign-ipv6" },
    },
    Threat {
        word: "icmp_redirect",
        group: Group::LocalLink,
        meaning: "Tells others of a better way that leads through itself.",
        definition: "More than 2 ICMP or ICMPv6 redirects from a LAN host that is not the router.",
        horizon: "1 minute",
        fault: Fault::Source,
        least: "3 redirects",
        level: ThreatLevel::Medium,
        response: Response::Watch,
        hides: "2 redirects, which are enough for two victims",
        technique: "T1557",
        found: Found::By {
            rules: &[Rule::Redirect],
            raises: "scene redirect",
            spares: "boundary two_redirects_are_told_to_nobody",
        },
    },
    Threat {
        word: "spoofed_source",
        group: Group::LocalLink,
        meaning: "Sends under invented addresses, so that the answers go elsewhere.",
        definition: "More than 20 new source addresses behind one hardware address that nobody answered.",
        horizon: "10 seconds",
        fault: Fault::Source,
        least: "21 addresses",
        level: ThreatLevel::High,
        response: Response::Block,
        hides: "an invented hardware address for each frame; addresses that exist",
        technique: "T1498",
        found: Found::By {
            rules: &[Rule::SpoofedSource],
            raises: "scene spoofed-sources",
            spares: "boundary twenty_new_sources_of_one_machine_are_not_invented",
        },
    },
    Threat {
        word: "flood_syn",
        group: Group::Flood,
        meaning: "Opens so many conversations without completing them that a server has no room for others.",
        definition: "More than 200 half-open TCP conversations a second at one target; at the victim, more than 500 from 20 sources or more.",
        horizon: "1 second",
        fault: Fault::Source,
        least: "201 a second",
        level: ThreatLevel::High,
        response: Response::Block,
        hides: "a rate below the threshold; invented sources, which are told at the victim only",
        technique: "T1498.001, T1499.001",
        found: Found::By {
            rules: &[Rule::SynFlood, Rule::UnderFlood],
            raises: "scene flood-syn",
            spares: "scene benign-fifty-connections",
        },
    },
    Threat {
        word: "flood_udp",
        group: Group::Flood,
        meaning: "Fills a line with datagrams that nobody asked for.",
        definition: "More than 2,000 UDP datagrams a second in new or refused conversations to a target that says nothing back; steady streams are Medium.",
        horizon: "1 second",
        fault: Fault::Source,
        least: "2,001 a second",
        level: ThreatLevel::High,
        response: Response::Block,
        hides: "a rate below the threshold; a target that answers",
        technique: "T1498.001",
        found: Found::By {
            rules: &[Rule::UdpFlood, Rule::UnderFlood],
            raises: "scene flood-udp",
            spares: "scene benign-video",
        },
    },
    Threat {
        word: "flood_icmp",
        group: Group::Flood,
        meaning: "Fills a line with pings.",
        definition: "More than 100 ICMP messages a second that are no errors.",
        horizon: "1 second",
        fault: Fault::Source,
        least: "101 a second",
        level: ThreatLevel::High,
        response: Response::Block,
        hides: "a rate below the threshold",
        technique: "T1498.001",
        found: Found::By { rules: &[Rule::IcmpFlood], raises: "scene flood-icmp", spares: "scene benign-pings" },
    },
    Threat {
        word: "dns_tunnel",
        group: Group::Infected,
        meaning: "Carries data out of the network inside DNS names.",
        definition: "More than 30 queries under one domain, nearly all for different names that are long or of types that carry data.",
        horizon: "1 minute",
        fault: Fault::Source,
        least: "31 queries, names of 40 octets",
        level: ThreatLevel::High,
        response: Response::Block,
        hides: "fewer than 31 queries a minute; DNS inside TLS or HTTPS",
        technique: "T1071.004, T1048.003",
        found: Found::By { rules: &[Rule::DnsTunnel], raises: "scene tunnel-iodine", spares: "scene benign-dns" },
    },
    Threat {
        word: "icmp_tunnel",
        group: Group::Infected,
        meaning: "Carries data inside pings.",
        definition: "More than 5 answers to pings that carry something else than what was asked, between two hosts.",
        horizon: "1 minute",
        fault: Fault::Both,
        least: "6 answers",
        level: ThreatLevel::High,
        response: Response::Block,
        hides: "fewer than 6 answers a minute; data in the questions alone; a client whose questions do not vary is watched only",
        technique: "T1095, T1572",
        found: Found::By { rules: &[Rule::IcmpTunnel], raises: "scene tunnel-icmp", spares: "scene benign-pings" },
    },
    Threat {
        word: "dga",
        group: Group::Infected,
        meaning: "Looks for its master under names that an algorithm makes, of which most do not exist.",
        definition: "More than 20 domains that do not exist, as answers to its own questions.",
        horizon: "10 minutes",
        fault: Fault::Source,
        least: "21 domains",
        level: ThreatLevel::Medium,
        response: Response::Watch,
        hides: "fewer than 21 missing domains in 10 minutes; DNS inside TLS or HTTPS",
        technique: "T1568.002",
        found: Found::By {
            rules: &[Rule::NoSuchNames],
            raises: "scene missing-domains",
            spares: "boundary many_missing_names_of_one_domain_are_one_domain",
        },
    },
    Threat {
        word: "cryptomining",
        group: Group::Infected,
        meaning: "Works for a mining pool.",
        definition: "The first words of Stratum from a client, in the clear.",
        horizon: "1 frame",
        fault: Fault::Source,
        least: "1 request",
        level: ThreatLevel::Medium,
        response: Response::Watch,
        hides: "TLS to the pool",
        technique: "T1496.001",
        found: Found::By {
            rules: &[Rule::Mining],
            raises: "scene mining",
            spares: "boundary other_words_in_json_are_no_mining",
        },
    },
    Threat {
        word: "spam_sending",
        group: Group::Infected,
        meaning: "Delivers mail to many servers by itself, as infected hosts do and clients do not.",
        definition: "TCP to port 25 of more than 20 servers.",
        horizon: "10 minutes",
        fault: Fault::Source,
        least: "21 servers",
        level: ThreatLevel::Medium,
        response: Response::Watch,
        hides: "fewer than 21 servers in 10 minutes; submission through one server",
        technique: "T1566, T1584.005",
        found: Found::By {
            rules: &[Rule::MailServers],
            raises: "boundary mail_to_twenty_one_servers_in_ten_minutes_is_told",
            spares: "boundary mail_to_twenty_servers_is_no_spam",
        },
    },
    Threat {
        word: "anomaly",
        group: Group::Infected,
        meaning: "Behaves like hosts that attack, by no definition.",
        definition: "The forest's vote over the features of three horizons.",
        horizon: "10 seconds to 10 minutes",
        fault: Fault::Source,
        least: "a share of the vote that the model names",
        level: ThreatLevel::Medium,
        response: Response::Watch,
        hides: "whatever the captures it learnt from do not show",
        technique: "",
        found: Found::ByForest,
    },
    Threat {
        word: "service_probe",
        group: Group::Reconnaissance,
        meaning: "Asks open services for their names and versions.",
        definition: "Many first words of many protocols to few ports of one target.",
        horizon: "none",
        fault: Fault::Source,
        least: "none",
        level: ThreatLevel::Safe,
        response: Response::None,
        hides: "everything, as long as it is not found",
        technique: "T1046",
        found: Found::Not(
            "a probe of few open ports looks like a client that tries; the scan before it is found as port_scan_vertical",
        ),
    },
    Threat {
        word: "vulnerability_scan",
        group: Group::Reconnaissance,
        meaning: "Tries known weaknesses of a service one after the other.",
        definition: "Many requests for paths and methods that fail.",
        horizon: "none",
        fault: Fault::Source,
        least: "none",
        level: ThreatLevel::Safe,
        response: Response::None,
        hides: "everything, as long as it is not found",
        technique: "T1595.002",
        found: Found::Not("no reader of failed requests yet; inside TLS it cannot be seen"),
    },
    Threat {
        word: "port_scan_slow",
        group: Group::Reconnaissance,
        meaning: "Scans so slowly that no minute shows it.",
        definition: "Refused or silent ports and targets over an hour and a day.",
        horizon: "none",
        fault: Fault::Source,
        least: "none",
        level: ThreatLevel::Safe,
        response: Response::None,
        hides: "everything, as long as it is not found",
        technique: "T1046",
        found: Found::Not("no counters over an hour and a day yet"),
    },
    Threat {
        word: "brute_force_rpc",
        group: Group::Credentials,
        meaning: "Guesses passwords over RPC.",
        definition: "Refused binds and calls.",
        horizon: "none",
        fault: Fault::Source,
        least: "none",
        level: ThreatLevel::Safe,
        response: Response::None,
        hides: "everything, as long as it is not found",
        technique: "T1110.001",
        found: Found::Not("no reader of RPC faults yet"),
    },
    Threat {
        word: "brute_force_database",
        group: Group::Credentials,
        meaning: "Guesses passwords of databases.",
        definition: "Refusals of MySQL, PostgreSQL, Redis, MSSQL.",
        horizon: "none",
        fault: Fault::Source,
        least: "none",
        level: ThreatLevel::Safe,
        response: Response::None,
        hides: "everything, as long as it is not found",
        technique: "T1110.001",
        found: Found::Not("no reader of their refusals yet"),
    },
    Threat {
        word: "mac_flood",
        group: Group::LocalLink,
        meaning: "Fills the switch's table with invented hardware addresses, so that it sends everything everywhere.",
        definition: "New hardware addresses on one side a second.",
        horizon: "none",
        fault: Fault::Source,
        least: "none",
        level: ThreatLevel::Safe,
        response: Response::None,
        hides: "everything, as long as it is not found",
        technique: "T1557",
        found: Found::Not("nobody can be blamed by an address that is used once; the kernel's table is bounded"),
    },
    Threat {
        word: "flood_http",
        group: Group::Flood,
        meaning: "Asks a web server for more than it can serve.",
        definition: "Requests a second to one server.",
        horizon: "none",
        fault: Fault::Source,
        least: "none",
        level: ThreatLevel::Safe,
        response: Response::None,
        hides: "everything, as long as it is not found",
        technique: "T1499.002",
        found: Found::Not("requests in the clear only could be counted; no reader yet"),
    },
    Threat {
        word: "slow_http",
        group: Group::Flood,
        meaning: "Holds a web server's conversations open by saying next to nothing.",
        definition: "Many long conversations with few octets to one server.",
        horizon: "none",
        fault: Fault::Source,
        least: "none",
        level: ThreatLevel::Safe,
        response: Response::None,
        hides: "everything, as long as it is not found",
        technique: "T1499.002",
        found: Found::Not("conversations are not counted by age yet"),
    },
    Threat {
        word: "amplification",
        group: Group::Flood,
        meaning: "Is used by others, or uses others, to answer small questions of a forged sender with large answers.",
        definition: "Answers that are many times their questions, to one who asks without end.",
        horizon: "none",
        fault: Fault::Source,
        least: "none",
        level: ThreatLevel::Safe,
        response: Response::None,
        hides: "everything, as long as it is not found",
        technique: "T1498.002",
        found: Found::Not("the two directions of a UDP conversation are not compared in octets yet"),
    },
    Threat {
        word: "beacon",
        group: Group::Infected,
        meaning: "Calls its master at regular times.",
        definition: "Equal gaps between conversations with one target over an hour.",
        horizon: "none",
        fault: Fault::Source,
        least: "none",
        level: ThreatLevel::Safe,
        response: Response::None,
        hides: "everything, as long as it is not found",
        technique: "T1071",
        found: Found::Not("the equality of gaps is a feature of the forest only; no definition over an hour yet"),
    },
    Threat {
        word: "c2_rat",
        group: Group::Infected,
        meaning: "Is steered from outside over a long thin conversation.",
        definition: "Hours of keep-alives, short commands in, longer answers out.",
        horizon: "none",
        fault: Fault::Source,
        least: "none",
        level: ThreatLevel::Safe,
        response: Response::None,
        hides: "everything, as long as it is not found",
        technique: "T1219",
        found: Found::Not("conversations have no age and no command shape yet"),
    },
    Threat {
        word: "c2",
        group: Group::Infected,
        meaning: "Talks to a command server.",
        definition: "None that holds everywhere.",
        horizon: "none",
        fault: Fault::Source,
        least: "none",
        level: ThreatLevel::Safe,
        response: Response::None,
        hides: "everything, as long as it is not found",
        technique: "T1071",
        found: Found::Not(
            "no definition: the forest's and the baseline's part; with the source left out the forest finds next to nothing (models/REPORT.md)",
        ),
    },
    Threat {
        word: "dns_exfiltration",
        group: Group::Infected,
        meaning: "Sends files out in DNS names, slowly.",
        definition: "Octets carried under one domain over a day.",
        horizon: "none",
        fault: Fault::Source,
        least: "none",
        level: ThreatLevel::Safe,
        response: Response::None,
        hides: "everything, as long as it is not found",
        technique: "T1048.003",
        found: Found::Not("octets under a domain are kept for a minute only"),
    },
    Threat {
        word: "worm_spread",
        group: Group::Infected,
        meaning: "Attacks one service on many machines and gets in on some.",
        definition: "One service on many targets, with the same first words.",
        horizon: "none",
        fault: Fault::Source,
        least: "none",
        level: ThreatLevel::Safe,
        response: Response::None,
        hides: "everything, as long as it is not found",
        technique: "T1210",
        found: Found::Not("most of it is found as port_scan_horizontal; the words are not compared"),
    },
    Threat {
        word: "botnet_spread",
        group: Group::Infected,
        meaning: "Looks for devices with factory passwords.",
        definition: "Telnet and its kin on many targets, with log-ins.",
        horizon: "none",
        fault: Fault::Source,
        least: "none",
        level: ThreatLevel::Safe,
        response: Response::None,
        hides: "everything, as long as it is not found",
        technique: "T1110.001",
        found: Found::Not(
            "most of it is found as port_scan_horizontal or brute_force_telnet; it has no name of its own yet",
        ),
    },
    Threat {
        word: "exploit_smb",
        group: Group::Infected,
        meaning: "Breaks into file sharing or RPC by a flaw.",
        definition: "An attacked machine calls its attacker back.",
        horizon: "none",
        fault: Fault::Source,
        least: "none",
        level: ThreatLevel::Safe,
        response: Response::None,
        hides: "everything, as long as it is not found",
        technique: "T1210",
        found: Found::Not("no reader of SMB and RPC and no look at who calls back yet"),
    },
    Threat {
        word: "exfiltration",
        group: Group::Infected,
        meaning: "Sends out more than this device ever did.",
        definition: "Octets out against the device's own days.",
        horizon: "none",
        fault: Fault::Source,
        least: "none",
        level: ThreatLevel::Safe,
        response: Response::None,
        hides: "everything, as long as it is not found",
        technique: "T1041",
        found: Found::Not("the device's own baseline does not exist yet"),
    },
    Threat {
        word: "lateral_movement",
        group: Group::Infected,
        meaning: "Uses administration protocols that this device never spoke.",
        definition: "SSH, RDP, SMB, WinRM to new targets against the device's own days.",
        horizon: "none",
        fault: Fault::Source,
        least: "none",
        level: ThreatLevel::Safe,
        response: Response::None,
        hides: "everything, as long as it is not found",
        technique: "T1021",
        found: Found::Not("the device's own baseline does not exist yet"),
    },
];

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::collections::BTreeSet;
    use std::path::Path;
    use std::string::String;
    use std::{format, fs};

    #[test]
    fn every_family_and_every_rule_has_its_entry() {
        for family in Family::ALL.iter().filter(|family| **family != Family::Benign) {
            assert!(Threat::of(*family).is_some_and(|t| !matches!(t.found, Found::Not(_))), "{family}");
        }
        for rule in Rule::ALL {
            let named = |t: &Threat| matches!(t.found, Found::By { rules, .. } if rules.contains(rule));
            assert!(THREATS.iter().any(named), "{}", rule.name());
        }
        let words: BTreeSet<&str> = THREATS.iter().map(|threat| threat.word).collect();
        assert_eq!(words.len(), THREATS.len(), "a word stands twice");
    }

    #[test]
    fn no_entry_leaves_something_out() {
        for threat in THREATS {
            let said = [threat.meaning, threat.definition, threat.horizon, threat.least, threat.hides];
            assert!(said.iter().all(|words| !words.is_empty()), "{}", threat.word);
            let found = Family::ALL.iter().any(|family| family.as_str() == threat.word);
            assert_eq!(found, !matches!(threat.found, Found::Not(_)), "{}", threat.word);
            assert_eq!(threat.response == Response::None, !found, "{}", threat.word);
            assert_eq!(threat.response == Response::Block, threat.level == ThreatLevel::High, "{}", threat.word);
        }
    }

    /// What raises each threat, and the near miss that does not, are scenes or tests that exist.
    #[test]
    fn what_raises_and_what_spares_can_be_run() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let read = |path: &Path| fs::read_to_string(path).unwrap_or_default();
        let tests: String =
            fs::read_dir(root.join("tests/boundary")).unwrap().map(|file| read(&file.unwrap().path())).collect();
        let scene = |name: &str| read(&root.join("../../tests/lab/scenes").join(format!("{name}.toml")));
        for threat in THREATS {
            let Found::By { raises, spares, .. } = threat.found else { continue };
            for (proof, must_raise) in [(raises, true), (spares, false)] {
                match proof.split_once(' ') {
                    Some(("scene", name)) => {
                        let text = scene(name);
                        assert!(!text.is_empty(), "{}: no scene {name}", threat.word);
                        let expected = text.contains(&format!("family = \"{}\"", threat.word));
                        assert_eq!(expected, must_raise, "{}: scene {name}", threat.word);
                    }
                    Some(("boundary", name)) => {
                        assert!(tests.contains(&format!("fn {name}(")), "{}: no test {name}", threat.word);
                    }
                    _ => panic!("{}: {proof} is neither a scene nor a test", threat.word),
                }
            }
        }
    }
}
