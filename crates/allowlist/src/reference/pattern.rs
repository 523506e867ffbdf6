/// Whether all of `text` fits a shell pattern: `*` and `?` stand for what is no slash, `[a-z]` and
/// `[^a-z]` for a character that is none, and `\` takes a meaning away. A pattern that is none fits nothing.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    let (mut pattern, mut text) = (pattern.as_bytes(), text.as_bytes());
    // What follows the last star, and where in the text it was tried last.
    let mut retry: Option<(&[u8], &[u8])> = None;
    loop {
        if let [b'*', rest @ ..] = pattern {
            retry = Some((rest, text));
            pattern = rest;
            continue;
        }
        match (one(pattern, text), retry) {
            (Some(Step::End), _) => return true,
            (Some(Step::On(rest, after)), _) => (pattern, text) = (rest, after),
            // The star takes one more character; one that came before could take no other.
            (None, Some((after_star, [next, tried @ ..]))) if *next != b'/' => {
                retry = Some((after_star, tried));
                (pattern, text) = (after_star, tried);
            }
            (None, _) => return false,
        }
    }
}

enum Step<'a> {
    End,
    On(&'a [u8], &'a [u8]),
}

fn one<'a>(pattern: &'a [u8], text: &'a [u8]) -> Option<Step<'a>> {
    let [next, after @ ..] = text else {
        return pattern.is_empty().then_some(Step::End);
    };
    let (fits, rest) = match pattern {
        [b'?' | b'[', ..] if *next == b'/' => return None,
        [b'?', rest @ ..] => (true, rest),
        [b'[', b'^', rest @ ..] => class(rest, *next).map(|(fits, rest)| (!fits, rest))?,
        [b'[', rest @ ..] => class(rest, *next)?,
        [b'\\', literal, rest @ ..] | [literal, rest @ ..] => (literal == next, rest),
        [] => return None,
    };
    fits.then_some(Step::On(rest, after))
}

/// Whether a byte is among those up to the bracket, and what follows that.
fn class(mut pattern: &[u8], byte: u8) -> Option<(bool, &[u8])> {
    let (mut fits, mut first) = (false, true);
    loop {
        let (low, high, rest) = match pattern {
            [b']', rest @ ..] if !first => return Some((fits, rest)),
            [low, b'-', high, rest @ ..] if *high != b']' => (low, high, rest),
            [one, rest @ ..] => (one, one, rest),
            [] => return None,
        };
        fits |= (low..=high).contains(&&byte);
        (pattern, first) = (rest, false);
    }
}
