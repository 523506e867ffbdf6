use super::field::Field;
use super::{BaseError, ValueError, request_of};
use crate::message::{Index, Lines};
use crate::{Limits, Message};

/// Names a field: whether it is the request's of a response, whether it is among the trailers, and
/// its name in small letters.
pub(crate) type FieldId<'c> = (bool, bool, &'c str);

/// The fields of a message and, for a response, of the request that it answers.
pub(crate) struct Sources<'b> {
    message: Message<'b>,
    own: Source<'b>,
    of_request: Option<Source<'b>>,
    limits: &'b Limits,
}

struct Source<'b> {
    lines: Lines<'b>,
    fields: Index<'b>,
    trailers: Index<'b>,
}

impl<'b> Sources<'b> {
    /// Puts the field lines in order.
    pub(crate) fn new(message: Message<'b>, limits: &'b Limits) -> Result<Self, BaseError> {
        let (own, of_request) = match message {
            Message::Request(request) => (request.lines, None),
            Message::Response(response) => (
                response.lines,
                response.request.map(|request| request.lines),
            ),
        };
        Ok(Self {
            message,
            own: Source::new(own, limits)?,
            of_request: of_request
                .map(|lines| Source::new(lines, limits))
                .transpose()?,
            limits,
        })
    }

    /// A field; whether the message has it shows when its value is asked for.
    pub(crate) fn field<'s>(
        &'s self,
        (of_request, of_trailers, name): FieldId<'s>,
    ) -> Result<Field<'s>, ValueError> {
        let source = if of_request {
            request_of(self.message, true)?;
            self.of_request.as_ref().ok_or(ValueError::RequestUnknown)?
        } else {
            &self.own
        };
        Ok(Field {
            lines: if of_trailers {
                &source.trailers
            } else {
                &source.fields
            },
            name,
            known: source.lines.structured_type(name),
            limits: self.limits,
        })
    }
}

impl<'b> Source<'b> {
    fn new(lines: Lines<'b>, limits: &Limits) -> Result<Self, BaseError> {
        let limit = limits.field_lines;
        if lines.fields.len() > limit || lines.trailers.len() > limit {
            return Err(BaseError::TooManyLines { limit });
        }
        Ok(Self {
            lines,
            fields: Index::new(lines.fields),
            trailers: Index::new(lines.trailers),
        })
    }
}
