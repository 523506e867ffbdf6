//! `GET /onboarding/certificate`: the root certificate, which the device believes only if it
//! matches what it was given out of band.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use gangplank_onboarding::v2024::certificate::RootCertificate;
use http::header::{CONTENT_TYPE, HeaderValue};

use crate::server::Server;

pub(super) async fn get(State(server): State<Server>) -> Response {
    let root = RootCertificate {
        certificate: server.shared.authority.root_certificate().clone(),
    };
    (
        [(CONTENT_TYPE, HeaderValue::from_static("application/json"))],
        root.encode(),
    )
        .into_response()
}
