use super::*;
use gangplank_testkit::{TestRng, python, suite};
use serde_json::Value;

fn at(seconds: u64) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(seconds))
}

fn issuer() -> NonceIssuer {
    NonceIssuer::new([7; 32], Duration::from_secs(300))
}

#[test]
fn a_nonce_holds_for_its_lifetime() {
    let nonce = issuer().issue(at(1000), &mut TestRng::new(1));
    let once = OnceKey {
        key: nonce.as_bytes().try_into().unwrap(),
        since: at(995),
        until: at(1300),
    };
    // A little too early: processes of one server do not agree to the second.
    for now in [995, 1000, 1300] {
        assert_eq!(issuer().check(&nonce, at(now)), Ok(once));
    }
    for now in [994, 1301] {
        let refused = issuer().check(&nonce, at(now));
        assert_eq!(refused, Err(NonceRefused::Expired));
    }
}

#[test]
fn nobody_else_can_issue_one() {
    let nonce = issuer().issue(at(1000), &mut TestRng::new(1));
    let other = NonceIssuer::new([8; 32], Duration::from_secs(300));
    assert_eq!(other.check(&nonce, at(1000)), Err(NonceRefused::NotOurs));
    for at_byte in 0..32 {
        let mut bytes = nonce.as_bytes().to_vec();
        bytes[at_byte] ^= 1;
        let forged = Nonce::from_bytes(&bytes).unwrap();
        assert_eq!(
            issuer().check(&forged, at(1000)),
            Err(NonceRefused::NotOurs)
        );
    }
    let random = Nonce::random(&mut TestRng::new(2));
    assert_eq!(
        issuer().check(&random, at(1000)),
        Err(NonceRefused::NotOurs)
    );
}

#[test]
fn the_key_is_not_printed() {
    let shown = format!("{:?}", issuer());
    assert_eq!(shown, "NonceIssuer { lifetime: 300s, .. }");
}

#[test]
fn no_two_are_alike() {
    let mut rng = TestRng::new(3);
    let one = issuer().issue(at(1000), &mut rng);
    assert_ne!(one, issuer().issue(at(1000), &mut rng));
}

#[test]
fn the_tag_is_the_one_python_computes() {
    let nonce = issuer().issue(at(1000), &mut TestRng::new(1));
    let (body, tag) = nonce.as_bytes().split_at(16);
    let script = "import hmac,sys\n\
        body=sys.stdin.buffer.read()\n\
        mac=hmac.digest(bytes([7]*32),b'gangplank replay nonce/1'+body,'sha256')\n\
        sys.stdout.buffer.write(mac[:16])";
    if let Some(expected) = python(script, body) {
        assert_eq!(tag, expected);
    }
}

/// C2SP Wycheproof's HMAC-SHA-256 cases, judged as the tag of a nonce is.
#[test]
fn every_tag_is_judged_as_wycheproof_does() {
    let Some(folder) = suite("wycheproof") else {
        return;
    };
    let text = std::fs::read_to_string(folder.join("hmac_sha256_test.json")).unwrap();
    let file: Value = serde_json::from_str(&text).unwrap();
    let mut run = 0;
    for group in file["testGroups"].as_array().unwrap() {
        for case in group["tests"].as_array().unwrap() {
            let mut mac = keyed(&hex(&case["key"]));
            mac.update(&hex(&case["msg"]));
            let judged = mac.verify_truncated_left(&hex(&case["tag"])).is_ok();
            assert_eq!(judged, case["result"] == "valid", "{case}");
            run += 1;
        }
    }
    println!("wycheproof HMAC: {run} run, {run} passed, 0 excepted");
    assert!(run >= 174, "{run} cases");
}

fn hex(value: &Value) -> Vec<u8> {
    let text = value.as_str().unwrap();
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}
