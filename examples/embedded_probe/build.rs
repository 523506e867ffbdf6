//! Lays the program out as the board's memory is.

fn main() {
    let folder = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
    println!("cargo::rustc-link-arg-bins=-T{folder}/board.ld");
    println!("cargo::rerun-if-changed=board.ld");
}
