//! HTTP message signatures, held against the crate `httpsig` in both directions.

use gangplank_key::{SigningKey as _, SoftwareKey};
use gangplank_message::{
    Component, Expect, ExpectedTag, Field, Freshness, Limits, Message, Request, SignatureParams,
    Signatures, Target, prepare,
};
use httpsig::prelude::message_component::{HttpMessageComponent, HttpMessageComponentId};
use httpsig::prelude::{
    AlgorithmName, HttpSignatureBase, HttpSignatureHeaders, HttpSignatureParams, SecretKey,
};
use proptest::prelude::*;

const KEYS: [(AlgorithmName, &str); 2] = [
    (AlgorithmName::EcdsaP256Sha256, P256),
    (AlgorithmName::Ed25519, ED25519),
];
const EXPECT: Expect<'static> = Expect {
    covered: &[],
    freshness: Freshness::NotRequired,
    tag: ExpectedTag::NotCompared,
};
/// Covered, and what `httpsig` is told of each: it does not derive values itself.
const COMPONENTS: [&str; 7] = [
    "\"@method\"",
    "\"@target-uri\"",
    "\"@authority\"",
    "\"@scheme\"",
    "\"@path\"",
    "\"@query\"",
    "\"x-one\"",
];

#[derive(Clone, Debug)]
struct Sent {
    path: String,
    query: String,
    one: Vec<String>,
    covered: Vec<usize>,
    nonce: String,
}

fn sent() -> impl Strategy<Value = Sent> {
    let all: Vec<usize> = (0..COMPONENTS.len()).collect();
    let covered = prop::sample::subsequence(all, 0..=COMPONENTS.len());
    (
        "/[a-z0-9%/.-]{0,12}",
        "[a-z0-9&=%+]{1,12}",
        prop::collection::vec("[!-~]([ -~]{0,8}[!-~])?", 1..3),
        covered.prop_shuffle(),
        "[A-Za-z0-9_-]{1,20}",
    )
        .prop_map(|(path, query, one, covered, nonce)| Sent {
            path,
            query,
            one,
            covered,
            nonce,
        })
}

impl Sent {
    fn values(&self, component: &str) -> Vec<String> {
        match component {
            "\"@method\"" => ["POST".to_owned()].into(),
            "\"@target-uri\"" => [self.uri()].into(),
            "\"@authority\"" => ["Wfm.Example".to_owned()].into(),
            "\"@scheme\"" => ["https".to_owned()].into(),
            "\"@path\"" => [self.path.clone()].into(),
            "\"@query\"" => [format!("?{}", self.query)].into(),
            _ => self.one.clone(),
        }
    }

    fn uri(&self) -> String {
        format!("https://Wfm.Example{}?{}", self.path, self.query)
    }

    /// The base as `httpsig` builds it, with its own parameters.
    fn their_base(&self, params: Option<&str>) -> HttpSignatureBase {
        let covered = self.covered.iter().map(|at| COMPONENTS[*at]);
        let components: Vec<HttpMessageComponent> = covered
            .map(|component| {
                let id = HttpMessageComponentId::try_from(component).unwrap();
                let values = self.values(component);
                HttpMessageComponent::try_from((&id, values.as_slice())).unwrap()
            })
            .collect();
        let ids: Vec<_> = components.iter().map(|c| c.id.clone()).collect();
        let params = match params {
            Some(text) => HttpSignatureParams::try_from(text).unwrap(),
            None => {
                let mut params = HttpSignatureParams::try_new(&ids).unwrap();
                params.set_created(1_767_225_600).set_nonce(&self.nonce);
                params
            }
        };
        HttpSignatureBase::try_new(&components, &params).unwrap()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn ours_verify_there(sent in sent()) {
        for (name, pem) in KEYS {
            let key = SoftwareKey::from_pem(pem).unwrap();
            let uri = sent.uri();
            let fields: Vec<Field<'_>> = sent.one.iter().map(|v| ("X-One", v.as_bytes())).collect();
            let request = Request::new("POST", Target::parse(&uri).unwrap(), &fields);
            let covered = sent.covered.iter().map(|at| Component::parse(COMPONENTS[*at]).unwrap());
            let params = SignatureParams::new(covered.collect())
                .and_then(|params| params.with_created(1_767_225_600))
                .and_then(|params| params.with_nonce(sent.nonce.as_str()))
                .unwrap();
            let to_be_signed =
                prepare(Message::Request(&request), "sig1", &params, &Limits::DEFAULT).unwrap();
            let theirs = sent.their_base(Some(&params.to_string()));
            prop_assert_eq!(String::from_utf8(theirs.as_bytes()).unwrap(), to_be_signed.base().as_str());
            let ours = to_be_signed.sign_with(&key).unwrap();
            let headers =
                HttpSignatureHeaders::try_parse(&ours.signature, &ours.signature_input).unwrap();
            let public = SecretKey::from_pem(&name, pem).unwrap().public_key();
            prop_assert!(theirs.verify_signature_headers(&public, headers.get("sig1").unwrap()).is_ok());
        }
    }

    #[test]
    fn theirs_verify_here(sent in sent(), other in "[a-z]{1,3}") {
        for (name, pem) in KEYS {
            let secret = SecretKey::from_pem(&name, pem).unwrap();
            let headers = sent.their_base(None).build_signature_headers(&secret, Some("sig1")).unwrap();
            let (input, signature) =
                (headers.signature_input_header_value(), headers.signature_header_value());
            let mut fields: Vec<Field<'_>> = sent.one.iter().map(|v| ("X-One", v.as_bytes())).collect();
            fields.push(("Signature-Input", input.as_bytes()));
            fields.push(("Signature", signature.as_bytes()));
            let signatures = Signatures::read(&fields, &Limits::DEFAULT).unwrap();
            let key = SoftwareKey::from_pem(pem).unwrap();
            let verify = |method: &str, uri: &str| {
                let request = Request::new(method, Target::parse(uri).unwrap(), &fields);
                let message = Message::Request(&request);
                signatures
                    .verify(message, "sig1", key.public_key(), &EXPECT, &Limits::DEFAULT)
                    .is_ok()
            };
            prop_assert!(verify("POST", &sent.uri()));
            // Whatever is covered and changed is noticed.
            let covers = |component: &str| sent.covered.iter().any(|at| COMPONENTS[*at] == component);
            prop_assert_eq!(verify("PUT", &sent.uri()), !covers("\"@method\""));
            let changed = format!("{}{other}", sent.uri());
            let covers_query = covers("\"@query\"") || covers("\"@target-uri\"");
            prop_assert_eq!(verify("POST", &changed), !covers_query);
        }
    }
}

// RFC 9421 appendix B.1: everybody knows these keys.
const P256: &str = "-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgUpuF81l+kOxbjf7T
4mNSv0r5tN67Gim7rnf6EFpcYDuhRANCAASohVhlUsKs9kcYeM/XsJNbT/4P0t/D
QSSOoXvEHgWK8DHOJzfS0wzgYX6FHoPGHvVnnRUYZ2V2SQNdkKdM2ehd
-----END PRIVATE KEY-----
";
const ED25519: &str = "-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIJ+DYvh6SEqVTm50DFtMDoQikTmiCqirVv9mWG9qfSnF
-----END PRIVATE KEY-----
";
