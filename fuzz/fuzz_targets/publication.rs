//! libFuzzer's way into the target `publication`.
#![no_main]

libfuzzer_sys::fuzz_target!(init: symphony_fuzz::begin("publication"), |input: &[u8]| symphony_fuzz::run("publication", input));
