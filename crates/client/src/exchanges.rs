//! The exchanges of generation 2024: what each sends, and what of the answer is believed.

use gangplank_envelope::PayloadType;
use gangplank_onboarding::{
    HttpsUrl,
    v2024::{
        capabilities::{self, DeviceCapabilities},
        certificate::{self, RootCertificate},
        git_credential::GitCredential,
        onboarding::{self, OnboardingResponse},
        status::{self, DeploymentStatus},
    },
};

use crate::{
    Aboard, BadAnswer, GitAccess, Purpose, Reported,
    call::Call,
    context::Context,
    plan::{Answer, Body, Plan},
};

/// `GET /onboarding/certificate`: the one request of the bootstrap connection.
pub(crate) fn root_certificate(context: &Context) -> Call<()> {
    let plan = Plan {
        purpose: Purpose::RootCertificate,
        url: context.settings.root_url.join(certificate::PATH),
        body: Body::Bootstrap,
    };
    Call::new(plan, |context, answer| {
        let body = &answer.response.body;
        let root = RootCertificate::decode(body)
            .map_err(BadAnswer::Message)?
            .certificate;
        context.adopt_root(root, answer.now)
    })
}

/// `POST /onboarding/`.
pub(crate) fn introduction(context: &Context) -> Call<()> {
    let payload = context.settings.description.encode();
    let plan = Plan {
        purpose: Purpose::Onboarding,
        url: context.settings.root_url.join(onboarding::PATH),
        body: Body::Introduction(PayloadType::ONBOARDING_REQUEST, payload),
    };
    Call::new(plan, come_aboard)
}

/// A bearer token, which shows that the client secret works.
pub(crate) fn first_token(aboard: &Aboard) -> Call<()> {
    let plan = Plan {
        purpose: Purpose::Token,
        url: aboard.token_endpoint_url.as_str().into(),
        body: Body::ClientCredentials,
    };
    Call::new(plan, |_, _| Ok(()))
}

/// `POST /device/{deviceId}/capabilities`.
pub(crate) fn capabilities(
    context: &Context,
    aboard: &Aboard,
    capabilities: &DeviceCapabilities,
) -> Call<()> {
    let mut own = capabilities.clone();
    own.id = aboard.device_id.clone();
    let plan = Plan {
        purpose: Purpose::Capabilities,
        url: context
            .settings
            .root_url
            .join(&capabilities::path(&aboard.device_id)),
        body: Body::Report(PayloadType::DEVICE_CAPABILITIES, own.encode()),
    };
    Call::new(plan, |context, _| {
        if let Some(aboard) = &mut context.aboard {
            aboard.capabilities = Reported::Sent;
        }
        context.changed();
        Ok(())
    })
}

/// `POST /device/{deviceId}/deployment/{deploymentId}/status`.
pub(crate) fn deployment_status(
    context: &Context,
    aboard: &Aboard,
    status: &DeploymentStatus,
) -> Call<()> {
    let path = status::path(&aboard.device_id, &status.deployment_id);
    let plan = Plan {
        purpose: Purpose::DeploymentStatus,
        url: context.settings.root_url.join(&path),
        body: Body::Report(PayloadType::DEPLOYMENT_STATUS, status.encode()),
    };
    Call::new(plan, |_, _| Ok(()))
}

/// `GET /device/{deviceId}/git-credential`, at the URL that the orchestrator gave.
pub(crate) fn git_credential(aboard: &Aboard) -> Call<GitCredential> {
    let plan = Plan {
        purpose: Purpose::GitCredential,
        url: aboard.git_credential_url.as_str().into(),
        body: Body::Nonce,
    };
    Call::new(plan, take_git_credential)
}

fn come_aboard(context: &mut Context, answer: &Answer<'_>) -> Result<(), BadAnswer> {
    let nonce = answer
        .nonce
        .ok_or(BadAnswer::Status(answer.response.status))?;
    let payload_type = PayloadType::ONBOARDING_RESPONSE;
    let payload = context.open(answer.response, payload_type, nonce, answer.now)?;
    let given = OnboardingResponse::decode(&payload).map_err(BadAnswer::Message)?;
    own_origin(context, "tokenEndpointUrl", &given.token_endpoint_url)?;
    own_origin(context, "gitRepositoryUrl", &given.git_repository_url)?;
    own_origin(context, "gitCredentialUrl", &given.git_credential_url)?;
    // It takes `?nonce=`, so it has no query yet.
    if given.git_credential_url.as_str().contains('?') {
        return Err(BadAnswer::Query {
            member: "gitCredentialUrl",
        });
    }
    let client_secret = given.client_secret.ok_or(BadAnswer::NoClientSecret)?;
    let before = context
        .aboard
        .take()
        .filter(|before| before.device_id == given.device_id);
    context.aboard = Some(Aboard {
        client_id: given.client_id,
        client_secret,
        token_endpoint_url: given.token_endpoint_url,
        git_repository_url: given.git_repository_url,
        git_credential_url: given.git_credential_url,
        git: Some(GitAccess {
            // Git's user name is the device id (docs/onboarding-api.md §7); a later credential says it.
            username: given.device_id.as_str().into(),
            token: given.git_access_token,
            expires_at: given.git_access_token_expires_at,
        }),
        capabilities: before.map_or(Reported::NotSent, |before| before.capabilities),
        device_id: given.device_id,
    });
    context.tokens.clear();
    context.changed();
    Ok(())
}

fn take_git_credential(
    context: &mut Context,
    answer: &Answer<'_>,
) -> Result<GitCredential, BadAnswer> {
    let nonce = answer
        .nonce
        .ok_or(BadAnswer::Status(answer.response.status))?;
    let payload = context.open(
        answer.response,
        PayloadType::GIT_CREDENTIAL,
        nonce,
        answer.now,
    )?;
    let given = GitCredential::decode(&payload).map_err(BadAnswer::Message)?;
    own_origin(context, "url", &given.url)?;
    if let Some(aboard) = &mut context.aboard {
        aboard.git_repository_url = given.url.clone();
        aboard.git = Some(GitAccess {
            username: given.username.as_str().into(),
            token: given.password.clone(),
            expires_at: given.expires_at,
        });
    }
    context.changed();
    Ok(given)
}

/// Secrets go to the host and port that the end user named, and nowhere else: even a signed answer
/// cannot send them to a third party (decision 0010).
fn own_origin(context: &Context, member: &'static str, url: &HttpsUrl) -> Result<(), BadAnswer> {
    match url.same_origin(&context.settings.root_url) {
        true => Ok(()),
        false => Err(BadAnswer::OtherOrigin { member }),
    }
}
