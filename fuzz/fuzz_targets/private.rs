//! libFuzzer's way into the target `private`.
#![no_main]

libfuzzer_sys::fuzz_target!(init: symphony_fuzz::begin("private"), |input: &[u8]| symphony_fuzz::run("private", input));
