//! The bridge over the two links: made, or taken over, and set so that nobody notices it.

use std::io;
use std::path::Path;

use thiserror::Error;

use super::netlink::{Message, Netlink, Refusal};
use super::{INFO, LinkState};

// The kernel's include/uapi/linux/if_link.h, whose newest are not in libc.
const STP_STATE: u16 = 5;
const VLAN_FILTERING: u16 = 7;
const GROUP_FWD_MASK: u16 = 9;
const MCAST_SNOOPING: u16 = 23;
const NF_CALL_IPTABLES: u16 = 36;
const NF_CALL_IP6TABLES: u16 = 37;
const NF_CALL_ARPTABLES: u16 = 38;
const FDB_MAX_LEARNED: u16 = 49;

/// LLDP and 802.1X pass; the kernel refuses bits 0 to 2, so that LACP can't.
const PASSED_GROUPS: u64 = 0x4008;
/// How many hardware addresses the kernel's bridge learns at most.
const LEARNED_ADDRESSES: u64 = 8192;

/// What makes a bridge transparent: attribute, its width in octets, name, value.
const SETTINGS: [(u16, usize, &str, u64); 7] = [
    (STP_STATE, 4, "stp_state", 0),
    (MCAST_SNOOPING, 1, "mcast_snooping", 0),
    (GROUP_FWD_MASK, 2, "group_fwd_mask", PASSED_GROUPS),
    (NF_CALL_IPTABLES, 1, "nf_call_iptables", 0),
    (NF_CALL_IP6TABLES, 1, "nf_call_ip6tables", 0),
    (NF_CALL_ARPTABLES, 1, "nf_call_arptables", 0),
    (FDB_MAX_LEARNED, 4, "fdb_max_learned", LEARNED_ADDRESSES),
];

/// Where the namespace says for all bridges at once what their own settings say too; they are off only if both are.
const NAMESPACE: &str = "/proc/sys/net/bridge";
const NAMESPACE_SETTINGS: [&str; 3] =
    ["bridge-nf-call-iptables", "bridge-nf-call-ip6tables", "bridge-nf-call-arptables"];

/// The bridge over two links as it was found or made, read back from the kernel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BridgeReport {
    /// The bridge.
    pub bridge: LinkState,
    /// The link towards the switch.
    pub lan: LinkState,
    /// The link towards the router.
    pub uplink: LinkState,
    /// Whether it was made just now.
    pub created: bool,
    /// Every setting that makes it transparent.
    pub settings: Vec<Setting>,
}

/// One setting of the bridge as the kernel holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Its name, as `ip -d link show` or the folder of `sysctl` has it.
    pub name: &'static str,
    /// What it should be.
    pub wanted: u64,
    /// What it is; nothing if the kernel does not know it.
    pub found: Option<u64>,
    /// Why it could not be set.
    pub refused: Option<String>,
}

