//! The processor's start and end, its counter, and its one way to speak: semihosting.

use core::arch::{asm, global_asm};
use core::panic::PanicInfo;
use core::ptr;

unsafe extern "Rust" {
    fn program() -> bool;
}

unsafe extern "C" {
    static mut data_start: u32;
    static mut data_end: u32;
    static data_in_flash: u32;
    static mut bss_start: u32;
    static mut bss_end: u32;
}

// The vector table (Armv7-M B1.5.3): stack, reset, and one answer to every fault. The coprocessor
// access register is written first, since the compiler may use the floating-point unit anywhere.
global_asm!(
    ".section .vectors, \"a\"",
    ".word stack_top",
    ".word reset",
    ".rept 14",
    ".word fault",
    ".endr",
    ".text",
    ".thumb_func",
    ".global reset",
    "reset:",
    "ldr r0, =0xE000ED88",
    "ldr r1, [r0]",
    "orr r1, r1, #0xF00000",
    "str r1, [r0]",
    "dsb",
    "isb",
    "bl start",
    ".thumb_func",
    ".global fault",
    "fault:",
    "b stop",
);

#[unsafe(no_mangle)]
extern "C" fn start() -> ! {
    // SAFETY: the linker script gives these bounds, and nothing has used the memory yet.
    unsafe {
        let mut to = &raw mut data_start;
        let mut from = &raw const data_in_flash;
        while to < &raw mut data_end {
            to.write_volatile(from.read_volatile());
            (to, from) = (to.add(1), from.add(1));
        }
        let mut to = &raw mut bss_start;
        while to < &raw mut bss_end {
            to.write_volatile(0);
            to = to.add(1);
        }
    }
    count();
    // SAFETY: `program!` defines it with this signature.
    let good = unsafe { program() };
    exit(if good {
        APPLICATION_EXIT
    } else {
        RUN_TIME_ERROR
    })
}

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    stop()
}

#[unsafe(no_mangle)]
extern "C" fn stop() -> ! {
    print("panic or fault\n");
    exit(RUN_TIME_ERROR)
}

/// Writes text to the emulator's output.
pub fn print(text: &str) {
    for byte in text.bytes() {
        semihosting(WRITE_CHARACTER, (&raw const byte).addr());
    }
}

/// Writes a number in decimal, without the weight of `core::fmt`.
pub fn print_number(number: usize) {
    let mut divisor = 1_000_000_000;
    while divisor > 1 && number < divisor {
        divisor /= 10;
    }
    while divisor > 0 {
        let digit = (number / divisor % 10) as u8 + b'0';
        semihosting(WRITE_CHARACTER, (&raw const digit).addr());
        divisor /= 10;
    }
}

/// The counter as it stands; it counts down.
pub(crate) fn ticks() -> usize {
    // SAFETY: SysTick's current value (Armv7-M B3.3.5).
    unsafe { ptr::with_exposed_provenance::<usize>(SYSTICK + 8).read_volatile() }
}

/// Instructions since the counter stood at `begun`, to the nearest forty; right below 671 million.
pub(crate) fn instructions_since(begun: usize) -> usize {
    begun.wrapping_sub(ticks()) % (1 << 24) * INSTRUCTIONS_PER_TICK
}

fn count() {
    // SAFETY: SysTick's reload value, and its control: enabled, by the processor's clock.
    unsafe {
        ptr::with_exposed_provenance_mut::<usize>(SYSTICK + 4).write_volatile(0xFF_FFFF);
        ptr::with_exposed_provenance_mut::<usize>(SYSTICK).write_volatile(0b101);
    }
}

fn exit(reason: usize) -> ! {
    loop {
        semihosting(EXIT, reason);
    }
}

fn semihosting(operation: usize, argument: usize) {
    // SAFETY: the emulator takes this breakpoint for a call; it writes r0 alone.
    unsafe {
        asm!("bkpt #0xAB", inout("r0") operation => _, in("r1") argument, options(nostack));
    }
}

const SYSTICK: usize = 0xE000_E010;
/// `-icount shift=0`: an instruction takes 1 ns; the board's clock of 25 MHz takes 40.
const INSTRUCTIONS_PER_TICK: usize = 40;

const WRITE_CHARACTER: usize = 0x03;
const EXIT: usize = 0x18;
const APPLICATION_EXIT: usize = 0x2_0026;
const RUN_TIME_ERROR: usize = 0x2_0023;
