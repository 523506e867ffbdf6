//! The grammar of distribution/reference, from left to right and without going back.

/// Where the run of bytes of `class` ends that begins at `from`.
pub(crate) fn run(bytes: &[u8], from: usize, class: u8) -> usize {
    let rest = bytes.get(from..).unwrap_or_default();
    from + rest.iter().take_while(|byte| is(**byte, class)).count()
}

pub(crate) fn is(byte: u8, class: u8) -> bool {
    // The table has a place for every byte, so the compiler leaves the check out.
    CLASSES.get(usize::from(byte)).copied().unwrap_or_default() & class != 0
}

/// Where the path component that begins at `from` ends.
///
/// `[a-z0-9]+ ( ("." | "_" | "__" | "-"+) [a-z0-9]+ )*`
///
/// # Errors
/// The place of the byte that no component has there.
pub(super) fn component(bytes: &[u8], from: usize) -> Result<usize, usize> {
    let mut at = from;
    loop {
        let end = run(bytes, at, LOWER);
        if end == at {
            return Err(at);
        }
        at = match bytes.get(end) {
            Some(b'.') => end + 1,
            Some(b'_') if bytes.get(end + 1) == Some(&b'_') => end + 2,
            Some(b'_') => end + 1,
            Some(b'-') => run(bytes, end, DASH),
            _ => return Ok(end),
        };
    }
}

/// Whether all of `bytes` is a host and perhaps a port.
///
/// `(label ("." label)* | "[" [0-9a-fA-F:]+ "]") (":" [0-9]+)?`
///
/// # Errors
/// The place of the byte that no domain has there.
pub(super) fn domain(bytes: &[u8]) -> Result<(), usize> {
    let host = match bytes.first() {
        Some(b'[') => brackets(bytes)?,
        _ => labels(bytes)?,
    };
    match bytes.get(host) {
        None => Ok(()),
        Some(b':') => match run(bytes, host + 1, DIGIT) {
            end if end == bytes.len() && end > host + 1 => Ok(()),
            end => Err(end),
        },
        Some(_) => Err(host),
    }
}

/// Where the tag that begins at `from` ends, however long it is.
///
/// # Errors
/// The place of a byte that no tag begins with.
pub(super) fn tag(bytes: &[u8], from: usize) -> Result<usize, usize> {
    match bytes.get(from) {
        Some(b'.' | b'-') => Err(from),
        _ => match run(bytes, from, TAG) {
            end if end == from => Err(from),
            end => Ok(end),
        },
    }
}

fn brackets(bytes: &[u8]) -> Result<usize, usize> {
    match run(bytes, 1, ADDRESS) {
        end if end > 1 && bytes.get(end) == Some(&b']') => Ok(end + 1),
        end => Err(end),
    }
}

/// `[A-Za-z0-9] | [A-Za-z0-9][A-Za-z0-9-]*[A-Za-z0-9]`, joined by dots.
fn labels(bytes: &[u8]) -> Result<usize, usize> {
    let mut from = 0;
    loop {
        let end = run(bytes, from, LABEL);
        let label = bytes.get(from..end).unwrap_or_default();
        match (label.first(), label.last()) {
            (None | Some(b'-'), _) => return Err(from),
            (_, Some(b'-')) => return Err(end),
            _ if bytes.get(end) == Some(&b'.') => from = end + 1,
            _ => return Ok(end),
        }
    }
}

/// `a-z0-9`
pub(crate) const LOWER: u8 = 1;
/// What an encoded digest has: `a-zA-Z0-9=_-`
pub(crate) const ENCODED: u8 = 2;
/// `0-9a-f`
pub(crate) const HEX: u8 = 4;
const DIGIT: u8 = 8;
/// `A-Za-z0-9-`
const LABEL: u8 = 16;
/// `A-Za-z0-9_.-`
const TAG: u8 = 32;
/// `0-9a-fA-F:`
const ADDRESS: u8 = 64;
const DASH: u8 = 128;

const CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut rest = classes.as_mut_slice();
    let mut byte: u8 = 0;
    while let Some((class, after)) = rest.split_first_mut() {
        *class = classes_of(byte);
        byte = byte.wrapping_add(1);
        rest = after;
    }
    classes
};

const fn classes_of(byte: u8) -> u8 {
    let every_letter = ENCODED | LABEL | TAG;
    match byte {
        b'0'..=b'9' => LOWER | HEX | DIGIT | ADDRESS | every_letter,
        b'a'..=b'f' => LOWER | HEX | ADDRESS | every_letter,
        b'g'..=b'z' => LOWER | every_letter,
        b'A'..=b'F' => ADDRESS | every_letter,
        b'G'..=b'Z' => every_letter,
        b'-' => DASH | every_letter,
        b'_' => ENCODED | TAG,
        b'=' => ENCODED,
        b'.' => TAG,
        b':' => ADDRESS,
        _ => 0,
    }
}
