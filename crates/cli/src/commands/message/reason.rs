//! What is likely to be the cause of a difference. The mistakes are those that implementations of
//! RFC 9421 make.

use super::against::Sides;
use crate::message::SignatureParams;
use crate::message::structured::Bounds;

/// Says what is the matter with line `at`, counted from 0, which is the first that differs.
pub(super) fn find(sides: &Sides<'_>, at: usize) -> String {
    let (ours, theirs) = match (sides.ours.get(at), sides.theirs.get(at)) {
        (Some(ours), Some(theirs)) => (*ours, *theirs),
        (Some(_), None) => return "their base ends before this line".to_owned(),
        _ => return "their base goes on after our last line".to_owned(),
    };
    line_ends(sides, ours, theirs)
        .or_else(|| blanks(ours, theirs))
        .or_else(|| whole_lines(sides, at, ours, theirs))
        .unwrap_or_else(|| in_line(ours, theirs))
}

fn line_ends(sides: &Sides<'_>, ours: &[u8], theirs: &[u8]) -> Option<String> {
    if theirs.strip_suffix(b"\r") != Some(ours) {
        return None;
    }
    let without = |line: &&[u8]| line.strip_suffix(b"\r").unwrap_or(line).to_vec();
    let only_that = sides
        .theirs
        .iter()
        .map(without)
        .eq(sides.ours.iter().map(without));
    Some(format!(
        "their lines end in CR LF, where a base has LF; {}",
        if only_that {
            "nothing else differs"
        } else {
            "there is more that differs"
        }
    ))
}

fn blanks(ours: &[u8], theirs: &[u8]) -> Option<String> {
    if ours.trim_ascii_end() == theirs.trim_ascii_end() {
        let longer = if theirs.len() > ours.len() {
            "their"
        } else {
            "our"
        };
        return Some(format!("there are more blanks at the end of {longer} line"));
    }
    let squeezed = |line: &[u8]| -> Vec<u8> {
        line.iter()
            .copied()
            .filter(|byte| !byte.is_ascii_whitespace())
            .collect()
    };
    (squeezed(ours) == squeezed(theirs)).then(|| "only blanks differ".to_owned())
}

/// Lines that are missing, that are too many, or that have another place.
fn whole_lines(sides: &Sides<'_>, at: usize, ours: &[u8], theirs: &[u8]) -> Option<String> {
    let sorted = |lines: &[&[u8]]| {
        let mut names: Vec<Vec<u8>> = lines.iter().map(|line| line.to_vec()).collect();
        names.pop();
        names.sort();
        names
    };
    if sorted(&sides.ours) == sorted(&sides.theirs) && at + 1 < sides.ours.len() {
        return Some("the components have another order".to_owned());
    }
    let later =
        |lines: &[&[u8]], line: &[u8]| lines.iter().skip(at + 1).any(|found| *found == line);
    let (we_have_theirs, they_have_ours) = (later(&sides.ours, theirs), later(&sides.theirs, ours));
    match (we_have_theirs, they_have_ours) {
        (true, false) => Some(format!("their base does not have {}", name_of(ours))),
        (false, true) => Some(format!("their base has {}, ours has not", name_of(theirs))),
        _ => None,
    }
}

fn in_line(ours: &[u8], theirs: &[u8]) -> String {
    let (our_name, our_value) = split(ours);
    let (their_name, their_value) = split(theirs);
    if our_name != their_name {
        if our_name.eq_ignore_ascii_case(their_name) {
            return "names of components are in small letters".to_owned();
        }
        let bare = |name: &[u8]| name.split(|byte| *byte == b';').next().map(<[u8]>::to_vec);
        if bare(our_name) == bare(their_name) {
            return format!("{} has other parameters", name_of(ours));
        }
        return format!("theirs is another component than {}", name_of(ours));
    }
    if our_name == b"\"@signature-params\"" {
        return params(our_value, their_value);
    }
    format!("{} has another value", name_of(ours))
}

fn params(ours: &[u8], theirs: &[u8]) -> String {
    let read = |text: &[u8]| std::str::from_utf8(text.trim_ascii()).map(str::to_owned);
    let (Ok(ours), Ok(theirs)) = (read(ours), read(theirs)) else {
        return "their parameters are not ASCII".to_owned();
    };
    let parse = |text| SignatureParams::parse(text, &Bounds::DEFAULT);
    let theirs = match parse(&theirs) {
        Ok(theirs) => theirs,
        Err(error) => return format!("their parameters cannot be read: {error}"),
    };
    match parse(&ours) {
        Ok(ours) => compare(&ours, &theirs),
        Err(error) => format!("our parameters cannot be read: {error}"),
    }
}

fn compare(ours: &SignatureParams<'_>, theirs: &SignatureParams<'_>) -> String {
    let covered_by_both = ours.components().len() == theirs.components().len()
        && theirs.components().iter().all(|theirs| ours.covers(theirs));
    if !covered_by_both {
        return "another list of components".to_owned();
    }
    if ours.components() != theirs.components() {
        return "the list of components has another order".to_owned();
    }
    let missing = |one: &SignatureParams<'_>, other: &SignatureParams<'_>| {
        one.parameters()
            .iter()
            .find(|(key, _)| other.parameters().get(key.as_str()).is_none())
            .map(|(key, _)| key.as_str().to_owned())
    };
    if let Some(key) = missing(ours, theirs) {
        return format!("their parameters do not have {key}");
    }
    if let Some(key) = missing(theirs, ours) {
        return format!("their parameters have {key}, ours have not");
    }
    let changed = ours
        .parameters()
        .iter()
        .find(|(key, value)| theirs.parameters().get(key.as_str()) != Some(*value));
    match changed {
        Some((key, _)) => format!("the parameter {} has another value", key.as_str()),
        None if ours == theirs => "the parameters are written in another way".to_owned(),
        None => "the parameters have another order".to_owned(),
    }
}

/// The component as the line names it, and the value after the colon.
fn split(line: &[u8]) -> (&[u8], &[u8]) {
    let mut in_quotes = false;
    let colon = line.iter().position(|byte| {
        in_quotes ^= *byte == b'"';
        *byte == b':' && !in_quotes
    });
    let (name, rest) = line.split_at(colon.unwrap_or(line.len()));
    (name, rest.strip_prefix(b":").unwrap_or(rest))
}

fn name_of(line: &[u8]) -> String {
    let name = split(line).0;
    name.escape_ascii().to_string().replace("\\\"", "\"")
}
