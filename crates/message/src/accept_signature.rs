use alloc::borrow::Cow;
use alloc::collections::BTreeSet;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use gangplank_key::Algorithm;

use crate::component::{FieldNames, understand};
use crate::message::Field;
use crate::signatures::dictionary;
use crate::structured::{
    BareItem, InnerList, Integer, Key, Member, Parameters, TRUE, Text, write_dictionary,
    write_inner_list,
};
use crate::{Component, Limits, ParamsError, ReadError, SignatureParams};

/// Signatures that a peer asks for: the field Accept-Signature (RFC 9421 §5.1). In a request it asks
/// for them in the response, in a response for them in the next request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AcceptSignature<'m>(Vec<(Key<'m>, Member<'m>)>);

impl<'m> AcceptSignature<'m> {
    /// Asks for these.
    ///
    /// # Errors
    /// [`AcceptError::Repeated`] when two have the same label.
    pub fn new(requested: Vec<RequestedSignature<'m>>) -> Result<Self, AcceptError> {
        let mut labels = BTreeSet::new();
        if let Some(twice) = requested.iter().find(|next| !labels.insert(&next.label)) {
            return Err(AcceptError::Repeated {
                label: twice.label().to_string(),
            });
        }
        let members = requested.into_iter().map(|requested| {
            let items = requested.components.iter().map(Component::item).cloned();
            let list = InnerList {
                items: items.collect(),
                parameters: requested.parameters,
            };
            (requested.label, Member::InnerList(list))
        });
        Ok(Self(members.collect()))
    }

    /// Reads the field out of a message's field lines.
    ///
    /// What is asked for is looked at by [`requested`](Self::requested), so one label that is not
    /// understood does not stand in the way of another.
    ///
    /// # Errors
    /// [`ReadError`]: the field is missing or malformed, or has a label twice.
    pub fn read(fields: &'m [Field<'m>], limits: &Limits) -> Result<Self, ReadError> {
        dictionary(fields, "accept-signature", limits).map(Self)
    }

    /// The labels, in order.
    pub fn labels(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(label, _)| label.as_str())
    }

    /// What is asked for under `label`.
    ///
    /// # Errors
    /// [`AcceptError`]: nothing is, or something that is not understood.
    pub fn requested(&self, label: &str) -> Result<RequestedSignature<'m>, AcceptError> {
        let found = self.0.iter().find(|(known, _)| known.as_str() == label);
        match found {
            None => Err(AcceptError::NoSuchLabel {
                label: label.to_string(),
            }),
            Some((_, Member::Item(_))) => Err(AcceptError::Type {
                label: label.to_string(),
            }),
            Some((label, Member::InnerList(list))) => {
                let components = understand(&list.items, FieldNames::SmallLetters)?;
                RequestedSignature::from_parts(label.clone(), components, list.parameters.clone())
            }
        }
    }
}

impl fmt::Display for AcceptSignature<'_> {
    /// The value of the field.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        write_dictionary(&self.0, &mut text);
        f.write_str(&text)
    }
}

/// One signature that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestedSignature<'m> {
    label: Key<'m>,
    components: Vec<Component<'m>>,
    parameters: Parameters<'m>,
}

impl<'m> RequestedSignature<'m> {
    /// Asks for a signature of this label that covers exactly these components.
    ///
    /// # Errors
    /// [`AcceptError`]: the label is none, or a component is there twice.
    pub fn new(
        label: impl Into<Cow<'m, str>>,
        components: Vec<Component<'m>>,
    ) -> Result<Self, AcceptError> {
        let label = Key::new(label).map_err(|_| AcceptError::Label)?;
        Self::from_parts(label, components, Parameters::default())
    }

    /// And for the time of signing.
    #[must_use]
    pub fn wanting_created(self) -> Self {
        self.with("created", TRUE)
    }

    /// And for a time at which it ends.
    #[must_use]
    pub fn wanting_expires(self) -> Self {
        self.with("expires", TRUE)
    }

    /// And for this algorithm.
    #[must_use]
    pub fn wanting_alg(self, algorithm: Algorithm) -> Self {
        let name = Text(Cow::Borrowed(algorithm.name()));
        self.with("alg", BareItem::String(name))
    }

    /// And for this nonce.
    #[must_use]
    pub fn wanting_nonce(self, nonce: Text<'m>) -> Self {
        self.with("nonce", BareItem::String(nonce))
    }

    /// And for the key of this name.
    #[must_use]
    pub fn wanting_key_id(self, key_id: Text<'m>) -> Self {
        self.with("keyid", BareItem::String(key_id))
    }

