//! A manufacturer with an authority of its own: its devices leave the works with a certificate.

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DnType, IsCa, Issuer,
    KeyIdMethod, KeyPair, RevokedCertParams, SerialNumber,
};
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
pub(super) async fn vouches(scene: &Scene, server: &Server) -> Outcome<Authority> {
    let party = scene.fourth();
    let authority = Authority::deliver(scene, party, "northwind").await?;
    let mut wire = vec![trust(scene, "northwind", "on").await?];
    let ran = introduce(party, server, FIRST)?.expect(Exit::Done).await?;
    wire.extend(ran.wire());
    let shown = shown(scene, party).await?;
    if json::text(&shown, "anchorId") != Some("northwind") {
        return Err(unlike(&shown));
    }
    Ok(Done {
        value: authority,
        wire,
    })
}

/// A device of an authority whose devices have to be registered.
pub(super) async fn does_not_vouch(scene: &Scene, server: &Server) -> Outcome<()> {
    let party = scene.fifth();
    Authority::deliver(scene, party, "southwind").await?;
    let mut wire = vec![trust(scene, "southwind", "off").await?];
    let ran = introduce(party, server, FIRST)?
        .expect(Exit::Refused)
        .await?;
    wire.extend(ran.wire());
    wire.push(logged(scene, "provisioning-disabled")?);
    Ok(Done { value: (), wire })
}

/// A manufacturer's authority.
pub(super) struct Authority {
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    /// Makes a device's key, and a certificate for it under an authority that the operator is given.
    async fn deliver(scene: &Scene, party: &Party, name: &str) -> Result<Self, Failure> {
        device_key_only(party).await?;
        let mut parameters = CertificateParams::new(Vec::new()).map_err(failed)?;
        parameters
            .distinguished_name
            .push(DnType::CommonName, format!("{name} devices"));
        parameters.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        let key = KeyPair::generate().map_err(failed)?;
        let root = parameters.self_signed(&key).map_err(failed)?;
        write(scene.operator().join(format!("{name}.pem")), root.pem())?;
        let authority = Self {
            issuer: Issuer::new(parameters, key),
        };
        authority.certify(party, FIRST)?;
        Ok(authority)
    }

    fn certify(&self, party: &Party, name: &str) -> Result<(), Failure> {
        let id = CertificateId::parse(party.id).map_err(|error| broken(&error))?;
        let key = files::private_key(&party.file(&format!("{name}.key")))?;
        let issued = cert::issue(&id, &key, &self.issuer).map_err(failed)?;
        write(party.file(&format!("{name}.pem")), issued.pem())
    }

    /// The device that it vouched for changes its key.
    pub(super) async fn renews(&self, scene: &Scene, server: &Server) -> Outcome<()> {
        let party = scene.fourth();
        let before = shown(scene, party).await?;
        let arguments = ["key", "generate", "--out", "next.key"];
        let program = Program::new(&party.folder, arguments)?;
        program.expect(Exit::Done).await?;
        self.certify(party, NEXT)?;
        let ran = introduce(party, server, NEXT)?.expect(Exit::Done).await?;
        let after = shown(scene, party).await?;
        let certificates = after.get("certificates").and_then(Value::as_array);
        let both = certificates.is_some_and(|all| all.len() == 2);
        let id = |shown| json::text(shown, "deviceId").map(str::to_owned);
        if id(&after) != id(&before) || !both {
            return Err(unlike(&after));
        }
        let mut wire = ran.wire();
        wire.push(note("both keys count until it has used the new one"));
        Ok(Done { value: (), wire })
    }

    /// The operator learns that the device's first certificate is revoked.
    pub(super) async fn revokes(&self, scene: &Scene, server: &Server) -> Outcome<()> {
        let party = scene.fourth();
        let shown = shown(scene, party).await?;
        let serial = shown.pointer("/origin/serialNumber");
        let serial = serial.and_then(Value::as_str).unwrap_or_default();
        let list = self.revocation_list(serial)?;
        write(scene.operator().join("northwind.crl"), list)?;
        let words = ["trust", "revocation", "--crl", "northwind.crl", "--data"].map(Into::into);
        let program = Program::new(&scene.operator(), words.into_iter().chain([scene.data()]))?;
        program.expect(Exit::Done).await?;
        let command = "gangplank trust revocation --crl northwind.crl";
        let mut wire = vec![serde_json::json!({ "command": command })];
        std::fs::remove_dir_all(party.file("device-state")).map_err(|error| broken(&error))?;
        let ran = introduce(party, server, FIRST)?
            .expect(Exit::Refused)
            .await?;
        wire.extend(ran.wire());
        wire.push(logged(scene, "revoked")?);
        std::fs::remove_dir_all(party.file("next-state")).map_err(|error| broken(&error))?;
        let ran = introduce(party, server, NEXT)?.expect(Exit::Done).await?;
        wire.extend(ran.wire());
        Ok(Done { value: (), wire })
    }

    fn revocation_list(&self, serial: &str) -> Result<String, Failure> {
        let now = std::time::SystemTime::now();
        let digits = serial.as_bytes().chunks(2);
        let bytes =
            digits.filter_map(|pair| u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok());
        let bytes: Vec<u8> = bytes.collect();
        let revoked = RevokedCertParams {
            serial_number: SerialNumber::from_slice(&bytes),
            revocation_time: now.into(),
            reason_code: None,
            invalidity_date: None,
        };
        let parameters = CertificateRevocationListParams {
            this_update: (now - DAY).into(),
            next_update: (now + DAY).into(),
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: vec![revoked],
            key_identifier_method: KeyIdMethod::Sha256,
        };
        let list = parameters.signed_by(&self.issuer).map_err(failed)?;
        list.pem().map_err(failed)
    }
}

/// What the operator sees of a device.
async fn shown(scene: &Scene, party: &Party) -> Result<Value, Failure> {
    let words = ["device", "show", "--json", party.id, "--data"].map(Into::into);
    let program = Program::new(&scene.operator(), words.into_iter().chain([scene.data()]))?;
    Ok(program.expect(Exit::Done).await?.last())
}

/// The operator's log gives this reason.
fn logged(scene: &Scene, reason: &str) -> Result<Value, Failure> {
    let log = std::fs::read_to_string(scene.operator().join("server.log"));
    if !log.map_err(|error| broken(&error))?.contains(reason) {
        let sentence = "the operator's log does not say why";
        return Err(Failure::new(Exit::No, sentence));
    }
    Ok(note(&format!("the operator's log says {reason}")))
}

fn note(text: &str) -> Value {
    serde_json::json!({ "note": text })
}

fn unlike(shown: &Value) -> Failure {
    Failure::new(Exit::No, format_args!("the operator sees {shown}"))
}

fn write(path: std::path::PathBuf, text: String) -> Result<(), Failure> {
    std::fs::write(path, text).map_err(|error| broken(&error))
}

fn failed(error: rcgen::Error) -> Failure {
    broken(&error)
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
fn introduce(party: &Party, server: &Server, name: &str) -> Result<Program, Failure> {
    let (key, cert) = (format!("{name}.key"), format!("{name}.pem"));
    let state = format!("{name}-state");
    let arguments = ["onboard", &server.join, "--key", &key, "--cert", &cert];
    let more = ["--state", &state, "--no-wait", "--json"];
    Program::new(&party.folder, arguments.into_iter().chain(more))
}

/// The device's first key and certificate, and the next.
const FIRST: &str = "device";
const NEXT: &str = "next";
const DAY: std::time::Duration = std::time::Duration::from_secs(86_400);
