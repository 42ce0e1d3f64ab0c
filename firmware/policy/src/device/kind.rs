//! What a device is, guessed from what it says, with reasons.
//!
//! Each sign speaks for one kind with a weight; the kind with the most wins, if it has enough. A guess picks what is offered when the
//! device is approved. It is no right: whoever says `_ipp._tcp` is called a printer and may do nothing by that.

use core::fmt;

use serde::{Deserialize, Serialize};

use super::DeviceRecord;

/// A guess needs so much weight.
const ENOUGH: u32 = 2;
/// Bits of LLDP (IEEE 802.1AB-2016 section 8.5.8).
const ACCESS_POINT: u16 = 1 << 3;
const ROUTER: u16 = 1 << 4;
const TELEPHONE: u16 = 1 << 5;

macro_rules! kinds {
    ($($(#[$doc:meta])* $variant:ident = $word:literal,)*) => {
        /// What a device is.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "lowercase")]
        pub enum Kind {
            $($(#[$doc])* $variant,)*
        }

        impl Kind {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The word that people read.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }
        }
    };
}

kinds! {
    /// A camera or a video door bell.
    Camera = "camera",
    /// A phone or a tablet.
    Phone = "phone",
    /// A printer or a scanner.
    Printer = "printer",
    /// A laptop, a desktop, a server.
    Computer = "computer",
    /// A television or what is plugged into one.
    Tv = "tv",
    /// A loudspeaker, a radio, a voice assistant.
    Speaker = "speaker",
    /// Storage for others.
    Nas = "nas",
    /// A router, a switch or an access point.
    Router = "router",
    /// A console for games.
    Console = "console",
    /// A telephone that speaks IP.
    Voip = "voip",
    /// A thing: a lamp, a plug, a sensor, a hub of such.
    Iot = "iot",
}

/// A kind and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guess {
    /// The likeliest kind; none where too little speaks for any.
    pub kind: Option<Kind>,
    /// What speaks for it, the strongest first; where there is no kind, what was there.
    pub reasons: Vec<String>,
}

/// Words in lower case that speak for a kind, with their weight.
type Words = &'static [(&'static str, Kind, u32)];

/// Services of multicast DNS: exact.
const SERVICES: Words = &[
    ("_ipp._tcp", Kind::Printer, 4),
    ("_ipps._tcp", Kind::Printer, 4),
    ("_printer._tcp", Kind::Printer, 4),
    ("_pdl-datastream._tcp", Kind::Printer, 4),
    ("_uscan._tcp", Kind::Printer, 3),
    ("_scanner._tcp", Kind::Printer, 3),
    ("_googlecast._tcp", Kind::Tv, 2),
    ("_androidtvremote2._tcp", Kind::Tv, 4),
    ("_airplay._tcp", Kind::Tv, 2),
    ("_amzn-wplay._tcp", Kind::Tv, 3),
    ("_viziocast._tcp", Kind::Tv, 4),
    ("_raop._tcp", Kind::Speaker, 1),
    ("_spotify-connect._tcp", Kind::Speaker, 2),
    ("_sonos._tcp", Kind::Speaker, 4),
    ("_hap._tcp", Kind::Iot, 3),
    ("_matter._tcp", Kind::Iot, 3),
    ("_matterc._udp", Kind::Iot, 3),
    ("_hue._tcp", Kind::Iot, 4),
    ("_esphomelib._tcp", Kind::Iot, 4),
    ("_shelly._tcp", Kind::Iot, 4),
    ("_miio._udp", Kind::Iot, 4),
    ("_axis-video._tcp", Kind::Camera, 4),
    ("_rtsp._tcp", Kind::Camera, 3),
    ("_onvif._tcp", Kind::Camera, 4),
    ("_apple-mobdev2._tcp", Kind::Phone, 3),
    ("_smb._tcp", Kind::Computer, 1),
    ("_workstation._tcp", Kind::Computer, 2),
    ("_rfb._tcp", Kind::Computer, 2),
    ("_ssh._tcp", Kind::Computer, 1),
    ("_companion-link._tcp", Kind::Computer, 1),
    ("_adisk._tcp", Kind::Nas, 3),
    ("_nfs._tcp", Kind::Nas, 2),
    ("_nvstream._tcp", Kind::Computer, 2),
    ("_sip._udp", Kind::Voip, 3),
    ("_airport._tcp", Kind::Router, 4),
    ("_googlezone._tcp", Kind::Speaker, 2),
    ("_xbmc-web._tcp", Kind::Tv, 3),
    ("_dhnap._tcp", Kind::Iot, 2),
];

