//! Which container images may run, by digest: a `Permit` is the proof.
//!
//! This crate pulls no image, starts nothing and reads no file. It says of an image that is pinned by
//! its SHA-256 whether a list permits it, and hands out a value that only this question can make; what
//! starts containers takes that value, and so starts what was asked about and nothing else. It needs
//! no allocator, and the lists may lie in flash.
#![cfg_attr(not(test), no_std)]

mod digest;
mod entry;
mod listing;
mod oci_digest;
mod pinned;
mod reference;

pub use digest::{HexError, ImageDigest};
pub use entry::Entry;
pub use listing::{Damaged, Listing};
pub use oci_digest::{DigestAlgorithm, DigestError, OciDigest};
pub use pinned::{NotPinned, PinnedImage};
pub use reference::{
    AnyReference, ComposedReference, DockerReference, ImageReference, ReferenceError,
};
