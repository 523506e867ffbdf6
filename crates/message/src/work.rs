//! Counts what is done, so that a test can show that it grows no faster than the input. Costs
//! nothing outside tests.

/// Counts nothing.
#[cfg(not(test))]
pub(crate) fn done(_: usize) {}

#[cfg(test)]
pub(crate) use counted::{done, take};

#[cfg(test)]
mod counted {
    use core::cell::Cell;

    std::thread_local! {
        static DONE: Cell<usize> = const { Cell::new(0) };
    }

    /// Counts `steps`.
    pub(crate) fn done(steps: usize) {
        DONE.set(DONE.get() + steps);
    }

    /// How many were counted on this thread; starts anew.
    pub(crate) fn take() -> usize {
        DONE.replace(0)
    }
}
