//! The suite `hono` through the adapters' API of a whole server: who joins, who is known, who is refused,
//! with which status, and what is stored then.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod adapter_support;
mod common;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use adapter_support::Fault;
use common::{Answer, World, base64, unix};
use gangplank_server::key::{Backend, CertificateDer, PublicKey};
use gangplank_server::trust::DistinguishedName;
use gangplank_testkit::{deny_unknown_keys, suite, temp_dir};
use http::{Method, StatusCode};
use rustls_pki_types::pem::PemObject;
use serde_json::{Value, json};
use x509_cert::der::{Decode, Encode};

#[tokio::test]
async fn registry() {
    let Some(folder) = suite("hono") else {
        return;
    };
    let text = std::fs::read(folder.join("cases.json")).unwrap();
    let cases: Value = serde_json::from_slice(&text).unwrap();
    let exceptions = exceptions();
    let pki = folder.join("pki");
    let (mut run, mut left, mut excepted, mut failures) = (0, 0, 0, Vec::new());
    for case in cases["cases"].as_array().or(cases.as_array()).unwrap() {
        let id = case["id"].as_str().unwrap();
        let kind = case["kind"].as_str().unwrap();
        if !["provision", "lifecycle", "edge"].contains(&kind) {
            continue;
        }
        if ELSEWHERE.contains(&id) {
            left += 1;
            continue;
        }
        run += 1;
        let found = Site::new(pki.clone(), &case["given"])
            .await
            .judge(kind, case)
            .await;
        match (found, exceptions.get(id)) {
            (Ok(()), None) => {}
            (Err(error), Some(expected)) if error.starts_with(expected) => excepted += 1,
            (Ok(()), Some(_)) => failures.push(format!("{id}: no exception any more")),
            (Err(error), _) => failures.push(format!("{id}: {error}")),
        }
    }
    println!(
        "hono registry: {run} run, {} passed, {excepted} excepted, {left} left to other tests",
        run - excepted - failures.len()
    );
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(run >= COMMITTED, "{run} cases");
    assert_eq!((left, excepted), (ELSEWHERE.len(), exceptions.len()));
}

type Judged = Result<(), String>;

/// A server in the state that a case gives.
struct Site {
    world: World,
    fault: Fault,
    pki: PathBuf,
    given: Value,
    /// Devices, credentials and events before the call.
    before: [usize; 3],
}

const TENANT: &str = "/admin/tenants/tenant";
/// When all cases happen, see [`Site::new`].
const NOW: u64 = 1_795_219_200;

impl Site {
    async fn new(pki: PathBuf, given: &Value) -> Self {
        if let Some(now) = given.get("now") {
            assert_eq!(now, "2026-11-21T00:00:00Z");
        }
        let fault = Fault::default();
        let world = World::over(
            temp_dir(),
            |builder| builder.clock(Arc::new(|| unix(NOW))),
            |store| fault.wrap(store),
        )
        .await;
        let mut site = Self {
            world,
            fault,
            pki,
            given: given.clone(),
            before: [0; 3],
        };
        if given["tenant-exists"] != false {
            site.prepare().await;
            site.before = site.counts().await;
        }
        site
    }

    async fn prepare(&self) {
        self.done(Method::POST, TENANT, &json!({})).await;
        for name in ["existing", "stored-device"] {
            self.import(&self.given[name]).await;
        }
        for tombstone in self.given["tombstones"].as_array().into_iter().flatten() {
            let id = self.import(tombstone).await;
            self.done(
                Method::DELETE,
                &format!("{TENANT}/devices/{id}"),
                &json!({}),
            )
            .await;
        }
        for _ in 0..self.given["devices-in-tenant"].as_u64().unwrap_or_default() {
            self.import(&json!({})).await;
        }
        for (member, id) in [("device", "device-id"), ("gateway", "gateway-id")] {
            if self.given[member].is_object() {
                let mut device = self.given[member].clone();
                device.as_object_mut().unwrap().remove("id");
                let path = format!("{TENANT}/devices/{}", self.given[id].as_str().unwrap());
                self.done(Method::POST, &path, &device).await;
            }
        }
        let document = self.tenant();
        self.done(Method::PUT, TENANT, &document).await;
    }

    /// A device with one credential, if it has an authentication id.
    async fn import(&self, device: &Value) -> String {
        if !device.is_object() {
            return String::new();
        }
        let auth_id = device["auth-id"].as_str();
        let credential =
            auth_id.map(|id| json!({"type": "x509-cert", "auth-id": id, "secrets": [{}]}));
        let mut one = json!({"credentials": credential.into_iter().collect::<Vec<_>>()});
        if let Some(id) = device.get("device-id") {
            one["device-id"] = id.clone();
        }
        if let Some(enabled) = device.get("enabled") {
            one["device"] = json!({"enabled": enabled});
        }
        let made = self
            .done(Method::POST, &format!("{TENANT}/import"), &json!([one]))
            .await;
        made.json()["devices"][0]["id"].as_str().unwrap().to_owned()
    }

