//! What a test program does before it begins where it is the first process of a machine that holds nothing else.

use std::ffi::CString;
use std::fs::{self, File};
use std::os::fd::AsRawFd;
use std::sync::Once;

/// The kernel's modules there, to be loaded in the order of their names.
const MODULES: &str = "/modules";
static BEGUN: Once = Once::new();

/// Loads the modules and mounts `/proc`, once; elsewhere does nothing.
pub fn begin() {
    if std::process::id() != 1 {
        return;
    }
    BEGUN.call_once(|| {
        fs::create_dir_all("/proc").unwrap();
        // SAFETY: the texts end with a zero octet and live during the call, and no data is read of this file system.
        let done = unsafe { libc::mount(c"proc".as_ptr(), c"/proc".as_ptr(), c"proc".as_ptr(), 0, std::ptr::null()) };
        assert_eq!(done, 0, "/proc: {}", std::io::Error::last_os_error());
        let mut modules: Vec<_> = fs::read_dir(MODULES).unwrap().map(|entry| entry.unwrap().path()).collect();
        modules.sort();
        for module in modules {
            let (file, none) = (File::open(&module).unwrap(), CString::default());
            // SAFETY: the descriptor is open and the text ends with a zero octet; both live during the call.
            let done = unsafe { libc::syscall(libc::SYS_finit_module, file.as_raw_fd(), none.as_ptr(), 0) };
            assert_eq!(done, 0, "{}: {}", module.display(), std::io::Error::last_os_error());
        }
    });
}
