//! libFuzzer's way into the target `replay`.
#![no_main]

libfuzzer_sys::fuzz_target!(init: symphony_fuzz::begin("replay"), |input: &[u8]| symphony_fuzz::run("replay", input));
