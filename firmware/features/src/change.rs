//! What a frame changed that a rule may care about.

use terms::{HostKey, MacAddr, Side};
use wire::intrusion::Intrusion;
use wire::ja4::Ja4;

use crate::listed::Mark;
use crate::signs::SignCounts;

/// How a target was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ask {
    /// TCP SYN (or a flag combination that only scans send).
    Tcp,
    /// UDP datagram.
    Udp,
    /// ICMP or ICMPv6 echo request.
    Icmp,
    /// ARP request.
    Arp,
    /// IPv6 neighbour solicitation.
    Neighbor,
}

/// A service that people log in to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Service {
    /// Port 22.
    Ssh,
    /// Port 21.
    Ftp,
    /// Port 23.
    Telnet,
    /// HTTP.
    Http,
    /// SMTP, POP3, IMAP.
    Mail,
    /// Port 3389.
    Rdp,
    /// Port 445.
    Smb,
    /// MySQL, PostgreSQL, Redis, SQL Server.
    Database,
}

/// A way to administer another host of the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Administration {
    /// Port 22.
    Ssh,
    /// Port 23.
    Telnet,
    /// Remote procedure calls and files of Windows: ports 135, 139, 445.
    Smb,
    /// Port 3389.
    Rdp,
    /// Ports 5900 to 5903.
    Vnc,
    /// Ports 5985, 5986.
    WinRm,
}

impl Administration {
    /// Every way.
    pub const ALL: [Self; 6] = [Self::Ssh, Self::Telnet, Self::Smb, Self::Rdp, Self::Vnc, Self::WinRm];

    /// Its name for people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ssh => "SSH",
            Self::Telnet => "Telnet",
            Self::Smb => "SMB and RPC",
            Self::Rdp => "RDP",
            Self::Vnc => "VNC",
            Self::WinRm => "WinRM",
        }
    }

    /// What is spoken at this port.
    #[must_use]
    pub const fn at(port: u16) -> Option<Self> {
        Some(match port {
            22 => Self::Ssh,
            23 => Self::Telnet,
            135 | 139 | 445 => Self::Smb,
            3389 => Self::Rdp,
            5900..=5903 => Self::Vnc,
            5985 | 5986 => Self::WinRm,
            _ => return None,
        })
    }
}

/// How a device lets the internet in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Exposure {
    /// It asks the router to open a port.
    OpensPort,
    /// It accepts a conversation that comes from there.
    AnswersInternet,
}

impl Exposure {
    /// Every way.
    pub const ALL: [Self; 2] = [Self::OpensPort, Self::AnswersInternet];

    /// Its name for people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::OpensPort => "asks the router to open ports",
            Self::AnswersInternet => "answers the internet",
        }
    }
}

/// How a host has to do with what is on a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listing {
    /// It begins a conversation with it.
    Peer,
    /// It is what is listed, and begins a conversation.
    Itself,
    /// It names it to the server with which it speaks.
    Name,
    /// It asks DNS for it.
    Question,
    /// It uses a TLS client that is listed.
    Client,
}

