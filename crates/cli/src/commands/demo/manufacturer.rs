//! A manufacturer with an authority of its own: its devices leave the works with a certificate.

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use serde_json::Value;

use super::mallory::broken;
use super::program::Program;
use super::scene::{Party, Scene};
use super::steps::{Server, device_key_only};
use super::tale::{Done, Outcome};
use crate::commands::cert;
use crate::key::CertificateId;
use crate::{Exit, Failure, files, json};

/// A device that nobody registered comes aboard, since its manufacturer's authority is trusted so.
pub(super) async fn vouches(scene: &Scene, server: &Server) -> Outcome<()> {
    let party = scene.fourth();
    deliver(scene, party, "northwind").await?;
    let mut wire = vec![trust(scene, "northwind", "on").await?];
    let ran = introduce(party, server)?.expect(Exit::Done).await?;
    wire.extend(ran.wire());
    let words = ["device", "show", "--json", party.id, "--data"].map(Into::into);
    let shown = Program::new(&scene.operator(), words.into_iter().chain([scene.data()]))?
        .expect(Exit::Done)
        .await?
        .last();
    if json::text(&shown, "anchorId") != Some("northwind") {
        let sentence = format_args!("the operator sees {shown}");
        return Err(Failure::new(Exit::No, sentence));
    }
    Ok(Done { value: (), wire })
}

/// A device of an authority whose devices have to be registered.
pub(super) async fn does_not_vouch(scene: &Scene, server: &Server) -> Outcome<()> {
    let party = scene.fifth();
    deliver(scene, party, "southwind").await?;
    let mut wire = vec![trust(scene, "southwind", "off").await?];
    let ran = introduce(party, server)?.expect(Exit::Refused).await?;
    wire.extend(ran.wire());
    let log = std::fs::read_to_string(scene.operator().join("server.log"));
    let log = log.map_err(|error| broken(&error))?;
    if !log.contains("provisioning-disabled") {
        let sentence = "the operator's log does not say why";
        return Err(Failure::new(Exit::No, sentence));
    }
    wire.push(serde_json::json!({"note": "the operator's log says provisioning-disabled"}));
    Ok(Done { value: (), wire })
}

/// Makes a device's key, and a certificate for it under an authority that the operator is given.
async fn deliver(scene: &Scene, party: &Party, authority: &str) -> Result<(), Failure> {
    let failed = |error: rcgen::Error| broken(&error);
    device_key_only(party).await?;
    let mut parameters = CertificateParams::new(Vec::new()).map_err(failed)?;
    parameters
        .distinguished_name
        .push(DnType::CommonName, format!("{authority} devices"));
    parameters.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    let key = KeyPair::generate().map_err(failed)?;
    let root = parameters.self_signed(&key).map_err(failed)?;
    let write = |path, text: String| std::fs::write(path, text).map_err(|error| broken(&error));
    write(
        scene.operator().join(format!("{authority}.pem")),
        root.pem(),
    )?;
    let id = CertificateId::parse(party.id).map_err(|error| broken(&error))?;
    let device = files::private_key(&party.file("device.key"))?;
    let issued = cert::issue(&id, &device, &Issuer::new(parameters, key)).map_err(failed)?;
    write(party.file("device.pem"), issued.pem())
}

/// The operator trusts an authority.
async fn trust(scene: &Scene, authority: &str, auto_provisioning: &str) -> Result<Value, Failure> {
    let cert = format!("{authority}.pem");
    let add = ["trust", "add", "--cert", &cert, "--id", authority];
    let switch = ["trust", "auto-provisioning", authority, auto_provisioning];
    let mut last = Value::Null;
    for words in [&add[..], &switch[..]] {
        let words = words.iter().chain(&["--json", "--data"]).map(Into::into);
        let program = Program::new(&scene.operator(), words.chain([scene.data()]))?;
        last = program.expect(Exit::Done).await?.last();
    }
    Ok(serde_json::json!({
        "command": format!("gangplank trust add --cert {cert} --id {authority}, trust auto-provisioning {authority} {auto_provisioning}"),
        "response": last,
    }))
}

/// `gangplank onboard` without a GUID: the certificate says it.
fn introduce(party: &Party, server: &Server) -> Result<Program, Failure> {
    let arguments = [
        "onboard",
        &server.join,
        "--key",
        "device.key",
        "--cert",
        "device.pem",
    ];
    let more = ["--state", "state", "--no-wait", "--json"];
    Program::new(&party.folder, arguments.into_iter().chain(more))
}
