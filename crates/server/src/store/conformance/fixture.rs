use core::fmt::Debug;
use core::time::Duration;
use std::sync::Arc;

use gangplank_envelope::OnceKey;
use gangplank_key::CertificateId;
use gangplank_onboarding::DeviceId;
use gangplank_token::{ClientId, StoredSecret};
use gangplank_trust::{Origin, Quotas, StoredAuthId, TenantId};
use rustls_pki_types::{CertificateDer, UnixTime};

use super::{Backend, Failure};
use crate::store::{
    Actor, Admission, AdmissionOutcome, AdmissionPlan, AuditRecord, AuthenticationOutcome,
    CapabilitiesReport, Change, ChangeOutcome, ClientAuthentication, Credential, Credentials,
    DEFAULT_TENANT, Described, Device, Expected, GitTokenIssue, IssueOutcome, MAX_PAGE,
    NewCertificate, NewDevice, Provisioning, RegisterOutcome, Registration, StatusReport, Store,
    TenantContent, TenantOutcome, TenantQuery, TenantRecord, TenantSave, TokenKind,
};

/// The case fails unless the condition holds.
macro_rules! expect {
    ($condition:expr, $($why:tt)+) => {
        if !$condition {
            return Err($crate::store::conformance::Failure(format!($($why)+)));
        }
    };
}

/// The case fails unless both are equal.
macro_rules! expect_eq {
    ($found:expr, $expected:expr) => {
        match (&$found, &$expected) {
            (found, expected) => expect!(
                found == expected,
                "{} is {found:?} instead of {expected:?}",
                stringify!($found)
            ),
        }
    };
}

/// Takes out what a pattern binds; the case fails if the value is another.
macro_rules! expect_match {
    ($value:expr, $pattern:pat => $out:expr) => {
        match $value {
            $pattern => $out,
            other => {
                return Err($crate::store::conformance::fixture::unexpected(
                    stringify!($pattern),
                    &other,
                ))
            }
        }
    };
}

/// The list of a group's cases.
macro_rules! cases {
    ($($case:ident),+ $(,)?) => {
        pub(super) fn cases() -> Vec<$crate::store::conformance::Case> {
            vec![$($crate::store::conformance::Case {
                name: stringify!($case),
                run: |bench| Box::pin($case(bench)),
            }),+]
        }
    };
}

pub(super) fn unexpected(expected: &str, found: &dyn Debug) -> Failure {
    Failure(format!("{expected} was expected instead of {found:?}"))
}

/// A store for one case, and short words for what cases do with it. Devices, secrets and tokens
/// are numbers: the same number is the same thing.
pub(super) struct Bench {
    pub(super) store: Arc<dyn Store>,
    backend: Arc<dyn Backend>,
}

impl Bench {
    pub(super) async fn open(backend: Arc<dyn Backend>) -> Result<Self, Failure> {
        let store = backend.open_fresh().await?;
        Ok(Self { store, backend })
    }

    pub(super) async fn reopen(self) -> Result<Self, Failure> {
        let store = self.backend.reopen(self.store).await?;
        Ok(Self { store, ..self })
    }

    /// An operator registers device `n`.
    pub(super) async fn register(&self, n: u32) -> Result<Device, Failure> {
        let outcome = self.store.register(registration(new(n)?)).await?;
        Ok(expect_match!(outcome, RegisterOutcome::Created(device) => device))
    }

    /// Device `n` comes aboard for the first time, with the secret and Git token `k`.
    pub(super) async fn aboard(&self, n: u32, k: u32) -> Result<Device, Failure> {
        let outcome = self.store.create_or_adopt(provision(n, k)?).await?;
        Ok(expect_match!(outcome, AdmissionOutcome::Created(device, _) => device))
    }

    /// Device `n` comes aboard again, with the secret and Git token `k`.
    pub(super) async fn again(&self, n: u32, k: u32) -> Result<Device, Failure> {
        let outcome = self.store.create_or_adopt(provision(n, k)?).await?;
        Ok(expect_match!(outcome, AdmissionOutcome::Again(device, _) => device))
    }

    /// Device `n` comes as a stranger and waits.
    pub(super) async fn queued(&self, n: u32) -> Result<Device, Failure> {
        let outcome = self.store.create_or_adopt(queue(n)?).await?;
        Ok(expect_match!(outcome, AdmissionOutcome::Pending(device) => device))
    }

