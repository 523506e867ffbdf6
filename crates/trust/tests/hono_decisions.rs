//! The suite `hono`: who comes aboard, who joins and why not. What the cases say of the store's
//! contents is the server's to show; here a plan stands for one device, one credential and one event.

// A test reports by panicking; clippy sees that only inside the test functions themselves.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

use std::fs;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use gangplank_key::{Backend, PublicKey, UnixTime};
use gangplank_testkit::{Leaf, TestCa, suite};
use gangplank_trust::{
    Arrival, AuthId, AuthInfo, Bound, CredentialDocument, CredentialsRequest, DeviceDocument,
    DeviceStatus, EdgeDevice, EdgeOutcome, Explanation, Gateway, Known, KnownDevice, LeafStatus,
    Outcome, PlannedDeviceId, ProvisionAs, Reason, Revocation, Source, Standing, StoredAuthId,
    Tenant, TenantDocument, TenantId, VerifiedChain, decide_edge, explain, verify,
};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use serde_json::{Value, json};

#[test]
fn decisions() {
    let Some(folder) = suite("hono") else {
        return;
    };
    let cases: Value =
        serde_json::from_slice(&fs::read(folder.join("cases.json")).unwrap()).unwrap();
    let suite = Suite {
        pki: folder.join("pki"),
    };
    let (mut run, mut left, mut failures) = (0, 0, Vec::new());
    for case in cases["cases"].as_array().or(cases.as_array()).unwrap() {
        let id = case["id"].as_str().unwrap();
        let judge = match case["kind"].as_str().unwrap() {
            "provision" | "lifecycle" => Suite::decision,
            "path" => Suite::path,
            "edge" => Suite::edge,
            "auth-info" => Suite::auth_info,
            "credentials-request" => Suite::credentials_request,
            kind => {
                assert!(OTHERS.contains(&kind), "{id}: unknown kind {kind}");
                continue;
            }
        };
        if SERVER.contains(&id) {
            left += 1;
            continue;
        }
        run += 1;
        if let Err(error) = judge(&suite, &case["given"], &case["expect"]) {
            failures.push(format!("{id}: {error}"));
        }
    }
    println!(
        "hono decisions: {run} run, {} passed, 0 excepted, {left} left to the server",
        run - failures.len()
    );
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(run >= COMMITTED, "{run} cases");
    assert_eq!(left, SERVER.len());
}

type Judged = Result<(), String>;

struct Suite {
    pki: PathBuf,
}

impl Suite {
    fn decision(&self, given: &Value, expect: &Value) -> Judged {
        let tenant = self.tenant(given);
        let found = self.explain(given, &tenant);
        let again = self.explain(given, &tenant);
        same(&found, &again)?;
        let shown = serde_json::to_value(&found).unwrap();
        if let Some(outcomes) = expect.get("outcomes") {
            // The racer that comes second finds the device of the first.
            let plan = &shown["plan"];
            let existing = json!({"device-id": "x", "auth-id": plan["auth-id"]});
            let mut second = given.clone();
            second["existing"] = existing;
            let second = serde_json::to_value(self.explain(&second, &tenant)).unwrap();
            return same(&json!([shown["outcome"], second["outcome"]]), outcomes);
        }
        if let Some(outcome) = expect.get("outcome") {
            same(&shown["outcome"], outcome)?;
        }
        for member in ["status", "reason"] {
            if let Some(expected) = expect.get(member) {
                same(&shown[member], expected)?;
            }
        }
        if let Some(stored) = expect.get("stored") {
            let added = usize::from(shown["outcome"] == "provision" && given["dry-run"] != true);
            let counts = json!({"devices": added, "credentials": added, "outbox": added});
            same(&counts, stored)?;
        }
        if let Some(anchor) = expect.get("verified-by") {
            same(&shown["anchor"], anchor)?;
        }
        if let Some(conflicts) = expect.get("conflicts-with") {
            let Outcome::Refuse(Reason::IdentityConflict { known }) = &found.decision().outcome
            else {
                return Err(format!("{found:?}"));
            };
            same(&json!(known), conflicts)?;
        }
        details(&found, now(given), expect)
    }

