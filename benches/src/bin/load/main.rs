//! Durable onboardings a second: a real server in a process of its own, real TLS 1.3, real SQLite,
//! and devices that each come aboard once.
//!
//! `cargo run --release --manifest-path benches/Cargo.toml --bin load -- [--runs 5] [--scale 1]
//! [--folder DIR] [--server PATH]`
//!
//! Devices are registered through the admin API before the clock starts. Then 1, 16 and 64 of them
//! at a time send their first onboarding request, each signed at that moment; an answer counts if it
//! is 201 and an envelope that echoes the request's nonce. With connection reuse a slot keeps its
//! connection from device to device; without, each request has a full handshake of its own (no
//! resumption). The latency of a request begins after signing, and includes the handshake where there
//! is one. `--server` uses a `gangplank` program instead of the same library without logging.

mod commit;
mod device;
mod drive;
mod report;
mod server;

use std::error::Error;
use std::path::PathBuf;

use device::Device;
use drive::Connections;
use report::Report;
use server::ServerProcess;

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [verb, folder] = arguments.as_slice()
        && verb == "serve"
    {
        return server::serve(folder.into());
    }
    let options = Options::parse(&arguments)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    runtime.block_on(measure(options))
}

async fn measure(options: Options) -> Result<()> {
    let folder = tempfile::tempdir_in(&options.folder)?;
    report::machine(folder.path());
    commit::measure(folder.path())?;
    let server =
        ServerProcess::start(&folder.path().join("data"), options.server.as_deref()).await?;
    let mut reports = Vec::new();
    for run in 0..options.runs {
        for connections in [Connections::Reused, Connections::New] {
            for (at_a_time, requests) in LOADS {
                let requests = requests * options.scale;
                let devices = Device::make(requests)?;
                let devices = drive::register(&server, devices).await?;
                let before = server.cpu()?;
                let took = drive::onboard(&server, devices, at_a_time, connections).await?;
                let cpu = server.cpu()?.since(before);
                let report = Report::new(at_a_time, connections, took, cpu);
                println!("run {}  {report}", run + 1);
                reports.push(report);
            }
        }
    }
    report::medians(&reports);
    server.stop().await
}

struct Options {
    runs: usize,
    scale: usize,
    folder: PathBuf,
    server: Option<PathBuf>,
}

impl Options {
    fn parse(arguments: &[String]) -> Result<Self> {
        // The folder of the program, since /tmp may be memory, where a commit costs nothing.
        let program = std::env::current_exe()?;
        let mut options = Self {
            runs: 5,
            scale: 1,
            folder: program.parent().ok_or("no folder")?.to_owned(),
            server: None,
        };
        for pair in arguments.chunks(2) {
            match pair {
                [name, value] if name == "--runs" => options.runs = value.parse()?,
                [name, value] if name == "--scale" => options.scale = value.parse()?,
                [name, value] if name == "--folder" => options.folder = value.into(),
                [name, value] if name == "--server" => options.server = Some(value.into()),
                other => return Err(format!("not understood: {other:?}").into()),
            }
        }
        Ok(options)
    }
}

/// Devices at a time, and requests in a run: enough for some seconds each.
const LOADS: [(usize, usize); 3] = [(1, 500), (16, 2500), (64, 5000)];
