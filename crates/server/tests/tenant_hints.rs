//! Two tenants of one group trust one authority: what else the device says, by the URL that it was
//! given, decides whose it is. Over real sockets, with the real device.
#![cfg(feature = "message")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod proxy_support;

use std::net::SocketAddr;

use gangplank_client::driver::{ClientError, Device, Patience, Proxy as HttpProxy};
use gangplank_client::onboarding::v2024::capabilities::{
    Cpu, DeviceCapabilities, Quantity, Resources,
};
use gangplank_client::onboarding::v2024::status::{DeploymentId, DeploymentStatus, State};
use gangplank_client::onboarding::{DeviceId, ShortText};
use gangplank_client::{Aboard, ReportForm};
use gangplank_server::MessageForm;
use gangplank_server::message::margo::Profile;
use gangplank_server::onboarding::RootUrl;
use gangplank_server::serve::ServeConfig;
use gangplank_server::trust::UnknownDevices;
use gangplank_testkit::{Leaf, TestCa};
use http::{HeaderMap, Method, StatusCode};
use proxy_support::site::{Site, base64};
use proxy_support::{Asked, Proxy, connect, exchange, hook};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A site with the tenants `acme`, also called `plant-7`, and `works`, which share an authority.
async fn shared(site: &Site) -> TestCa {
    let ca = TestCa::new("Shared Device CA");
    for (tenant, alias) in [("acme", "plant-7"), ("works", "plant-8")] {
        let document = json!({
            "alias": alias,
            "trust-anchor-group": "shared",
            "trusted-ca": [{
                "id": "ca", "cert": base64(&ca.certificate), "auto-provisioning-enabled": true,
            }],
        });
        let path = format!("/admin/tenants/{tenant}");
        let answer = site.operator(Method::POST, &path, &document).await;
        assert_eq!(answer.status, StatusCode::CREATED);
    }
    ca
}

/// A device that nobody registered; its join string says `url` in place of the server's own.
fn device(site: &Site, ca: &TestCa, id: &str, url: &str, way: &Way<'_>) -> Device {
    let issued = ca.issue(&Leaf::new("pump").serial_number(id));
    let proxy = match way {
        Way::Balancer(proxy) => Some(*proxy),
        _ => None,
    };
    let mut config = site.device_config(id, &issued, proxy);
    let join = config.url.take().unwrap();
    let (_, pin) = join.split_once('?').unwrap();
    let place = url.strip_prefix("https://").unwrap();
    config.url = Some(format!("gangplank://{place}?{pin}"));
    let through = match way {
        Way::Tunnel(address) => HttpProxy::Through(format!("http://{address}")),
        _ => HttpProxy::Direct,
    };
    Device::open(&config)
        .unwrap()
        .with_proxy(through)
        .with_patience(Patience::NoWait)
}

/// How a device's bytes reach the server.
enum Way<'a> {
    Direct,
    /// Through a box that ends TLS.
    Balancer(&'a Proxy),
    /// Through one that only connects, whatever the host is called.
    Tunnel(SocketAddr),
}

/// Connects everybody to `server`, as an HTTP proxy does that resolves every name to it.
async fn tunnel(server: SocketAddr) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(client.read_u8().await?);
                }
                client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
                let mut upstream = TcpStream::connect(server).await?;
                tokio::io::copy_bidirectional(&mut client, &mut upstream).await
            });
        }
    });
    address
}

/// Everything that a device does under its URL.
async fn whole_way(device: &mut Device, url: &str) -> Aboard {
    let aboard = device.onboard().await.unwrap();
    for given in [
        &aboard.token_endpoint_url,
        &aboard.git_repository_url,
        &aboard.git_credential_url,
    ] {
        assert!(given.as_str().starts_with(&format!("{url}/")), "{given:?}");
    }
    device.report_capabilities(&capabilities()).await.unwrap();
    device.report_status(&status("pump-control")).await.unwrap();
    let credential = device.git_credential().await.unwrap();
    assert_eq!(credential.url.as_str(), aboard.git_repository_url.as_str());
    aboard
}

/// The tenant that has the device.
async fn tenant_of(site: &Site, id: &str) -> String {
    site.device(id).await["tenant"].as_str().unwrap().to_owned()
}

