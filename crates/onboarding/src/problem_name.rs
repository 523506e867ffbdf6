use alloc::{format, string::String};
use core::fmt;

/// Every way in which the API refuses, or asks to wait (RFC 9457).
///
/// A name is stable: scripts and clients compare it. The server explains it at
/// [`path`](Self::path), the `type` of the [`Problem`](crate::Problem).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ProblemName {
    /// 400: the request is not in the form the route wants.
    UnreadableRequest,
    /// 400: a plain envelope where only bound ones are accepted.
    PlainFormNotAllowed,
    /// 400: signed in a form that is not accepted here.
    SignatureFormNotAllowed,
    /// 400: signed in two forms at once.
    TwoSignatures,
    /// 400: Content-Digest is missing, or is not that of the body.
    ContentDigest,
    /// 400: a member of the payload is missing or breaks a rule.
    InvalidMember,
    /// 400: an id in the payload is not that of the route.
    IdMismatch,
    /// 400 of the admin API: a tenant asks for OCSP, and this server asks no responder.
    OcspNotSupported,
    /// 401: the one answer to everything that is not authenticated.
    NotAuthenticated,
    /// 401 of the admin API.
    AdminUnauthenticated,
    /// 403: the one answer to everything that is authenticated and not let aboard.
    NotAdmitted,
    /// 403 to protocol adapters, unless the reason has another status: why their device is refused.
    DeviceRefused,
    /// 403 of the admin API: there are as many as there may be.
    LimitReached,
    /// 404: no such path.
    NotFound,
    /// 405: no such method on this path.
    MethodNotAllowed,
    /// 408: the request did not arrive in time.
    RequestTimeout,
    /// 409: the identity belongs to another key or certificate.
    IdentityConflict,
    /// 409 of the admin API: the device is in a state that this change does not apply to.
    WrongState,
    /// 409 of the admin API: there is a tenant of this id.
    TenantExists,
    /// 409 of the admin API: the tenant cannot be removed.
    TenantNotEmpty,
    /// 409 of the admin API: another tenant trusts an issuer of the same name.
    IssuerTaken,
    /// 409 of the admin API: another tenant is called so.
    AliasTaken,
    /// 409 of the admin API: there is a device of this id.
    DeviceExists,
    /// 409 of the admin API: another device has the authentication id.
    AuthIdTaken,
    /// 412 of the admin API: the resource changed since it was read.
    VersionMismatch,
    /// 413: the request is too large.
    TooLarge,
    /// 429: too many requests.
    TooManyRequests,
    /// 202: an operator must approve.
    AwaitingApproval,
    /// 500: a fault of the server.
    InternalError,
    /// 503: not now.
    Unavailable,
}

