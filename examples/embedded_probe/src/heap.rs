//! An allocator that counts: the bytes in use, and the most there ever were.
//!
//! It gives memory back only when the last piece is freed or grown, which is enough for a
//! measurement. What it counts is what was asked for; an allocator of a real program adds its own.

use core::alloc::{GlobalAlloc, Layout};
use core::cell::Cell;
use core::ptr;

unsafe extern "C" {
    static mut heap_start: u8;
    static mut heap_end: u8;
}

struct Heap {
    next: Cell<usize>,
    in_use: Cell<usize>,
    highest: Cell<usize>,
}

// SAFETY: one processor, and no interrupt is enabled.
unsafe impl Sync for Heap {}

#[global_allocator]
static HEAP: Heap = Heap {
    next: Cell::new(0),
    in_use: Cell::new(0),
    highest: Cell::new(0),
};

/// Forgets the highest use so far. Gives the bytes in use now.
pub(crate) fn begin() -> usize {
    HEAP.highest.set(HEAP.in_use.get());
    HEAP.in_use.get()
}

/// The most bytes in use since `begin` gave `before`, beyond those.
pub(crate) fn highest_since(before: usize) -> usize {
    HEAP.highest.get() - before
}

// SAFETY: pieces lie between the linker's bounds, are aligned as asked, and never overlap: each
// begins at or after the end of all that are in use.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let start = (&raw mut heap_start).addr();
        let from = self.next.get().max(start).next_multiple_of(layout.align());
        let to = from + layout.size();
        if to > (&raw mut heap_end).addr() {
            return ptr::null_mut();
        }
        self.next.set(to);
        self.use_bytes(layout.size());
        (&raw mut heap_start).with_addr(from)
    }

    unsafe fn dealloc(&self, piece: *mut u8, layout: Layout) {
        self.in_use.set(self.in_use.get() - layout.size());
        if piece.addr() + layout.size() == self.next.get() {
            self.next.set(piece.addr());
        }
        if self.in_use.get() == 0 {
            self.next.set(0);
        }
    }

    unsafe fn realloc(&self, piece: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let is_last = piece.addr() + layout.size() == self.next.get();
        if is_last && piece.addr() + size <= (&raw mut heap_end).addr() {
            self.next.set(piece.addr() + size);
            self.in_use.set(self.in_use.get() - layout.size());
            self.use_bytes(size);
            return piece;
        }
        // SAFETY: the caller's promise is that of `realloc`, which is that of these two.
        unsafe {
            let moved = self.alloc(Layout::from_size_align_unchecked(size, layout.align()));
            if !moved.is_null() {
                ptr::copy_nonoverlapping(piece, moved, layout.size().min(size));
                self.dealloc(piece, layout);
            }
            moved
        }
    }
}

impl Heap {
    fn use_bytes(&self, count: usize) {
        self.in_use.set(self.in_use.get() + count);
        self.highest.set(self.highest.get().max(self.in_use.get()));
    }
}
