//! The way aboard, step by step.

use std::path::PathBuf;

use rustls_pki_types::CertificateDer;
use serde_json::{Value, json};
use tokio::process::Child;

use super::program::Program;
use super::scene::{Party, Scene};
use super::tale::{Done, Outcome};
use crate::onboarding::RootUrl;
use crate::{Exit, Failure, files, json};

/// The orchestrator, in its own process.
pub(super) struct Server {
    child: Child,
    pub(super) root_url: RootUrl,
    pub(super) join: String,
    pub(super) admin_url: String,
    pub(super) root: CertificateDer<'static>,
    pub(super) root_file: PathBuf,
    pub(super) token_file: PathBuf,
}

pub(super) async fn serve(scene: &Scene) -> Outcome<Server> {
    let data = scene.data();
    let log = scene.operator().join("server.log");
    let arguments = [
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--admin-listen",
        "127.0.0.1:0",
        "--allow-message-signatures",
        "--json",
        "--data",
    ];
    let words = arguments.iter().map(PathBuf::from).chain([data.clone()]);
    let (child, ready) = Program::new(&scene.operator(), words)?.start(&log).await?;
    let word = |member: &str| {
        json::text(&ready, member)
            .map(str::to_owned)
            .ok_or_else(|| Failure::new(Exit::No, format_args!("it did not say its {member}")))
    };
    let root_file = data.join("root.pem");
    let server = Server {
        child,
        root_url: RootUrl::parse(&word("publicUrl")?)
            .map_err(|error| Failure::of(Exit::No, &error))?,
        join: word("join")?,
        admin_url: word("adminUrl")?,
        root: files::certificate(&root_file)?,
        root_file,
        token_file: data.join("admin.token"),
    };
    let wire = vec![json!({"note": format!("join string {}", server.join)})];
    Ok(Done {
        value: server,
        wire,
    })
}

/// `gangplank key generate` in a device's own folder.
pub(super) async fn device_key_only(party: &Party) -> Result<(), Failure> {
    let arguments = ["key", "generate", "--out", "device.key"];
    let program = Program::new(&party.folder, arguments)?;
    program.expect(Exit::Done).await.map(drop)
}

pub(super) async fn device_key(party: &Party) -> Outcome<()> {
    device_key_only(party).await?;
    let arguments = [
        "cert",
        "self-signed",
        "--key",
        "device.key",
        "--id",
        party.id,
        "--out",
        "device.pem",
    ];
    Program::new(&party.folder, arguments)?
        .expect(Exit::Done)
        .await?;
    let wire = vec![
        json!({"note": format!("{} keeps its key in {}", party.id, party.file("device.key").display())}),
    ];
    Ok(Done { value: (), wire })
}

pub(super) async fn stranger(scene: &Scene, server: &Server) -> Outcome<()> {
    let ran = come_aboard(scene.first(), server)?
        .expect(Exit::Refused)
        .await?;
    // It believes in the root now; a device that was refused forgets that before it tries elsewhere.
    Program::new(&scene.first().folder, ["reset", "--state", "state"])?
        .expect(Exit::Done)
        .await?;
    Ok(Done {
        value: (),
        wire: ran.wire(),
    })
}

pub(super) async fn register(scene: &Scene, server: &Server, party: &Party) -> Outcome<()> {
    let arguments = ["device", "add", "--json", "--id", party.id, "--cert"].map(PathBuf::from);
    let words =
        arguments
            .into_iter()
            .chain([party.file("device.pem"), "--data".into(), scene.data()]);
    let device = Program::new(&scene.operator(), words)?
        .expect(Exit::Done)
        .await?
        .last();
    let wire = json!({
        "method": "POST",
        "url": format!("{}/admin/devices", server.admin_url),
        "request": {"certificateId": party.id, "certificate": "(its certificate)"},
        "status": 201,
        "response": device,
    });
    Ok(Done {
        value: (),
        wire: vec![wire],
    })
}

/// Yields the device id.
pub(super) async fn onboard(scene: &Scene, server: &Server) -> Outcome<String> {
    let ran = come_aboard(scene.first(), server)?
        .expect(Exit::Done)
        .await?;
    let device = device_id(&ran.last())?;
    Ok(Done {
        value: device,
        wire: ran.wire(),
    })
}

pub(super) async fn again(scene: &Scene, server: &Server, device: &str) -> Outcome<()> {
    Program::new(&scene.first().folder, ["reset", "--state", "state"])?
        .expect(Exit::Done)
        .await?;
    let ran = come_aboard(scene.first(), server)?
        .expect(Exit::Done)
        .await?;
    let now = device_id(&ran.last())?;
    if now != device {
        return Err(Failure::new(
            Exit::No,
            format_args!("it was {device} and is {now}"),
        ));
    }
    Ok(Done {
        value: (),
        wire: ran.wire(),
    })
}