/// Which counter moved, and where it stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Change {
    /// Distinct ports of one target in the last minute, how many failed, and distinct ports over all targets.
    Ports {
        /// Whose ports.
        target: HostKey,
        /// TCP or UDP.
        ask: Ask,
        /// Distinct ports.
        ports: u16,
        /// Of them refused or silent.
        failing: u16,
        /// Distinct (target, port) over all targets (at most the capacity of the peer set).
        overall: u16,
    },
    /// Distinct targets of one service in the last minute, and how many failed.
    Targets {
        /// How they were asked.
        ask: Ask,
        /// The port, 0 where there is none.
        port: u16,
        /// Distinct targets.
        targets: u16,
        /// Of them refused or silent.
        failing: u16,
        /// Whether the latest is on the internet.
        abroad: bool,
    },
    /// Failed log-ins at one target.
    Logins {
        /// Where.
        target: HostKey,
        /// Over what.
        service: Service,
        /// How many in the horizon.
        failed: u16,
        /// Whether the refusal was seen on the wire (`true`) or estimated from the shape of the conversation.
        seen: bool,
    },
    /// ICMP messages (no errors, no neighbour discovery) in the last second.
    IcmpRate {
        /// The latest target.
        target: HostKey,
        /// How many.
        per_second: u32,
    },
    /// TCP conversations opened towards one target in the last second and not completed.
    HalfOpen {
        /// The target.
        target: HostKey,
        /// Its port.
        port: u16,
        /// How many.
        per_second: u32,
        /// Distinct ports tried there in the last minute.
        ports: u16,
    },
    /// UDP datagrams in the last second towards a target that says nothing back.
    Unanswered {
        /// The target.
        target: HostKey,
        /// How many.
        per_second: u32,
        /// Of them in ever new conversations, or refused; the others belong to conversations that nobody refuses, as a one-way
        /// stream does.
        fresh: u32,
        /// Distinct ports tried there in the last minute.
        ports: u16,
    },
    /// Half-open conversations and unanswered datagrams towards this host in the last second, from many.
    UnderFlood {
        /// How they come.
        ask: Ask,
        /// How many.
        per_second: u32,
        /// Distinct sources, estimated.
        sources: u16,
    },
    /// Unasked ARP claims against a living owner, or pushed at single neighbours; neighbour advertisements against a living owner.
    Claims {
        /// The latest claimed address.
        claimed: HostKey,
        /// Its living owner; nobody where the claim was only pushed, unasked, at a single neighbour.
        owner: Option<MacAddr>,
        /// Such claims in the last minute.
        claims: u16,
        /// Distinct addresses claimed so.
        addresses: u16,
    },
    /// A DHCP server that is not the one known so far.
    DhcpServer {
        /// The one known so far.
        known: MacAddr,
    },
    /// A router advertisement from one that is not the router known so far.
    RouterAdvertisement {
        /// The one known so far.
        known: MacAddr,
    },
    /// Names under one base domain in the last minute.
    Names {
        /// Queries.
        queries: u16,
        /// Distinct names, estimated.
        distinct: u16,
        /// Octets before the base domain, all together.
        octets: u32,
        /// Queries of types that carry data (TXT, NULL, CNAME, KEY, SRV, MX, private).
        carrying: u16,
        /// Shannon entropy of the letters before the base domain, bits a letter.
        entropy: f32,
    },
    /// Addresses that came from others until this host pushed a claim at a neighbour, and that come from it since.
    TakenOver {
        /// The latest.
        address: HostKey,
        /// How many.
        addresses: u16,
    },
    /// Answers to echoes that carry something else than what was asked, between two hosts in the last minute.
    Echoes {
        /// The other end.
        target: HostKey,
        /// How many.
        other: u16,
        /// Whether the host itself carries something, rather than being answered so.
        own: bool,
    },
    /// Different IP protocols that are neither TCP, UDP nor usual, in the last minute.
    Protocols {
        /// The latest target.
        target: HostKey,
        /// How many.
        protocols: u16,
    },
    /// Failed log-ins at all targets together, within the horizon of log-ins.
    Sprayed {
        /// How many.
        failed: u16,
        /// At how many targets.
        targets: u16,
    },
    /// Base domains that do not exist, asked for in the last ten minutes.
    NoSuchNames {
        /// How many different ones.
        domains: u16,
        /// How many others that do exist, since the first of them did not.
        existing: u16,
    },
    /// A miner's words to its pool.
    Mining {
        /// The pool.
        target: HostKey,
        /// Its port.
        port: u16,
    },
    /// Mail servers talked to in the last ten minutes.
    MailServers {
        /// How many different ones.
        servers: u16,
    },
    /// Redirects (ICMP type 5, ICMPv6 type 137) in the last minute.
    Redirects {
        /// To whom the latest went.
        target: HostKey,
        /// How many.
        redirects: u16,
    },
    /// Clients for which one hardware address asked DHCP in the last minute.
    DhcpClients {
        /// How many different ones.
        clients: u16,
        /// Hosts that were seen behind it lately (at most 4).
        hosts: u16,
    },
    /// Answers in the last minute that what was asked for by HTTP is not there.
    MissingPages {
        /// The latest server.
        server: HostKey,
        /// How many.
        pages: u16,
    },
    /// Requests by HTTP in the last second.
    Requests {
        /// The latest server.
        server: HostKey,
        /// How many.
        per_second: u32,
    },
    /// Requests by HTTP in the last minute whose first words leave their end open.
    Unfinished {
        /// The latest server.
        server: HostKey,
        /// How many.
        requests: u16,
    },
    /// Datagrams of the last second that answer a host of the internet with many times what it asked.
    Amplified {
        /// Who asked, or is said to have.
        target: HostKey,
        /// How many.
        per_second: u32,
    },
    /// Another host of the network is administered, or tried to be.
    Administers {
        /// Which.
        target: HostKey,
        /// How.
        what: Administration,
    },
    /// A TLS client begins a conversation.
    Greets {
        /// Whom it greets.
        server: HostKey,
        /// Its fingerprint.
        client: Ja4,
    },
    /// The internet is let in.
    Exposes {
        /// The router that is asked, or who comes from the internet.
        target: HostKey,
        /// How.
        how: Exposure,
    },
    /// Signs of an infection in the last hour.
    Signs {
        /// The server towards which the latest was given.
        server: HostKey,
        /// How often each was seen.
        counts: SignCounts,
        /// Servers of the last ten minutes that DNS did not name (at most 32).
        unnamed: u16,
    },
    /// Different TCP ports of hosts of the network that refused or did not answer in the last hour.
    Failing {
        /// How many (at most 64).
        asks: u16,
    },
    /// Words by which machines are broken into or steered.
    Intrusion {
        /// To whom they were said.
        target: HostKey,
        /// What they are.
        what: Intrusion,
        /// How often in the last minute, where once is not enough; else 1.
        times: u16,
    },
    /// An indicator of a list that is in force.
    Listed {
        /// The other end.
        server: HostKey,
        /// Whose list it is on.
        mark: Mark,
        /// How the host has to do with it.
        by: Listing,
    },
    /// New source addresses behind one hardware address in the last ten seconds that nobody answered.
    Sources {
        /// How many.
        addresses: u16,
    },
}

/// A change and whose it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Noted {
    /// The host that did it.
    pub host: HostKey,
    /// Its hardware address.
    pub mac: MacAddr,
    /// Where it was seen.
    pub side: Side,
    /// What it did.
    pub change: Change,
}

impl Noted {
    /// The host, its hardware address and its side.
    #[must_use]
    pub const fn who(&self) -> (HostKey, MacAddr, Side) {
        (self.host, self.mac, self.side)
    }
}
