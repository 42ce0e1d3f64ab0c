//! The certificates that the API serves: the box's own leaf, and one that people install for names of their own.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is asked of them at the command line.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case", deny_unknown_fields)]
pub enum CertificateAsk {
    /// What is served.
    Show,
    /// Installs one.
    Install {
        /// The chain as PEM, the box's own first.
        certificate: String,
        /// Its key as PEM.
        key: String,
    },
    /// Takes the installed one away.
    Remove,
}

/// The key is in no log.
impl std::fmt::Debug for CertificateAsk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Show => "Show",
            Self::Install { .. } => "Install",
            Self::Remove => "Remove",
        })
    }
}

/// What the API serves. Times are RFC 3339, UTC.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Certificate")]
pub struct CertificateView {
    /// SHA-256 of the box's own, hexadecimal: it is shown at every address and as `picket.local`.
    pub fingerprint: String,
    /// The names and addresses that it is for.
    pub names: Vec<String>,
    /// Until when it holds; it is made anew 60 days before.
    pub until: String,
    /// The one that people installed, which is shown to whoever asks by one of its names.
    pub installed: Option<InstalledView>,
}

/// An installed certificate. Its key is shown nowhere.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "InstalledCertificate")]
pub struct InstalledView {
    /// SHA-256, hexadecimal.
    pub fingerprint: String,
    /// The names that it is for.
    pub names: Vec<String>,
    /// Who signed it.
    pub issuer: String,
    /// From when it holds.
    pub from: String,
    /// Until when it holds; 21 days before the box begins to warn.
    pub until: String,
    /// When it was installed.
    pub installed: String,
    /// By whom.
    pub by: String,
}
