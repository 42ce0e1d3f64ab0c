//! An archive for the kernel's initramfs.
//!
//! **Shape**: the "new ASCII" cpio format. **Source**: the kernel's Documentation/driver-api/early-userspace/buffer-format.rst.

/// An archive that is being written; entries keep their order.
#[derive(Debug, Default)]
pub struct Archive {
    octets: Vec<u8>,
    entries: u32,
}

const FOLDER: u32 = 0o040_755;
const PROGRAM: u32 = 0o100_755;
const CONSOLE: u32 = 0o020_600;

impl Archive {
    /// Adds an empty folder.
    pub fn folder(&mut self, name: &str) {
        self.entry(name, FOLDER, [0, 0], &[]);
    }

    /// Adds a file that may be run.
    pub fn file(&mut self, name: &str, content: &[u8]) {
        self.entry(name, PROGRAM, [0, 0], content);
    }

    /// Adds the console, which the kernel opens for the first process before that could make it.
    pub fn console(&mut self) {
        self.entry("dev/console", CONSOLE, [5, 1], &[]);
    }

    /// The whole archive.
    pub fn finish(mut self) -> Vec<u8> {
        self.entry("TRAILER!!!", 0, [0, 0], &[]);
        self.octets
    }

    fn entry(&mut self, name: &str, mode: u32, device: [u32; 2], content: &[u8]) {
        self.entries += 1;
        let len = u32::try_from(content.len()).expect("no file of an initramfs comes near 4 GiB");
        let name_len = u32::try_from(name.len() + 1).expect("names are short");
        // Number, mode, owner, group, links, time, length, the device it lies on, the device it is, the name's length, no sum.
        let fields = [self.entries, mode, 0, 0, 1, 0, len, 0, 0, device[0], device[1], name_len, 0];
        self.octets.extend_from_slice(b"070701");
        for field in fields {
            self.octets.extend_from_slice(format!("{field:08x}").as_bytes());
        }
        self.octets.extend_from_slice(name.as_bytes());
        self.octets.push(0);
        self.pad();
        self.octets.extend_from_slice(content);
        self.pad();
    }

    fn pad(&mut self) {
        self.octets.resize(self.octets.len().next_multiple_of(4), 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archive_is_laid_out_as_the_kernel_reads_it() {
        let mut archive = Archive::default();
        archive.folder("dev");
        archive.console();
        archive.file("init", b"abcde");
        let octets = archive.finish();
        assert_eq!(octets.len() % 4, 0);
        let text = String::from_utf8_lossy(&octets);
        let heads: Vec<usize> = text.match_indices("070701").map(|(at, _)| at).collect();
        assert_eq!(heads.len(), 4);
        assert!(heads.iter().all(|at| at % 4 == 0));
        let init = &text[heads[2]..];
        assert_eq!(&init[6..22], "00000003000081ed");
        assert_eq!(&init[54..62], "00000005");
        assert_eq!(&init[110..115], "init\0");
        assert_eq!(&init[116..121], "abcde");
    }
}
