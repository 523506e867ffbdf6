//! Certificate authorities and device certificates, made by rcgen with aws-lc-rs: code that shares
//! nothing with what is tested.

use core::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256,
    PKCS_ECDSA_P384_SHA384, PKCS_ED25519, PKCS_RSA_SHA256, date_time_ymd,
};
use rustls_pki_types::{CertificateDer, UnixTime};

/// A certificate authority that tests hold the key of.
#[derive(Debug)]
pub struct TestCa {
    /// Its certificate.
    pub certificate: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
    common_name: String,
}

impl TestCa {
    /// A self-signed root with a P-256 key, valid from [`VALID_FROM`] until [`VALID_UNTIL`].
    #[must_use]
    pub fn new(common_name: &str) -> Self {
        Self::root(&Leaf::new(common_name))
    }

    /// A self-signed root with the name, window and key kind of `options`.
    #[must_use]
    pub fn root(options: &Leaf) -> Self {
        let (parameters, key) = options.clone().certificate_authority().parameters();
        let certificate = parameters
            .self_signed(&key)
            .expect("a self-signed certificate")
            .der()
            .clone();
        Self {
            certificate,
            issuer: Issuer::new(parameters, key),
            common_name: options.common_name.clone().unwrap_or_default(),
        }
    }

    /// An authority below this one.
    #[must_use]
    pub fn intermediate(&self, options: &Leaf) -> Self {
        self.impostor(&options.clone().certificate_authority())
    }

    /// Like [`intermediate`](Self::intermediate), but an authority only if `options` say so: the
    /// holder of a leaf who issues certificates all the same.
    #[must_use]
    pub fn impostor(&self, options: &Leaf) -> Self {
        let (parameters, key) = options.parameters();
        let certificate = parameters
            .signed_by(&key, &self.issuer)
            .expect("a certificate");
        let certificate = certificate.der().clone();
        Self {
            certificate,
            issuer: Issuer::new(parameters, key),
            common_name: options.common_name.clone().unwrap_or_default(),
        }
    }

    /// A certificate by this authority for the name and key of another one, which has one already.
    #[must_use]
    pub fn cross(&self, other: &Self) -> CertificateDer<'static> {
        let (parameters, _) = Leaf::new(&other.common_name)
            .certificate_authority()
            .parameters();
        let certificate = parameters
            .signed_by(other.issuer.key(), &self.issuer)
            .expect("a certificate");
        certificate.der().clone()
    }

    /// A certificate under this authority, with a new key.
    #[must_use]
    pub fn issue(&self, leaf: &Leaf) -> Issued {
        let (parameters, key) = leaf.parameters();
        let certificate = parameters
            .signed_by(&key, &self.issuer)
            .expect("a certificate");
        Issued {
            certificate: certificate.der().clone(),
            private_key: key.serialize_der(),
        }
    }

    /// The authority's own private key, PKCS#8 DER.
    #[must_use]
    pub fn private_key(&self) -> Vec<u8> {
        self.issuer.key().serialize_der()
    }
}

/// A certificate of no authority, signed with its own new key: what many devices are shipped with.
#[must_use]
pub fn self_signed(leaf: &Leaf) -> Issued {
    let (parameters, key) = leaf.parameters();
    let certificate = parameters
        .self_signed(&key)
        .expect("a self-signed certificate");
    Issued {
        certificate: certificate.der().clone(),
        private_key: key.serialize_der(),
    }
}

/// A certificate and the key it is about.
#[derive(Clone, Debug)]
pub struct Issued {
    /// X.509, DER.
    pub certificate: CertificateDer<'static>,
    /// PKCS#8, DER.
    pub private_key: Vec<u8>,
}

/// What a certificate should say.
#[derive(Clone, Debug)]
pub struct Leaf {
    common_name: Option<String>,
    serial_number: Option<String>,
    organization: Option<String>,
    organizational_unit: Option<String>,
    valid: (u64, u64),
    purposes: Vec<Purpose>,
    authority: Option<BasicConstraints>,
    key: KeyKind,
    dns_names: Vec<String>,
    extensions: Vec<CustomExtension>,
}

