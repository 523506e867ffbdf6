//! Bounds on a request and headers on an answer, as layers around a router.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::middleware::{Next, from_fn, map_response};
use axum::response::{IntoResponse, Response};
use gangplank_onboarding::{Problem, ProblemName};
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue, REFERRER_POLICY,
    RETRY_AFTER, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, StatusCode};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use tokio::time::{Instant, timeout_at};

/// How large a request may be and how long it may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestLimits {
    /// Bytes of the body.
    pub body: usize,
    /// From the end of the headers to the beginning of the answer.
    pub time: Duration,
}

impl Default for RequestLimits {
    /// 1 MiB and 30 seconds.
    fn default() -> Self {
        Self {
            body: 1024 * 1024,
            time: Duration::from_secs(30),
        }
    }
}

/// Why a request was refused before, or instead of, its handler's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RequestRefused {
    /// The body is larger than allowed: status 413.
    #[error("the request's body is larger than {limit} bytes")]
    TooLarge {
        /// The largest body allowed, in bytes.
        limit: usize,
    },
    /// The client did not send the whole body in time: status 408.
    #[error("the request's body did not arrive in time")]
    TooSlow,
    /// The body broke off or its framing is wrong: status 400.
    #[error("the request's body could not be read")]
    Unreadable,
    /// The server itself did not answer in time: status 503.
    #[error("the server did not answer in time")]
    Unanswered,
}

impl RequestRefused {
    /// How the refusal reads on the wire.
    pub fn problem(self) -> Problem {
        Problem::new(match self {
            Self::TooLarge { .. } => ProblemName::TooLarge,
            Self::TooSlow => ProblemName::RequestTimeout,
            Self::Unreadable => ProblemName::UnreadableRequest,
            Self::Unanswered => ProblemName::Unavailable,
        })
    }
}

/// Reads each request's body whole, within `limits`, before any handler of `router` runs; a handler
/// then finds it in memory. What keeps outside the limits is answered with the problem of its
/// [`RequestRefused`].
///
/// For messages, not for streams: routes that take Git packs stay outside of it.
pub fn limit_requests(router: Router, limits: RequestLimits) -> Router {
    router.layer(from_fn(move |request: Request, next: Next| async move {
        let answer = bounded(request, next, limits).await;
        answer.unwrap_or_else(|refused| problem_response(&refused.problem()))
    }))
}

/// A problem as an answer, with its status; a 503 says when to come again.
pub(crate) fn problem_response(problem: &Problem) -> Response {
    let status = problem
        .status()
        .and_then(|status| StatusCode::from_u16(status).ok());
    let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let content_type = [(CONTENT_TYPE, Problem::MEDIA_TYPE)];
    let mut response = (status, content_type, problem.encode()).into_response();
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response
            .headers_mut()
            .insert(RETRY_AFTER, UNAVAILABLE_FOR.as_secs().into());
    }
    response
}

/// Adds to each answer what keeps browsers and caches from misusing it, unless the handler set the
/// header itself: `nosniff`, `no-store`, no referrer, and a policy that lets an answer load nothing.
pub fn security_headers(router: Router) -> Router {
    router.layer(map_response(|mut response: Response| async move {
        for (name, value) in SECURITY_HEADERS {
            response
                .headers_mut()
                .entry(name)
                .or_insert(HeaderValue::from_static(value));
        }
        response
    }))
}

async fn bounded(
    request: Request,
    next: Next,
    limits: RequestLimits,
) -> Result<Response, RequestRefused> {
    let deadline = Instant::now() + limits.time;
    let (head, body) = request.into_parts();
    refuse_announced_size(&head.headers, limits.body)?;
    let body = match timeout_at(deadline, Limited::new(body, limits.body).collect()).await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            return Err(RequestRefused::TooLarge { limit: limits.body });
        }
        Ok(Err(_)) => return Err(RequestRefused::Unreadable),
        Err(_) => return Err(RequestRefused::TooSlow),
    };
    let answer = next.run(Request::from_parts(head, Body::from(body)));
    timeout_at(deadline, answer)
        .await
        .map_err(|_| RequestRefused::Unanswered)
}

