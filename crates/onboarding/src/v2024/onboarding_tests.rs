use super::*;
use alloc::format;
use proptest::prelude::*;

/// python3: json.dumps({...}, separators=(",", ":")), members in the order of
/// docs/onboarding-api.md §4.
const REQUEST: &str = r#"{"apiVersion":"onboarding.margo.org/v1alpha1","kind":"OnboardingRequest","vendor":"Northwind","modelNumber":"NW-7","serialNumber":"SN-0001"}"#;
const RESPONSE: &str = r#"{"apiVersion":"onboarding.margo.org/v1alpha1","kind":"OnboardingResponse","clientId":"c-1","clientSecret":"gpcs_abc","tokenEndpointUrl":"https://wfm.example/margo/oauth2/token","deviceId":"d-1","gitRepositoryUrl":"https://wfm.example/margo/git/d-1.git","gitAccessToken":"gpgt_abc","gitAccessTokenExpiresAt":1767229200,"gitCredentialUrl":"https://wfm.example/margo/device/d-1/git-credential"}"#;

#[test]
fn the_request_that_python_writes_is_read_and_written() {
    let read = OnboardingRequest::decode(REQUEST.as_bytes()).unwrap();
    assert_eq!(read.vendor.as_ref().unwrap().as_str(), "Northwind");
    assert_eq!(read.model_number.as_ref().unwrap().as_str(), "NW-7");
    assert_eq!(read.serial_number.as_ref().unwrap().as_str(), "SN-0001");
    assert_eq!(read.encode(), REQUEST.as_bytes());
}

#[test]
fn kind_and_api_version_are_enough_and_unknown_members_are_ignored() {
    let text = br#"{"kind":"OnboardingRequest","later":[{}],"vendor":null,
        "apiVersion":"onboarding.margo.org/v1alpha1"}"#;
    assert_eq!(
        OnboardingRequest::decode(text),
        Ok(OnboardingRequest::default())
    );
}

#[test]
fn another_kind_or_api_version_has_its_own_error() {
    let decode = |text: &str| OnboardingRequest::decode(text.as_bytes()).unwrap_err();
    let kind = MessageError::Kind {
        expected: "OnboardingRequest",
    };
    let version = MessageError::ApiVersion {
        expected: API_VERSION,
    };
    assert_eq!(decode(RESPONSE), kind);
    assert_eq!(
        decode(&REQUEST.replace("OnboardingRequest", "onboardingrequest")),
        kind
    );
    assert_eq!(decode(&REQUEST.replace("v1alpha1", "v1")), version);
    assert_eq!(decode("{}"), version);
    assert_eq!(decode(&REQUEST.replace("\"OnboardingRequest\"", "1")), kind);
}

#[test]
fn a_description_is_bounded_and_typed() {
    let long = REQUEST.replace("Northwind", &"N".repeat(257));
    let error = OnboardingRequest::decode(long.as_bytes()).unwrap_err();
    assert_eq!(
        format!("{error}"),
        "the member vendor is invalid: too long, or with control characters"
    );
    let number = REQUEST.replace("\"NW-7\"", "7");
    let error = OnboardingRequest::decode(number.as_bytes()).unwrap_err();
    assert_eq!(format!("{error}"), "the member modelNumber is not a string");
    let twice = REQUEST.replace("\"kind\"", "\"vendor\":\"x\",\"kind\"");
    let error = OnboardingRequest::decode(twice.as_bytes()).unwrap_err();
    assert!(matches!(error, MessageError::Repeated { .. }));
}

#[test]
fn the_response_that_python_writes_is_read_and_written() {
    let read = OnboardingResponse::decode(RESPONSE.as_bytes()).unwrap();
    assert_eq!(read.client_id.as_str(), "c-1");
    assert_eq!(read.client_secret.as_ref().unwrap().expose(), "gpcs_abc");
    assert_eq!(read.device_id.as_str(), "d-1");
    assert_eq!(read.git_access_token.expose(), "gpgt_abc");
    assert_eq!(read.git_access_token_expires_at.as_secs(), 1_767_229_200);
    assert_eq!(read.encode().as_slice(), RESPONSE.as_bytes());
    let shown = format!("{read:?}");
    assert!(!shown.contains("gpcs_abc") && !shown.contains("gpgt_abc"));
}

#[test]
fn a_client_with_a_key_gets_no_secret() {
    let text = RESPONSE.replace(r#""clientSecret":"gpcs_abc","#, "");
    let read = OnboardingResponse::decode(text.as_bytes()).unwrap();
    assert!(read.client_secret.is_none());
    assert_eq!(read.encode().as_slice(), text.as_bytes());
}

#[test]
fn every_other_member_of_the_response_is_required_and_checked() {
    for (from, to, said) in [
        (
            "\"clientId\":\"c-1\"",
            "\"x\":1",
            "the member clientId is missing",
        ),
        (
            "\"c-1\"",
            "\"c/1\"",
            "the member clientId is invalid: no client id",
        ),
        (
            "\"d-1\"",
            "\"..\"",
            "the member deviceId is invalid: no device id",
        ),
        (
            "gpcs_abc",
            "gpcs abc",
            "the member clientSecret is invalid: no secret",
        ),
        (
            "gpgt_abc",
            "",
            "the member gitAccessToken is invalid: no git token",
        ),
        (
            "https://wfm.example/margo/oauth2",
            "http://x",
            "the member tokenEndpointUrl is invalid: no https address",
        ),
        (
            "https://wfm.example/margo/git",
            "https://u:p@x",
            "the member gitRepositoryUrl is invalid: no https address",
        ),
        (
            "gitCredentialUrl",
            "x",
            "the member gitCredentialUrl is missing",
        ),
        (
            "1767229200",
            "1.5",
            "the member gitAccessTokenExpiresAt is not a whole number of unix seconds",
        ),
    ] {
        let text = RESPONSE.replace(from, to);
        let error = OnboardingResponse::decode(text.as_bytes()).unwrap_err();
        assert_eq!(format!("{error}"), said);
    }
}

proptest! {
    #[test]
    fn a_request_comes_back(vendor in proptest::option::of("\\PC{0,60}"), serial in "[ -~]{0,99}") {
        let request = OnboardingRequest {
            vendor: vendor.map(|text| ShortText::parse(&text).unwrap()),
            model_number: None,
            serial_number: Some(ShortText::parse(&serial).unwrap()),
        };
        prop_assert_eq!(OnboardingRequest::decode(&request.encode()), Ok(request));
    }

    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..100), at in 0_usize..500) {
        let _ = OnboardingRequest::decode(&bytes);
        let _ = OnboardingResponse::decode(&bytes);
        let mut cut = RESPONSE.as_bytes().to_vec();
        let at = at % cut.len();
        cut.splice(at..=at, bytes);
        let _ = OnboardingResponse::decode(&cut);
    }
}
