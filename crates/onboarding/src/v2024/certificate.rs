//! `GET /onboarding/certificate`: the root certificate of the orchestrator.

use alloc::{string::String, vec::Vec};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rustls_pki_types::{CertificateDer, pem::PemObject as _};
use serde::Serialize;

use crate::{
    MessageError,
    json::{Object, write},
};

/// Where it is.
pub const PATH: &str = "/onboarding/certificate";

/// The answer: `{"certificate": base64 of the DER}`.
///
/// Nothing about it is trusted: whoever receives it compares the certificate with a pin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RootCertificate {
    /// The certificate's DER, which is not looked into here.
    pub certificate: CertificateDer<'static>,
}

impl RootCertificate {
    /// The JSON body, with the certificate as base64 DER.
    pub fn encode(&self) -> Vec<u8> {
        write(&Wire {
            certificate: &STANDARD.encode(&self.certificate),
        })
    }

    /// Reads the body. Margo says base64 and not of what, so base64 of DER, base64 of PEM and bare
    /// PEM are read; one certificate only.
    ///
    /// # Errors
    /// [`MessageError`], the server's fault.
    pub fn decode(body: &[u8]) -> Result<Self, MessageError> {
        let mut object = Object::read(body)?;
        let text = object.string("certificate")?;
        match certificate_from_text(&text) {
            Ok(certificate) => Ok(Self { certificate }),
            Err(CertificateTextError(reason)) => Err(object.invalid("certificate", reason)),
        }
    }
}

/// Reads one certificate as people hand it over: base64 of DER, base64 of PEM, or bare PEM.
///
/// # Errors
/// [`CertificateTextError`] says what it is not.
pub fn certificate_from_text(text: &str) -> Result<CertificateDer<'static>, CertificateTextError> {
    read_certificate(text).map_err(CertificateTextError)
}

/// The text is not one certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the certificate is {0}")]
pub struct CertificateTextError(&'static str);

#[derive(Serialize)]
struct Wire<'a> {
    certificate: &'a str,
}

fn read_certificate(text: &str) -> Result<CertificateDer<'static>, &'static str> {
    let text = text.trim();
    if text.starts_with(PEM_START) {
        return read_pem(text.as_bytes());
    }
    // Encoders of MIME's base64 break lines.
    let joined: String = text.chars().filter(|c| !matches!(c, '\r' | '\n')).collect();
    let bytes = STANDARD.decode(joined).map_err(|_| "not base64")?;
    if bytes.trim_ascii_start().starts_with(PEM_START.as_bytes()) {
        return read_pem(&bytes);
    }
    read_der(bytes)
}

fn read_pem(text: &[u8]) -> Result<CertificateDer<'static>, &'static str> {
    let mut certificates = CertificateDer::pem_slice_iter(text);
    match (certificates.next(), certificates.next()) {
        (Some(Ok(certificate)), None) => read_der(certificate.to_vec()),
        (Some(Ok(_)), Some(_)) => Err("more than one certificate"),
        _ => Err("not pem"),
    }
}

fn read_der(bytes: Vec<u8>) -> Result<CertificateDer<'static>, &'static str> {
    if bytes.len() > MAX_CERTIFICATE {
        return Err("too long a certificate");
    }
    match is_one_sequence(&bytes) {
        true => Ok(CertificateDer::from(bytes)),
        false => Err("not the der of one certificate"),
    }
}

/// Whether the bytes are one DER SEQUENCE (X.690 §8.1) and nothing after it: what else a
/// certificate is, whoever uses it finds out.
fn is_one_sequence(bytes: &[u8]) -> bool {
    let (length, content) = match bytes {
        [0x30, short @ 0..=0x7f, content @ ..] => (usize::from(*short), content),
        [0x30, 0x81, length, content @ ..] => (usize::from(*length), content),
        [0x30, 0x82, high, low, content @ ..] => {
            (usize::from(u16::from_be_bytes([*high, *low])), content)
        }
        _ => return false,
    };
    length != 0 && content.len() == length
}

const PEM_START: &str = "-----BEGIN";

/// The longest certificate that is read, in bytes: that of an envelope's `certificates`.
const MAX_CERTIFICATE: usize = 16 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout /dev/null
    /// -subj "/CN=root" -days 36500
    const PEM: &str = "-----BEGIN CERTIFICATE-----
