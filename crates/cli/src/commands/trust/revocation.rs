use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use gangplank_client::trust::TenantId;

use crate::admin::AdminArguments;
use crate::runtime::block_on;
use crate::{Exit, Failure, files, output, tenant};

#[derive(Debug, Args)]
pub(crate) struct Revocation {
    /// Whose anchors
    #[arg(long, value_name = "ID", value_parser = TenantId::parse, default_value = "default")]
    tenant: TenantId,
    /// Revocation lists, PEM or DER, in place of those that there are
    #[arg(long, value_name = "FILE", num_args = 1.., conflicts_with = "off")]
    crl: Vec<PathBuf>,
    /// Ask nobody for a status any more
    #[arg(long)]
    off: bool,
    #[command(flatten)]
    admin: AdminArguments,
}

pub(super) fn run(arguments: &Revocation) -> Result<Exit, Failure> {
    block_on(async move {
        let admin = arguments.admin.open()?;
        let path = format!("{}/revocation-lists", tenant::path(&arguments.tenant));
        match arguments.crl.as_slice() {
            [] if arguments.off => admin.delete(&path).await?,
            [] => output::json(&admin.get(&path, &[]).await?)?,
            given => admin.set(&path, PEM, pem(given)?).await?,
        }
        Ok(Exit::Done)
    })
}

/// The lists of all files in one text (RFC 7468 §6).
fn pem(paths: &[PathBuf]) -> Result<String, Failure> {
    let mut text = String::new();
    for path in paths {
        for list in files::revocation_lists(path)? {
            text.push_str("-----BEGIN X509 CRL-----\n");
            for line in list.chunks(LINE) {
                STANDARD.encode_string(line, &mut text);
                text.push('\n');
            }
            text.push_str("-----END X509 CRL-----\n");
        }
    }
    Ok(text)
}

/// Bytes of a line of 64 characters.
const LINE: usize = 48;
const PEM: &str = "application/x-pem-file";
