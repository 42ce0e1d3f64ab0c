//! The rules that the binary carries: every file under `firmware/intake/rules/`.

/// Name and text of each, in the order of names.
pub const SHIPPED: [(&str, &str); 21] = [
    ("account-changed", include_str!("../../rules/account-changed.toml")),
    ("agent-silent", include_str!("../../rules/agent-silent.toml")),
    ("bulk-delete", include_str!("../../rules/bulk-delete.toml")),
    ("bulk-read", include_str!("../../rules/bulk-read.toml")),
    ("closed-account", include_str!("../../rules/closed-account.toml")),
    ("dormant-account", include_str!("../../rules/dormant-account.toml")),
    ("first-use", include_str!("../../rules/first-use.toml")),
    ("guessed-password", include_str!("../../rules/guessed-password.toml")),
    ("lines-lost", include_str!("../../rules/lines-lost.toml")),
    ("log-cleared", include_str!("../../rules/log-cleared.toml")),
    ("new-key", include_str!("../../rules/new-key.toml")),
    ("powerful-group", include_str!("../../rules/powerful-group.toml")),
    ("refused-rights", include_str!("../../rules/refused-rights.toml")),
    ("sensitive-folder", include_str!("../../rules/sensitive-folder.toml")),
    ("several-places", include_str!("../../rules/several-places.toml")),
    ("shared-account", include_str!("../../rules/shared-account.toml")),
    ("stick-after-bulk-read", include_str!("../../rules/stick-after-bulk-read.toml")),
    ("tried-accounts", include_str!("../../rules/tried-accounts.toml")),
    ("unusual-hour", include_str!("../../rules/unusual-hour.toml")),
    ("unusual-volume", include_str!("../../rules/unusual-volume.toml")),
    ("watch-stopped", include_str!("../../rules/watch-stopped.toml")),
];
