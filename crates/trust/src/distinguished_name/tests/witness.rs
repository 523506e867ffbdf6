use der::{Decode, Encode};
use gangplank_testkit::openssl;

use super::*;

/// OpenSSL prints the same where both escape the same: it leaves `=` and an inner `#` alone, and has
/// keywords for more types.
#[test]
fn openssl_prints_the_same() {
    for subject in [
        "/C=DE/ST=Bayern/L=M\u{fc}nchen/O=ACME, Inc./OU=a+b/CN=pump <7>;\"x\"",
        "/DC=com/DC=example/O=\u{65e5}\u{672c}/UID=u1/CN= lead and trail ",
        "/O=back\\\\slash/CN=#first",
        "/O=two  blanks/street=Main 1/CN=$1",
        "/O={{subject-o}}/CN=\u{1f600}",
    ] {
        let Some((name, printed)) = by_openssl(subject) else {
            return;
        };
        // OpenSSL's keyword for streetAddress is not that of RFC 2253.
        let printed = printed.replace("street=", "STREET=");
        assert_eq!(name.to_string(), printed);
        let read = DistinguishedName::parse(&printed).unwrap();
        assert!(read.matches(&name), "{printed}");
    }
}

/// The subject of a certificate that OpenSSL makes, and how it prints it.
fn by_openssl(subject: &str) -> Option<(DistinguishedName, String)> {
    let folder = gangplank_testkit::temp_dir();
    let key = folder.path().join("key.pem");
    let key = key.to_str().unwrap();
    #[rustfmt::skip]
    let certificate = openssl(&[
        "req", "-x509", "-utf8", "-subj", subject, "-newkey", "ec", "-pkeyopt",
        "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-outform", "DER",
    ], b"")?;
    let options = "RFC2253,-esc_msb";
    #[rustfmt::skip]
    let printed = openssl(&[
        "x509", "-inform", "DER", "-noout", "-subject", "-nameopt", options,
    ], &certificate)?;
    let printed = String::from_utf8(printed).unwrap();
    let printed = printed.strip_prefix("subject=").unwrap().strip_suffix('\n');
    let certificate = x509_cert::Certificate::from_der(&certificate).unwrap();
    let der = certificate.tbs_certificate().subject().to_der().unwrap();
    let name = DistinguishedName::from_der(&der).unwrap();
    assert_eq!(name.to_der(), der);
    Some((name, printed.unwrap().to_string()))
}
