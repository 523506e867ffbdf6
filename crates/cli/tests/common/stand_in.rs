//! A server under a root of its own that answers whatever a test wants, to see what becomes of it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use gangplank_testkit::{Leaf, TestCa};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::Folder;

/// What is answered: a status line without the version, perhaps with fields behind it, and a body.
pub(crate) type Answer = (String, String);

/// Where it listens, for as long as the test runs.
pub(crate) struct StandIn(String);

impl StandIn {
    /// Answers each request by its target. Its root and a token are in the folder afterwards.
    pub(crate) fn start(folder: &Folder, answer: impl Fn(&str) -> Answer + Send + 'static) -> Self {
        let authority = TestCa::new("root");
        let leaf = authority.issue(&Leaf::new("stand-in").dns_name("localhost"));
        folder.write("root.der", &authority.certificate);
        folder.write("token", "a-token");
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let key = PrivatePkcs8KeyDer::from(leaf.private_key.clone());
        let tls = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![leaf.certificate.clone()], key.into());
        let tls = Arc::new(tls.unwrap());
        let listener = TcpListener::bind("localhost:0").unwrap();
        let url = format!(
            "https://localhost:{}",
            listener.local_addr().unwrap().port()
        );
        thread::spawn(move || {
            for connection in listener.incoming() {
                // Who does not like it may go away at any time.
                let _ = serve(&tls, connection.unwrap(), &answer);
            }
        });
        Self(url)
    }

    /// The arguments that lead to it.
    pub(crate) fn place(&self) -> [&str; 6] {
        let Self(url) = self;
        ["--url", url, "--root", "root.der", "--token-file", "token"]
    }
}

fn serve(
    tls: &Arc<ServerConfig>,
    connection: TcpStream,
    answer: impl Fn(&str) -> Answer,
) -> std::io::Result<()> {
    let session = ServerConnection::new(Arc::clone(tls)).unwrap();
    let mut stream = BufReader::new(StreamOwned::new(session, connection));
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if stream.read_line(&mut head)? == 0 {
            return Ok(());
        }
    }
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        let is_it = name.eq_ignore_ascii_case("content-length");
        is_it.then(|| value.trim().parse().unwrap())
    });
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body)?;
    let target = head.split(' ').nth(1).unwrap_or_default();
    let (status, body) = answer(target);
    let length = body.len();
    let mut stream = stream.into_inner();
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )?;
    stream.conn.send_close_notify();
    stream.flush()
}
