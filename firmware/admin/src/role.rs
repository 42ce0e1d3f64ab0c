//! Who may do what: the four roles, and what a token of a program is good for.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What an account may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Own profile, own devices and their activity, asks for access.
    User,
    /// Reads everything but secrets.
    Auditor,
    /// Policy, devices, threats, alerts, settings.
    Admin,
    /// All that, and users, updates, keys.
    Superadmin,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::User, Self::Auditor, Self::Admin, Self::Superadmin];

    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Auditor => "auditor",
            Self::Admin => "admin",
            Self::Superadmin => "superadmin",
        }
    }
}

/// What a token of a program may be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Everything that only reads.
    Read,
    /// Blocks: made and ended.
    Blocks,
    /// Alerts and what is said of findings.
    Alerts,
    /// Devices and groups.
    Devices,
    /// Rules, proposals, posture.
    Policy,
    /// Settings of the box.
    Settings,
    /// Accounts, sessions, tokens: never given to a token.
    People,
}

impl Scope {
    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Blocks => "blocks",
            Self::Alerts => "alerts",
            Self::Devices => "devices",
            Self::Policy => "policy",
            Self::Settings => "settings",
            Self::People => "people",
        }
    }
}

/// Everybody who has an account.
pub const ANYBODY: &[Role] = &Role::ALL;
/// Who may ask for access.
pub const ASKERS: &[Role] = &[Role::User, Role::Admin, Role::Superadmin];
/// Who may look at the whole network.
pub const READERS: &[Role] = &[Role::Auditor, Role::Admin, Role::Superadmin];
/// Who may change the network's policy.
pub const ADMINS: &[Role] = &[Role::Admin, Role::Superadmin];
/// Who may look at accounts and keys.
pub const OVERSEERS: &[Role] = &[Role::Auditor, Role::Superadmin];
/// Who may change accounts and keys.
pub const OWNERS: &[Role] = &[Role::Superadmin];
