//! Arguments and exit codes, nothing else.
#![forbid(unsafe_code)]

/// Chosen by measurement (`cargo bench --bench sockets`): a tenth less CPU for a login than with the C library's. Without huge pages, which would take 13 MiB more from the start, and gain nothing.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    sekisho::cli::run()
}