    fn explain(&self, given: &Value, tenant: &Tenant) -> Explanation {
        let path = self.path_of(given);
        let devices = self.devices(given);
        let find = |chain: &VerifiedChain, auth_id: Option<&AuthId>| {
            let names = |stored: &StoredAuthId| auth_id.is_some_and(|id| id.names(stored));
            let template = chain.device_id();
            Known {
                device: devices
                    .iter()
                    .find(|device| device.auth_id.as_ref().is_some_and(names)),
                holder_of_device_id: template.and_then(|id| {
                    devices
                        .iter()
                        .find(|device| device.device_id == id.as_str())
                }),
                provisioned_by_anchor: given["provisioned-by"][chain.anchor().id()]
                    .as_u64()
                    .unwrap_or_default(),
                devices_in_tenant: given["devices-in-tenant"].as_u64().unwrap_or_default(),
            }
        };
        let source = given["source"].as_str().map_or(Source::Unknown, |text| {
            Source::from(text.parse::<IpAddr>().unwrap())
        });
        let arrival = Arrival {
            certificates: &path,
            revocation: revocation(given),
            source,
            now: now(given),
        };
        explain(&arrival, tenant, find, Backend::AWS_LC_RS)
    }

    /// The certificates that the registry gets: an adapter may keep them back.
    fn path_of(&self, given: &Value) -> Vec<CertificateDer<'static>> {
        if given.get("client-certificate").is_some_and(Value::is_null) {
            return Vec::new();
        }
        let names = given["path"].as_array().unwrap();
        names.iter().map(|name| self.certificate(name)).collect()
    }

    fn devices(&self, given: &Value) -> Vec<KnownDevice> {
        let stored = [&given["existing"], &given["stored-device"]];
        let stored = stored.into_iter().filter(|device| device.is_object());
        let mut devices: Vec<KnownDevice> = stored.map(|device| self.device(device)).collect();
        for tombstone in given["tombstones"].as_array().into_iter().flatten() {
            let mut device = self.device(tombstone);
            device.standing = Standing::Removed;
            devices.push(device);
        }
        devices
    }

    fn device(&self, device: &Value) -> KnownDevice {
        let hash = |member: &str| -> Vec<[u8; 32]> {
            device[member]
                .as_str()
                .map(|text| self.hash(text))
                .into_iter()
                .collect()
        };
        KnownDevice {
            tenant: TenantId::parse("tenant").unwrap(),
            device_id: device["device-id"].as_str().unwrap_or_default().to_owned(),
            certificate_id: None,
            auth_id: device["auth-id"].as_str().map(StoredAuthId::new),
            bound: Bound {
                issuers: Vec::new(),
                spki_sha256: hash("bound-key"),
                certificate_sha256: hash("bound-certificate"),
            },
            joined_as: ProvisionAs::Device,
            standing: match device.get("enabled") {
                Some(Value::Bool(false)) => Standing::Disabled,
                _ => Standing::Admitted,
            },
        }
    }

    /// `spki of x.pem` or `sha256 of x.pem`.
    fn hash(&self, text: &str) -> [u8; 32] {
        let (what, file) = text.split_once(" of ").unwrap();
        let certificate = self.certificate(&json!(file));
        match what {
            "spki" => PublicKey::from_certificate(&certificate, Backend::AWS_LC_RS)
                .unwrap()
                .spki_sha256(),
            "sha256" => Backend::AWS_LC_RS.sha256(&[&certificate]),
            other => panic!("{other}"),
        }
    }

    fn path(&self, given: &Value, expect: &Value) -> Judged {
        let tenant = self.tenant(&json!({"tenant": {"trusted-ca": given["anchors"]}}));
        let found = verify(
            &self.path_of(given),
            &tenant,
            revocation(given),
            Backend::AWS_LC_RS,
            now(given),
        );
        match (
            found.map_err(Reason::from),
            expect["outcome"].as_str().unwrap(),
        ) {
            (Ok(chain), "accept") => same(&json!(chain.anchor().id()), &expect["verified-by"]),
            (Err(reason), "refuse") => {
                same(&json!(reason.code()), &expect["reason"])?;
                same(&json!(reason.http_status()), &expect["status"])
            }
            (found, _) => Err(format!(
                "{:?}",
                found.map(|chain| chain.anchor().id().to_owned())
            )),
        }
    }

    fn auth_info(&self, given: &Value, expect: &Value) -> Judged {
        let tenant = self.tenant(&json!({"tenant": {"trusted-ca": [given["anchor"]]}}));
        let chain = verify(
            &self.path_of(given),
            &tenant,
            Revocation::NotChecked,
            Backend::AWS_LC_RS,
            now(given),
        )
        .unwrap();
        let info = serde_json::to_value(AuthInfo::of(&chain)).unwrap();
        same(&info, &expect["auth-info"])
    }

    fn credentials_request(&self, given: &Value, expect: &Value) -> Judged {
        let info: AuthInfo = serde_json::from_value(given["auth-info"].clone()).unwrap();
        let found = CredentialsRequest::of(&info).map_err(|reason| reason.to_string())?;
        same(&json!(found.auth_id.as_str()), &expect["auth-id"])?;
        let mut context = json!({});
        if let Some(certificate) = found.client_certificate {
            context["client-certificate"] = json!(STANDARD.encode(certificate));
        }
        same(&context, &expect["client-context"])
    }

    fn edge(&self, given: &Value, expect: &Value) -> Judged {
        let tenant = Tenant::new(TenantId::parse("tenant").unwrap());
        let tenant = (given["tenant-exists"] == true).then_some(&tenant);
        let device = given["device"]
            .as_object()
            .map(|_| edge_device(&given["device"]));
        let gateway = given["gateway"]
            .as_object()
            .map(|_| gateway(&given["gateway"]));
        let id = given["device-id"].as_str().unwrap();
        match decide_edge(id, tenant, device.as_ref(), gateway.as_ref()) {
            EdgeOutcome::Known => same(&json!("known"), &expect["outcome"]),
            EdgeOutcome::Provision { via, via_groups } => {
                same(&json!("provision"), &expect["outcome"])?;
                let written = DeviceDocument::brought(via, via_groups).encode(&PROVISIONED);
                shown_as(&written, expect.get("device"))
            }
            EdgeOutcome::Refuse(reason) => {
                same(&json!("refuse"), &expect["outcome"])?;
                same(&json!(reason.code()), &expect["reason"])?;
                same(&json!(reason.http_status()), &expect["status"])
            }
        }
    }

    /// The case's tenant; the suite names files where the document has bytes.
    fn tenant(&self, given: &Value) -> Tenant {
        let mut document = given["tenant"].clone();
        if let Some(limits) = given.get("tenant-limits") {
            document["registration-limits"] = limits.clone();
        }
        let anchors = document["trusted-ca"].as_array_mut().unwrap();
        for anchor in anchors {
            if anchor.get("cert").is_some() {
                anchor["cert"] = json!(STANDARD.encode(self.certificate(&anchor["cert"])));
            }
            let members = anchor.as_object_mut().unwrap();
            if let Some(file) = members.remove("public-key-of") {
                let key = PublicKey::from_certificate(&self.certificate(&file), Backend::AWS_LC_RS);
                members.insert(
                    "public-key".into(),
                    json!(STANDARD.encode(key.unwrap().spki())),
                );
                members.insert("algorithm".into(), json!("EC"));
            }
        }
        decode(&document)
    }

    fn certificate(&self, name: &Value) -> CertificateDer<'static> {
        CertificateDer::from_pem_file(self.pki.join(name.as_str().unwrap())).unwrap()
    }
}

