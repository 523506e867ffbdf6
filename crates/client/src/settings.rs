use alloc::vec::Vec;

use gangplank_key::{Backend, CertificateDer, CertificateId, UnixTime};
use gangplank_onboarding::{
    RootUrl,
    v2024::{capabilities::DeviceCapabilities, onboarding::OnboardingRequest},
};

use serde::{Deserialize, Serialize};

use crate::Backoff;

/// Who the device is, whom it believes, and how patient it is.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where the orchestrator is.
    pub root_url: RootUrl,
    /// The GUID that the manufacturer gave.
    pub certificate_id: CertificateId,
    /// The device's certificate, and intermediates: 1 to 8, leaf first.
    pub certificates: Vec<CertificateDer<'static>>,
    /// Why a root certificate is believed.
    pub root: RootTrust,
    /// What the device says about itself to the operator.
    pub description: OnboardingRequest,
    /// What to report when aboard. `properties.id` is filled in with the device id.
    pub capabilities: Option<DeviceCapabilities>,
    /// How reports are signed.
    pub report_form: ReportForm,
    /// Verifies the orchestrator's signatures.
    pub backend: Backend,
    /// No earlier time is believed.
    pub build_time: UnixTime,
    /// Between tries after a lost answer or a busy server.
    pub quick: Backoff,
    /// Between tries after an answer or a refusal that nobody answers for.
    pub slow: Backoff,
    /// How many answers in a row that cannot be believed stop the device.
    pub bad_answers: u32,
}

/// How reports (capabilities and status) are signed. Onboarding is always an envelope.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum ReportForm {
    /// In a bound envelope: it says what is reported, for whom and when.
    #[default]
    Envelope,
    /// By the header `X-Payload-Signature`, over the body: for a server that knows nothing else. It
    /// says neither for whom nor when.
    #[serde(rename = "header")]
    PayloadSignature,
    /// As an HTTP message (RFC 9421), as in Margo 1.0: it says where to and when, over the body. It
    /// needs the time of day.
    #[cfg(feature = "message")]
    #[serde(rename = "message")]
    MessageSignature,
}

impl ReportForm {
    /// Whether only the device's clock says when a report was made.
    pub(crate) fn says_when_by_the_clock(self) -> bool {
        match self {
            Self::Envelope | Self::PayloadSignature => false,
            #[cfg(feature = "message")]
            Self::MessageSignature => true,
        }
    }
}

/// Why a root certificate is believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RootTrust {
    /// The SHA-256 of its DER is this one, from a join string.
    Pinned([u8; 32]),
    /// It was handed over out of band; none is fetched.
    Given(CertificateDer<'static>),
    /// Nothing vouches for it: whoever answers first is believed, for ever. For laboratories.
    InsecureTrustOnFirstUse,
}

impl Settings {
    /// Settings with pure-Rust verification, the usual waits, and three bad answers.
    pub fn new(
        root_url: RootUrl,
        certificate_id: CertificateId,
        certificates: Vec<CertificateDer<'static>>,
        root: RootTrust,
        build_time: UnixTime,
    ) -> Self {
        Self {
            root_url,
            certificate_id,
            certificates,
            root,
            description: OnboardingRequest::default(),
            capabilities: None,
            report_form: ReportForm::default(),
            backend: Backend::PURE_RUST,
            build_time,
            quick: Backoff::QUICK,
            slow: Backoff::SLOW,
            bad_answers: 3,
        }
    }
}
