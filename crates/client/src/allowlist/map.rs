//! Files as memory: the one place of this repository where Rust's guarantees rest on an argument.
#![allow(unsafe_code)]

use std::fs::File;
use std::io;
use std::ops::Deref;

#[cfg(target_os = "linux")]
use memmap2::Advice;
use memmap2::{Mmap, MmapOptions};

/// The first bytes of a file, as memory that is never written to.
#[derive(Debug)]
pub(super) struct Map(Mmap);

impl Map {
    /// Maps the first `length` bytes of `file`, which has at least as many.
    pub(super) fn of(file: &File, length: usize) -> io::Result<Self> {
        let mut options = MmapOptions::new();
        options.len(length);
        // SAFETY: the map is read only and shared, so `&[u8]` of it is sound as long as nobody changes
        // or cuts these bytes while it lives.
        // - Writers of this crate never do: they make a file whole under another name, which nobody has
        //   mapped, and rename it; what they write in place is the log, which lies behind these bytes,
        //   on pages of its own (`Header::log_at` is a multiple of 4096), and is read, not mapped.
        // - The file is of mode 0640 and changed under a lock: who else writes to it has the rights of
        //   the list's owner, who could as well permit what he likes.
        // - Should he do it nevertheless, `IndexedList` makes nothing of these bytes but integers and
        //   slices whose bounds it checks against lengths that are not in the map, and texts that it
        //   checks at each look-up; a file that is cut ends the process (SIGBUS), which starts nothing,
        //   and so does a place that the disk can no longer read.
        let map = unsafe { options.map(file) }?;
        // Wherever this is known and allowed: look-ups in large pages take a fifth less time.
        #[cfg(target_os = "linux")]
        let _ = map.advise(Advice::HugePage);
        Ok(Self(map))
    }
}

impl Deref for Map {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}
