//! A TPM 2.0, spoken to through tpm2-tools. `TPM2TOOLS_TCTI` says which; without it the kernel's.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use gangplank_key::{Algorithm, Backend, PublicKey, Signature};

/// A P-256 key at a persistent handle of a TPM.
pub struct TpmKey {
    public: PublicKey,
    folder: PathBuf,
}

impl TpmKey {
    /// The key at [`HANDLE`]; a new one if there is none. `folder` takes the files that the tools
    /// exchange, none of them secret.
    pub fn open_or_make(folder: &Path) -> Result<Self, Box<dyn Error>> {
        let spki = folder.join("key.der");
        if read_public(&spki, "der").is_err() {
            make(folder)?;
            read_public(&spki, "der")?;
        }
        read_public(&folder.join("key.pem"), "pem")?;
        let public = PublicKey::from_spki(&fs::read(&spki)?, Backend::PURE_RUST)?;
        if public.algorithm() != Algorithm::EcdsaP256Sha256 {
            return Err("the TPM's key is not one for P-256".into());
        }
        let folder = folder.to_owned();
        Ok(Self { public, folder })
    }

    /// The public half.
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// Signs a SHA-256 digest (TPM 2.0 Library, part 3, TPM2_Sign).
    pub fn sign_digest(&self, digest: &[u8]) -> Result<Signature, Box<dyn Error>> {
        let (input, output) = (self.folder.join("digest"), self.folder.join("signed"));
        fs::write(&input, digest)?;
        let mut sign = tool("tpm2_sign");
        sign.args(["-c", HANDLE, "-g", "sha256", "-s", "ecdsa", "-f", "plain"]);
        run(sign.arg("-o").arg(&output).arg("-d").arg(&input))?;
        let bytes = fs::read(&output)?;
        Ok(Signature::from_wire(self.public.algorithm(), &bytes)?)
    }
}

/// A primary key comes from the TPM's own seed: it cannot be copied out, and is the same again if it
/// is made again. It is not restricted, since it signs digests that the TPM has not computed.
fn make(folder: &Path) -> Result<(), Box<dyn Error>> {
    let context = folder.join("key.ctx");
    let mut create = tool("tpm2_createprimary");
    create.args(["-C", "o", "-G", "ecc256:ecdsa-sha256", "-a", ATTRIBUTES]);
    run(create.arg("-c").arg(&context))?;
    let mut keep = tool("tpm2_evictcontrol");
    run(keep.args(["-C", "o", "-c"]).arg(&context).arg(HANDLE))?;
    run(tool("tpm2_flushcontext").arg("-t"))
}

fn read_public(file: &Path, format: &str) -> Result<(), Box<dyn Error>> {
    let mut read = tool("tpm2_readpublic");
    run(read.args(["-c", HANDLE, "-f", format, "-o"]).arg(file))
}

fn tool(name: &str) -> Command {
    let mut command = Command::new(name);
    command.arg("-Q");
    command
}

fn run(command: &mut Command) -> Result<(), Box<dyn Error>> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command
        .output()
        .map_err(|error| format!("{program}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let last = said.trim().lines().last().unwrap_or("it failed");
    Err(format!("{program}: {last}").into())
}

/// In the range that the owner may use (TCG registry of reserved handles, 81 00 00 00 to 81 7F FF FF).
const HANDLE: &str = "0x81010001";
const ATTRIBUTES: &str = "sign|fixedtpm|fixedparent|sensitivedataorigin|userwithauth";
