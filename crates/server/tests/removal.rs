//! Operators who go away before a removal is answered.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod adapter_support;
mod common;

use std::time::{Duration, Instant};

use adapter_support::Fault;
use common::{TestDevice, World, request};
use gangplank_testkit::temp_dir;
use http::{Method, StatusCode};
use tower::ServiceExt as _;

#[tokio::test]
async fn a_removal_takes_the_repository_along_though_nobody_waits_for_it() {
    for path in ["/admin/devices/", "/admin/tenants/default/devices/"] {
        let fault = Fault::default();
        let world = World::over(temp_dir(), |builder| builder, |store| fault.wrap(store)).await;
        let answer = world.register(&TestDevice::new(1)).await;
        let path = format!("{path}{}", answer.json()["deviceId"].as_str().unwrap());
        let id = path.rsplit('/').next().unwrap();
        let folder = world.folder.path().join("data/git");
        let repository = folder.join(format!("{id}.git"));
        std::fs::create_dir_all(&repository).unwrap();

        ask_and_go_away(&world, &path, &fault).await;
        let begin = Instant::now();
        while repository.exists() {
            assert!(begin.elapsed() < DEADLINE, "{path}: the repository stays");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let removed = std::fs::read_dir(folder.join(".removed")).unwrap();
        assert_eq!(removed.count(), 1);
        let answer = world.operator(Method::GET, &path, "").await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND);
    }
}

/// Drops the request when the device is gone, and nothing else is done yet.
async fn ask_and_go_away(world: &World, path: &str, fault: &Fault) {
    let token = format!("Bearer {}", world.admin_token);
    let headers = [("authorization", token.as_str())];
    let request = request(Method::DELETE, path, &headers, b"");
    fault.hold("change");
    tokio::select! {
        _ = world.admin.clone().oneshot(request) => panic!("it was answered"),
        () = fault.held() => {}
    }
    fault.release();
}

const DEADLINE: Duration = Duration::from_secs(20);
