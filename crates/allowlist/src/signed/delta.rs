use core::cmp::Ordering;

use super::{Content, ContentError, VerifiedManifest};
use crate::ImageDigest;
use crate::text::CanonicalText;

impl VerifiedManifest {
    /// Makes the list out of an earlier one, `base`, and the delta that the manifest names.
    ///
    /// The list goes to `sink` in parts, and is not known to be right before this is done: write it to a
    /// file of its own, and forget that if this fails. A delta that leads to another list has no effect.
    ///
    /// # Errors
    /// [`DeltaError`]: there is no delta, it does not begin with this list, or does not lead to the signed
    /// one.
    pub fn apply_delta<E>(
        &self,
        base: &[u8],
        delta: &[u8],
        mut sink: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), DeltaError<E>> {
        let named = self.manifest().delta.as_ref().ok_or(DeltaError::None)?;
        let backend = self.backend();
        Content {
            size: named.size,
            digest: named.digest,
        }
        .check(delta, backend)
        .map_err(DeltaError::Delta)?;
        if backend.sha256(&[base]) != named.from_digest {
            return Err(DeltaError::Base);
        }
        let mut checking = self.content().checking(backend);
        merge(base, delta, |part| {
            checking.feed(part).map_err(DeltaError::Result)?;
            sink(part).map_err(DeltaError::Sink)
        })?;
        checking.finish().map_err(DeltaError::Result)
    }
}

/// Writes the delta that leads from one list to another: a line `+` or `-` and 64 hex digits for each
/// digest that was put on it or taken off, in ascending order.
///
/// # Errors
/// Only those of `sink`.
pub fn write_delta<E>(
    from: CanonicalText<'_>,
    to: CanonicalText<'_>,
    mut sink: impl FnMut(&[u8]) -> Result<(), E>,
) -> Result<(), E> {
    let (mut from, mut to) = (from.rows(), to.rows());
    loop {
        let (sign, row) = match (from, to) {
            ([], []) => return Ok(()),
            ([old, old_rest @ ..], [new, new_rest @ ..]) => match old.cmp(new) {
                Ordering::Equal => {
                    (from, to) = (old_rest, new_rest);
                    continue;
                }
                Ordering::Less => {
                    from = old_rest;
                    (b"-", old)
                }
                Ordering::Greater => {
                    to = new_rest;
                    (b"+", new)
                }
            },
            ([old, rest @ ..], []) => {
                from = rest;
                (b"-", old)
            }
            ([], [new, rest @ ..]) => {
                to = rest;
                (b"+", new)
            }
        };
        sink(sign)?;
        sink(row)?;
    }
}

/// Why a list could not be made of an earlier one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DeltaError<E> {
    /// The manifest names none.
    #[error("the manifest has no delta")]
    None,
    /// It begins with another list.
    #[error("the delta begins with another list")]
    Base,
    /// The delta's bytes are not those that were signed.
    #[error("the delta was not signed: {0}")]
    Delta(ContentError),
    /// The line, from 1, is none of a delta, out of order, adds what is there or removes what is not.
    #[error("line {0} of the delta does not fit the list")]
    Line(usize),
    /// It leads to another list than the signed one.
    #[error("the delta leads to another list: {0}")]
    Result(ContentError),
    /// The list could not be written.
    #[error("the list could not be written: {0}")]
    Sink(E),
}

fn merge<E>(
    base: &[u8],
    delta: &[u8],
    mut sink: impl FnMut(&[u8]) -> Result<(), DeltaError<E>>,
) -> Result<(), DeltaError<E>> {
    let (mut rows, []) = base.as_chunks::<65>() else {
        return Err(DeltaError::Base);
    };
    let (lines, rest) = delta.as_chunks::<66>();
    let mut before = None;
    for (at, [sign, row @ ..]) in lines.iter().enumerate() {
        let fault = DeltaError::Line(at + 1);
        let in_order = before.replace(row).is_none_or(|before| before < row);
        if !is_row(row) || !in_order {
            return Err(fault);
        }
        let place = rows.partition_point(|there| there < row);
        let (unchanged, rest) = rows.split_at_checked(place).unwrap_or((rows, &[]));
        sink(unchanged.as_flattened())?;
        rows = match (sign, rest) {
            (b'-', [there, rest @ ..]) if there == row => rest,
            (b'+', _) if rest.first() != Some(row) => {
                sink(row)?;
                rest
            }
            _ => return Err(fault),
        };
    }
    if !rest.is_empty() {
        return Err(DeltaError::Line(lines.len() + 1));
    }
    sink(rows.as_flattened())
}

fn is_row(row: &[u8; 65]) -> bool {
    matches!(row, [digits @ .., b'\n'] if ImageDigest::from_hex(digits).is_ok())
}
