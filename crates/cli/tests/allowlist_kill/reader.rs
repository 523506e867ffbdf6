//! The list as somebody sees it who only reads.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use reqwest::Method;

use crate::support::{Api, Lost};
use crate::{Load, Tally};

/// All images of one revision.
pub(crate) struct List {
    pub(crate) revision: u64,
    pub(crate) digests: BTreeSet<String>,
    /// What the server says their number is.
    count: u64,
}

/// Two digests that are far from each other in a list.
pub(crate) fn pair(editor: usize, number: usize) -> [String; 2] {
    [0x00, 0xff].map(|first| format!("sha256:{first:02x}{editor:02x}{number:060x}"))
}

impl List {
    /// Reads pages of so many images. [`None`] if the list changed between two of them.
    pub(crate) async fn read(api: &Api, page: usize) -> Result<Option<Self>, Lost> {
        let mut read: Option<Self> = None;
        let mut after = String::new();
        loop {
            let path = format!("/admin/tenants/default/allowlist?limit={page}{after}");
            let answer = api.operator(Method::GET, &path, "").await?;
            assert_eq!(answer.status, 200, "{}", answer.text());
            let body = answer.json();
            let number = |member: &str| body[member].as_u64().unwrap();
            let list = read.get_or_insert_with(|| Self {
                revision: number("revision"),
                digests: BTreeSet::new(),
                count: number("count"),
            });
            if list.revision != number("revision") {
                return Ok(None);
            }
            let images = body["images"].as_array().unwrap().iter();
            let digests = images.map(|image| image["digest"].as_str().unwrap().to_owned());
            let before = list.digests.len();
            list.digests.extend(digests);
            if list.digests.len() - before < page {
                return Ok(read);
            }
            after = format!("&after={}", list.digests.last().unwrap());
        }
    }

    /// One of two, or another number than there is.
    pub(crate) fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let other = |digest: &String| match digest.strip_prefix("sha256:00") {
            Some(rest) => format!("sha256:ff{rest}"),
            None => digest.replacen("sha256:ff", "sha256:00", 1),
        };
        let revision = self.revision;
        for digest in &self.digests {
            if !self.digests.contains(&other(digest)) {
                faults.push(format!("{digest} is alone in revision {revision}"));
            }
        }
        if self.count != self.digests.len() as u64 {
            let (said, found) = (self.count, self.digests.len());
            faults.push(format!("revision {revision} says {said} and has {found}"));
        }
        faults
    }
}

/// Reads again and again, until an answer is lost.
pub(crate) async fn watch(api: Api, page: usize, load: Arc<Load>) -> Tally {
    let mut tally = Tally::default();
    loop {
        let acknowledged = load.revision.load(Ordering::SeqCst);
        match List::read(&api, page).await {
            Ok(None) => {}
            Ok(Some(list)) => {
                tally.read += 1;
                tally.faults.extend(list.faults());
                let revision = list.revision;
                if revision < acknowledged {
                    let fault = format!("revision {acknowledged} is acknowledged, {revision} seen");
                    tally.faults.push(fault);
                }
            }
            Err(lost) => {
                load.lost(&lost);
                return tally;
            }
        }
    }
}
