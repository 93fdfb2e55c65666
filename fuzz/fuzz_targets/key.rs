//! libFuzzer's way into the target `key`.
#![no_main]

libfuzzer_sys::fuzz_target!(init: symphony_fuzz::begin("key"), |input: &[u8]| symphony_fuzz::run("key", input));
