//! Preparation of text for comparison, RFC 4518 §2.

use alloc::string::String;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::tables::{FOLDED_BY_ADDING, FOLDED_TO_TEXT, UNASSIGNED};

/// The text that all texts have in common which compare as equal.
///
/// Nothing for a text with a character that is prohibited or that Unicode 3.2 does not assign: what
/// those compare as, that standard does not say.
pub(super) fn prepare(text: &str) -> Option<String> {
    match text.is_ascii() {
        true => Some(prepare_ascii(text)),
        false => prepare_any(text),
    }
}

/// What [`prepare_any`] does, for the characters that almost all names are of, at a fifth of its cost.
fn prepare_ascii(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut pending = false;
    for byte in text.bytes() {
        match byte {
            b' ' | 0x09..=0x0d => pending = !out.is_empty(),
            0x00..=0x1f | 0x7f => {}
            _ => {
                if pending {
                    out.push(' ');
                    pending = false;
                }
                out.push(char::from(byte.to_ascii_lowercase()));
            }
        }
    }
    out
}

fn prepare_any(text: &str) -> Option<String> {
    let mut folded = String::with_capacity(text.len());
    for character in text.chars() {
        match map(character) {
            Mapped::Nothing => {}
            Mapped::Space => folded.push(' '),
            Mapped::Itself if is_prohibited(character) => return None,
            Mapped::Itself => fold_case(character, &mut folded),
        }
    }
    // ASCII is in every normal form.
    if !folded.is_ascii() {
        folded = folded.nfkc().collect();
    }
    Some(without_insignificant_spaces(&folded))
}

enum Mapped {
    Nothing,
    Space,
    Itself,
}

/// RFC 4518 §2.2.
fn map(character: char) -> Mapped {
    match character {
        '\u{9}'..='\u{d}' | '\u{85}' => Mapped::Space,
        // Control characters.
        '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{9f}' => Mapped::Nothing,
        // Soft hyphens, the grapheme joiner, variation selectors, the object replacement character
        // and the zero width space.
        '\u{ad}' | '\u{1806}' | '\u{34f}' | '\u{180b}'..='\u{180d}' | '\u{fe00}'..='\u{fe0f}' => {
            Mapped::Nothing
        }
        '\u{fffc}' | '\u{200b}' => Mapped::Nothing,
        // Characters with a control function.
        '\u{6dd}' | '\u{70f}' | '\u{180e}' | '\u{200c}'..='\u{200f}' => Mapped::Nothing,
        '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2063}' => Mapped::Nothing,
        '\u{206a}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' => Mapped::Nothing,
        '\u{1d173}'..='\u{1d17a}' | '\u{e0001}' | '\u{e0020}'..='\u{e007f}' => Mapped::Nothing,
        // Separators.
        ' ' | '\u{a0}' | '\u{1680}' | '\u{2000}'..='\u{200a}' => Mapped::Space,
        '\u{2028}' | '\u{2029}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => Mapped::Space,
        _ => Mapped::Itself,
    }
}

/// RFC 4518 §2.4, asked before normalisation.
///
/// That is the same: private characters, non-characters and U+FFFD come from no other, and what is
/// unassigned must not be normalised by the rules of a later Unicode. Of table C.8, the characters
/// that are left after mapping do not outlive normalisation.
fn is_prohibited(character: char) -> bool {
    if character.is_ascii() {
        return false;
    }
    let code = u32::from(character);
    let private = matches!(
        character,
        '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..='\u{ffffd}' | '\u{100000}'..='\u{10fffd}'
    );
    let none = matches!(character, '\u{fdd0}'..='\u{fdef}') || code & 0xfffe == 0xfffe;
    private || none || character == '\u{fffd}' || is_unassigned(code)
}

fn is_unassigned(code: u32) -> bool {
    let after = UNASSIGNED.partition_point(|(first, _)| *first <= code);
    let run = after.checked_sub(1).and_then(|at| UNASSIGNED.get(at));
    run.is_some_and(|(_, last)| code <= *last)
}

/// RFC 3454, table B.2.
fn fold_case(character: char, out: &mut String) {
    if character.is_ascii() {
        return out.push(character.to_ascii_lowercase());
    }
    let code = u32::from(character);
    if let Ok(at) = FOLDED_TO_TEXT.binary_search_by_key(&code, |(from, _)| *from) {
        return out.push_str(FOLDED_TO_TEXT.get(at).map_or("", |(_, text)| text));
    }
    let after = FOLDED_BY_ADDING.partition_point(|(first, ..)| *first <= code);
    let run = after.checked_sub(1).and_then(|at| FOLDED_BY_ADDING.get(at));
    let folded = run
        .filter(|(first, last, step, _)| code <= *last && (code - first) % step == 0)
        .and_then(|(.., add)| code.checked_add_signed(*add))
        .and_then(char::from_u32);
    out.push(folded.unwrap_or(character));
}

