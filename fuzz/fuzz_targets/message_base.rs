//! Arbitrary bytes as a message with signature fields: reading never panics, and the base of what
//! is read is the base of what is written.

#![no_main]

use gangplank_key::Backend;
use gangplank_message::content_digest::{ClaimedDigests, DigestField, read_wanted};
use gangplank_message::{AcceptSignature, Limits, SignatureBase, SignatureParams, Signatures};
use libfuzzer_sys::fuzz_target;

mod message_text;

const LIMITS: &Limits = &Limits::DEFAULT;

fuzz_target!(|text: &[u8]| {
    message_text::with_message(text, |message, fields, body| {
        for field in [DigestField::ContentDigest, DigestField::ReprDigest] {
            let _ = read_wanted(fields, field, LIMITS);
            if let Ok(Some(digests)) = ClaimedDigests::read(fields, field, LIMITS) {
                let _ = digests.check(body, Backend::PURE_RUST);
            }
        }
        if let Ok(accept) = AcceptSignature::read(fields, LIMITS) {
            let text = accept.to_string();
            let again = [("accept-signature", text.as_bytes())];
            let again = AcceptSignature::read(&again, LIMITS).expect("what was written is read");
            assert_eq!(again, accept);
            for label in accept.labels() {
                assert_eq!(again.requested(label), accept.requested(label));
            }
        }
        let Ok(signatures) = Signatures::read(fields, LIMITS) else {
            return;
        };
        for label in signatures.labels() {
            let Ok(claimed) = signatures.claimed(label) else {
                continue;
            };
            let text = claimed.claimed_params().to_string();
            let bounds = gangplank_message::structured::Bounds::DEFAULT;
            let params = SignatureParams::parse(&text, &bounds).expect("what was written is read");
            assert_eq!(&params, claimed.claimed_params());
            assert_eq!(params.to_string(), text, "there is one way to write it");
            let base = claimed.base(message, LIMITS);
            assert_eq!(base, SignatureBase::build(message, &params, LIMITS));
            if let Ok(base) = base {
                assert_eq!(base.as_str().lines().count(), params.components().len() + 1);
                assert!(base.as_str().is_ascii());
            }
        }
    });
});
