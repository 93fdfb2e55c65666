//! libFuzzer's way into the target `key`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| symphony_fuzz::run("key", input));
