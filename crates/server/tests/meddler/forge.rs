//! What somebody with a box in the middle can make: envelopes changed member by member, and
//! envelopes signed with every key that such a somebody may have.

use std::sync::OnceLock;
use std::time::Duration;

use gangplank_client::Aboard;
use gangplank_server::envelope::{Audience, Binding, Envelope, Form, Nonce, PayloadType};
use gangplank_server::key::{
    Backend, CertificateDer, CertificateId, SigningKey, SoftwareKey, UnixTime,
};
use gangplank_server::token::TokenRequest;
use gangplank_testkit::{Issued, Leaf, TestCa};
use gangplank_trust::orchestrator::{SIGNING_EKU_EXTENSION, signer_id};
use http::{HeaderMap, Method};
use rustls::pki_types::pem::PemObject;
use serde_json::{Value, json};

use crate::proxy_support::site::{Site, base64};
use crate::proxy_support::{Answer, Asked, Upstream};
use crate::victim::Victim;
use crate::world::World;

/// A key with the certificates that go before it.
pub struct Identity {
    pub key: SoftwareKey,
    pub chain: Vec<CertificateDer<'static>>,
}

/// Who holds the box, and what else they hold.
pub struct Thief {
    /// A signing certificate that says what the orchestrator's says, under a root of their own.
    pub own: Identity,
    /// The same, with the orchestrator's root behind it.
    pub own_under_root: Identity,
    /// The orchestrator's TLS key and certificate.
    pub tls: Identity,
    /// A device that is registered and in league with them.
    pub accomplice: Identity,
    pub accomplice_id: CertificateId,
    issued: Issued,
    aboard: OnceLock<Aboard>,
}

impl Identity {
    fn of(issued: &Issued, rest: &[CertificateDer<'static>]) -> Self {
        let chain = [std::slice::from_ref(&issued.certificate), rest].concat();
        Self {
            key: SoftwareKey::from_pkcs8_der(&issued.private_key).unwrap(),
            chain,
        }
    }

    /// The same members and payload, signed by this key, under this id; `certificates` replaces them.
    pub fn reseal(
        &self,
        wire: &[u8],
        id: &CertificateId,
        certificates: Vec<CertificateDer<'static>>,
    ) -> Vec<u8> {
        let mut envelope = open(wire);
        let text = |name: &str| envelope[name].as_str().unwrap_or_default();
        let mut binding = Binding::new(PayloadType::parse(text("type")).unwrap())
            .nonce(Nonce::parse(text("nonce")).unwrap())
            .audience(Audience::parse(text("audience")).unwrap())
            .certificates(certificates.clone());
        if let Some(created) = envelope["created"].as_u64() {
            binding = binding.created(UnixTime::since_unix_epoch(Duration::from_secs(created)));
        }
        let form = Form::Bound(binding);
        let prepared = Envelope::prepare(decode(&envelope["payload"]), form, id).unwrap();
        // Not `sign_with`: that refuses a certificate of another key.
        let signature = self.key.sign(prepared.message()).unwrap().to_wire();
        envelope["signature"] = json!(base64(&signature));
        envelope["certificateId"] = json!(id.as_str());
        envelope["certificates"] = certificates.iter().map(|der| json!(base64(der))).collect();
        serde_json::to_vec(&envelope).unwrap()
    }

    /// The same, as an orchestrator signs: with its own certificate and that one's id.
    pub fn sign_answer(&self, wire: &[u8]) -> Vec<u8> {
        let id = signer_id(&self.chain[0], Backend::PURE_RUST).unwrap();
        self.reseal(wire, &id, self.chain.clone())
    }

    pub fn seal(&self, payload: Vec<u8>, form: Form, id: &CertificateId) -> Vec<u8> {
        Envelope::prepare(payload, form, id)
            .unwrap()
            .sign_with(&self.key)
            .unwrap()
    }
}

impl Thief {
    pub fn new(site: &Site, accomplice: Issued) -> Self {
        let ca = TestCa::new("gangplank orchestrator root");
        let signing = Leaf::new("gangplank orchestrator signing");
        let signing =
            ca.issue(&signing.extension(&[2, 5, 29, 37], false, SIGNING_EKU_EXTENSION.to_vec()));
        let tls_key = std::fs::read_to_string(site.path("data/tls.key")).unwrap();
        let tls = Identity {
            key: SoftwareKey::from_pem(&tls_key).unwrap(),
            chain: vec![CertificateDer::from_pem_file(site.path("data/tls.pem")).unwrap()],
        };
        Self {
            own: Identity::of(&signing, std::slice::from_ref(&ca.certificate)),
            own_under_root: Identity::of(&signing, std::slice::from_ref(&site.root)),
            tls,
            accomplice: Identity::of(&accomplice, &[]),
            accomplice_id: CertificateId::parse("SN-accomplice").unwrap(),
            issued: accomplice,
            aboard: OnceLock::new(),
        }
    }

