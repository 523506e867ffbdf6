use std::future::Future;

use crate::{Exit, Failure};

/// Runs an asynchronous verb to its end.
pub(crate) fn block_on<T>(verb: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::of(Exit::CannotTell, &error))?
        .block_on(verb)
}