#[track_caller]
fn assert_not_admitted(refused: Result<Aboard, ClientError>) {
    let Err(ClientError::Refused(refusal)) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(refusal.status, 403, "{refusal}");
    assert!(refusal.to_string().contains("not-admitted"), "{refusal}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_path_says_whose_device_it_is() {
    let site = Site::with(allow_messages).await;
    let ca = shared(&site).await;
    let root = site.url();
    let signed = ReportForm::MessageSignature;
    for (id, name, tenant, form) in [
        ("SN-1", "acme", "acme", ReportForm::Envelope),
        ("SN-2", "works", "works", signed),
        ("SN-3", "plant-7", "acme", ReportForm::Envelope),
    ] {
        let url = format!("{root}/tenant/{name}");
        let device = device(&site, &ca, id, &url, &Way::Direct);
        let mut device = device.with_report_form(form);
        let aboard = whole_way(&mut device, &url).await;
        assert_eq!(tenant_of(&site, id).await, tenant);
        assert_eq!(
            read_repository(&site, &mut device, &url, &aboard).await,
            200
        );
        // Afterwards its key says whose it is; the URL only has to be the one that it signs for.
        device.reset().await.unwrap();
        assert_eq!(device.onboard().await.unwrap().device_id, aboard.device_id);
    }
    for url in [root.clone(), format!("{root}/tenant/nobody")] {
        let id = format!("SN-{}", url.len());
        let mut device = device(&site, &ca, &id, &url, &Way::Direct);
        assert_not_admitted(device.onboard().await);
        assert!(site.devices(&id).await.is_empty());
    }
}

/// Git's first request, with the device's own credential, below its URL.
async fn read_repository(site: &Site, device: &mut Device, url: &str, aboard: &Aboard) -> u16 {
    let credential = device.git_credential().await.unwrap();
    let user = credential.username.as_str();
    let basic = base64(format!("{user}:{}", credential.password.expose()).as_bytes());
    let mut headers = HeaderMap::new();
    headers.insert("authorization", format!("Basic {basic}").parse().unwrap());
    let path = RootUrl::parse(url).unwrap().path_prefix().to_owned();
    let (id, service) = (&aboard.device_id, "git-upload-pack");
    let target = format!("{path}/git/{id}.git/info/refs?service={service}");
    ask_with(site, "localhost", Method::GET, &target, headers).await
}

async fn ask(site: &Site, name: &str, method: Method, target: &str) -> u16 {
    ask_with(site, name, method, target, HeaderMap::new()).await
}

/// The status of a request over TLS to this server name.
async fn ask_with(
    site: &Site,
    name: &str,
    method: Method,
    target: &str,
    mut headers: HeaderMap,
) -> u16 {
    headers.insert("host", "anything".parse().unwrap());
    let address = site.running.listen_address();
    let stream = connect(address, name, &site.root, rustls::ALL_VERSIONS);
    let asked = Asked {
        method,
        target: target.to_owned(),
        headers,
        body: Vec::new(),
    };
    let answer = exchange(stream.await.unwrap(), asked).await;
    answer.unwrap().status.as_u16()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_path_that_can_name_no_tenant_is_refused() {
    let site = Site::direct().await;
    for (name, status) in [
        // The body is no envelope: the name was good enough to look at it.
        ("acme", 400),
        ("nobody", 400),
        ("a%20b", 403),
        // A tenant's id may have it, a root URL not: its alias has to do.
        ("a:b", 403),
        ("%2e%2e", 403),
        ("%ff", 404),
    ] {
        let target = format!("/tenant/{name}/onboarding/");
        let found = ask(&site, "localhost", Method::POST, &target).await;
        assert_eq!(found, status, "{name}");
    }
    // The root is nobody's secret, and the same for all.
    let target = "/tenant/nobody/onboarding/certificate";
    assert_eq!(ask(&site, "localhost", Method::GET, target).await, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_name_that_can_name_no_tenant_is_refused() {
    let site = Site::with(|config| {
        config.public_url = Some(RootUrl::parse("https://wfm.example").unwrap());
    })
    .await;
    for (name, status) in [
        ("wfm.example", 400),
        ("localhost", 400),
        ("127.0.0.1", 400),
        ("acme.wfm.example", 400),
        // No host of a URL has it.
        ("a_b.wfm.example", 403),
    ] {
        let found = ask(&site, name, Method::POST, "/onboarding/").await;
        assert_eq!(found, status, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_name_says_whose_device_it_is() {
    let site = Site::with(|config| {
        config.public_url = Some(RootUrl::parse("https://wfm.example/margo").unwrap());
        allow_messages(config);
    })
    .await;
    let ca = shared(&site).await;
    let way = Way::Tunnel(tunnel(site.running.listen_address()).await);
    for (id, host, tenant) in [
        ("SN-1", "acme.wfm.example", "acme"),
        ("SN-2", "works.wfm.example", "works"),
        ("SN-3", "plant-8.wfm.example", "works"),
    ] {
        let url = format!("https://{host}/margo");
        whole_way(&mut device(&site, &ca, id, &url, &way), &url).await;
        assert_eq!(tenant_of(&site, id).await, tenant);
    }
    let url = "https://plant-7.wfm.example/margo";
    let form = ReportForm::MessageSignature;
    let mut signing = device(&site, &ca, "SN-4", url, &way).with_report_form(form);
    whole_way(&mut signing, url).await;
    let url = "https://wfm.example/margo/tenant/works";
    whole_way(&mut device(&site, &ca, "SN-5", url, &way), url).await;
    assert_eq!(tenant_of(&site, "SN-5").await, "works");
    // The server's own name is no tenant's.
    for (id, host) in [("SN-6", "wfm.example"), ("SN-7", "nobody.wfm.example")] {
        let url = format!("https://{host}/margo");
        assert_not_admitted(device(&site, &ca, id, &url, &way).onboard().await);
        assert!(site.devices(id).await.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_ends_tls_cannot_choose_the_tenant() {
    let proxy = Proxy::start().await;
    let site = Site::behind(&proxy).await;
    let ca = shared(&site).await;
    proxy.meddle(Some(hook(|mut asked, upstream| async move {
        asked.target = asked.target.replace("/tenant/works/", "/tenant/acme/");
        Some(upstream.send(asked).await)
    })));
    let url = format!("{}/tenant/works", site.url());
    let way = Way::Balancer(&proxy);
    let refused = device(&site, &ca, "SN-1", &url, &way).onboard().await;
    let Err(ClientError::Refused(refusal)) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(refusal.status, 401);
    assert!(site.devices("SN-1").await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn behind_a_balancer_that_ends_tls_the_path_remains() {
    let proxy = Proxy::start().await;
    let site = Site::behind(&proxy).await;
    let ca = shared(&site).await;
    let way = Way::Balancer(&proxy);
    let url = format!("{}/tenant/acme", site.url());
    whole_way(&mut device(&site, &ca, "SN-1", &url, &way), &url).await;
    assert_eq!(tenant_of(&site, "SN-1").await, "acme");
    let root = site.url();
    assert_not_admitted(device(&site, &ca, "SN-2", &root, &way).onboard().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_host_name_on_a_connection_of_a_trusted_proxy_is_the_proxys_own() {
    let site = Site::with(|config| {
        config.public_url = Some(RootUrl::parse("https://wfm.example").unwrap());
        config.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
    })
    .await;
    let ca = shared(&site).await;
    let way = Way::Tunnel(tunnel(site.running.listen_address()).await);
    let url = "https://acme.wfm.example";
    let refused = device(&site, &ca, "SN-1", url, &way).onboard().await;
    assert!(refused.is_err(), "{refused:?}");
    let url = "https://wfm.example/tenant/acme";
    whole_way(&mut device(&site, &ca, "SN-2", url, &way), url).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stranger_waits_only_where_it_named_no_other_tenant() {
    let site = Site::with(|config| config.unknown = UnknownDevices::Queue).await;
    let ca = shared(&site).await;
    let root = site.url();
    // A certificate of an authority that nobody trusts. The answer is the same whether there is such
    // a tenant or not.
    for (id, tenant) in [("SN-1", "acme"), ("SN-2", "nobody")] {
        let url = format!("{root}/tenant/{tenant}");
        let others = TestCa::new("Others");
        assert_not_admitted(
            device(&site, &others, id, &url, &Way::Direct)
                .onboard()
                .await,
        );
    }
    // Those who wait are of the tenant `default`, so it may be named as well.
    let others = TestCa::new("Others");
    let url = format!("{root}/tenant/default");
    let waiting = device(&site, &others, "SN-5", &url, &Way::Direct)
        .onboard()
        .await;
    assert!(matches!(waiting, Err(ClientError::Pending)), "{waiting:?}");
    assert_eq!(tenant_of(&site, "SN-5").await, "default");
    let waiting = device(&site, &others, "SN-3", &root, &Way::Direct)
        .onboard()
        .await;
    assert!(matches!(waiting, Err(ClientError::Pending)), "{waiting:?}");
    // An authority that leads to two tenants makes nobody wait.
    assert_not_admitted(
        device(&site, &ca, "SN-4", &root, &Way::Direct)
            .onboard()
            .await,
    );
}

fn allow_messages(config: &mut ServeConfig) {
    config.message_form = MessageForm::Accept(Profile::MARGO_1_0);
}

fn status(deployment: &str) -> DeploymentStatus {
    DeploymentStatus::new(DeploymentId::parse(deployment).unwrap(), State::Installed)
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
