//! Devices that come back under a fresh hardware address.

use terms::Span;

use super::{DeviceId, DeviceRecord, Devices};

/// How long a device must have been silent when the other came.
const ABSENT: Span = Span::from_secs(60);

/// Two records that may be one device. A person says so by merging them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suggestion {
    /// The record that is older.
    pub known: DeviceId,
    /// The record of the fresh hardware address.
    pub fresh: DeviceId,
    /// What they have in common.
    pub reasons: Vec<String>,
}

impl Devices {
    /// Every pair that may be one device: the fresh one has a hardware address drawn by chance, the known one fell silent before,
    /// and both ask for their lease in the same way and call themselves the same.
    #[must_use]
    pub fn suggestions(&self) -> Vec<Suggestion> {
        let fresh = self.records().filter(|device| device.is_randomised());
        let pairs = fresh.flat_map(|fresh| self.records().map(move |known| (known, fresh)));
        let apart = |(known, fresh): &(&DeviceRecord, &DeviceRecord)| {
            known.id != fresh.id
                && known.side == fresh.side
                && known.last_seen < fresh.first_seen
                && fresh.last_seen.since(known.last_seen) >= ABSENT
        };
        let both = pairs.filter(apart).filter_map(|(known, fresh)| {
            let reasons = alike(known, fresh);
            (reasons.len() >= 2).then_some(Suggestion { known: known.id, fresh: fresh.id, reasons })
        });
        both.collect()
    }
}

/// What two records have in common that few devices share.
fn alike(a: &DeviceRecord, b: &DeviceRecord) -> Vec<String> {
    let mut reasons = Vec::new();
    if !a.hints.parameters.is_empty()
        && (&a.hints.parameters, &a.hints.vendor_class) == (&b.hints.parameters, &b.hints.vendor_class)
    {
        reasons.push("both ask DHCP for the same options in the same order".to_owned());
    }
    let same = a.names.iter().find(|name| b.names.iter().any(|other| other.text.eq_ignore_ascii_case(&name.text)));
    reasons.extend(same.map(|name| format!("both call themselves {:?}", name.text)));
    let model = a.hints.models.iter().find(|model| b.hints.models.contains(model));
    reasons.extend(model.map(|model| format!("both are the model {model:?}")));
    reasons
}
