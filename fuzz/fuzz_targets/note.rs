//! libFuzzer's way into the target `note`.
#![no_main]

libfuzzer_sys::fuzz_target!(init: symphony_fuzz::begin("note"), |input: &[u8]| symphony_fuzz::run("note", input));
