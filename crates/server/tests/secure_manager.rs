//! The Secure Manager's endpoints: the suite `secure-manager`, and what it leaves open.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod adapter_support;
mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use adapter_support::Fault;
use async_trait::async_trait;
use axum::Router;
use common::{Answer, World, request};
use gangplank_server::allowlist::PermittedLaunch;
use gangplank_server::listen::{Peer, PlainListener, Shutdown};
use gangplank_server::secure_manager::{
    CommandLauncher, LaunchFailed, Launcher, SecureManager, secure_manager_router,
};
use gangplank_server::store::DEFAULT_TENANT;
use gangplank_server::trust::TenantId;
use gangplank_testkit::{deny_unknown_keys, suite, temp_dir};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::Notify;

const H: &str = "fc6a51919cfeb2e6763f62b6d9e8815acbf7cd2e476ea353743570610737b752";
const COMMANDS: &str = "/api/v1/orchestration/securemgr";
const SERVICES: &str = "/api/v1/orchestration/services";

#[tokio::test]
async fn rest() {
    let Some(folder) = suite("secure-manager") else {
        return;
    };
    let text = std::fs::read(folder.join("cases.json")).unwrap();
    let cases: Vec<Value> = serde_json::from_slice(&text).unwrap();
    let exceptions: BTreeMap<String, String> =
        serde_json::from_str(include_str!("secure-manager-exceptions.json")).unwrap();
    let (mut run, mut excepted, mut failures) = (0, 0, Vec::new());
    for case in cases.iter().filter(|case| case["group"] == "rest") {
        let id = case["id"].as_str().unwrap();
        run += 1;
        match (judge(case).await, exceptions.get(id)) {
            (Ok(()), None) => {}
            (Err(error), Some(expected)) if expected.starts_with(&error) => excepted += 1,
            (Ok(()), Some(_)) => failures.push(format!("{id}: no exception any more")),
            (Err(error), _) => failures.push(format!("{id}: {error}")),
        }
    }
    println!(
        "secure-manager rest: {run} run, {} passed, {excepted} excepted",
        run - excepted - failures.len()
    );
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(run >= 27, "{run} cases");
    assert_eq!(excepted, exceptions.len());
}

/// The error begins with the status that was answered.
async fn judge(case: &Value) -> Result<(), String> {
    let input = &case["input"];
    let known = [
        "list",
        "method",
        "path",
        "user",
        "peer",
        "body",
        "own_addresses",
        "fault",
    ];
    deny_unknown_keys("rest", input, &known);
    let site = Site::new(|settings| {
        for own in input["own_addresses"].as_array().into_iter().flatten() {
            let own: std::net::IpAddr = own.as_str().unwrap().parse().unwrap();
            settings.callers.push(own.into());
        }
    })
    .await;
    site.fill(input["list"].as_str().unwrap()).await;
    if !input["fault"].is_null() {
        assert_eq!(input["fault"], "directory-missing");
        site.fault.at(Some("change_allowlist"));
    }
    let token = input["user"]
        .as_str()
        .map(|_| site.world.admin_token.clone());
    let peer: std::net::SocketAddr = input["peer"].as_str().unwrap().parse().unwrap();
    let answer = site
        .call(
            input["method"].as_str().unwrap().parse().unwrap(),
            input["path"].as_str().unwrap(),
            token.as_deref(),
            peer.ip(),
            input["body"].as_str().unwrap_or_default(),
        )
        .await;
    site.fault.at(None);
    let status = answer.status.as_u16();
    let expect = &case["expect"];
    let alternatives = expect["alternatives"].as_array().into_iter().flatten();
    let outcomes = alternatives.chain([expect]);
    let fits = |outcome: &Value| {
        outcome["status"] == status
            && (outcome["body"].is_null() || outcome["body"] == answer.json())
    };
    if !outcomes.into_iter().any(fits) {
        return Err(status.to_string());
    }
    if status == 401 {
        assert_eq!(answer.headers["www-authenticate"], "Bearer");
    }
    if status == 200 {
        let kind = "application/json; charset=UTF-8";
        assert_eq!(answer.headers["content-type"], kind);
        assert_eq!(answer.headers["connection"], "close");
    }
    if let Some(entries) = expect["entries"].as_array() {
        let entries: BTreeSet<_> = entries
            .iter()
            .map(|e| e.as_str().unwrap().to_owned())
            .collect();
        let found = site.entries().await;
        if found != entries {
            return Err(format!("the list has {found:?}"));
        }
    }
    Ok(())
}

