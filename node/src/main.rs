//! The binary `symphony`. Everything is in the library, so that tests can use it.

use std::process::ExitCode;

fn main() -> ExitCode {
    symphony_node::cli::main()
}
