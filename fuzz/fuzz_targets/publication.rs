//! libFuzzer's way into the target `publication`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| symphony_fuzz::run("publication", input));
