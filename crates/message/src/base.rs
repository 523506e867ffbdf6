use alloc::string::{String, ToString};

use gangplank_key::Backend;

use crate::component::{Derived, Kind, Part};
use crate::structured::StructuredError;
use crate::{Component, Limits, Message, Request, SignatureParams};

mod field;
mod members;
mod query_param;
mod source;

use members::{Members, texts};
use query_param::QueryParams;
use source::Sources;

/// The text that is signed: a line for each covered component, and `"@signature-params"` at the end
/// (RFC 9421 §2.5). Printable ASCII.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignatureBase(String);

impl SignatureBase {
    /// Builds the base for a message.
    ///
    /// # Errors
    /// [`BaseError`]: which component cannot be had from the message, and why.
    pub fn build(
        message: Message<'_>,
        params: &SignatureParams<'_>,
        limits: &Limits,
    ) -> Result<Self, BaseError> {
        if params.components().len() > limits.components {
            return Err(BaseError::TooManyComponents {
                limit: limits.components,
            });
        }
        let sources = Sources::new(message, limits)?;
        let texts = texts(params, &sources);
        let builder = Builder {
            message,
            sources: &sources,
            members: Members::read(&texts, limits),
            query_params: QueryParams::find(message, params),
        };
        let mut text = String::with_capacity(512);
        for component in params.components() {
            component.item().write(&mut text);
            text.push_str(": ");
            builder
                .value(component, &mut text)
                .map_err(|reason| BaseError::Component {
                    component: component.to_string(),
                    reason,
                })?;
            text.push('\n');
            within(&text, limits.base)?;
        }
        text.push_str("\"@signature-params\": ");
        params.write(&mut text);
        within(&text, limits.base)?;
        Ok(Self(text))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The bytes to sign.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// SHA-256 of the base: what names one signing, however often its signature is re-coded.
    pub fn sha256(&self, backend: Backend) -> [u8; 32] {
        backend.sha256(&[self.as_bytes()])
    }
}

/// Why a message has no base for these parameters (RFC 9421 §2.5).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BaseError {
    /// A component that cannot be had.
    #[error("the component {component}: {reason}")]
    Component {
        /// The component, with its parameters.
        component: String,
        /// Why it cannot be had.
        reason: ValueError,
    },
    /// More components than the limit.
    #[error("more than {limit} components are covered")]
    TooManyComponents {
        /// How many are accepted.
        limit: usize,
    },
    /// More field lines than the limit.
    #[error("the message has more than {limit} field lines")]
    TooManyLines {
        /// How many are accepted.
        limit: usize,
    },
    /// A base longer than the limit.
    #[error("the signature base is longer than {limit} bytes")]
    TooLong {
        /// Bytes accepted.
        limit: usize,
    },
}

/// Why a component has no value in a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ValueError {
    /// `req` in the signature of a request (RFC 9421 §2.4).
    #[error("a request's signature has no `req`")]
    ReqInRequest,
    /// `req` where the request is not known.
    #[error("the request that the response answers is not known")]
    RequestUnknown,
    /// A component of requests in the signature of a response, without `req`.
    #[error("only a request has it")]
    OnlyInRequest,
    /// `"@status"` in the signature of a request.
    #[error("only a response has it")]
    OnlyInResponse,
    /// A status code that is not three digits.
    #[error("the status code is not of three digits")]
    Status,
    /// A field that the message does not have.
    #[error("the message has no such field")]
    FieldMissing,
    /// A value with characters that a base cannot hold: control characters, line ends, not ASCII.
    #[error("the value has a character that a signature base cannot hold")]
    Character,
    /// A value longer than the limit.
    #[error("the value is longer than {limit} bytes")]
    TooLong {
        /// Bytes accepted.
        limit: usize,
    },
    /// `sf` for a field that is not known to be structured.
    #[error("the field is not known to be a structured one")]
    TypeUnknown,
    /// `key` for a field that is known to be no dictionary.
    #[error("the field is not a dictionary")]
    NotDictionary,
    /// A structured field that is not well-formed.
    #[error("the field is malformed: {0}")]
    Malformed(StructuredError),
    /// A dictionary without this member.
    #[error("the dictionary has no such member")]
    MemberMissing,
    /// A query without this parameter.
    #[error("the query has no such parameter")]
    QueryParamMissing,
    /// A query with this parameter more than once (RFC 9421 §2.2.8).
    #[error("the query has the parameter more than once")]
    QueryParamRepeated,
    /// A query parameter that is not UTF-8, which several values would be written alike for.
    #[error("the query parameter is not utf-8")]
    QueryParamUtf8,
}

