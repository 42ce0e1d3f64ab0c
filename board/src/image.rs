//! What of a board the image needs: its files on the boot partition, its modules, and how large all may become.

use serde::Deserialize;

/// What the image of a board holds.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Image {
    /// The image that is for this board; boards may share one.
    pub name: String,
    /// Its device trees, as the kernel's package names them.
    pub device_trees: Vec<String>,
    /// The files of its boot firmware.
    pub firmware: Vec<String>,
    /// Its serial console, as the kernel's command line has it.
    pub console: String,
    /// The module of its watchdog, with parameters.
    pub watchdog: String,
    /// Modules by which the card is read.
    pub storage: Vec<String>,
    /// Modules of its links, and of adapters that are known to serve as the second one.
    pub links: Vec<String>,
    /// How large its image may become; the build fails where it does.
    pub budgets: ImageBudgets,
}

/// How large an image may become, in MiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImageBudgets {
    /// The image as it is handed out.
    pub compressed_mib: u32,
    /// What a slot holds; all of it is hashed at each boot.
    pub slot_mib: u32,
    /// What the boot partition holds.
    pub boot_mib: u32,
}

impl Image {
    /// What is out of range, if anything is.
    pub(crate) fn wrong(&self) -> Option<&'static str> {
        let ImageBudgets { compressed_mib, slot_mib, boot_mib } = self.budgets;
        if !(1..=64).contains(&compressed_mib) {
            return Some("image.budgets.compressed_mib must be 1 to 64");
        }
        if !(1..=63).contains(&slot_mib) {
            return Some("image.budgets.slot_mib must be 1 to 63: a slot has 64 with its label");
        }
        if !(1..=90).contains(&boot_mib) {
            return Some("image.budgets.boot_mib must be 1 to 90: the boot partition has 96");
        }
        let plain =
            |name: &str| !name.is_empty() && name.bytes().all(|o| o.is_ascii_alphanumeric() || b"-_.".contains(&o));
        let names = [&self.device_trees, &self.firmware, &self.storage, &self.links];
        if !plain(&self.name) || !names.into_iter().flatten().all(|name| plain(name)) {
            return Some("image: a name holds letters, digits, '-', '_' and '.'");
        }
        None
    }
}
