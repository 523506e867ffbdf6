//! Dictionaries that a field holds whole: Signature-Input, Signature, Accept-Signature and the
//! digest fields.

use alloc::vec::Vec;

use crate::message::{Field, unfolded, values_of};
use crate::structured::{Bounds, Entry, Member, StructuredError, read_dictionary_lines};

/// A dictionary with every repeated key.
type Entries<'m> = Vec<Entry<'m, Member<'m>>>;

/// Reads the dictionary in the lines called `name`, which is in small letters and whose values
/// together may have `longest` bytes. `None` when there is no such line.
pub(crate) fn read_field<'m>(
    fields: &'m [Field<'m>],
    name: &str,
    longest: usize,
    bounds: &Bounds,
) -> Result<Option<Entries<'m>>, FieldError> {
    let values = || values_of(fields, name);
    let Some(length) = values().map(<[u8]>::len).reduce(usize::saturating_add) else {
        return Ok(None);
    };
    if length > longest {
        return Err(FieldError::TooLong { limit: longest });
    }
    // Hardly anybody folds lines, so the members borrow from them.
    if !values().any(|value| value.contains(&b'\n')) {
        return Ok(Some(read_dictionary_lines(values(), bounds)?));
    }
    let lines: Vec<_> = values()
        .map(unfolded)
        .collect::<Result<_, _>>()
        .map_err(|end| StructuredError::Character { at: end.at })?;
    let members = read_dictionary_lines(lines.iter().map(|line| &**line), bounds)?;
    let owned = members
        .into_iter()
        .map(|(key, member)| (key.into_owned(), member.into_owned()));
    Ok(Some(owned.collect()))
}

/// Why the lines of a field are no dictionary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FieldError {
    /// They are longer than the limit.
    TooLong {
        /// Bytes accepted.
        limit: usize,
    },
    /// They are malformed.
    Structured(StructuredError),
}

impl From<StructuredError> for FieldError {
    fn from(error: StructuredError) -> Self {
        Self::Structured(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::{String, ToString};

    fn read(values: &[&str]) -> Result<Option<String>, FieldError> {
        let fields: Vec<Field<'_>> = values.iter().map(|v| ("A", v.as_bytes())).collect();
        let members = read_field(&fields, "a", 40, &Bounds::DEFAULT)?;
        Ok(members.map(|members| {
            let written = members
                .iter()
                .map(|(key, member)| [key.as_str(), "=", &member.to_string()].concat());
            written.collect::<Vec<_>>().join(", ")
        }))
    }

    #[test]
    fn foldings_are_blanks() {
        let written = |text: &str| Ok(Some(text.into()));
        // RFC 9112 §5.2: with CR LF or LF alone, any number of blanks, between and in values.
        for (values, text) in [
            (&["k=(\"a\"\r\n \"b\");c=1"][..], r#"k=("a" "b");c=1"#),
            (&["k=1,\n\t l;\r\n  x=:YQ==:"], "k=1, l=?1;x=:YQ==:"),
            (&["k=\"a \r\n  b\";t=u"], r#"k="a b";t=u"#),
            (
                &["\r\n k=?0 \r\n", "l=1.5,\n m=@7, n=%\"c\""],
                r#"k=?0, l=1.5, m=@7, n=%"c""#,
            ),
            (&["k=1", "k=2"], "k=1, k=2"),
        ] {
            assert_eq!(read(values), written(text), "{values:?}");
        }
        assert_eq!(read(&[]), Ok(None));
    }

    #[test]
    fn other_line_ends_are_refused() {
        let error = |at| Err(FieldError::Structured(StructuredError::Character { at }));
        assert_eq!(read(&["k=1,\r\nl=2"]), error(5));
        assert_eq!(read(&["k=1,\nl=2,\n m"]), error(4));
        assert_eq!(read(&["k=1,\n l=2,\nm"]), error(10));
        assert_eq!(read(&["k=1,\r l"]), error(4));
        // A folding cannot stand where a blank cannot.
        assert_eq!(read(&["k=\n 1"]), error(2));
    }

    #[test]
    fn the_limit_counts_all_lines() {
        let (half, more) = ("k=aaaaaaaaaaaaaaaaaa", "k=aaaaaaaaaaaaaaaaaaa");
        assert!(read(&[half, half]).is_ok());
        let error = Err(FieldError::TooLong { limit: 40 });
        assert_eq!(read(&[half, more]), error);
    }
}
