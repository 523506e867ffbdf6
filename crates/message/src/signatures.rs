use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::component::FieldNames;
use crate::message::Field;
use crate::read_field::{FieldError, read_field};
use crate::structured::{BareItem, InnerList, Key, Member, StructuredError};
use crate::{BaseError, Limits, Message, ParamsError, SignatureBase, SignatureParams};

/// The signatures that a message claims to have: its Signature-Input and Signature fields, read but
/// not believed (RFC 9421 §4).
#[derive(Clone, Debug)]
pub struct Signatures<'m>(Vec<Labelled<'m>>);

#[derive(Clone, Debug)]
struct Labelled<'m> {
    label: Key<'m>,
    input: InnerList<'m>,
    value: Vec<u8>,
}

impl<'m> Signatures<'m> {
    /// Reads both fields out of a message's field lines, or out of its trailers.
    ///
    /// What is covered, and the parameters, are looked at when a label is asked for, so one label
    /// that is not understood does not stand in the way of another (RFC 9421 §3.2).
    ///
    /// # Errors
    /// [`ReadError`]: a field is missing or malformed, or a label is in one field only.
    pub fn read(fields: &'m [Field<'m>], limits: &Limits) -> Result<Self, ReadError> {
        let inputs = dictionary(fields, SIGNATURE_INPUT, limits)?;
        let mut values = dictionary(fields, SIGNATURE, limits)?;
        values.sort_by(|(one, _), (other, _)| one.cmp(other));
        let mut signatures = Vec::with_capacity(inputs.len());
        for (label, input) in inputs {
            let Member::InnerList(input) = input else {
                return Err(ReadError::InputType {
                    label: label.as_str().to_string(),
                });
            };
            let value = values
                .binary_search_by(|(found, _)| found.cmp(&label))
                .ok()
                .and_then(|at| values.get_mut(at))
                .ok_or_else(|| ReadError::OneField {
                    label: label.as_str().to_string(),
                })?;
            signatures.push(Labelled {
                value: bytes_of(&mut value.1, &label)?,
                label,
                input,
            });
        }
        if values.len() > signatures.len() {
            return Err(extra(&values, &signatures));
        }
        Ok(Self(signatures))
    }

    /// The labels, in the order of Signature-Input.
    pub fn labels(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|labelled| labelled.label.as_str())
    }

    /// What the signature called `label` claims.
    ///
    /// # Errors
    /// [`ClaimError`]: there is none of that label, or it claims what is not understood.
    pub fn claimed(&self, label: &str) -> Result<ClaimedSignature<'m>, ClaimError> {
        self.claimed_with(label, FieldNames::SmallLetters)
    }

    pub(crate) fn claimed_with(
        &self,
        label: &str,
        names: FieldNames,
    ) -> Result<ClaimedSignature<'m>, ClaimError> {
        let found = self
            .0
            .iter()
            .find(|labelled| labelled.label.as_str() == label);
        let labelled = found.ok_or_else(|| ClaimError::NoSuchLabel {
            label: label.to_string(),
        })?;
        Ok(ClaimedSignature {
            params: SignatureParams::from_list(&labelled.input, names)?,
            value: labelled.value.clone(),
        })
    }
}

/// What one signature claims. Nothing of it is believed yet.
#[derive(Clone, Debug)]
pub struct ClaimedSignature<'m> {
    pub(crate) params: SignatureParams<'m>,
    pub(crate) value: Vec<u8>,
}

impl<'m> ClaimedSignature<'m> {
    /// What it claims to cover, and by which key.
    pub fn claimed_params(&self) -> &SignatureParams<'m> {
        &self.params
    }

    /// The signature's bytes.
    pub fn claimed_value(&self) -> &[u8] {
        &self.value
    }

    /// The base that it claims to sign.
    ///
    /// # Errors
    /// [`BaseError`]: the message does not have what is covered.
    pub fn base(&self, message: Message<'_>, limits: &Limits) -> Result<SignatureBase, BaseError> {
        SignatureBase::build(message, &self.params, limits)
    }
}

