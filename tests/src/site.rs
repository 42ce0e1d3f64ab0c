//! The lab as a whole: its folder, its network and its servers, removed in the right order.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::namespace::sweep;
use crate::network::Network;
use crate::servers::Servers;

/// A built lab. Dropping it ends the servers, removes the namespaces and then the folder.
pub struct Site {
    _servers: Servers,
    network: Network,
    folder: Folder,
}

/// The lab's folder, removed at the end unless it is to be kept.
struct Folder {
    path: PathBuf,
    keep: bool,
}

impl Site {
    /// Builds everything and waits until the servers answer.
    ///
    /// # Errors
    /// When this is not root, or a program is missing.
    pub fn build(keep: bool) -> Result<Self> {
        Self::build_beside("", keep)
    }

    /// Builds a lab beside others of the same program, told from them by its name.
    ///
    /// # Errors
    /// As for a lab alone.
    pub fn build_beside(name: &str, keep: bool) -> Result<Self> {
        sweep();
        let path = std::env::temp_dir().join(format!("picketlab-{}{name}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path)?;
        let folder = Folder { path, keep };
        // Scenes call this program; a build beside them may replace the file it was started from.
        fs::copy("/proc/self/exe", folder.path.join("lab"))?;
        let network = Network::build(name)?;
        let servers = Servers::start(&network, &folder.path)?;
        Ok(Self { _servers: servers, network, folder })
    }

    /// The network.
    #[must_use]
    pub const fn network(&self) -> &Network {
        &self.network
    }

    /// The folder of logs and state.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder.path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if self.keep {
            eprintln!("lab: logs are in {}", self.path.display());
        } else {
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}
