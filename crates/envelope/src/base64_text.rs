//! base64 as the envelope spells it: one text for each sequence of bytes (RFC 4648 §3.5).

use alloc::string::String;
use alloc::vec::Vec;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Appends RFC 4648 §4 base64, padded.
pub(crate) fn append_standard(bytes: &[u8], text: &mut String) {
    STANDARD.encode_string(bytes, text);
}

/// Reads RFC 4648 §4 base64, padded and canonical, into `bytes`, which is emptied first.
pub(crate) fn read_standard(text: &str, bytes: &mut Vec<u8>) -> Result<(), NotBase64> {
    bytes.clear();
    STANDARD.decode_vec(text, bytes).map_err(|_| NotBase64)
}

/// The text is not base64 in its one canonical spelling.
#[derive(Debug)]
pub(crate) struct NotBase64;