impl Leaf {
    /// A P-256 leaf with this CN, no purpose, valid from [`VALID_FROM`] until [`VALID_UNTIL`].
    #[must_use]
    pub fn new(common_name: &str) -> Self {
        Self {
            common_name: Some(common_name.to_owned()),
            serial_number: None,
            organization: None,
            organizational_unit: None,
            valid: (VALID_FROM, VALID_UNTIL),
            purposes: Vec::new(),
            authority: None,
            key: KeyKind::P256,
            dns_names: Vec::new(),
            extensions: Vec::new(),
        }
    }

    /// A leaf whose subject has no CN.
    #[must_use]
    pub fn nameless() -> Self {
        Self {
            common_name: None,
            ..Self::new("")
        }
    }

    /// Adds the subject attribute `serialNumber` (2.5.4.5); not the certificate's own number.
    #[must_use]
    pub fn serial_number(mut self, serial_number: &str) -> Self {
        self.serial_number = Some(serial_number.to_owned());
        self
    }

    /// Adds the subject attribute O.
    #[must_use]
    pub fn organization(mut self, name: &str) -> Self {
        self.organization = Some(name.to_owned());
        self
    }

    /// Adds the subject attribute OU.
    #[must_use]
    pub fn organizational_unit(mut self, name: &str) -> Self {
        self.organizational_unit = Some(name.to_owned());
        self
    }

    /// The window, in Unix seconds, both ends included.
    #[must_use]
    pub fn valid(mut self, not_before: u64, not_after: u64) -> Self {
        self.valid = (not_before, not_after);
        self
    }

    /// Adds an extended key usage; without any the extension is left out.
    #[must_use]
    pub fn purpose(mut self, purpose: Purpose) -> Self {
        self.purposes.push(purpose);
        self
    }

    /// Sets `cA` in the basic constraints.
    #[must_use]
    pub fn certificate_authority(mut self) -> Self {
        self.authority = self.authority.or(Some(BasicConstraints::Unconstrained));
        self
    }

    /// An authority with at most this many authorities below it in a path.
    #[must_use]
    pub fn path_length(mut self, authorities_below: u8) -> Self {
        self.authority = Some(BasicConstraints::Constrained(authorities_below));
        self
    }

    /// The kind of key.
    #[must_use]
    pub fn key(mut self, kind: KeyKind) -> Self {
        self.key = kind;
        self
    }

    /// Adds a DNS name, or an IP address in text, to the subject alternative names.
    #[must_use]
    pub fn dns_name(mut self, name: &str) -> Self {
        self.dns_names.push(name.to_owned());
        self
    }

    /// Adds an extension of any kind: its OID, whether it is critical, the DER of its value.
    #[must_use]
    pub fn extension(mut self, oid: &[u64], critical: bool, value: Vec<u8>) -> Self {
        let mut extension = CustomExtension::from_oid_content(oid, value);
        extension.set_criticality(critical);
        self.extensions.push(extension);
        self
    }

    /// The widest first, as usual.
    fn subject(&self) -> DistinguishedName {
        let mut subject = DistinguishedName::new();
        for (kind, value) in [
            (DnType::OrganizationName, &self.organization),
            (DnType::OrganizationalUnitName, &self.organizational_unit),
            (DnType::CommonName, &self.common_name),
            (DnType::CustomDnType(vec![2, 5, 4, 5]), &self.serial_number),
        ] {
            if let Some(value) = value {
                subject.push(kind, value.as_str());
            }
        }
        subject
    }

    fn parameters(&self) -> (CertificateParams, KeyPair) {
        let mut parameters =
            CertificateParams::new(self.dns_names.clone()).expect("subject alternative names");
        parameters.distinguished_name = self.subject();
        let instant = |seconds| date_time_ymd(1970, 1, 1) + Duration::from_secs(seconds);
        parameters.not_before = instant(self.valid.0);
        parameters.not_after = instant(self.valid.1);
        parameters.extended_key_usages = self.purposes.iter().map(Purpose::rcgen).collect();
        if let Some(constraints) = &self.authority {
            parameters.is_ca = IsCa::Ca(*constraints);
            parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        }
        parameters.custom_extensions.clone_from(&self.extensions);
        (parameters, self.key.generate())
    }
}

/// An extended key usage (RFC 5280 §4.2.1.12).
#[derive(Clone, Debug)]
pub enum Purpose {
    /// `clientAuth`.
    Client,
    /// `serverAuth`.
    Server,
    /// `anyExtendedKeyUsage`.
    Any,
    /// Another one, by its arcs.
    Other(Vec<u64>),
}

