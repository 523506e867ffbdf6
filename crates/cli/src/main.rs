//! The program `gangplank`. All of it is in the library, so that tests can look inside.

fn main() -> std::process::ExitCode {
    gangplank::main()
}