struct Site {
    world: World,
    fault: Fault,
    router: Router,
}

impl Site {
    async fn new(change: impl FnOnce(&mut SecureManager)) -> Self {
        let fault = Fault::default();
        let world = World::over(temp_dir(), |builder| builder, |store| fault.wrap(store)).await;
        let mut settings = SecureManager::new(TenantId::parse(DEFAULT_TENANT).unwrap());
        change(&mut settings);
        let router = secure_manager_router(world.server.clone(), settings);
        Self {
            world,
            fault,
            router,
        }
    }

    async fn fill(&self, list: &str) {
        let add: Vec<Value> = list.lines().map(|line| json!({ "digest": line })).collect();
        let body = json!({ "add": add }).to_string();
        let path = "/admin/tenants/default/allowlist";
        let answer = self.world.operator(Method::POST, path, &body).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    }

    async fn entries(&self) -> BTreeSet<String> {
        let path = "/admin/tenants/default/allowlist";
        let listed = self.world.operator(Method::GET, path, "").await.json();
        let images = listed["images"].as_array().unwrap().iter();
        let digest =
            |image: &Value| image["digest"].as_str().unwrap()["sha256:".len()..].to_owned();
        images.map(digest).collect()
    }

    async fn call(
        &self,
        method: Method,
        path: &str,
        token: Option<&str>,
        peer: std::net::IpAddr,
        body: &str,
    ) -> Answer {
        let authorization = token.map(|token| ("authorization", token));
        let headers: Vec<_> = authorization.into_iter().collect();
        let mut request = request(method, path, &headers, body.as_bytes());
        request.extensions_mut().insert(Peer {
            address: peer,
            over_tls: false,
        });
        self.world.send(&self.router, request).await
    }

    async fn post(&self, path: &str, body: &Value) -> Answer {
        let token = format!("bEaRer {}", self.world.admin_token);
        let peer = "127.0.0.1".parse().unwrap();
        self.call(Method::POST, path, Some(&token), peer, &body.to_string())
            .await
    }

    async fn order(&self, command: &[&str]) -> Value {
        let answer = self.post(SERVICES, &service("container", command)).await;
        assert_eq!(answer.status, StatusCode::OK);
        answer.json()
    }
}

fn service(kind: &str, command: &[&str]) -> Value {
    json!({
        "ServiceName": "press",
        "ServiceRequester": "test",
        "SelfSelection": "true",
        "ServiceInfo": [{ "ExecutionType": kind, "ExecCmd": command }],
    })
}

/// Remembers what it is to start; waits until it may.
#[derive(Default)]
struct Recorder {
    started: Mutex<Vec<Vec<String>>>,
    hold: Option<Arc<Notify>>,
    entered: Notify,
}

#[async_trait]
impl Launcher for Recorder {
    async fn launch(&self, launch: PermittedLaunch<'_>) -> Result<(), LaunchFailed> {
        self.entered.notify_one();
        if let Some(hold) = &self.hold {
            hold.notified().await;
        }
        let arguments = launch.arguments().iter().map(|text| text.to_string());
        self.started.lock().unwrap().push(arguments.collect());
        Ok(())
    }
}

