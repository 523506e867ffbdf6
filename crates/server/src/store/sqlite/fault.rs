use rusqlite::ErrorCode;

use crate::store::StoreError;

/// An error on its way out of the backend. Apart from [`StoreError`], so that nothing of `rusqlite`
/// is in a public signature.
#[derive(Debug)]
pub(super) enum Fault {
    Sql(rusqlite::Error),
    Store(StoreError),
}

impl Fault {
    pub(super) fn corrupt(what: impl Into<String>) -> Self {
        Self::Store(StoreError::Corrupt { what: what.into() })
    }

    /// SQLite asks to try again: somebody else has the lock.
    pub(super) fn is_busy(&self) -> bool {
        matches!(
            self,
            Self::Sql(error) if matches!(
                error.sqlite_error_code(),
                Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
            )
        )
    }
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<Fault> for StoreError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Store(error) => error,
            Fault::Sql(error) => classify(&error),
        }
    }
}

fn classify(error: &rusqlite::Error) -> StoreError {
    let text = error.to_string();
    let Some(code) = error.sqlite_error_code() else {
        // The statement ran, but a column has another type than the schema gives it.
        return StoreError::Corrupt { what: text };
    };
    match code {
        ErrorCode::DiskFull => StoreError::Full { reason: text },
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase | ErrorCode::TypeMismatch => {
            StoreError::Corrupt { what: text }
        }
        ErrorCode::ConstraintViolation | ErrorCode::TooBig => StoreError::Invalid { what: text },
        _ => StoreError::Unavailable { reason: text },
    }
}