    /// The case's tenant; the suite names files where the document has bytes.
    fn tenant(&self) -> Value {
        let mut document = match self.given.get("tenant") {
            Some(tenant) => tenant.clone(),
            None => json!({}),
        };
        if let Some(limits) = self.given.get("tenant-limits") {
            document["registration-limits"] = limits.clone();
        }
        for anchor in document["trusted-ca"].as_array_mut().into_iter().flatten() {
            if anchor.get("cert").is_some() {
                anchor["cert"] = json!(base64(&self.certificate(&anchor["cert"])));
            }
            if let Some(file) = anchor.as_object_mut().unwrap().remove("public-key-of") {
                let key = PublicKey::from_certificate(&self.certificate(&file), Backend::AWS_LC_RS);
                anchor["public-key"] = json!(base64(key.unwrap().spki()));
                anchor["algorithm"] = json!("EC");
            }
        }
        document
    }

    fn certificate(&self, name: &Value) -> CertificateDer<'static> {
        CertificateDer::from_pem_file(self.pki.join(name.as_str().unwrap())).unwrap()
    }

    async fn done(&self, method: Method, path: &str, body: &Value) -> Answer {
        let answer = self.world.operator(method, path, &body.to_string()).await;
        assert!(
            answer.status.is_success(),
            "{path} {body}: {}",
            answer.text()
        );
        answer
    }

    async fn counts(&self) -> [usize; 3] {
        let listed = self
            .done(Method::GET, &format!("{TENANT}/devices"), &json!({}))
            .await;
        let devices = listed.json()["devices"].as_array().unwrap().clone();
        let mut credentials = 0;
        for device in &devices {
            let path = format!(
                "{TENANT}/devices/{}/credentials",
                device["id"].as_str().unwrap()
            );
            let list = self.done(Method::GET, &path, &json!({})).await;
            credentials += list.json().as_array().unwrap().len();
        }
        let events = self.world.store.outbox(0, 100).await.unwrap();
        let provisioned = events
            .iter()
            .filter(|one| one.event.as_str() == "device.provisioned");
        [devices.len(), credentials, provisioned.count()]
    }

    async fn judge(&self, kind: &str, case: &Value) -> Judged {
        let expect = &case["expect"];
        if let Some(fault) = self.given.get("fault") {
            self.fault.at(match fault["at"].as_str().unwrap() {
                "lookup-credential" => Some("identity"),
                "create-device" => Some("save_devices"),
                // There is no such step: an event is in the outbox, or the device is not there.
                "send-event" | "mark-notification-sent" => None,
                other => panic!("{other}"),
            });
        }
        let (path, body) = match kind {
            "edge" => self.registration(),
            _ => self.credentials(),
        };
        let logins = self.given["concurrent-logins"].as_u64().unwrap_or(1);
        let body = body.to_string();
        let calls = (0..logins).map(|_| self.world.operator(Method::POST, &path, &body));
        let answers = futures_util::future::join_all(calls).await;
        self.fault.at(None);
        let after = match self.given["tenant-exists"] != false {
            true => self.counts().await,
            false => [0; 3],
        };
        let added: Vec<usize> = after.iter().zip(self.before).map(|(a, b)| a - b).collect();
        if let Some(stored) = expect.get("stored") {
            let counts = json!({"devices": added[0], "credentials": added[1], "outbox": added[2]});
            same(&counts, stored)?;
        }
        let outcomes: Vec<&str> = answers.iter().map(|one| outcome(one, added[0])).collect();
        if expect.get("outcomes").is_some() {
            let mut found = outcomes;
            found.sort_unstable();
            same(&json!(found), &json!(["known", "provision"]))?;
            return same(
                &answers[0].json()["device-id"],
                &answers[1].json()["device-id"],
            );
        }
        self.answered(&answers[0], outcomes[0], expect).await
    }

    async fn answered(&self, answer: &Answer, outcome: &str, expect: &Value) -> Judged {
        let body = answer.json();
        if let Some(expected) = expect.get("outcome") {
            same(&json!(outcome), expected)?;
        }
        if let Some(expected) = expect.get("status") {
            same(&json!(answer.status.as_u16()), expected)?;
        }
        if let Some(expected) = expect.get("reason") {
            same(&body["reason"], expected)?;
        }
        if let Some(holder) = expect.get("conflicts-with") {
            let detail = body["detail"].as_str().unwrap();
            same(&detail.ends_with(holder.as_str().unwrap()), &true)?;
        }
        if !answer.status.is_success() {
            return Ok(());
        }
        let id = body["device-id"].as_str().unwrap();
        match expect.get("device-id") {
            Some(made) if made == "<uuid-v4>" => same(&id.starts_with("d-"), &true)?,
            Some(expected) => same(&json!(id), expected)?,
            None => {}
        }
        if let Some(other) = expect.get("device-id-is-not") {
            same(&(json!(id) == *other), &false)?;
        }
        let path = format!("{TENANT}/devices/{id}");
        let device = self.done(Method::GET, &path, &json!({})).await.json();
        for expected in ["device", "stored-device"] {
            contains(&device, &expect[expected])?;
        }
        let credentials = format!("{path}/credentials");
        let credentials = self
            .done(Method::GET, &credentials, &json!({}))
            .await
            .json();
        contains(&credentials[0], &expect["credentials"][0])
    }

    fn credentials(&self) -> (String, Value) {
        let path = self.given["path"].as_array().unwrap();
        let leaf = self.certificate(&path[0]);
        let mut body = json!({
            "type": "x509-cert",
            "auth-id": self.given["auth-id"].as_str().map_or_else(|| self.auth_id(&leaf), str::to_owned),
            "intermediates": path[1..].iter().map(|one| base64(&self.certificate(one))).collect::<Vec<_>>(),
            "client-certificate": base64(&leaf),
        });
        if self
            .given
            .get("client-certificate")
            .is_some_and(Value::is_null)
        {
            body.as_object_mut().unwrap().remove("client-certificate");
        }
        if let Some(source) = self.given.get("source") {
            body["source"] = source.clone();
        }
        ("/admin/adapter/tenants/tenant/credentials".to_owned(), body)
    }

    /// As an adapter makes it.
    fn auth_id(&self, leaf: &[u8]) -> String {
        let leaf = x509_cert::Certificate::from_der(leaf).unwrap();
        let subject = leaf.tbs_certificate().subject().to_der().unwrap();
        DistinguishedName::from_der(&subject).unwrap().to_string()
    }

    fn registration(&self) -> (String, Value) {
        let id = self.given["device-id"]
            .as_str()
            .unwrap()
            .replace('£', "%C2%A3");
        let path = format!("/admin/adapter/tenants/tenant/registrations/{id}");
        (path, json!({"gateway-id": self.given["gateway-id"]}))
    }
}

