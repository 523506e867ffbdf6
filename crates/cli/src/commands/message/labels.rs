//! Which of a message's signatures is meant.

use crate::message::structured::{Bounds, Dictionary};
use crate::message::{Field, Limits, ReadError, Signatures};
use crate::{Exit, Failure};

/// Reads the signatures of a message and gives them to `look`. Where Signature is not there yet,
/// those of Signature-Input have no value.
pub(super) fn signatures<T>(
    fields: &[Field<'_>],
    look: impl FnOnce(&Signatures<'_>) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let refused = |error: ReadError| Failure::of(Exit::No, &error);
    let limits = Limits::DEFAULT;
    match Signatures::read(fields, &limits) {
        Ok(signatures) => look(&signatures),
        Err(ReadError::Missing { field: "signature" }) => {
            let empty = empty_values(fields);
            let mut with_values = fields.to_vec();
            with_values.extend(empty.iter().map(|value| ("signature", value.as_bytes())));
            look(&Signatures::read(&with_values, &limits).map_err(refused)?)
        }
        Err(error) => Err(refused(error)),
    }
}

/// The one that is asked for, or else the only one.
pub(super) fn only_label<'s>(
    signatures: &'s Signatures<'_>,
    wanted: Option<&'s str>,
) -> Result<&'s str, Failure> {
    if let Some(label) = wanted {
        return Ok(label);
    }
    let labels: Vec<&str> = signatures.labels().collect();
    match labels[..] {
        [] => Err(Failure::new(Exit::No, "the message has no signature")),
        [label] => Ok(label),
        _ => Err(Failure::new(
            Exit::CannotTell,
            format_args!("--label must say which one: {}", labels.join(", ")),
        )),
    }
}

/// A value of Signature for each label of each line of Signature-Input.
fn empty_values(fields: &[Field<'_>]) -> Vec<String> {
    let inputs = fields
        .iter()
        .filter(|(name, _)| name.eq_ignore_ascii_case("signature-input"));
    inputs
        .filter_map(|(_, value)| {
            // A line folding is a blank.
            let value: Vec<u8> = value
                .iter()
                .map(|byte| {
                    if byte.is_ascii_whitespace() {
                        b' '
                    } else {
                        *byte
                    }
                })
                .collect();
            let labels = Dictionary::parse(&value, &Bounds::DEFAULT).ok()?;
            let values: Vec<String> = labels
                .iter()
                .map(|(label, _)| format!("{}=::", label.as_str()))
                .collect();
            Some(values.join(", "))
        })
        .collect()
}
