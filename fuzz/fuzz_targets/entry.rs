//! libFuzzer's way into the target `entry`.
#![no_main]

libfuzzer_sys::fuzz_target!(init: symphony_fuzz::begin("entry"), |input: &[u8]| symphony_fuzz::run("entry", input));
