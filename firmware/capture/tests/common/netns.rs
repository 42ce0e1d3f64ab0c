//! A network namespace for one test: it belongs to the test's own thread and vanishes with it.

use std::process::Command;
use std::time::{Duration, Instant};

/// Runs a test in a network namespace of its own; says so where that takes rights that are missing.
pub fn in_own_namespace(test: impl FnOnce() + Send + 'static) {
    let thread = std::thread::spawn(|| {
        // SAFETY: unshare changes this thread alone, which was made for it.
        if unsafe { libc::unshare(libc::CLONE_NEWNET) } != 0 {
            eprintln!("SKIP: no right to make a network namespace: {}", std::io::Error::last_os_error());
            return;
        }
        stay_on_one_processor();
        // The kernel's own neighbour discovery would be seen among the test's frames.
        for conf in ["all", "default"] {
            std::fs::write(format!("/proc/sys/net/ipv6/conf/{conf}/disable_ipv6"), "1")
                .expect("a fresh namespace can be set up");
        }
        test();
    });
    if let Err(panic) = thread.join() {
        std::panic::resume_unwind(panic);
    }
}

/// Keeps the calling thread where it is: frames sent from two processors may overtake one another.
fn stay_on_one_processor() {
    // SAFETY: all zeros are an empty set, CPU_SET writes within it, and the kernel reads a live set of the told size.
    let status = unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        libc::CPU_SET(libc::sched_getcpu() as usize, &mut set);
        libc::sched_setaffinity(0, std::mem::size_of::<libc::cpu_set_t>(), &raw const set)
    };
    assert_eq!(status, 0, "the thread can be kept on its processor");
}

/// Runs `ip` with these arguments in the namespace of the calling thread.
pub fn ip(arguments: &str) -> String {
    run(&format!("ip {arguments}"))
}

/// Runs a program in the namespace of the calling thread and gives what it wrote.
pub fn run(line: &str) -> String {
    let mut words = line.split(' ');
    let program = words.next().expect("a program");
    let output = Command::new(program).args(words).output().unwrap_or_else(|error| panic!("{program}: {error}"));
    assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Waits until a link that was switched on takes frames: the kernel drops them until it has noticed the carrier.
pub fn until_up(link: &str) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !ip(&format!("link show {link}")).contains("state UP") {
        assert!(Instant::now() < deadline, "link {link} does not come up");
        std::thread::sleep(Duration::from_millis(5));
    }
}
