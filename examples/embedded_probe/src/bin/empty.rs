//! The probe without any work: what the other programs' figures hold of the probe itself.

#![no_std]
#![no_main]

use embedded_probe::{measure, print, program};

program!(run);

fn run() -> bool {
    measure("empty", || print("nothing done\n"));
    true
}