fn details(found: &Explanation, now: UnixTime, expect: &Value) -> Judged {
    match &found.decision().outcome {
        Outcome::Provision(plan) => {
            if let Some(id) = expect.get("device-id") {
                match plan.device_id() {
                    PlannedDeviceId::Random => same(id, &json!("<uuid-v4>"))?,
                    PlannedDeviceId::Template { id: made, .. } => same(&json!(made), id)?,
                }
            }
            let credential = CredentialDocument::provisioned(plan.auth_id(), now);
            shown_as(&credential.encode(), expect.pointer("/credentials/0"))?;
            let device = DeviceDocument::provisioned(plan.provision_as(), now);
            for expected in ["device", "stored-device"] {
                shown_as(&device.encode(&PROVISIONED), expect.get(expected))?;
            }
            if expect.get("recorded").is_some() {
                let origin = plan.origin();
                assert_eq!(origin.anchor_id, "a1");
                assert_eq!(origin.issuer, "CN=Root CA,OU=IoT,O=ACME");
                assert!(!origin.serial_number.is_empty());
            }
            Ok(())
        }
        Outcome::Known(recognition) => {
            if expect.get("recorded").is_some() {
                same(
                    &json!(format!("{:?}", recognition.changes)),
                    &json!("[Certificate]"),
                )?;
            }
            same(&json!(recognition.device_id), &expect["device-id"])
        }
        _ => Ok(()),
    }
}