impl ProblemName {
    /// All names, in the order of the documentation.
    pub const ALL: &'static [Self] = &[
        Self::UnreadableRequest,
        Self::PlainFormNotAllowed,
        Self::SignatureFormNotAllowed,
        Self::TwoSignatures,
        Self::ContentDigest,
        Self::InvalidMember,
        Self::IdMismatch,
        Self::OcspNotSupported,
        Self::NotAuthenticated,
        Self::AdminUnauthenticated,
        Self::NotAdmitted,
        Self::DeviceRefused,
        Self::LimitReached,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::RequestTimeout,
        Self::IdentityConflict,
        Self::WrongState,
        Self::TenantExists,
        Self::TenantNotEmpty,
        Self::IssuerTaken,
        Self::AliasTaken,
        Self::DeviceExists,
        Self::AuthIdTaken,
        Self::VersionMismatch,
        Self::TooLarge,
        Self::TooManyRequests,
        Self::AwaitingApproval,
        Self::InternalError,
        Self::Unavailable,
    ];

    /// Finds a name by its text, as in `not-admitted`.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|name| name.as_str() == text)
    }

    /// The name's text.
    pub fn as_str(self) -> &'static str {
        self.entry().0
    }

    /// The HTTP status it is sent with.
    pub fn status(self) -> u16 {
        self.entry().1
    }

    /// The `title`: a short sentence for people, the same every time.
    pub fn title(self) -> &'static str {
        self.entry().2
    }

    /// What it means and what to do, one paragraph: served at [`path`](Self::path).
    pub fn explanation(self) -> &'static str {
        self.entry().3
    }

    /// `/problems/` and the name: the `type` of a problem, relative to the root URL, and the route
    /// that explains it.
    pub fn path(self) -> String {
        format!("{PREFIX}{}", self.as_str())
    }

    /// The name, status, title and explanation.
    fn entry(self) -> (&'static str, u16, &'static str, &'static str) {
        match self {
            Self::UnreadableRequest => UNREADABLE_REQUEST,
            Self::PlainFormNotAllowed => PLAIN_FORM_NOT_ALLOWED,
            Self::SignatureFormNotAllowed => SIGNATURE_FORM_NOT_ALLOWED,
            Self::TwoSignatures => TWO_SIGNATURES,
            Self::ContentDigest => CONTENT_DIGEST,
            Self::InvalidMember => INVALID_MEMBER,
            Self::IdMismatch => ID_MISMATCH,
            Self::OcspNotSupported => OCSP_NOT_SUPPORTED,
            Self::NotAuthenticated => NOT_AUTHENTICATED,
            Self::AdminUnauthenticated => ADMIN_UNAUTHENTICATED,
            Self::NotAdmitted => NOT_ADMITTED,
            Self::DeviceRefused => DEVICE_REFUSED,
            Self::LimitReached => LIMIT_REACHED,
            Self::NotFound => NOT_FOUND,
            Self::MethodNotAllowed => METHOD_NOT_ALLOWED,
            Self::RequestTimeout => REQUEST_TIMEOUT,
            Self::IdentityConflict => IDENTITY_CONFLICT,
            Self::WrongState => WRONG_STATE,
            Self::TenantExists => TENANT_EXISTS,
            Self::TenantNotEmpty => TENANT_NOT_EMPTY,
            Self::IssuerTaken => ISSUER_TAKEN,
            Self::AliasTaken => ALIAS_TAKEN,
            Self::DeviceExists => DEVICE_EXISTS,
            Self::AuthIdTaken => AUTH_ID_TAKEN,
            Self::VersionMismatch => VERSION_MISMATCH,
            Self::TooLarge => TOO_LARGE,
            Self::TooManyRequests => TOO_MANY_REQUESTS,
            Self::AwaitingApproval => AWAITING_APPROVAL,
            Self::InternalError => INTERNAL_ERROR,
            Self::Unavailable => UNAVAILABLE,
        }
    }
}

impl fmt::Display for ProblemName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

pub(crate) const PREFIX: &str = "/problems/";

