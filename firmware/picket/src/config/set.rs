//! What was set while the gateway ran: a file beside the store, read over the configuration's own file, whose keys it outlives.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::keys::{Config, KEYS, Key};
use super::{Fault, reader};

/// The tables whose keys take effect without a restart.
const TABLES: [&str; 4] = ["detect", "respond", "fail", "never_block"];

/// Values that were set, as TOML, by table and name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Set {
    values: BTreeMap<(&'static str, &'static str), String>,
}

impl Set {
    /// The file for a configuration.
    #[must_use]
    pub fn path(config: &Config) -> PathBuf {
        config.store.path.join("settings.toml")
    }

    /// What was set earlier; nothing where there is no file.
    ///
    /// # Errors
    /// The file cannot be read, or is not what this wrote; the text says what is wrong.
    pub fn load(config: &Config) -> Result<Self, String> {
        let path = Self::path(config);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(format!("{}: {error}", path.display())),
        };
        let (read, origins) = reader::read(&text).map_err(|faults| super::told(&path, &faults))?;
        let set = KEYS.iter().filter(|key| origins.contains_key(&(key.table, key.name)) && may_be_set(key));
        Ok(Self { values: set.map(|key| ((key.table, key.name), (key.write)(&read))).collect() })
    }

    /// The same with one key set to a value, or as the file has it.
    ///
    /// # Errors
    /// There is no such key, or it takes effect only at a start.
    pub fn with(&self, id: &str, value: Option<String>) -> Result<Self, String> {
        let key = find(id).ok_or_else(|| format!("there is no setting {id}"))?;
        if !may_be_set(key) {
            return Err(format!("{id} takes effect at a start only; it is set in the configuration's file"));
        }
        let mut values = self.values.clone();
        match value {
            // One value and nothing behind it, such as another key.
            Some(value) => match value.parse::<toml::Value>() {
                Ok(value) => values.insert((key.table, key.name), value.to_string()),
                Err(_) => return Err(format!("{id} expects {}", (key.expected)())),
            },
            None => values.remove(&(key.table, key.name)),
        };
        Ok(Self { values })
    }

    /// A configuration with what was set.
    ///
    /// # Errors
    /// A value is not what its key expects, or does not go with others.
    pub fn over(&self, config: Config) -> Result<Config, Vec<Fault>> {
        reader::read_over(config, &self.text()).map(|(config, _)| config)
    }

    /// Whether this key was set.
    #[must_use]
    pub fn has(&self, key: &Key) -> bool {
        self.values.contains_key(&(key.table, key.name))
    }

    /// As it is kept.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text =
            String::from("# Set while the gateway ran; each key here outlives the one in the configuration's file.\n");
        let mut table = "";
        for ((of, name), value) in &self.values {
            if *of != table {
                text.push_str(&format!("[{of}]\n"));
                table = of;
            }
            text.push_str(&format!("{name} = {value}\n"));
        }
        text
    }
}

/// The key that people call `table.name`, or `name` at the top.
#[must_use]
pub fn find(id: &str) -> Option<&'static Key> {
    let (table, name) = id.split_once('.').unwrap_or(("", id));
    super::keys::find(table, name)
}

/// What people call a key.
#[must_use]
pub fn id(key: &Key) -> String {
    if key.table.is_empty() { key.name.into() } else { format!("{}.{}", key.table, key.name) }
}

/// Whether a key takes effect without a restart.
#[must_use]
pub fn may_be_set(key: &Key) -> bool {
    TABLES.contains(&key.table)
}

/// The configuration with what was set earlier. What cannot be used is said aloud, and the file alone counts.
#[must_use]
pub fn with_set(config: Config) -> (Config, Set) {
    let set = Set::load(&config);
    let over = set.and_then(|set| match set.over(config.clone()) {
        Ok(config) => Ok((config, set)),
        Err(faults) => Err(super::told(Path::new("settings.toml"), &faults)),
    });
    over.unwrap_or_else(|why| {
        tracing::error!("{why}; what was set at run time does not count");
        (config, Set::default())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_set_outlives_the_file_until_it_is_taken_back() {
        let folder = tempfile::tempdir().expect("a folder");
        let (mut config, _) =
            reader::read("[respond]\nblock_for = \"5m\"\n[detect]\nicmp_per_second = 50\n").expect("a configuration");
        config.store.path = folder.path().into();
        let set = Set::default().with("respond.block_for", Some("\"20m\"".into())).expect("a key");
        fs::write(Set::path(&config), set.text()).expect("room");
        let (with, again) = with_set(config.clone());
        assert_eq!((with.respond.block_for.secs(), with.detect.icmp_per_second, &again), (1_200, 50, &set));
        assert!(again.has(find("respond.block_for").expect("a key")));
        let back = again.with("respond.block_for", None).expect("a key").over(config).expect("good");
        assert_eq!(back.respond.block_for.secs(), 300);
    }

    #[test]
    fn what_needs_a_restart_is_no_key_or_is_no_value_is_refused_by_name() {
        let set = Set::default();
        assert!(set.with("api.listen", Some("\"\"".into())).unwrap_err().contains("at a start only"));
        assert!(set.with("detect.nonsense", None).unwrap_err().contains("no setting"));
        for wrong in ["\"many\"", "0", "99999999", "1\n[links]\nlan = \"eth9\"", "]"] {
            let set = set.with("detect.icmp_per_second", Some(wrong.into()));
            let over = set.map(|set| set.over(Config::default()).map(|config| config.links.lan));
            assert!(!matches!(over, Ok(Ok(_))), "{wrong}: {over:?}");
        }
    }
}
