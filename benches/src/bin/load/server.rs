//! The server, in a process of its own, and how much processor time both processes took.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use gangplank_onboarding::RootUrl;
use gangplank_server::RateLimit;
use gangplank_server::serve::{ServeConfig, start};
use rustls_pki_types::{CertificateDer, pem::PemObject};
use tokio::io::AsyncReadExt as _;
use tokio::process::{Child, Command};

use crate::Result;

/// Runs the server until standard input ends, as it does when the parent does.
pub fn serve(data: PathBuf) -> Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let free = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let mut config = ServeConfig::new(data, free, free);
        config.rate_limit = RateLimit::Off;
        let running = start(config).await?;
        tokio::io::stdin().read_to_end(&mut Vec::new()).await?;
        running.shutdown().await;
        Ok(())
    })
}

pub struct ServerProcess {
    child: Child,
    pub root_url: RootUrl,
    pub admin: SocketAddr,
    pub admin_token: String,
    pub root: CertificateDer<'static>,
}

impl ServerProcess {
    pub async fn start(data: &Path, program: Option<&Path>) -> Result<Self> {
        let mut command = match program {
            None => Command::new(std::env::current_exe()?),
            Some(program) => Command::new(program),
        };
        command.arg("serve");
        match program {
            None => command.arg(data),
            Some(_) => command.arg("--data").arg(data).args(PROGRAM_ARGUMENTS),
        };
        let (stdout, stderr) = match program {
            None => (Stdio::inherit(), Stdio::inherit()),
            Some(_) => (Stdio::null(), Stdio::null()),
        };
        command.stdout(stdout).stderr(stderr);
        let child = command.stdin(Stdio::piped()).kill_on_drop(true).spawn()?;
        let join = wait_for(&data.join("join")).await?;
        let join = gangplank_onboarding::JoinString::parse(join.trim())?;
        let admin = fs::read_to_string(data.join("admin.url"))?;
        let admin = admin.trim().strip_prefix("https://").ok_or("admin.url")?;
        Ok(Self {
            child,
            root_url: join.root_url,
            admin: admin.parse()?,
            admin_token: fs::read_to_string(data.join("admin.token"))?
                .trim()
                .to_owned(),
            root: CertificateDer::from_pem_file(data.join("root.pem"))?,
        })
    }

    /// Where devices connect to.
    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.root_url.port()).into()
    }

    /// Processor time used so far, by the server and by this process.
    pub fn cpu(&self) -> Result<Cpu> {
        let server = self.child.id().ok_or("the server has ended")?;
        Ok(Cpu {
            server: cpu_of(&server.to_string())?,
            devices: cpu_of("self")?,
            machine: cpu_of_machine()?,
        })
    }

    pub async fn stop(mut self) -> Result<()> {
        drop(self.child.stdin.take());
        if tokio::time::timeout(Duration::from_secs(3), self.child.wait())
            .await
            .is_err()
        {
            self.child.kill().await?;
        }
        Ok(())
    }
}

#[derive(Clone, Copy)]
pub struct Cpu {
    pub server: Duration,
    pub devices: Duration,
    /// What all processes used, these two among them.
    pub machine: Duration,
}

impl Cpu {
    pub fn since(self, before: Self) -> Self {
        Self {
            server: self.server - before.server,
            devices: self.devices - before.devices,
            machine: self.machine - before.machine,
        }
    }
}

/// User and system time: fields 14 and 15 of proc(5)'s `stat`, in hundredths of a second.
fn cpu_of(process: &str) -> Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
    let after_name = stat.rsplit_once(')').ok_or("stat")?.1;
    let ticks = after_name.split_whitespace().skip(11).take(2);
    let ticks: u64 = ticks.map(|field| field.parse::<u64>().unwrap_or(0)).sum();
    Ok(Duration::from_millis(ticks * 10))
}

/// User, nice and system time, that of interrupts, and what the host took back: fields of `cpu` in proc(5)'s `stat`.
fn cpu_of_machine() -> Result<Duration> {
    let stat = fs::read_to_string("/proc/stat")?;
    let all = stat.lines().next().ok_or("stat")?;
    let fields = all.split_whitespace().skip(1);
    let fields: Vec<u64> = fields.map(|field| field.parse().unwrap_or(0)).collect();
    let ticks: u64 = [0, 1, 2, 5, 6, 7]
        .iter()
        .filter_map(|at| fields.get(*at))
        .sum();
    Ok(Duration::from_millis(ticks * 10))
}

/// The server writes the file when its listeners are bound.
async fn wait_for(path: &Path) -> Result<String> {
    let patience = Instant::now() + Duration::from_secs(30);
    loop {
        match fs::read_to_string(path) {
            Ok(text) => return Ok(text),
            Err(error) if Instant::now() > patience => {
                return Err(format!("the server did not start: {error}").into());
            }
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

const PROGRAM_ARGUMENTS: [&str; 5] = [
    "--listen",
    "127.0.0.1:0",
    "--admin-listen",
    "127.0.0.1:0",
    "--no-rate-limit",
];
