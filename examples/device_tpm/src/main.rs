//! Signs an envelope with a key that never leaves a TPM 2.0.
//!
//! `device-tpm FOLDER GUID` makes a P-256 key in the TPM if there is none yet, seals a payload with
//! it, and verifies the result as a server would. What crosses the border to the TPM is a digest of 32
//! bytes on the way in and a signature on the way out; in between the device may do other things.

mod tpm;

use std::error::Error;
use std::fs;
use std::path::Path;

use gangplank_envelope::{
    Binding, Envelope, Expect, ExpectedAudience, ExpectedForm, Form, Freshness, Limits, PayloadType,
};
use gangplank_key::{CertificateId, TrustedKey};

use tpm::TpmKey;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, folder, guid] = arguments.as_slice() else {
        return Err("usage: device-tpm FOLDER GUID".into());
    };
    let (folder, id) = (Path::new(folder), CertificateId::parse(guid)?);
    let key = TpmKey::open_or_make(folder)?;
    println!("the TPM has a key for {}", key.public().algorithm());

    let binding = Binding::new(PayloadType::parse("DeviceCapabilities")?);
    let payload = br#"{"kind":"DeviceCapabilities"}"#.to_vec();
    let unsigned = Envelope::prepare(payload, Form::Bound(binding), &id)?;
    let digest = key.public().digest(unsigned.message());
    let digest = digest.ok_or("the key's algorithm signs no digest")?;
    println!("to be signed: {}", hex(&digest));

    // Here any amount of time may pass: a slow bus, a queue, another process, an `await`.
    let signature = key.sign_digest(&digest)?;

    // A TPM that answers with nonsense is noticed here, not by the server.
    key.public().verify(unsigned.message(), &signature)?;
    fs::write(folder.join("message"), unsigned.message())?;
    fs::write(folder.join("signature"), signature.to_wire())?;
    let wire = unsigned.complete(&signature);
    println!("{}", String::from_utf8_lossy(&wire));
    verify(&wire, TrustedKey::vouch(id, key.public().clone()))
}

/// What a server does, which has the public key from the device's certificate.
fn verify(wire: &[u8], device: TrustedKey) -> Result<(), Box<dyn Error>> {
    let mut scratch = Vec::new();
    let envelope = Envelope::decode(wire, &Limits::DEFAULT, &mut scratch)?;
    let expect = Expect {
        form: ExpectedForm::Bound(PayloadType::parse("DeviceCapabilities")?),
        audience: ExpectedAudience::NotCompared,
        freshness: Freshness::NotRequired,
    };
    let verified = envelope.verify(&device, &expect)?;
    println!("verified: {}", String::from_utf8_lossy(verified.payload()));
    Ok(())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
