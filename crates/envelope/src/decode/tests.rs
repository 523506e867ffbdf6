use super::*;
use gangplank_testkit::suite;
use proptest::prelude::*;

mod general_reader;

/// The bound envelope of `docs/envelope.md` §5, made by Python's `cryptography`.
const BOUND: &str = r#"{"payload":"eyJhcGlWZXJzaW9uIjoib25ib2FyZGluZy5tYXJnby5vcmcvdjFhbHBoYTEiLCJraW5kIjoiT25ib2FyZGluZ1JlcXVlc3QifQ==","digest":"sha256:61876e9f6957e89d77e6adca692a171e112414cd16769da1c369ed862a27f5b9","signature":"MEYCIQCOK0TjtMXo0bGo/2x+0gAq4gJjr4HAJ4RTMo0dJUyUdAIhALFgAI3DoMaAVjngp4BjrA/lU+HCizkO0S65RN1QGW0A","certificateId":"SN-0001","type":"OnboardingRequest","created":1767225600,"nonce":"AAECAwQFBgcICQoLDA0ODw","audience":"https://wfm.example/margo"}"#;

fn decode(text: &str) -> Result<(), DecodeError> {
    Envelope::decode(text.as_bytes(), &Limits::DEFAULT, &mut Vec::new()).map(|_| ())
}

fn reason(text: &str) -> String {
    decode(text).unwrap_err().to_string()
}

#[test]
fn the_text_of_the_specification_comes_back_to_the_letter() {
    let mut scratch = Vec::new();
    let envelope = Envelope::decode(BOUND.as_bytes(), &Limits::DEFAULT, &mut scratch).unwrap();
    assert_eq!(envelope.claimed_signer().as_str(), "SN-0001");
    assert_eq!(
        envelope.claimed_type(),
        Some(&PayloadType::ONBOARDING_REQUEST)
    );
    assert_eq!(envelope.claimed_created(), Some(1_767_225_600));
    assert_eq!(
        envelope.claimed_nonce().unwrap().as_str(),
        "AAECAwQFBgcICQoLDA0ODw"
    );
    assert_eq!(
        envelope.claimed_audience().unwrap().as_str(),
        "https://wfm.example/margo"
    );
    assert_eq!(envelope.encode(), BOUND.as_bytes());
}

#[test]
fn order_and_white_space_are_free() {
    let value: serde_json::Value = serde_json::from_str(BOUND).unwrap();
    let spaced = format!(
        " \r\n\t{} \n",
        serde_json::to_string_pretty(&value).unwrap()
    );
    let mut scratch = Vec::new();
    let envelope = Envelope::decode(spaced.as_bytes(), &Limits::DEFAULT, &mut scratch).unwrap();
    assert_eq!(envelope.encode(), BOUND.as_bytes());
}

#[test]
fn whatever_is_not_an_envelope_is_refused_with_its_place() {
    let cases = [
        (
            String::new(),
            "is not a JSON object of its form: expected `{` at byte 0",
        ),
        ("[]".into(), "expected `{` at byte 0"),
        (format!("\u{feff}{BOUND}"), "expected `{` at byte 0"),
        (
            format!("{BOUND}x"),
            "expected nothing after the object at byte 454",
        ),
        (
            BOUND.replace("\"payload\":", "\"payload\":null,\"x\":"),
            "expected a string at byte 11",
        ),
        (
            BOUND.replace("\"nonce\":\"AAECAwQFBgcICQoLDA0ODw\"", "\"nonce\":null"),
            "expected a string at byte",
        ),
        (
            BOUND.replace("\"type\"", "\"alg\":\"none\",\"type\""),
            "unknown member `alg`",
        ),
        (
            BOUND.replace("\"type\"", "\"digest\":\"\",\"type\""),
            "repeated member `digest`",
        ),
        (
            BOUND.replace("\"type\"", "\"type\":\"A\",\"type\""),
            "repeated member `type`",
        ),
        (
            BOUND.replace("SN-0001", "SN\\u002d0001"),
            "backslash at byte 327",
        ),
        (
            BOUND.replace(",\"certificateId\":\"SN-0001\"", ""),
            "missing member `certificateId`",
        ),
        (
            BOUND.replace("\"type\":\"OnboardingRequest\",", ""),
            "no `type`, so it cannot have `created`",
        ),
        (
            BOUND.replace("SN-0001", ""),
            "`certificateId`: a certificate id has at least one",
        ),
        (
            BOUND.replace("SN-0001", "{SN}"),
            "`certificateId`: a certificate id begins with",
        ),
        (
            BOUND.replace("OnboardingRequest\"", "Onboarding Request\""),
            "`type`: a payload type has",
        ),
        (BOUND.replace("f5b9\"", "F5B9\""), "`digest`: not `sha256:`"),
        (
            BOUND.replace("sha256:", "sha512:"),
            "`digest`: not `sha256:`",
        ),
        (BOUND.replace("f5b9\"", "f5b\""), "`digest`: not `sha256:`"),
        (BOUND.replace("fQ==\"", "fQ=\""), "`payload`: not canonical"),
        (BOUND.replace("fQ==\"", "fQ\""), "`payload`: not canonical"),
        (
            BOUND.replace("fQ==\"", "fR==\""),
            "`payload`: not canonical",
        ),
        (
            BOUND.replace("fQ==\"", "f Q==\""),
            "`payload`: not canonical",
        ),
        (
            BOUND.replace("W0A\"", "W0-\""),
            "`signature`: not canonical",
        ),
        (
            BOUND.replace("1767225600", "1767225600.0"),
            "expected a whole number",
        ),
        (
            BOUND.replace("1767225600", "1.7672256e9"),
            "expected a whole number",
        ),
        (BOUND.replace("1767225600", "-1"), "expected a whole number"),
        (BOUND.replace("1767225600", "-0"), "expected a whole number"),
        (BOUND.replace("1767225600", "01"), "expected a whole number"),
        (
            BOUND.replace("1767225600", "\"1767225600\""),
            "expected a whole number",
        ),
        (
            BOUND.replace("1767225600", "9007199254740992"),
            "`created`: beyond 2^53 - 1",
        ),
        (
            BOUND.replace("1767225600", "18446744073709551616"),
            "`created`: beyond 2^53 - 1",
        ),
        (
            BOUND.replace("DA0ODw", "DA0ODx"),
            "`nonce`: a nonce is canonical",
        ),
        (
            BOUND.replace("/margo\"", "/margo/\""),
            "`audience`: an audience's path",
        ),
        (
            BOUND.replace("\"https://wfm.example/margo\"", "\"\""),
            "`audience`: an audience begins",
        ),
    ];
    for (text, expected) in &cases {
        let found = reason(text);
        assert!(
            found.contains(expected),
            "{text}\n  gives: {found}\n  wanted: {expected}"
        );
    }
}

