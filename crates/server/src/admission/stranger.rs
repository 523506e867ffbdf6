use gangplank_envelope::{Envelope, Expect, Verified};
use gangplank_key::{PublicKey, TrustedKey, UnixTime};
use gangplank_trust::{
    ChainError, Revocation, Tenant, TenantHint, TenantNotFound, VerifiedChain, verify,
};

use super::Refused;
use crate::server::BACKEND;
use crate::tenants::Snapshot;

/// An envelope that was signed with the key of a certificate nobody registered.
pub(crate) struct Stranger<'e, 't> {
    /// The envelope; that the signer has the id it claims is not proven.
    pub(crate) verified: Verified<'e>,
    /// The tenant whose anchor stands behind the certificate, and the chain that shows it.
    pub(crate) chain: Result<(&'t Tenant, VerifiedChain), ChainError>,
}

/// Verifies the envelope with the key it brought, which proves possession and no more, and looks
/// for a tenant whose anchor stands behind the certificate.
pub(crate) fn stranger<'e, 't>(
    envelope: &'e Envelope<'e>,
    leaf_key: PublicKey,
    tenants: &'t Snapshot,
    expect: &Expect<'_>,
    now: UnixTime,
) -> Result<Stranger<'e, 't>, Refused> {
    let possession = TrustedKey::vouch(envelope.claimed_signer().clone(), leaf_key);
    let verified = envelope.verify(&possession, expect)?;
    let certificates = envelope.claimed_certificates();
    let chain = match tenants.index().candidates(certificates, TenantHint::None) {
        Ok(found) => verify(
            certificates,
            found.tenant,
            Revocation::NotChecked,
            BACKEND,
            now,
        )
        .map(|chain| (found.tenant, chain)),
        // Several tenants trust the issuer: nothing says whose device it is, so it is nobody's.
        Err(TenantNotFound::Ambiguous) => return Err(Refused::AmbiguousTenant),
        Err(_) => Err(ChainError::NoAnchorForIssuer),
    };
    Ok(Stranger { verified, chain })
}
