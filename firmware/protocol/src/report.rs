//! A report on its way: what the process that makes it is asked.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The longest report, in octets.
pub const REPORT_MAX: usize = 8 << 20;
/// The most events that a report counts; a period with more is refused rather than told in part.
pub const REPORT_EVENTS: usize = 200_000;

/// The report of which period, and in which form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReportAsk {
    /// When the period begins, as 2026-11-16T00:00:00Z.
    pub from: String,
    /// When it ends, in the same form; the end is not part of it.
    pub to: String,
    /// In which form.
    pub format: Form,
    /// Whose network it is about, in the heading; at most 64 characters.
    #[serde(default)]
    #[schemars(length(max = 64))]
    pub organisation: String,
}

/// The form of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Form {
    /// All figures and every finding, for programs.
    Json,
    /// A heading and one row a finding, for spreadsheets.
    Csv,
    /// One file for a browser or a mail.
    Html,
    /// A4, tagged.
    Pdf,
}

impl Form {
    /// The ending of its files.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Csv => "csv",
            Self::Html => "html",
            Self::Pdf => "pdf",
        }
    }

    /// The type of its octets.
    #[must_use]
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Csv => "text/csv; charset=utf-8",
            Self::Html => "text/html; charset=utf-8",
            Self::Pdf => "application/pdf",
        }
    }
}
