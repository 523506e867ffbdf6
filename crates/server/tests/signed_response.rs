//! Responses signed as HTTP messages (RFC 9421) by a server and verified by a client.
#![cfg(feature = "message")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use gangplank_client::message_signature::{ResponseError, sign, verify_response};
use gangplank_server::key::{Algorithm, Signature, SigningKey, SoftwareKey, UnixTime};
use gangplank_server::message::{Nonce, Stale, VerifyError, Window};
use gangplank_server::message_signature::sign_response;
use gangplank_server::onboarding::RootUrl;
use gangplank_testkit::{TestRng, openssl, openssl_accepts, temp_dir};
use http::{HeaderValue, Request, Response, StatusCode};

const BODY: &str = r#"{"deployments":[]}"#;

fn at(seconds: u64) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(seconds))
}

fn window(now: u64) -> Window {
    Window {
        now: at(now),
        max_age: Duration::from_secs(60),
        max_lead: Duration::from_secs(5),
    }
}

fn key(seed: u64) -> SoftwareKey {
    SoftwareKey::generate(Algorithm::EcdsaP256Sha256, &mut TestRng::new(seed)).unwrap()
}

/// As the client sends it, whose root URL has a path.
fn sent(seed: u64) -> Request<&'static str> {
    let uri = "https://wfm.example/margo/api/v1/clients/c-1/deployments?since=1";
    let mut request = Request::get(uri).body("").unwrap();
    let nonce = Nonce::random(&mut TestRng::new(seed));
    sign(&mut request, &key(1), at(1000), &nonce).unwrap();
    request
}

/// As a server below a balancer sees it.
fn seen(sent: &Request<&'static str>) -> Request<()> {
    let mut request = Request::get("/api/v1/clients/c-1/deployments?since=1");
    *request.headers_mut().unwrap() = sent.headers().clone();
    request.header("host", "10.0.0.7:8080").body(()).unwrap()
}

fn answer(request: &Request<()>, server: &SoftwareKey) -> Response<&'static str> {
    let mut response = Response::new(BODY);
    let public_url = RootUrl::parse("https://wfm.example/margo").unwrap();
    sign_response(&mut response, request, &public_url, at(1000), server).unwrap();
    response
}

#[test]
fn an_answer_is_believed_as_the_answer_to_its_request_alone() {
    let (server, sent) = (key(2), sent(1));
    let response = answer(&seen(&sent), &server);
    let verify = |response: &Response<&'static str>, request: &Request<&'static str>| {
        verify_response(response, request, server.public_key(), &window(1030)).map(<[u8]>::to_vec)
    };
    assert_eq!(verify(&response, &sent).as_deref(), Ok(BODY.as_bytes()));

    let changed = |change: &dyn Fn(&mut Response<&'static str>)| {
        let mut response = response.clone();
        change(&mut response);
        verify(&response, &sent)
    };
    assert_eq!(
        changed(&|response| *response.status_mut() = StatusCode::ACCEPTED),
        Err(ResponseError::Verify(VerifyError::Signature))
    );
    assert!(matches!(
        changed(&|response| *response.body_mut() = "{}"),
        Err(ResponseError::Digest(_))
    ));
    for field in ["content-digest", "signature-input", "signature"] {
        let without = changed(&|response| drop(response.headers_mut().remove(field)));
        assert!(without.is_err(), "{field}");
        let garbled = changed(&|response| {
            response
                .headers_mut()
                .insert(field, HeaderValue::from_static("sig1=:AAAA:"));
        });
        assert!(garbled.is_err(), "{field}");
    }
    // What is not covered may change on the way.
    let with_age = changed(&|response| {
        response
            .headers_mut()
            .insert("age", HeaderValue::from_static("1"));
    });
    assert_eq!(with_age.as_deref(), Ok(BODY.as_bytes()));

    // The same request again has another nonce, so the answer to the first does not answer it.
    let refused = Err(ResponseError::Verify(VerifyError::Signature));
    assert_eq!(verify(&response, &self::sent(2)), refused);
    let mut elsewhere = sent.clone();
    *elsewhere.uri_mut() = "https://wfm.example/margo/other".parse().unwrap();
    assert_eq!(verify(&response, &elsewhere), refused);
    let mut other_method = sent.clone();
    *other_method.method_mut() = http::Method::HEAD;
    assert_eq!(verify(&response, &other_method), refused);
}

