//! Arguments and exit codes, nothing else.
#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    sekisho::cli::run()
}
