//! Running the program as a person or a script would.
#![allow(
    dead_code,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic
)]

pub(crate) mod stand_in;

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread;

use gangplank_testkit::temp_dir;
use serde_json::Value;
use tempfile::TempDir;

/// A folder to work in.
pub(crate) struct Folder(TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(temp_dir())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, contents: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), contents).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap()
    }

    /// Runs `gangplank` here.
    pub(crate) fn run(&self, arguments: &[&str], stdin: &[u8]) -> Ran {
        self.run_with(arguments, stdin, &[])
    }

    pub(crate) fn run_with(
        &self,
        arguments: &[&str],
        stdin: &[u8],
        environment: &[(&str, &Path)],
    ) -> Ran {
        let mut command = gangplank(self.0.path());
        command.args(arguments).envs(environment.iter().copied());
        let mut child = command.spawn().unwrap();
        let mut pipe = child.stdin.take().unwrap();
        let output = thread::scope(|scope| {
            scope.spawn(move || drop(pipe.write_all(stdin)));
            child.wait_with_output().unwrap()
        });
        Ran(arguments.join(" "), output)
    }

    /// Runs `gangplank` here, which must succeed, and gives what it printed.
    pub(crate) fn ok(&self, arguments: &[&str], stdin: &[u8]) -> Vec<u8> {
        self.run(arguments, stdin).exit(0).1.stdout
    }

    /// Runs `openssl` here.
    pub(crate) fn openssl(&self, arguments: &[&str]) -> Option<Output> {
        let run = Command::new("openssl")
            .args(arguments)
            .current_dir(self.0.path())
            .output();
        run.inspect_err(|_| println!("check by openssl not run: program absent"))
            .ok()
    }

    /// A key and a self-signed certificate, `NAME.key` and `NAME.pem`.
    pub(crate) fn device(&self, name: &str, id: &str, algorithm: &str) {
        let (key, cert) = (format!("{name}.key"), format!("{name}.pem"));
        self.ok(
            &["key", "generate", "--algorithm", algorithm, "--out", &key],
            b"",
        );
        let arguments = [
            "cert",
            "self-signed",
            "--key",
            &key,
            "--id",
            id,
            "--out",
            &cert,
        ];
        self.ok(&arguments, b"");
    }
}

/// Returns once a process waits for a lock; panics if it ends instead.
#[cfg(target_os = "linux")]
pub(crate) fn until_it_waits(child: &mut Child) {
    // The kernel's table of locks marks who waits by an arrow.
    let waiter = format!(" {} ", child.id());
    let waits = |line: &str| line.contains("->") && line.contains(&waiter);
    while !std::fs::read_to_string("/proc/locks")
        .unwrap()
        .lines()
        .any(waits)
    {
        assert_eq!(child.try_wait().unwrap(), None, "it does not wait");
        thread::yield_now();
    }
}

/// How a run ended.
pub(crate) struct Ran(pub(crate) String, pub(crate) Output);

impl Ran {
    #[track_caller]
    pub(crate) fn exit(self, code: i32) -> Self {
        assert_eq!(
            self.1.status.code(),
            Some(code),
            "{}: {}",
            self.0,
            self.complaint()
        );
        self
    }

    /// Nothing on standard output, one sentence on standard error.
    #[track_caller]
    pub(crate) fn silent(self) -> Self {
        assert_eq!(self.1.stdout, b"", "{}", self.0);
        let complaint = self.complaint();
        assert!(
            complaint.starts_with("gangplank: "),
            "{}: {complaint}",
            self.0
        );
        assert_eq!(
            complaint.matches('\n').count(),
            1,
            "{}: {complaint}",
            self.0
        );
        self
    }

    pub(crate) fn stdout(&self) -> String {
        String::from_utf8(self.1.stdout.clone()).unwrap()
    }

    pub(crate) fn complaint(&self) -> String {
        String::from_utf8_lossy(&self.1.stderr).into_owned()
    }

    /// Standard output as JSON, a value a line.
    pub(crate) fn lines(&self) -> Vec<Value> {
        self.stdout()
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}

/// A server in its own process; killed when dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) ready: Value,
}

impl Server {
    /// Serves from the folder `data`, with more arguments.
    pub(crate) fn start(folder: &Folder, more: &[&str]) -> Self {
        Self::start_with(folder, more, &[])
    }

    pub(crate) fn start_with(
        folder: &Folder,
        more: &[&str],
        environment: &[(&str, &Path)],
    ) -> Self {
        let mut command = gangplank(folder.0.path());
        command.envs(environment.iter().copied());
        command.args(["serve", "--data", "data", "--json"]);
        command.args(["--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"]);
        let log = std::fs::File::create(folder.path("server.log")).unwrap();
        let mut child = command.args(more).stderr(log).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let ready = serde_json::from_str(&line)
            .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&folder.read("server.log"))));
        Self { child, ready }
    }

    pub(crate) fn word(&self, member: &str) -> &str {
        self.ready[member].as_str().unwrap()
    }

    /// The number of its process.
    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }

    /// Asks it to stop and gives its exit code.
    pub(crate) fn stop(mut self) -> Option<i32> {
        let process = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .arg(process)
                .status()
                .unwrap()
                .success()
        );
        self.child.wait().unwrap().code()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The program, for a run in this folder.
pub(crate) fn gangplank(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gangplank"));
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if name.starts_with("GANGPLANK_") || name.to_ascii_lowercase().ends_with("_proxy") {
            command.env_remove(name);
        }
    }
    command
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}
