use alloc::borrow::Cow;
use alloc::string::String;
use core::fmt;

/// What a payload is: 1 to 64 of `A–Z a–z 0–9 . -` (member `type`).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PayloadType(Cow<'static, str>);

impl PayloadType {
    /// A device's request to be onboarded.
    pub const ONBOARDING_REQUEST: Self = Self(Cow::Borrowed("OnboardingRequest"));
    /// The orchestrator's answer to it.
    pub const ONBOARDING_RESPONSE: Self = Self(Cow::Borrowed("OnboardingResponse"));
    /// What a device can do.
    pub const DEVICE_CAPABILITIES: Self = Self(Cow::Borrowed("DeviceCapabilities"));
    /// How a deployment fares on a device.
    pub const DEPLOYMENT_STATUS: Self = Self(Cow::Borrowed("DeploymentStatus"));
    /// A credential for a device's desired-state repository.
    pub const GIT_CREDENTIAL: Self = Self(Cow::Borrowed("GitCredential"));

    /// What is on a list of container images, and until when.
    pub const ALLOWLIST: Self = Self(Cow::Borrowed("Allowlist"));

    /// Reads a payload type.
    ///
    /// # Errors
    /// [`PayloadTypeError`] when the text is empty, too long or has another character.
    pub fn parse(text: &str) -> Result<Self, PayloadTypeError> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '-';
        if text.is_empty() || text.len() > 64 || !text.chars().all(allowed) {
            return Err(PayloadTypeError);
        }
        Ok(Self(Cow::Owned(String::from(text))))
    }

    /// The type as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PayloadType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The text is no payload type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a payload type has 1 to 64 letters, digits, `.` and `-`")]
pub struct PayloadTypeError;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_alphabet_and_the_length_are_bounded() {
        assert_eq!(
            PayloadType::parse("OnboardingRequest"),
            Ok(PayloadType::ONBOARDING_REQUEST)
        );
        assert!(PayloadType::parse(&"x".repeat(64)).is_ok());
        for text in ["", "a b", "a/b", "a_b", "ä", &"x".repeat(65)] {
            assert_eq!(PayloadType::parse(text), Err(PayloadTypeError), "{text}");
        }
    }
}