    /// And for this tag.
    #[must_use]
    pub fn wanting_tag(self, tag: Text<'m>) -> Self {
        self.with("tag", BareItem::String(tag))
    }

    /// The label that the signature must have.
    pub fn label(&self) -> &str {
        self.label.as_str()
    }

    /// What it must cover, no less and no more.
    pub fn components(&self) -> &[Component<'m>] {
        &self.components
    }

    /// Whether the time of signing is asked for.
    pub fn wants_created(&self) -> bool {
        self.parameters.get("created").is_some()
    }

    /// Whether a time at which it ends is asked for.
    pub fn wants_expires(&self) -> bool {
        self.parameters.get("expires").is_some()
    }

    /// The name of the key that is asked for.
    pub fn key_id(&self) -> Option<&str> {
        self.parameters.get("keyid")?.as_text()
    }

    /// The name of the algorithm that is asked for. A key has its own; signing with another fails.
    pub fn alg(&self) -> Option<&str> {
        self.parameters.get("alg")?.as_text()
    }

    /// The parameters to sign with, in the order in which they are asked for (RFC 9421 §5.2). A time
    /// is put in where one is asked for.
    ///
    /// # Errors
    /// [`ParamsError`] for a time beyond 15 digits.
    pub fn params(&self, times: Times) -> Result<SignatureParams<'m>, ParamsError> {
        let mut parameters = Parameters::default();
        for (key, value) in self.parameters.iter() {
            let seconds = match key.as_str() {
                "created" => Some(times.created),
                "expires" => Some(times.expires),
                _ => None,
            };
            let value = match seconds {
                None => value.clone(),
                Some(seconds) => i64::try_from(seconds)
                    .ok()
                    .and_then(Integer::new)
                    .map(BareItem::Integer)
                    .ok_or_else(|| ParamsError::Type {
                        parameter: key.as_str().to_string(),
                    })?,
            };
            parameters.set(key.clone(), value);
        }
        SignatureParams::from_parts(self.components.clone(), parameters)
    }

    fn from_parts(
        label: Key<'m>,
        components: Vec<Component<'m>>,
        parameters: Parameters<'m>,
    ) -> Result<Self, AcceptError> {
        for (key, value) in parameters.iter() {
            let is_well_typed = match key.as_str() {
                "created" | "expires" => *value == TRUE,
                "nonce" | "alg" | "keyid" | "tag" => value.as_text().is_some(),
                _ => false,
            };
            if !is_well_typed {
                return Err(AcceptError::Parameter {
                    parameter: key.as_str().to_string(),
                });
            }
        }
        // The same rule as for what is signed: nothing twice.
        SignatureParams::new(components.clone())?;
        Ok(Self {
            label,
            components,
            parameters,
        })
    }

    fn with(mut self, key: &'static str, value: BareItem<'m>) -> Self {
        self.parameters.set(Key::known(key), value);
        self
    }
}

impl fmt::Display for RequestedSignature<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::from(self.label());
        text.push('=');
        let items = self.components.iter().map(Component::item);
        write_inner_list(items, &self.parameters, &mut text);
        f.write_str(&text)
    }
}

/// The times that a signer puts into a signature that is asked for, in Unix seconds; each counts only
/// where it is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    /// Now.
    pub created: u64,
    /// When the signature shall end.
    pub expires: u64,
}

