//! libFuzzer's way into the target `evidence_fields`.
#![no_main]

libfuzzer_sys::fuzz_target!(init: symphony_fuzz::begin("evidence_fields"), |input: &[u8]| symphony_fuzz::run("evidence_fields", input));