/// Beginnings of DHCP's vendor class.
const CLASSES: Words = &[
    ("msft ", Kind::Computer, 3),
    ("android-dhcp-", Kind::Phone, 3),
    ("dhcpcd-", Kind::Computer, 1),
    ("udhcp ", Kind::Iot, 1),
    ("udhcpc", Kind::Iot, 1),
    ("hewlett-packard jetdirect", Kind::Printer, 4),
    ("mfg=hewlett packard", Kind::Printer, 3),
    ("canon", Kind::Printer, 2),
    ("ubnt", Kind::Router, 3),
    ("cisco ap", Kind::Router, 3),
    ("cisco systems, inc. ip phone", Kind::Voip, 4),
    ("polycom", Kind::Voip, 3),
    ("yealink", Kind::Voip, 3),
    ("ipcamera", Kind::Camera, 4),
    ("withings", Kind::Iot, 3),
];

/// What UPnP calls a device: exact.
const UPNP: Words = &[
    ("internetgatewaydevice", Kind::Router, 4),
    ("wandevice", Kind::Router, 3),
    ("wlanaccesspointdevice", Kind::Router, 4),
    ("printer", Kind::Printer, 4),
    ("printerbasic", Kind::Printer, 4),
    ("mediarenderer", Kind::Tv, 1),
    ("mediaserver", Kind::Nas, 1),
    ("zoneplayer", Kind::Speaker, 4),
    ("tvdevice", Kind::Tv, 4),
    ("digitalsecuritycamera", Kind::Camera, 4),
    ("binarylight", Kind::Iot, 4),
    ("dimmablelight", Kind::Iot, 4),
    ("controllee", Kind::Iot, 4),
    ("insight", Kind::Iot, 4),
    ("wanconnectiondevice", Kind::Router, 2),
];

/// Words within names, models, software and vendors.
const NAMES: Words = &[
    ("camera", Kind::Camera, 3),
    ("ipcam", Kind::Camera, 3),
    ("iotcam", Kind::Camera, 3),
    ("localcam", Kind::Camera, 3),
    ("webcam", Kind::Camera, 3),
    ("dcs-", Kind::Camera, 3),
    ("doorbell", Kind::Camera, 3),
    ("hikvision", Kind::Camera, 3),
    ("dahua", Kind::Camera, 3),
    ("reolink", Kind::Camera, 3),
    ("axis communications", Kind::Camera, 2),
    ("iphone", Kind::Phone, 4),
    ("ipad", Kind::Phone, 4),
    ("galaxy", Kind::Phone, 2),
    ("pixel-", Kind::Phone, 3),
    ("android-", Kind::Phone, 2),
    ("oneplus", Kind::Phone, 2),
    ("laserjet", Kind::Printer, 4),
    ("officejet", Kind::Printer, 4),
    ("deskjet", Kind::Printer, 4),
    ("brother", Kind::Printer, 2),
    ("epson", Kind::Printer, 2),
    ("lexmark", Kind::Printer, 2),
    ("kyocera", Kind::Printer, 2),
    ("printer", Kind::Printer, 3),
    ("macbook", Kind::Computer, 4),
    ("imac", Kind::Computer, 3),
    ("laptop", Kind::Computer, 3),
    ("desktop-", Kind::Computer, 3),
    ("thinkpad", Kind::Computer, 3),
    ("workstation", Kind::Computer, 2),
    ("appletv", Kind::Tv, 4),
    ("apple-tv", Kind::Tv, 4),
    ("chromecast", Kind::Tv, 4),
    ("bravia", Kind::Tv, 4),
    ("roku", Kind::Tv, 4),
    ("firetv", Kind::Tv, 4),
    ("smarttv", Kind::Tv, 3),
    ("samsung-tv", Kind::Tv, 3),
    ("webos", Kind::Tv, 2),
    ("sonos", Kind::Speaker, 4),
    ("homepod", Kind::Speaker, 4),
    ("soundbar", Kind::Speaker, 3),
    ("speaker", Kind::Speaker, 3),
    ("google-home", Kind::Speaker, 3),
    ("synology", Kind::Nas, 3),
    ("diskstation", Kind::Nas, 4),
    ("qnap", Kind::Nas, 3),
    ("truenas", Kind::Nas, 4),
    ("mikrotik", Kind::Router, 2),
    ("ubiquiti", Kind::Router, 2),
    ("openwrt", Kind::Router, 3),
    ("fritz.box", Kind::Router, 4),
    ("playstation", Kind::Console, 4),
    ("xbox", Kind::Console, 4),
    ("nintendo", Kind::Console, 4),
    ("yealink", Kind::Voip, 3),
    ("snom", Kind::Voip, 3),
    ("grandstream", Kind::Voip, 2),
    ("espressif", Kind::Iot, 3),
    ("tuya", Kind::Iot, 3),
    ("shelly", Kind::Iot, 4),
    ("tasmota", Kind::Iot, 4),
    ("philips lighting", Kind::Iot, 4),
    ("signify", Kind::Iot, 3),
    ("nest labs", Kind::Iot, 2),
    ("thermostat", Kind::Iot, 3),
    ("lamp", Kind::Iot, 2),
    ("lightify", Kind::Iot, 4),
    ("hs100(", Kind::Iot, 4),
    ("hs110(", Kind::Iot, 4),
    ("hf-lpb", Kind::Iot, 3),
    ("gainspan", Kind::Iot, 2),
    ("mysimplelink", Kind::Iot, 2),
    ("eq-3", Kind::Iot, 2),
    ("tl-sg", Kind::Router, 3),
    ("plug", Kind::Iot, 2),
];

