//! What a device gets when it comes aboard. The store sees keyed hashes only.

use gangplank_key::UnixTime;
use gangplank_onboarding::{DeviceId, ProblemName};
use gangplank_token::{ClientId, ClientSecret, GitToken};

use crate::admission::DeviceIdChoice;
use crate::api::Refusal;
use crate::random;
use crate::server::Server;
use crate::store::{Admission, AdmissionPlan, Credentials};

pub(super) struct Secrets {
    pub(super) client: ClientSecret,
    pub(super) git: GitToken,
    pub(super) git_expires_at: UnixTime,
    client_id: ClientId,
}

impl Secrets {
    pub(super) fn new(server: &Server, now: UnixTime) -> Result<Self, Refusal> {
        let mut rng = random::system();
        Ok(Self {
            client: ClientSecret::generate(&mut rng),
            git: GitToken::generate(&mut rng),
            git_expires_at: server.after(now, server.shared.lifetimes.git_token),
            client_id: client_id()?,
        })
    }

    pub(super) fn stored(&self, server: &Server) -> Credentials {
        Credentials {
            client_id: self.client_id.clone(),
            secret: server.shared.storage_key.stored(&self.client),
            git_token: server.shared.storage_key.stored(&self.git),
            git_expires_at: self.git_expires_at,
        }
    }
}

/// Proposes other random names than those that are taken.
pub(super) fn rename(admission: &mut Admission, choice: DeviceIdChoice) -> Result<(), Refusal> {
    if let Some(credentials) = &mut admission.credentials {
        credentials.client_id = client_id()?;
    }
    match &mut admission.plan {
        AdmissionPlan::Provision { device, .. } | AdmissionPlan::Queue { device, .. }
            if choice == DeviceIdChoice::Random =>
        {
            device.device_id = DeviceId::random(&mut random::system());
        }
        _ => {}
    }
    Ok(())
}

/// A device id with another first letter, so that the two are told apart in a log.
fn client_id() -> Result<ClientId, Refusal> {
    let id = DeviceId::random(&mut random::system());
    ClientId::parse(&id.as_str().replacen('d', "c", 1))
        .map_err(|error| Refusal::new(ProblemName::InternalError, error))
}
