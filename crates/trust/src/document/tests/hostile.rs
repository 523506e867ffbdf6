//! Names that try to be more than names.

use super::*;

#[test]
fn hostile_subjects_are_only_names() {
    for subject in [
        "$1",
        r"a\\b",
        "{{subject-o}}",
        "\u{1}\u{7f}\r\n",
        "\u{202e}",
        r#"\"\,\+"#,
    ] {
        let name = format!("CN={subject},O=x");
        let anchor =
            bare(json!({"subject-dn": name, "auth-id-template": "{{subject-cn}}/{{subject-o}}"}));
        let document = decode(&tenant(&[anchor])).unwrap();
        let kept = document.anchors().next().unwrap();
        let expected = DistinguishedName::parse(&name).unwrap();
        assert!(kept.name().matches(&expected));
        assert_eq!(kept.name().to_der(), expected.to_der());
        let shown = written(&document)["trusted-ca"][0]["subject-dn"].clone();
        assert_eq!(shown, json!(expected.to_string()));
        let again = TenantDocument::from_stored(document.to_stored().as_bytes()).unwrap();
        assert_eq!(again.to_stored(), document.to_stored());
    }
}

#[test]
fn a_subject_of_64_kibibytes_is_refused_and_not_repeated() {
    let name = format!("CN={}", "a".repeat(64 * 1024));
    let error = decode(&tenant(&[bare(json!({"subject-dn": name}))])).unwrap_err();
    assert_eq!(error.pointer(), "/trusted-ca/0/subject-dn");
    assert!(error.to_string().len() < 300);
}

#[test]
fn bytes_of_a_name_count_where_they_are_the_same_name() {
    // Of `CN=Foo`: UTF8String, PrintableString, TeletexString, BMPString; then lower case, and another.
    for (der, same) in [
        ("300e310c300a06035504030c03466f6f", true),
        ("300e310c300a06035504031303466f6f", true),
        ("300e310c300a06035504031403466f6f", true),
        ("3011310f300d06035504031e060046006f006f", false),
        ("300e310c300a06035504030c03666f6f", true),
        ("300e310c300a06035504030c03466f70", false),
    ] {
        let octets = der.as_bytes().chunks(2);
        let octets = octets.map(|pair| u8::from_str_radix(core::str::from_utf8(pair).unwrap(), 16));
        let der: Vec<u8> = octets.map(Result::unwrap).collect();
        let anchor = bare(json!({"subject-dn": "CN=Foo", "subject-dn-bytes": base64(&der)}));
        match decode(&tenant(&[anchor])) {
            Ok(document) if same => {
                let kept = document.anchors().next().unwrap();
                assert_eq!(kept.name().to_der(), der);
                // It is shown as it prints, and read again.
                assert!(decode(&written(&document)).is_ok());
            }
            Err(error) if !same => {
                assert_eq!(error.pointer(), "/trusted-ca/0/subject-dn-bytes");
            }
            other => panic!("{der:?}: {other:?}"),
        }
    }
}

#[test]
fn an_anchor_that_was_made_here_keeps_its_name_whole() {
    // TeletexString, which no text of a name says.
    let der = b"\x30\x0e\x31\x0c\x30\x0a\x06\x03\x55\x04\x03\x14\x03Foo";
    let name = DistinguishedName::from_der(der).unwrap();
    let key = Anchor::from_certificate("a", TestCa::new("Any").certificate).unwrap();
    let validity = Validity::new(NOW, NOW).unwrap();
    let anchor = Anchor::bare("a", name, key.spki().to_vec(), validity).unwrap();
    let mut document = TenantDocument::default();
    document.set_anchor(anchor).unwrap();
    let again = TenantDocument::from_stored(document.to_stored().as_bytes()).unwrap();
    assert_eq!(again.anchors().next().unwrap().name().to_der(), der);
}

#[test]
fn certificates_that_end_before_they_begin_are_refused() {
    let mut certificate = TestCa::new("Root").certificate.to_vec();
    // The two UTCTimes stand next to each other: the last begins now what the first ends.
    let at = certificate
        .windows(2)
        .position(|pair| pair == [0x17, 13])
        .unwrap();
    let (first, second) = (at + 2..at + 15, at + 17..at + 30);
    let ends = certificate[second.clone()].to_vec();
    let begins = certificate[first.clone()].to_vec();
    certificate[first].copy_from_slice(&ends);
    certificate[second].copy_from_slice(&begins);
    let anchor = Anchor::from_certificate("a", CertificateDer::from(certificate.clone())).unwrap();
    assert!(anchor.validity().not_before() > anchor.validity().not_after());
    assert!(TenantDocument::default().set_anchor(anchor).is_err());
    let error = decode(&tenant(&[json!({"cert": base64(&certificate)})])).unwrap_err();
    assert_eq!(error.pointer(), "/trusted-ca/0");
}