/// Why the signature fields of a message cannot be read. The sender is at fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// A field is not there.
    #[error("the message has no {field} field")]
    Missing {
        /// The field.
        field: &'static str,
    },
    /// A field is longer than the limit.
    #[error("the {field} field is longer than {limit} bytes")]
    TooLong {
        /// The field.
        field: &'static str,
        /// Bytes accepted.
        limit: usize,
    },
    /// A field is no dictionary.
    #[error("the {field} field is not a dictionary: {reason}")]
    Structured {
        /// The field.
        field: &'static str,
        /// What is wrong with it.
        reason: StructuredError,
    },
    /// A label is there twice, which a structured field would allow (RFC 9421 §4.1, §4.2).
    #[error("the {field} field has the label {label} twice")]
    Repeated {
        /// The field.
        field: &'static str,
        /// The label.
        label: String,
    },
    /// A label is in Signature-Input alone, or in Signature alone (RFC 9421 §4).
    #[error("the label {label} is in one of signature-input and signature only")]
    OneField {
        /// The label.
        label: String,
    },
    /// A member of Signature-Input is no inner list.
    #[error("the signature-input of {label} is not an inner list")]
    InputType {
        /// The label.
        label: String,
    },
    /// A member of Signature is no byte sequence.
    #[error("the signature of {label} is not a byte sequence")]
    SignatureType {
        /// The label.
        label: String,
    },
}

/// Why a label cannot be looked at.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClaimError {
    /// The message has no signature of this label.
    #[error("the message has no signature labelled {label}")]
    NoSuchLabel {
        /// The label.
        label: String,
    },
    /// It covers, or says, what is not understood.
    #[error(transparent)]
    Params(#[from] ParamsError),
}

/// Reads a dictionary of labels out of the lines called `name`.
pub(crate) fn dictionary<'m>(
    fields: &'m [Field<'m>],
    name: &'static str,
    limits: &Limits,
) -> Result<Vec<(Key<'m>, Member<'m>)>, ReadError> {
    let members = read_field(fields, name, limits.field, &limits.signature_input())
        .map_err(|error| match error {
            FieldError::TooLong { limit } => ReadError::TooLong { field: name, limit },
            FieldError::Structured(reason) => ReadError::Structured {
                field: name,
                reason,
            },
        })?
        .ok_or(ReadError::Missing { field: name })?;
    let mut labels: Vec<&Key<'_>> = members.iter().map(|(label, _)| label).collect();
    labels.sort_unstable();
    let twice = labels.windows(2).find(|pair| pair.first() == pair.last());
    match twice.and_then(|pair| pair.first()) {
        Some(label) => Err(ReadError::Repeated {
            field: name,
            label: label.as_str().to_string(),
        }),
        None => Ok(members),
    }
}

fn bytes_of(member: &mut Member<'_>, label: &Key<'_>) -> Result<Vec<u8>, ReadError> {
    match member {
        Member::Item(item) => match &mut item.value {
            BareItem::ByteSequence(bytes) => Ok(core::mem::take(bytes).into_owned()),
            _ => Err(ReadError::SignatureType {
                label: label.as_str().to_string(),
            }),
        },
        Member::InnerList(_) => Err(ReadError::SignatureType {
            label: label.as_str().to_string(),
        }),
    }
}

/// The error for a label that is in Signature alone; there is one.
fn extra(values: &[(Key<'_>, Member<'_>)], signatures: &[Labelled<'_>]) -> ReadError {
    let lone = values
        .iter()
        .find(|(label, _)| !signatures.iter().any(|known| known.label == *label));
    ReadError::OneField {
        label: lone.map_or_else(String::new, |(label, _)| label.as_str().to_string()),
    }
}

const SIGNATURE_INPUT: &str = "signature-input";
const SIGNATURE: &str = "signature";
