//! The `akit` program; everything it does is in the library.

/// The released programs for Linux link musl, whose own allocator is slow with several threads.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    akit::cli::main()
}
