use alloc::{format, vec::Vec};

use gangplank_envelope::{
    Audience, Envelope, Expect, ExpectedAudience, ExpectedForm, Freshness, Limits, PayloadType,
};
use gangplank_key::Zeroizing;
use gangplank_key::{Backend, CertificateDer, TrustedKey, UnixTime};
use gangplank_token::TokenCache;
use gangplank_trust::{
    ChainError,
    orchestrator::verify_orchestrator,
    roots::{RootError, check_root, fingerprint},
};

use crate::{
    Aboard, BadAnswer, DeviceState, MAX_ANSWER, Now, Response, RootTrust, Settings, StartError,
    clock::{PathTime, Time},
    plan::{ChosenBy, SentNonce},
};

/// What all exchanges of one device share.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) settings: Settings,
    pub(crate) root: Option<CertificateDer<'static>>,
    pub(crate) aboard: Option<Aboard>,
    pub(crate) time: Time,
    pub(crate) tokens: TokenCache,
    pub(crate) server_nonce: Option<SentNonce>,
    /// Whom the device's envelopes are for.
    pub(crate) audience: Audience,
    /// Whom the orchestrator's answers to this device are for.
    answer_audience: Audience,
    changed: bool,
}

impl Context {
    pub(crate) fn new(settings: Settings, state: Option<DeviceState>) -> Result<Self, StartError> {
        check_settings(&settings)?;
        let audience = |text: &str| Audience::parse(text).map_err(|_| StartError::RootUrl);
        let root_audience = audience(settings.root_url.as_str())?;
        let answer_audience = audience(
            &settings
                .root_url
                .join(&format!("/certificate/{}", settings.certificate_id)),
        )?;
        let held = match &state {
            Some(state) => Some(check_state(&settings, state)?),
            None => None,
        };
        let given = match &settings.root {
            RootTrust::Given(root) => Some(root.clone()),
            _ => None,
        };
        let (last_authenticated, aboard) = state.map_or((None, None), |state| {
            (state.last_authenticated, state.aboard)
        });
        Ok(Self {
            root: held.or(given),
            aboard,
            time: Time::new(settings.build_time, last_authenticated),
            tokens: TokenCache::new(),
            server_nonce: None,
            audience: root_audience,
            answer_audience,
            changed: false,
            settings,
        })
    }

    /// Everything worth keeping; `None` until there is a root.
    pub(crate) fn state(&self) -> Option<DeviceState> {
        let settings = &self.settings;
        let root = self.root.clone()?;
        let mut state = DeviceState::new(
            settings.root_url.clone(),
            settings.certificate_id.clone(),
            root,
        );
        state.last_authenticated = self.time.last_authenticated();
        state.aboard.clone_from(&self.aboard);
        Some(state)
    }

    pub(crate) fn changed(&mut self) {
        self.changed = true;
    }

    pub(crate) fn unsaved(&mut self) -> Option<DeviceState> {
        match core::mem::take(&mut self.changed) {
            true => self.state(),
            false => None,
        }
    }

    /// Believes in a root that came over the bootstrap connection, if there is a reason to.
    pub(crate) fn adopt_root(
        &mut self,
        root: CertificateDer<'static>,
        now: Now,
    ) -> Result<(), BadAnswer> {
        let backend = self.settings.backend;
        match &self.settings.root {
            RootTrust::Pinned(pin) if fingerprint(&root, backend) != *pin => {
                return Err(BadAnswer::OtherRoot);
            }
            RootTrust::Given(given) if *given != root => return Err(BadAnswer::OtherRoot),
            _ => {}
        }
        check_root_at(&root, backend, self.time.path_time(now)).map_err(BadAnswer::Root)?;
        self.root = Some(root);
        self.changed();
        Ok(())
    }

    /// The payload of a signed answer: verified under the root, for this device, to this request.
    pub(crate) fn open(
        &mut self,
        response: &Response,
        payload_type: PayloadType,
        nonce: &SentNonce,
        now: Now,
    ) -> Result<Zeroizing<Vec<u8>>, BadAnswer> {
        let mut scratch = Zeroizing::new(Vec::new());
        let envelope =
            Envelope::decode(&response.body, &LIMITS, &mut scratch).map_err(BadAnswer::Envelope)?;
        let signer = self
            .orchestrator(envelope.claimed_certificates(), now)
            .map_err(BadAnswer::Signer)?;
        let expect = Expect {
            form: ExpectedForm::Bound(payload_type),
            audience: ExpectedAudience::Exactly(self.answer_audience.clone()),
            freshness: Freshness::Echo(&nonce.nonce),
        };
        let verified = envelope
            .verify(&signer, &expect)
            .map_err(BadAnswer::Verify)?;
        if let Some(created) = verified.created() {
            self.check_created(envelope.claimed_certificates(), created)?;
        }
        match (verified.created(), nonce.chosen_by) {
            // The nonce makes the answer younger than the request, so its time is the time.
            (Some(created), ChosenBy::Party) => {
                self.time.authenticated(created, now);
            }
            (None, ChosenBy::Party) => {}
            // It may be of any age, so it must not be older than what was seen already.
            (Some(created), ChosenBy::Anybody) if !self.time.is_past(created) => {
                self.time.passed(created);
            }
            (_, ChosenBy::Anybody) => return Err(BadAnswer::Old),
        }
        self.changed = true;
        Ok(Zeroizing::new(verified.payload().to_vec()))
    }

