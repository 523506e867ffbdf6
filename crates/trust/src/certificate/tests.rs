use std::sync::LazyLock;

use der::Encode;
use gangplank_testkit::{Leaf, TestCa};
use proptest::prelude::*;
use x509_cert::Certificate as Values;

use super::*;

static LEAF: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let leaf = Leaf::new("press-7").dns_name("press-7.example");
    TestCa::new("Root").issue(&leaf).certificate.to_vec()
});

/// Holds what is read in place to the values that `x509-cert` makes.
fn assert_same(read: &Certificate<'_>, values: &Values) {
    let tbs = values.tbs_certificate();
    assert_eq!(read.version as u8, tbs.version() as u8);
    assert_eq!(read.serial, tbs.serial_number().as_bytes());
    assert_eq!(read.issuer, tbs.issuer().to_der().unwrap());
    assert_eq!(read.subject, tbs.subject().to_der().unwrap());
    let key = tbs.subject_public_key_info().to_der().unwrap();
    assert_eq!(read.spki, key);
    let seconds = |time: &Time| UnixTime::since_unix_epoch(time.to_unix_duration());
    assert_eq!(
        read.validity.not_before,
        seconds(&tbs.validity().not_before)
    );
    assert_eq!(read.validity.not_after, seconds(&tbs.validity().not_after));
    let extensions = tbs.extensions().into_iter().flatten();
    let theirs: Vec<_> = extensions
        .map(|found| {
            (
                found.extn_id,
                found.critical,
                found.extn_value.as_bytes().to_vec(),
            )
        })
        .collect();
    let ours = read.extensions.iter();
    let ours: Vec<_> = ours
        .map(|found| (found.id, found.critical, found.value.to_vec()))
        .collect();
    assert_eq!(ours, theirs);
}

#[test]
fn the_fields_are_those_that_x509_cert_reads() {
    let leaf = LEAF.as_slice();
    assert_same(
        &Certificate::read(leaf).unwrap(),
        &Values::from_der(leaf).unwrap(),
    );
}

/// Every single byte changed to every value: what either of both refuses and the other takes, is known.
#[test]
fn a_changed_byte_is_read_as_x509_cert_reads_it() {
    let (mut both, mut laxer) = (0, 0);
    for at in 0..LEAF.len() {
        for value in 0..=255 {
            let mut changed = LEAF.clone();
            changed[at] = value;
            match (Certificate::read(&changed), Values::from_der(&changed)) {
                (Some(read), Ok(values)) => {
                    assert_same(&read, &values);
                    both += 1;
                }
                (Some(read), Err(_)) => {
                    assert!(
                        is_left_open(&read, &changed, at),
                        "byte {at} as {value:#04x}"
                    );
                    laxer += 1;
                }
                (None, _) => {}
            }
        }
    }
    assert!(both > 10_000, "{both}");
    assert!(laxer < both / 4, "{laxer} of {both}");
}

/// The inside of names and keys is left to who uses them, and `x509-cert` has no times before 1970.
fn is_left_open(read: &Certificate<'_>, der: &[u8], at: usize) -> bool {
    let place = |field: &[u8]| {
        let begin = field.as_ptr().addr() - der.as_ptr().addr();
        begin..begin + field.len()
    };
    let mut inside = [read.issuer, read.subject, read.spki].into_iter();
    let epoch = UnixTime::since_unix_epoch(core::time::Duration::ZERO);
    inside.any(|field| place(field).contains(&at))
        || read.validity.not_before == epoch
        || read.validity.not_after == epoch
}

#[test]
fn a_certificate_with_too_many_extensions_is_not_read() {
    let with = |count: u8| {
        let leaf = Leaf::new("press-7");
        let more = (0..count).fold(leaf, |leaf, at| {
            leaf.extension(&[1, 3, 6, 1, 4, 1, 32473, at.into()], false, vec![5, 0])
        });
        TestCa::new("Root").issue(&more).certificate
    };
    let few = with(1);
    let own = Certificate::read(&few).unwrap().extensions.len() - 1;
    let room = u8::try_from(MAX_EXTENSIONS - own).unwrap();
    assert!(Certificate::read(&with(room)).is_some());
    assert!(Certificate::read(&with(room + 1)).is_none());
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = Certificate::read(&bytes);
    }
}
