//! Which container images may run, by digest: a `Permit` is the proof.
//!
//! This crate pulls no image, starts nothing and reads no file. It says of an image that is pinned by
//! its SHA-256 whether a list permits it, and hands out a value that only this question can make; what
//! starts containers takes that value, and so starts what was asked about and nothing else. It needs
//! no allocator, and the lists may lie in flash.
//!
//! ```
//! use gangplank_allowlist::{Allowlist, ImageDigest, PinnedImage};
//!
//! // Sorted, and here of one digest.
//! let list = [ImageDigest::parse("fc6a51919cfeb2e6763f62b6d9e8815acbf7cd2e476ea353743570610737b752")?];
//! let list = Allowlist::new(&list);
//!
//! let image = "hello-world@sha256:fc6a51919cfeb2e6763f62b6d9e8815acbf7cd2e476ea353743570610737b752";
//! let permit = list.permit(PinnedImage::parse(image)?)?;
//! assert_eq!(permit.image().reference().name(), "hello-world");
//!
//! // A tag names no image that could be on a list.
//! let denied = PinnedImage::parse("hello-world:latest").unwrap_err();
//! assert_eq!(denied.code(), "no-digest");
//!
//! // And no list permits nothing.
//! let denied = Allowlist::EMPTY.permit(PinnedImage::parse(image)?).unwrap_err();
//! assert_eq!(denied.code(), "no-list");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The nouns: [`ImageReference`] (what an image is called) and [`PinnedImage`] (one with the SHA-256
//! that says which it is), [`Listing`] (where digests are found) and what it says of one, an [`Entry`];
//! [`Allowlist`] (who asks, when and how strictly), [`Permit`] and [`Denied`] (the two answers);
//! [`Launch`] (a command line of Docker, Podman or nerdctl) and [`PermittedLaunch`] (the one to start).
//! [`text`] is a list as the file that people edit, `signed` (a feature) one that somebody signed.
#![cfg_attr(not(test), no_std)]

#[cfg(any(test, feature = "alloc"))]
extern crate alloc;

mod allowlist;
mod denied;
mod digest;
mod entry;
#[cfg(feature = "index")]
mod image_index;
pub mod indexed;
mod launch;
mod listing;
mod oci_digest;
mod permit;
mod pinned;
mod reference;
#[cfg(feature = "signed")]
pub mod signed;
pub mod text;

pub use allowlist::{Allowlist, Mode, UnknownMode};
pub use denied::{Denied, Why};
pub use digest::{HexError, ImageDigest};
pub use entry::Entry;
#[cfg(feature = "index")]
pub use image_index::{IndexFault, MAX_INDEX_BYTES, PermittedManifest, Platform};
pub use indexed::IndexedList;
pub use launch::{Launch, LaunchFault, OptionPolicy, PermittedLaunch};
pub use listing::{Change, Damaged, Listing, Overlaid, Unsorted};
pub use oci_digest::{DigestAlgorithm, DigestError, OciDigest};
pub use permit::Permit;
pub use pinned::{NotPinned, PinnedImage};
pub use reference::{
    AnyReference, ComposedReference, DockerReference, ImageReference, ReferenceError,
};
