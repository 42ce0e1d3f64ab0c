//! Reports: the events of a period become figures once, and the figures become JSON, CSV, HTML or PDF.
//!
//! [`Figures::of`] is the only place that counts anything; the forms only write what it says, so that they agree to the digit. Pure: no clock, no IO.
//! Names come from the network: every form shows them as text, and obeys none.
//!
//! **Bounds**: the HTML and the PDF list at most `LISTED` findings and say how many more the CSV has; the CSV and the JSON have all.
#![forbid(unsafe_code)]

mod figures;
mod html;
mod pdf;
mod period;
mod table;

pub use figures::{Counts, Figures, Finding, HostLine, Slot};
pub use html::html;
pub use pdf::pdf;
pub use period::{Period, PeriodError};
pub use table::{cell, csv};

/// Findings that the HTML and the PDF list.
pub const LISTED: usize = 500;
/// Hosts that the HTML and the PDF list.
pub const HOSTS_LISTED: usize = 200;

/// The figures as JSON.
///
/// # Errors
/// Never for plain figures; the writer's own.
pub fn json(figures: &Figures) -> serde_json::Result<String> {
    serde_json::to_string_pretty(figures).map(|text| text + "\n")
}
