use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::*;
use crate::message::Field;
use crate::{Request, Response, StructuredType, Target};

const FIELDS: &[Field<'static>] = &[
    ("Host", b"www.example.com"),
    ("X-Empty", b""),
    ("X-Two", b" one "),
    ("x-two", b"\ttwo\t"),
    ("X-Fold", b"a \r\n\t b\r\n c"),
    ("X-Fold-Only", b"\r\n  a"),
    ("X-Break", b"a\r\nb: c"),
    ("X-Latin", b"caf\xe9"),
    ("X-Nul", b"a\0b"),
    ("X-Tab", b"a\tb"),
    ("Example-Dict", b"a=1,    b=2;x=1;y=2,   c=(a   b   c), d"),
    ("Example-Dict", b"a=2"),
    ("Example-List", b"a,(b   c)"),
    ("Example-Item", b" 1 ; x"),
    ("Example-Wrong", b"a=1, b"),
    ("Content-Digest", b"sha-256=:YQ==:"),
    ("Capsule-Protocol", b"?1; x"),
    ("Deprecation", b"@1688169599;x=?1"),
    ("Cache-Groups", b"\"a\"\t,\"b\""),
];
const TRAILERS: &[Field<'static>] = &[("X-Two", b"three")];
const TYPES: &[(&str, StructuredType)] = &[
    ("example-dict", StructuredType::Dictionary),
    ("example-list", StructuredType::List),
    ("example-item", StructuredType::Item),
    ("example-wrong", StructuredType::Item),
];

fn request() -> Request<'static> {
    let target = Target::parse(
        "https://www.example.com/path?a=1&b=%C3%A9+x&c=%FF&a=2&d&=e&%C3%A9=f&g%2dh=i",
    );
    Request::new("POST", target.unwrap(), FIELDS)
        .with_trailers(TRAILERS)
        .with_structured_types(TYPES)
}

/// The value of one component of the request, or why there is none.
fn value(component: &str) -> Result<String, ValueError> {
    value_in(Message::Request(&request()), component)
}

