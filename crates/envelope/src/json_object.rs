//! What a plain payload has to be: one JSON object, told from everything else that a key signs.

use alloc::vec::Vec;

/// Whether the bytes are one whole, well-formed JSON object (RFC 8259).
///
/// Nothing else that the same key signs begins like one: a signing input begins with FF, an HTTP
/// signature base with a quotation mark, a JWT with a letter, DER with 30, a TLS transcript with
/// blanks.
pub(crate) fn is_json_object(bytes: &[u8]) -> bool {
    let mut text = Text(bytes);
    core::str::from_utf8(bytes).is_ok()
        && text.peek() == Some(b'{')
        && text.value().is_some()
        && text.peek().is_none()
}

/// What has not been read yet. Each method reads one thing, or gives `None` if it is not there.
struct Text<'t>(&'t [u8]);

impl Text<'_> {
    /// A value, however deep: the brackets still to come are kept here, not on the stack.
    fn value(&mut self) -> Option<()> {
        let mut brackets = Vec::new();
        loop {
            match self.peek()? {
                b'{' => {
                    self.take(b'{')?;
                    brackets.push(b'}');
                    if self.peek()? != b'}' {
                        self.name()?;
                        continue;
                    }
                }
                b'[' => {
                    self.take(b'[')?;
                    brackets.push(b']');
                    if self.peek()? != b']' {
                        continue;
                    }
                }
                b'"' => self.string()?,
                b't' => self.word(b"true")?,
                b'f' => self.word(b"false")?,
                b'n' => self.word(b"null")?,
                _ => self.number()?,
            }
            if !self.another(&mut brackets)? {
                return Some(());
            }
        }
    }

    /// What stands after a value: all brackets that close, and whether another value comes.
    fn another(&mut self, brackets: &mut Vec<u8>) -> Option<bool> {
        while let Some(bracket) = brackets.last() {
            if self.peek()? == b',' {
                self.take(b',')?;
                if *bracket == b'}' {
                    self.name()?;
                }
                return Some(true);
            }
            self.take(*bracket)?;
            brackets.pop();
        }
        Some(false)
    }

    /// A member's name and the colon after it.
    fn name(&mut self) -> Option<()> {
        self.peek()?;
        self.string()?;
        self.peek()?;
        self.take(b':')
    }

    fn string(&mut self) -> Option<()> {
        self.take(b'"')?;
        self.pass_over()?;
        loop {
            match self.any()? {
                b'"' => return Some(()),
                b'\\' => {
                    self.escape()?;
                    self.pass_over()?;
                }
                ..b' ' => return None,
                _ => {}
            }
        }
    }

    /// What stands after a backslash.
    fn escape(&mut self) -> Option<()> {
        match self.any()? {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(()),
            b'u' => (0..4).try_for_each(|_| self.any()?.is_ascii_hexdigit().then_some(())),
            _ => None,
        }
    }

    /// Passes over the bytes of a string that mean themselves, sixteen at a time.
    fn pass_over(&mut self) -> Option<()> {
        let means_itself = |byte: &u8| *byte >= b' ' && *byte != b'"' && *byte != b'\\';
        let (chunks, _) = self.0.as_chunks::<16>();
        // Without an early end, so that the compiler looks at all sixteen at once.
        let all = |chunk: &&[u8; 16]| chunk.iter().fold(true, |all, b| all & means_itself(b));
        let passed = 16 * chunks.iter().take_while(all).count();
        self.0 = self.0.get(passed..)?;
        Some(())
    }

    /// RFC 8259 §6: no leading zero, and a digit on both sides of the point.
    fn number(&mut self) -> Option<()> {
        let _ = self.take(b'-');
        if self.take(b'0').is_none() {
            self.digits()?;
        }
        if self.take(b'.').is_some() {
            self.digits()?;
        }
        if self.take(b'e').or_else(|| self.take(b'E')).is_some() {
            let _ = self.take(b'+').or_else(|| self.take(b'-'));
            self.digits()?;
        }
        Some(())
    }

    fn digits(&mut self) -> Option<()> {
        let count = self
            .0
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        self.0 = self.0.get(count..)?;
        (count > 0).then_some(())
    }

    fn word(&mut self, word: &[u8]) -> Option<()> {
        self.0 = self.0.strip_prefix(word)?;
        Some(())
    }

    fn take(&mut self, byte: u8) -> Option<()> {
        self.word(&[byte])
    }

    fn any(&mut self) -> Option<u8> {
        let (byte, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*byte)
    }

    /// The next byte that is no white space, which stays there.
    fn peek(&mut self) -> Option<u8> {
        while let Some((b' ' | b'\t' | b'\n' | b'\r', rest)) = self.0.split_first() {
            self.0 = rest;
        }
        self.0.first().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gangplank_testkit::suite;
    use proptest::prelude::*;

    /// What another reader says, which also takes values that are no objects.
    fn is_object_to_serde(bytes: &[u8]) -> bool {
        let begins = bytes.iter().find(|byte| !b" \t\n\r".contains(byte));
        begins == Some(&b'{') && serde_json::from_slice::<serde::de::IgnoredAny>(bytes).is_ok()
    }

    #[test]
    fn the_suite_is_judged_as_by_serde() {
        let Some(folder) = suite("json/JSONTestSuite/test_parsing") else {
            return;
        };
        let (mut objects, mut others) = (0, 0);
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let bytes = std::fs::read(&path).unwrap();
            // Most of the suite's texts are arrays, so each is also tried as a member.
            for text in [[b"{\"a\":", bytes.as_slice(), b"}"].concat(), bytes] {
                let is_object = is_json_object(&text);
                let is_utf_8 = core::str::from_utf8(&text).is_ok();
                assert_eq!(is_object, is_utf_8 && is_object_to_serde(&text), "{name}");
                *(if is_object { &mut objects } else { &mut others }) += 1;
            }
        }
        println!(
            "JSONTestSuite: {} run, {objects} objects, 0 excepted",
            objects + others
        );
        assert!(objects >= 90 && others >= 400, "{objects}, {others}");
    }

    /// Strings are looked at sixteen bytes at a time.
    #[test]
    fn sixteen_alike_are_judged_as_one() {
        for byte in 0..=u8::MAX {
            for count in [15, 16, 17, 32] {
                let text = [b"{\"", alloc::vec![byte; count].as_slice(), b"\":1}"].concat();
                let shown = text.escape_ascii();
                // serde_json does not look at what it passes over; this is no UTF-8.
                let expected = byte.is_ascii() && is_object_to_serde(&text);
                assert_eq!(is_json_object(&text), expected, "{shown}");
            }
        }
    }

    #[test]
    fn depth_costs_no_stack() {
        let deep = |depth: usize| {
            [
                b"{\"a\":".as_slice(),
                &b"[".repeat(depth),
                &b"]".repeat(depth),
                b"}",
            ]
            .concat()
        };
        assert!(is_json_object(&deep(1_000_000)));
        assert!(!is_json_object(&deep(1_000_000)[..1_000_100]));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        #[test]
        fn any_text_is_judged_as_by_serde(
            text in "\\{?(\"a\"|\"a\":|[{}\\[\\],:]|[-+.eE019]| |\n|true|fals|null|\"\\\\[u\"n]00|\"\u{1}\"|é){0,12}\\}?"
        ) {
            prop_assert_eq!(is_json_object(text.as_bytes()), is_object_to_serde(text.as_bytes()));
        }

        #[test]
        fn any_string_is_judged_as_by_serde(
            text in "[a-z]{0,40}[\\\\\"\u{1}é]?[a-z0\"]{0,40}"
        ) {
            let text = format!("{{\"a\":\"{text}\"}}");
            prop_assert_eq!(is_json_object(text.as_bytes()), is_object_to_serde(text.as_bytes()));
        }
    }
}
