use super::*;

fn parsed(text: &str) -> KeyUri {
    KeyUri::parse(text).unwrap()
}

fn refused(text: &str) -> UriError {
    KeyUri::parse(text).unwrap_err()
}

/// RFC 7512 §3, every example, in its order; what names no private key is refused for just that.
#[test]
fn the_examples_of_the_rfc() {
    assert!(parsed("pkcs11:").agrees(&[("token", "any"), ("object", "any")]));
    assert_eq!(
        refused("pkcs11:object=my-pubkey;type=public"),
        UriError::Type
    );
    let key = parsed("pkcs11:object=my-key;type=private?pin-source=file:/etc/token");
    assert_eq!(key.object(), Some("my-key"));
    assert_eq!(key.pin_source(), Some(Path::new("/etc/token")));
    let certificate = "pkcs11:token=The%20Software%20PKCS%2311%20Softtoken;\
        manufacturer=Snake%20Oil,%20Inc.;model=1.0;object=my-certificate;type=cert;\
        id=%69%95%3E%5C%F4%BD%EC%91;serial=?pin-source=file:/etc/token_pin";
    assert_eq!(refused(certificate), UriError::Type);
    let key = parsed(&certificate.replace("type=cert", "type=private"));
    let facts = |serial| {
        [
            ("token", "The Software PKCS#11 Softtoken"),
            ("manufacturer", "Snake Oil, Inc."),
            ("model", "1.0"),
            ("serial", serial),
        ]
    };
    assert!(key.agrees(&facts("")));
    assert!(
        !key.agrees(&facts("1")),
        "an empty serial matches an empty one only"
    );
    assert_eq!(
        key.id(),
        Some(b"\x69\x95\x3E\x5C\xF4\xBD\xEC\x91".as_slice())
    );
    let module = "pkcs11:object=my-sign-key;type=private?module-";
    assert_eq!(
        refused(&format!("{module}name=mypkcs11")),
        UriError::ModuleName
    );
    assert_eq!(
        parsed(&format!("{module}path=/mnt/libmypkcs11.so.1")).module_path(),
        Some(Path::new("/mnt/libmypkcs11.so.1"))
    );
    let pin = "pkcs11:token=Software%20PKCS%2311%20softtoken;manufacturer=Snake%20Oil,%20Inc.?pin-value=the-pin";
    assert_eq!(refused(pin), UriError::PinValue);
    let slot = parsed("pkcs11:slot-description=Sun%20Metaslot");
    assert!(slot.agrees(&[("slot-description", "Sun Metaslot")]));
    assert!(!slot.agrees(&[("slot-description", "Sun")]));
    let library = "pkcs11:library-manufacturer=Snake%20Oil,%20Inc.;\
        library-description=Soft%20Token%20Library;library-version=1.23";
    assert_eq!(parsed(library).library_version(), Some((1, 23)));
    let joe = parsed(
        "pkcs11:token=My%20token%25%20created%20by%20Joe;library-version=3;\
         id=%01%02%03%Ba%dd%Ca%fe%04%05%06",
    );
    assert!(joe.agrees(&[("token", "My token% created by Joe")]));
    assert_eq!(joe.library_version(), Some((3, 0)));
    assert_eq!(
        joe.id(),
        Some([1, 2, 3, 0xba, 0xdd, 0xca, 0xfe, 4, 5, 6].as_slice())
    );
    let substring =
        parsed("pkcs11:token=A%20name%20with%20a%20substring%20%25%3B;object=my-certificate");
    assert!(substring.agrees(&[("token", "A name with a substring %;")]));
    let acute = parsed(
        "pkcs11:token=Name%20with%20a%20small%20A%20with%20acute:%20%C3%A1;object=my-certificate",
    );
    assert!(acute.agrees(&[("token", "Name with a small A with acute: á")]));
    let vendor = "pkcs11:token=my-token;object=my-certificate;vendor-aaa=value-a\
        ?pin-source=file:/etc/token_pin&vendor-bbb=value-b";
    assert_eq!(refused(vendor), UriError::Unknown("vendor-aaa".to_owned()));
    let ignored = vendor.replace(";vendor-aaa=value-a", "");
    assert_eq!(
        parsed(&ignored).pin_source(),
        Some(Path::new("/etc/token_pin"))
    );
}

