//! `gangplank serve --secure-manager` over a socket, with a program that only records how it was started.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod common;

use std::io::{Read as _, Write as _};
use std::net::{IpAddr, SocketAddr, TcpStream, UdpSocket};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use common::{Folder, Server};
use serde_json::{Value, json};

/// A server, and `docker` first in its `PATH`, which adds its arguments to the file `ran`.
struct Site {
    folder: Folder,
    server: Server,
    address: SocketAddr,
}

/// Status, head and body of an answer.
struct Answer(u16, String, String);

impl Site {
    fn new(listen: &str, more: &[&str]) -> Self {
        let folder = Folder::new();
        // A zero byte behind each argument, and a line feed behind each start.
        let script = "#!/bin/sh\n{ printf '%s\\000' \"$@\"; echo; } >> \"$RAN\"\n";
        folder.write("docker", script);
        let mode = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(folder.path("docker"), mode).unwrap();
        let search = format!("{}:/usr/bin:/bin", folder.path("").display());
        let environment = [("PATH", Path::new(&search)), ("RAN", &folder.path("ran"))];
        let listen = format!("--secure-manager={listen}");
        let arguments = [&[listen.as_str()], more].concat();
        let server = Server::start_with(&folder, &arguments, &environment);
        let address = server.word("secureManager").parse().unwrap();
        Self {
            folder,
            server,
            address,
        }
    }

    fn token(&self) -> String {
        let token = self.folder.read("data/admin.token");
        String::from_utf8(token).unwrap().trim().to_owned()
    }

    /// Asks as somebody who may.
    fn ask(&self, path: &str, body: &Value) -> Value {
        let Answer(status, head, body) = call(self.address, path, Some(&self.token()), body);
        assert_eq!(status, 200, "{head} {body}");
        serde_json::from_str(&body).unwrap()
    }

    fn command(&self, kind: &str, digests: &[String]) {
        let answer = self.ask(COMMANDS, &command(kind, digests));
        let expected = json!({ "Message": "ERROR_NONE", "SecureCmpName": "verifier" });
        assert_eq!(answer, expected, "{kind}");
    }

    fn order(&self, arguments: &[&str]) -> Value {
        self.ask(SERVICES, &order(arguments))["Message"].take()
    }

    /// The arguments of each start. A program that an answer is about was started before it: once the
    /// server has no child any more, all that were started have written theirs.
    fn started(&self) -> Vec<Vec<String>> {
        until("no program runs", || {
            (!has_children(self.server.process())).then_some(())
        });
        let ran = std::fs::read_to_string(self.folder.path("ran")).unwrap_or_default();
        let starts = ran.split_terminator("\0\n");
        let arguments = starts.map(|start| start.split('\0').map(str::to_owned).collect());
        arguments.collect()
    }

    /// The digests that the log says are on the list, in its whole lines.
    fn printed(&self) -> Vec<String> {
        let log = String::from_utf8(self.folder.read("server.log")).unwrap();
        let whole = log.rsplit_once('\n').map_or("", |(whole, _)| whole);
        let lines = whole
            .lines()
            .filter(|line| line.contains("on the allowlist"));
        let digest = |line: &str| {
            let (_, digest) = line.split_once("digest=sha256:").unwrap();
            digest.split(' ').next().unwrap().to_owned()
        };
        lines.map(digest).collect()
    }
}

/// One request on a connection of its own, which the server closes.
fn call(to: SocketAddr, path: &str, token: Option<&str>, body: &Value) -> Answer {
    let body = body.to_string();
    let mut request = format!("POST {path} HTTP/1.1\r\nHost: secure-manager\r\n");
    if let Some(token) = token {
        request += &format!("Authorization: {token}\r\n");
    }
    request += &format!("Content-Length: {}\r\n\r\n{body}", body.len());
    let mut stream = TcpStream::connect(to).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer(status, head.to_ascii_lowercase(), body.to_owned())
}

fn command(kind: &str, digests: &[String]) -> Value {
    let entries = digests.iter().map(|hex| json!({ "ContainerHash": hex }));
    let entries: Vec<Value> = entries.collect();
    json!({ "SecureMgr": "Verifier", "CmdType": kind, "Desc": entries })
}

