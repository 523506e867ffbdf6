use alloc::string::String;

use crate::ProblemName;

/// Why a message is not read; always the sender's fault.
///
/// It names the member, never its value: a value may be a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MessageError {
    /// The message is longer than [`MAX_MESSAGE`].
    #[error("the message is longer than {MAX_MESSAGE} bytes")]
    TooLarge,
    /// The message is no JSON (RFC 8259).
    #[error("the message is no json at line {line}, column {column}")]
    Unreadable {
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
    },
    /// A member comes twice in one object (RFC 8259 §4: receivers disagree about which one counts).
    #[error("the message has a member twice at line {line}, column {column}")]
    Repeated {
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
    },
    /// The message is JSON, but no object.
    #[error("the message is no json object")]
    NotAnObject,
    /// `apiVersion` is absent or another one.
    #[error("the member apiVersion is not {expected}")]
    ApiVersion {
        /// The one that this message has.
        expected: &'static str,
    },
    /// `kind` is absent or another one.
    #[error("the member kind is not {expected}")]
    Kind {
        /// The one that this message has.
        expected: &'static str,
    },
    /// A required member is absent or null.
    #[error("the member {member} is missing")]
    Missing {
        /// The path of the member, as in `properties.resources.cpus[0].cores`.
        member: String,
    },
    /// A member is of another JSON type.
    #[error("the member {member} is not {expected}")]
    Type {
        /// The path of the member.
        member: String,
        /// What it should be.
        expected: &'static str,
    },
    /// A list has too many elements.
    #[error("the member {member} has more than {limit} elements")]
    TooMany {
        /// The path of the member.
        member: String,
        /// How many are read.
        limit: usize,
    },
    /// A member's value breaks a rule.
    #[error("the member {member} is invalid: {reason}")]
    Invalid {
        /// The path of the member.
        member: String,
        /// The rule, without the value.
        reason: &'static str,
    },
}

impl MessageError {
    /// The problem that a server answers with.
    pub fn problem(&self) -> ProblemName {
        match self {
            Self::TooLarge => ProblemName::TooLarge,
            Self::Unreadable { .. } | Self::Repeated { .. } | Self::NotAnObject => {
                ProblemName::UnreadableRequest
            }
            _ => ProblemName::InvalidMember,
        }
    }
}

/// The longest message that is read, in bytes. A capabilities message of a gateway with a hundred
/// peripherals has about 30 KiB.
pub const MAX_MESSAGE: usize = 256 * 1024;