fn value_in(message: Message<'_>, component: &str) -> Result<String, ValueError> {
    let params = SignatureParams::new([Component::parse(component).unwrap()].into()).unwrap();
    match SignatureBase::build(message, &params, &Limits::DEFAULT) {
        Ok(base) => {
            let (line, rest) = base.as_str().split_once('\n').unwrap();
            assert_eq!(rest, alloc::format!("\"@signature-params\": ({component})"));
            let value = line.strip_prefix(component).unwrap();
            Ok(value.strip_prefix(": ").unwrap().to_string())
        }
        Err(BaseError::Component { reason, .. }) => Err(reason),
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn fields_are_put_together_and_unfolded() {
    // RFC 9421 §2.1.
    for (component, expected) in [
        ("\"host\"", "www.example.com"),
        ("\"x-empty\"", ""),
        ("\"x-two\"", "one, two"),
        ("\"x-two\";tr", "three"),
        ("\"x-fold\"", "a b c"),
        ("\"x-fold-only\"", "a"),
        ("\"x-tab\"", "a\tb"),
        (
            "\"example-dict\"",
            "a=1,    b=2;x=1;y=2,   c=(a   b   c), d, a=2",
        ),
    ] {
        assert_eq!(value(component).as_deref(), Ok(expected), "{component}");
    }
}

#[test]
fn fields_are_written_anew_where_asked() {
    // RFC 9421 §2.1.1 to §2.1.3.
    for (component, expected) in [
        ("\"example-dict\";sf", "a=2, b=2;x=1;y=2, c=(a b c), d"),
        ("\"example-dict\";key=\"a\"", "2"),
        ("\"example-dict\";key=\"b\"", "2;x=1;y=2"),
        ("\"example-dict\";key=\"c\"", "(a b c)"),
        ("\"example-dict\";sf;key=\"d\"", "?1"),
        ("\"example-list\";sf", "a, (b c)"),
        ("\"content-digest\";key=\"sha-256\"", ":YQ==:"),
        ("\"capsule-protocol\";sf", "?1;x"),
        ("\"deprecation\";sf", "@1688169599;x"),
        ("\"cache-groups\";sf", "\"a\", \"b\""),
        ("\"x-two\";bs", ":b25l:, :dHdv:"),
        ("\"x-empty\";bs", "::"),
        ("\"x-latin\";bs", ":Y2Fm6Q==:"),
        ("\"x-fold\";bs", ":YSBiIGM=:"),
    ] {
        assert_eq!(value(component).as_deref(), Ok(expected), "{component}");
    }
}

#[test]
fn query_parameters_are_encoded_anew() {
    // RFC 9421 §2.2.8, WHATWG URL §5.
    for (component, expected) in [
        ("\"@query-param\";name=\"b\"", Ok("%C3%A9%20x")),
        ("\"@query-param\";name=\"d\"", Ok("")),
        ("\"@query-param\";name=\"\"", Ok("e")),
        ("\"@query-param\";name=\"%C3%A9\"", Ok("f")),
        ("\"@query-param\";name=\"g-h\"", Ok("i")),
        (
            "\"@query-param\";name=\"g%2dh\"",
            Err(ValueError::QueryParamMissing),
        ),
        (
            "\"@query-param\";name=\"a\"",
            Err(ValueError::QueryParamRepeated),
        ),
        (
            "\"@query-param\";name=\"c\"",
            Err(ValueError::QueryParamUtf8),
        ),
        (
            "\"@query-param\";name=\"x\"",
            Err(ValueError::QueryParamMissing),
        ),
        (
            "\"@query-param\";name=\"%c3%a9\"",
            Err(ValueError::QueryParamMissing),
        ),
    ] {
        assert_eq!(value(component), expected.map(String::from), "{component}");
    }
}

#[test]
fn a_parameter_is_repeated_under_every_name_that_reads_the_same() {
    use ValueError as E;
    // A form decoder makes U+FFFD, %EF%BF%BD, of each maximal part that is not UTF-8.
    for (query, name, expected) in [
        ("%EF%BF%BD=ok", "%EF%BF%BD", Ok("ok")),
        (
            "%EF%BF%BD=ok&%FF=evil",
            "%EF%BF%BD",
            Err(E::QueryParamRepeated),
        ),
        (
            "%FF=evil&%EF%BF%BD=ok",
            "%EF%BF%BD",
            Err(E::QueryParamRepeated),
        ),
        ("%FE=evil&%FF=evil", "%EF%BF%BD", Err(E::QueryParamRepeated)),
        ("%FF=evil", "%EF%BF%BD", Err(E::QueryParamUtf8)),
        ("%FF=evil", "%FF", Err(E::QueryParamMissing)),
        (
            "a%EF%BF%BD=ok&a%E2%82=evil",
            "a%EF%BF%BD",
            Err(E::QueryParamRepeated),
        ),
        ("a%EF%BF%BD=ok&a%E2%82%E2=two", "a%EF%BF%BD", Ok("ok")),
        ("a=ok&%61=evil", "a", Err(E::QueryParamRepeated)),
    ] {
        let uri = alloc::format!("https://a/?{query}");
        let request = Request::new("GET", Target::parse(&uri).unwrap(), &[]);
        let component = alloc::format!("\"@query-param\";name=\"{name}\"");
        let found = value_in(Message::Request(&request), &component);
        assert_eq!(found, expected.map(String::from), "{query}");
    }
}

#[test]
fn what_cannot_be_had_is_refused_by_reason() {
    use ValueError as E;
    for (component, error) in [
        ("\"x-absent\"", E::FieldMissing),
        ("\"host\";tr", E::FieldMissing),
        ("\"x-break\"", E::Character),
        ("\"x-latin\"", E::Character),
        ("\"x-nul\"", E::Character),
        ("\"host\";sf", E::TypeUnknown),
        (
            "\"example-wrong\";sf",
            E::Malformed(StructuredError::Character { at: 1 }),
        ),
        (
            "\"example-item\";sf",
            E::Malformed(StructuredError::Character { at: 2 }),
        ),
        ("\"example-list\";key=\"a\"", E::NotDictionary),
        ("\"x-two\";key=\"three\"", E::MemberMissing),
        ("\"example-dict\";key=\"e\"", E::MemberMissing),
        ("\"host\";req", E::ReqInRequest),
        ("\"@method\";req", E::ReqInRequest),
        ("\"@status\"", E::OnlyInResponse),
    ] {
        assert_eq!(value(component), Err(error), "{component}");
    }
}

#[test]
fn responses_take_from_their_request_what_is_marked() {
    // RFC 9421 §2.4.
    let fields: &[Field<'_>] = &[("Host", b"of the response")];
    let request = request();
    let response = Response::new(503, fields).answering(&request);
    let known = Message::Response(&response);
    for (component, expected) in [
        ("\"@status\"", Ok("503")),
        ("\"host\"", Ok("of the response")),
        ("\"host\";req", Ok("www.example.com")),
        ("\"x-two\";req;tr", Ok("three")),
        ("\"@path\";req", Ok("/path")),
        ("\"@query-param\";name=\"d\";req", Ok("")),
        ("\"example-dict\";req;key=\"b\"", Ok("2;x=1;y=2")),
        ("\"@method\"", Err(ValueError::OnlyInRequest)),
    ] {
        assert_eq!(value_in(known, component), expected.map(String::from));
    }
    let response = Response::new(99, fields);
    let unknown = Message::Response(&response);
    assert_eq!(
        value_in(unknown, "\"@path\";req"),
        Err(ValueError::RequestUnknown)
    );
    assert_eq!(value_in(unknown, "\"@status\""), Err(ValueError::Status));
}

#[test]
fn a_method_cannot_end_a_line() {
    let target = Target::parse("https://a/").unwrap();
    for method in ["", "GET\n\"@path\": /x", "GET /", "G\u{e9}T"] {
        let request = Request::new(method, target, &[]);
        let found = value_in(Message::Request(&request), "\"@method\"");
        assert_eq!(found, Err(ValueError::Character), "{method}");
    }
}

#[test]
fn more_than_the_limits_is_refused() {
    let limits = Limits {
        components: 2,
        field_lines: 3,
        field: 10,
        base: 60,
        ..Limits::DEFAULT
    };
    let target = Target::parse("https://a/").unwrap();
    let build = |fields: &'static [Field<'static>], components: &[&'static str]| {
        let components = components
            .iter()
            .map(|name| Component::named(*name).unwrap());
        let params = SignatureParams::new(components.collect()).unwrap();
        let request = Request::new("GET", target, fields);
        SignatureBase::build(Message::Request(&request), &params, &limits)
    };
    assert!(build(&[("a", b"0123456789")], &["a"]).is_ok());
    assert_eq!(
        build(&[("a", b"0123456789a")], &["a"]),
        Err(BaseError::Component {
            component: "\"a\"".into(),
            reason: ValueError::TooLong { limit: 10 }
        })
    );
    assert_eq!(
        build(&[], &["@path", "@query", "@method"]),
        Err(BaseError::TooManyComponents { limit: 2 })
    );
    assert_eq!(
        build(&[("a", b""), ("a", b""), ("a", b""), ("a", b"")], &["a"]),
        Err(BaseError::TooManyLines { limit: 3 })
    );
    assert_eq!(
        build(&[("a", b"0123456789"), ("b", b"0123456789")], &["a", "b"]),
        Err(BaseError::TooLong { limit: 60 })
    );
}

#[test]
fn the_worked_example_of_margo() {
    // facts: the base in Margo's worked example, and its SHA-256.
    let target = "https://wfm.example/api/v1/clients/c-1/deployments/d-1/status";
    let digest: &[Field<'_>] = &[(
        "Content-Digest",
        b"sha-256=:AVq9f1zFei3ZS3WQ8ErYCEJzkF7jPsXOvq5iJ2qX+GI=:",
    )];
    let request = Request::new("POST", Target::parse(target).unwrap(), digest);
    let covered = [
        Component::METHOD,
        Component::TARGET_URI,
        Component::AUTHORITY,
        Component::CONTENT_DIGEST,
    ];
    let params = SignatureParams::new(Vec::from(covered))
        .and_then(|params| params.with_created(1_767_225_600))
        .and_then(|params| {
            params.with_key_id("554d4b95d1406a67c1d6c6e24d5608606fa48c23260fb3fbf53afde3e17c1c92")
        })
        .unwrap();
    let base = SignatureBase::build(Message::Request(&request), &params, &Limits::DEFAULT).unwrap();
    let hash = base.sha256(Backend::PURE_RUST);
    let hash: String = hash
        .iter()
        .map(|byte| alloc::format!("{byte:02x}"))
        .collect();
    assert_eq!(
        hash,
        "4617292ccf91add9db1b27fbcabc1ee59af23111ae8e8979d67b1e3e1482bc6c"
    );
}
