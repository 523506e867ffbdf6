//! `POST /oauth2/token`: client credentials for a bearer token (RFC 6749 §4.4).

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use gangplank_token::{AccessToken, ClientFault, TokenError, TokenResponse, parse_token_request};
use http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue, WWW_AUTHENTICATE};
use http::{HeaderMap, StatusCode};

use super::Refusal;
use crate::random;
use crate::server::Server;
use crate::store::{AuthenticationOutcome, ClientAuthentication};

pub(super) async fn post(
    State(server): State<Server>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let request = match parse_token_request(text(AUTHORIZATION), text(CONTENT_TYPE), &body) {
        Ok(request) => request,
        Err(error) => return Ok(refused(&error)),
    };
    let now = server.now();
    let token = AccessToken::generate(&mut random::system());
    let outcome = server
        .shared
        .store
        .authenticate_client(ClientAuthentication {
            client_id: request.client_id,
            presented: server.shared.storage_key.stored(&request.client_secret),
            access_token: server.shared.storage_key.stored(&token),
            expires_at: server.after(now, server.shared.lifetimes.access_token),
            at: now,
        })
        .await?;
    match outcome {
        AuthenticationOutcome::Issued(device) => {
            tracing::info!(%device, "access token issued");
            let response = TokenResponse {
                access_token: token,
                expires_in: Some(server.shared.lifetimes.access_token),
            };
            Ok(json(StatusCode::OK, response.encode().to_vec()))
        }
        AuthenticationOutcome::InvalidClient => {
            Ok(refused(&TokenError::InvalidClient(ClientFault::Unknown)))
        }
    }
}

fn refused(error: &TokenError) -> Response {
    tracing::info!(reason = %error, "token refused");
    let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::BAD_REQUEST);
    let mut response = json(status, error.encode());
    if let Some(challenge) = error.www_authenticate() {
        response
            .headers_mut()
            .insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
    }
    response
}

fn json(status: StatusCode, body: Vec<u8>) -> Response {
    let content_type = (CONTENT_TYPE, HeaderValue::from_static("application/json"));
    (status, [content_type], body).into_response()
}
