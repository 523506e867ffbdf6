use crate::structured::Bounds;

/// How large the parts of a message that a signature touches may be before it is refused.
///
/// Every loop of this crate is bounded by one of these numbers, or runs once over the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Signatures of one message.
    pub labels: usize,
    /// Components that one signature covers.
    pub components: usize,
    /// Parameters of one signature, or of one component.
    pub parameters: usize,
    /// Field lines of a message, trailers apart.
    pub field_lines: usize,
    /// Bytes of one field, its lines put together.
    pub field: usize,
    /// Bytes of the signature base.
    pub base: usize,
    /// Values in a structured field other than the ones above.
    pub structured: Bounds,
}

impl Limits {
    /// For servers and devices alike.
    ///
    /// - 16 labels: one of the sender and one of each proxy; RFC 9421's longest example has two.
    /// - 64 components: the nine derived ones, twice (a response may cover its request's), and as
    ///   many fields as browsers send.
    /// - 16 parameters: the six registered ones (RFC 9421 §6.3.2) and ten of an application.
    /// - 1,024 field lines: ten times what hyper (100) and Apache (100) take.
    /// - 16 KiB of one field: the whole header section that Node.js takes; nginx takes 8 KiB a line.
    /// - 64 KiB of base: four such fields.
    /// - Structured fields: what RFC 9651 asks for.
    pub const DEFAULT: Self = Self {
        labels: 16,
        components: 64,
        parameters: 16,
        field_lines: 1024,
        field: 16 << 10,
        base: 64 << 10,
        structured: Bounds::DEFAULT,
    };

    /// The bounds for Signature-Input and Accept-Signature.
    pub(crate) fn signature_input(&self) -> Bounds {
        Bounds {
            members: self.labels,
            items: self.components,
            parameters: self.parameters,
        }
    }
}
