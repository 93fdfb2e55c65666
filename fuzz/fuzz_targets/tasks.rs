//! libFuzzer's way into the target `tasks`.
#![no_main]

libfuzzer_sys::fuzz_target!(init: symphony_fuzz::begin("tasks"), |input: &[u8]| symphony_fuzz::run("tasks", input));
