//! The other half of tests that need a process to kill or to starve: this test binary, started again with an order in its
//! environment. Without an order, the test does nothing.

use std::env;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use symphony_ledger::{ErrorClass, Ledger, LedgerError};

use crate::support::{Author, assert_reads, options_at, run};

/// Environment variable: the folder to work in.
const FOLDER: &str = "SYMPHONY_LEDGER_TEST_FOLDER";
/// What precedes a size in the child's output: every entry below it was acknowledged.
const ACKNOWLEDGED: &str = "acknowledged ";
/// What the child says when the ledger stopped, and everything that was acknowledged could still be read.
pub(crate) const STOPPED: &str = "stopped and readable";

/// Appends to the log of author 1 until it is killed or the ledger stops; says each acknowledged size.
#[test]
fn child_appends_when_it_is_told_to() {
    let Some(folder) = env::var_os(FOLDER) else {
        return;
    };
    run(async {
        let (ledger, _) = Ledger::open(
            &Path::new(&folder).join("data"),
            options_at(Path::new(&folder)),
        )
        .unwrap();
        let mut author = Author::new(1, 3000);
        if let Some(reader) = ledger.own() {
            reader
                .entries(0..u64::MAX)
                .for_each(|entry| author.take(entry.unwrap().1));
        }
        let mut output = std::io::stdout().lock();
        loop {
            let before = author.clone();
            let entries = author.entries(1 + before.entries.len() % 4);
            match ledger.append_for_release(entries, Vec::new()).await {
                Ok(appended) => {
                    writeln!(output, "\n{ACKNOWLEDGED}{}", appended.size()).unwrap();
                    output.flush().unwrap();
                }
                Err(error) => {
                    assert_eq!(error.class(), ErrorClass::Fatal, "{error}");
                    assert_reads(&ledger.own().unwrap(), &before);
                    let next = ledger.append(Vec::new()).await.unwrap_err();
                    assert!(matches!(next, LedgerError::Stopped { .. }), "{next}");
                    // RocksDB's threads must end before the process does: they would use what its exit destroys.
                    let closed = ledger.close().await;
                    writeln!(output, "\n{STOPPED}: {error}; closed: {closed:?}").unwrap();
                    output.flush().unwrap();
                    return;
                }
            }
        }
    });
}

/// A running child and what it says.
pub(crate) struct Appender {
    pub(crate) child: Child,
    pub(crate) output: BufReader<ChildStdout>,
}

impl Appender {
    /// Starts the child; `limit_blocks` bounds the size of every file it writes, in blocks of 512 bytes.
    pub(crate) fn start(folder: &Path, limit_blocks: Option<u32>) -> Self {
        let program = env::current_exe().unwrap();
        let mut command = match limit_blocks {
            None => Command::new(program),
            Some(blocks) => {
                // A write beyond the limit must fail, not kill: so the signal is ignored.
                let mut shell = Command::new("sh");
                shell
                    .arg("-c")
                    .arg(format!(
                        "trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\""
                    ))
                    .arg(program);
                shell
            }
        };
        let mut child = command
            .args([
                "--exact",
                "child::child_appends_when_it_is_told_to",
                "--nocapture",
                "--test-threads=1",
            ])
            .env(FOLDER, folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        Self { child, output }
    }

    /// The next line of interest; `None` when the child ended.
    pub(crate) fn line(&mut self) -> Option<String> {
        loop {
            let mut line = String::new();
            if self.output.read_line(&mut line).unwrap() == 0 {
                return None;
            }
            let line = line.trim_end();
            if line.starts_with(ACKNOWLEDGED) || line.starts_with(STOPPED) {
                return Some(line.to_owned());
            }
        }
    }
}

/// The size in an acknowledgement.
pub(crate) fn acknowledged(line: &str) -> Option<u64> {
    line.strip_prefix(ACKNOWLEDGED)?.parse().ok()
}