#[test]
fn a_subject_that_does_not_fill_the_template_is_refused() {
    // Case N7: the suite has no certificate of that subject.
    let ca = TestCa::new("Root");
    let leaf = Leaf::nameless()
        .organizational_unit("IoT")
        .organization("ACME");
    let leaf = ca.issue(&leaf).certificate;
    let cert = STANDARD.encode(&ca.certificate);
    let document = json!({"trusted-ca": [{
        "id": "a1", "cert": cert, "auto-provisioning-enabled": true,
        "auth-id-template": "{{subject-cn}}",
    }]});
    let tenant = decode(&document);
    let nobody = |_: &VerifiedChain, _: Option<&AuthId>| Known::default();
    let arrival = Arrival {
        certificates: &[leaf],
        revocation: Revocation::NotChecked,
        source: Source::Unknown,
        now: gangplank_testkit::NOW,
    };
    let found = explain(&arrival, &tenant, nobody, Backend::AWS_LC_RS);
    let shown = serde_json::to_value(&found).unwrap();
    assert_eq!(shown["reason"], "template-attribute-missing");
    assert_eq!(shown["status"], 401);
}

fn decode(document: &Value) -> Tenant {
    let text = serde_json::to_vec(document).unwrap();
    let mut made = || "made".to_owned();
    let document = TenantDocument::decode(&text, &mut made).unwrap();
    document.tenant(TenantId::parse("tenant").unwrap(), 7)
}

fn edge_device(device: &Value) -> EdgeDevice {
    EdgeDevice {
        enabled: device["enabled"] == true,
        via: strings(&device["via"]),
        via_groups: strings(&device["viaGroups"]),
        auto_provisioned: device["status"]["auto-provisioned"] == true,
    }
}

fn gateway(gateway: &Value) -> Gateway {
    Gateway {
        device_id: gateway["id"].as_str().unwrap().to_owned(),
        enabled: gateway["enabled"] == true,
        may_provision: strings(&gateway["authorities"])
            .contains(&"auto-provisioning-enabled".to_owned()),
        member_of: strings(&gateway["memberOf"]),
    }
}

fn strings(list: &Value) -> Vec<String> {
    let items = list.as_array().into_iter().flatten();
    items
        .map(|item| item.as_str().unwrap().to_owned())
        .collect()
}

fn now(given: &Value) -> UnixTime {
    let now: jiff::Timestamp = given["now"].as_str().unwrap().parse().unwrap();
    UnixTime::since_unix_epoch(Duration::from_secs(now.as_second().try_into().unwrap()))
}

/// The expected members are in what is shown, and nothing else than the status has more of them.
fn shown_as(shown: &str, expected: Option<&Value>) -> Judged {
    let Some(expected) = expected else {
        return Ok(());
    };
    let shown: Value = serde_json::from_str(shown).unwrap();
    for (name, value) in expected.as_object().unwrap() {
        let mut found = shown[name].clone();
        if name == "status" {
            let found = found.as_object_mut().unwrap();
            found.retain(|name, _| value.get(name).is_some());
        }
        same(&found, value)?;
    }
    Ok(())
}

/// The status of what has just been provisioned.
const PROVISIONED: DeviceStatus = DeviceStatus {
    created: UnixTime::since_unix_epoch(Duration::ZERO),
    updated: None,
    last_user: None,
    notification_sent: false,
};

fn same<T: PartialEq + std::fmt::Debug>(found: &T, expected: &T) -> Judged {
    match found == expected {
        true => Ok(()),
        false => Err(format!("{found:?} instead of {expected:?}")),
    }
}

/// Kinds that other tests run.
const OTHERS: [&str; 9] = [
    "adapter-view",
    "auth-id-normalise",
    "dn",
    "template",
    "template-save",
    "tenant-lookup",
    "tenant-resolve",
    "tenant-save",
    "tenant-write",
];

/// The status of the leaf, where the case has one.
fn revocation(given: &Value) -> Revocation<'static> {
    match given["revocation"].as_str() {
        None => Revocation::NotChecked,
        Some("good") => Revocation::Leaf(LeafStatus::Good),
        Some("revoked") => Revocation::Leaf(LeafStatus::Revoked),
        Some("unknown") => Revocation::Leaf(LeafStatus::Unknown),
        Some(other) => panic!("{other}"),
    }
}

/// Cases of a store that fails; and the two whose given is no certificate or another authentication
/// id, which have tests of their own.
const SERVER: [&str; 4] = ["D12", "E3", "N7", "D20"];

/// The cases of these kinds.
const COMMITTED: usize = 54;
