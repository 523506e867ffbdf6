//! What is taken from a request's headers and body, bounded, before and while `git` runs.

use std::io::Read;

use axum::body::Body;
use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use http::{
    HeaderMap,
    header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE},
};
use http_body_util::{BodyExt, LengthLimitError, Limited};

use super::{backend::BackendError, route::Service};

/// How a body is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    Identity,
    Gzip,
}

/// Checks the headers that describe the body: its type, how it is packed, and its length where given.
pub(super) fn check_headers(
    service: Service,
    headers: &HeaderMap,
    limit: usize,
) -> Result<Encoding, BackendError> {
    let Some(expected) = service.content_type() else {
        return Ok(Encoding::Identity);
    };
    if headers
        .get(CONTENT_TYPE)
        .is_none_or(|value| value != expected)
    {
        return Err(BackendError::UnsupportedMediaType);
    }
    let length = headers
        .get(CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if length.is_some_and(|length| usize::try_from(length).is_ok_and(|length| length > limit)) {
        return Err(BackendError::TooLarge { limit });
    }
    // RFC 9110 §8.4.1.3: x-gzip is gzip.
    match headers
        .get(CONTENT_ENCODING)
        .map(http::HeaderValue::as_bytes)
    {
        None | Some(b"identity") => Ok(Encoding::Identity),
        Some(b"gzip" | b"x-gzip") => Ok(Encoding::Gzip),
        Some(_) => Err(BackendError::UnsupportedMediaType),
    }
}

/// The protocol version asked for in `Git-Protocol`, written anew; `None` asks for the oldest, which all know.
pub(super) fn protocol(headers: &HeaderMap) -> Option<&'static str> {
    let asked = headers.get("git-protocol")?.to_str().ok()?;
    asked.split(':').find_map(|part| match part {
        "version=2" => Some("version=2"),
        "version=1" => Some("version=1"),
        _ => None,
    })
}

/// A whole request of `git fetch`, unpacked.
///
/// `git http-backend` bounds such a request as it comes, not what it unpacks to, and `git upload-pack` keeps every
/// line of it in memory: one mebibyte could ask for a gigabyte. So it is unpacked here, within a bound.
pub(super) async fn whole(
    body: Body,
    encoding: Encoding,
    limit: usize,
) -> Result<Bytes, BackendError> {
    let collected = Limited::new(body, limit)
        .collect()
        .await
        .map_err(|error| broken(&*error, limit))?;
    let packed = collected.to_bytes();
    if encoding == Encoding::Identity {
        return Ok(packed);
    }
    let bound = limit.saturating_mul(MAX_RATIO);
    let mut plain = Vec::new();
    let most = u64::try_from(bound).unwrap_or(u64::MAX).saturating_add(1);
    MultiGzDecoder::new(&*packed)
        .take(most)
        .read_to_end(&mut plain)
        .map_err(|_| BackendError::BrokenBody)?;
    if plain.len() > bound {
        return Err(BackendError::TooLarge { limit });
    }
    Ok(plain.into())
}

/// What went wrong with a [`Limited`] body.
pub(super) fn broken(
    error: &(dyn std::error::Error + Send + Sync + 'static),
    limit: usize,
) -> BackendError {
    if error.is::<LengthLimitError>() {
        BackendError::TooLarge { limit }
    } else {
        BackendError::BrokenBody
    }
}

/// Object ids in hexadecimal pack two to one, and their lines' fixed words further.
const MAX_RATIO: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    /// `printf 0000 | gzip -9n | xxd -p`
    const FLUSH: &[u8] = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\x33\x30\x30\x30\x00\x00\x72\xc4\x9b\x0c\x04\x00\x00\x00";

    fn headers(values: &[(&'static str, &'static str)]) -> HeaderMap {
        values
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect()
    }

    const FETCH: (&str, &str) = ("content-type", "application/x-git-upload-pack-request");

    #[test]
    fn headers_say_how_the_body_is_packed() {
        let check = |extra: &[(&'static str, &'static str)]| {
            check_headers(
                Service::UploadPack,
                &headers(&[&[FETCH], extra].concat()),
                10,
            )
        };
        assert_eq!(check(&[]).unwrap(), Encoding::Identity);
        assert_eq!(
            check(&[("content-encoding", "gzip"), ("content-length", "10")]).unwrap(),
            Encoding::Gzip
        );
        assert_eq!(
            check(&[("content-encoding", "x-gzip")]).unwrap(),
            Encoding::Gzip
        );
        assert!(matches!(
            check(&[("content-encoding", "br")]),
            Err(BackendError::UnsupportedMediaType)
        ));
        assert!(matches!(
            check(&[("content-length", "11")]),
            Err(BackendError::TooLarge { limit: 10 })
        ));
        assert!(check_headers(Service::UploadPack, &headers(&[]), 10).is_err());
        assert!(check_headers(Service::ReceivePack, &headers(&[FETCH]), 10).is_err());
    }

    #[test]
    fn the_protocol_version_is_written_anew() {
        let ask = |value: &'static str| protocol(&headers(&[("git-protocol", value)]));
        assert_eq!(ask("version=2"), Some("version=2"));
        assert_eq!(ask("object-format=sha1:version=1"), Some("version=1"));
        assert_eq!(ask("version=3"), None);
        assert_eq!(ask("version=2\t"), None);
        assert_eq!(protocol(&headers(&[])), None);
    }

    #[tokio::test]
    async fn a_body_is_unpacked_within_bounds() {
        let plain = whole(Body::from(FLUSH), Encoding::Gzip, 64).await.unwrap();
        assert_eq!(&*plain, b"0000");
        assert_eq!(
            &*whole(Body::from("0000"), Encoding::Identity, 4)
                .await
                .unwrap(),
            b"0000"
        );
        let long = whole(Body::from("00000"), Encoding::Identity, 4).await;
        assert!(matches!(long, Err(BackendError::TooLarge { .. })));
        let cut = whole(Body::from(&FLUSH[..20]), Encoding::Gzip, 64).await;
        assert!(matches!(cut, Err(BackendError::BrokenBody)));
    }

    #[tokio::test]
    async fn a_bomb_is_refused() {
        use std::io::Write;
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        packer.write_all(&vec![b'0'; 1 << 20]).unwrap();
        let bomb = packer.finish().unwrap();
        assert!(bomb.len() < 4096);
        let refused = whole(Body::from(bomb), Encoding::Gzip, 4096).await;
        assert!(matches!(
            refused,
            Err(BackendError::TooLarge { limit: 4096 })
        ));
    }
}