fn order(arguments: &[&str]) -> Value {
    json!({
        "ServiceName": "press",
        "ServiceInfo": [{ "ExecutionType": "container", "ExecCmd": arguments }],
    })
}

fn digests(numbers: impl Iterator<Item = u32>) -> Vec<String> {
    numbers.map(|number| format!("{number:064x}")).collect()
}

fn pinned(digest: &str) -> String {
    format!("registry.example/acme/press:2@sha256:{digest}")
}

/// Whether a process runs, or ended and is not waited for yet, that this one started.
fn has_children(process: u32) -> bool {
    let parent = |stat: String| -> Option<u32> {
        // `number (name) state parent`, and the name may have blanks and parentheses.
        let (_, behind_name) = stat.rsplit_once(") ")?;
        behind_name.split(' ').nth(1)?.parse().ok()
    };
    let entries = std::fs::read_dir("/proc").unwrap().map(Result::unwrap);
    let mut stats = entries.filter_map(|one| std::fs::read_to_string(one.path().join("stat")).ok());
    stats.any(|stat| parent(stat) == Some(process))
}

/// Looks again and again, and fails when it takes too long.
fn until<T>(what: &str, look: impl Fn() -> Option<T>) -> T {
    let begin = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begin.elapsed() < DEADLINE, "not in time: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_printed_list_is_in_the_log_line_by_line() {
    let site = Site::new("127.0.0.1:0", &[]);
    // More than the store gives at a time.
    let listed = digests(1..=1500);
    let upper_case: Vec<String> = listed.iter().map(|hex| hex.to_uppercase()).collect();
    site.command("addHashCWL", &upper_case);
    site.command("delHashCWL", &listed[700..710]);
    assert!(site.printed().is_empty(), "nothing was to be printed yet");
    site.command("printAllHashCWL", &[]);
    let expected = [&listed[..700], &listed[710..]].concat();
    // In the order of the digests: with the last one, all are there.
    let printed = until("the last digest in the log", || {
        let printed = site.printed();
        (printed.last() == expected.last()).then_some(printed)
    });
    assert_eq!(printed.len(), expected.len());
    assert!(printed == expected, "other digests than those on the list");
    assert_eq!(site.server.stop(), Some(0));
}

#[test]
fn a_container_is_started_by_the_very_arguments_that_were_sent() {
    let site = Site::new("127.0.0.1:0", &["--secure-manager-launch"]);
    let listed = digests(1..=1);
    site.command("addHashCWL", &listed);
    let (listed, unlisted) = (pinned(&listed[0]), pinned(&"b".repeat(64)));
    let permitted = ["docker", "run", "--rm", "-e", "A=$HOME  'x'\n*", &listed];
    assert_eq!(site.order(&permitted), "ERROR_NONE");
    assert_eq!(site.started(), [&permitted[1..]]);
    for refused in [
        &["docker", "run", "--rm", &unlisted][..],
        &["docker", "run", "registry.example/acme/press:2"],
        &["docker", "run", "--privileged", &listed],
        &["docker", "run", "-v", "/:/host", &listed],
        &["docker", "run", &listed, "sh"],
        &["docker", "ps"],
        &["/bin/sh", "-c", "docker run evil", &listed],
        &[],
    ] {
        assert_eq!(site.order(refused), "NOT_ALLOWED_COMMAND", "{refused:?}");
        assert_eq!(site.started().len(), 1, "{refused:?}");
    }
    assert_eq!(site.order(&["docker", "run", &listed]), "ERROR_NONE");
    assert_eq!(site.started().len(), 2);
    site.command("delAllHashCWL", &[]);
    assert_eq!(site.order(&permitted), "NOT_ALLOWED_COMMAND");
    assert_eq!(site.started().len(), 2, "an empty list permits nothing");
}

#[test]
fn the_log_says_why_a_launch_failed() {
    let site = Site::new("127.0.0.1:0", &["--secure-manager-launch"]);
    let listed = digests(1..=1);
    site.command("addHashCWL", &listed);
    let script = "#!/bin/sh\necho 'cannot connect to the daemon' >&2\nexit 125\n";
    site.folder.write("docker", script);
    let mode = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(site.folder.path("docker"), mode).unwrap();
    assert_eq!(
        site.order(&["docker", "run", &pinned(&listed[0])]),
        "ERROR_NONE"
    );
    let line = until("the end of the launch in the log", || {
        let log = String::from_utf8(site.folder.read("server.log")).unwrap();
        let mut lines = log.split_inclusive('\n');
        let line = lines.find(|line| line.contains("a launch ended") && line.ends_with('\n'));
        line.map(str::to_owned)
    });
    assert!(line.contains("125"), "{line}");
    assert!(line.contains("cannot connect to the daemon"), "{line}");
}

