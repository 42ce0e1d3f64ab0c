//! What can be asked of figures over time.

use clap::{Args, ValueEnum};
use protocol::series::{Reach, Topic};

use super::ClientArgs;

/// The arguments of `statistics`.
#[derive(Debug, Args)]
pub struct StatisticsArgs {
    /// How to ask.
    #[command(flatten)]
    pub client: ClientArgs,
    /// How far back
    #[arg(long, value_enum, default_value_t = ReachWord::Day)]
    pub reach: ReachWord,
    /// Of what
    #[arg(long, value_enum, default_value_t = TopicWord::Devices)]
    pub topic: TopicWord,
}

/// How far back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ReachWord {
    /// 60 minutes, each a point
    Hour,
    /// 24 hours, five minutes a point
    Day,
    /// 7 days, an hour a point
    Week,
    /// 31 days, three hours a point
    Month,
    /// 366 days, two days a point
    Year,
}

/// Of what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum TopicWord {
    /// Octets each way by device
    Devices,
    /// Octets each way by service
    Services,
    /// Octets each way by protocol
    Protocols,
    /// Findings by level
    Levels,
    /// Findings by host
    Sources,
}

impl From<ReachWord> for Reach {
    fn from(word: ReachWord) -> Self {
        match word {
            ReachWord::Hour => Self::Hour,
            ReachWord::Day => Self::Day,
            ReachWord::Week => Self::Week,
            ReachWord::Month => Self::Month,
            ReachWord::Year => Self::Year,
        }
    }
}

impl From<TopicWord> for Topic {
    fn from(word: TopicWord) -> Self {
        match word {
            TopicWord::Devices => Self::Devices,
            TopicWord::Services => Self::Services,
            TopicWord::Protocols => Self::Protocols,
            TopicWord::Levels => Self::Levels,
            TopicWord::Sources => Self::Sources,
        }
    }
}
