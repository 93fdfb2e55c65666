//! The memory of an audit, in a process of its own: it must not grow with the log.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use symphony_node::audit::{Verdict, audit_files};

use crate::Settings;
use crate::logs::{export, lonely};
use crate::table::{Required, Table, float};

/// Names the file that a child audits.
const FILE: &str = "SYMPHONY_BENCH_AUDIT_FILE";

pub(crate) fn is_child() -> bool {
    std::env::var_os(FILE).is_some()
}

/// Audits a file, and says how much memory that took at most, in KiB, and how long, in seconds.
pub(crate) fn child() {
    let path = PathBuf::from(std::env::var_os(FILE).unwrap());
    let start = Instant::now();
    let audit = audit_files(&[path], None, &mut |_| {});
    assert_eq!(
        audit.verdict(),
        Verdict::Clean,
        "{:?}",
        audit.logs[0].reason
    );
    println!("{} {}", peak_kib(), start.elapsed().as_secs_f64());
}

/// The most memory that this process had, in KiB.
fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok())
        .unwrap_or(0)
}

fn audit(path: &Path) -> (f64, f64) {
    let output = Command::new(std::env::current_exe().unwrap())
        .env(FILE, path)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let (kib, seconds) = text.trim().split_once(' ').unwrap();
    (
        kib.parse::<f64>().unwrap() / 1024.0,
        seconds.parse().unwrap(),
    )
}

pub(crate) fn rows(settings: &Settings, table: &mut Table) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.symlog");
    let mut peaks = Vec::new();
    for entries in [settings.entries / 10, settings.entries] {
        let mut log = lonely(entries);
        export(&mut log, &path);
        let (count, bytes) = (log.entries.len() as u64, log.bytes);
        drop(log);
        let (mib, seconds) = audit(&path);
        peaks.push(mib);
        table.single(
            format!("memory of an audit at most: {count} entries, {bytes} bytes"),
            mib,
            "MiB",
            format!("{:.0} entries/s", float(count) / seconds),
            Required::Nothing,
        );
    }
    table.single(
        "memory of the longer, beside the shorter",
        peaks[1] / peaks[0],
        "",
        "10 times the entries",
        Required::AtMost(1.1),
    );
}
