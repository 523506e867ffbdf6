/// Why a store could not do what it was asked to. What a domain rule refuses is not here but in the
/// outcome of the operation: an error means that nothing was decided and nothing was written.
///
/// Texts of a backend are carried as text, so that no backend shows through the trait and one
/// failed commit can be told to every caller that waited for it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The caller's fault: the operation contradicts itself or the data, for example a token
    /// value that already belongs to somebody.
    #[error("the operation breaks a rule of the store: {what}")]
    Invalid {
        /// The rule, in the backend's words.
        what: String,
    },
    /// The storage does not answer or is busy; the same operation may succeed later.
    #[error("the storage is unavailable: {reason}")]
    Unavailable {
        /// What the backend said.
        reason: String,
    },
    /// There is no space left; it takes an operator to make some.
    #[error("the storage is full: {reason}")]
    Full {
        /// What the backend said.
        reason: String,
    },
    /// The data was written by a newer version, which must be used from now on.
    #[error(
        "the data has schema {found}, this version knows schemas up to {known}; use the newer version that wrote it"
    )]
    SchemaTooNew {
        /// The schema's number in the data.
        found: u32,
        /// The highest number that this version knows.
        known: u32,
    },
    /// What was read is not what a store writes: a damaged or a foreign file.
    #[error("the stored data is damaged or not gangplank's: {what}")]
    Corrupt {
        /// What was found, and where.
        what: String,
    },
}
