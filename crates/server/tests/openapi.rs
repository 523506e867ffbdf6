//! `docs/openapi.yaml` against the routers, in both directions.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod common;

use std::collections::BTreeSet;

use common::{World, request};
use gangplank_testkit::workspace_root;
use http::{Method, StatusCode};

/// One documented operation.
struct Operation {
    path: String,
    method: Method,
    listeners: Vec<String>,
}

/// Reads the few lines that matter: paths at two blanks, methods at four, tags at six.
fn documented() -> Vec<Operation> {
    let text = std::fs::read_to_string(workspace_root().join("docs/openapi.yaml")).unwrap();
    let mut operations: Vec<Operation> = Vec::new();
    let mut path = String::new();
    let mut method = None;
    for line in text.lines() {
        let key = line.trim().trim_end_matches(':');
        if line.starts_with("  /") {
            path = key.to_owned();
        } else if line.starts_with("    ") && ["get", "post", "put", "delete"].contains(&key) {
            method = Some(key.to_uppercase().parse::<Method>().unwrap());
        } else if let Some(tags) = line.trim().strip_prefix("tags: [") {
            let listeners = tags
                .trim_end_matches(']')
                .split(", ")
                .map(str::to_owned)
                .collect();
            let method = method.take().expect("tags follow a method");
            operations.push(Operation {
                path: path.clone(),
                method,
                listeners,
            });
        }
    }
    operations
}

/// The document's placeholders, filled so that a route and not an id is what is missing.
fn filled(path: &str) -> String {
    let path = path
        .replace("{deviceId}", "d-aaaaaaaaaaaaaaaaaaaaaaaaaa")
        .replace("{deploymentId}", "a3e2f5dc-912e-494f-8395-52cf3769bc06")
        .replace("{tenantId}", "plant-7")
        .replace("{repository}", "d-aaaaaaaaaaaaaaaaaaaaaaaaaa.git")
        .replace("{name}", "not-found");
    match path.strip_suffix("/info/refs") {
        Some(_) => format!("{path}?service=git-upload-pack"),
        None => path,
    }
}

#[tokio::test]
async fn each_documented_operation_is_routed_where_it_says_and_nowhere_else() {
    let world = World::new().await;
    let operations = documented();
    for operation in &operations {
        for (listener, router) in [("public", &world.public), ("admin", &world.admin)] {
            let request = request(operation.method.clone(), &filled(&operation.path), &[], b"");
            let status = world.send(router, request).await.status;
            let routed = !matches!(
                status,
                StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED
            );
            let health = ["/livez", "/readyz"].contains(&operation.path.as_str());
            let expected = health || operation.listeners.iter().any(|tag| tag == listener);
            assert_eq!(
                routed, expected,
                "{} {} on {listener}: {status}",
                operation.method, operation.path
            );
            // The second of the document's servers.
            let below = format!("/tenant/plant-7{}", filled(&operation.path));
            let request = common::request(operation.method.clone(), &below, &[], b"");
            let below = world.send(router, request).await.status;
            let expected = match listener {
                "public" => status,
                _ => StatusCode::NOT_FOUND,
            };
            assert_eq!(below, expected, "{} below a tenant", operation.path);
        }
    }
    println!(
        "openapi: {} operations, each on its listener",
        operations.len()
    );
    assert!(operations.len() >= 26);
}

#[tokio::test]
async fn methods_that_are_not_documented_are_not_allowed() {
    let world = World::new().await;
    let operations = documented();
    let paths: BTreeSet<&str> = operations
        .iter()
        .map(|operation| operation.path.as_str())
        .collect();
    for path in paths {
        let known: Vec<&Operation> = operations
            .iter()
            .filter(|operation| operation.path == path)
            .collect();
        let router = match known
            .iter()
            .any(|operation| operation.listeners[0] == "public")
        {
            true => &world.public,
            false => &world.admin,
        };
        for method in [
            Method::GET,
            Method::POST,
            Method::PUT,
            Method::DELETE,
            Method::PATCH,
        ] {
            if known.iter().all(|operation| operation.method != method) {
                let status = world
                    .send(router, request(method.clone(), &filled(path), &[], b""))
                    .await
                    .status;
                assert!(
                    matches!(
                        status,
                        StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_FOUND
                    ),
                    "{method} {path}: {status}"
                );
            }
        }
    }
}

/// A router cannot be asked for its routes, so its source is.
#[test]
fn every_route_in_the_source_is_documented() {
    let source = workspace_root().join("crates/server/src/api");
    let text = ["../api.rs", "admin.rs", "health.rs"]
        .map(|file| std::fs::read_to_string(source.join(file)).unwrap())
        .concat();
    let documented: BTreeSet<String> = documented()
        .into_iter()
        .map(|operation| {
            operation
                .path
                .replace("deviceId", "device_id")
                .replace("deploymentId", "deployment_id")
                .replace("tenantId", "tenant_id")
        })
        .collect();
    let mut routes = 0;
    for rest in text.split(".route(").skip(1) {
        let rest = rest.trim_start();
        let path = match rest.strip_prefix('"') {
            Some(literal) => literal.split('"').next().unwrap(),
            None if rest.starts_with("v2024::certificate::PATH") => "/onboarding/certificate",
            None if rest.starts_with("v2024::onboarding::PATH") => "/onboarding/",
            None if rest.starts_with("v2024::TOKEN_PATH") => "/oauth2/token",
            None => panic!("an unknown constant: {}", rest.get(..40).unwrap_or(rest)),
        };
        routes += 1;
        let git = path == "/git/{*rest}";
        assert!(git || documented.contains(path), "{path} is not documented");
    }
    assert!(routes >= 20, "only {routes} routes were found");
}