#[test]
fn what_is_refused() {
    let cases = [
        ("", UriError::Scheme),
        ("device.key", UriError::Scheme),
        ("pkcs12:token=a", UriError::Scheme),
        ("pkcs11:token", UriError::NoValue),
        ("pkcs11:;token=a", UriError::NoValue),
        ("pkcs11:token=a;", UriError::NoValue),
        ("pkcs11:token=a?1234", UriError::NoValue),
        ("pkcs11:token=a/b", UriError::Character('/')),
        ("pkcs11:token=a b", UriError::Character(' ')),
        ("pkcs11:token=a#b", UriError::Character('#')),
        ("pkcs11:token=\u{e1}", UriError::Character('\u{e1}')),
        ("pkcs11:token=%4", UriError::Value("token".to_owned())),
        ("pkcs11:token=%+4", UriError::Value("token".to_owned())),
        ("pkcs11:token=%FF", UriError::Value("token".to_owned())),
        ("pkcs11:slot-id=+1", UriError::Value("slot-id".to_owned())),
        (
            "pkcs11:library-version=1.256",
            UriError::Value("library-version".to_owned()),
        ),
        (
            "pkcs11:token=a;token=a",
            UriError::Duplicate("token".to_owned()),
        ),
        (
            "pkcs11:?module-path=/a&module-path=/b",
            UriError::Duplicate("module-path".to_owned()),
        ),
        ("pkcs11:?module-path=a.so", UriError::ModulePath),
        ("pkcs11:?pin-source=/etc/pin", UriError::PinSource),
        ("pkcs11:?pin-source=file:pin", UriError::PinSource),
        ("pkcs11:?pin-source=file://host/pin", UriError::PinSource),
        ("pkcs11:?pin-source=|/bin/pin", UriError::PinSource),
        ("pkcs11:?pin-source=https://host/pin", UriError::PinSource),
        (
            "pkcs11:?pin-value=1234&pin-source=file:/etc/pin",
            UriError::PinValue,
        ),
    ];
    for (text, error) in cases {
        assert_eq!(KeyUri::parse(text), Err(error), "{text}");
    }
}

#[test]
fn a_pin_is_not_repeated() {
    for name in ["pin-value", "PIN-VALUE", "Pin-Value"] {
        let error = refused(&format!("pkcs11:token=t?{name}=hunter2"));
        assert_eq!(error, UriError::PinValue);
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }
    let source = "pkcs11:token=t?module-path=/m.so&pin-source=file:/pin";
    let uri = parsed("pkcs11:token=t?pin=hunter2&module-path=/m.so&x=&pin-source=file:/pin");
    assert_eq!(uri.to_string(), source);
    assert_eq!(format!("{uri:?}"), format!("KeyUri({source:?})"));
    assert_eq!(uri, parsed(source));
    assert_eq!(
        parsed("pkcs11:token=t?pin=hunter2").to_string(),
        "pkcs11:token=t"
    );
}

#[test]
fn what_is_read() {
    let all = parsed("PKCS11:slot-id=18446744073709551615?pin-source=file:///etc/my%20pin");
    assert_eq!(all.slot_id(), Some(u64::MAX));
    assert_eq!(all.pin_source(), Some(Path::new("/etc/my pin")));
    assert!(KeyUri::is_one("pkcs11:") && KeyUri::is_one("Pkcs11:x"));
    assert!(!KeyUri::is_one("./pkcs11:x") && !KeyUri::is_one("pkcs11") && !KeyUri::is_one("é"));
}
