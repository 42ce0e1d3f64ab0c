//! Which links are the two sides of the box: as configured, else the first that are hardware.

use std::path::Path;

use capture::LinkState;

use crate::config::LinksConfig;

/// The names of both sides, as far as there are links for them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chosen {
    /// The link to the switch.
    pub lan: Option<String>,
    /// The link to the router.
    pub uplink: Option<String>,
    /// Links that could carry frames but are made of software, or wireless: they are taken only when named.
    pub passed_by: Vec<String>,
}

/// There are no two links for the two sides.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinksError {
    /// One is missing.
    #[error(
        "two Ethernet links are needed, and there {}; name them as lan and uplink under [links]{}",
        said(*.found), besides(.passed_by)
    )]
    TooFew {
        /// How many there are, named ones counted.
        found: usize,
        /// Those that are taken only when named.
        passed_by: Vec<String>,
    },
    /// Both sides are the same link.
    #[error("lan and uplink are both {0}; name two different links under [links]")]
    Same(String),
}

/// Chooses among the links of this machine: named ones as they are named, otherwise hardware in the kernel's order.
#[must_use]
pub fn choose(config: &LinksConfig, all: &[LinkState]) -> Chosen {
    choose_among(config, all, |name| {
        ["wireless", "phy80211"].iter().any(|file| Path::new("/sys/class/net").join(name).join(file).exists())
    })
}

impl Chosen {
    /// Both, if there are two different ones.
    ///
    /// # Errors
    /// What is missing.
    pub fn both(self) -> Result<(String, String), LinksError> {
        let found = usize::from(self.lan.is_some()) + usize::from(self.uplink.is_some());
        let (Some(lan), Some(uplink)) = (self.lan, self.uplink) else {
            return Err(LinksError::TooFew { found, passed_by: self.passed_by });
        };
        if lan == uplink { Err(LinksError::Same(lan)) } else { Ok((lan, uplink)) }
    }
}

fn choose_among(config: &LinksConfig, all: &[LinkState], is_wireless: impl Fn(&str) -> bool) -> Chosen {
    let named = |link: &&LinkState| link.name == config.lan || link.name == config.uplink;
    let free = all.iter().filter(|link| link.ethernet && !named(link) && link.kind != "bridge");
    let (fit, unfit): (Vec<_>, Vec<_>) = free.partition(|link| link.kind.is_empty() && !is_wireless(&link.name));
    let mut fit = fit.into_iter().map(|link| link.name.clone());
    let mut pick = |name: &String| if name.is_empty() { fit.next() } else { Some(name.clone()) };
    let (lan, uplink) = (pick(&config.lan), pick(&config.uplink));
    Chosen { lan, uplink, passed_by: unfit.into_iter().map(|link| link.name.clone()).collect() }
}

fn said(found: usize) -> &'static str {
    if found == 0 { "is none" } else { "is one" }
}

fn besides(passed_by: &[String]) -> String {
    if passed_by.is_empty() {
        String::new()
    } else {
        format!(" (only when named, since they are no hardware Ethernet: {})", passed_by.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use terms::MacAddr;

    fn link(name: &str, kind: &str) -> LinkState {
        let mut link = LinkState::named(name, MacAddr::new([2, 0, 0, 0, 0, 1]));
        link.kind = kind.into();
        link.ethernet = name != "lo";
        link
    }

    fn machine() -> Vec<LinkState> {
        [
            ("lo", ""),
            ("ifb0", "ifb"),
            ("dummy0", "dummy"),
            ("veth1", "veth"),
            ("br0", "bridge"),
            ("eth0", ""),
            ("wlan0", ""),
            ("eth1", ""),
            ("eth2", ""),
        ]
        .map(|(name, kind)| link(name, kind))
        .to_vec()
    }

    fn chosen(lan: &str, uplink: &str, all: &[LinkState]) -> Result<(String, String), LinksError> {
        let config = LinksConfig { lan: lan.into(), uplink: uplink.into(), ..LinksConfig::default() };
        choose_among(&config, all, |name| name.starts_with("wlan")).both()
    }

    #[test]
    fn hardware_is_chosen_and_nothing_made_of_software_unless_it_is_named() {
        let pair = |lan: &str, uplink: &str| Ok((lan.to_owned(), uplink.to_owned()));
        assert_eq!(chosen("", "", &machine()), pair("eth0", "eth1"));
        assert_eq!(chosen("eth1", "", &machine()), pair("eth1", "eth0"));
        assert_eq!(chosen("", "eth0", &machine()), pair("eth1", "eth0"));
        assert_eq!(chosen("veth1", "dummy0", &machine()), pair("veth1", "dummy0"));
        assert_eq!(chosen("never-there", "", &machine()), pair("never-there", "eth0"));
    }

    #[test]
    fn too_few_links_are_told_with_those_that_could_be_named() {
        let error = chosen("", "", &machine()[..6]).expect_err("one is hardware").to_string();
        assert!(error.contains("there is one") && error.contains("veth1") && !error.contains("br0"), "{error}");
        let error = chosen("", "", &[]).expect_err("none").to_string();
        assert!(error.contains("there is none") && error.ends_with("[links]"), "{error}");
        assert_eq!(chosen("eth0", "eth0", &machine()), Err(LinksError::Same("eth0".into())));
    }
}
