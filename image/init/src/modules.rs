//! Kernel modules, loaded in the order in which they stand in a list.
//!
//! **Shape** of the list: a line each, the module's file below the list's folder, then parameters. The order, what each needs before
//! itself included, was found when the image was built.

use std::ffi::CString;
use std::fs::{self, File};
use std::path::Path;

use rustix::io::Errno;
use rustix::system::finit_module;

use crate::console::say;

/// Loads every module of a list in a folder. One that does not load is told, and the rest is loaded.
pub fn load(folder: &str, list: &str) {
    let folder = Path::new(folder);
    let list = folder.join(list);
    match fs::read_to_string(&list) {
        Ok(lines) => lines.lines().for_each(|line| one(folder, line)),
        Err(error) => say(format_args!("no modules: {}: {error}", list.display())),
    }
}

fn one(folder: &Path, line: &str) {
    let (name, parameters) = line.split_once(' ').unwrap_or((line, ""));
    let loaded = File::open(folder.join(name)).map_err(|error| error.to_string()).and_then(|file| {
        let parameters = CString::new(parameters).map_err(|error| error.to_string())?;
        match finit_module(&file, &parameters, 0) {
            // Built in, or loaded for another one before.
            Ok(()) | Err(Errno::EXIST) => Ok(()),
            Err(error) => Err(error.to_string()),
        }
    });
    if let Err(error) = loaded {
        say(format_args!("module {name} does not load: {error}"));
    }
}
