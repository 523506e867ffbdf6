use std::path::PathBuf;

use clap::Args;
use gangplank_client::driver::{Device, DeviceConfig, Patience};
use serde_json::json;

use crate::device::{FormArgument, PatienceArguments, failure, observer};
use crate::onboarding::v2024::capabilities::DeviceCapabilities;
use crate::runtime::block_on;
use crate::signing_key::{location, pin_file_of_environment};
use crate::{Exit, Failure, files, output};

#[derive(Debug, Args)]
pub(crate) struct Onboard {
    /// The orchestrator's root URL, or a join string; else GANGPLANK_URL, else the configuration's
    #[arg(value_name = "URL|JOIN")]
    url: Option<String>,
    /// The GUID that the manufacturer gave the device; else what its certificate says: the subject's
    /// serialNumber, or the CN where it has none
    #[arg(long, value_name = "GUID")]
    id: Option<String>,
    /// The device's private key: a file, PEM, or a `pkcs11:` URI (RFC 7512) with `module-path`
    #[arg(long, value_name = "FILE|URI")]
    key: Option<PathBuf>,
    /// The file of the token's PIN, remembered; else GANGPLANK_PIN_FILE, else the URI's `pin-source`
    #[arg(long, value_name = "FILE")]
    pin_file: Option<PathBuf>,
    /// The device's certificate and its intermediates, PEM, the device's first
    #[arg(long, value_name = "FILE")]
    cert: Option<PathBuf>,
    /// The folder in which the device keeps its state
    #[arg(long, value_name = "DIR")]
    state: Option<PathBuf>,
    /// The orchestrator's root certificate, PEM, handed over by a person; needs no join string
    #[arg(long, value_name = "FILE")]
    root: Option<PathBuf>,
    /// More roots for TLS, PEM, for a proxy with certificates of its own; never for identity; may be
    /// repeated
    #[arg(long, value_name = "FILE")]
    transport_ca: Vec<PathBuf>,
    /// Believe whoever answers first, for ever. For laboratories
    #[arg(long)]
    insecure_trust_on_first_use: bool,
    /// A JSON file with the same members, for what no argument says
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Who made the device, for the operator to read
    #[arg(long, value_name = "TEXT")]
    vendor: Option<String>,
    /// Which model it is, for the operator to read
    #[arg(long, value_name = "TEXT")]
    model_number: Option<String>,
    /// Its serial number, for the operator to read
    #[arg(long, value_name = "TEXT")]
    serial_number: Option<String>,
    /// A DeviceCapabilities document to report on the way; its id is filled in
    #[arg(long, value_name = "FILE")]
    capabilities: Option<PathBuf>,
    /// How this device signs its reports, from now on
    #[arg(long, value_enum, value_name = "FORM")]
    report_form: Option<FormArgument>,
    #[command(flatten)]
    patience: PatienceArguments,
    /// One JSON object per exchange, secrets left out, and one at the end
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(arguments: &Onboard) -> Result<Exit, Failure> {
    let config = config(arguments)?;
    let capabilities = arguments
        .capabilities
        .as_deref()
        .map(read_capabilities)
        .transpose()?;
    let mut device = Device::open(&config)
        .map_err(|error| failure(&error))?
        .with_patience(arguments.patience.or(Patience::Forever))
        .with_observer(observer(arguments.json));
    if let Some(capabilities) = capabilities {
        device = device.with_capabilities(capabilities);
    }
    if arguments.insecure_trust_on_first_use {
        output::progress(
            "WARNING: whoever answers first is believed to be the orchestrator, for ever",
        );
    }
    let aboard = block_on(async { device.onboard().await.map_err(|error| failure(&error)) })?;
    if arguments.json {
        output::json(&json!({
            "step": "aboard",
            "deviceId": aboard.device_id.as_str(),
            "clientId": aboard.client_id.as_str(),
            "tokenEndpointUrl": aboard.token_endpoint_url.as_str(),
            "gitRepositoryUrl": aboard.git_repository_url.as_str(),
        }))?;
    } else {
        output::line(format_args!("aboard as {}", aboard.device_id))?;
    }
    Ok(Exit::Done)
}

/// Reads a document for `report capabilities` and `onboard --capabilities`.
pub(crate) fn read_capabilities(path: &std::path::Path) -> Result<DeviceCapabilities, Failure> {
    let text = files::read(path)?;
    DeviceCapabilities::decode(&text)
        .map_err(|error| Failure::of(Exit::No, &error).while_doing(path.display()))
}

/// Arguments, then the environment, then the configuration file, then what the device was started
/// with before.
fn config(arguments: &Onboard) -> Result<DeviceConfig, Failure> {
    let read =
        |path: &std::path::Path| DeviceConfig::read(path).map_err(|error| failure(&error.into()));
    let given = DeviceConfig {
        url: arguments.url.clone(),
        id: arguments.id.clone(),
        key: arguments.key.as_deref().map(location).transpose()?,
        pin_file: arguments.pin_file.clone(),
        cert: arguments.cert.clone(),
        root: arguments.root.clone(),
        transport_ca: arguments.transport_ca.clone(),
        state: arguments.state.clone(),
        vendor: arguments.vendor.clone(),
        model_number: arguments.model_number.clone(),
        serial_number: arguments.serial_number.clone(),
        report_form: arguments.report_form.map(Into::into),
        insecure_trust_on_first_use: arguments.insecure_trust_on_first_use.then_some(true),
    };
    let environment = DeviceConfig {
        url: std::env::var("GANGPLANK_URL")
            .ok()
            .filter(|url| !url.is_empty()),
        pin_file: pin_file_of_environment(),
        ..DeviceConfig::default()
    };
    let mut config = given.over(environment);
    if let Some(path) = &arguments.config {
        config = config.over(read(path)?);
    }
    let before = config.state.as_ref().map(|state| state.join("device.json"));
    if let Some(path) = before.filter(|path| path.exists()) {
        config = config.over(read(&path)?);
    }
    Ok(config)
}
