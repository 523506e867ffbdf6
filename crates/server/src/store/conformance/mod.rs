//! What every [`Store`] must do, as a suite that a backend's author runs from any test.
//!
//! ```no_run
//! # use gangplank_server::store::conformance::{self, Backend};
//! # async fn check(my_backend: std::sync::Arc<dyn Backend>) {
//! let report = conformance::run(my_backend).await;
//! assert!(report.passed(), "{report}");
//! # }
//! ```
//!
//! It runs on a Tokio runtime, best one with several threads, for the races to be races. It cannot
//! see whether a commit reaches the disk before its answer: that is the backend's to show.

#[macro_use]
mod fixture;
mod admission;
mod allowlist;
mod credentials;
mod durability;
mod identity;
mod operator;
mod policy;
mod races;
mod records;
mod refusals;
mod registration;
mod reports;
mod saves;
mod tenants;

use core::fmt;
use core::pin::Pin;
use std::sync::Arc;

use async_trait::async_trait;

use self::fixture::Bench;
use super::{Store, StoreError};

/// How the suite gets stores. It uses one at a time.
#[async_trait]
pub trait Backend: Send + Sync {
    /// Opens an empty store, that is one with the tenant `default` and nothing else.
    async fn open_fresh(&self) -> Result<Arc<dyn Store>, StoreError>;

    /// Closes the store that was opened last, as far as that takes more than to drop `store`, the
    /// only handle to it, and opens the same data again.
    async fn reopen(&self, store: Arc<dyn Store>) -> Result<Arc<dyn Store>, StoreError>;
}

/// Runs every case, each on an empty store.
pub async fn run(backend: Arc<dyn Backend>) -> Report {
    let mut results = Vec::new();
    for case in groups().into_iter().flatten() {
        let failure = match Bench::open(Arc::clone(&backend)).await {
            Ok(bench) => (case.run)(bench).await.err(),
            Err(failure) => Some(failure),
        };
        results.push(CaseResult {
            name: case.name,
            failure: failure.map(|Failure(reason)| reason),
        });
    }
    Report { results }
}

/// How each case went.
#[derive(Clone, Debug)]
pub struct Report {
    results: Vec<CaseResult>,
}

impl Report {
    /// Whether no case failed.
    pub fn passed(&self) -> bool {
        self.failures().next().is_none()
    }

    /// All cases, in the order in which they ran.
    pub fn results(&self) -> &[CaseResult] {
        &self.results
    }

    /// The cases that failed.
    pub fn failures(&self) -> impl Iterator<Item = &CaseResult> {
        self.results
            .iter()
            .filter(|result| result.failure.is_some())
    }
}

/// One line for each case that failed, and one with the numbers.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut failed = 0;
        for result in self.failures() {
            failed += 1;
            let reason = result.failure.as_deref().unwrap_or_default();
            writeln!(f, "FAILED {}: {reason}", result.name)?;
        }
        let run = self.results.len();
        write!(
            f,
            "{run} cases run, {} passed, {failed} failed",
            run - failed
        )
    }
}

/// How one case went.
#[derive(Clone, Debug)]
pub struct CaseResult {
    /// The case: the sentence that must be true, with `_` between the words.
    pub name: &'static str,
    /// What was not so, if it failed.
    pub failure: Option<String>,
}

/// Why a case failed.
#[derive(Debug)]
struct Failure(String);

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self(format!("the store failed: {error}"))
    }
}

type Checked = Result<(), Failure>;

struct Case {
    name: &'static str,
    run: fn(Bench) -> Pin<Box<dyn Future<Output = Checked> + Send>>,
}

fn groups() -> [Vec<Case>; 14] {
    [
        registration::cases(),
        admission::cases(),
        refusals::cases(),
        credentials::cases(),
        operator::cases(),
        reports::cases(),
        records::cases(),
        tenants::cases(),
        policy::cases(),
        identity::cases(),
        saves::cases(),
        allowlist::cases(),
        races::cases(),
        durability::cases(),
    ]
}
