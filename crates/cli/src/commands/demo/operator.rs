//! The operator and the ordinary git program.

use std::path::Path;
use std::process::Stdio;

use serde_json::json;
use tokio::process::Command;

use super::scene::Scene;
use super::steps::Server;
use super::tale::{Done, Outcome};
use crate::{Exit, Failure};

/// Yields the commit.
pub(super) async fn push(
    scene: &Scene,
    server: &Server,
    device: &str,
    images: &[&str],
) -> Outcome<String> {
    let work = scene.operator().join("desired");
    let write = |error: std::io::Error| Failure::of(Exit::CannotTell, &error);
    std::fs::create_dir_all(&work).map_err(write)?;
    std::fs::write(work.join(FILE), DESIRED_STATE).map_err(write)?;
    std::fs::write(work.join(COMPOSE), compose(images)).map_err(write)?;
    let url = format!(
        "{}/git/{device}.git",
        server.admin_url.replace("https://", "https://admin@")
    );
    git(&work, server, &["init", "--quiet", "--initial-branch=main"]).await?;
    git(&work, server, &["add", FILE, COMPOSE]).await?;
    git(
        &work,
        server,
        &["commit", "--quiet", "--message", "Run the digitron"],
    )
    .await?;
    git(&work, server, &["push", "--quiet", &url, "HEAD:main"]).await?;
    let commit = git(&work, server, &["rev-parse", "HEAD"]).await?;
    let wire =
        json!({"command": format!("git push {url} HEAD:main"), "note": format!("commit {commit}")});
    Ok(Done {
        value: commit,
        wire: vec![wire],
    })
}

/// Runs git without anything of this machine's configuration. The token comes out of its file, and
/// never into arguments or environment.
async fn git(work: &Path, server: &Server, arguments: &[&str]) -> Result<String, Failure> {
    let mut command = Command::new("git");
    for (name, _) in std::env::vars_os() {
        let upper = name.to_string_lossy().to_ascii_uppercase();
        if upper.starts_with("GIT_") || upper.ends_with("_PROXY") {
            command.env_remove(name);
        }
    }
    let settings = [
        ("credential.helper", ""),
        ("credential.helper", HELPER),
        ("http.sslCAInfo", &server.root_file.to_string_lossy()),
        ("user.name", "Operator"),
        ("user.email", "operator@example.org"),
        ("commit.gpgsign", "false"),
    ];
    for (index, (name, value)) in settings.iter().enumerate() {
        command
            .env(format!("GIT_CONFIG_KEY_{index}"), name)
            .env(format!("GIT_CONFIG_VALUE_{index}"), value);
    }
    command
        .env("GIT_CONFIG_COUNT", settings.len().to_string())
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("LC_ALL", "C")
        .env("TOKEN_FILE", &server.token_file)
        .current_dir(work)
        .args(arguments)
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let output = command
        .output()
        .await
        .map_err(|error| Failure::of(Exit::CannotTell, &error).while_doing("git is needed"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned());
    }
    let complaint = String::from_utf8_lossy(&output.stderr)
        .lines()
        .last()
        .unwrap_or_default()
        .to_owned();
    let verb = arguments.first().copied().unwrap_or_default();
    Err(Failure::new(
        Exit::No,
        format_args!("git {verb}: {complaint}"),
    ))
}

/// A service for each image.
fn compose(images: &[&str]) -> String {
    let services = images.iter().enumerate();
    let service = |(number, image)| format!("  digitron-{number}:\n    image: {image}\n");
    format!("services:\n{}", services.map(service).collect::<String>())
}

/// A file of the desired state.
pub(super) const FILE: &str = "deployment.yaml";
/// The other one, with what is to run.
const COMPOSE: &str = "compose.yaml";
const DESIRED_STATE: &str = "apiVersion: application.margo.org/v1alpha1\nkind: ApplicationDeployment\nmetadata:\n  name: digitron\n";
const HELPER: &str =
    r#"!f() { test "$1" = get && printf 'password=%s\n' "$(cat "$TOKEN_FILE")"; }; f"#;