#[test]
fn options_are_not_judged_only_if_that_was_asked_for() {
    let more = ["--secure-manager-launch", "--secure-manager-any-options"];
    let site = Site::new("127.0.0.1:0", &more);
    let listed = digests(1..=1);
    site.command("addHashCWL", &listed);
    let listed = pinned(&listed[0]);
    let order = ["docker", "run", "--privileged", &listed];
    assert_eq!(site.order(&order), "ERROR_NONE");
    assert_eq!(site.started(), [&order[1..]]);
}

#[test]
fn a_server_that_is_to_start_nothing_starts_nothing() {
    let site = Site::new("127.0.0.1:0", &[]);
    let listed = digests(1..=1);
    site.command("addHashCWL", &listed);
    let order = ["docker", "run", &pinned(&listed[0])];
    assert_eq!(site.order(&order), "SERVICE_NOT_FOUND");
    let unlisted = ["docker", "run", &pinned(&"b".repeat(64))];
    assert_eq!(site.order(&unlisted), "NOT_ALLOWED_COMMAND");
    assert!(site.started().is_empty());
}

#[test]
fn who_has_no_token_or_is_no_caller_does_nothing() {
    let own = own_address();
    if own.is_none() {
        println!("a call from elsewhere not run: this machine has no address but loopback");
    }
    // On all addresses; only those who come from loopback may call.
    let site = Site::new("0.0.0.0:0", &["--secure-manager-launch"]);
    let listed = digests(1..=1);
    let (local, port) = (IpAddr::from([127, 0, 0, 1]), site.address.port());
    let ask = |from, token: Option<&str>, path, body| {
        let Answer(status, head, body) = call(SocketAddr::new(from, port), path, token, body);
        assert!(status != 200 || !body.is_empty(), "{head}");
        (status, head)
    };
    let (token, wrong) = (site.token(), "x".repeat(43));
    let add = command("addHashCWL", &listed);
    assert_eq!(ask(local, Some(&token), COMMANDS, &add).0, 200);
    let order = order(&["docker", "run", &pinned(&listed[0])]);
    let clear = command("delAllHashCWL", &[]);
    for (path, body) in [(SERVICES, &order), (COMMANDS, &clear)] {
        let (status, head) = ask(local, None, path, body);
        assert_eq!(status, 401, "{head}");
        assert!(head.contains("www-authenticate: bearer\r\n"), "{head}");
        let (status, head) = ask(local, Some(&wrong), path, body);
        assert_eq!(status, 401, "{head}");
        assert!(head.contains("invalid_token"), "{head}");
        // A connection to an own address comes from there.
        let elsewhere = own.map(|own| ask(own, Some(&token), path, body).0);
        assert!(elsewhere.is_none_or(|status| status == 406));
    }
    assert!(site.started().is_empty());
    let shown = site.folder.ok(&["allow", "list", "--data", "data"], b"");
    assert_eq!(shown, format!("sha256:{}\n", listed[0]).as_bytes());
    drop(site);

    let Some(own) = own else {
        return;
    };
    let caller = own.to_string();
    let site = Site::new("0.0.0.0:0", &["--secure-manager-caller", &caller]);
    let there = SocketAddr::new(own, site.address.port());
    assert_eq!(call(there, COMMANDS, Some(&site.token()), &add).0, 200);
    assert_eq!(call(there, COMMANDS, None, &add).0, 401);
}

/// By which this machine would reach others. Nothing is sent.
fn own_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    socket.connect("192.0.2.1:9").ok()?;
    let own = socket.local_addr().ok()?.ip();
    (!own.is_loopback()).then_some(own)
}

const COMMANDS: &str = "/api/v1/orchestration/securemgr";
const SERVICES: &str = "/api/v1/orchestration/services";
const DEADLINE: Duration = Duration::from_secs(60);