impl Purpose {
    fn rcgen(&self) -> ExtendedKeyUsagePurpose {
        match self {
            Self::Client => ExtendedKeyUsagePurpose::ClientAuth,
            Self::Server => ExtendedKeyUsagePurpose::ServerAuth,
            Self::Any => ExtendedKeyUsagePurpose::Any,
            Self::Other(arcs) => ExtendedKeyUsagePurpose::Other(arcs.clone()),
        }
    }
}

/// The kind of a certificate's key.
#[derive(Clone, Copy, Debug)]
pub enum KeyKind {
    /// ECDSA on P-256.
    P256,
    /// ECDSA on P-384.
    P384,
    /// Ed25519.
    Ed25519,
    /// RSA with 2048 bits.
    Rsa2048,
}

impl KeyKind {
    fn generate(self) -> KeyPair {
        let algorithm = match self {
            Self::P256 => &PKCS_ECDSA_P256_SHA256,
            Self::P384 => &PKCS_ECDSA_P384_SHA384,
            Self::Ed25519 => &PKCS_ED25519,
            Self::Rsa2048 => &PKCS_RSA_SHA256,
        };
        KeyPair::generate_for(algorithm).expect("a new key")
    }
}

/// A moment inside the default window: 2026-01-01.
pub const NOW: UnixTime = UnixTime::since_unix_epoch(Duration::from_secs(1_767_225_600));

/// When certificates begin unless said otherwise: 2020-01-01, Unix seconds.
pub const VALID_FROM: u64 = 1_577_836_800;

/// When certificates end unless said otherwise: 2045-01-01, Unix seconds.
pub const VALID_UNTIL: u64 = 2_366_841_600;

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::{openssl, openssl_accepts, temp_dir};

    fn text(certificate: &CertificateDer<'_>) -> Option<String> {
        let arguments = ["x509", "-inform", "DER", "-noout", "-text"];
        openssl(&arguments, certificate).map(|out| String::from_utf8(out).unwrap())
    }

    #[test]
    fn openssl_reads_what_was_asked_for() {
        let ca = TestCa::new("Acme");
        let leaf = Leaf::new("pump")
            .serial_number("SN-1")
            .purpose(Purpose::Client);
        let issued = ca.issue(&leaf.key(KeyKind::Ed25519));
        let Some(text) = text(&issued.certificate) else {
            return;
        };
        for expected in [
            "Issuer: CN = Acme",
            "Subject: CN = pump, serialNumber = SN-1",
            "Not Before: Jan  1 00:00:00 2020 GMT",
            "Not After : Jan  1 00:00:00 2045 GMT",
            "TLS Web Client Authentication",
            "ED25519",
        ] {
            assert!(text.contains(expected), "{expected} not in {text}");
        }
    }

    #[test]
    fn openssl_verifies_a_chain_of_three() {
        let root = TestCa::new("Root");
        let middle = root.intermediate(&Leaf::new("Middle").path_length(0));
        let leaf = middle.issue(&Leaf::new("leaf"));
        let folder = temp_dir();
        let write = |name: &str, certificate: &CertificateDer<'_>| {
            let pem = openssl(&["x509", "-inform", "DER"], certificate)?;
            let path = folder.path().join(name);
            fs::write(&path, pem).unwrap();
            Some(path.to_str().unwrap().to_owned())
        };
        let paths = [
            ("r", &root.certificate),
            ("m", &middle.certificate),
            ("l", &leaf.certificate),
        ];
        let Some(paths) = paths
            .iter()
            .map(|(n, c)| write(n, c))
            .collect::<Option<Vec<_>>>()
        else {
            return;
        };
        let [r, m, l] = paths.as_slice() else {
            unreachable!()
        };
        assert_eq!(
            openssl_accepts(&["verify", "-CAfile", r, "-untrusted", m, l], b""),
            Some(true)
        );
        assert_eq!(
            openssl_accepts(&["verify", "-CAfile", r, l], b""),
            Some(false)
        );
    }

    #[test]
    fn a_key_belongs_to_its_certificate() {
        let issued = self_signed(&Leaf::new("pump"));
        let of_key = openssl(&["pkey", "-inform", "DER", "-pubout"], &issued.private_key);
        let of_certificate = openssl(
            &["x509", "-inform", "DER", "-noout", "-pubkey"],
            &issued.certificate,
        );
        assert_eq!(of_key, of_certificate);
    }
}
