use super::*;
use crate::{ClientFault, RequestFault};
use proptest::prelude::*;

/// RFC 6749 §4.4.3, as printed.
const RFC_GRANTED: &str = r#"
     {
       "access_token":"2YotnFZFEjr1zCsicMWpAA",
       "token_type":"example",
       "expires_in":3600,
       "example_parameter":"example_value"
     }"#;

#[test]
fn the_example_of_rfc_6749_section_4_4_3() {
    // Its token type is the RFC's placeholder, which nobody can present.
    assert_eq!(
        TokenResponse::decode(RFC_GRANTED.as_bytes()).err(),
        Some(ResponseError::TokenType)
    );
    let bearer = RFC_GRANTED.replace(r#""example","#, r#""bEARER","#);
    let read = TokenResponse::decode(bearer.as_bytes()).unwrap();
    assert_eq!(read.access_token.expose(), "2YotnFZFEjr1zCsicMWpAA");
    assert_eq!(read.expires_in, Some(Duration::from_secs(3600)));
}

#[test]
fn the_answer_margo_2024_shows_is_written() {
    let granted = TokenResponse {
        access_token: AccessToken::from_wire("gpat_abc".into()).unwrap(),
        expires_in: Some(Duration::from_millis(3_600_999)),
    };
    // python3: json.dumps({...}, separators=(",", ":"))
    let expected = br#"{"access_token":"gpat_abc","token_type":"Bearer","expires_in":3600}"#;
    assert_eq!(granted.encode().as_slice(), expected);
}

#[test]
fn an_answer_without_expiry_is_read_and_written() {
    let text = br#"{"access_token":"a","token_type":"Bearer"}"#;
    let read = TokenResponse::decode(text).unwrap();
    assert_eq!(read.expires_in, None);
    assert_eq!(read.encode().as_slice(), text);
}

#[test]
fn what_is_no_grant_is_refused() {
    for text in [
        "",
        "null",
        "[\"a\",\"Bearer\",3600]",
        r#"{"token_type":"Bearer"}"#,
        r#"{"access_token":"a"}"#,
        r#"{"access_token":"a b","token_type":"Bearer"}"#,
        r#"{"access_token":"a","access_token":"b","token_type":"Bearer"}"#,
        r#"{"access_token":"a","token_type":"Bearer","expires_in":-1}"#,
        r#"{"access_token":"a","token_type":"Bearer","expires_in":"3600"}"#,
        r#"{"access_token":"a","token_type":"Bearer"} x"#,
    ] {
        let error = TokenResponse::decode(text.as_bytes()).err();
        assert_eq!(error, Some(ResponseError::Unreadable), "{text}");
    }
    let long = std::vec![b' '; MAX_TOKEN_RESPONSE + 1];
    assert_eq!(
        TokenResponse::decode(&long).err(),
        Some(ResponseError::TooLarge)
    );
}

#[test]
fn the_example_of_rfc_6749_section_5_2() {
    let read = ErrorResponse::decode(b"{\n \"error\":\"invalid_request\"\n }").unwrap();
    assert_eq!(read.error, ErrorCode::InvalidRequest);
    assert_eq!(read.description, None);
}

#[test]
fn a_description_is_kept_only_if_it_is_printable() {
    let read = |text: &str| ErrorResponse::decode(text.as_bytes()).unwrap();
    let said = read(r#"{"error":"slow_down","error_description":"too fast","error_uri":"x"}"#);
    assert_eq!(said.error, ErrorCode::Other("slow_down".into()));
    assert_eq!(said.description.as_deref(), Some("too fast"));
    let said = read(r#"{"error":"invalid_client","error_description":"\u001b[2J"}"#);
    assert_eq!(said.description, None);
    for refused in [
        r#"{"error":""}"#,
        r#"{"error":"a\nb"}"#,
        r#"{"error":1}"#,
        "{}",
    ] {
        assert!(
            ErrorResponse::decode(refused.as_bytes()).is_err(),
            "{refused}"
        );
    }
}

#[test]
fn each_refusal_has_its_code_status_and_challenge() {
    let cases: [(TokenError, &str, u16, bool); 4] = [
        (RequestFault::Repeated.into(), "invalid_request", 400, false),
        (ClientFault::Unknown.into(), "invalid_client", 401, true),
        (
            TokenError::UnsupportedGrantType,
            "unsupported_grant_type",
            400,
            false,
        ),
        (TokenError::InvalidScope, "invalid_scope", 400, false),
    ];
    for (error, code, status, challenge) in cases {
        let read = ErrorResponse::decode(&error.encode()).unwrap();
        assert_eq!(read.error, error.code());
        assert_eq!(read.error.as_str(), code);
        assert!(read.description.is_some());
        assert_eq!(error.status(), status);
        assert_eq!(error.www_authenticate().is_some(), challenge);
    }
}

#[test]
fn every_invalid_client_reads_the_same() {
    let unknown = TokenError::from(ClientFault::Unknown).encode();
    assert_eq!(TokenError::from(ClientFault::Malformed).encode(), unknown);
    assert_eq!(TokenError::from(ClientFault::Absent).encode(), unknown);
}

proptest! {
    #[test]
    fn what_is_granted_is_read(text in "[A-Za-z0-9._~+/-]{1,80}={0,2}", life in any::<Option<u64>>()) {
        let granted = TokenResponse {
            access_token: AccessToken::from_wire(text.clone()).unwrap(),
            expires_in: life.map(Duration::from_secs),
        };
        let read = TokenResponse::decode(&granted.encode()).unwrap();
        prop_assert_eq!(read.access_token.expose(), text);
        prop_assert_eq!(read.expires_in, life.map(Duration::from_secs));
    }

    #[test]
    fn nothing_panics(body in proptest::collection::vec(any::<u8>(), 0..100)) {
        let _ = TokenResponse::decode(&body);
        let _ = ErrorResponse::decode(&body);
    }
}
