//! libFuzzer's way into the target `statement`.
#![no_main]

libfuzzer_sys::fuzz_target!(init: symphony_fuzz::begin("statement"), |input: &[u8]| symphony_fuzz::run("statement", input));
