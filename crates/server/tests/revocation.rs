//! Revocation lists of a tenant, over the operator's API and at the onboarding of its devices.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod common;

use common::{Answer, TestDevice, World, base64, request};
use gangplank_testkit::Issued;
use http::{Method, StatusCode};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DnType, IsCa, Issuer,
    KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams, SerialNumber,
};
use serde_json::json;
use time::OffsetDateTime;

const ACME: &str = "/admin/tenants/acme";
const LISTS: &str = "/admin/tenants/acme/revocation-lists";

struct Authority {
    certificate: Vec<u8>,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let mut parameters = CertificateParams::new(Vec::new()).unwrap();
        parameters
            .distinguished_name
            .push(DnType::CommonName, "Acme");
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        parameters.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate().unwrap();
        let certificate = parameters.self_signed(&key).unwrap();
        Self {
            certificate: certificate.der().to_vec(),
            issuer: Issuer::new(parameters, key),
        }
    }

    fn device(&self, serial: u64) -> TestDevice {
        let name = format!("SN-{serial}");
        let mut parameters = CertificateParams::new(Vec::new()).unwrap();
        parameters
            .distinguished_name
            .push(DnType::CommonName, &name);
        parameters.serial_number = Some(SerialNumber::from(serial));
        let key = KeyPair::generate().unwrap();
        let certificate = parameters.signed_by(&key, &self.issuer).unwrap();
        let issued = Issued {
            certificate: certificate.der().clone(),
            private_key: key.serialize_der(),
        };
        TestDevice::from(&name, issued, serial)
    }

    /// A list that revokes these, and counts for a day from `now` on.
    fn list(&self, revoked: &[u64], now: u64) -> Vec<u8> {
        let at = |seconds| OffsetDateTime::from_unix_timestamp(seconds as i64).unwrap();
        let revoked = revoked.iter().map(|serial| RevokedCertParams {
            serial_number: SerialNumber::from(*serial),
            revocation_time: at(now),
            reason_code: None,
            invalidity_date: None,
        });
        let parameters = CertificateRevocationListParams {
            this_update: at(now),
            next_update: at(now + DAY),
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: revoked.collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        parameters.signed_by(&self.issuer).unwrap().der().to_vec()
    }
}

async fn put(world: &World, body: &[u8]) -> Answer {
    let token = format!("Bearer {}", world.admin_token);
    let headers = [("authorization", token.as_str())];
    world
        .send(&world.admin, request(Method::PUT, LISTS, &headers, body))
        .await
}

#[tokio::test]
async fn a_revoked_device_does_not_come_again() {
    let world = World::new().await;
    let authority = Authority::new();
    let document = json!({ "trusted-ca": [{
        "id": "a",
        "cert": base64(&authority.certificate),
        "auto-provisioning-enabled": true,
    }]});
    let made = world
        .operator(Method::POST, ACME, &document.to_string())
        .await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
    let (mut one, mut two) = (authority.device(1), authority.device(2));
    assert_eq!(world.onboard(&mut one).await.status, StatusCode::CREATED);
    for (revoked, of_one, of_two) in [
        (&[2][..], StatusCode::OK, StatusCode::FORBIDDEN),
        (&[1], StatusCode::FORBIDDEN, StatusCode::CREATED),
        (&[], StatusCode::OK, StatusCode::OK),
    ] {
        let put = put(&world, &authority.list(revoked, world.now())).await;
        assert_eq!(put.status, StatusCode::NO_CONTENT, "{}", put.text());
        assert_eq!(world.onboard(&mut one).await.status, of_one, "{revoked:?}");
        assert_eq!(world.onboard(&mut two).await.status, of_two, "{revoked:?}");
    }
    // A list that is out of date says nothing, and without a status nobody comes.
    world.pass(DAY + 1);
    assert_eq!(world.onboard(&mut one).await.status, StatusCode::FORBIDDEN);
    let removed = world.operator(Method::DELETE, LISTS, "").await;
    assert_eq!(removed.status, StatusCode::NO_CONTENT);
    assert_eq!(world.onboard(&mut one).await.status, StatusCode::OK);
}

#[tokio::test]
async fn lists_are_shown_and_what_is_none_is_refused() {
    let world = World::new().await;
    let missing = put(&world, &Authority::new().list(&[], world.now())).await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND);
    world.operator(Method::POST, ACME, "{}").await;
    let (one, two) = (Authority::new(), Authority::new());
    let lists = [one.list(&[7], world.now()), two.list(&[], world.now())];
    let pem: String = lists
        .iter()
        .map(|der| {
            format!(
                "-----BEGIN X509 CRL-----\n{}\n-----END X509 CRL-----\n",
                base64(der)
            )
        })
        .collect();
    assert_eq!(
        put(&world, pem.as_bytes()).await.status,
        StatusCode::NO_CONTENT
    );
    let shown = world.operator(Method::GET, LISTS, "").await.json();
    let shown = shown["revocationLists"].as_array().unwrap().clone();
    assert_eq!(shown.len(), 2);
    assert_eq!(shown[0]["issuer"], "CN=Acme");
    assert_eq!(shown[0]["thisUpdate"], world.now());
    assert_eq!(shown[0]["nextUpdate"], world.now() + DAY);
    for body in [
        &b""[..],
        b"0\x00",
        b"-----BEGIN X509 CRL-----",
        &one.certificate,
    ] {
        let answer = put(&world, body).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{body:?}");
    }
    let after = world.operator(Method::GET, LISTS, "").await.json();
    assert_eq!(after["revocationLists"].as_array(), Some(&shown));
}

#[tokio::test]
async fn an_adapters_device_is_held_to_the_lists() {
    let world = World::new().await;
    let authority = Authority::new();
    let document = json!({ "trusted-ca": [{
        "id": "a",
        "cert": base64(&authority.certificate),
        "auto-provisioning-enabled": true,
    }]});
    let made = world
        .operator(Method::POST, ACME, &document.to_string())
        .await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.text());
    let device = authority.device(1);
    let asked = json!({
        "type": "x509-cert",
        "auth-id": "CN=SN-1",
        "client-certificate": base64(&device.issued.certificate),
    })
    .to_string();
    let ask = async || {
        let path = "/admin/adapter/tenants/acme/credentials";
        world.operator(Method::POST, path, &asked).await
    };
    assert_eq!(ask().await.status, StatusCode::CREATED);
    let list = put(&world, &authority.list(&[1], world.now())).await;
    assert!(list.status.is_success(), "{}", list.text());
    let refused = ask().await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    assert_eq!(refused.json()["reason"], "revoked");
    // A list that has ended says nothing any more, and nothing is believed then.
    world.pass(DAY + 1);
    assert_eq!(ask().await.json()["reason"], "revocation-unknown");
    let list = put(&world, &authority.list(&[], world.now())).await;
    assert!(list.status.is_success(), "{}", list.text());
    assert_eq!(ask().await.status, StatusCode::OK);
}

const DAY: u64 = 86_400;
