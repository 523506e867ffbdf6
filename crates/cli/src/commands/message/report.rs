use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::claims::Claims;
use super::content::Content;
use crate::Exit;
use crate::key::Algorithm;

/// What was found out about a signature.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) claims: Claims,
    pub(super) content: Content,
    /// What is not covered.
    pub(super) gaps: Vec<String>,
    /// Why it may not verify.
    pub(super) hints: Vec<String>,
    /// What it verified with, or why it is refused.
    pub(super) verdict: Result<Algorithm, String>,
}

impl Report {
    pub(super) fn exit(&self) -> Exit {
        match self.verdict {
            Ok(_) => Exit::Done,
            Err(_) => Exit::No,
        }
    }

    /// For a person. The last line is the verdict.
    pub(super) fn to_text(&self) -> String {
        let mut lines = self.claims.lines();
        if let Ok(algorithm) = &self.verdict {
            lines.push(("algorithm", algorithm.name().to_owned()));
        }
        lines.push(("content", self.content.sentence()));
        lines.extend(self.gaps.iter().map(|gap| ("NOT COVERED", gap.clone())));
        lines.extend(self.hints.iter().map(|hint| ("hint", hint.clone())));
        let mut text = String::new();
        for (name, what) in lines {
            // Writing to a string does not fail.
            let _ = writeln!(text, "{name:<12} {what}");
        }
        let verdict = match &self.verdict {
            Ok(_) if self.gaps.is_empty() => "yes: the signature verifies".to_owned(),
            Ok(_) => "yes: the signature verifies, for what it covers".to_owned(),
            Err(reason) => format!("no: {reason}"),
        };
        text.push_str(&verdict);
        text.push('\n');
        text
    }

    pub(super) fn to_json(&self) -> Map<String, Value> {
        let mut members = Map::new();
        members.insert("verified".to_owned(), json!(self.verdict.is_ok()));
        match &self.verdict {
            Ok(algorithm) => members.insert("algorithm".to_owned(), json!(algorithm.name())),
            Err(reason) => members.insert("reason".to_owned(), json!(reason)),
        };
        self.claims.put_into(&mut members);
        members.insert("content".to_owned(), json!(self.content.name()));
        members.insert("notCovered".to_owned(), json!(self.gaps));
        members.insert("hints".to_owned(), json!(self.hints));
        members
    }
}
