use crate::NotPinned;

/// Why a command line starts no image that a list could be asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LaunchFault<'a> {
    /// It begins with something else than `docker`, `podman` or `nerdctl`, by name or absolute path.
    #[error("the command is neither docker nor podman nor nerdctl")]
    Program,
    /// It is neither `run` nor `create`, nor `container run` or `container create`.
    #[error("argument {at} is neither run nor create")]
    Verb {
        /// The place of the argument; the program is 0.
        at: usize,
    },
    /// Whether a value follows is not known, and so not which argument is the image.
    #[error("argument {at} has the option {option:?}, which is not known")]
    UnknownOption {
        /// The place of the argument.
        at: usize,
        /// Its name, without dashes and value.
        option: &'a str,
    },
    /// The arguments end where an option's value has to be.
    #[error("the option {option:?} of argument {at} has no value")]
    NoValue {
        /// The place of the argument.
        at: usize,
        /// Its name, without dashes.
        option: &'a str,
    },
    /// What cannot be read as options, or not by all programs in the same way.
    #[error("argument {at} cannot be read as an option")]
    Malformed {
        /// The place of the argument.
        at: usize,
    },
    /// The policy does not permit the option, or not with its value.
    #[error("argument {at} has the option {option:?}, which is not permitted")]
    Forbidden {
        /// The place of the argument that names it.
        at: usize,
        /// Its name, without dashes and value.
        option: &'a str,
    },
    /// The arguments end before an image.
    #[error("there is no image")]
    NoImage,
    /// The image is not pinned.
    #[error("argument {at}: {source}")]
    NotPinned {
        /// The place of the argument.
        at: usize,
        /// Why not.
        source: NotPinned,
    },
    /// Podman takes the argument for a file or folder, not for an image of a registry.
    #[error("argument {at} names no image of a registry")]
    NotFromRegistry {
        /// The place of the argument.
        at: usize,
    },
    /// Something follows the image, which has to be last.
    #[error("argument {at} follows the image")]
    Unexpected {
        /// The place of the argument.
        at: usize,
    },
}

impl LaunchFault<'_> {
    /// A word for programs, which stays as it is: `program`, `verb`, `unknown-option`, `malformed`,
    /// `run-option`, `no-image`, `not-from-registry`, `unexpected-argument`, or that of
    /// [`NotPinned::code`].
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Program => "program",
            Self::Verb { .. } => "verb",
            Self::UnknownOption { .. } => "unknown-option",
            Self::NoValue { .. } | Self::Malformed { .. } => "malformed",
            Self::Forbidden { .. } => "run-option",
            Self::NoImage => "no-image",
            Self::NotPinned { source, .. } => source.code(),
            Self::NotFromRegistry { .. } => "not-from-registry",
            Self::Unexpected { .. } => "unexpected-argument",
        }
    }
}
