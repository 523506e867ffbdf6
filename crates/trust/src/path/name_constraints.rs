//! Name constraints (RFC 5280 §4.2.1.10), of every kind that the RFC defines the meaning of.

use alloc::vec::Vec;

use der::Decode;
use der::asn1::{Ia5StringRef, ObjectIdentifier};
use x509_cert::ext::pkix::constraints::name::GeneralSubtree;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{NameConstraints, SubjectAltName};
use x509_cert::name::Name;

use super::subtree::Comparable;
use super::{Budget, CertificateFault as Fault, Element, general_name, subtree};
use crate::ChainError;
use crate::certificate::{Certificate, Unreadable};

/// What an authority allows the certificates below it to be called.
#[derive(Clone, Debug, Default)]
pub(crate) struct Constraints {
    permitted: Vec<Comparable>,
    excluded: Vec<Comparable>,
}

impl Constraints {
    /// Those of a certificate, none if it has no such extension.
    pub(crate) fn of(certificate: &Certificate<'_>) -> Result<Self, Fault> {
        let constraints = match certificate.extension::<NameConstraints>() {
            Ok(None) => return Ok(Self::default()),
            Ok(Some((_, constraints))) => constraints,
            Err(Unreadable) => return Err(Fault::ConstraintsMalformed),
        };
        let read = |subtrees: Option<Vec<GeneralSubtree>>| match subtrees {
            None => Ok(Vec::new()),
            // §4.2.1.10: `GeneralSubtrees` holds one at least.
            Some(subtrees) if subtrees.is_empty() => Err(Fault::ConstraintsMalformed),
            Some(subtrees) => subtrees.into_iter().map(base).collect(),
        };
        let read = Self {
            permitted: read(constraints.permitted_subtrees)?,
            excluded: read(constraints.excluded_subtrees)?,
        };
        // §4.2.1.10: not "an empty sequence".
        match read.is_empty() {
            true => Err(Fault::ConstraintsMalformed),
            false => Ok(read),
        }
    }

    fn is_empty(&self) -> bool {
        self.permitted.is_empty() && self.excluded.is_empty()
    }

    /// Checks every name of the certificates below this authority, leaf first.
    pub(crate) fn check(
        &self,
        below: &[&Element<'_>],
        budget: &mut Budget,
    ) -> Result<(), ChainError> {
        if self.is_empty() {
            return Ok(());
        }
        for (position, element) in below.iter().enumerate() {
            // §6.1.3 (b), (c): "self-issued and it is not the final certificate in the path".
            if position > 0 && element.certificate.is_self_issued() {
                continue;
            }
            for name in element.names()? {
                self.check_name(name, budget)?;
            }
        }
        Ok(())
    }

    fn check_name(&self, name: &Comparable, budget: &mut Budget) -> Result<(), ChainError> {
        let mut matches = |base: &Comparable, side| {
            budget.comparison()?;
            subtree::contains(base, name, side).ok_or(ChainError::NameNotAllowed)
        };
        for base in &self.excluded {
            if subtree::same_kind(base, name) && matches(base, subtree::Side::Excluded)? {
                return Err(ChainError::NameNotAllowed);
            }
        }
        let (mut constrained, mut permitted) = (false, false);
        for base in &self.permitted {
            if subtree::same_kind(base, name) {
                constrained = true;
                permitted |= matches(base, subtree::Side::Permitted)?;
            }
        }
        match constrained && !permitted {
            true => Err(ChainError::NameNotAllowed),
            false => Ok(()),
        }
    }
}

/// §4.2.1.10: "the minimum MUST be zero, and maximum MUST be absent".
fn base(subtree: GeneralSubtree) -> Result<Comparable, Fault> {
    let whole = subtree.minimum == 0 && subtree.maximum.is_none();
    match whole && general_name::is_well_formed_base(&subtree.base) {
        true => Comparable::of(subtree.base).ok_or(Fault::ConstraintsMalformed),
        false => Err(Fault::ConstraintsMalformed),
    }
}

/// The subject, unless it is empty, and the alternative names; without such, e-mail addresses in the
/// subject take their place (§4.2.1.10).
pub(crate) fn names(certificate: &Certificate<'_>) -> Result<Vec<Comparable>, ChainError> {
    let subject = Name::from_der(certificate.subject).map_err(|_| ChainError::NameNotAllowed)?;
    let mut names = match certificate.extension::<SubjectAltName>() {
        Ok(Some((_, SubjectAltName(names)))) => names,
        Ok(None) => {
            let addresses = subject
                .iter()
                .filter(|attribute| attribute.oid == EMAIL_ADDRESS);
            addresses
                .map(|attribute| {
                    let address = attribute.value.decode_as::<Ia5StringRef<'_>>();
                    // One that cannot be read cannot be held to a constraint either.
                    let address = address.map_err(|_| ChainError::NameNotAllowed)?;
                    Ok(GeneralName::Rfc822Name(address.into()))
                })
                .collect::<Result<_, ChainError>>()?
        }
        Err(Unreadable) => return Err(ChainError::NameNotAllowed),
    };
    if !subject.is_empty() {
        names.push(GeneralName::DirectoryName(subject));
    }
    let comparable = |name| Comparable::of(name).ok_or(ChainError::NameNotAllowed);
    names.into_iter().map(comparable).collect()
}

/// 1.2.840.113549.1.9.1, `id-emailAddress`.
const EMAIL_ADDRESS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.1");

#[cfg(test)]
mod tests;
