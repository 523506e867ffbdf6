//! Operators who go away before a removal is answered.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod adapter_support;
mod common;

use std::path::PathBuf;
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

#[tokio::test]
async fn a_removal_is_not_answered_while_the_repository_stays() {
    for path in ["/admin/devices/p-1", DEVICE] {
        let world = World::new().await;
        make(&world, StatusCode::CREATED).await;
        let place = Place::of(&world).fill();
        // Where the folder would be made.
        std::fs::write(&place.removed, "").unwrap();
        for again in [false, true] {
            let answer = world.operator(Method::DELETE, path, "").await;
            let status = answer.status;
            assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{path} {again}");
            let shown = world.operator(Method::GET, path, "").await;
            assert_eq!(shown.status, StatusCode::NOT_FOUND);
        }
        make(&world, StatusCode::SERVICE_UNAVAILABLE).await;
        let import = r#"[{"device-id":"p-2"},{"device-id":"p-1"}]"#;
        let answer = world.operator(Method::POST, IMPORT, import).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(place.repository.exists());

        std::fs::remove_file(&place.removed).unwrap();
        let answer = world.operator(Method::DELETE, path, "").await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND);
        assert!(!place.repository.exists());
        assert_eq!(place.graves(), 1);
        make(&world, StatusCode::CREATED).await;
    }
}

#[tokio::test]
async fn no_device_gets_the_repository_that_a_former_one_left() {
    let world = World::new().await;
    make(&world, StatusCode::CREATED).await;
    let place = Place::of(&world).fill();
    // The server ends between the two steps of the removal.
    std::fs::write(&place.removed, "").unwrap();
    world.operator(Method::DELETE, DEVICE, "").await;
    std::fs::remove_file(&place.removed).unwrap();
    let world = World::again(world.end(), |builder| builder).await;
    assert!(place.repository.exists());
    make(&world, StatusCode::CREATED).await;
    assert!(!place.repository.exists());
    assert_eq!(place.graves(), 1);
    let other = Place {
        repository: place.repository.with_file_name("p-2.git"),
        removed: place.removed.clone(),
    };
    let import = r#"[{"device-id":"p-3"},{"device-id":"p-2"}]"#;
    let other = other.fill();
    let answer = world.operator(Method::POST, IMPORT, import).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text());
    assert!(!other.repository.exists());
    assert_eq!(place.graves(), 2);
    // A device that is there keeps its own, whoever wants its id.
    let place = place.fill();
    make(&world, StatusCode::CONFLICT).await;
    assert!(place.repository.exists());
}

const DEVICE: &str = "/admin/tenants/default/devices/p-1";
const IMPORT: &str = "/admin/tenants/default/import";

async fn make(world: &World, expected: StatusCode) {
    let answer = world.operator(Method::POST, DEVICE, "").await;
    assert_eq!(answer.status, expected, "{}", answer.text());
}

/// Where the repository of the device is, and where it goes.
struct Place {
    repository: PathBuf,
    removed: PathBuf,
}

impl Place {
    fn of(world: &World) -> Self {
        let folder = world.folder.path().join("data/git");
        Self {
            repository: folder.join("p-1.git"),
            removed: folder.join(".removed"),
        }
    }

    fn fill(self) -> Self {
        std::fs::create_dir_all(self.repository.join("objects")).unwrap();
        self
    }

    fn graves(&self) -> usize {
        std::fs::read_dir(&self.removed).unwrap().count()
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
