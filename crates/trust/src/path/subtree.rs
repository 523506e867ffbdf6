//! When a name lies in a subtree of names (RFC 5280 §4.2.1.10).

use alloc::vec::Vec;
use core::mem::discriminant;

use der::Encode;
use x509_cert::ext::pkix::name::GeneralName;

use super::general_name::mailbox;
use crate::{DistinguishedName, PreparedName};

/// A name, or the base of a constraint on names, prepared once for being compared often.
#[derive(Clone, Debug)]
pub(crate) enum Comparable {
    /// Its relative names.
    Directory(Vec<PreparedName>),
    /// Of any other kind.
    Other(GeneralName),
}

impl Comparable {
    /// `None` if it is a directory name longer than any that is compared.
    pub(crate) fn of(name: GeneralName) -> Option<Self> {
        let GeneralName::DirectoryName(name) = name else {
            return Some(Self::Other(name));
        };
        let name = DistinguishedName::from_der(&name.to_der().ok()?).ok()?;
        Some(Self::Directory(name.prepared_relative_names()))
    }
}

/// What the subtree is for: a wildcard is inside of what permits it as a whole, and of what excludes
/// any part of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Permitted,
    Excluded,
}

/// A constraint says nothing about names of another kind.
pub(crate) fn same_kind(base: &Comparable, name: &Comparable) -> bool {
    match (base, name) {
        (Comparable::Other(base), Comparable::Other(name)) => {
            discriminant(base) == discriminant(name)
        }
        _ => discriminant(base) == discriminant(name),
    }
}

/// Whether `name` lies below `base`, which is of the same kind; `None` if that cannot be told, so that
/// the certificate has to be refused.
pub(crate) fn contains(base: &Comparable, name: &Comparable, side: Side) -> Option<bool> {
    let (base, name) = match (base, name) {
        // §7.1: "all of the RDNs in the constraint appear, in the same order, at the beginning".
        (Comparable::Directory(base), Comparable::Directory(name)) => {
            return Some(name.starts_with(base));
        }
        (Comparable::Other(base), Comparable::Other(name)) => (base, name),
        _ => return None,
    };
    match (base, name) {
        (GeneralName::DnsName(base), GeneralName::DnsName(name)) => {
            Some(dns(base.as_str(), name.as_str(), side))
        }
        (GeneralName::Rfc822Name(base), GeneralName::Rfc822Name(name)) => {
            email(base.as_str(), name.as_str())
        }
        (
            GeneralName::UniformResourceIdentifier(base),
            GeneralName::UniformResourceIdentifier(name),
        ) => Some(host_or_domain(base.as_str(), uri_host(name.as_str())?)),
        (GeneralName::IpAddress(base), GeneralName::IpAddress(name)) => {
            Some(address(base.as_bytes(), name.as_bytes()))
        }
        // "MUST either process the constraint or reject the certificate".
        _ => None,
    }
}

/// "adding zero or more labels to the left-hand side of the name".
fn dns(base: &str, name: &str, side: Side) -> bool {
    let Some(parent) = name.strip_prefix("*.") else {
        return is_below(base, name);
    };
    let reaches_in = || {
        let above = base.split_once('.').map(|(_, above)| above);
        above.is_some_and(|above| above.eq_ignore_ascii_case(parent))
    };
    is_below(base, parent) || (side == Side::Excluded && reaches_in())
}

fn is_below(base: &str, name: &str) -> bool {
    base.is_empty() || name.eq_ignore_ascii_case(base) || is_in_domain(base, name)
}

/// Below, and not the domain itself.
fn is_in_domain(domain: &str, name: &str) -> bool {
    let at = name.len().checked_sub(domain.len());
    let Some((labels, rest)) = at.and_then(|at| name.split_at_checked(at)) else {
        return false;
    };
    labels.len() > 1 && labels.ends_with('.') && rest.eq_ignore_ascii_case(domain)
}

/// "a particular mailbox, all addresses at a particular host, or all mailboxes in a domain".
fn email(base: &str, name: &str) -> Option<bool> {
    let (local, host) = mailbox(name)?;
    Some(match mailbox(base) {
        // RFC 5321 §2.4: local parts differ by case.
        Some((base_local, base_host)) => {
            local == base_local && host.eq_ignore_ascii_case(base_host)
        }
        None => host_or_domain(base, host),
    })
}

/// "When the constraint begins with a period, it MAY be expanded with one or more labels";
/// otherwise it is one host.
fn host_or_domain(base: &str, host: &str) -> bool {
    match base.strip_prefix('.') {
        Some(domain) => is_in_domain(domain, host),
        None => host.eq_ignore_ascii_case(base),
    }
}

/// The host of a URI with an authority (RFC 3986 §3.2), if it is a name and no address: constraints
/// are about "a fully qualified domain name", and other URIs have to be refused.
fn uri_host(uri: &str) -> Option<&str> {
    let (_, rest) = uri.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit('@').next()?.split(':').next()?;
    let last = host.rsplit('.').next()?;
    let numeric = last.bytes().all(|byte| byte.is_ascii_digit());
    (super::general_name::is_host(host) && !numeric).then_some(host)
}

/// "[RFC 4632] (CIDR)": address and mask, each as long as the name.
fn address(base: &[u8], name: &[u8]) -> bool {
    let Some((network, mask)) = base.split_at_checked(name.len()) else {
        return false;
    };
    mask.len() == name.len()
        && network
            .iter()
            .zip(mask)
            .zip(name)
            .all(|((network, mask), name)| network & mask == name & mask)
}

#[cfg(test)]
mod tests;
