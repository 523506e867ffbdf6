//! The whole way, with the real device and the real server: behind a balancer that ends TLS, and
//! without one. (That the plain listener serves nobody but trusted proxies: `listen` tests.)
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod proxy_support;

use std::fs;

use gangplank_client::BadAnswer;
use gangplank_client::driver::{ClientError, Device, Patience, Proxy as HttpProxy};
use gangplank_client::git::{Checkout, ExpectedCommit, Git, GitError, HelperCommand};
use gangplank_client::onboarding::v2024::capabilities::{
    Cpu, DeviceCapabilities, Quantity, Resources,
};
use gangplank_client::onboarding::v2024::git_credential::CommitId;
use gangplank_client::onboarding::v2024::status::{DeploymentId, DeploymentStatus, State};
use gangplank_client::onboarding::{DeviceId, ShortText};
use gangplank_testkit::{Leaf, TestCa, self_signed};
use http::Method;
use proxy_support::site::{Site, credential_helper, write_pem};
use proxy_support::{Asked, Proxy, connect, exchange, hook};
use serde_json::Value;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_comes_aboard_behind_a_balancer() {
    let proxy = Proxy::start().await;
    let site = Site::behind(&proxy).await;
    let mut device = site.new_device("SN-0001", Some(&proxy)).await;
    whole_way(&site, &mut device, "SN-0001").await;
    let log = proxy.log();
    assert_eq!(log[0], "GET /margo/onboarding/certificate 200");
    assert_eq!(log[1], "POST /margo/onboarding/ 201");
    assert_eq!(
        count(&log, "POST /margo/oauth2/token 200"),
        2,
        "one per onboarding: {log:?}"
    );
    assert_eq!(count(&log, "POST /margo/onboarding/ 200"), 1, "{log:?}");
    assert!(
        log.iter().any(|line| line.ends_with("git-upload-pack 200")),
        "{log:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_balancer_may_strip_the_path_of_the_public_url() {
    let proxy = Proxy::start().await;
    let site = Site::behind(&proxy).await;
    proxy.meddle(Some(hook(|mut asked, upstream| async move {
        asked.target = asked.target.strip_prefix("/margo").unwrap().to_owned();
        // What a client, or a careless balancer, says about hosts is in no URL.
        asked
            .headers
            .insert("x-forwarded-host", "attacker.example".parse().unwrap());
        asked
            .headers
            .insert("forwarded", "host=attacker.example".parse().unwrap());
        Some(upstream.send(asked).await)
    })));
    let mut device = site.new_device("SN-0002", Some(&proxy)).await;
    whole_way(&site, &mut device, "SN-0002").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_comes_aboard_over_the_servers_own_tls() {
    let site = Site::direct().await;
    let mut device = site.new_device("SN-0003", None).await;
    whole_way(&site, &mut device, "SN-0003").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tls_1_3_and_1_2_are_spoken() {
    let site = Site::direct().await;
    for version in [&rustls::version::TLS13, &rustls::version::TLS12] {
        let address = site.running.listen_address();
        let stream = connect(address, "localhost", &site.root, &[version])
            .await
            .unwrap();
        assert_eq!(stream.get_ref().1.protocol_version(), Some(version.version));
        let mut headers = http::HeaderMap::new();
        headers.insert("host", "localhost".parse().unwrap());
        let target = "/onboarding/certificate".to_owned();
        let asked = Asked {
            method: Method::GET,
            target,
            headers,
            body: Vec::new(),
        };
        let answer = exchange(stream, asked).await.unwrap();
        let body: Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(body["certificate"], proxy_support::site::base64(&site.root));
        let other = TestCa::new("Other").certificate;
        let refused = connect(address, "localhost", &other, &[version]).await;
        assert!(refused.unwrap_err().to_string().contains("UnknownIssuer"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_with_another_pin_sends_one_get_and_nothing_else() {
    let proxy = Proxy::start().await;
    let site = Site::behind(&proxy).await;
    let issued = self_signed(&Leaf::new("device").serial_number("SN-0004"));
    site.register("SN-0004", &issued).await;
    let mut config = site.device_config("SN-0004", &issued, Some(&proxy));
    let join = config.url.take().unwrap();
    let (url, _) = join.split_once("sha256:").unwrap();
    config.url = Some(format!("{url}sha256:{}", "0".repeat(64)));
    let mut device = Device::open(&config)
        .unwrap()
        .with_proxy(HttpProxy::Direct)
        .with_patience(Patience::NoWait);
    let refused = device.onboard().await.unwrap_err();
    assert!(
        matches!(
            refused,
            ClientError::BadAnswer {
                reason: BadAnswer::OtherRoot,
                ..
            }
        ),
        "{refused}"
    );
    assert_eq!(proxy.log(), ["GET /margo/onboarding/certificate 200"]);
    assert!(device.status().unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_balancer_that_nobody_configured_the_device_for_gets_no_envelope() {
    let proxy = Proxy::start().await;
    let site = Site::behind(&proxy).await;
    let mut device = site
        .new_device("SN-0005", None)
        .await
        .with_patience(Patience::NoWait);
    let refused = device.onboard().await.unwrap_err();
    assert!(matches!(refused, ClientError::Transport(_)), "{refused}");
    assert_eq!(proxy.log(), ["GET /margo/onboarding/certificate 200"]);
    assert_eq!(site.device("SN-0005").await["state"], "registered");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_under_another_root_than_the_one_handed_over_gets_nothing() {
    let site = Site::direct().await;
    let issued = self_signed(&Leaf::new("device").serial_number("SN-0006"));
    site.register("SN-0006", &issued).await;
    let mut config = site.device_config("SN-0006", &issued, None);
    write_pem(&site.path("other.pem"), &TestCa::new("Other").certificate);
    config.url = Some(site.url());
    config.root = Some(site.path("other.pem"));
    let mut device = Device::open(&config)
        .unwrap()
        .with_proxy(HttpProxy::Direct)
        .with_patience(Patience::NoWait);
    let refused = device.onboard().await.unwrap_err();
    assert!(refused.to_string().contains("UnknownIssuer"), "{refused}");
    assert_eq!(site.device("SN-0006").await["state"], "registered");
}

/// Root download, onboarding, token, capabilities, status, credential, clone; then again as a device
/// that forgot everything.
async fn whole_way(site: &Site, device: &mut Device, id: &str) {
    let aboard = device.onboard().await.unwrap();
    let url = site.url();
    for given in [
        &aboard.token_endpoint_url,
        &aboard.git_repository_url,
        &aboard.git_credential_url,
    ] {
        assert!(given.as_str().starts_with(&format!("{url}/")), "{given:?}");
    }
    device.report_capabilities(&capabilities()).await.unwrap();
    let deployment = DeploymentId::parse("pump-control").unwrap();
    device
        .report_status(&DeploymentStatus::new(deployment, State::Installed))
        .await
        .unwrap();
    let known = site.device(id).await;
    assert_eq!(known["state"], "aboard");
    assert_eq!(known["deviceId"], aboard.device_id.as_str());
    assert!(
        known["capabilities"].is_object() && !known["deployments"].as_array().unwrap().is_empty(),
        "{known}"
    );

    let empty = device.git_credential().await.unwrap();
    assert_eq!(empty.commit, None);
    let commit = site.push(&aboard.device_id);
    let credential = device.git_credential().await.unwrap();
    assert_eq!(credential.commit.as_ref().unwrap().as_str(), commit);
    let folder = site.path(id);
    // A token that has ended first: git asks the helper for the next one.
    credential_helper(
        &folder,
        &["gpgt_ended", credential.password.expose()],
        credential.username.as_str(),
    );
    let checkout = |expected| Checkout {
        url: credential.url.as_str().to_owned(),
        directory: folder.join("desired"),
        ca_file: device.root_file(),
        helper: HelperCommand {
            program: folder.join("helper.sh"),
            arguments: vec![folder.clone().into()],
        },
        expected,
    };
    let wanted = ExpectedCommit::Exactly(credential.commit.clone().unwrap());
    let synced = Git::new("git")
        .clone_or_fetch(&checkout(wanted))
        .await
        .unwrap();
    assert_eq!(synced.commit, credential.commit);
    assert_eq!(
        fs::read_to_string(folder.join("desired/manifest.yaml")).unwrap(),
        "v1\n"
    );
    let missing = ExpectedCommit::Exactly(CommitId::parse(&"0123456789".repeat(4)).unwrap());
    let wrong = Git::new("git")
        .clone_or_fetch(&checkout(missing))
        .await
        .unwrap_err();
    assert!(matches!(wrong, GitError::WrongCommit { .. }), "{wrong}");

    device.reset().await.unwrap();
    let again = device.onboard().await.unwrap();
    assert_eq!(again.device_id, aboard.device_id);
    assert_ne!(again.client_secret.expose(), aboard.client_secret.expose());
    site.device(id).await;
}

fn count(log: &[String], line: &str) -> usize {
    log.iter().filter(|found| *found == line).count()
}

fn capabilities() -> DeviceCapabilities {
    let quantity = |text| Quantity::Text(ShortText::parse(text).unwrap());
    let cpu = Cpu {
        cpu_architecture: ShortText::parse("arm64").unwrap(),
        cores: quantity("4"),
        frequency: quantity("1.8 GHz"),
    };
    let resources = Resources {
        cpus: vec![cpu],
        memory: quantity("8 GB"),
        storage: quantity("64 GB"),
    };
    DeviceCapabilities::new(DeviceId::parse("unset").unwrap(), resources)
}