#[test]
fn an_array_of_the_values_is_no_envelope() {
    let value: serde_json::Value = serde_json::from_str(BOUND).unwrap();
    let member = |name: &str| value[name].clone();
    let mut values: Vec<_> = ["payload", "digest", "signature", "certificateId", "type"]
        .map(member)
        .to_vec();
    values.extend(["created", "nonce", "audience"].map(member));
    values.push(serde_json::json!(["MAIFAA=="]));
    let found = reason(&serde_json::Value::from(values).to_string());
    assert!(found.contains("expected `{` at byte 0"), "{found}");
}

#[test]
fn certificates_are_counted_and_bounded() {
    let with = |list: &str| {
        BOUND.replace(
            "\"audience\"",
            &format!("\"certificates\":{list},\"audience\""),
        )
    };
    assert_eq!(decode(&with("[\"MAIFAA==\"]")), Ok(()));
    let list = |count: usize| format!("[{}]", vec!["\"MAIFAA==\""; count].join(","));
    assert_eq!(decode(&with(&list(8))), Ok(()));
    assert!(reason(&with(&list(9))).contains("expected no more than 8 strings"));
    assert!(reason(&with("[]")).contains("`certificates`: empty"));
    assert!(reason(&with("[\"\"]")).contains("`certificates`: empty"));
    assert!(reason(&with("[null]")).contains("expected a string"));
    assert!(reason(&with("\"MAIFAA==\"")).contains("expected an array of 1 to 8 strings"));
    for list in [
        "[\"AA==\"]",
        "[\"MAIFAAA=\"]",
        "[\"MAAwAA==\"]",
        "[\"MIECBQA=\"]",
    ] {
        assert!(
            reason(&with(list)).contains("`certificates`: not the DER of one"),
            "{list}"
        );
    }
    let fewer = Limits {
        certificates: 1,
        ..Limits::DEFAULT
    };
    let decode = |text: &str| Envelope::decode(text.as_bytes(), &fewer, &mut Vec::new()).map(drop);
    assert_eq!(decode(&with(&list(1))), Ok(()));
    assert_eq!(
        decode(&with(&list(2))),
        Err(DecodeError::Member {
            member: "certificates",
            reason: MemberError::TooLarge { limit: 1 }
        })
    );
    let long = format!("[\"{}\"]", "AAAA".repeat(6000));
    assert!(reason(&with(&long)).contains("`certificates`: larger than the 16384 accepted"));
}

