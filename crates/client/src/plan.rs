use alloc::{boxed::Box, string::String, vec::Vec};
use core::time::Duration;

use gangplank_envelope::{Nonce, PayloadType, ToBeSigned, payload_signature};

use crate::{BadAnswer, Method, Now, Purpose, Response, context::Context};

/// Makes the outcome of a 200 or 201.
pub(crate) type Read<T> = fn(&mut Context, &Answer<'_>) -> Result<T, BadAnswer>;

/// A 200 or 201, nothing in it believed yet.
pub(crate) struct Answer<'a> {
    pub(crate) response: &'a Response,
    /// The nonce of the request.
    pub(crate) nonce: Option<&'a SentNonce>,
    pub(crate) now: Now,
}

/// What to send.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) purpose: Purpose,
    pub(crate) url: String,
    pub(crate) body: Body,
}

#[derive(Debug)]
pub(crate) enum Body {
    /// A GET without anything, over the bootstrap connection.
    Bootstrap,
    /// The token request itself, for its own sake.
    ClientCredentials,
    /// A GET with the bearer token and a nonce.
    Nonce,
    /// A POST of an envelope with the device's certificates.
    Introduction(PayloadType, Vec<u8>),
    /// A POST with the bearer token, signed in the form of the settings.
    Report(PayloadType, Vec<u8>),
}

impl Body {
    /// What it is sent by.
    pub(crate) fn method(&self) -> Method {
        match self {
            Self::Bootstrap | Self::Nonce => Method::Get,
            Self::ClientCredentials | Self::Introduction(..) | Self::Report(..) => Method::Post,
        }
    }
}

/// How far one try has come.
#[derive(Debug, Default)]
pub(crate) enum Stage {
    #[default]
    Ready,
    Signing(Box<Unsigned>),
    Sealed(Sealed),
    /// A request is out. A second answer to it finds another stage and is dropped.
    AskedToken {
        at: Duration,
    },
    Asked {
        nonce: Option<SentNonce>,
    },
}

/// What waits for a signature.
#[derive(Debug)]
pub(crate) enum Unsigned {
    Envelope(ToBeSigned<'static>, SentNonce),
    /// The header will sign it.
    Body(payload_signature::ToBeSigned),
    /// The request will be signed as an HTTP message, with this body.
    #[cfg(feature = "message")]
    Message(gangplank_message::margo::Outgoing, Vec<u8>),
}

impl Unsigned {
    /// The bytes to sign.
    pub(crate) fn message(&self) -> &[u8] {
        match self {
            Self::Envelope(envelope, _) => envelope.message(),
            Self::Body(body) => body.message(),
            #[cfg(feature = "message")]
            Self::Message(request, _) => request.message(),
        }
    }
}

/// What is sent. The default sends nothing but the request itself.
#[derive(Debug, Default)]
pub(crate) struct Sealed {
    pub(crate) body: Vec<u8>,
    pub(crate) nonce: Option<SentNonce>,
    /// The header fields that sign the body; none if it is an envelope.
    pub(crate) signed_by: Vec<(&'static str, String)>,
}

/// The nonce of a request, and what an answer that echoes it proves.
#[derive(Clone, Debug)]
pub(crate) struct SentNonce {
    pub(crate) nonce: Nonce,
    pub(crate) chosen_by: ChosenBy,
}

/// Who chose a nonce.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ChosenBy {
    /// The device, or the orchestrator over TLS that was verified under its root. It is new, so the
    /// answer that echoes it is younger than the request.
    Party,
    /// Whoever ended TLS. It may be one that this device used before, and the answer the one of then.
    Anybody,
}

impl SentNonce {
    pub(crate) fn own(nonce: Nonce) -> Self {
        Self {
            nonce,
            chosen_by: ChosenBy::Party,
        }
    }

    /// The one that an answer asks to use next.
    pub(crate) fn of(response: &Response) -> Option<Self> {
        let nonce = Nonce::parse(response.replay_nonce()?).ok()?;
        let chosen_by = match response.authenticated {
            true => ChosenBy::Party,
            false => ChosenBy::Anybody,
        };
        Some(Self { nonce, chosen_by })
    }
}

/// What has gone wrong so far.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) bad_answers: u32,
    pub(crate) not_authenticated: u32,
    /// 401s with a nonce, since the last wait.
    pub(crate) nonces: u32,
    pub(crate) token_dropped: bool,
}