MIIBdjCCARugAwIBAgIUQphtxyEK3SxPVccgQ2xZ4aRY7+QwCgYIKoZIzj0EAwIw
DzENMAsGA1UEAwwEcm9vdDAgFw0yNjExMjEyMjI3NDVaGA8yMTI2MTAyODIyMjc0
NVowDzENMAsGA1UEAwwEcm9vdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABE18
Z1aR/GYAgjjvUh/EkAnQNhvBeCdIndpXHnkKDsebmooAh8DR/ngL9y64hjRyoXuF
sGULPcgIOKjaBPs86w6jUzBRMB0GA1UdDgQWBBRZzU16R1VUlIwED37gkethALi8
wjAfBgNVHSMEGDAWgBRZzU16R1VUlIwED37gkethALi8wjAPBgNVHRMBAf8EBTAD
AQH/MAoGCCqGSM49BAMCA0kAMEYCIQCqLBSWVl0FfcjD8AoZ9+MYlCHfzXo+8X9o
rd6fWo5nSAIhALqOJRdUySlWQAeIbPIbX0yg/S5xMBp+Tst0QcK16jvq
-----END CERTIFICATE-----
";
    /// openssl x509 -outform DER | base64 -w 0
    const DER: &str = "MIIBdjCCARugAwIBAgIUQphtxyEK3SxPVccgQ2xZ4aRY7+QwCgYIKoZIzj0EAwIwDzENMAsGA1UEAwwEcm9vdDAgFw0yNjExMjEyMjI3NDVaGA8yMTI2MTAyODIyMjc0NVowDzENMAsGA1UEAwwEcm9vdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABE18Z1aR/GYAgjjvUh/EkAnQNhvBeCdIndpXHnkKDsebmooAh8DR/ngL9y64hjRyoXuFsGULPcgIOKjaBPs86w6jUzBRMB0GA1UdDgQWBBRZzU16R1VUlIwED37gkethALi8wjAfBgNVHSMEGDAWgBRZzU16R1VUlIwED37gkethALi8wjAPBgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0kAMEYCIQCqLBSWVl0FfcjD8AoZ9+MYlCHfzXo+8X9ord6fWo5nSAIhALqOJRdUySlWQAeIbPIbX0yg/S5xMBp+Tst0QcK16jvq";
    /// base64 -w 0 of the PEM text
    const BASE64_OF_PEM: &str = "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCk1JSUJkakNDQVJ1Z0F3SUJBZ0lVUXBodHh5RUszU3hQVmNjZ1EyeFo0YVJZNytRd0NnWUlLb1pJemowRUF3SXcKRHpFTk1Bc0dBMVVFQXd3RWNtOXZkREFnRncweU5qRXhNakV5TWpJM05EVmFHQTh5TVRJMk1UQXlPREl5TWpjMApOVm93RHpFTk1Bc0dBMVVFQXd3RWNtOXZkREJaTUJNR0J5cUdTTTQ5QWdFR0NDcUdTTTQ5QXdFSEEwSUFCRTE4CloxYVIvR1lBZ2pqdlVoL0VrQW5RTmh2QmVDZEluZHBYSG5rS0RzZWJtb29BaDhEUi9uZ0w5eTY0aGpSeW9YdUYKc0dVTFBjZ0lPS2phQlBzODZ3NmpVekJSTUIwR0ExVWREZ1FXQkJSWnpVMTZSMVZVbEl3RUQzN2drZXRoQUxpOAp3akFmQmdOVkhTTUVHREFXZ0JSWnpVMTZSMVZVbEl3RUQzN2drZXRoQUxpOHdqQVBCZ05WSFJNQkFmOEVCVEFECkFRSC9NQW9HQ0NxR1NNNDlCQU1DQTBrQU1FWUNJUUNxTEJTV1ZsMEZmY2pEOEFvWjkrTVlsQ0hmelhvKzhYOW8KcmQ2ZldvNW5TQUloQUxxT0pSZFV5U2xXUUFlSWJQSWJYMHlnL1M1eE1CcCtUc3QwUWNLMTZqdnEKLS0tLS1FTkQgQ0VSVElGSUNBVEUtLS0tLQo=";

    fn decode(certificate: &str) -> Result<RootCertificate, MessageError> {
        RootCertificate::decode(&serde_json::to_vec(&Wire { certificate }).unwrap())
    }

    fn reason(certificate: &str) -> &'static str {
        match decode(certificate) {
            Err(MessageError::Invalid { member, reason }) if member == "certificate" => reason,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_three_forms_of_openssls_certificate_are_the_same() {
        let read = decode(DER).unwrap();
        assert_eq!(decode(PEM).unwrap(), read);
        assert_eq!(decode(BASE64_OF_PEM).unwrap(), read);
        let lines: Vec<&str> = PEM.lines().filter(|line| !line.contains('-')).collect();
        assert_eq!(decode(&lines.join("\r\n")).unwrap(), read);
        assert_eq!(
            read.encode(),
            format!("{{\"certificate\":\"{DER}\"}}").into_bytes()
        );
        assert_eq!(RootCertificate::decode(&read.encode()), Ok(read));
    }

    #[test]
    fn only_one_certificate_is_read() {
        assert_eq!(reason(&format!("{PEM}{PEM}")), "more than one certificate");
        let twice = STANDARD
            .encode([STANDARD.decode(DER).unwrap(), STANDARD.decode(DER).unwrap()].concat());
        assert_eq!(reason(&twice), "not the der of one certificate");
        assert_eq!(
            reason(&STANDARD.encode(format!("{PEM}{PEM}"))),
            "more than one certificate"
        );
    }

    #[test]
    fn what_is_no_certificate_is_refused() {
        assert_eq!(reason("!"), "not base64");
        assert_eq!(reason(""), "not the der of one certificate");
        assert_eq!(reason("MAA="), "not the der of one certificate");
        assert_eq!(reason("-----BEGIN CERTIFICATE-----\n"), "not pem");
        let key = PEM.replace("CERTIFICATE", "PUBLIC KEY");
        assert_eq!(reason(&key), "not pem");
        let missing = MessageError::Missing {
            member: "certificate".into(),
        };
        assert_eq!(RootCertificate::decode(b"{}"), Err(missing));
    }

    proptest! {
        #[test]
        fn nothing_panics(bytes in proptest::collection::vec(any::<u8>(), 0..100), text in ".{0,60}") {
            let _ = RootCertificate::decode(&bytes);
            let _ = decode(&STANDARD.encode(&bytes));
            let _ = decode(&text);
            let _ = decode(&format!("{PEM_START} CERTIFICATE-----\n{text}"));
        }
    }
}
