//! A log whose every line has the hash of the line before: what was changed, left out or cut off shows.
//!
//! This crate opens no file, reads no clock and signs nothing. It makes lines to append and judges lines
//! that were read. Who can write to the whole log can write another one; so the head, which is the number
//! and the hash of the last line, is kept or signed elsewhere from time to time. A log that does not lead
//! to it is not the log that was.
//!
//! ```
//! use gangplank_hash_chain::{Broken, Fault, Head, Verifier};
//!
//! let mut log = Vec::new();
//! let mut head = Head::START;
//! for (time, payload) in [(1_767_225_600, "the door opens"), (1_767_225_660, "the door shuts")] {
//!     let line = head.append(time, &payload)?;
//!     log.extend_from_slice(line.text()); // and have it on the disk, before anything depends on it
//!     head = line.head();
//! }
//!
//! // Later, and without network: the whole log is there.
//! assert_eq!(Verifier::new().expecting(head).verify(&log)?.head, head);
//!
//! // The last line is not.
//! let end = log.len() - head.append(0, &"")?.text().len();
//! let broken = Verifier::new().expecting(head).verify(&log[..end]).unwrap_err();
//! assert_eq!(broken.fault.code(), "shorter");
//!
//! // Or somebody edits a line: the next one says another hash.
//! let edited = String::from_utf8(log)?.replace("opens", "stays shut");
//! let broken = Verifier::new().verify(edited.as_bytes()).unwrap_err();
//! assert_eq!(broken, Broken { line: 2, fault: Fault::Hash });
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The nouns: [`Head`] (where a log ends, and what goes after it), [`Line`] (what is appended),
//! [`Record`] (a line that was read), [`Verifier`] and what it says, [`Summary`] or [`Broken`].
//!
//! # To the byte
//!
//! A log is lines, each ended by one LF (0x0A). A line has no white space outside its payload:
//!
//! ```text
//! {"sequence":N,"time":T,"previous":"H","payload":P}
//! ```
//!
//! - `N`: 1 in the first line, and one more in each. A plain decimal integer without leading zeros.
//! - `T`: Unix seconds, written likewise, at most 2^53 - 1 as is `N`. It is what the writer's clock said,
//!   and clocks are set back: that is told, and no fault.
//! - `H`: 64 lower-case hex digits, the SHA-256 of **the bytes of the line before, without its LF**. In the
//!   first line of all 64 zeros.
//! - `P`: one JSON text (RFC 8259, UTF-8) without LF, which the users of the log define.
//! - With its LF a line has at most [`MAX_LINE`] bytes.
//!
//! What follows the last LF is no line: a writer that lost its power began it, and told nobody. Whoever
//! appends next cuts it off.
//!
//! A head is written `N:H`: the number of the last line and the SHA-256 of it.
//!
//! # Two users
//!
//! The decision log of `gangplank-client` is a file of such lines. A database can have such a log, too,
//! as the server's audit log may: a column keeps the text of each line, the transaction that appends
//! reads the number and the hash of the last row ([`Head::new`]) and writes what [`Head::append`] gives,
//! and an export in the order of the rows is a file that [`Verifier`] reads. Events that are deleted after
//! some time leave the head before the first that remains, which is where [`Verifier::after`] begins.
#![cfg_attr(not(test), no_std)]

extern crate alloc;

mod head;
mod hex;
mod line;
mod record;
mod verify;

pub use head::{AppendError, Head, NoHead};
pub use line::Line;
pub use record::{NoRecord, Record};
pub use verify::{Broken, Fault, Summary, Verifier};

/// The longest line, in bytes and with its LF: 64 KiB, so that the last line of a file is found near its
/// end.
pub const MAX_LINE: usize = 64 << 10;

/// The largest number that every reader of JSON keeps.
const MAX_NUMBER: u64 = (1 << 53) - 1;