/// A client that says it will send too much is told so before it does; with `Expect: 100-continue`
/// it then never sends it.
fn refuse_announced_size(headers: &HeaderMap, limit: usize) -> Result<(), RequestRefused> {
    let announced = headers
        .get(http::header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.parse::<u64>().ok());
    match announced.map(usize::try_from) {
        Some(Ok(length)) if length <= limit => Ok(()),
        None => Ok(()),
        Some(_) => Err(RequestRefused::TooLarge { limit }),
    }
}

/// A full disk, a busy database or too many git processes do not mend in less.
const UNAVAILABLE_FOR: Duration = Duration::from_secs(10);

const SECURITY_HEADERS: [(HeaderName, &str); 4] = [
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (CACHE_CONTROL, "no-store"),
    (REFERRER_POLICY, "no-referrer"),
    (
        CONTENT_SECURITY_POLICY,
        "default-src 'none'; frame-ancestors 'none'",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use axum::routing::post;
    use bytes::Bytes;
    use tower::ServiceExt;

    fn router() -> Router {
        let echo = Router::new()
            .route("/", post(|body: Bytes| async { body }))
            .route("/never", post(core::future::pending::<()>));
        let limits = RequestLimits {
            body: 8,
            ..RequestLimits::default()
        };
        security_headers(limit_requests(echo, limits))
    }

    async fn status(path: &str, body: Body, length: Option<&str>) -> StatusCode {
        let mut request = Request::post(path).body(body).unwrap();
        if let Some(length) = length {
            request
                .headers_mut()
                .insert("content-length", length.parse().unwrap());
        }
        let response = router().oneshot(request).await.unwrap();
        if response.status() != StatusCode::OK {
            assert_eq!(response.headers()[CONTENT_TYPE], "application/problem+json");
        }
        response.status()
    }

    fn stream(chunks: Vec<Result<&'static str, std::io::Error>>) -> Body {
        Body::from_stream(futures_util::stream::iter(chunks))
    }

    #[tokio::test(start_paused = true)]
    async fn listen_bounds_requests() {
        for (body, length, expected) in [
            (Body::from("12345678"), None, StatusCode::OK),
            (Body::from("123456789"), None, StatusCode::PAYLOAD_TOO_LARGE),
            (
                stream(vec![Ok("12345"), Ok("6789")]),
                None,
                StatusCode::PAYLOAD_TOO_LARGE,
            ),
            (Body::from("1"), Some("9"), StatusCode::PAYLOAD_TOO_LARGE),
            (
                stream(vec![
                    Ok("1"),
                    Err(std::io::ErrorKind::ConnectionReset.into()),
                ]),
                None,
                StatusCode::BAD_REQUEST,
            ),
            (
                Body::from_stream(futures_util::stream::pending::<Result<Bytes, axum::Error>>()),
                None,
                StatusCode::REQUEST_TIMEOUT,
            ),
        ] {
            assert_eq!(status("/", body, length).await, expected);
        }
        let unanswered = status("/never", Body::empty(), None).await;
        assert_eq!(unanswered, StatusCode::SERVICE_UNAVAILABLE);
    }

    #[tokio::test]
    async fn listen_adds_security_headers_but_keeps_the_handlers_own() {
        let own = || async { [(CACHE_CONTROL, "max-age=60")] };
        let router = security_headers(Router::new().route("/", post(own)));
        let request = Request::post("/").body(Body::empty()).unwrap();
        let response = router.oneshot(request).await.unwrap();
        assert_eq!(response.headers()[CACHE_CONTROL], "max-age=60");
        assert_eq!(response.headers()[X_CONTENT_TYPE_OPTIONS], "nosniff");
    }
}
