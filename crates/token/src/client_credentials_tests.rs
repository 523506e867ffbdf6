use super::*;
use proptest::prelude::*;

const FORM: Option<&str> = Some("application/x-www-form-urlencoded");
const GRANT: &[u8] = b"grant_type=client_credentials";

/// python3: "Basic " + base64.b64encode((quote_plus(id) + ":" + quote_plus(secret)).encode())
/// with id = 'press:7=a.b_c-d' and secret = 'p@ss/w+rd%:"&\\z'.
const PYTHON_BASIC: &str =
    "Basic cHJlc3MlM0E3JTNEYS5iX2MtZDpwJTQwc3MlMkZ3JTJCcmQlMjUlM0ElMjIlMjYlNUN6";
/// python3: urllib.parse.urlencode of the same three parameters.
const PYTHON_FORM: &str = "grant_type=client_credentials&client_id=press%3A7%3Da.b_c-d\
                           &client_secret=p%40ss%2Fw%2Brd%25%3A%22%26%5Cz";

fn awkward() -> TokenRequest {
    request("press:7=a.b_c-d", "p@ss/w+rd%:\"&\\z")
}

fn request(id: &str, secret: &str) -> TokenRequest {
    TokenRequest {
        client_id: ClientId::parse(id).unwrap(),
        client_secret: ClientSecret::from_wire(secret.into()).unwrap(),
    }
}

fn basic(pair: &str) -> String {
    format!("Basic {}", STANDARD.encode(pair))
}

fn texts(request: &TokenRequest) -> (&str, &str) {
    (request.client_id.as_str(), request.client_secret.expose())
}

fn fault(authorization: Option<&str>, body: &[u8]) -> TokenError {
    parse_token_request(authorization, FORM, body).unwrap_err()
}

#[test]
fn both_ways_of_asking_are_what_python_writes() {
    assert_eq!(awkward().basic_header().as_str(), PYTHON_BASIC);
    assert_eq!(awkward().form().as_str(), PYTHON_FORM);
}

#[test]
fn what_python_writes_is_read() {
    let by_header = parse_token_request(Some(PYTHON_BASIC), FORM, GRANT).unwrap();
    assert_eq!(texts(&by_header), texts(&awkward()));
    let by_form = parse_token_request(None, FORM, PYTHON_FORM.as_bytes()).unwrap();
    assert_eq!(texts(&by_form), texts(&awkward()));
}

#[test]
fn the_examples_of_rfc_6749_sections_2_3_1_and_4_4_2() {
    let header = "Basic czZCaGRSa3F0Mzo3RmpmcDBaQnIxS3REUmJuZlZkbUl3";
    let read = parse_token_request(Some(header), FORM, GRANT).unwrap();
    assert_eq!(texts(&read), ("s6BhdRkqt3", "7Fjfp0ZBr1KtDRbnfVdmIw"));
    assert_eq!(read.basic_header().as_str(), header);
    // §4.4.2 uses another secret: "gX1fBat3bV".
    let header = "Basic czZCaGRSa3F0MzpnWDFmQmF0M2JW";
    let read = parse_token_request(Some(header), FORM, GRANT).unwrap();
    assert_eq!(texts(&read), ("s6BhdRkqt3", "gX1fBat3bV"));
}

#[test]
fn the_body_of_a_margo_2024_device_is_read() {
    let body = b"grant_type=client_credentials&client_id=dev-1&client_secret=s3cret";
    let read = parse_token_request(
        None,
        Some("Application/X-WWW-Form-Urlencoded; charset=UTF-8"),
        body,
    );
    assert_eq!(texts(&read.unwrap()), ("dev-1", "s3cret"));
}

#[test]
fn a_tilde_may_come_escaped_or_not() {
    for wire in ["a~b", "a%7Eb", "a%7eb"] {
        let read = parse_token_request(Some(&basic(&format!("{wire}:x"))), FORM, GRANT);
        assert_eq!(read.unwrap().client_id.as_str(), "a~b");
    }
}

#[test]
fn two_methods_at_once_are_an_invalid_request() {
    let two = TokenError::InvalidRequest(RequestFault::TwoMethods);
    assert_eq!(fault(Some(PYTHON_BASIC), PYTHON_FORM.as_bytes()), two);
    let body = b"grant_type=client_credentials&client_id=a&client_secret=b&client_assertion=c";
    assert_eq!(fault(None, body), two);
}

#[test]
fn an_id_beside_basic_must_be_the_same() {
    let header = basic("a:b");
    let same = b"grant_type=client_credentials&client_id=a";
    assert!(parse_token_request(Some(&header), FORM, same).is_ok());
    let other = b"grant_type=client_credentials&client_id=c";
    assert_eq!(
        fault(Some(&header), other),
        TokenError::InvalidRequest(RequestFault::OtherClient)
    );
}