#[test]
fn a_larger_limit_lets_larger_certificates_through() {
    let der = [&[0x30, 0x83, 0x01, 0x11, 0x70], [0; 70_000].as_slice()].concat();
    let form = Form::Bound(
        Binding::new(PayloadType::ONBOARDING_REQUEST).certificates([der.into()].into()),
    );
    let signer = CertificateId::parse("SN-0001").unwrap();
    let prepared = Envelope::prepare(&b"{}"[..], form, &signer).unwrap();
    let algorithm = gangplank_key::Algorithm::Ed25519;
    let signature = gangplank_key::Signature::from_wire(algorithm, &[0; 64]).unwrap();
    let text = prepared.complete(&signature);
    let decode = |certificate| {
        let limits = Limits {
            certificate,
            ..Limits::DEFAULT
        };
        Envelope::decode(&text, &limits, &mut Vec::new()).map(|_| ())
    };
    assert_eq!(decode(70_005), Ok(()));
    assert_eq!(
        decode(70_004),
        Err(DecodeError::Member {
            member: "certificates",
            reason: MemberError::TooLarge { limit: 70_004 }
        })
    );
}

#[test]
fn payloads_are_bounded_before_they_are_decoded() {
    let limits = Limits {
        payload: 72,
        ..Limits::DEFAULT
    };
    let mut scratch = Vec::new();
    let error = Envelope::decode(BOUND.as_bytes(), &limits, &mut scratch).unwrap_err();
    assert_eq!(
        error,
        DecodeError::Member {
            member: "payload",
            reason: MemberError::TooLarge { limit: 72 }
        }
    );
    let far_less = Limits {
        payload: 9,
        ..Limits::DEFAULT
    };
    let mut empty = Vec::new();
    assert!(Envelope::decode(BOUND.as_bytes(), &far_less, &mut empty).is_err());
    assert_eq!(empty.capacity(), 0);
    let limits = Limits {
        payload: 73,
        ..limits
    };
    assert!(Envelope::decode(BOUND.as_bytes(), &limits, &mut scratch).is_ok());
    let mut text = BOUND.as_bytes().to_vec();
    text.resize(limits.text(), b' ');
    assert!(Envelope::decode(&text, &limits, &mut scratch).is_ok());
    text.push(b' ');
    assert!(matches!(
        Envelope::decode(&text, &limits, &mut scratch),
        Err(DecodeError::TooLarge { .. })
    ));
}

#[test]
fn what_is_claimed_can_be_looked_at() {
    let with_certificate = BOUND.replace(
        "\"audience\"",
        "\"certificates\":[\"MAIFAA==\"],\"audience\"",
    );
    let mut scratch = Vec::new();
    let mut claimed = |text: &str| {
        let envelope = Envelope::decode(text.as_bytes(), &Limits::DEFAULT, &mut scratch).unwrap();
        let certificates = envelope.claimed_certificates().to_vec();
        (envelope.is_bound(), envelope.payload_length(), certificates)
    };
    assert_eq!(claimed(BOUND), (true, 73, Vec::new()));
    let certificate = CertificateDer::from([0x30, 2, 5, 0].as_slice());
    assert_eq!(claimed(&with_certificate), (true, 73, [certificate].into()));
    let (plain, _) = BOUND.split_once(",\"type\"").unwrap();
    assert_eq!(claimed(&format!("{plain}}}")), (false, 73, Vec::new()));
}

#[test]
fn unknown_names_are_quoted_in_part_only() {
    let text = BOUND.replace(
        "\"type\"",
        &format!("\"{}\":1,\"type\"", "x".repeat(100_000)),
    );
    assert!(reason(&text).len() < 300);
}

#[test]
fn every_text_that_is_no_json_is_refused() {
    let Some(folder) = suite("json/JSONTestSuite/test_parsing") else {
        return;
    };
    let (mut refused, mut files) = (0, 0);
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        let outcome = Envelope::decode(&bytes, &Limits::DEFAULT, &mut Vec::new()).is_ok();
        assert!(!outcome, "{} is no envelope", path.display());
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        // Within a payload only the texts count that are objects; the n_ ones never do.
        if name.starts_with("n_") {
            assert!(
                !crate::json_object::is_json_object(&bytes),
                "{name} passes for an object"
            );
            refused += 1;
        }
        files += 1;
    }
    println!("JSONTestSuite: {files} run, {refused} n_ refused as payload, 0 excepted");
    assert!(
        refused >= 187 && files >= 318,
        "{files} files, {refused} n_"
    );
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in any::<Vec<u8>>()) {
        let _ = Envelope::decode(&bytes, &Limits::DEFAULT, &mut Vec::new());
    }

    #[test]
    fn what_decodes_is_encoded_in_one_way(at in 0usize..BOUND.len(), to in any::<u8>()) {
        let mut bytes = BOUND.as_bytes().to_vec();
        bytes[at] = to;
        let (mut one, mut other) = (Vec::new(), Vec::new());
        if let Ok(envelope) = Envelope::decode(&bytes, &Limits::DEFAULT, &mut one) {
            let text = envelope.encode();
            let again = Envelope::decode(&text, &Limits::DEFAULT, &mut other).unwrap();
            prop_assert_eq!(&again, &envelope);
            prop_assert_eq!(again.encode(), text);
        }
    }
}
