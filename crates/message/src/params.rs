use alloc::borrow::Cow;
use alloc::collections::BTreeSet;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use gangplank_key::Algorithm;

use crate::component::{FieldNames, understand};
use crate::structured::{
    BareItem, Bounds, InnerList, Integer, Key, Parameters, StructuredError, Text, write_inner_list,
};
use crate::{Component, ComponentError};

/// What a signature covers and what it says about itself: the value of Signature-Input under one
/// label, and of `"@signature-params"` in the base (RFC 9421 §2.3).
///
/// Parameters that this crate does not know are kept, and are signed with the rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignatureParams<'c> {
    components: Vec<Component<'c>>,
    parameters: Parameters<'c>,
}

impl<'c> SignatureParams<'c> {
    /// Covers these components, and says nothing else yet.
    ///
    /// # Errors
    /// [`ParamsError::Repeated`] when one is there twice.
    pub fn new(components: Vec<Component<'c>>) -> Result<Self, ParamsError> {
        Self::from_parts(components, Parameters::default())
    }

    /// Reads an inner list with parameters, as it stands in Signature-Input after the label.
    ///
    /// # Errors
    /// [`ParamsError`]: what is wrong with a component or a parameter.
    pub fn parse(text: &'c str, bounds: &Bounds) -> Result<Self, ParamsError> {
        let list = InnerList::parse(text.as_bytes(), bounds)?;
        Self::from_list(&list, FieldNames::SmallLetters)
    }

    /// With the time of signing, in Unix seconds.
    ///
    /// # Errors
    /// [`ParamsError::Type`] beyond the 15 digits of a structured integer.
    pub fn with_created(self, seconds: u64) -> Result<Self, ParamsError> {
        self.with_time("created", seconds)
    }

    /// With the time from which on the signature no longer counts, in Unix seconds.
    ///
    /// # Errors
    /// [`ParamsError::Type`] beyond the 15 digits of a structured integer.
    pub fn with_expires(self, seconds: u64) -> Result<Self, ParamsError> {
        self.with_time("expires", seconds)
    }

    /// With a value that no other signature has.
    ///
    /// # Errors
    /// [`ParamsError::Type`] when it is not printable ASCII.
    pub fn with_nonce(self, nonce: impl Into<Cow<'c, str>>) -> Result<Self, ParamsError> {
        self.with_text("nonce", nonce.into())
    }

    /// With the name of the algorithm. A verifier compares it with what it knows of the key.
    #[must_use]
    pub fn with_alg(mut self, algorithm: Algorithm) -> Self {
        let name = Text(Cow::Borrowed(algorithm.name()));
        self.parameters
            .set(Key::known("alg"), BareItem::String(name));
        self
    }

    /// With a name for the key.
    ///
    /// # Errors
    /// [`ParamsError::Type`] when it is not printable ASCII.
    pub fn with_key_id(self, key_id: impl Into<Cow<'c, str>>) -> Result<Self, ParamsError> {
        self.with_text("keyid", key_id.into())
    }

    /// With the name of the application that the signature is meant for.
    ///
    /// # Errors
    /// [`ParamsError::Type`] when it is not printable ASCII.
    pub fn with_tag(self, tag: impl Into<Cow<'c, str>>) -> Result<Self, ParamsError> {
        self.with_text("tag", tag.into())
    }

    /// What is covered, in order.
    pub fn components(&self) -> &[Component<'c>] {
        &self.components
    }

    /// Whether `component` is covered.
    pub fn covers(&self, component: &Component<'_>) -> bool {
        self.components.iter().any(|covered| covered == component)
    }

    /// Every parameter, known or not, in order.
    pub fn parameters(&self) -> &Parameters<'c> {
        &self.parameters
    }

    /// When it was signed, in Unix seconds.
    pub fn created(&self) -> Option<u64> {
        self.time("created")
    }

    /// From when on it no longer counts, in Unix seconds.
    pub fn expires(&self) -> Option<u64> {
        self.time("expires")
    }

    /// The nonce.
    pub fn nonce(&self) -> Option<&str> {
        self.text("nonce")
    }

    /// The algorithm's name, as the signer gives it.
    pub fn alg(&self) -> Option<&str> {
        self.text("alg")
    }

    /// The key's name, as the signer gives it.
    pub fn key_id(&self) -> Option<&str> {
        self.text("keyid")
    }

    /// The application's name.
    pub fn tag(&self) -> Option<&str> {
        self.text("tag")
    }

    pub(crate) fn from_list(list: &InnerList<'c>, names: FieldNames) -> Result<Self, ParamsError> {
        let components = understand(&list.items, names)?;
        Self::from_parts(components, list.parameters.clone())
    }

    pub(crate) fn write(&self, out: &mut String) {
        let items = self.components.iter().map(Component::item);
        write_inner_list(items, &self.parameters, out);
    }

    pub(crate) fn from_parts(
        components: Vec<Component<'c>>,
        parameters: Parameters<'c>,
    ) -> Result<Self, ParamsError> {
        let mut seen = BTreeSet::new();
        if let Some(twice) = components.iter().find(|next| !seen.insert(*next)) {
            return Err(ParamsError::Repeated {
                component: twice.to_string(),
            });
        }
        for (key, value) in parameters.iter() {
            let is_well_typed = match key.as_str() {
                "created" | "expires" => value.as_integer().is_some_and(|seconds| seconds >= 0),
                "nonce" | "alg" | "keyid" | "tag" => value.as_text().is_some(),
                _ => true,
            };
            if !is_well_typed {
                return Err(ParamsError::Type {
                    parameter: key.as_str().to_string(),
                });
            }
        }
        Ok(Self {
            components,
            parameters,
        })
    }

    fn with_time(mut self, key: &'static str, seconds: u64) -> Result<Self, ParamsError> {
        let number = i64::try_from(seconds).ok().and_then(Integer::new);
        let number = number.ok_or_else(|| ParamsError::Type {
            parameter: key.to_string(),
        })?;
        self.parameters
            .set(Key::known(key), BareItem::Integer(number));
        Ok(self)
    }

    fn with_text(mut self, key: &'static str, text: Cow<'c, str>) -> Result<Self, ParamsError> {
        let text = Text::new(text).map_err(|_| ParamsError::Type {
            parameter: key.to_string(),
        })?;
        self.parameters.set(Key::known(key), BareItem::String(text));
        Ok(self)
    }

    fn time(&self, key: &str) -> Option<u64> {
        let seconds = self.parameters.get(key)?.as_integer()?;
        u64::try_from(seconds).ok()
    }

    fn text(&self, key: &str) -> Option<&str> {
        self.parameters.get(key)?.as_text()
    }
}

impl fmt::Display for SignatureParams<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        self.write(&mut text);
        f.write_str(&text)
    }
}

/// Why a list of components and parameters is none of a signature (RFC 9421 §2.3).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParamsError {
    /// Not an inner list at all.
    #[error("the signature's parameters are not an inner list: {0}")]
    Structured(#[from] StructuredError),
    /// A component that is none.
    #[error(transparent)]
    Component(#[from] ComponentError),
    /// A component that is listed twice, maybe with its parameters in another order.
    #[error("the component {component} is covered twice")]
    Repeated {
        /// The component.
        component: String,
    },
    /// A parameter of the wrong type: `created` and `expires` are integers that are not negative,
    /// `nonce`, `alg`, `keyid` and `tag` are strings.
    #[error("the parameter {parameter} has a value of the wrong type")]
    Type {
        /// The parameter.
        parameter: String,
    },
}
