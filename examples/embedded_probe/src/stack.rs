//! How deep the stack went: it is painted before, and looked at after.

use core::arch::asm;

unsafe extern "C" {
    static mut stack_bottom: u32;
}

/// Paints what lies below the caller.
#[inline(never)]
pub(crate) fn paint() {
    let mut at = &raw mut stack_bottom;
    let end = pointer() - MARGIN;
    while at.addr() < end {
        // SAFETY: below the stack pointer nothing lives, and no interrupt is enabled.
        unsafe {
            at.write_volatile(PAINT);
            at = at.add(1);
        }
    }
}

/// Bytes between here and the deepest word that has lost its paint.
#[inline(never)]
pub(crate) fn highest() -> usize {
    let mut at = &raw const stack_bottom;
    let end = pointer();
    // SAFETY: within the stack.
    while at.addr() < end && unsafe { at.read_volatile() } == PAINT {
        at = at.wrapping_add(1);
    }
    end - at.addr()
}

fn pointer() -> usize {
    let pointer;
    // SAFETY: reads a register.
    unsafe { asm!("mov {}, sp", out(reg) pointer, options(nomem, nostack)) };
    pointer
}

const PAINT: u32 = 0xA5A5_5A5A;
/// What `paint` itself may still use.
const MARGIN: usize = 64;