    pub async fn come_aboard(&self, world: &World) {
        let mut device = Victim::new(world, self.accomplice_id.as_str(), self.issued.clone());
        let mut onboarding = device.onboarding();
        let aboard = device
            .drive(world, &mut onboarding, 9)
            .await
            .unwrap()
            .unwrap();
        self.aboard.set(aboard).unwrap();
    }

    pub fn device_id(&self) -> &str {
        self.aboard
            .get()
            .map_or("nobody", |aboard| aboard.device_id.as_str())
    }

    /// The accomplice's onboarding request, with the nonce of somebody else's.
    pub fn request_like(&self, theirs: &Asked) -> Asked {
        let certificates = self.accomplice.chain.clone();
        let body = self
            .accomplice
            .reseal(&theirs.body, &self.accomplice_id, certificates);
        Asked {
            body,
            ..theirs.clone()
        }
    }

    /// The accomplice's bearer token, as a header.
    pub async fn bearer(&self, upstream: Upstream) -> String {
        bearer(upstream, self.aboard.get().unwrap()).await
    }
}

/// Whoever knows a client secret gets a token, as a header.
pub async fn bearer(upstream: Upstream, aboard: &Aboard) -> String {
    let answer = token(upstream, aboard).await;
    let answer: Value = serde_json::from_slice(&answer.body).unwrap();
    format!("Bearer {}", answer["access_token"].as_str().unwrap())
}

pub async fn token(upstream: Upstream, aboard: &Aboard) -> Answer {
    let (client_id, client_secret) = (aboard.client_id.clone(), aboard.client_secret.clone());
    let request = TokenRequest {
        client_id,
        client_secret,
    };
    let headers = [
        ("authorization", request.basic_header().to_string()),
        (
            "content-type",
            "application/x-www-form-urlencoded".to_owned(),
        ),
    ];
    let body = b"grant_type=client_credentials";
    ask(upstream, Method::POST, "/oauth2/token", &headers, body).await
}

/// The box's own request.
pub async fn ask(
    upstream: Upstream,
    method: Method,
    path: &str,
    headers: &[(&'static str, String)],
    body: &[u8],
) -> Answer {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.insert(*name, value.parse().unwrap());
    }
    let asked = Asked {
        method,
        target: format!("/margo{path}"),
        headers: map,
        body: body.to_vec(),
    };
    upstream.send(asked).await
}

pub fn open(wire: &[u8]) -> Value {
    serde_json::from_slice(wire).unwrap()
}

/// Sets one member of an envelope; null removes it.
pub fn set(wire: &mut Vec<u8>, name: &str, value: Value) {
    let mut envelope = open(wire);
    let before = envelope[name].clone();
    assert_ne!(before, value, "{name} is changed");
    match value {
        Value::Null => drop(envelope.as_object_mut().unwrap().remove(name)),
        value => envelope[name] = value,
    }
    *wire = serde_json::to_vec(&envelope).unwrap();
}

/// Sets one member of the payload, with the digest that goes with it.
pub fn set_in_payload(wire: &mut Vec<u8>, name: &str, value: Value) {
    let mut payload = open(&decode(&open(wire)["payload"]));
    match value {
        Value::Null => drop(payload.as_object_mut().unwrap().remove(name)),
        value => payload[name] = value,
    }
    let payload = serde_json::to_vec(&payload).unwrap();
    set(wire, "payload", json!(base64(&payload)));
    set(wire, "digest", json!(digest(&payload)));
}

pub fn digest(payload: &[u8]) -> String {
    let hash = Backend::PURE_RUST.sha256(&[payload]);
    format!("sha256:{}", hash.map(|byte| format!("{byte:02x}")).concat())
}

pub fn decode(text: &Value) -> Vec<u8> {
    use base64::Engine;
    base64::prelude::BASE64_STANDARD
        .decode(text.as_str().unwrap())
        .unwrap()
}

/// Who signed an envelope, as it says.
pub fn signer(wire: &[u8]) -> CertificateId {
    CertificateId::parse(open(wire)["certificateId"].as_str().unwrap()).unwrap()
}
