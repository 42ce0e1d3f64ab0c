//! Puts the admin page into the program: takes `webui/dist` if it is newer than what it is made of, otherwise has npm make it.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a build that cannot go on says why and ends")]

use std::collections::hash_map::DefaultHasher;
use std::fmt::Write as _;
use std::fs;
use std::hash::Hasher;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use flate2::Compression;
use flate2::write::GzEncoder;

/// What the page is made of.
const INPUTS: [&str; 6] = ["src", "build", "package.json", "package-lock.json", "tsconfig.json", "openapi.json"];

/// The list of passwords that are refused.
const PASSWORDS: &str = "src/most-used-passwords.txt";

fn main() {
    let webui = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../webui");
    println!("cargo::rerun-if-changed=build.rs");
    let mut newest = SystemTime::UNIX_EPOCH;
    for input in INPUTS {
        println!("cargo::rerun-if-changed={}", webui.join(input).display());
        newest = newest.max(changed(&webui.join(input)));
    }
    let dist = webui.join("dist");
    if changed(&dist.join("index.html")) < newest {
        make(&webui);
    }
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo says where"));
    embed(&dist, &out);
    pack(&out);
}

/// Packs the list of passwords: a third of its size goes into the program.
fn pack(out: &Path) {
    println!("cargo::rerun-if-changed={PASSWORDS}");
    let text = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(PASSWORDS)).expect("the list of passwords");
    let file = fs::File::create(out.join("passwords.gz")).expect("cargo's own folder");
    let mut packed = GzEncoder::new(file, Compression::best());
    packed.write_all(&text).and_then(|()| packed.finish().map(drop)).expect("room for the list");
}

/// When something below a path was changed last; never where there is nothing.
fn changed(path: &Path) -> SystemTime {
    let own = fs::metadata(path).and_then(|data| data.modified()).unwrap_or(SystemTime::UNIX_EPOCH);
    let below = fs::read_dir(path).into_iter().flatten().flatten().map(|entry| changed(&entry.path()));
    below.fold(own, SystemTime::max)
}

/// Has npm build the page, with the packages that the lock file names.
fn make(webui: &Path) {
    let installed = webui.join("node_modules/.package-lock.json");
    if changed(&installed) < changed(&webui.join("package-lock.json")) {
        npm(webui, &["ci", "--ignore-scripts", "--no-audit", "--no-fund"]);
    }
    npm(webui, &["run", "--silent", "build"]);
}

fn npm(webui: &Path, words: &[&str]) {
    let line = format!("npm {}", words.join(" "));
    let output = Command::new("npm").args(words).current_dir(webui).output();
    let Ok(output) = output else {
        fail(&format!(
            "the admin page is not built, and there is no npm to build it: run `tests/setup base`, which installs it ({line} in webui)"
        ));
    };
    if !output.status.success() {
        let said = [output.stdout, output.stderr].concat();
        fail(&format!("the admin page cannot be built: `{line}` in webui says\n{}", String::from_utf8_lossy(&said)));
    }
}

fn fail(why: &str) -> ! {
    why.lines().for_each(|line| println!("cargo::error={line}"));
    std::process::exit(1);
}

/// Copies the files to where the program is built, and writes the table of them.
fn embed(dist: &Path, out: &Path) {
    let mut names: Vec<String> = fs::read_dir(dist)
        .expect("webui/dist is there now")
        .map(|entry| entry.expect("a file").file_name().into_string().expect("a plain name"))
        .filter(|name| !name.ends_with(".gz") && !name.ends_with(".br"))
        .collect();
    names.sort();
    let mut table = String::from("static FILES: &[File] = &[\n");
    for name in names {
        for form in ["", ".gz", ".br"] {
            fs::copy(dist.join(format!("{name}{form}")), out.join(format!("{name}{form}")))
                .expect("the page's build writes three forms of each file");
        }
        let kind = match name.rsplit('.').next() {
            Some("html") => "text/html; charset=utf-8",
            Some("js") => "text/javascript; charset=utf-8",
            Some("css") => "text/css; charset=utf-8",
            Some("svg") => "image/svg+xml",
            _ => panic!("the page has a file of no known kind: {name}"),
        };
        let path = if name == "index.html" { "/".to_owned() } else { format!("/{name}") };
        let mut hash = DefaultHasher::new();
        hash.write(&fs::read(dist.join(&name)).expect("it was copied"));
        let tag = format!("\\\"{:016x}\\\"", hash.finish());
        let form = |form: &str| format!("include_bytes!(concat!(env!(\"OUT_DIR\"), \"/{name}{form}\"))");
        writeln!(
            table,
            "    File {{ path: \"{path}\", kind: \"{kind}\", tag: \"{tag}\", plain: {}, gzip: {}, brotli: {} }},",
            form(""),
            form(".gz"),
            form(".br")
        )
        .expect("writing to a string");
    }
    fs::write(out.join("files.rs"), table + "];\n").expect("cargo's own folder");
}