/// RFC 4518 §2.6.1, with nothing where it adds a space at both ends and doubles those inside.
///
/// A space that a combining mark stands on is none.
fn without_insignificant_spaces(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut pending = false;
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let carries_mark = characters
            .peek()
            .is_some_and(|next| is_combining_mark(*next));
        if character == ' ' && !carries_mark {
            pending = !out.is_empty();
            continue;
        }
        if pending {
            out.push(' ');
            pending = false;
        }
        out.push(character);
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn ascii_is_prepared_as_all_else_is(text in "[\\x00-\\x7f]{0,24}") {
            prop_assert_eq!(Some(prepare_ascii(&text)), prepare_any(&text));
        }
    }

    #[test]
    fn tables_are_those_that_another_crate_took_from_the_rfc() {
        use stringprep::tables;
        for character in '\0'..=char::MAX {
            let mut folded = String::new();
            fold_case(character, &mut folded);
            let theirs: String = tables::case_fold_for_nfkc(character).collect();
            assert_eq!(folded, theirs, "{character:?}");
            let code = u32::from(character);
            let unassigned = tables::unassigned_code_point(character);
            assert_eq!(is_unassigned(code), unassigned, "{character:?}");
            match map(character) {
                Mapped::Space => assert!(tables::x520_mapped_to_space(character), "{code:x}"),
                Mapped::Itself => {
                    assert!(!tables::x520_mapped_to_nothing(character), "{code:x}");
                    assert!(!tables::x520_mapped_to_space(character), "{code:x}");
                    let theirs = tables::private_use(character)
                        || tables::non_character_code_point(character)
                        || tables::inappropriate_for_plain_text(character)
                            && character == '\u{fffd}';
                    assert_eq!(is_prohibited(character), theirs || unassigned, "{code:x}");
                }
                Mapped::Nothing => {}
            }
        }
    }

    /// What Unicode 3.2 decided about a character is what the crate of today does.
    #[test]
    fn normalisation_is_that_of_unicode_3_2_in_python() {
        let script = "import sys, unicodedata\n\
            u = unicodedata.ucd_3_2_0\n\
            for code in range(0x110000):\n    \
                c = chr(code)\n    \
                if u.category(c) not in ('Cn', 'Cs', 'Co'):\n        \
                    sys.stdout.write('%x %s\\n' % (code, u.normalize('NFKC', c).encode().hex()))\n";
        let Some(output) = gangplank_testkit::python(script, b"") else {
            return;
        };
        let mut differing = Vec::new();
        let mut count = 0;
        for line in std::str::from_utf8(&output).unwrap().lines() {
            let (code, theirs) = line.split_once(' ').unwrap();
            let code = u32::from_str_radix(code, 16).unwrap();
            let ours: String = char::from_u32(code).unwrap().nfkc().collect();
            let ours: String = ours.bytes().map(|byte| format!("{byte:02x}")).collect();
            count += 1;
            if ours != theirs {
                differing.push(code);
            }
        }
        assert!(count > 90_000, "{count}");
        assert_eq!(differing, CORRECTED);
    }

    /// Unicode Corrigendum #4, made after 3.2: characters for Chinese that pointed at a wrong one.
    const CORRECTED: [u32; 5] = [0x2_f868, 0x2_f874, 0x2_f91f, 0x2_f95f, 0x2_f9bf];

    #[test]
    fn texts_that_read_alike_are_prepared_alike() {
        for (text, prepared) in [
            ("", ""),
            ("   ", ""),
            ("\t Pump \u{a0} 7\u{3000}", "pump 7"),
            ("PU\u{ad}MP\u{0}", "pump"),
            ("e\u{301}", "\u{e9}"),
            ("\u{c9}", "\u{e9}"),
            ("\u{ff21}\u{2160}", "ai"),
            ("Stra\u{df}e", "strasse"),
            ("\u{3a3}\u{3c2}", "\u{3c3}\u{3c3}"),
            // A space with a mark on it, which is what U+00A8 is, too.
            (" \u{308}a", " \u{308}a"),
            ("\u{a8}a", " \u{308}a"),
        ] {
            assert_eq!(prepare(text).as_deref(), Some(prepared), "{text:?}");
        }
        for text in [
            "\u{1f600}",
            "a\u{e000}",
            "\u{fffd}",
            "\u{221}",
            "\u{fdd0}x",
            "\u{10ffff}",
        ] {
            assert_eq!(prepare(text), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn prepared_text_is_prepared(text in ".{0,40}") {
            if let Some(once) = prepare(&text) {
                prop_assert_eq!(prepare(&once), Some(once));
            }
        }

        #[test]
        fn letter_case_and_blanks_do_not_count(text in "[ a-zA-Z0-9]{0,40}") {
            let words: Vec<&str> = text.split_ascii_whitespace().collect();
            prop_assert_eq!(prepare(&text).unwrap(), words.join(" ").to_ascii_lowercase());
        }
    }
}
