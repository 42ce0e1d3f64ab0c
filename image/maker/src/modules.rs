//! Kernel modules and what each needs before itself, read from the modules themselves.
//!
//! **Source**: modinfo(8); a module's section `.modinfo` holds `name=value` strings, each ended by a zero octet.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::tool::run;

/// All modules of one kernel.
#[derive(Debug)]
pub struct Modules {
    /// The kernel's release.
    pub release: String,
    files: BTreeMap<String, PathBuf>,
    built_in: BTreeSet<String>,
}

/// Modules in the order in which they are to be loaded.
#[derive(Debug, Default)]
pub struct Ordered {
    modules: Vec<(String, Vec<u8>)>,
    parameters: BTreeMap<String, String>,
    seen: BTreeSet<String>,
}

impl Modules {
    /// Finds the modules of the one kernel below a tree.
    ///
    /// # Errors
    /// There is none, or more than one.
    pub fn of(tree: &Path) -> Result<Self> {
        let all = tree.join("lib/modules");
        let mut releases: Vec<PathBuf> = list(&all)?;
        let Some(folder) = releases.pop().filter(|_| releases.is_empty()) else {
            bail!("{}: there must be one kernel", all.display());
        };
        let release = folder.file_name().and_then(|name| name.to_str()).context("a kernel's release")?.to_owned();
        let mut files = BTreeMap::new();
        collect(&folder.join("kernel"), &mut files)?;
        let built_in = fs::read_to_string(folder.join("modules.builtin"))?;
        let built_in = built_in.lines().map(|line| plain(Path::new(line))).collect();
        Ok(Self { release, files, built_in })
    }

    /// The modules of these names with all that they need, each after what it needs. A name may be followed by parameters.
    ///
    /// # Errors
    /// The kernel has no such module.
    pub fn order<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> Result<Ordered> {
        let mut ordered = Ordered::default();
        for name in names {
            let (name, parameters) = name.split_once(' ').unwrap_or((name, ""));
            self.add(name, &mut ordered)?;
            if !parameters.is_empty() {
                ordered.parameters.insert(name.replace('-', "_"), parameters.to_owned());
            }
        }
        Ok(ordered)
    }

    fn add(&self, name: &str, ordered: &mut Ordered) -> Result<()> {
        let name = name.replace('-', "_");
        if self.built_in.contains(&name) || !ordered.seen.insert(name.clone()) {
            return Ok(());
        }
        let file = self.files.get(&name).with_context(|| format!("kernel {} has no module {name}", self.release))?;
        let content = run("xz", &["-dc", &file.to_string_lossy()])?;
        for needed in needs(&content) {
            self.add(&needed, ordered)?;
        }
        for wanted in wants(&content) {
            // An algorithm is wanted by its own name, and its plain form will do.
            let found =
                [wanted.clone(), format!("{wanted}_generic")].into_iter().find(|name| self.files.contains_key(name));
            if let Some(found) = found {
                self.add(&found, ordered)?;
            }
        }
        ordered.modules.push((name, content));
        Ok(())
    }
}

impl Ordered {
    /// The same without what is loaded already when these are loaded.
    pub fn without(mut self, loaded: &Self) -> Self {
        self.modules.retain(|(name, _)| !loaded.seen.contains(name));
        self
    }

    /// File names and contents, in order.
    pub fn files(&self) -> impl Iterator<Item = (String, &[u8])> {
        self.modules.iter().map(|(name, content)| (format!("{name}.ko"), &content[..]))
    }

    /// The list that `init` goes by: a line each, with parameters.
    pub fn list(&self) -> String {
        let line = |name: &String| match self.parameters.get(name) {
            Some(parameters) => format!("{name}.ko {parameters}\n"),
            None => format!("{name}.ko\n"),
        };
        self.modules.iter().map(|(name, _)| line(name)).collect()
    }
}

/// What a module says that it needs: it does not load without.
fn needs(content: &[u8]) -> Vec<String> {
    let depends = said(content, "depends=").flat_map(|names| names.split(','));
    depends.filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

/// What a module wants to be loaded before itself, where there is such a module.
fn wants(content: &[u8]) -> Vec<String> {
    let before = said(content, "softdep=").filter_map(|words| words.split_once("pre:"));
    let names = before.flat_map(|(_, names)| names.split_whitespace().take_while(|name| !name.ends_with(':')));
    names.map(|name| name.replace('-', "_")).collect()
}

/// The values of a name in a module's own words.
fn said<'a>(content: &'a [u8], name: &'a str) -> impl Iterator<Item = &'a str> {
    let words = content.split(|octet| *octet == 0).filter_map(|text| std::str::from_utf8(text).ok());
    words.filter_map(move |text| text.strip_prefix(name))
}

fn collect(folder: &Path, files: &mut BTreeMap<String, PathBuf>) -> Result<()> {
    for path in list(folder)? {
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|end| end == "xz") {
            files.insert(plain(&path), path);
        }
    }
    Ok(())
}

fn list(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    Ok(entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?)
}

/// A module's name: that of its file up to the first dot, with `_` for `-`.
fn plain(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.split('.').next().unwrap_or_default().replace('-', "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_module_needs_is_read_from_it() {
        let module = b"\x7fELF\xff\0license=GPL\0depends=stp,llc\0name=bridge\0";
        assert_eq!(needs(module), ["stp", "llc"]);
        assert!(needs(b"depends=\0").is_empty());
        let module = b"softdep=pre: crc32c aes-neon post: x\0softdep=post: y\0";
        assert_eq!(wants(module), ["crc32c", "aes_neon"]);
        assert_eq!(plain(Path::new("a/nf-log.ko.xz")), "nf_log");
    }
}
