//! The names of what is found.

use core::fmt;

use serde::{Deserialize, Serialize};

macro_rules! families {
    ($($(#[$doc:meta])* $variant:ident = $word:literal,)*) => {
        /// A kind of threat, named as in the labels of the captures.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[repr(u8)]
        pub enum Family {
            $($(#[$doc])* #[serde(rename = $word)] $variant,)*
        }

        impl Family {
            /// Every family, in the order of their numbers.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The word of the replay contract.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }
        }
    };
}

families! {
    /// Nothing wrong.
    Benign = "benign",
    /// Many TCP ports of one target.
    PortScanVertical = "port_scan_vertical",
    /// Many UDP ports of one target.
    PortScanUdp = "port_scan_udp",
    /// One service on many targets.
    PortScanHorizontal = "port_scan_horizontal",
    /// Many targets by ICMP echo.
    HostSweepIcmp = "host_sweep_icmp",
    /// Many targets by UDP.
    HostSweepUdp = "host_sweep_udp",
    /// Many targets by ARP request.
    ArpScan = "arp_scan",
    /// Failed log-ins over SSH.
    BruteForceSsh = "brute_force_ssh",
    /// Failed log-ins over FTP.
    BruteForceFtp = "brute_force_ftp",
    /// Failed log-ins over Telnet.
    BruteForceTelnet = "brute_force_telnet",
    /// Failed log-ins over HTTP.
    BruteForceHttp = "brute_force_http",
    /// Failed log-ins over SMTP, POP3 or IMAP.
    BruteForceMail = "brute_force_mail",
    /// Failed log-ins over RDP.
    BruteForceRdp = "brute_force_rdp",
    /// Failed log-ins over SMB.
    BruteForceSmb = "brute_force_smb",
    /// ARP claims that contradict the known owner.
    ArpSpoof = "arp_spoof",
    /// A DHCP server where none should be.
    RogueDhcp = "rogue_dhcp",
    /// A router advertisement where none should be.
    RogueRouter = "rogue_router",
    /// TCP SYN flood.
    FloodSyn = "flood_syn",
    /// UDP flood.
    FloodUdp = "flood_udp",
    /// ICMP flood.
    FloodIcmp = "flood_icmp",
    /// Data carried in DNS names.
    DnsTunnel = "dns_tunnel",
    /// Many source addresses behind one hardware address.
    SpoofedSource = "spoofed_source",
    /// A named class of the forest that no rule defines.
    Anomaly = "anomaly",
    /// Data carried in ICMP echoes.
    IcmpTunnel = "icmp_tunnel",
    /// Many IP protocols of one target.
    PortScanProtocol = "port_scan_protocol",
    /// Failed log-ins at many targets.
    BruteForceSpray = "brute_force_spray",
    /// Names made by an algorithm, of which most do not exist.
    Dga = "dga",
    /// Work for a mining pool.
    Cryptomining = "cryptomining",
    /// Many paths of web servers that are not there.
    VulnerabilityScan = "vulnerability_scan",
    /// More requests than a web server serves.
    FloodHttp = "flood_http",
    /// Requests to a web server that never end.
    SlowHttp = "slow_http",
    /// Talks like a host under somebody's command.
    C2 = "c2",
    /// More sent than the device ever did.
    Exfiltration = "exfiltration",
    /// Administration protocols that the device never spoke.
    LateralMovement = "lateral_movement",
    /// Mail to many servers.
    SpamSending = "spam_sending",
    /// Redirects from one that is no router.
    IcmpRedirect = "icmp_redirect",
    /// Many IPv6 neighbours.
    HostSweepIpv6 = "host_sweep_ipv6",
    /// Neighbour advertisements that contradict the known owner.
    NdSpoof = "nd_spoof",
    /// Requests for leases in many invented names.
    DhcpStarvation = "dhcp_starvation",
    /// Failed log-ins at databases.
    BruteForceDatabase = "brute_force_database",
    /// Ports and hosts that fail to answer, over an hour.
    PortScanSlow = "port_scan_slow",
    /// Exploits of web servers and devices.
    ExploitHttp = "exploit_http",
    /// Exploits of Windows' file sharing and RPC.
    ExploitSmb = "exploit_smb",
    /// A shell or a trojan that somebody steers from outside.
    C2Rat = "c2_rat",
    /// Large answers to small questions from the internet, without end.
    Amplification = "amplification",
    /// What is on a list of indicators.
    Listed = "listed",
    /// Lets the internet in, which the device never did.
    Exposure = "exposure",
    /// Tries, again and again or in many places, what the policy denies it.
    Denied = "denied",
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