/// Why a request for signatures cannot be followed, or made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AcceptError {
    /// Nothing is asked for under this label.
    #[error("no signature labelled {label} is asked for")]
    NoSuchLabel {
        /// The label.
        label: String,
    },
    /// Two of the same label.
    #[error("two signatures labelled {label} are asked for")]
    Repeated {
        /// The label.
        label: String,
    },
    /// A label that is no key of a dictionary.
    #[error("a label has small letters, digits and _ - . *, the first a letter or *")]
    Label,
    /// A label with something else than a list of components.
    #[error("what is asked for as {label} is not a list of components")]
    Type {
        /// The label.
        label: String,
    },
    /// A component that is none, or is there twice.
    #[error(transparent)]
    Params(#[from] ParamsError),
    /// A parameter that is not understood, or whose value is not: `created` and `expires` have none,
    /// the others are strings.
    #[error("the parameter {parameter} cannot be asked for like that")]
    Parameter {
        /// The parameter.
        parameter: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIELD: &str = r#"sig1=("@method" "@target-uri" "content-digest" "cache-control");keyid="test-key-rsa-pss";created;tag="app-123""#;

    fn read(value: &str) -> Result<String, ReadError> {
        let fields = [("Accept-Signature", value.as_bytes())];
        AcceptSignature::read(&fields, &Limits::DEFAULT).map(|accept| accept.to_string())
    }

    /// What is asked for as `a`, and whether `b`, which is good, is there beside it.
    fn requested(value: &str) -> Result<String, AcceptError> {
        let value = [value, ",b=();tag=\"t\""].concat();
        let fields = [("Accept-Signature", value.as_bytes())];
        let accept = AcceptSignature::read(&fields, &Limits::DEFAULT).unwrap();
        assert_eq!(accept.labels().collect::<Vec<_>>(), ["a", "b"]);
        assert!(accept.requested("b").is_ok());
        let requested = accept.requested("a")?;
        Ok(requested.to_string())
    }

    #[test]
    fn what_is_asked_for_becomes_parameters() {
        // The example of RFC 9421 §5.1.
        let fields = [("accept-signature", FIELD.as_bytes())];
        let accept = AcceptSignature::read(&fields, &Limits::DEFAULT).unwrap();
        let requested = accept.requested("sig1").unwrap();
        assert_eq!(requested.label(), "sig1");
        assert_eq!(requested.components().len(), 4);
        assert_eq!(requested.components()[0], Component::METHOD);
        assert_eq!(requested.alg(), None);
        assert_eq!(requested.key_id(), Some("test-key-rsa-pss"));
        assert!(requested.wants_created() && !requested.wants_expires());
        let times = Times {
            created: 7,
            expires: 8,
        };
        assert_eq!(
            requested.params(times).unwrap().to_string(),
            r#"("@method" "@target-uri" "content-digest" "cache-control");keyid="test-key-rsa-pss";created=7;tag="app-123""#
        );
        assert_eq!(accept.to_string(), FIELD);
        assert_eq!(read(FIELD).as_deref(), Ok(FIELD));
    }

    #[test]
    fn what_is_made_can_be_read() {
        let text = |text| Text::new(text).unwrap();
        let requested = RequestedSignature::new("a", [Component::STATUS].into())
            .unwrap()
            .wanting_created()
            .wanting_expires()
            .wanting_alg(Algorithm::Ed25519)
            .wanting_nonce(text("n"))
            .wanting_key_id(text("k"))
            .wanting_tag(text("t"));
        assert_eq!(requested.alg(), Some("ed25519"));
        assert!(requested.wants_expires());
        let times = Times {
            created: 7,
            expires: 8,
        };
        assert_eq!(
            requested.params(times).unwrap().to_string(),
            r#"("@status");created=7;expires=8;alg="ed25519";nonce="n";keyid="k";tag="t""#
        );
        let other = RequestedSignature::new("b", Vec::new()).unwrap();
        assert!(!other.wants_created());
        let both = [requested.clone(), other.clone()];
        let accept = AcceptSignature::new(both.into()).unwrap();
        assert_eq!(accept.requested("a"), Ok(requested));
        assert_eq!(accept.requested("b"), Ok(other.clone()));
        let twice = AcceptSignature::new([other.clone(), other].into());
        assert_eq!(twice, Err(AcceptError::Repeated { label: "b".into() }));
        let value = accept.to_string();
        assert_eq!(
            value,
            r#"a=("@status");created;expires;alg="ed25519";nonce="n";keyid="k";tag="t", b=()"#
        );
        assert_eq!(read(&value), Ok(value));
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        use AcceptError as E;
        let parameter = |name: &str| {
            Err(E::Parameter {
                parameter: name.into(),
            })
        };
        assert_eq!(
            requested("a=(\"@method\");tag=\"x\"").as_deref(),
            Ok("a=(\"@method\");tag=\"x\"")
        );
        assert_eq!(requested("a=();created=1"), parameter("created"));
        assert_eq!(requested("a=();keyid"), parameter("keyid"));
        assert_eq!(requested("a=();x"), parameter("x"));
        assert_eq!(requested("a"), Err(E::Type { label: "a".into() }));
        assert!(matches!(requested("a=(\"X\")"), Err(E::Params(_))));
        assert!(matches!(requested("a=(\"x\" \"x\")"), Err(E::Params(_))));
        let fields = [("accept-signature", &b"a=()"[..])];
        let accept = AcceptSignature::read(&fields, &Limits::DEFAULT).unwrap();
        let missing = Err(E::NoSuchLabel { label: "b".into() });
        assert_eq!(accept.requested("b"), missing);
        assert!(matches!(
            read("a=(), a=()"),
            Err(ReadError::Repeated { .. })
        ));
        assert!(matches!(read("a=("), Err(ReadError::Structured { .. })));
        let none = AcceptSignature::read(&[], &Limits::DEFAULT);
        let field = "accept-signature";
        assert_eq!(none, Err(ReadError::Missing { field }));
        assert_eq!(RequestedSignature::new("A", Vec::new()), Err(E::Label));
    }
}