/// Both of an edge device are a 200: what is stored tells them apart.
fn outcome(answer: &Answer, added: usize) -> &'static str {
    match answer.status {
        StatusCode::CREATED => "provision",
        StatusCode::OK if answer.json().get("type").is_none() && added > 0 => "provision",
        StatusCode::OK => "known",
        status if status.is_server_error() => "error",
        _ => "refuse",
    }
}

/// Every member that is expected is there.
fn contains(found: &Value, expected: &Value) -> Judged {
    match expected {
        Value::Null => Ok(()),
        Value::Object(members) => members
            .iter()
            .try_for_each(|(name, value)| contains(&found[name], value)),
        value => same(found, value),
    }
}

fn same<T: PartialEq + std::fmt::Debug>(found: &T, expected: &T) -> Judged {
    match found == expected {
        true => Ok(()),
        false => Err(format!("{found:?} instead of {expected:?}")),
    }
}

/// The cases in which the server does otherwise. That nothing is stored then is judged first.
fn exceptions() -> BTreeMap<String, String> {
    let list: Value = serde_json::from_str(include_str!("hono-exceptions.json")).unwrap();
    let list = list.as_array().unwrap().iter().map(|one| {
        let members = ["id", "says", "gangplank", "why"];
        deny_unknown_keys("hono-exceptions.json", one, &members);
        assert!(members.iter().all(|member| one[member].is_string()));
        let failure = "Number(503) instead of Number(";
        (one["id"].as_str().unwrap().to_owned(), failure.to_owned())
    });
    list.collect()
}

/// What no call can bring about: keys and certificates that others used (N6, P15), devices that an anchor
/// made of certificates nobody has (P5.1), a subject without a certificate (N7), a dry run (P10, which
/// is `gangplank trust explain`). The tests of `decide` and of the store run them. And DX1 is about the
/// event as it is delivered: see tests/notify.rs.
const ELSEWHERE: [&str; 6] = ["N6", "P15", "P5.1", "N7", "P10", "DX1"];

/// The cases that are run.
const COMMITTED: usize = 34;
