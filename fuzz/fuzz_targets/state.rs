//! libFuzzer's way into the target `state`.
#![no_main]

libfuzzer_sys::fuzz_target!(init: symphony_fuzz::begin("state"), |input: &[u8]| symphony_fuzz::run("state", input));
