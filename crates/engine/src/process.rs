//! The life of the engine process: its environment, its end by signal or by a dead supervisor, its end by a crash.

use std::convert::Infallible;
use std::ffi::OsString;
use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::panic;
use std::path::{Path, PathBuf};
use std::process::Command;

use tokio::io::AsyncReadExt;
use tokio::signal::unix::{SignalKind, signal};

/// Exit status of a crash, the same as that of a panicking main thread.
pub const EXIT_CRASHED: i32 = 101;
/// Exit status for a model or arguments that no restart will make usable.
pub const EXIT_UNUSABLE: u8 = 2;

/// The environment that the libraries read once, when their first pool starts.
pub fn environment(threads: u32, cache_folder: &Path) -> Vec<(&'static str, OsString)> {
    vec![
        ("RAYON_NUM_THREADS", threads.to_string().into()),
        // The model library's own runtime: it computes on rayon and waits on tokio.
        ("TOKIO_WORKER_THREADS", "1".into()),
        ("HF_HOME", cache_folder.as_os_str().to_owned()),
    ]
}

/// Replaces this process by itself with `wanted` set, unless it is set already.
///
/// Setting a variable inside a running process is unsafe when other threads read it, and too late for pools that have started.
/// Process id, standard streams and arguments stay the same.
///
/// # Errors
///
/// What `exec` gives; on success there is no return.
pub fn ensure_environment(wanted: &[(&'static str, OsString)]) -> io::Result<()> {
    if wanted
        .iter()
        .all(|(name, value)| std::env::var_os(name).as_ref() == Some(value))
    {
        return Ok(());
    }
    let replaced: Result<Infallible, io::Error> = Err(Command::new(std::env::current_exe()?)
        .args(std::env::args_os().skip(1))
        .envs(wanted.iter().map(|(name, value)| (name, value)))
        .exec());
    match replaced {
        Err(error) => Err(error),
    }
}

/// Ends the process when any thread panics.
///
/// A model thread that dies alone would leave a process that accepts requests and answers none. The message of the
/// panic is withheld, since it can quote a prompt; its place is reported.
#[expect(
    clippy::disallowed_methods,
    reason = "a hook cannot return, and nothing here needs a destructor"
)]
pub fn exit_on_panic() {
    panic::set_hook(Box::new(|panic| {
        let place = panic
            .location()
            .map_or_else(|| "an unknown place".to_owned(), ToString::to_string);
        let _ = writeln!(io::stderr(), "symphony-engine crashed at {place}");
        std::process::exit(EXIT_CRASHED);
    }));
}

/// The default of `--data-dir`: `symphony/engine` under the user's cache folder.
///
/// # Errors
///
/// `NotFound` if neither `XDG_CACHE_HOME` nor `HOME` is set.
pub fn default_data_folder() -> io::Result<PathBuf> {
    let absolute = |name: &str| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let cache =
        absolute("XDG_CACHE_HOME").or_else(|| absolute("HOME").map(|home| home.join(".cache")));
    let cache = cache.ok_or_else(|| {
        io::Error::new(io::ErrorKind::NotFound, "HOME is not set: give --data-dir")
    })?;
    Ok(cache.join("symphony").join("engine"))
}

/// Waits for the reason to stop: SIGINT, SIGTERM or, if `supervised`, the end of standard input. The signals are caught from the
/// call on, in a runtime, and not only from when the future is first polled: else one that came as the engine said that it is
/// ready would kill it.
///
/// # Errors
///
/// What installing the signal handlers gives.
pub fn stop_requested(supervised: bool) -> io::Result<impl Future<Output = &'static str>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => "SIGINT",
            _ = terminate.recv() => "SIGTERM",
            () = input_closed(), if supervised => "the supervisor has gone",
        }
    })
}

/// The supervisor writes nothing: whatever ends the reading ends the engine.
async fn input_closed() {
    let mut input = tokio::io::stdin();
    let mut byte = [0u8; 1];
    while matches!(input.read(&mut byte).await, Ok(1)) {}
}
