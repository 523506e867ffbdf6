//! What a signature says, for a person and for a program.

use serde_json::{Map, Value, json};

use crate::message::{ClaimedSignature, Limits, Message, SignatureParams};
use crate::output;

/// What one signature says it covers, and what it says of itself.
#[derive(Debug)]
pub(super) struct Claims {
    label: String,
    /// With their values, where the message has them.
    covered: Vec<String>,
    /// As they are written, without the list of components.
    parameters: String,
    created: Option<u64>,
    expires: Option<u64>,
}

impl Claims {
    pub(super) fn new(label: &str, claimed: &ClaimedSignature<'_>, message: Message<'_>) -> Self {
        let params = claimed.claimed_params();
        let names = || params.components().iter().map(ToString::to_string);
        let covered = match claimed.base(message, &Limits::DEFAULT) {
            Ok(base) => base
                .as_str()
                .lines()
                .take(params.components().len())
                .map(str::to_owned)
                .collect(),
            Err(_) => names().collect(),
        };
        Self {
            label: label.to_owned(),
            covered,
            parameters: parameters(params),
            created: params.created(),
            expires: params.expires(),
        }
    }

    /// For a person: a name and what is under it.
    pub(super) fn lines(&self) -> Vec<(&'static str, String)> {
        let mut lines = vec![("label", self.label.clone())];
        lines.extend(self.covered.iter().map(|line| ("covered", line.clone())));
        lines.push(("parameters", self.parameters.clone()));
        for (name, seconds) in [("created", self.created), ("expires", self.expires)] {
            lines.extend(seconds.and_then(time).map(|time| (name, time)));
        }
        lines
    }

    pub(super) fn put_into(&self, members: &mut Map<String, Value>) {
        let mut put = |member: &str, value: Value| members.insert(member.to_owned(), value);
        put("label", json!(self.label));
        put("covered", json!(self.covered));
        put("parameters", json!(self.parameters));
        if let Some(time) = self.created.and_then(time) {
            put("createdTime", json!(time));
        }
        if let Some(time) = self.expires.and_then(time) {
            put("expiresTime", json!(time));
        }
    }
}

fn parameters(params: &SignatureParams<'_>) -> String {
    let whole = params.to_string();
    let list = SignatureParams::new(params.components().to_vec());
    let list = list.map(|list| list.to_string()).unwrap_or_default();
    let parameters = whole.strip_prefix(&list).unwrap_or(&whole);
    output::visible(parameters.trim_start_matches(';'))
}

fn time(seconds: u64) -> Option<String> {
    let seconds = i64::try_from(seconds).ok()?;
    let time = jiff::Timestamp::from_second(seconds).ok()?;
    Some(time.to_string())
}
