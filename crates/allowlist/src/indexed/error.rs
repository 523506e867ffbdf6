use super::Header;
use crate::Damaged;

/// Why bytes are no indexed list that could be searched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IndexError {
    /// Too short for a header.
    #[error("{0} bytes are less than the header of an indexed list")]
    Short(u64),
    /// It begins with something else.
    #[error("no indexed list: it begins with something else")]
    NotAList,
    /// Written by a later version, in a form that this one does not know.
    #[error("an indexed list of another kind: version {version}, flags {flags:#x}")]
    Kind {
        /// The version that its header says.
        version: u32,
        /// The flags that its header says.
        flags: u32,
    },
    /// The header says of parts that nothing could hold, or not this machine.
    #[error("the parts of the indexed list are too large for this machine, or for each other")]
    Size,
    /// Cut, or something follows.
    #[error("the indexed list has {found} bytes, and its header says {expected}")]
    Length {
        /// As the header says.
        expected: u64,
        /// As it is.
        found: u64,
    },
    /// The header or the log is not as it was written.
    #[error(transparent)]
    Damaged(Damaged),
}

impl IndexError {
    pub(super) fn length(header: &Header, found: usize) -> Self {
        Self::Length {
            expected: header.file_length(),
            found: found as u64,
        }
    }
}