/// The bridge could not be had. Its text names the link at fault.
#[derive(Debug, Error)]
pub enum LinkError {
    /// There is no such link.
    #[error("link {0} does not exist")]
    Missing(String),
    /// Both sides are said to be the same link.
    #[error("link {0} can't be both lan and uplink")]
    Same(String),
    /// The link carries no Ethernet frames, or is itself a bridge.
    #[error("link {0} can't be part of a bridge: it is no Ethernet link, or a bridge itself")]
    Unfit(String),
    /// Another bridge holds the link.
    #[error("link {link} already belongs to {holder}: free it with `ip link set {link} nomaster`, or name that bridge")]
    Taken {
        /// The link.
        link: String,
        /// Who holds it.
        holder: String,
    },
    /// There is a link of the bridge's name that is no bridge.
    #[error("link {0} exists and is no bridge")]
    NoBridge(String),
    /// The kernel refused one step.
    #[error("link {link}: {step}: {answer}")]
    Refused {
        /// The link.
        link: String,
        /// What was asked for.
        step: &'static str,
        /// What the kernel answered.
        answer: String,
    },
    /// The kernel could not be asked.
    #[error("asking the kernel for its links: {0}")]
    Unasked(#[from] io::Error),
}

/// Makes sure that a bridge holds both links, that all three are up, and that the bridge is transparent.
///
/// A bridge that already holds both is used as it is, whatever its name. A setting that the kernel refuses or does not
/// know is no error: the report tells what is held.
///
/// # Errors
/// A link is missing, unfit or held by another bridge, or the kernel refuses to join or start one; the text names it.
pub fn ensure_bridge(name: &str, lan: &str, uplink: &str) -> Result<BridgeReport, LinkError> {
    let mut kernel = Netlink::open()?;
    if lan == uplink {
        return Err(LinkError::Same(lan.to_owned()));
    }
    let sides = [kernel.side(lan)?, kernel.side(uplink)?];
    let (bridge, created) = match kernel.held_by(name, &sides)? {
        Some(bridge) => (bridge, false),
        None => (kernel.create(name)?, true),
    };
    let refusals = kernel.set(&bridge);
    if let Err(error) = sides.iter().try_for_each(|side| kernel.join(side, &bridge)) {
        if created {
            kernel.remove(&bridge);
        }
        return Err(error);
    }
    for link in sides.iter().chain([&bridge]) {
        kernel.start(link)?;
    }
    let bridge = kernel.must(&bridge.name)?;
    let mut settings = own_settings(&bridge, refusals);
    settings.extend(NAMESPACE_SETTINGS.iter().filter_map(|name| namespace_setting(name)));
    Ok(BridgeReport { lan: kernel.must(lan)?, uplink: kernel.must(uplink)?, bridge, created, settings })
}

/// Makes a cable of software between two new links, and switches both on.
///
/// # Errors
/// A link of such a name exists, or the kernel has no such links; the text names it.
pub fn make_cable(one: &str, other: &str) -> Result<(), LinkError> {
    /// The peer, in the kernel's include/uapi/linux/veth.h.
    const PEER: u16 = 1;
    let mut kernel = Netlink::open()?;
    let mut message = Message::new(libc::RTM_NEWLINK, libc::NLM_F_CREATE | libc::NLM_F_EXCL);
    message.fixed(&[0; INFO]);
    message.text(libc::IFLA_IFNAME, one);
    message.nest(libc::IFLA_LINKINFO, |info| {
        info.text(libc::IFLA_INFO_KIND, "veth");
        info.nest(libc::IFLA_INFO_DATA, |data| {
            data.nest(PEER, |peer| {
                peer.fixed(&[0; INFO]);
                peer.text(libc::IFLA_IFNAME, other);
            });
        });
    });
    kernel.ask(message).map_err(|refusal| LinkError::refused(one, "make a cable", &refusal))?;
    for end in [one, other] {
        let link = kernel.must(end)?;
        kernel.start(&link)?;
    }
    Ok(())
}

/// The bridge over both links as it is, nothing changed; nothing if no bridge holds both.
///
/// # Errors
/// A link is missing, unfit or held by another than the other's bridge; the text names it.
pub fn look_at_bridge(name: &str, lan: &str, uplink: &str) -> Result<Option<BridgeReport>, LinkError> {
    let mut kernel = Netlink::open()?;
    let sides = [kernel.side(lan)?, kernel.side(uplink)?];
    let Some(bridge) = kernel.held_by(name, &sides)? else {
        return Ok(None);
    };
    let [lan, uplink] = sides;
    if [&lan, &uplink].iter().any(|side| side.master != Some(bridge.index)) {
        return Ok(None);
    }
    let mut settings = own_settings(&bridge, Vec::new());
    settings.extend(NAMESPACE_SETTINGS.iter().filter_map(|name| read_namespace_setting(name)));
    Ok(Some(BridgeReport { lan, uplink, bridge, created: false, settings }))
}

impl BridgeReport {
    /// Whether the bridge looks at VLAN tags, so that only those pass that it was told; a bridge that Picket makes does not.
    #[must_use]
    pub fn filters_vlans(&self) -> bool {
        self.bridge.bridge.contains(&(VLAN_FILTERING, 1))
    }

    /// Whether the longest packet of both sides is of one length; a longer one of one side would be lost.
    #[must_use]
    pub fn mtu_agrees(&self) -> bool {
        self.lan.mtu == self.uplink.mtu
    }
}

impl Setting {
    /// Whether the kernel holds what was wanted.
    #[must_use]
    pub fn held(&self) -> bool {
        self.found == Some(self.wanted)
    }
}

impl Netlink {
    fn must(&mut self, name: &str) -> Result<LinkState, LinkError> {
        self.link(name)?.ok_or_else(|| LinkError::Missing(name.to_owned()))
    }

    fn side(&mut self, name: &str) -> Result<LinkState, LinkError> {
        let link = self.must(name)?;
        if link.ethernet && link.kind != "bridge" { Ok(link) } else { Err(LinkError::Unfit(name.to_owned())) }
    }

    /// The bridge to use, if it exists: the one that holds both sides, or the one of that name.
    fn held_by(&mut self, name: &str, sides: &[LinkState; 2]) -> Result<Option<LinkState>, LinkError> {
        let named = self.link(name)?;
        let [first, second] = sides;
        for side in sides {
            let Some(master) = side.master.filter(|&master| Some(master) != named.as_ref().map(|link| link.index))
            else {
                continue;
            };
            let holder = super::list()?.into_iter().find(|link| link.index == master);
            return match holder {
                Some(holder) if first.master == second.master && holder.kind == "bridge" => Ok(Some(holder)),
                holder => {
                    let holder = holder.map_or_else(|| format!("link number {master}"), |link| link.name);
                    Err(LinkError::Taken { link: side.name.clone(), holder })
                }
            };
        }
        match named {
            Some(link) if link.kind != "bridge" => Err(LinkError::NoBridge(link.name)),
            named => Ok(named),
        }
    }

