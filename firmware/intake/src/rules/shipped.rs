//! The rules that the binary carries: every file under `firmware/intake/rules/`.

/// Name and text of each, in the order of names.
pub const SHIPPED: [(&str, &str); 13] = [
    ("account-changed", include_str!("../../rules/account-changed.toml")),
    ("bulk-delete", include_str!("../../rules/bulk-delete.toml")),
    ("bulk-read", include_str!("../../rules/bulk-read.toml")),
    ("guessed-password", include_str!("../../rules/guessed-password.toml")),
    ("log-cleared", include_str!("../../rules/log-cleared.toml")),
    ("powerful-group", include_str!("../../rules/powerful-group.toml")),
    ("refused-rights", include_str!("../../rules/refused-rights.toml")),
    ("sensitive-folder", include_str!("../../rules/sensitive-folder.toml")),
    ("several-places", include_str!("../../rules/several-places.toml")),
    ("shared-account", include_str!("../../rules/shared-account.toml")),
    ("stick-after-bulk-read", include_str!("../../rules/stick-after-bulk-read.toml")),
    ("tried-accounts", include_str!("../../rules/tried-accounts.toml")),
    ("watch-stopped", include_str!("../../rules/watch-stopped.toml")),
];
