//! libFuzzer's way into the module of the same name.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    sekisho_fuzz::otp::run(data);
});
