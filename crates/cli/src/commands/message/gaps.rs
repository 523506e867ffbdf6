//! What a signature does not cover. Who relies on it anyway relies on whoever passed the message on.

use crate::message::content_digest::DigestAlgorithm;
use crate::message::{Component, Message, SignatureParams};

/// Says what of the message anybody may have changed without the signature noticing.
pub(super) fn find(
    params: &SignatureParams<'_>,
    message: Message<'_>,
    body: Option<&[u8]>,
) -> Vec<String> {
    let covers = |component: Component<'_>| params.covers(&component);
    let mut gaps = Vec::new();
    match message {
        Message::Request(_) => {
            if !covers(Component::METHOD) {
                gaps.push("the method".to_owned());
            }
            gaps.extend(target_gaps(params));
        }
        Message::Response(_) => {
            if !covers(Component::STATUS) {
                gaps.push("the status code".to_owned());
            }
            let names_request = params
                .components()
                .iter()
                .any(|component| component.clone().of_request().as_ref() == Ok(component));
            if !names_request {
                gaps.push("which request it answers".to_owned());
            }
        }
    }
    if let Some(body @ [_, ..]) = body
        && !covers_digest(params)
    {
        let length = body.len();
        gaps.push(format!(
            "the body of {length} bytes, since content-digest is not"
        ));
    }
    if params.created().is_none() && params.expires().is_none() {
        gaps.push("a time: whoever has the message can send it again for ever".to_owned());
    }
    gaps
}

fn target_gaps(params: &SignatureParams<'_>) -> Vec<String> {
    let covers = |component: Component<'_>| params.covers(&component);
    if covers(Component::TARGET_URI) {
        return Vec::new();
    }
    let mut gaps = Vec::new();
    if !covers(Component::AUTHORITY) {
        gaps.push("the host".to_owned());
    }
    if !covers(Component::REQUEST_TARGET) {
        if !covers(Component::PATH) {
            gaps.push("the path".to_owned());
        }
        if !covers(Component::QUERY) {
            gaps.push("the query".to_owned());
        }
    }
    gaps
}

/// Whether Content-Digest of this message is covered, or a member of it whose algorithm counts: each
/// of those must be that of the body.
fn covers_digest(params: &SignatureParams<'_>) -> bool {
    let counts = |component: &Component<'_>| {
        let shown = component.to_string();
        let Some((_, key)) = shown.split_once(";key=\"") else {
            return true;
        };
        let key = key.split('"').next().unwrap_or_default();
        DigestAlgorithm::from_name(key).is_some()
    };
    params.components().iter().any(|component| {
        component.name() == "content-digest"
            && component.clone().of_request().as_ref() != Ok(component)
            && counts(component)
    })
}
