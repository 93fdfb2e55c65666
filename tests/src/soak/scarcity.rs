//! A device that takes no more: full, or read-only.

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// Size of the small file system, in KiB: some hundred requests, with RocksDB's own files.
const SMALL_DEVICE_KIB: u32 = 3_072;
/// Largest file under a limit, in blocks of 512 bytes.
const SMALL_FILE_BLOCKS: u32 = 1_024;

/// What is scarce.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scarcity {
    /// A file system without room (needs the right to mount).
    FullDevice,
    /// A file system that became read-only (needs the right to mount).
    ReadOnlyDevice,
    /// A limit on the size of files.
    FileLimit,
}

impl Scarcity {
    /// Those that can be made here.
    pub(super) fn available(folder: &Path) -> Vec<Self> {
        let probe = folder.join("probe");
        let mounts = std::fs::create_dir_all(&probe).is_ok()
            && SmallDevice::mount(&probe).is_some_and(|device| {
                drop(device);
                true
            });
        if mounts {
            vec![Self::FullDevice, Self::ReadOnlyDevice, Self::FileLimit]
        } else {
            vec![Self::FileLimit]
        }
    }
}

/// A small file system in memory, until it is dropped.
#[derive(Debug)]
pub(super) struct SmallDevice {
    path: PathBuf,
}

impl SmallDevice {
    /// Mounts one; `None` without the right to.
    pub(super) fn mount(path: &Path) -> Option<Self> {
        let size = format!("size={SMALL_DEVICE_KIB}k");
        let device = Self {
            path: path.to_owned(),
        };
        run("mount", &["-t", "tmpfs", "-o", &size, "tmpfs"], path).then_some(device)
    }

    /// Changes its options.
    pub(super) fn remount(&self, options: &str) -> bool {
        let options = format!("remount,{options}");
        run("mount", &["-o", &options], &self.path)
    }

    /// Gives it more room.
    pub(super) fn grow(&self) -> bool {
        self.remount("size=64m")
    }
}

impl Drop for SmallDevice {
    fn drop(&mut self) {
        // What cannot be unmounted now goes with the machine.
        run("umount", &["-l"], &self.path);
    }
}

fn run(program: &str, arguments: &[&str], path: &Path) -> bool {
    Command::new(program)
        .args(arguments)
        .arg(path)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// The command under a limit on the size of files. A write beyond it must fail, not kill: so the signal is ignored.
pub(super) fn limited(program: &Path) -> Command {
    let mut shell = Command::new("sh");
    shell
        .arg("-c")
        .arg(format!(
            "trap '' XFSZ; ulimit -f {SMALL_FILE_BLOCKS}; exec \"$0\" \"$@\""
        ))
        .arg(program);
    shell
}
