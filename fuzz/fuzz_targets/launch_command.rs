//! Arbitrary text as a command line: reading never panics, the image is an argument of its own and the same
//! to every policy, and nothing behind it or before it makes it another.
//!
//! The input is the arguments, each on its line.

#![no_main]

use gangplank_allowlist::{Allowlist, ImageDigest, Launch, OptionPolicy};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &str| {
    let arguments: Vec<&str> = input.split('\n').collect();
    let strict = Launch::parse(&arguments, OptionPolicy::Strict);
    let last = Launch::parse_exec_cmd(&arguments, OptionPolicy::Compat);
    let Ok(launch) = Launch::parse(&arguments, OptionPolicy::Compat) else {
        assert!(strict.is_err() && last.is_err());
        return;
    };
    assert!(strict.is_err() || strict == Ok(launch));
    let at = launch.image_at();
    assert_eq!(launch.image().to_string(), arguments[at]);
    let is_last = at + 1 == arguments.len() && !arguments[0].contains('/');
    assert_eq!(last.ok(), is_last.then_some(launch));
    let verb = arguments[..at]
        .iter()
        .position(|argument| ["run", "create"].contains(argument));
    assert!(verb.is_some());

    // The same arguments and others behind them; without the image, there is another one or none.
    let more: Vec<&str> = [&arguments[..=at], &["evil", "--privileged"]].concat();
    assert_eq!(
        Launch::parse(&more, OptionPolicy::Compat).map(|launch| launch.image_at()),
        Ok(at)
    );
    let without = Launch::parse(&arguments[..at], OptionPolicy::Compat);
    assert!(without.is_err());

    let list = [*launch.image().digest()];
    let permitted = launch
        .permit(&Allowlist::new(&list))
        .expect("a listed image");
    assert_eq!(permitted.arguments(), arguments);
    let other = [ImageDigest::from_bytes([0x5a; 32])];
    if other != list {
        assert!(launch.permit(&Allowlist::new(&other)).is_err());
    }
});