    /// An answer's time becomes a floor that never sinks again. Outside the windows of the very
    /// certificates that vouch for it, it is an orchestrator's clock gone astray, and as a floor it
    /// would lock the device out for good.
    fn check_created(
        &self,
        certificates: &[CertificateDer<'_>],
        created: UnixTime,
    ) -> Result<(), BadAnswer> {
        let no_root = BadAnswer::Created(ChainError::NoUsableAnchor);
        let root = self.root.as_ref().ok_or(no_root)?;
        verify_orchestrator(certificates, root, self.settings.backend, created)
            .map(drop)
            .map_err(BadAnswer::Created)
    }

    fn orchestrator(
        &self,
        certificates: &[CertificateDer<'_>],
        now: Now,
    ) -> Result<TrustedKey, ChainError> {
        let root = self.root.as_ref().ok_or(ChainError::NoUsableAnchor)?;
        let backend = self.settings.backend;
        at_path_time(
            self.time.path_time(now),
            |time| verify_orchestrator(certificates, root, backend, time),
            |error| match error {
                ChainError::LeafNotYetValid { not_before }
                | ChainError::IntermediateNotYetValid { not_before }
                | ChainError::AnchorNotYetValid { not_before, .. } => Some(*not_before),
                _ => None,
            },
        )
    }
}

/// Judges certificates at a time of which perhaps only the lower end is known. Then a certificate
/// that begins later is not refused for it: it may well have begun. One that ended before has ended.
fn at_path_time<T, E>(
    time: PathTime,
    check: impl Fn(UnixTime) -> Result<T, E>,
    begins: impl Fn(&E) -> Option<UnixTime>,
) -> Result<T, E> {
    let mut moment = match time {
        PathTime::Is(now) => return check(now),
        PathTime::AtLeast(floor) => floor,
    };
    let mut outcome = check(moment);
    // A path has at most eight certificates, each with one beginning.
    for _ in 0..8 {
        match outcome.as_ref().err().and_then(&begins) {
            Some(begin) if begin > moment => moment = begin,
            _ => break,
        }
        outcome = check(moment);
    }
    outcome
}

fn check_root_at(
    root: &CertificateDer<'_>,
    backend: Backend,
    time: PathTime,
) -> Result<(), RootError> {
    at_path_time(
        time,
        |time| check_root(root, backend, time),
        |error| match error {
            RootError::NotYetValid { not_before } => Some(*not_before),
            _ => None,
        },
    )
}

fn check_settings(settings: &Settings) -> Result<(), StartError> {
    let certificates = settings.certificates.len();
    if !(1..=LIMITS.certificates).contains(&certificates) {
        return Err(StartError::Certificates(certificates));
    }
    match &settings.root {
        // Its window is judged when it is used.
        RootTrust::Given(root) => check_root_at(
            root,
            settings.backend,
            PathTime::AtLeast(settings.build_time),
        )
        .map_err(StartError::Root),
        _ => Ok(()),
    }
}

/// Old secrets never go to a new URL, and an old root never vouches for a new orchestrator.
fn check_state(
    settings: &Settings,
    state: &DeviceState,
) -> Result<CertificateDer<'static>, StartError> {
    if state.root_url != settings.root_url {
        return Err(StartError::OtherRootUrl {
            held: state.root_url.clone(),
            asked: settings.root_url.clone(),
        });
    }
    if state.certificate_id != settings.certificate_id {
        return Err(StartError::OtherCertificateId);
    }
    let same = match &settings.root {
        RootTrust::Pinned(pin) => fingerprint(&state.root, settings.backend) == *pin,
        RootTrust::Given(root) => *root == state.root,
        RootTrust::InsecureTrustOnFirstUse => true,
    };
    match same {
        true => Ok(state.root.clone()),
        false => Err(StartError::OtherRoot),
    }
}

/// An answer's payload fits into the longest answer.
const LIMITS: Limits = Limits {
    payload: MAX_ANSWER,
    ..Limits::DEFAULT
};
