//! What was counted over time: series that a page can draw as they are.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The most points of a series.
pub const POINTS_MAX: usize = 300;

/// How far back a series goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// 60 minutes, each a point.
    Hour,
    /// 24 hours, five minutes a point.
    Day,
    /// 7 days, an hour a point.
    Week,
    /// 31 days, three hours a point.
    Month,
    /// 366 days, two days a point.
    Year,
}

/// What a series is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Topic {
    /// Octets each way by device.
    Devices,
    /// Octets each way by service.
    Services,
    /// Octets each way by protocol.
    Protocols,
    /// Findings by level.
    Levels,
    /// Findings by the host against which they stand.
    Sources,
}

/// Several series over the same time, the largest first.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Series")]
pub struct SeriesView<At = f64> {
    /// When the first point begins.
    pub from: At,
    /// The time of a point, in seconds.
    pub step: u64,
    /// How many points each line has; at most 300.
    pub points: usize,
    /// `octets` or `findings`.
    pub unit: String,
    /// The ten largest, then `other` where there is more.
    pub lines: Vec<LineView>,
}

/// One line of a series.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Line")]
pub struct LineView {
    /// What it is about: a device's name, `tcp/443`, `HIGH`, an address; `other`.
    pub name: String,
    /// The device's number, where it is one that is known.
    pub device: Option<u32>,
    /// All of it together.
    pub total: u64,
    /// Octets from the device, or findings.
    pub sent: Vec<u64>,
    /// Octets towards the device; nothing for findings.
    pub received: Vec<u64>,
}

impl Reach {
    /// Every choice.
    pub const ALL: [Self; 5] = [Self::Hour, Self::Day, Self::Week, Self::Month, Self::Year];

    /// The word of the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Year => "year",
        }
    }
}

impl Topic {
    /// Every choice.
    pub const ALL: [Self; 5] = [Self::Devices, Self::Services, Self::Protocols, Self::Levels, Self::Sources];

    /// The word of the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Devices => "devices",
            Self::Services => "services",
            Self::Protocols => "protocols",
            Self::Levels => "levels",
            Self::Sources => "sources",
        }
    }
}
