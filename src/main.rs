//! The `akit` program; everything it does is in the library.

fn main() -> std::process::ExitCode {
    akit::cli::main()
}
