use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use cryptoki::types::AuthPin;
use gangplank_key::Zeroizing;

use super::Pkcs11Error;

/// A token's user PIN. It is wiped when dropped and never shown.
#[derive(Clone)]
pub struct Pin(Zeroizing<String>);

impl Pin {
    /// A PIN from wherever the caller has it.
    pub fn new(text: Zeroizing<String>) -> Self {
        Self(text)
    }

    /// The PIN that a file holds: UTF-8, up to a line feed at its end.
    ///
    /// # Errors
    /// [`Pkcs11Error::PinFile`] when it cannot be read, is empty or longer than a PIN can be: such a
    /// text is never tried, since tokens count.
    pub fn from_file(path: &Path) -> Result<Self, Pkcs11Error> {
        read(path).map(Self).map_err(|error| Pkcs11Error::PinFile {
            path: path.to_owned(),
            error,
        })
    }

    /// A copy for one login, wiped as well.
    pub(super) fn expose(&self) -> AuthPin {
        AuthPin::from(self.0.as_str())
    }
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pin(…)")
    }
}

fn read(path: &Path) -> io::Result<Zeroizing<String>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(LONGEST));
    let limit = u64::try_from(LONGEST).unwrap_or(u64::MAX);
    File::open(path)?.take(limit).read_to_end(&mut bytes)?;
    if bytes.len() == LONGEST {
        return Err(io::Error::other("it is longer than a PIN"));
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| io::Error::other("it is not UTF-8"))?;
    let line = text.strip_suffix('\n').unwrap_or(text);
    let line = line.strip_suffix('\r').unwrap_or(line);
    if line.is_empty() {
        return Err(io::Error::other("it is empty"));
    }
    Ok(Zeroizing::new(line.to_owned()))
}

/// One more byte than the longest that is read. Tokens say ulMaxPinLen, at most 255 in all known.
const LONGEST: usize = 257;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_holds_one_line() {
        let folder = gangplank_testkit::temp_dir();
        let path = folder.path().join("pin");
        let read = |contents: &[u8]| {
            std::fs::write(&path, contents).unwrap();
            Pin::from_file(&path).map(|pin| pin.0.to_string()).ok()
        };
        assert_eq!(read(b"1234\n").as_deref(), Some("1234"));
        assert_eq!(read(b"1234\r\n").as_deref(), Some("1234"));
        assert_eq!(read(b" 12 34").as_deref(), Some(" 12 34"));
        assert_eq!(read(&[b'1'; 256]).map(|pin| pin.len()), Some(256));
        for broken in [b"".as_slice(), b"\n", b"\xff", &[b'1'; 257]] {
            assert_eq!(read(broken), None, "{broken:?}");
        }
        assert!(Pin::from_file(&folder.path().join("absent")).is_err());
        let pin = Pin::new(Zeroizing::new("hunter2".to_owned()));
        assert!(!format!("{pin:?}").contains("hunter2"));
    }
}
