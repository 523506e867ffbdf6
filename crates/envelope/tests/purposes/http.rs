//! An HTTP message signature (RFC 9421).
//!
//! A verifier rebuilds the signature base from the message. All of the message is the attacker's
//! here, so the message is read out of the bytes that were signed, and `gangplank-message` rebuilds
//! the base of it.

use base64::{Engine, prelude::BASE64_STANDARD, prelude::BASE64_URL_SAFE_NO_PAD};
use gangplank_envelope::Freshness;
use gangplank_key::{PublicKey, SigningKey};
use gangplank_message::structured::Bounds;
use gangplank_message::{
    Component, Expect, ExpectedTag, Limits, Message, Request, SignatureParams, Signatures, Target,
    prepare,
};

use crate::{Purpose, Signed};

pub(crate) struct MessageSignature;

impl Purpose for MessageSignature {
    fn name(&self) -> &'static str {
        "RFC 9421"
    }

    fn sign(&self, key: &dyn SigningKey, bait: &[u8]) -> Signed {
        // What RFC 9110 §5.5 lets into a field's value.
        let printable: String = bait
            .iter()
            .map(|byte| match byte {
                0x20..=0x7e => char::from(*byte),
                _ => '.',
            })
            .collect();
        let encoded = BASE64_URL_SAFE_NO_PAD.encode(bait);
        let path = format!("/{encoded}");
        let fields = [("x-note", printable.as_bytes())];
        let request = Request::new("POST", target(&path), &fields);
        let note = Component::named("x-note").unwrap();
        let params = SignatureParams::new(vec![Component::METHOD, Component::PATH, note])
            .and_then(|params| params.with_created(1_767_225_600))
            .and_then(|params| params.with_nonce(encoded.as_str()))
            .unwrap();
        let prepared = prepare(Message::Request(&request), "sig1", &params, &LIMITS).unwrap();
        Signed::by(key, |key| drop(prepared.sign_with(key)))
    }

    fn accepts(&self, key: &PublicKey, signed: &Signed) -> bool {
        let read = Read::of(&signed.bytes);
        let input = format!("sig1={}", read.params);
        let value = BASE64_STANDARD.encode(signed.signature.to_fixed());
        let value = format!("sig1=:{value}:");
        let mut fields: Vec<(&str, &[u8])> = vec![
            ("signature-input", input.as_bytes()),
            ("signature", value.as_bytes()),
        ];
        fields.extend(
            read.fields
                .iter()
                .map(|(name, value)| (*name, value.as_bytes())),
        );
        let request = Request::new(read.method, target(read.path), &fields);
        let expect = Expect {
            covered: &[],
            freshness: Freshness::NotRequired,
            tag: ExpectedTag::NotCompared,
        };
        Signatures::read(&fields, &LIMITS).is_ok_and(|signatures| {
            signatures
                .verify(Message::Request(&request), "sig1", key, &expect, &LIMITS)
                .is_ok()
        })
    }
}

/// The message whose base some bytes could be. It is read as loosely as can be: what is not in a
/// base is lost, and the rebuilt one differs.
struct Read<'b> {
    method: &'b str,
    path: &'b str,
    fields: Vec<(&'b str, &'b str)>,
    params: String,
}

impl<'b> Read<'b> {
    fn of(bytes: &'b [u8]) -> Self {
        // Cut where no text goes on: a verifier has only texts to rebuild from.
        let text = match core::str::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => core::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap(),
        };
        let (lines, last) = text.rsplit_once('\n').unwrap_or(("", text));
        let params = last.split_once(": ").map_or(last, |(_, params)| params);
        let mut read = Self {
            method: "POST",
            path: "/",
            fields: Vec::new(),
            params: params.to_owned(),
        };
        if SignatureParams::parse(params, &Bounds::DEFAULT).is_err() {
            // No parameters at all to be had from it: the attacker writes some.
            read.params = "(\"@method\")".to_owned();
        }
        for line in lines.lines() {
            match line.split_once(": ") {
                Some(("\"@method\"", method)) => read.method = method,
                Some(("\"@path\"", path)) => read.path = path,
                Some((name, value)) => read.fields.push((name.trim_matches('"'), value)),
                None => {}
            }
        }
        read
    }
}

fn target(path: &str) -> Target<'_> {
    Target::new("https", "wfm.example", path, None)
        .unwrap_or_else(|_| Target::new("https", "wfm.example", "/", None).unwrap())
}

const LIMITS: Limits = Limits::DEFAULT;
