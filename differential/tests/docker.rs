//! Where Docker's own program finds the image in a command line, beside [`Launch`].
//!
//! The program talks to a daemon that only notes which image it is asked to create a container of. Where
//! `Launch` found an image, that one has to be asked for, or none: the program may know less than the
//! table, or refuse a value.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use gangplank_allowlist::{Launch, OptionPolicy};
use gangplank_testkit::temp_dir;

#[test]
fn docker_asks_for_the_image_that_was_found() {
    if !Command::new("docker")
        .arg("--version")
        .stdout(Stdio::null())
        .status()
        .is_ok_and(|s| s.success())
    {
        println!("docker not compared: the program is absent");
        return;
    }
    let folder = temp_dir();
    let socket = folder.path().join("socket");
    let asked = daemon(UnixListener::bind(&socket).unwrap());
    let host = format!("unix://{}", socket.display());
    let (mut random, mut same, mut none) = (Random(SEED), 0, 0);
    let random = (0..LINES).map(|_| arguments(&mut random));
    for arguments in one_option_each().chain(random) {
        let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let found = Launch::parse(&words, OptionPolicy::Compat);
        let Ok(launch) = found else { continue };
        let ended = Command::new("docker")
            .args(&words[1..])
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", folder.path())
            .env("DOCKER_HOST", &host)
            .env("DOCKER_API_VERSION", "1.41")
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .output();
        ended.unwrap();
        let created: Vec<String> = asked.try_iter().collect();
        match created.first() {
            None => none += 1,
            Some(_) => same += 1,
        }
        let image = launch.image().to_string();
        assert!(
            created.iter().all(|other| *other == image),
            "{words:?}: {created:?}"
        );
    }
    println!("docker: {same} command lines with the same image, {none} that it refuses");
    assert!(same >= LINES / 10, "{same}");
}

/// Sends the image of each container that is asked for.
fn daemon(listener: UnixListener) -> Receiver<String> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let sender = sender.clone();
            thread::spawn(move || serve(stream, &sender));
        }
    });
    receiver
}

fn serve(stream: UnixStream, sender: &Sender<String>) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    loop {
        let (mut line, mut length) = (String::new(), 0);
        reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
        loop {
            let mut field = String::new();
            reader.read_line(&mut field).ok().filter(|read| *read > 0)?;
            let field = field.trim_end().to_ascii_lowercase();
            if let Some(value) = field.strip_prefix("content-length:") {
                length = value.trim().parse().ok()?;
            }
            if field.is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        let (status, answer) = if line.contains("/containers/create") {
            let body: serde_json::Value = serde_json::from_slice(&body).ok()?;
            sender.send(body["Image"].as_str()?.to_owned()).ok()?;
            ("500 Noted", r#"{"message":"noted"}"#)
        } else if line.contains("/_ping") {
            ("200 OK", if line.starts_with("HEAD") { "" } else { "OK" })
        } else {
            ("404 Not Found", r#"{"message":"not here"}"#)
        };
        let head = format!(
            "HTTP/1.1 {status}\r\nApi-Version: 1.41\r\nOstype: linux\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{answer}",
            answer.len()
        );
        (&stream).write_all(head.as_bytes()).ok()?;
    }
}

/// An image behind each option, which is its value or not, and another one.
fn one_option_each() -> impl Iterator<Item = Vec<String>> {
    let long = OPTIONS.iter().map(|option| format!("--{option}"));
    let short = LETTERS.iter().map(|letter| format!("-{letter}"));
    long.chain(short).map(|option| {
        let words = ["docker", "create", &option, IMAGES[0], IMAGES[1]];
        words.map(str::to_owned).to_vec()
    })
}

fn arguments(random: &mut Random) -> Vec<String> {
    let mut arguments = vec!["docker".to_owned()];
    for _ in 0..random.below(2) {
        let option = random.one(&["-D", "--debug", "-l=debug", "--log-level", "--tls=false"]);
        arguments.push(option.to_owned());
        if option == "--log-level" {
            arguments.push(random.one(&["debug", "run", "-D"]).to_owned());
        }
    }
    if random.below(6) == 0 {
        arguments.push("container".to_owned());
    }
    arguments.push(random.one(&["run", "create"]).to_owned());
    for _ in 0..random.below(5) {
        let value = random.value();
        match random.below(4) {
            0 => arguments.push(format!("--{}={value}", random.one(OPTIONS))),
            1 => arguments.extend([format!("--{}", random.one(OPTIONS)), value]),
            2 => arguments.push(
                random
                    .one(&["--rm", "-d", "-it", "--init", "--", "-i=false"])
                    .to_owned(),
            ),
            _ => {
                let letters: String = (0..=random.below(2)).map(|_| random.one(LETTERS)).collect();
                let attached = random.one(&["", "", "=", "=false", "=x", IMAGES[1]]);
                arguments.push(format!("-{letters}{attached}"));
                if random.below(2) == 0 {
                    arguments.push(value);
                }
            }
        }
    }
    for _ in 0..=random.below(2) {
        arguments.push(random.one(&IMAGES).to_owned());
    }
    arguments
}

/// The generator of Marsaglia's: the same lines in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % end
    }

    fn one<'t>(&mut self, of: &[&'t str]) -> &'t str {
        of[self.below(of.len())]
    }

    fn value(&mut self) -> String {
        let plain = [
            "a", "1", "true", "a:/b", "run", "-d", "--rm", "--", "x=y", "none", "64m",
        ];
        match self.below(3) {
            0 => self.one(&IMAGES).to_owned(),
            _ => self.one(&plain).to_owned(),
        }
    }
}

const SEED: u64 = 0x6761_6e67_706c_616e;
const LINES: usize = 300;
const IMAGES: [&str; 2] = [
    "good@sha256:0707070707070707070707070707070707070707070707070707070707070707",
    "evil.example/x:1@sha256:0606060606060606060606060606060606060606060606060606060606060606",
];
const LETTERS: &[&str] = &[
    "a", "c", "d", "e", "h", "i", "l", "m", "p", "P", "q", "t", "u", "v", "w",
];
/// Options of every kind that no version of the last years lacks.
const OPTIONS: &[&str] = &[
    "add-host",
    "annotation",
    "cap-add",
    "cidfile",
    "cpu-shares",
    "cpus",
    "detach",
    "device",
    "dns",
    "entrypoint",
    "env",
    "env-file",
    "expose",
    "group-add",
    "health-cmd",
    "hostname",
    "init",
    "interactive",
    "ipc",
    "label",
    "link",
    "log-driver",
    "memory",
    "mount",
    "name",
    "net",
    "network",
    "no-healthcheck",
    "oom-kill-disable",
    "pid",
    "platform",
    "privileged",
    "publish",
    "publish-all",
    "pull",
    "quiet",
    "read-only",
    "restart",
    "rm",
    "runtime",
    "security-opt",
    "shm-size",
    "sig-proxy",
    "stop-signal",
    "stop-timeout",
    "sysctl",
    "tmpfs",
    "tty",
    "ulimit",
    "user",
    "userns",
    "uts",
    "volume",
    "volume-driver",
    "volumes-from",
    "workdir",
];