/// What values are taken from. Whatever several components may need is looked for once.
struct Builder<'b> {
    message: Message<'b>,
    sources: &'b Sources<'b>,
    members: Members<'b>,
    query_params: QueryParams<'b>,
}

impl Builder<'_> {
    /// Appends the value of a component.
    fn value(&self, component: &Component<'_>, out: &mut String) -> Result<(), ValueError> {
        match &component.kind {
            Kind::Derived(Derived::Status) => self.status(out),
            Kind::Derived(derived) => {
                let request = request_of(self.message, component.of_request)?;
                write_derived(request, *derived, out)
            }
            Kind::QueryParam(name) => {
                request_of(self.message, component.of_request)?;
                self.query_params.write(name.as_str(), out)
            }
            Kind::Field {
                name,
                part,
                of_trailers,
            } => {
                let id = (component.of_request, *of_trailers, name.as_str());
                match part {
                    Part::Whole => self.sources.field(id)?.write_whole(out),
                    Part::Bytes => self.sources.field(id)?.write_bytes(out),
                    Part::Structured => self.sources.field(id)?.write_structured(out),
                    Part::Member(key) => self.members.write(id, key.as_str(), out),
                }
            }
        }
    }

    fn status(&self, out: &mut String) -> Result<(), ValueError> {
        match self.message {
            Message::Request(_) => Err(ValueError::OnlyInResponse),
            Message::Response(response) if (100..1000).contains(&response.status) => {
                crate::structured::write_number(i64::from(response.status), out);
                Ok(())
            }
            Message::Response(_) => Err(ValueError::Status),
        }
    }
}

fn within(text: &str, limit: usize) -> Result<(), BaseError> {
    if text.len() > limit {
        return Err(BaseError::TooLong { limit });
    }
    Ok(())
}

/// The request that a derived component comes from.
fn request_of<'b>(message: Message<'b>, of_request: bool) -> Result<&'b Request<'b>, ValueError> {
    match (message, of_request) {
        (Message::Request(request), false) => Ok(request),
        (Message::Request(_), true) => Err(ValueError::ReqInRequest),
        (Message::Response(_), false) => Err(ValueError::OnlyInRequest),
        (Message::Response(response), true) => response.request.ok_or(ValueError::RequestUnknown),
    }
}

fn write_derived(
    request: &Request<'_>,
    derived: Derived,
    out: &mut String,
) -> Result<(), ValueError> {
    let target = &request.target;
    match derived {
        Derived::Method => {
            // A method is a token (RFC 9110 §9.1); anything else could end the line.
            let in_token = crate::structured::is_token_character;
            if request.method.is_empty() || !request.method.bytes().all(in_token) {
                return Err(ValueError::Character);
            }
            out.push_str(request.method);
        }
        Derived::TargetUri => target.write_uri(out),
        Derived::Authority => target.write_authority(out),
        Derived::Scheme => target.write_scheme(out),
        Derived::RequestTarget => target.write_request_target(out),
        Derived::Path => target.write_path(out),
        Derived::Query => target.write_query(out),
        Derived::Status => return Err(ValueError::OnlyInResponse),
    }
    Ok(())
}

#[cfg(test)]
mod tests;
