//! What a program on a bare Cortex-M4 brings itself, and a way to say what a piece of work costs.
//!
//! A program is one function given to [`program!`]; it [measures](measure) its work, [prints](print)
//! what came out, and says at its end whether all was as it should be. QEMU's machine `mps2-an386` is
//! the board; `measure.sh` beside this crate builds, runs and tabulates.

#![no_std]

extern crate alloc;

mod board;
mod heap;
mod stack;

pub use board::{print, print_number};

/// Does `work` and prints what it cost: instructions, bytes of heap and of stack at their highest.
pub fn measure<T>(name: &str, work: impl FnOnce() -> T) -> T {
    stack::paint();
    let heap = heap::begin();
    let begun = board::ticks();
    let result = work();
    let instructions = board::instructions_since(begun);
    let stack = stack::highest();
    let heap = heap::highest_since(heap);
    for (what, number) in [
        (" instructions=", instructions),
        (" heap=", heap),
        (" stack=", stack),
    ] {
        print(if what.starts_with(" i") { name } else { "" });
        print(what);
        print_number(number);
    }
    print("\n");
    result
}

/// Names the function that a program consists of: `fn() -> bool`, whether all was as it should be.
#[macro_export]
macro_rules! program {
    ($run:path) => {
        #[unsafe(no_mangle)]
        extern "Rust" fn program() -> bool {
            $run()
        }
    };
}
