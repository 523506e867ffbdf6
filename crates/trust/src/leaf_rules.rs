//! What an anchor's policy asks of a leaf, beyond a valid path.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use der::asn1::ObjectIdentifier;
use gangplank_key::Algorithm;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{ExtendedKeyUsage, SubjectAltName};

use crate::certificate::Certificate;
use crate::{DenyList, KeyKind, LeafRules, Reason, VerifiedChain};

impl DenyList {
    pub(crate) fn check(&self, chain: &VerifiedChain) -> Result<(), Reason> {
        let certificate = self.certificates.contains(&chain.certificate_sha256());
        let key = self.keys.contains(&chain.spki_sha256());
        match (certificate, key) {
            (true, _) => Err(Reason::Denied {
                what: "certificate",
            }),
            (_, true) => Err(Reason::Denied { what: "key" }),
            _ => Ok(()),
        }
    }
}

impl LeafRules {
    pub(crate) fn check(&self, chain: &VerifiedChain) -> Result<(), Reason> {
        if let Some(missing) = self.missing_purpose(chain) {
            let needed = missing.to_string();
            return Err(Reason::LeafPurposeMissing { needed });
        }
        let kind = KeyKind::of(chain.key().algorithm());
        let allowed = |kinds: &Vec<KeyKind>| kind.is_some_and(|kind| kinds.contains(&kind));
        if !self.key_kinds.as_ref().is_none_or(allowed) {
            let found = String::from(chain.key().algorithm().name());
            return Err(Reason::KeyNotAllowed { found });
        }
        let Some(pattern) = &self.alternative_name else {
            return Ok(());
        };
        let names = alternative_names(chain);
        match names.iter().any(|name| pattern.matches(name)) {
            true => Ok(()),
            false => Err(Reason::AlternativeNameNotAllowed {
                pattern: pattern.to_string(),
                found: names.join(", "),
            }),
        }
    }

    fn missing_purpose(&self, chain: &VerifiedChain) -> Option<&ObjectIdentifier> {
        let first = self.purposes.first()?;
        let leaf = Certificate::read(chain.leaf());
        let extension = leaf.and_then(|leaf| leaf.extension().ok().flatten());
        let Some((_, ExtendedKeyUsage(listed))) = extension else {
            return Some(first);
        };
        self.purposes.iter().find(|oid| !listed.contains(oid))
    }
}

impl KeyKind {
    fn of(algorithm: Algorithm) -> Option<Self> {
        match algorithm {
            Algorithm::EcdsaP256Sha256 => Some(Self::P256),
            Algorithm::EcdsaP384Sha384 => Some(Self::P384),
            Algorithm::Ed25519 => Some(Self::Ed25519),
            rsa if rsa.is_rsa() => Some(Self::Rsa),
            _ => None,
        }
    }
}

fn alternative_names(chain: &VerifiedChain) -> Vec<String> {
    let leaf = Certificate::read(chain.leaf());
    let extension = leaf.and_then(|leaf| leaf.extension().ok().flatten());
    let Some((_, SubjectAltName(names))) = extension else {
        return Vec::new();
    };
    let text = |name: &GeneralName| match name {
        GeneralName::DnsName(name) => Some(name.as_str().to_ascii_lowercase()),
        GeneralName::Rfc822Name(name) => Some(name.to_string()),
        GeneralName::UniformResourceIdentifier(uri) => Some(uri.to_string()),
        _ => None,
    };
    names.iter().filter_map(text).collect()
}