    /// Whether client `n` gets the access token `token` for `secret`.
    pub(super) async fn opens(&self, n: u32, secret: u32, token: u32) -> Result<bool, Failure> {
        let asked = authentication(n, secret, token)?;
        Ok(match self.store.authenticate_client(asked).await? {
            AuthenticationOutcome::Issued(_) => true,
            AuthenticationOutcome::InvalidClient => false,
        })
    }

    /// Whether a token lives at the usual time.
    pub(super) async fn lives(&self, kind: TokenKind, token: u32) -> Result<bool, Failure> {
        let token = hash(kind.as_str(), token);
        let found = self.store.device_by_token(kind, &token, at(0)).await?;
        Ok(found.is_some())
    }

    /// Device `n` gets Git token `token`.
    pub(super) async fn git_token(&self, n: u32, token: u32) -> Result<IssueOutcome, Failure> {
        let issue = GitTokenIssue {
            device_id: device_id(n)?,
            token: hash("git", token),
            expires_at: at(HOUR),
            at: at(0),
        };
        Ok(self.store.issue_git_token(issue).await?)
    }

    /// An operator changes device `n`.
    pub(super) async fn change(&self, n: u32, change: Change) -> Result<Device, Failure> {
        let outcome = self.try_change(n, change).await?;
        Ok(expect_match!(outcome, ChangeOutcome::Done(device) => device))
    }

    pub(super) async fn try_change(
        &self,
        n: u32,
        change: Change,
    ) -> Result<ChangeOutcome, Failure> {
        let id = device_id(n)?;
        Ok(self.store.change(&id, change, operator(), at(0)).await?)
    }

    pub(super) async fn device(&self, n: u32) -> Result<Option<Device>, Failure> {
        Ok(self.store.device(&device_id(n)?).await?)
    }

    pub(super) async fn audit(&self) -> Result<Vec<AuditRecord>, Failure> {
        Ok(self.store.audit(0, MAX_PAGE).await?)
    }

    /// Makes a tenant, or changes the one that is there; its revision.
    pub(super) async fn put_tenant(&self, id: &str, enabled: bool) -> Result<u64, Failure> {
        let mut save = tenant_save(id, Expected::Present)?;
        save.content.enabled = enabled;
        if self.store.tenant(&save.id).await?.is_none() {
            save.expected = Expected::Absent;
        }
        let outcome = self.store.save_tenant(save).await?;
        Ok(expect_match!(outcome, TenantOutcome::Saved { revision } => revision))
    }

    /// All tenants there are.
    pub(super) async fn tenants(&self) -> Result<Vec<TenantRecord>, Failure> {
        Ok(self.store.tenants(&TenantQuery::default()).await?)
    }
}

pub(super) const APPROVE: Change = Change::Approve { max_devices: None };

pub(super) const REMOVE: Change = Change::Remove {
    expected: Expected::Present,
};

pub(super) const HOUR: u64 = 3600;

pub(super) fn at(seconds: u64) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(1_800_000_000 + seconds))
}

pub(super) fn operator() -> Actor {
    Actor::Operator("ada".to_owned())
}

pub(super) fn bytes(label: &str, n: u32) -> [u8; 32] {
    let mut bytes = [0; 32];
    let text = n.to_be_bytes().into_iter().chain(label.bytes());
    for (byte, value) in bytes.iter_mut().zip(text) {
        *byte = value;
    }
    bytes
}

pub(super) fn hash(label: &str, n: u32) -> StoredSecret {
    StoredSecret::from_bytes(bytes(label, n))
}

pub(super) fn once(n: u32, until: u64) -> OnceKey {
    OnceKey {
        key: bytes("once", n),
        since: at(0),
        until: at(until),
    }
}

pub(super) fn device_id(n: u32) -> Result<DeviceId, Failure> {
    DeviceId::parse(&format!("d-{n:04}")).map_err(|error| Failure(error.to_string()))
}

pub(super) fn client_id(n: u32) -> Result<ClientId, Failure> {
    ClientId::parse(&format!("c-{n:04}")).map_err(|error| Failure(error.to_string()))
}

pub(super) fn certificate_id(n: u32) -> Result<CertificateId, Failure> {
    CertificateId::parse(&format!("SN-{n:04}")).map_err(|error| Failure(error.to_string()))
}

pub(super) fn tenant(id: &str) -> Result<TenantId, Failure> {
    TenantId::parse(id).map_err(|error| Failure(error.to_string()))
}

pub(super) fn tenant_save(id: &str, expected: Expected) -> Result<TenantSave, Failure> {
    Ok(TenantSave {
        id: tenant(id)?,
        expected,
        content: TenantContent {
            enabled: true,
            alias: None,
            issuers: Vec::new(),
            trust_anchor_group: None,
            document: format!("document of {id}"),
        },
        actor: operator(),
        at: at(0),
    })
}

