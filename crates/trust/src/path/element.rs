use alloc::vec::Vec;
use core::cell::OnceCell;

use rustls_pki_types::UnixTime;
use x509_cert::ext::pkix::BasicConstraints;

use super::name_constraints::{self, Constraints};
use super::subtree::Comparable;
use super::{Need, check_leaf_window, conformance, purpose};
use crate::certificate::{Certificate, NamedCertificate, Names};
use crate::{CertificateFault, ChainError, Validity};

/// A certificate that a path may consist of. What is found out about it is kept, as it may stand in
/// many paths.
#[derive(Debug)]
pub(crate) struct Element<'c> {
    /// Its place among the certificates given: 0 is the leaf.
    pub(crate) place: usize,
    pub(crate) certificate: NamedCertificate<'c>,
    names: OnceCell<Result<Vec<Comparable>, ChainError>>,
    authority: OnceCell<Result<Authority, Unfit>>,
}

/// What an authority allows below it.
#[derive(Debug)]
pub(crate) struct Authority {
    pub(crate) constraints: Constraints,
    pub(crate) path_length: Option<u8>,
    pub(crate) signs_lists: bool,
}

/// What a certificate has against it by itself.
#[derive(Clone, Debug)]
pub(crate) enum Unfit {
    Refused(ChainError),
    Faulty(CertificateFault),
}

impl<'c> Element<'c> {
    /// `None` if it is no certificate.
    pub(crate) fn read(place: usize, der: &'c [u8], names: &mut Names<'c>) -> Option<Self> {
        Some(Self {
            place,
            certificate: NamedCertificate::read(der, names)?,
            names: OnceCell::new(),
            authority: OnceCell::new(),
        })
    }

    /// The names that constraints are about.
    pub(crate) fn names(&self) -> Result<&[Comparable], ChainError> {
        let names = || name_constraints::names(&self.certificate.fields);
        self.names
            .get_or_init(names)
            .as_deref()
            .map_err(Clone::clone)
    }

    /// What it says as an authority, if it may stand in the middle of a path at `now`.
    pub(crate) fn authority(&self, need: &impl Need, now: UnixTime) -> Result<&Authority, &Unfit> {
        let authority = || self.read_authority(need, now);
        self.authority.get_or_init(authority).as_ref()
    }

    fn read_authority(&self, need: &impl Need, now: UnixTime) -> Result<Authority, Unfit> {
        let fields = &self.certificate.fields;
        check_extensions_known(fields)?;
        check_intermediate_window(ordered_validity(fields)?, now)?;
        // RFC 5280 §6.1.4 (k), (n).
        let constraints = fields.authority().ok_or(ChainError::IssuerIsNoCa)?;
        purpose::check(fields, need)?;
        let BasicConstraints {
            path_len_constraint: path_length,
            ..
        } = constraints;
        Ok(Authority {
            constraints: conformance::check_intermediate(fields)?,
            path_length,
            signs_lists: fields.signs_lists().unwrap_or(true),
        })
    }

    /// Whether it is for signing revocation lists at `now`, as the last certificate of a path of its
    /// own. Unlike an authority, it has to say so.
    pub(crate) fn signs_lists(&self, now: UnixTime) -> bool {
        let fields = &self.certificate.fields;
        fields.signs_lists() == Some(true)
            && check_extensions_known(fields).is_ok()
            && fields.validity.contains(now)
    }

    /// What is asked of the first certificate of a path.
    pub(crate) fn check_leaf(&self, need: &impl Need, now: UnixTime) -> Result<(), ChainError> {
        let check = || -> Result<(), Unfit> {
            let fields = &self.certificate.fields;
            check_leaf_window(ordered_validity(fields)?, now)?;
            check_extensions_known(fields)?;
            let is_authority = match fields.extension::<BasicConstraints>() {
                Ok(constraints) => constraints.is_some_and(|(_, constraints)| constraints.ca),
                Err(_) => Err(CertificateFault::BasicConstraintsMalformed)?,
            };
            if is_authority && !need.allows_authority() {
                Err(ChainError::LeafIsCa)?;
            }
            purpose::check(fields, need)?;
            match is_authority {
                true => conformance::check_intermediate(fields).map(drop)?,
                false => conformance::check_leaf(fields, |usage| need.allows(usage))?,
            }
            Ok(())
        };
        check().map_err(|unfit| unfit.at(0))
    }
}

impl Unfit {
    /// The error for a certificate at this place of a path.
    pub(crate) fn at(&self, position: usize) -> ChainError {
        match self {
            Self::Refused(error) => error.clone(),
            Self::Faulty(fault) => ChainError::NotConformant {
                position,
                fault: *fault,
            },
        }
    }
}

impl From<ChainError> for Unfit {
    fn from(error: ChainError) -> Self {
        Self::Refused(error)
    }
}

impl From<CertificateFault> for Unfit {
    fn from(fault: CertificateFault) -> Self {
        Self::Faulty(fault)
    }
}

/// RFC 5280 §4.2: "MUST reject the certificate if it encounters a critical extension it does not
/// recognize".
fn check_extensions_known(certificate: &Certificate<'_>) -> Result<(), ChainError> {
    match certificate.unknown_critical_extension() {
        Some(_) => Err(ChainError::UnknownCriticalExtension),
        None => Ok(()),
    }
}

fn ordered_validity(certificate: &Certificate<'_>) -> Result<Validity, ChainError> {
    let validity = certificate.validity;
    match validity.not_before <= validity.not_after {
        true => Ok(validity),
        false => Err(ChainError::PathInvalid("InvalidCertValidity".into())),
    }
}

fn check_intermediate_window(window: Validity, now: UnixTime) -> Result<(), ChainError> {
    let Validity {
        not_before,
        not_after,
    } = window;
    if now < not_before {
        return Err(ChainError::IntermediateNotYetValid { not_before });
    }
    if now > not_after {
        return Err(ChainError::IntermediateExpired { not_after });
    }
    Ok(())
}