/// What a device probably is.
#[must_use]
pub fn guess(device: &DeviceRecord) -> Guess {
    let hints = &device.hints;
    let mut signs: Vec<(Kind, u32, String)> = Vec::new();
    let mut exact = |source: &str, texts: &[String], words: Words| {
        for text in texts {
            let found = words.iter().find(|(word, ..)| text.eq_ignore_ascii_case(word));
            signs.extend(found.map(|(_, kind, weight)| (*kind, *weight, format!("{source} {text}"))));
        }
    };
    exact("offers", &hints.services, SERVICES);
    exact("UPnP calls it", &hints.upnp_types, UPNP);
    let class = hints.vendor_class.to_ascii_lowercase();
    let found = CLASSES.iter().find(|(word, ..)| class.starts_with(word));
    signs.extend(found.map(|(_, kind, weight)| (*kind, *weight, format!("DHCP says {:?}", hints.vendor_class))));
    let mut within = |source: &str, text: &str| {
        let lower = text.to_ascii_lowercase();
        let found = NAMES.iter().filter(|(word, ..)| lower.contains(word)).max_by_key(|(_, _, weight)| *weight);
        signs.extend(found.map(|(_, kind, weight)| (*kind, *weight, format!("{source} {text:?}"))));
    };
    device.names.iter().for_each(|name| within(&format!("{} calls it", name.source.as_str()), &name.text));
    hints.models.iter().for_each(|text| within("its model is", text));
    hints.software.iter().for_each(|text| within("it runs", text));
    device.vendor().iter().for_each(|vendor| within("made by", vendor));
    for (bit, kind, word) in [
        (ROUTER, Kind::Router, "a router"),
        (ACCESS_POINT, Kind::Router, "an access point"),
        (TELEPHONE, Kind::Voip, "a telephone"),
    ] {
        if hints.capabilities & bit != 0 {
            signs.push((kind, 4, format!("LLDP says that it works as {word}")));
        }
    }
    judge(signs)
}

/// The kind with the most weight, if that is enough.
fn judge(mut signs: Vec<(Kind, u32, String)>) -> Guess {
    signs.sort_by_key(|(_, weight, _)| core::cmp::Reverse(*weight));
    let weight = |kind: Kind| signs.iter().filter(|(k, ..)| *k == kind).map(|(_, weight, _)| weight).sum::<u32>();
    // Of two that weigh the same the first in the list of kinds is taken, so that a guess does not waver.
    let best = Kind::ALL.iter().copied().rev().max_by_key(|kind| weight(*kind)).filter(|kind| weight(*kind) >= ENOUGH);
    let speaks = |(kind, _, reason): (Kind, u32, String)| best.is_none_or(|best| best == kind).then_some(reason);
    Guess { kind: best, reasons: signs.into_iter().filter_map(speaks).collect() }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
