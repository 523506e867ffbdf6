use alloc::string::String;

use crate::structured::StructuredError;

/// Why something is no [`Component`](crate::Component) (RFC 9421 §2, §2.5).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ComponentError {
    /// Not a structured item at all.
    #[error("the component is not a structured item: {0}")]
    Structured(#[from] StructuredError),
    /// The name, or a value given for a parameter, is not a string of printable ASCII.
    #[error("the component's name is not a string of printable ascii")]
    NotText,
    /// A field name with capital letters, or with characters that no field name has.
    #[error("{name:?} is not a field name in small letters")]
    FieldName {
        /// The name.
        name: String,
    },
    /// A derived component that RFC 9421 does not define, or `"@signature-params"`, which is covered
    /// always and never listed.
    #[error("{name:?} is not a derived component that can be covered")]
    Derived {
        /// The name.
        name: String,
    },
    /// A parameter that is not understood, or does not apply to this component.
    #[error("the parameter {parameter} of {name:?} is not one that it can have")]
    Parameter {
        /// The component's name.
        name: String,
        /// The parameter's key.
        parameter: String,
    },
    /// Parameters that do not go together: `bs` with `sf` or `key`.
    #[error("the parameters of {name:?} do not go together")]
    Incompatible {
        /// The component's name.
        name: String,
    },
    /// `"@query-param"` without `name`.
    #[error("\"@query-param\" has no name parameter")]
    NameMissing,
}