pub(super) async fn capabilities(scene: &Scene) -> Outcome<()> {
    let document = json!({
        "apiVersion": "device.margo/v1",
        "kind": "DeviceCapabilities",
        "properties": {
            "id": "filled-in", "vendor": "Northwind", "modelNumber": "NW-7", "serialNumber": scene.first().id,
            "roles": ["standalone device"],
            "resources": {
                "cpus": [{"cpuArchitecture": "arm64", "cores": 4, "frequency": "1.8 GHz"}],
                "memory": "8 GB", "storage": "64 GB",
            },
            "peripherals": [], "interfaces": [],
        },
    });
    let path = scene.first().file("capabilities.json");
    std::fs::write(path, document.to_string())
        .map_err(|error| Failure::of(Exit::CannotTell, &error))?;
    let arguments = [
        "report",
        "capabilities",
        "capabilities.json",
        "--state",
        "state",
        "--json",
    ];
    let ran = Program::new(&scene.first().folder, arguments)?
        .expect(Exit::Done)
        .await?;
    Ok(Done {
        value: (),
        wire: ran.wire(),
    })
}

pub(super) async fn desired_state(scene: &Scene, commit: &str) -> Outcome<()> {
    let arguments = ["desired-state", "desired", "--state", "state", "--json"];
    let ran = Program::new(&scene.first().folder, arguments)?
        .expect(Exit::Done)
        .await?;
    let last = ran.last();
    if json::text(&last, "commit") != Some(commit) {
        return Err(Failure::new(
            Exit::No,
            format_args!("it does not show {commit}"),
        ));
    }
    let read = |folder: PathBuf| std::fs::read(folder.join(super::operator::FILE));
    let pushed = read(scene.operator().join("desired"))
        .map_err(|error| Failure::of(Exit::CannotTell, &error))?;
    if read(scene.first().file("desired")).ok() != Some(pushed) {
        return Err(Failure::new(
            Exit::No,
            "the files are not those that were pushed",
        ));
    }
    let mut wire = ran.wire();
    wire.push(json!({"command": "git fetch (its password from `gangplank git-credential`)", "note": format!("commit {commit}, which the orchestrator had signed")}));
    Ok(Done { value: (), wire })
}

/// `form` as `--form` has it.
pub(super) async fn deployment_status(scene: &Scene, form: &str) -> Outcome<()> {
    let arguments = [
        "report",
        "deployment",
        DEPLOYMENT,
        "installed",
        "--form",
        form,
        "--state",
        "state",
        "--json",
    ];
    let ran = Program::new(&scene.first().folder, arguments)?
        .expect(Exit::Done)
        .await?;
    let words = ["device", "show", "--json", scene.first().id, "--data"].map(PathBuf::from);
    let shown = Program::new(&scene.operator(), words.into_iter().chain([scene.data()]))?
        .expect(Exit::Done)
        .await?
        .last();
    let state = shown
        .pointer("/deployments/0/status/status/state")
        .and_then(Value::as_str);
    if state != Some("installed") {
        return Err(Failure::new(
            Exit::No,
            format_args!("the operator sees {state:?}"),
        ));
    }
    Ok(Done {
        value: (),
        wire: ran.wire(),
    })
}

pub(super) async fn stop(mut server: Server) -> Outcome<()> {
    let failed = |error: std::io::Error| Failure::of(Exit::CannotTell, &error);
    let Some(process) = server.child.id() else {
        return Err(Failure::new(Exit::No, "it has ended before"));
    };
    #[cfg(unix)]
    tokio::process::Command::new("kill")
        .arg(process.to_string())
        .status()
        .await
        .map_err(failed)?;
    #[cfg(not(unix))]
    let _ = (process, server.child.start_kill().map_err(failed)?);
    let ended = tokio::time::timeout(std::time::Duration::from_secs(30), server.child.wait()).await;
    match ended {
        Ok(Ok(status)) if status.success() || cfg!(not(unix)) => Ok(Done {
            value: (),
            wire: Vec::new(),
        }),
        Ok(Ok(status)) => Err(Failure::new(
            Exit::No,
            format_args!("it ended with {status}"),
        )),
        Ok(Err(error)) => Err(failed(error)),
        Err(_) => Err(Failure::new(Exit::No, "it did not stop within 30 s")),
    }
}

/// `gangplank onboard` in a device's own folder.
pub(super) fn come_aboard(party: &Party, server: &Server) -> Result<Program, Failure> {
    let arguments = [
        "onboard",
        &server.join,
        "--id",
        party.id,
        "--key",
        "device.key",
        "--cert",
        "device.pem",
    ];
    Program::new(
        &party.folder,
        arguments
            .into_iter()
            .chain(["--state", "state", "--no-wait", "--json"]),
    )
}

fn device_id(aboard: &Value) -> Result<String, Failure> {
    let id = aboard["deviceId"].as_str().map(str::to_owned);
    id.ok_or_else(|| Failure::new(Exit::No, "it did not say its device id"))
}

/// A deployment of the demo.
pub(super) const DEPLOYMENT: &str = "a3e2f5dc-912e-494f-8395-52cf3769bc06";