    fn create(&mut self, name: &str) -> Result<LinkState, LinkError> {
        let mut message = Message::new(libc::RTM_NEWLINK, libc::NLM_F_CREATE | libc::NLM_F_EXCL);
        message.fixed(&[0; INFO]);
        message.text(libc::IFLA_IFNAME, name);
        message.nest(libc::IFLA_LINKINFO, |info| info.text(libc::IFLA_INFO_KIND, "bridge"));
        self.ask(message).map_err(|refusal| LinkError::refused(name, "make the bridge", &refusal))?;
        self.must(name)
    }

    /// Sets what makes a bridge transparent, one after the other so that one refusal does not keep the others away.
    fn set(&mut self, bridge: &LinkState) -> Vec<(u16, String)> {
        let mut refusals = Vec::new();
        for (kind, width, _, wanted) in SETTINGS {
            if bridge.bridge.contains(&(kind, wanted)) {
                continue;
            }
            let value = wanted.to_le_bytes();
            let mut value = value[..width].to_vec();
            if cfg!(target_endian = "big") {
                value.reverse();
            }
            let answer = self.ask(about(bridge, [0; 2], |message| {
                message.nest(libc::IFLA_LINKINFO, |info| {
                    info.text(libc::IFLA_INFO_KIND, "bridge");
                    info.nest(libc::IFLA_INFO_DATA, |data| data.attribute(kind, &value));
                });
            }));
            if let Err(refusal) = answer {
                refusals.push((kind, refusal.words()));
            }
        }
        refusals
    }

    fn start(&mut self, link: &LinkState) -> Result<(), LinkError> {
        let up = libc::IFF_UP as u32;
        let answer = self.ask(about(link, [up; 2], |_| ()));
        answer.map(drop).map_err(|refusal| LinkError::refused(&link.name, "switch it on", &refusal))
    }

    fn join(&mut self, side: &LinkState, bridge: &LinkState) -> Result<(), LinkError> {
        if side.master == Some(bridge.index) {
            return Ok(());
        }
        let answer = self.ask(about(side, [0; 2], |message| {
            message.attribute(libc::IFLA_MASTER, &bridge.index.to_ne_bytes());
        }));
        answer.map(drop).map_err(|refusal| LinkError::refused(&side.name, "join the bridge", &refusal))
    }

    /// Removes a bridge that was made in vain, which frees what it holds; the error that led here is the one to tell.
    fn remove(&mut self, bridge: &LinkState) {
        let mut message = Message::new(libc::RTM_DELLINK, 0);
        message.fixed(&[0; 4]);
        message.fixed(&bridge.index.to_ne_bytes());
        message.fixed(&[0; 8]);
        let _ = self.ask(message);
    }
}

impl LinkError {
    pub(super) fn refused(link: &str, step: &'static str, refusal: &Refusal) -> Self {
        Self::Refused { link: link.to_owned(), step, answer: refusal.words() }
    }
}

/// A message that changes a link: the flags to be set and which of them count, then what `with` adds.
fn about(link: &LinkState, flags: [u32; 2], with: impl FnOnce(&mut Message)) -> Message {
    let mut message = Message::new(libc::RTM_NEWLINK, 0);
    message.fixed(&[0; 4]);
    for field in [link.index, flags[0], flags[1]] {
        message.fixed(&field.to_ne_bytes());
    }
    with(&mut message);
    message
}

fn own_settings(bridge: &LinkState, refusals: Vec<(u16, String)>) -> Vec<Setting> {
    let found = |kind| bridge.bridge.iter().find(|(held, _)| *held == kind).map(|(_, value)| *value);
    let refused = |kind| refusals.iter().find(|(held, _)| *held == kind).map(|(_, words)| words.clone());
    SETTINGS
        .iter()
        .map(|&(kind, _, name, wanted)| Setting { name, wanted, found: found(kind), refused: refused(kind) })
        .collect()
}

/// Turns one setting of the namespace off; nothing if the kernel has no such filter, which is as good.
fn namespace_setting(name: &'static str) -> Option<Setting> {
    let setting = read_namespace_setting(name)?;
    if setting.held() {
        return Some(setting);
    }
    let refused = std::fs::write(Path::new(NAMESPACE).join(name), "0").err().map(|error| error.to_string());
    read_namespace_setting(name).map(|setting| Setting { refused, ..setting })
}

fn read_namespace_setting(name: &'static str) -> Option<Setting> {
    let text = std::fs::read_to_string(Path::new(NAMESPACE).join(name)).ok()?;
    Some(Setting { name, wanted: 0, found: Some(text.trim().parse().ok()?), refused: None })
}