#[test]
fn the_grant_must_be_there_and_be_ours() {
    let missing = TokenError::InvalidRequest(RequestFault::Missing("grant_type"));
    assert_eq!(fault(None, b""), missing);
    assert_eq!(fault(None, b"client_id=a&client_secret=b"), missing);
    assert_eq!(
        fault(None, b"grant_type=&client_id=a&client_secret=b"),
        missing
    );
    assert_eq!(
        fault(Some(PYTHON_BASIC), b"grant_type=password"),
        TokenError::UnsupportedGrantType
    );
}

#[test]
fn no_authentication_is_an_invalid_client() {
    let absent = TokenError::InvalidClient(ClientFault::Absent);
    assert_eq!(fault(None, GRANT), absent);
    assert_eq!(
        fault(None, b"grant_type=client_credentials&client_id=a"),
        absent
    );
    assert_eq!(
        fault(
            None,
            b"grant_type=client_credentials&client_id=a&client_secret="
        ),
        absent
    );
    assert_eq!(
        fault(None, b"grant_type=client_credentials&client_secret=a"),
        TokenError::InvalidRequest(RequestFault::Missing("client_id"))
    );
}

#[test]
fn other_methods_are_an_invalid_client() {
    let method = TokenError::InvalidClient(ClientFault::Method);
    assert_eq!(fault(Some("Bearer abc"), GRANT), method);
    assert_eq!(fault(Some("Basic"), GRANT), method);
    assert_eq!(
        fault(
            None,
            b"grant_type=client_credentials&client_assertion=e30.e30.e30"
        ),
        method
    );
}

#[test]
fn malformed_basic_credentials_are_an_invalid_client() {
    let malformed = TokenError::InvalidClient(ClientFault::Malformed);
    for header in [
        "Basic !",
        "Basic YTpi=",
        "Basic YTpiYQ",
        &basic("no-colon"),
        &basic("a:%4"),
        &basic("a:%ff"),
    ] {
        assert_eq!(fault(Some(header), GRANT), malformed, "{header}");
    }
    let impossible = TokenError::InvalidClient(ClientFault::Impossible);
    assert_eq!(fault(Some(&basic(":b")), GRANT), impossible);
    assert_eq!(fault(Some(&basic("a:")), GRANT), impossible);
    assert_eq!(fault(Some(&basic("a/b:c")), GRANT), impossible);
}

#[test]
fn a_repeated_parameter_is_refused_even_an_unknown_or_empty_one() {
    let repeated = TokenError::InvalidRequest(RequestFault::Repeated);
    for body in [
        "grant_type=client_credentials&grant_type=client_credentials",
        "grant_type=client_credentials&x=1&x=2",
        "grant_type=client_credentials&client_id=&client_id=a",
        "grant_type=client_credentials&client%5Fid=a&client_id=a",
    ] {
        assert_eq!(fault(Some(PYTHON_BASIC), body.as_bytes()), repeated);
    }
}

#[test]
fn a_scope_is_not_dropped_silently() {
    let body = b"grant_type=client_credentials&scope=admin";
    assert_eq!(fault(Some(PYTHON_BASIC), body), TokenError::InvalidScope);
    let body = b"grant_type=client_credentials&scope=";
    assert!(parse_token_request(Some(PYTHON_BASIC), FORM, body).is_ok());
}

#[test]
fn the_body_is_bounded_and_of_one_type() {
    let long = std::vec![b'a'; MAX_TOKEN_REQUEST + 1];
    assert_eq!(
        fault(None, &long),
        TokenError::InvalidRequest(RequestFault::TooLarge)
    );
    for content_type in [None, Some("application/json"), Some("")] {
        let error = parse_token_request(Some(PYTHON_BASIC), content_type, GRANT).unwrap_err();
        assert_eq!(error, TokenError::InvalidRequest(RequestFault::ContentType));
    }
}

#[test]
fn the_longest_secret_fits_the_body() {
    let widest = request(&":".repeat(127).replacen(':', "a", 1), &"%".repeat(4096));
    let read = parse_token_request(None, FORM, widest.form().as_bytes()).unwrap();
    assert_eq!(texts(&read), texts(&widest));
}

proptest! {
    #[test]
    fn what_is_asked_is_read(id in "[A-Za-z0-9][A-Za-z0-9._~:=-]{0,127}", secret in "[!-~]{1,200}") {
        let asked = request(&id, &secret);
        let by_header = asked.basic_header();
        let read = parse_token_request(Some(by_header.as_str()), FORM, asked.form_beside_basic().as_bytes());
        prop_assert!(texts(&read.unwrap()) == texts(&asked));
        let read = parse_token_request(None, FORM, asked.form().as_bytes());
        prop_assert!(texts(&read.unwrap()) == texts(&asked));
    }

    #[test]
    fn nothing_panics(header in ".{0,60}", body in proptest::collection::vec(any::<u8>(), 0..100)) {
        let _ = parse_token_request(Some(&header), FORM, &body);
        let _ = parse_token_request(Some(&basic(&header)), FORM, GRANT);
        let _ = parse_token_request(None, FORM, &body);
    }
}