#[tokio::test]
async fn a_container_is_started_as_it_was_checked() {
    let recorder = Arc::new(Recorder::default());
    let site = Site::new(|settings| settings.launcher = Some(recorder.clone())).await;
    site.fill(H).await;
    let image = format!("hello-world@sha256:{H}");
    let command = ["docker", "run", "-m", "64m", &image];
    let answer = site.order(&command).await;
    let expected = json!({
        "Message": "ERROR_NONE",
        "ServiceName": "press",
        "RemoteTargetInfo": { "ExecutionType": "container", "Target": "localhost" },
    });
    assert_eq!(answer, expected);
    assert_eq!(recorder.started.lock().unwrap().as_slice(), [command]);
    let other = format!("hello-world@sha256:{}", H.replace('f', "0"));
    let refused: [&[&str]; 8] = [
        &["docker", "run", &other],
        &["docker", "run", "hello-world:latest"],
        &["docker", "run", "--privileged", &image],
        &["docker", "run", "-v", "/:/host", &image],
        &["docker", "run", "-e", "PATH", &image],
        &["docker", "run", &image, "sh"],
        &[&image],
        &[],
    ];
    for command in refused {
        let answer = site.order(command).await;
        assert_eq!(answer["Message"], "NOT_ALLOWED_COMMAND", "{command:?}");
    }
    let image = json!(format!("a@sha256:{H}"));
    let as_list = json!({
        "ServiceName": "press",
        "ServiceInfo": [["container", ["docker", "run", image]]],
    });
    let answer = site.post(SERVICES, &as_list).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    let long = json!({ "ServiceName": "x".repeat(257), "ServiceInfo": [] });
    assert_eq!(
        site.post(SERVICES, &long).await.status,
        StatusCode::BAD_REQUEST
    );
    let native = service("native", &["/usr/bin/whoami"]);
    let answer = site.post(SERVICES, &native).await.json();
    assert_eq!(answer["Message"], "NOT_ALLOWED_COMMAND");
    assert_eq!(recorder.started.lock().unwrap().len(), 1);
    let audit = site
        .world
        .operator(Method::GET, "/admin/audit", "")
        .await
        .text();
    assert_eq!(audit.matches("image.denied").count(), 9);
    assert_eq!(audit.matches("image.permitted").count(), 1);
}

