//! The device's side: what its verbs share.

use std::path::{Path, PathBuf};

use gangplank_client::ReportForm;
use gangplank_client::driver::{ClientError, ConfigError, Device, Exchange, Observer, Patience};
use serde_json::{Value, json};

use crate::exit::causes;
use crate::{Exit, Failure, output};

/// Where a device keeps what it remembers.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct StateArgument {
    /// The folder in which the device keeps its state
    #[arg(long, value_name = "DIR")]
    pub(crate) state: PathBuf,
}

impl StateArgument {
    /// Opens a device that has onboarded from this folder.
    pub(crate) fn reopen(&self) -> Result<Device, Failure> {
        require_folder(&self.state)?;
        if !self.state.join("device.json").exists() {
            return Err(not_aboard());
        }
        Device::reopen(&self.state).map_err(|error| failure(&error))
    }
}

/// How long a verb keeps trying.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct PatienceArguments {
    /// Give up at the first reason to wait: no answer, or an operator must approve
    #[arg(long, conflicts_with = "timeout")]
    no_wait: bool,
    /// Give up when a wait would end later than this
    #[arg(long, value_name = "SECONDS")]
    timeout: Option<u64>,
}

impl PatienceArguments {
    /// Without an option, `default`.
    pub(crate) fn or(self, default: Patience) -> Patience {
        match (self.no_wait, self.timeout) {
            (true, _) => Patience::NoWait,
            (false, Some(seconds)) => Patience::AtMost(std::time::Duration::from_secs(seconds)),
            (false, None) => default,
        }
    }
}

/// How reports are signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum FormArgument {
    /// In an envelope that says what it is, for whom and when
    Envelope,
    /// By the header X-Payload-Signature, for a server that knows no envelope
    Header,
    /// As an HTTP message (RFC 9421), as in Margo 1.0; needs a clock
    Message,
}

impl From<FormArgument> for ReportForm {
    fn from(form: FormArgument) -> Self {
        match form {
            FormArgument::Envelope => Self::Envelope,
            FormArgument::Header => Self::PayloadSignature,
            FormArgument::Message => Self::MessageSignature,
        }
    }
}

/// Shows each exchange: as JSON on standard output, or as a line of progress.
pub(crate) fn observer(json: bool) -> Observer {
    Observer::new(move |exchange| {
        if json {
            // Whoever reads it may have gone; the device goes on.
            let _ = output::json(&exchange_json(exchange));
        } else {
            let status = exchange
                .status
                .map_or_else(|| exchange.response.clone(), |status| status.to_string());
            let (method, url, millis) =
                (exchange.method, &exchange.url, exchange.elapsed.as_millis());
            output::progress(format_args!(
                "{}: {method} {url}: {status} ({millis} ms)",
                exchange.purpose
            ));
        }
    })
}

/// Why the driver gave up, with its exit code.
pub(crate) fn failure(error: &ClientError) -> Failure {
    let exit = match error {
        #[cfg(feature = "pkcs11")]
        ClientError::Config(ConfigError::Token(error)) => {
            return crate::signing_key::token::failure(error);
        }
        // Content that is there and broken is a "no"; what is not there cannot be told.
        ClientError::Config(ConfigError::Key { .. } | ConfigError::Certificate { .. }) => Exit::No,
        _ => match error.exit_code() {
            3 => Exit::Transport,
            4 => Exit::Refused,
            5 => Exit::Pending,
            6 => Exit::BadAnswer,
            8 => Exit::NeedsOperator,
            _ => Exit::CannotTell,
        },
    };
    Failure::new(exit, causes(error))
}

/// The folder must be there: a verb that only looks makes none.
pub(crate) fn require_folder(state: &Path) -> Result<(), Failure> {
    match std::fs::metadata(state) {
        Ok(found) if found.is_dir() => Ok(()),
        Ok(_) => Err(Failure::new(
            Exit::CannotTell,
            format_args!("{}: not a folder", state.display()),
        )),
        Err(error) => Err(Failure::of(Exit::CannotTell, &error).while_doing(state.display())),
    }
}

/// The folder has no device that is aboard.
pub(crate) fn not_aboard() -> Failure {
    Failure::new(
        Exit::No,
        "the device is not aboard yet; run `gangplank onboard` first",
    )
}

fn exchange_json(exchange: &Exchange) -> Value {
    json!({
        "step": exchange.purpose.as_str(),
        "method": exchange.method,
        "url": exchange.url,
        "requestHeaders": exchange.request_headers,
        "request": parsed(&exchange.request),
        "status": exchange.status,
        "response": parsed(&exchange.response),
        "bytesSent": exchange.bytes.0,
        "bytesReceived": exchange.bytes.1,
        "authenticated": exchange.authenticated,
        "millis": millis(exchange.elapsed),
    })
}

/// A body as JSON if it is JSON, else as text.
fn parsed(body: &str) -> Value {
    serde_json::from_str(body).unwrap_or_else(|_| Value::from(body))
}

/// Milliseconds with a fraction.
pub(crate) fn millis(elapsed: std::time::Duration) -> f64 {
    (elapsed.as_secs_f64() * 100_000.0).round() / 100.0
}