pub(super) fn new(n: u32) -> Result<NewDevice, Failure> {
    Ok(NewDevice {
        tenant: tenant(DEFAULT_TENANT)?,
        device_id: device_id(n)?,
        certificate: certificate(n)?,
    })
}

pub(super) fn certificate(n: u32) -> Result<NewCertificate, Failure> {
    Ok(NewCertificate {
        certificate_id: Some(certificate_id(n)?),
        certificate: CertificateDer::from(format!("certificate {n}").into_bytes()),
        spki_sha256: bytes("key", n),
        fingerprint: bytes("certificate", n),
    })
}

pub(super) fn registration(device: NewDevice) -> Registration {
    Registration {
        device,
        max_devices: None,
        actor: operator(),
        at: at(0),
    }
}

pub(super) fn credentials(n: u32, k: u32) -> Result<Credentials, Failure> {
    Ok(Credentials {
        client_id: client_id(n)?,
        secret: hash("secret", k),
        git_token: hash("git", k),
        git_expires_at: at(HOUR),
    })
}

pub(super) fn admission(plan: AdmissionPlan, n: u32, k: u32) -> Result<Admission, Failure> {
    Ok(Admission {
        plan,
        policy: None,
        once: Vec::new(),
        credentials: Some(credentials(n, k)?),
        described: Described::default(),
        source: None,
        at: at(0),
    })
}

pub(super) fn origin(anchor: &str) -> Origin {
    Origin {
        anchor_id: anchor.to_owned(),
        anchor_spki_sha256: bytes(anchor, 0),
        policy_revision: 7,
        certificate_sha256: bytes("certificate", 0),
        spki_sha256: bytes("key", 0),
        serial_number: vec![1, 2, 3],
        issuer: "CN=issuer".to_owned(),
    }
}

/// What device `n` is recognised by.
pub(super) fn credential(n: u32) -> Credential {
    let values = vec![format!("a{n}"), "\"b\"".to_owned()];
    Credential {
        auth_id: StoredAuthId::of_template(&values.join(":"), values),
        document: format!("credential {n}"),
    }
}

/// Device `n` comes by an anchor. Its number is the end of its id.
pub(super) fn provision_plan(device: NewDevice) -> AdmissionPlan {
    let number = device.device_id.as_str().trim_start_matches("d-");
    let credential = credential(number.parse().unwrap_or_default());
    AdmissionPlan::Provision {
        device,
        provisioning: Box::new(provisioning(credential)),
    }
}

pub(super) fn provisioning(credential: Credential) -> Provisioning {
    Provisioning {
        origin: origin("anchor"),
        credential,
        device_id_values: vec!["d".to_owned()],
        registration: "{\"ext\":1}".to_owned(),
        quotas: Quotas::default(),
    }
}

pub(super) fn provision(n: u32, k: u32) -> Result<Admission, Failure> {
    admission(provision_plan(new(n)?), n, k)
}

pub(super) fn queue(n: u32) -> Result<Admission, Failure> {
    admission(
        AdmissionPlan::Queue {
            device: new(n)?,
            credential: None,
        },
        n,
        n,
    )
}

pub(super) fn known(n: u32, k: u32) -> Result<Admission, Failure> {
    let device_id = device_id(n)?;
    let came_with = None;
    let plan = AdmissionPlan::Known {
        device_id,
        came_with,
        revision: None,
    };
    admission(plan, n, k)
}

pub(super) fn authentication(
    n: u32,
    secret: u32,
    token: u32,
) -> Result<ClientAuthentication, Failure> {
    Ok(ClientAuthentication {
        client_id: client_id(n)?,
        presented: hash("secret", secret),
        access_token: hash("access", token),
        expires_at: at(HOUR),
        at: at(0),
    })
}

pub(super) fn capabilities(n: u32, body: &str) -> Result<CapabilitiesReport, Failure> {
    Ok(CapabilitiesReport {
        device_id: device_id(n)?,
        body: body.as_bytes().to_vec(),
        once: Vec::new(),
        at: at(0),
    })
}

pub(super) fn status(n: u32, deployment: &str, body: &str) -> Result<StatusReport, Failure> {
    Ok(StatusReport {
        device_id: device_id(n)?,
        deployment_id: deployment.to_owned(),
        body: body.as_bytes().to_vec(),
        once: Vec::new(),
        at: at(0),
    })
}
