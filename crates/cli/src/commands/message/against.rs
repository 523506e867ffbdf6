//! Where another party's signature base differs from ours, and what is likely to be the cause.

use serde_json::{Value, json};

use super::reason;

/// The first line that differs.
#[derive(Debug)]
pub(super) struct Difference {
    /// From 1.
    line: usize,
    /// Of the line, from 1.
    byte: usize,
    ours: Option<String>,
    theirs: Option<String>,
    /// How many characters of a shown line are alike.
    alike: usize,
    reason: String,
}

/// Compares two bases; `None` when they are the same bytes.
pub(super) fn compare(ours: &[u8], theirs: &[u8]) -> Option<Difference> {
    let sides = Sides {
        ours: lines(ours),
        theirs: lines(theirs),
    };
    let most = sides.ours.len().max(sides.theirs.len());
    let at = (0..most).find(|at| sides.ours.get(*at) != sides.theirs.get(*at))?;
    let (our_line, their_line) = (sides.ours.get(at), sides.theirs.get(at));
    // A line end after the last line would show as an empty line more.
    if our_line.is_none() && their_line == Some(&&b""[..]) && sides.theirs.len() == at + 1 {
        return Some(final_line_end(&sides));
    }
    let empty: &[u8] = b"";
    let same_bytes = same(our_line.unwrap_or(&empty), their_line.unwrap_or(&empty));
    let (ours, theirs) = (our_line.map(visible), their_line.map(visible));
    let shown = |side: &Option<String>| side.clone().unwrap_or_default().into_bytes();
    Some(Difference {
        line: at + 1,
        byte: same_bytes + 1,
        alike: same(&shown(&ours), &shown(&theirs)),
        ours,
        theirs,
        reason: reason::find(&sides, at),
    })
}

impl Difference {
    /// For a person: three lines, and a mark under the first byte that differs.
    pub(super) fn to_text(&self) -> String {
        let shown = |line: &Option<String>| line.clone().unwrap_or_else(|| "(no line)".to_owned());
        let mark = match (&self.ours, &self.theirs) {
            (Some(_), Some(_)) => format!("{:>width$}\n", '^', width = self.alike + 9),
            _ => String::new(),
        };
        format!(
            "differs at line {}, byte {}: {}\nours    {}\ntheirs  {}\n{mark}",
            self.line,
            self.byte,
            self.reason,
            shown(&self.ours),
            shown(&self.theirs),
        )
    }

    pub(super) fn to_json(&self) -> Value {
        json!({
            "same": false,
            "line": self.line,
            "byte": self.byte,
            "reason": self.reason,
            "ours": self.ours,
            "theirs": self.theirs,
        })
    }
}

/// The lines of both bases; what ends with a line end has an empty line more.
pub(super) struct Sides<'b> {
    pub(super) ours: Vec<&'b [u8]>,
    pub(super) theirs: Vec<&'b [u8]>,
}

/// How many bytes the two have in common at their beginning.
fn same(one: &[u8], other: &[u8]) -> usize {
    let pairs = one.iter().zip(other);
    pairs.take_while(|(one, other)| one == other).count()
}

fn lines(base: &[u8]) -> Vec<&[u8]> {
    base.split(|byte| *byte == b'\n').collect()
}

fn final_line_end(sides: &Sides<'_>) -> Difference {
    let last = sides.ours.last().copied().unwrap_or_default();
    let shown = visible_inside(last);
    Difference {
        line: sides.ours.len(),
        byte: last.len() + 1,
        alike: shown.len(),
        theirs: Some(format!("{shown}\\n")),
        ours: Some(shown),
        reason: "their base has a line end after its last line, where a base has none".to_owned(),
    }
}

/// A line in printable ASCII: everything else, and blanks at its end, as Rust would escape them.
fn visible(line: &&[u8]) -> String {
    let inside = line.trim_ascii_end();
    let mut shown = visible_inside(inside);
    for byte in line.get(inside.len()..).unwrap_or_default() {
        shown.push_str(&match byte {
            b' ' => "\\x20".to_owned(),
            other => visible_inside(&[*other]),
        });
    }
    shown
}

fn visible_inside(bytes: &[u8]) -> String {
    let mut shown = String::with_capacity(bytes.len());
    for byte in bytes {
        match byte {
            // Quotes are left alone: bases are full of them.
            b'"' | b'\'' => shown.push(char::from(*byte)),
            other => shown.push_str(&other.escape_ascii().to_string()),
        }
    }
    shown
}