#[tokio::test]
async fn nothing_is_started_that_is_not_in_the_audit() {
    let recorder = Arc::new(Recorder::default());
    let site = Site::new(|settings| settings.launcher = Some(recorder.clone())).await;
    site.fill(H).await;
    for step in ["append_audit", "allowed"] {
        site.fault.at(Some(step));
        let answer = site
            .order(&["docker", "run", &format!("a@sha256:{H}")])
            .await;
        assert_eq!(answer["Message"], "INTERNAL_SERVER_ERROR");
    }
    assert!(recorder.started.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_launch_under_way_starts_nothing_that_came_later() {
    let hold = Arc::new(Notify::new());
    let recorder = Arc::new(Recorder {
        hold: Some(hold.clone()),
        ..Recorder::default()
    });
    let site = Arc::new(Site::new(|settings| settings.launcher = Some(recorder.clone())).await);
    site.fill(H).await;
    let image = format!("hello-world@sha256:{H}");
    let (first, permitted) = (site.clone(), image.clone());
    let first = tokio::spawn(async move { first.order(&["docker", "run", &permitted]).await });
    recorder.entered.notified().await;
    let second = site
        .order(&["docker", "run", "--privileged", "evil:latest"])
        .await;
    assert_eq!(second["Message"], "NOT_ALLOWED_COMMAND");
    hold.notify_one();
    assert_eq!(first.await.unwrap()["Message"], "ERROR_NONE");
    let started = recorder.started.lock().unwrap();
    assert_eq!(started.as_slice(), [["docker", "run", &image]]);
}

#[tokio::test]
async fn without_a_launcher_nothing_is_started() {
    let site = Site::new(|_| ()).await;
    site.fill(H).await;
    let answer = site
        .order(&["docker", "run", &format!("a@sha256:{H}")])
        .await;
    assert_eq!(answer["Message"], "SERVICE_NOT_FOUND");
    assert_eq!(answer["RemoteTargetInfo"]["Target"], "");
}

#[tokio::test]
async fn an_expired_image_is_not_started() {
    let recorder = Arc::new(Recorder::default());
    let site = Site::new(|settings| settings.launcher = Some(recorder.clone())).await;
    let path = format!("/admin/tenants/default/allowlist/images/{H}");
    let body = json!({ "expires": site.world.now() + 10 }).to_string();
    site.world.operator(Method::PUT, &path, &body).await;
    let image = format!("a@sha256:{H}");
    assert_eq!(
        site.order(&["docker", "run", &image]).await["Message"],
        "ERROR_NONE"
    );
    site.world.pass(10);
    let answer = site.order(&["docker", "run", &image]).await;
    assert_eq!(answer["Message"], "NOT_ALLOWED_COMMAND");
    assert_eq!(recorder.started.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn adding_a_listed_image_leaves_what_is_said_of_it() {
    let site = Site::new(|_| ()).await;
    let path = format!("/admin/tenants/default/allowlist/images/{H}");
    let said = json!({
        "expires": site.world.now() + 10,
        "repository": "registry.example/press",
        "owner": "line 3",
        "reason": "the press needs it",
    });
    let body = said.to_string();
    let answer = site.world.operator(Method::PUT, &path, &body).await;
    assert_eq!(answer.status, StatusCode::OK);
    let list = "/admin/tenants/default/allowlist";
    let before = site.world.operator(Method::GET, list, "").await.json();
    let listed = json!({ "ContainerHash": H.to_uppercase() });
    let add = json!({ "SecureMgr": "Verifier", "CmdType": "addHashCWL", "Desc": [listed] });
    let answer = site.post(COMMANDS, &add).await;
    assert_eq!(answer.json()["Message"], "ERROR_NONE");
    let after = site.world.operator(Method::GET, list, "").await.json();
    assert_eq!(before["images"][0]["expires"], said["expires"]);
    assert_eq!(after, before);
}

#[tokio::test]
async fn what_is_not_the_documented_body_changes_nothing() {
    let site = Site::new(|_| ()).await;
    site.fill(H).await;
    for (body, status, message) in [
        (
            r#"{"CmdType":"addHashCWL","CmdType":"delAllHashCWL"}"#,
            400,
            "",
        ),
        (
            r#"{"CmdType":"delHashCWL","Desc":[{"ContainerHash":"a","ContainerHash":"b"}]}"#,
            400,
            "",
        ),
        (
            r#"{"CmdType":"delAllHashCWL","SecureMgr":{"a":1,"a":2}}"#,
            400,
            "",
        ),
        (r#"["Verifier","delAllHashCWL",[]]"#, 400, ""),
        (r#"{"CmdType":"delAllHashCWL"} x"#, 400, ""),
        (
            r#"{"CmdType":["delAllHashCWL"]}"#,
            200,
            "NOT_ALLOWED_COMMAND",
        ),
        (
            r#"{"CmdType":"addHashCWL","Desc":null}"#,
            200,
            "INVALID_PARAMETER",
        ),
        (
            r#"{"CmdType":"addHashCWL","Desc":["x"]}"#,
            200,
            "INVALID_PARAMETER",
        ),
        (
            r#"{"CmdType":"addHashCWL","Desc":[["x"]]}"#,
            200,
            "INVALID_PARAMETER",
        ),
        (
            r#"{"CmdType":"addHashCWL","Desc":[{"ContainerHash":7}]}"#,
            200,
            "INVALID_PARAMETER",
        ),
    ] {
        let token = site.world.admin_token.clone();
        let peer = "::ffff:127.0.0.1".parse().unwrap();
        let answer = site
            .call(Method::POST, COMMANDS, Some(&token), peer, body)
            .await;
        assert_eq!(answer.status.as_u16(), status, "{body}");
        if status == 200 {
            assert_eq!(answer.json()["Message"], message, "{body}");
        }
        assert_eq!(site.entries().await.len(), 1, "{body}");
    }
    let large = json!({ "CmdType": "addHashCWL", "Desc": " ".repeat(8 << 20) });
    let answer = site.post(COMMANDS, &large).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn a_list_that_cannot_be_read_is_not_said_to_be_printed() {
    let print = json!({ "SecureMgr": "Verifier", "CmdType": "printAllHashCWL" });
    let site = Site::new(|_| ()).await;
    site.fill(H).await;
    site.fault.at(Some("allowlist"));
    let answer = site.post(COMMANDS, &print).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.json()["Message"], "INTERNAL_SECUREMGR_ERROR");
    site.fault.at(None);
    let answer = site.post(COMMANDS, &print).await;
    assert_eq!(answer.json()["Message"], "ERROR_NONE");

    let nobody = TenantId::parse("nobody").unwrap();
    let site = Site::new(|settings| settings.tenant = nobody).await;
    for command in ["printAllHashCWL", "delAllHashCWL"] {
        let answer = site.post(COMMANDS, &json!({ "CmdType": command })).await;
        assert_eq!(answer.json()["Message"], "INTERNAL_SECUREMGR_ERROR");
    }
}

#[tokio::test]
async fn without_its_list_nobody_can_say_what_may_run() {
    let nobody = TenantId::parse("nobody").unwrap();
    let site = Site::new(|settings| settings.tenant = nobody).await;
    for command in [&["docker", "run", &format!("a@sha256:{H}")][..], &[]] {
        let answer = site.order(command).await;
        assert_eq!(answer["Message"], "INTERNAL_SERVER_ERROR", "{command:?}");
        assert_eq!(answer["RemoteTargetInfo"]["Target"], "");
    }
}

#[tokio::test]
async fn who_may_not_call_learns_nothing() {
    let site = Site::new(|_| ()).await;
    let token = site.world.admin_token.clone();
    for peer in ["192.0.2.1", "2001:db8::1", "fe80::1234", "::2"] {
        let peer = peer.parse().unwrap();
        let answer = site
            .call(Method::POST, COMMANDS, Some(&token), peer, "{}")
            .await;
        assert_eq!(answer.status, StatusCode::NOT_ACCEPTABLE, "{peer}");
        assert!(answer.body.is_empty());
    }
    let peer = "127.0.0.1".parse().unwrap();
    let answer = site
        .call(Method::POST, COMMANDS, Some("Bearer x"), peer, "{}")
        .await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    let challenge = &answer.headers["www-authenticate"];
    assert_eq!(challenge, "Bearer error=\"invalid_token\"");
    for (method, path, headers) in [
        (Method::GET, COMMANDS, &[][..]),
        (Method::POST, "/", &[]),
        (Method::POST, COMMANDS, &[("content-length", "2000000")]),
    ] {
        let unread = futures_util::stream::pending::<Result<&str, std::io::Error>>();
        let mut request = request(method, path, headers, b"");
        *request.body_mut() = axum::body::Body::from_stream(unread);
        request.extensions_mut().insert(Peer {
            address: "192.0.2.1".parse().unwrap(),
            over_tls: false,
        });
        let answer = site.world.send(&site.router, request).await;
        assert_eq!(answer.status, StatusCode::NOT_ACCEPTABLE, "{path}");
        assert_eq!(answer.headers["connection"], "close");
    }
    // Where it is from nobody knows.
    let anonymous = request(Method::POST, COMMANDS, &[("authorization", &token)], b"{}");
    let answer = site.world.send(&site.router, anonymous).await;
    assert_eq!(answer.status, StatusCode::NOT_ACCEPTABLE);
}

#[tokio::test]
async fn every_answer_closes_the_connection() {
    let site = Site::new(|_| ()).await;
    let token = site.world.admin_token.clone();
    let large = " ".repeat(8 << 20);
    for (method, path, body, status) in [
        (Method::GET, COMMANDS, "", StatusCode::METHOD_NOT_ALLOWED),
        (Method::POST, "/", "", StatusCode::NOT_FOUND),
        (Method::POST, COMMANDS, "", StatusCode::BAD_REQUEST),
        (
            Method::POST,
            SERVICES,
            &large,
            StatusCode::PAYLOAD_TOO_LARGE,
        ),
    ] {
        let peer = "127.0.0.1".parse().unwrap();
        let answer = site.call(method, path, Some(&token), peer, body).await;
        assert_eq!(answer.status, status, "{path}");
        assert_eq!(answer.headers["connection"], "close", "{status}");
    }
}

/// Over a socket, with a program that stands in for docker.
#[tokio::test]
async fn a_real_port_starts_a_real_program() {
    let folder = temp_dir();
    let docker = folder.path().join("docker");
    let record = folder.path().join("record");
    let script = format!(
        "#!/bin/sh\nprintf '%s\\n' \"$@\" > {0}.new && mv {0}.new {0}\n",
        record.display()
    );
    std::fs::write(&docker, script).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&docker, mode).unwrap();
    let path = format!(
        "{}:{}",
        folder.path().display(),
        std::env::var("PATH").unwrap()
    );
    let launcher = Arc::new(InPath { path });
    let site = Site::new(|settings| settings.launcher = Some(launcher)).await;
    site.fill(H).await;
    let listener = PlainListener::bind("127.0.0.1:0".parse().unwrap())
        .await
        .unwrap();
    let address = listener.address();
    let (trigger, shutdown) = Shutdown::new();
    let serving = tokio::spawn(listener.serve(site.router.clone(), shutdown));
    let image = format!("hello-world@sha256:{H}");
    let body = service("container", &["docker", "run", &image]).to_string();
    let request = format!(
        "POST {SERVICES} HTTP/1.1\r\nHost: x\r\nAuthorization: {}\r\nX-Forwarded-For: 192.0.2.1\r\nContent-Length: {}\r\n\r\n{body}",
        site.world.admin_token,
        body.len()
    );
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    // To the end: the port closes each connection.
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains("ERROR_NONE"), "{answer}");
    assert_eq!(
        std::fs::read_to_string(&record).unwrap(),
        format!("run\n{image}\n")
    );
    trigger.shut_down();
    serving.await.unwrap();
}

/// As [`CommandLauncher`], with the stand-in in front, and waiting for its end.
struct InPath {
    path: String,
}

#[async_trait]
impl Launcher for InPath {
    async fn launch(&self, launch: PermittedLaunch<'_>) -> Result<(), LaunchFailed> {
        let (program, arguments) = launch.arguments().split_first().unwrap();
        let status = tokio::process::Command::new(program)
            .env("PATH", &self.path)
            .args(arguments)
            .status();
        assert!(status.await.unwrap().success());
        Ok(())
    }
}

#[tokio::test]
async fn a_program_that_is_not_there_is_said_to_be_not_started() {
    let launcher = Arc::new(CommandLauncher);
    let site = Site::new(|settings| settings.launcher = Some(launcher)).await;
    site.fill(H).await;
    let missing = !["nerdctl"].iter().any(|name| {
        let path = std::env::var_os("PATH").unwrap();
        std::env::split_paths(&path).any(|folder| folder.join(name).exists())
    });
    if !missing {
        println!("not run: nerdctl is installed here");
        return;
    }
    let answer = site
        .order(&["nerdctl", "run", &format!("a@sha256:{H}")])
        .await;
    assert_eq!(answer["Message"], "INTERNAL_SERVER_ERROR");
}