type Entry = (&'static str, u16, &'static str, &'static str);

const UNREADABLE_REQUEST: Entry = (
    "unreadable-request",
    400,
    "The request could not be read",
    "The body is not in the form that this route wants: not the media type, not an envelope, not \
     JSON, or with a member that comes twice. Sending the same bytes again gives the same answer; \
     the software that wrote them needs a change.",
);
const PLAIN_FORM_NOT_ALLOWED: Entry = (
    "plain-form-not-allowed",
    400,
    "The plain form of the envelope is not accepted here",
    "The envelope has no type, so it could be replayed and sent elsewhere. Send the bound form: \
     type, audience and a nonce or a time. An operator can allow the plain form for registered \
     devices of Margo's 2024 generation, and for nobody else.",
);
const SIGNATURE_FORM_NOT_ALLOWED: Entry = (
    "signature-form-not-allowed",
    400,
    "The request is signed in a form that is not accepted here",
    "The request is signed by the header X-Payload-Signature or by an HTTP message signature, and \
     this route takes envelopes only. Send the body in an envelope. An operator can allow the header \
     for the reports of devices of Margo's 2024 generation, and message signatures for those of its \
     1.0 generation.",
);
const TWO_SIGNATURES: Entry = (
    "two-signatures",
    400,
    "The request is signed in two forms at once",
    "A request carries an envelope, the header X-Payload-Signature or an HTTP message signature, \
     and never two of them: they could name two signers. Leave one out.",
);
const CONTENT_DIGEST: Entry = (
    "content-digest",
    400,
    "The body does not go with its Content-Digest",
    "The request is signed as an HTTP message, and its header Content-Digest is missing, or has no \
     sha-256, or has one of another body. The signature covers the body by that header alone. \
     Something on the way may have changed the body.",
);
const INVALID_MEMBER: Entry = (
    "invalid-member",
    400,
    "A member of the payload is missing or invalid",
    "The payload is JSON, but its apiVersion or kind is not that of this route, or a required \
     member is missing, or a value breaks a rule. The detail names the member, if there is one. \
     Sending the same payload again gives the same answer.",
);
const ID_MISMATCH: Entry = (
    "id-mismatch",
    400,
    "An id in the payload is not that of the path",
    "The device or deployment named in the payload must be the one named in the path. A device \
     that was given a new id by onboarding again must use it in both places.",
);
const OCSP_NOT_SUPPORTED: Entry = (
    "ocsp-not-supported",
    400,
    "This server asks no OCSP responder",
    "A trust anchor has ocsp-revocation-enabled, and this server would have to believe certificates \
     whose status nobody asked for. Set it to false; to keep single certificates or keys out, list \
     them in the anchor's provisioning-policy under deny.",
);
const NOT_AUTHENTICATED: Entry = (
    "not-authenticated",
    401,
    "The request could not be authenticated",
    "The signature, the certificate id, the token, the audience or the freshness of the request \
     was not accepted; this answer is the same for all of them. Take the nonce from the header \
     Replay-Nonce, sign the request anew and send it once more. Bytes that were sent before are \
     never accepted again. The operator's log has the reason.",
);
const ADMIN_UNAUTHENTICATED: Entry = (
    "admin-unauthenticated",
    401,
    "The admin token is missing or wrong",
    "The admin API wants the header Authorization with Bearer and the token from the file \
     admin.token in the server's data folder.",
);
const NOT_ADMITTED: Entry = (
    "not-admitted",
    403,
    "The device is not admitted",
    "The request proves who sent it, and that device may not come aboard or may not do this: its \
     certificate is not registered and leads to no anchor that provisions devices, or an operator \
     rejected, disabled or removed it. Asking again does not help; an operator must act. The \
     operator's log has the reason.",
);
const DEVICE_REFUSED: Entry = (
    "device-refused",
    403,
    "The device is refused",
    "A protocol adapter asked for its device, and that may not connect. The member reason has the \
     code of the rule, the detail says it in words, and the status is the one of that rule: 400, 401, \
     403, 404 or 409. Tell the device no more than that it was refused.",
);
const LIMIT_REACHED: Entry = (
    "limit-reached",
    403,
    "There are as many as there may be",
    "The tenant's registration-limits allow no further device, or no further credential of this \
     device. Remove some, or raise the limit.",
);
const NOT_FOUND: Entry = (
    "not-found",
    404,
    "There is nothing at this path",
    "The path is none of this server's. Check the root URL that the device was given, above all \
     its path prefix.",
);
const METHOD_NOT_ALLOWED: Entry = (
    "method-not-allowed",
    405,
    "The path does not have this method",
    "The path exists, but not for this method. The header Allow lists the methods that it has.",
);
const REQUEST_TIMEOUT: Entry = (
    "request-timeout",
    408,
    "The request did not arrive in time",
    "The whole request must arrive within a time that the server sets. Nothing was changed; send \
     it again, newly signed if it was signed.",
);
const IDENTITY_CONFLICT: Entry = (
    "identity-conflict",
    409,
    "The identity belongs to another key or certificate",
    "Another device has this certificate id, or this key belongs to another certificate id. Asking \
     again does not help: an operator must find out which device is the right one, and remove the \
     other.",
);
const WRONG_STATE: Entry = (
    "wrong-state",
    409,
    "The device is in a state that this change does not apply to",
    "Only a pending device can be approved, for example. Read the device's state, and decide anew.",
);
const TENANT_EXISTS: Entry = (
    "tenant-exists",
    409,
    "There is a tenant of this id",
    "A tenant is made once. Change it with PUT, or choose another id.",
);
const TENANT_NOT_EMPTY: Entry = (
    "tenant-not-empty",
    409,
    "The tenant cannot be removed",
    "A tenant that has devices stays until they are removed, and the tenant default stays always.",
);
const ISSUER_TAKEN: Entry = (
    "issuer-taken",
    409,
    "Another tenant trusts an issuer of this name",
    "The tenant of a device is found by the name of its certificate's issuer, so only one tenant may \
     have it, or all that do are of one trust-anchor-group. Names are compared by RFC 5280 section \
     7.1: letter case and blanks make no difference.",
);
const ALIAS_TAKEN: Entry = (
    "alias-taken",
    409,
    "Another tenant is called so",
    "An alias is one tenant's, and is no other tenant's id. Choose another.",
);
const DEVICE_EXISTS: Entry = (
    "device-exists",
    409,
    "There is a device of this id",
    "A device is made once, and its id is one device's of all tenants. Change it with PUT, or choose \
     another id.",
);
const AUTH_ID_TAKEN: Entry = (
    "auth-id-taken",
    409,
    "Another device has the authentication id",
    "A tenant has each authentication id once. Distinguished names are compared by RFC 5280 section \
     7.1: letter case and blanks make no difference.",
);
const VERSION_MISMATCH: Entry = (
    "version-mismatch",
    412,
    "The resource changed since it was read",
    "The header If-Match names another version than the stored one. Read the resource again, and \
     decide anew.",
);
const TOO_LARGE: Entry = (
    "too-large",
    413,
    "The request is too large",
    "The body is longer than this route reads. Send less.",
);
const TOO_MANY_REQUESTS: Entry = (
    "too-many-requests",
    429,
    "There were too many requests",
    "Wait at least for the time in the header Retry-After, and add a random time, so that many \
     devices do not come back at once.",
);
const AWAITING_APPROVAL: Entry = (
    "awaiting-approval",
    202,
    "An operator must approve the device",
    "The device is not known, and waits for an operator. Ask again after the time in the header \
     Retry-After, with the same payload in a newly signed envelope. Nothing was issued yet.",
);
const INTERNAL_ERROR: Entry = (
    "internal-error",
    500,
    "The server failed",
    "The fault is the server's, and its log has the reason. Try again later, newly signed if the \
     request was signed.",
);
const UNAVAILABLE: Entry = (
    "unavailable",
    503,
    "The server cannot answer now",
    "The server is starting, stopping or overloaded, or its store does not answer. Wait at least \
     for the time in the header Retry-After, and add a random time.",
);

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_name_is_found_by_its_text_and_is_there_once() {
        let texts: BTreeSet<_> = ProblemName::ALL.iter().map(|name| name.as_str()).collect();
        assert_eq!(texts.len(), ProblemName::ALL.len());
        for name in ProblemName::ALL {
            assert_eq!(ProblemName::parse(name.as_str()), Some(*name));
            let of_a_path = |c: char| c.is_ascii_lowercase() || c == '-';
            assert!(name.as_str().chars().all(of_a_path));
            assert!(name.status() == 202 || (400..=599).contains(&name.status()));
            assert!(!name.title().ends_with('.'));
            assert!(name.explanation().ends_with('.'));
            assert!(!name.explanation().contains("  "));
        }
        assert_eq!(ProblemName::parse("nothing"), None);
    }
}
