//! What the image is made of, and under which licences: a bill of materials (CycloneDX) and the packages' copyright files.
//!
//! **Source**: CycloneDX 1.5 (JSON), purl-spec for the names.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

/// The packages, as the build pins them.
const PACKAGES: &str = include_str!("../../packages.list");

/// Files for the image, by name.
pub fn documents(tree: &Path, work: &Path) -> Result<Vec<(String, Vec<u8>)>> {
    // Both images are made of the same crates: the list stands beside their folders.
    let crates = fs::read_to_string(work.join("../crates.txt")).context("the list of crates")?;
    let parts = json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": { "component": { "type": "firmware", "name": "picket", "version": env!("CARGO_PKG_VERSION") } },
        "components": components(&crates)?,
    });
    let mut files = vec![("parts.cdx.json".to_owned(), serde_json::to_vec_pretty(&parts)?)];
    for (package, _) in packages() {
        let from = tree.join("usr/share/doc").join(package).join("copyright");
        // A package may share the file of another one of the same source, as a link that was not unpacked.
        if let Ok(text) = fs::read(from) {
            files.push((format!("copyright/{package}"), text));
        }
    }
    Ok(files)
}

fn components(crates: &str) -> Result<Vec<Value>> {
    let mut all = Vec::new();
    for line in crates.lines() {
        let (name, rest) = line.split_once(" v").with_context(|| format!("a crate: {line:?}"))?;
        let (version, licence) = rest.split_once('|').with_context(|| format!("a crate's licence: {line:?}"))?;
        let version = version.split(' ').next().unwrap_or_default();
        ensure!(!licence.is_empty(), "{name} {version} names no licence");
        // Older crates write "/" for "OR".
        let licence = licence.replace('/', " OR ");
        all.push(json!({
            "type": "library", "name": name, "version": version, "purl": format!("pkg:cargo/{name}@{version}"),
            "licenses": [{ "expression": licence }],
        }));
    }
    all.extend(packages().map(|(name, version)| {
        let purl = format!("pkg:deb/debian/{name}@{}?arch=arm64", version.replace('+', "%2B").replace('~', "%7E"));
        json!({ "type": "library", "name": name, "version": version, "purl": purl })
    }));
    Ok(all)
}

fn packages() -> impl Iterator<Item = (&'static str, &'static str)> {
    let fields = |line: &'static str| {
        let mut fields = line.split_whitespace().skip(2);
        Some((fields.next()?, fields.next()?))
    };
    PACKAGES.lines().filter(|line| !line.starts_with('#')).filter_map(fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crates_and_packages_are_listed_with_version_and_licence() {
        let all = components("ring v0.17.14|Apache-2.0 AND ISC\nterms v0.1.0 (/home/x/terms)|Apache-2.0\nold v1.0.0 (*)|MIT/Apache-2.0\n")
            .expect("they are right");
        assert_eq!(all[0]["purl"], "pkg:cargo/ring@0.17.14");
        assert_eq!(
            (&all[1]["version"], &all[2]["licenses"][0]["expression"]),
            (&json!("0.1.0"), &json!("MIT OR Apache-2.0"))
        );
        assert_eq!(all.len(), 3 + packages().count());
        assert!(!serde_json::to_string(&all).expect("text").contains("/home"), "no folder of the building machine");
        assert!(components("nameless v1.0.0|\n").is_err());
    }
}
