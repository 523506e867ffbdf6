//! What is doubtful about an anchor, by itself and beside those of other tenants.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use gangplank_key::{Backend, KeyError, PublicKey};
use rustls_pki_types::UnixTime;
use x509_cert::ext::pkix::{BasicConstraints, NameConstraints};

use super::{Lint, LintCode};
use crate::certificate::Certificate;
use crate::{Anchor, TenantId, TenantIndex};

pub(super) fn own(anchor: &Anchor, pointer: &str, now: UnixTime) -> Vec<Lint> {
    let mut found = Vec::new();
    let mut warn = |code, message: String| {
        let message = format!("{} {message}", anchor.id());
        found.push(Lint::warning(code, pointer, message));
    };
    let validity = anchor.validity();
    if validity.not_after() < now {
        let ended = validity.not_after().as_secs();
        warn(
            LintCode::AnchorExpired,
            format!("ended at {ended} (Unix time)"),
        );
    }
    match PublicKey::from_spki(anchor.spki(), Backend::PURE_RUST) {
        // A build may leave kinds of keys out, and verify by another backend all the same.
        Ok(_) | Err(KeyError::Feature(_)) => {}
        Err(error) => warn(
            LintCode::AnchorKeyUnsupported,
            format!("verifies nothing: {error}"),
        ),
    }
    if !anchor.is_authority() {
        let message = "is no authority: it vouches for the device that has its certificate alone";
        warn(LintCode::AnchorNotAuthority, message.into());
    } else if let Err(fault) = anchor.constraints() {
        let message = format!("is an authority that no path leads to: {fault}");
        warn(LintCode::AnchorUnusable, message);
    } else if is_unlimited(anchor) {
        let message = "has neither a path length nor name constraints: whoever has its key may make \
                       authorities of any depth and for any name";
        warn(LintCode::AnchorUnlimited, message.into());
    }
    found
}

/// Other tenants that have an anchor of the same name or with the same key, each once.
pub(super) fn shared(
    id: &TenantId,
    anchor: &Anchor,
    pointer: &str,
    others: &TenantIndex,
) -> Vec<Lint> {
    let named = others.tenants_with_name(anchor.prepared_name());
    let keyed = others.tenants_with_key(anchor.spki());
    let mut found = Vec::new();
    for (code, what, mut tenants) in [
        (LintCode::AnchorNameShared, "name", named),
        (LintCode::AnchorKeyShared, "key", keyed),
    ] {
        tenants.remove(id);
        let count = tenants.len();
        let Some(first) = tenants.first() else {
            continue;
        };
        let others = match count {
            1 => format!("tenant {first}"),
            _ => format!("tenant {first} and {} more", count - 1),
        };
        let message = format!("{} has the {what} of an anchor of {others}", anchor.id());
        found.push(Lint::warning(code, pointer, message));
    }
    found
}

/// A bare anchor says nothing about what its key may sign.
fn is_unlimited(anchor: &Anchor) -> bool {
    let certificate = anchor.certificate().and_then(|der| Certificate::read(der));
    let Some(certificate) = certificate else {
        return true;
    };
    let depth = match certificate.extension::<BasicConstraints>() {
        Ok(Some((_, constraints))) => constraints.path_len_constraint,
        _ => None,
    };
    let named = matches!(certificate.extension::<NameConstraints>(), Ok(Some(_)));
    depth.is_none() && !named
}