#[test]
fn an_answer_is_of_the_key_and_the_time_that_are_expected() {
    let (server, sent) = (key(2), sent(1));
    let response = answer(&seen(&sent), &server);
    let refused = verify_response(&response, &sent, key(3).public_key(), &window(1030));
    assert_eq!(refused, Err(ResponseError::Verify(VerifyError::Signature)));
    for (now, stale) in [
        (1061, Stale::TooOld { age: 61, max: 60 }),
        (994, Stale::TooNew { lead: 6, max: 5 }),
    ] {
        let refused = verify_response(&response, &sent, server.public_key(), &window(now));
        let expected = ResponseError::Verify(VerifyError::Stale(stale));
        assert_eq!(refused, Err(expected));
    }
}

#[test]
fn the_answer_to_an_unsigned_request_says_which_it_was() {
    let server = key(2);
    let unsigned = Request::get("https://wfm.example/margo/x")
        .body("")
        .unwrap();
    let seen = Request::get("/x").body(()).unwrap();
    let response = answer(&seen, &server);
    let window = window(1030);
    let verified = verify_response(&response, &unsigned, server.public_key(), &window);
    assert_eq!(verified, Ok(BODY.as_bytes()));
    // A signed request needs an answer that covers its signature.
    let refused = verify_response(&response, &sent(1), server.public_key(), &window);
    assert!(matches!(
        refused,
        Err(ResponseError::Verify(VerifyError::NotCovered { .. }))
    ));
}

/// The base by hand (RFC 9421 §2.4, §2.5), and openssl as the verifier.
#[test]
fn openssl_accepts_an_answer() {
    let (server, sent) = (key(2), sent(1));
    let response = answer(&seen(&sent), &server);
    let field = |name| response.headers()[name].to_str().unwrap();
    let digest = openssl(&["dgst", "-sha256", "-binary"], BODY.as_bytes());
    let Some(digest) = digest.map(|digest| BASE64_STANDARD.encode(digest)) else {
        return;
    };
    assert_eq!(field("content-digest"), format!("sha-256=:{digest}:"));
    let asked = sent.headers()["signature"].to_str().unwrap();
    let base = format!(
        "\"@status\": 200\n\
         \"content-digest\": sha-256=:{digest}:\n\
         \"@method\";req: GET\n\
         \"@target-uri\";req: {}\n\
         \"signature\";key=\"sig1\";req: {}\n\
         \"@signature-params\": {}",
        sent.uri(),
        asked.strip_prefix("sig1=").unwrap(),
        field("signature-input").strip_prefix("sig1=").unwrap(),
    );
    let signature = field("signature");
    let signature = signature.strip_prefix("sig1=:").unwrap().strip_suffix(':');
    let signature = BASE64_STANDARD.decode(signature.unwrap()).unwrap();
    let signature = Signature::from_fixed(Algorithm::EcdsaP256Sha256, &signature).unwrap();
    let folder = temp_dir();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(at("spki"), server.public_key().spki()).unwrap();
    std::fs::write(at("signature"), signature.to_wire()).unwrap();
    let (spki, signature) = (at("spki"), at("signature"));
    let verify = [
        "dgst",
        "-sha256",
        "-keyform",
        "DER",
        "-verify",
        &spki,
        "-signature",
        &signature,
    ];
    assert_ne!(
        openssl_accepts(&verify, base.as_bytes()),
        Some(false),
        "{base}"
    );
}
