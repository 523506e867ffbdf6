//! base64 as the envelope spells it: one text for each sequence of bytes (RFC 4648 §3.5).

use alloc::string::String;
use alloc::vec::Vec;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

/// Appends RFC 4648 §4 base64, padded.
pub(crate) fn append_standard(bytes: &[u8], text: &mut String) {
    STANDARD.encode_string(bytes, text);
}

/// Reads RFC 4648 §4 base64, padded and canonical, into `bytes`, which is emptied first.
pub(crate) fn read_standard(text: &str, bytes: &mut Vec<u8>) -> Result<(), NotBase64> {
    bytes.clear();
    STANDARD.decode_vec(text, bytes).map_err(|_| NotBase64)
}

/// RFC 4648 §5 base64url without padding.
pub(crate) fn url_safe(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Reads RFC 4648 §5 base64url without padding, canonical.
pub(crate) fn read_url_safe(text: &str) -> Result<Vec<u8>, NotBase64> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| NotBase64)
}

/// The text is not base64 in its one canonical spelling.
#[derive(Debug)]
pub(crate) struct NotBase64;
