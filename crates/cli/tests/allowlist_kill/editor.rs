//! Who puts pairs of images on the list and takes them off, and remembers what it was told.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use gangplank_server::key::CryptoRng;
use gangplank_testkit::TestRng;
use reqwest::Method;
use serde_json::json;

use crate::reader::{List, pair};
use crate::support::{Answer, Api, Lost};
use crate::{Load, Tally};

/// One with some pairs that nobody else touches. It has one request under way at most.
pub(crate) struct Editor {
    pub(crate) name: usize,
    way: Way,
    pairs: Vec<Pair>,
    rng: TestRng,
}

/// How it edits.
#[derive(Clone, Copy)]
enum Way {
    AdminApi,
    SecureManager,
}

struct Pair {
    digests: [String; 2],
    /// By the last answer.
    listed: bool,
    /// The answer to an edit that would change that is lost.
    in_doubt: bool,
}

impl Editor {
    pub(crate) fn new(name: usize, seed: u64) -> Self {
        let pair = |number| Pair {
            digests: pair(name, number),
            listed: false,
            in_doubt: false,
        };
        Self {
            name,
            way: [Way::AdminApi, Way::SecureManager][name % 2],
            pairs: (0..PAIRS).map(pair).collect(),
            rng: TestRng::new(seed ^ ((name as u64 + 1) << 48)),
        }
    }

    /// Each edit changes a pair, until an answer is lost.
    pub(crate) async fn work(mut self, api: Api, load: Arc<Load>) -> (Self, Tally) {
        let (way, mut tally) = (self.way, Tally::default());
        loop {
            let pair = self.any_pair();
            let asked = match way {
                Way::AdminApi => pair.edit(&api).await,
                Way::SecureManager => pair.command(&api).await,
            };
            match asked {
                Ok(answer) => {
                    load.answered();
                    tally.acknowledged += 1;
                    let checked = pair.check(way, &answer);
                    pair.listed = !pair.listed;
                    match checked {
                        Ok(revision) => drop(load.revision.fetch_max(revision, Ordering::SeqCst)),
                        Err(fault) => tally.faults.push(fault),
                    }
                }
                Err(lost) => {
                    load.lost(&lost);
                    pair.in_doubt = true;
                    tally.in_doubt += 1;
                    return (self, tally);
                }
            }
        }
    }

    fn any_pair(&mut self) -> &mut Pair {
        let rng: &mut dyn CryptoRng = &mut self.rng;
        let number = rng.next_u64() % PAIRS as u64;
        &mut self.pairs[number as usize]
    }

    /// Compares what is on the list with what was answered. Gives how many edits without an answer had
    /// been made.
    pub(crate) fn settle(&mut self, list: &List, faults: &mut Vec<String>) -> u64 {
        let mut made = 0;
        for pair in &mut self.pairs {
            let listed = list.digests.contains(&pair.digests[0]);
            if listed != pair.listed && pair.in_doubt {
                pair.listed = listed;
                made += 1;
            }
            pair.in_doubt = false;
            if listed != pair.listed {
                let [digest, _] = &pair.digests;
                let should = pair.listed;
                faults.push(format!(
                    "{digest}: listed is {listed}, answered was {should}"
                ));
            }
        }
        made
    }

    /// How many images it has on the list.
    pub(crate) fn listed(&self) -> usize {
        2 * self.pairs.iter().filter(|pair| pair.listed).count()
    }
}

impl Pair {
    async fn edit(&self, api: &Api) -> Result<Answer, Lost> {
        let digests = &self.digests;
        let body = match self.listed {
            true => json!({ "remove": digests }),
            false => json!({ "add": digests.each_ref().map(|one| json!({ "digest": one })) }),
        };
        let path = "/admin/tenants/default/allowlist";
        api.operator(Method::POST, path, &body.to_string()).await
    }

    async fn command(&self, api: &Api) -> Result<Answer, Lost> {
        let hash = |digest: &String| json!({ "ContainerHash": digest["sha256:".len()..] });
        let body = json!({
            "SecureMgr": "Verifier",
            "CmdType": match self.listed { true => "delHashCWL", false => "addHashCWL" },
            "Desc": self.digests.each_ref().map(hash),
        });
        api.secure_manager(&body.to_string()).await
    }

    /// The answer to an edit that changed this pair: the revision, if it says one.
    fn check(&self, way: Way, answer: &Answer) -> Result<u64, String> {
        let wrong = || format!("{}: {}", self.digests[0], answer.text());
        if answer.status != 200 {
            return Err(wrong());
        }
        let body = answer.json();
        match way {
            Way::SecureManager if body["Message"] == "ERROR_NONE" => Ok(0),
            Way::SecureManager => Err(wrong()),
            Way::AdminApi => {
                let (added, removed) = if self.listed { (0, 2) } else { (2, 0) };
                let same = body["added"] == added && body["removed"] == removed;
                let revision = same.then(|| body["revision"].as_u64()).flatten();
                revision.ok_or_else(wrong)
            }
        }
    }
}

/// Of each editor.
const PAIRS: usize = 8;
