use std::io::IsTerminal as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, ValueEnum};
use gangplank_server::allowlist::OptionPolicy;
use gangplank_server::envelope::payload_signature::Spelling;
use gangplank_server::message::margo::Profile;
use gangplank_server::secure_manager::{CommandLauncher, SecureManager};
use gangplank_server::serve::{Running, ServeConfig, start};
use gangplank_server::store::DEFAULT_TENANT;
use gangplank_server::trust::{TenantId, UnknownDevices};
use gangplank_server::{HeaderForm, MessageForm, PlainForm, RateLimit};
use ipnet::IpNet;
use qrcode::QrCode;
use qrcode::render::unicode::Dense1x2;
use serde_json::json;
use tracing_subscriber::EnvFilter;

use crate::onboarding::RootUrl;
use crate::runtime::block_on;
use crate::{Exit, Failure, output};

#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// The folder for keys, database and repositories; made at the first start
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// Where devices connect, with TLS; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "0.0.0.0:8443")]
    listen: SocketAddr,
    /// Where a balancer that ends TLS connects, without TLS; needs --trusted-proxy
    #[arg(long, value_name = "ADDR", requires = "trusted_proxy")]
    listen_plain: Option<SocketAddr>,
    /// An address or network of a balancer: it may use --listen-plain, and its X-Forwarded-For is
    /// believed; may be repeated
    #[arg(long, value_name = "NET", value_parser = network)]
    trusted_proxy: Vec<IpNet>,
    /// Where operators connect, with TLS; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8444")]
    admin_listen: SocketAddr,
    /// The root URL that devices use; without it https://localhost:PORT
    #[arg(long, value_name = "URL", value_parser = RootUrl::parse)]
    public_url: Option<RootUrl>,
    /// Also accept envelopes without type, audience and time, from registered devices
    #[arg(long)]
    allow_plain_form: bool,
    /// Also accept reports that the header X-Payload-Signature signs, which say neither for whom nor
    /// when; `bare`: even without its outer base64
    #[arg(long, value_enum, value_name = "SPELLING", num_args = 0..=1, require_equals = true,
          default_missing_value = "wrapped")]
    allow_header_form: Option<HeaderSpelling>,
    /// Also accept reports that are signed as HTTP messages (RFC 9421), as in Margo 1.0
    #[arg(long)]
    allow_message_signatures: bool,
    /// Also serve the endpoints of LF Edge's Secure Manager, without TLS; on loopback unless ADDR says
    /// otherwise
    #[arg(long, value_name = "ADDR", num_args = 0..=1, require_equals = true,
          default_missing_value = "127.0.0.1:56001")]
    secure_manager: Option<SocketAddr>,
    #[command(flatten)]
    secure_manager_settings: SecureManagerSettings,
    /// Let unknown devices wait for an operator instead of refusing them
    #[arg(long)]
    queue_unknown: bool,
    /// Do not limit how many requests one address makes
    #[arg(long)]
    no_rate_limit: bool,
    /// Whether to show the join string as a QR code; auto: when standard output is a terminal
    #[arg(long, value_enum, value_name = "WHEN", default_value = "auto")]
    qr: Qr,
    /// One JSON object when the server is ready, instead of text
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct SecureManagerSettings {
    /// The tenant whose allowlist the Secure Manager's endpoints work on
    #[arg(long, value_name = "TENANT", value_parser = TenantId::parse, default_value = DEFAULT_TENANT,
          requires = "secure_manager")]
    secure_manager_tenant: TenantId,
    /// An address or network that may call them, besides this machine; may be repeated
    #[arg(long, value_name = "NET", value_parser = network, requires = "secure_manager")]
    secure_manager_caller: Vec<IpNet>,
    /// Start the containers that may run, by the command line that was sent, on this machine
    #[arg(long, requires = "secure_manager")]
    secure_manager_launch: bool,
    /// Do not judge the options of such a command line, as the original does not: `--privileged` and
    /// mounts of the host are let through
    #[arg(long, requires = "secure_manager_launch")]
    secure_manager_any_options: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum HeaderSpelling {
    Wrapped,
    Bare,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Qr {
    Always,
    Never,
    Auto,
}

pub(crate) fn run(arguments: Serve) -> Result<Exit, Failure> {
    log_to_stderr();
    block_on(async move {
        let (qr, json, data) = (arguments.qr, arguments.json, arguments.data.clone());
        // Listened for before anybody is told that the server is ready.
        let stopped = stop_signal().map_err(|error| Failure::of(Exit::CannotTell, &error))?;
        let running = start(config(arguments))
            .await
            .map_err(|error| Failure::of(Exit::CannotTell, &error))?;
        if json {
            ready_json(&running, &data)?
        } else {
            ready_text(&running, &data, qr)?
        }
        stopped.await;
        output::progress("stopping");
        running.shutdown().await;
        Ok(Exit::Done)
    })
}

fn config(arguments: Serve) -> ServeConfig {
    let mut config = ServeConfig::new(arguments.data, arguments.listen, arguments.admin_listen);
    config.listen_plain = arguments.listen_plain;
    config.trusted_proxies = arguments.trusted_proxy;
    config.public_url = arguments.public_url;
    if arguments.allow_plain_form {
        config.plain_form = PlainForm::Accept;
    }
    config.header_form = match arguments.allow_header_form {
        None => HeaderForm::Refuse,
        Some(HeaderSpelling::Wrapped) => HeaderForm::Accept(Spelling::Wrapped),
        Some(HeaderSpelling::Bare) => HeaderForm::Accept(Spelling::WrappedOrBare),
    };
    if arguments.allow_message_signatures {
        config.message_form = MessageForm::Accept(Profile::MARGO_1_0);
    }
    if arguments.queue_unknown {
        config.unknown = UnknownDevices::Queue;
    }
    config.secure_manager = arguments.secure_manager.map(|address| {
        let settings = secure_manager(arguments.secure_manager_settings, address);
        (address, settings)
    });
    if arguments.no_rate_limit {
        config.rate_limit = RateLimit::Off;
    }
    config
}

fn secure_manager(arguments: SecureManagerSettings, address: SocketAddr) -> SecureManager {
    let mut settings = SecureManager::new(arguments.secure_manager_tenant);
    settings.callers.extend(arguments.secure_manager_caller);
    // Whoever calls an address of this machine from this machine has that address.
    if !address.ip().is_unspecified() {
        settings.callers.push(address.ip().to_canonical().into());
    }
    if arguments.secure_manager_launch {
        settings.launcher = Some(Arc::new(CommandLauncher));
    }
    if arguments.secure_manager_any_options {
        settings.options = OptionPolicy::Compat;
    }
    settings
}

fn ready_json(running: &Running, data: &std::path::Path) -> Result<(), Failure> {
    output::json(&json!({
        "publicUrl": running.public_url().as_str(),
        "join": running.join().to_string(),
        "adminUrl": running.admin_url(),
        "listen": running.listen_address().to_string(),
        "secureManager": running.secure_manager_address().map(|address| address.to_string()),
        "listenPlain": running.plain_address().map(|address| address.to_string()),
        "data": data.display().to_string(),
        "root": data.join("root.pem").display().to_string(),
    }))
}

fn ready_text(running: &Running, data: &std::path::Path, qr: Qr) -> Result<(), Failure> {
    output::line(format_args!(
        "devices reach it at  {}",
        running.public_url()
    ))?;
    output::line(format_args!(
        "listening on         {}",
        running.listen_address()
    ))?;
    if let Some(address) = running.plain_address() {
        output::line(format_args!("without TLS on       {address}"))?;
    }
    if let Some(address) = running.secure_manager_address() {
        output::line(format_args!("Secure Manager on    {address}"))?;
    }
    output::line(format_args!("admin API            {}", running.admin_url()))?;
    output::line(format_args!("data folder          {}", data.display()))?;
    output::line(format_args!("devices join with    {}", running.join()))?;
    let terminal = std::io::stdout().is_terminal();
    if qr == Qr::Always || (qr == Qr::Auto && terminal) {
        output::write(qr_code(&running.join().to_string())?.as_bytes())?;
    }
    Ok(())
}

/// Two rows of the code in one line of half blocks, light on dark: most terminals are dark, and
/// readers expect dark modules on a light ground.
fn qr_code(text: &str) -> Result<String, Failure> {
    let code = QrCode::new(text).map_err(|error| Failure::of(Exit::CannotTell, &error))?;
    let image = code
        .render::<Dense1x2>()
        .dark_color(Dense1x2::Light)
        .light_color(Dense1x2::Dark)
        .build();
    Ok(image + "\n")
}

/// `GANGPLANK_LOG` has the syntax of `RUST_LOG`.
fn log_to_stderr() {
    let filter =
        EnvFilter::try_from_env("GANGPLANK_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let logging = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .try_init();
    // Somebody who embeds this program may have a logger already.
    drop(logging);
}

/// Ends when the operating system asks the process to end.
#[cfg(unix)]
pub(crate) fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) = (
        signal(SignalKind::interrupt())?,
        signal(SignalKind::terminate())?,
    );
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

#[cfg(not(unix))]
pub(crate) fn stop_signal() -> std::io::Result<impl Future<Output = ()>> {
    Ok(async {
        // Without a signal to wait for, it runs until it is killed.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}

/// A network, or one address.
fn network(text: &str) -> Result<IpNet, String> {
    let one = || text.parse::<std::net::IpAddr>().map(IpNet::from);
    text.parse::<IpNet>()
        .or_else(|_| one())
        .map_err(|_| "an address such as 10.0.0.7, or a network such as 10.0.0.0/24".to_owned())
}
