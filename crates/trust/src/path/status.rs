//! Whether the certificates of a path are revoked (RFC 5280 §6.3).

use alloc::vec::Vec;

use super::name_constraints::Constraints;
use super::pool::Issuer;
use super::search::{Climb, Setback};
use super::signatures::Thing;
use super::{Element, Need};
use crate::revocation::{NoStatus, RevocationList, RevocationLists};
use crate::{Anchor, ChainError, PreparedName};

/// An authority of the path, as far as those below it and their lists are concerned.
struct Above<'p> {
    /// Where it stands among the certificates given; an anchor does not.
    place: Option<usize>,
    name: &'p PreparedName,
    /// DER SubjectPublicKeyInfo.
    spki: &'p [u8],
    signs_lists: bool,
    constraints: &'p Constraints,
}

/// What the lists say about a certificate.
enum Status {
    Good,
    Revoked,
    Unknown(NoStatus),
}

impl<'p, 't: 'p, N: Need> Climb<'p, 't, N> {
    /// Fails unless for every certificate of a path that holds otherwise there is a list of its issuer
    /// that counts now and does not name it.
    pub(super) fn check_lists(
        &mut self,
        lists: &RevocationLists,
        path: &[&'p Element<'p>],
        anchor: &'t Anchor,
    ) -> Result<(), Setback> {
        let authorities = self.authorities(path, anchor);
        for (position, element) in path.iter().copied().enumerate() {
            let above = authorities.get(position..).unwrap_or_default();
            match self.status_by_all(lists, element, above)? {
                Status::Good => {}
                Status::Revoked => Err(ChainError::Revoked { position })?,
                Status::Unknown(why) => Err(ChainError::RevocationUnknown { position, why })?,
            }
        }
        Ok(())
    }

    /// Above the leaf, the anchor last.
    fn authorities(&self, path: &[&'p Element<'p>], anchor: &'t Anchor) -> Vec<Above<'p>> {
        let intermediates = path.iter().skip(1).filter_map(|element| {
            let authority = element.authority(self.need, self.search.now).ok()?;
            Some(Above {
                place: Some(element.place),
                name: &element.certificate.subject,
                spki: element.certificate.fields.spki,
                signs_lists: authority.signs_lists,
                constraints: &authority.constraints,
            })
        });
        let anchor = anchor.constraints().ok().map(|constraints| Above {
            place: None,
            name: anchor.prepared_name(),
            spki: anchor.spki(),
            signs_lists: anchor.signs_lists(),
            constraints,
        });
        intermediates.chain(anchor).collect()
    }

    /// By lists signed with the key that signed the certificate; where those say nothing, with another
    /// key of the same authority: many have one for lists, or a new one. `above` begins with the
    /// issuer.
    fn status_by_all(
        &mut self,
        lists: &RevocationLists,
        element: &'p Element<'p>,
        above: &[Above<'p>],
    ) -> Result<Status, ChainError> {
        let Some(issuer) = above.first() else {
            return Ok(Status::Unknown(NoStatus::NoList));
        };
        let found = match issuer.signs_lists {
            true => self.status(lists, element, issuer.spki)?,
            false => Status::Unknown(NoStatus::SignerNotAllowed),
        };
        if !matches!(found, Status::Unknown(why) if !why.hides()) {
            return Ok(found);
        }
        for candidate in self.pool.issuers(issuer.name) {
            let Issuer::Intermediate(signer) = candidate else {
                continue;
            };
            self.budget.step()?;
            if self.signs_lists_below(lists, signer, above)? {
                let by_signer = self.status(lists, element, signer.certificate.fields.spki)?;
                if !matches!(by_signer, Status::Unknown(_)) {
                    return Ok(by_signer);
                }
            }
        }
        Ok(found)
    }

    /// §6.3.3 (f): whether a certificate for signing lists has a path to the same anchor. It has to be
    /// issued by an authority of the path itself, and not be revoked by that one's lists.
    fn signs_lists_below(
        &mut self,
        lists: &RevocationLists,
        signer: &'p Element<'p>,
        above: &[Above<'p>],
    ) -> Result<bool, ChainError> {
        if !signer.signs_lists(self.search.now) {
            return Ok(false);
        }
        // What is in the path is judged with it.
        if above.iter().any(|above| above.place == Some(signer.place)) {
            return Ok(true);
        }
        for (at, issuer) in above.iter().enumerate() {
            if *issuer.name != signer.certificate.issuer || !issuer.signs_lists {
                continue;
            }
            if self.is_signed(signer, issuer.spki)?
                && self.fits(signer, above.get(at..).unwrap_or_default())?
                && matches!(self.status(lists, signer, issuer.spki)?, Status::Good)
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn fits(&mut self, element: &Element<'_>, above: &[Above<'_>]) -> Result<bool, ChainError> {
        for authority in above {
            match authority.constraints.check(&[element], &mut self.budget) {
                Ok(()) => {}
                Err(ChainError::TooComplex) => return Err(ChainError::TooComplex),
                Err(_) => return Ok(false),
            }
        }
        Ok(true)
    }

    fn is_signed(&mut self, element: &Element<'_>, spki: &'p [u8]) -> Result<bool, ChainError> {
        let thing = Thing::Certificate(element.place);
        let signed = &element.certificate.fields.signed;
        match self.signatures.check(thing, signed, spki, &mut self.budget) {
            Err(ChainError::TooComplex) => Err(ChainError::TooComplex),
            found => Ok(found.is_ok()),
        }
    }

    /// By lists signed with one key. One that counts now and cannot be used stands in the way: it may
    /// say what the others do not.
    fn status(
        &mut self,
        lists: &RevocationLists,
        element: &Element<'_>,
        spki: &'p [u8],
    ) -> Result<Status, ChainError> {
        let certificate = &element.certificate;
        let (mut known, mut why) = (false, NoStatus::NoList);
        let mut hidden = None;
        for (number, list) in lists.iter() {
            // §6.3.3 (b) (1): lists of other issuers (indirect ones) are not supported.
            if list.issuer != certificate.issuer {
                continue;
            }
            match self.usable(number, list, spki)? {
                // §6.3.3 (j).
                Ok(()) if list.names(certificate.fields.serial) => return Ok(Status::Revoked),
                Ok(()) => known = true,
                Err(flaw) if flaw.hides() => hidden = Some(flaw),
                Err(flaw) => why = flaw,
            }
        }
        Ok(match (known, hidden) {
            (_, Some(flaw)) => Status::Unknown(flaw),
            (true, None) => Status::Good,
            (false, None) => Status::Unknown(why),
        })
    }

    fn usable(
        &mut self,
        number: usize,
        list: &RevocationList,
        spki: &'p [u8],
    ) -> Result<Result<(), NoStatus>, ChainError> {
        if let Err(why) = list.is_current(self.search.now) {
            return Ok(Err(why));
        }
        // §6.3.3 (g).
        let thing = Thing::RevocationList(number);
        let signed = list.signed();
        let verified = signed.map(|signed| {
            let (signatures, budget) = (&mut self.signatures, &mut self.budget);
            signatures.check(thing, &signed, spki, budget)
        });
        match verified {
            Some(Ok(())) => Ok(list.flaw().map_or(Ok(()), Err)),
            Some(Err(ChainError::TooComplex)) => Err(ChainError::TooComplex),
            _ => Ok(Err(NoStatus::BadSignature)),
        }
    }
}
