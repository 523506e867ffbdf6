use std::net::IpAddr;
use std::process::Stdio;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Extension;
use axum::routing::get;
use http::HeaderMap;
use rustls::ClientConfig;
use rustls_pki_types::{ServerName, UnixTime};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsConnector;

use super::accept::{Accept, serve_all};
use super::*;
use crate::authority::Authority;

/// A server on free ports of this machine.
struct Running {
    _directory: tempfile::TempDir,
    authority: Authority,
    tls: SocketAddr,
    admin: SocketAddr,
    plain: SocketAddr,
    trigger: ShutdownTrigger,
    task: JoinHandle<()>,
}

async fn start(public: Router, trusted: &str, limits: Limits) -> Running {
    let directory = tempfile::tempdir().unwrap();
    let authority = Authority::open(directory.path(), "localhost", UnixTime::now()).unwrap();
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let config = ListenConfig {
        plain: Some(any),
        trusted_proxies: TrustedProxies::new(vec![trusted.parse().unwrap()]),
        limits,
        ..ListenConfig::new(any, any, authority.tls_resolver())
    };
    let bound = Listeners::bind(config).await.unwrap();
    let (tls, admin) = (bound.tls_address(), bound.admin_address());
    let plain = bound.plain_address().unwrap();
    let (trigger, shutdown) = Shutdown::new();
    let operator = Router::new().route("/", get(|| async { "operator" }));
    let task = tokio::spawn(bound.serve(public, operator, shutdown));
    Running {
        _directory: directory,
        authority,
        tls,
        admin,
        plain,
        trigger,
        task,
    }
}

/// Answers with the peer and the forwarding headers left over.
fn who() -> Router {
    let answer = |Extension(peer): Extension<Peer>, headers: HeaderMap| async move {
        let left = headers
            .keys()
            .filter(|name| name.as_str().contains("forwarded"))
            .count();
        format!("{} {} {left}", peer.address, peer.over_tls)
    };
    Router::new().route("/", get(answer))
}

async fn ask(mut stream: impl AsyncRead + AsyncWrite + Unpin, headers: &str) -> String {
    let request = format!("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer.rsplit("\r\n").next().unwrap().to_owned()
}

async fn tls_stream(
    running: &Running,
    to: SocketAddr,
    version: &'static rustls::SupportedProtocolVersion,
) -> tokio_rustls::client::TlsStream<TcpStream> {
    let mut roots = rustls::RootCertStore::empty();
    roots
        .add(running.authority.root_certificate().clone())
        .unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[version])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let stream = TcpStream::connect(to).await.unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await
        .unwrap()
}

#[tokio::test]
async fn tls_1_3_and_1_2_are_served_under_the_root() {
    let running = start(who(), "10.0.0.0/8", Limits::default()).await;
    for version in [&rustls::version::TLS13, &rustls::version::TLS12] {
        let stream = tls_stream(&running, running.tls, version).await;
        let (_, connection) = stream.get_ref();
        assert_eq!(connection.protocol_version(), Some(version.version));
        assert_eq!(connection.alpn_protocol(), Some(&b"http/1.1"[..]));
        // Not from a trusted proxy: what it says about others is ignored, and removed.
        let answer = ask(
            stream,
            "X-Forwarded-For: 198.51.100.1\r\nForwarded: for=x\r\n",
        )
        .await;
        assert_eq!(answer, "127.0.0.1 true 0");
        let stream = tls_stream(&running, running.admin, version).await;
        assert_eq!(ask(stream, "").await, "operator");
    }
}

#[tokio::test]
async fn openssl_verifies_the_tls_listener_and_is_refused_old_versions() {
    let running = start(who(), "10.0.0.0/8", Limits::default()).await;
    let root = running._directory.path().join("root.pem");
    let to = running.tls.to_string();
    for (version, served) in [("-tls1_3", true), ("-tls1_2", true), ("-tls1_1", false)] {
        let status = tokio::process::Command::new("openssl")
            .args([
                "s_client",
                "-verify_return_error",
                "-verify_hostname",
                "localhost",
                "-CAfile",
            ])
            .arg(&root)
            .args([version, "-connect", &to])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .await
            .unwrap();
        assert_eq!(status.success(), served, "{version}");
    }
}

#[tokio::test]
async fn renewed_certificates_are_presented_at_once() {
    let running = start(who(), "10.0.0.0/8", Limits::default()).await;
    let presented = async || {
        let stream = tls_stream(&running, running.tls, &rustls::version::TLS13).await;
        stream.get_ref().1.peer_certificates().unwrap()[0].clone()
    };
    let before = presented().await;
    assert_eq!(presented().await, before);
    // The new certificate is not valid yet for the client, which reads the real clock; so the time
    // of renewal lies before the old one's beginning.
    let earlier = Duration::from_secs(UnixTime::now().as_secs() - 7200);
    running
        .authority
        .renew(UnixTime::since_unix_epoch(earlier))
        .unwrap();
    assert_ne!(presented().await, before);
}

#[tokio::test]
async fn the_plain_listener_believes_a_trusted_proxy() {
    let running = start(who(), "127.0.0.0/8", Limits::default()).await;
    let stream = TcpStream::connect(running.plain).await.unwrap();
    let answer = ask(stream, "X-Forwarded-For: 1.2.3.4, 198.51.100.1\r\n").await;
    assert_eq!(answer, "198.51.100.1 false 0");
    // A trusted proxy that passes TLS on is believed on the TLS listener, too.
    let stream = tls_stream(&running, running.tls, &rustls::version::TLS13).await;
    assert_eq!(
        ask(stream, "X-Forwarded-For: 198.51.100.1\r\n").await,
        "198.51.100.1 true 0"
    );
}

#[tokio::test]
async fn the_plain_listener_closes_on_strangers_without_a_word() {
    let running = start(who(), "10.0.0.0/8", Limits::default()).await;
    let mut stream = TcpStream::connect(running.plain).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    assert!(answer.is_empty());
}

#[tokio::test]
async fn a_plain_listener_without_trusted_proxies_is_refused() {
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let directory = tempfile::tempdir().unwrap();
    let authority = Authority::open(directory.path(), "localhost", UnixTime::now()).unwrap();
    let mut config = ListenConfig::new(any, any, authority.tls_resolver());
    config.plain = Some(any);
    let error = Listeners::bind(config).await.err().unwrap();
    assert!(matches!(error, ListenError::NoTrustedProxy(_)), "{error}");
}

#[tokio::test]
async fn a_taken_address_is_named() {
    let running = start(who(), "10.0.0.0/8", Limits::default()).await;
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let config = ListenConfig::new(running.tls, any, running.authority.tls_resolver());
    let error = Listeners::bind(config).await.err().unwrap();
    assert_eq!(
        error.to_string(),
        format!("cannot listen on {}", running.tls)
    );
}

/// Answers when told to, and tells when asked.
fn slow() -> (Router, Arc<Notify>, Arc<Notify>) {
    let (asked, answer) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (tell, wait) = (Arc::clone(&asked), Arc::clone(&answer));
    let handler = move || async move {
        tell.notify_one();
        wait.notified().await;
        "finished"
    };
    (Router::new().route("/", get(handler)), asked, answer)
}

#[tokio::test(start_paused = true)]
async fn a_request_in_flight_finishes_after_shutdown_and_nothing_new_begins() {
    let (router, asked, answer) = slow();
    let running = start(router, "127.0.0.0/8", Limits::default()).await;
    let idle = TcpStream::connect(running.plain).await.unwrap();
    let stream = TcpStream::connect(running.plain).await.unwrap();
    let request = tokio::spawn(async move { ask(stream, "").await });
    asked.notified().await;
    running.trigger.shut_down();
    // The listeners close at once; so does a connection that has nothing in flight.
    let mut idle = idle;
    assert_eq!(idle.read(&mut [0; 1]).await.unwrap(), 0);
    assert!(TcpStream::connect(running.plain).await.is_err());
    assert!(!running.task.is_finished());
    answer.notify_one();
    assert_eq!(request.await.unwrap(), "finished");
    running.task.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_request_that_does_not_finish_is_cut_off_after_the_drain_time() {
    let (router, asked, _never) = slow();
    let running = start(router, "127.0.0.0/8", Limits::default()).await;
    let stream = TcpStream::connect(running.plain).await.unwrap();
    let request = tokio::spawn(async move { ask(stream, "").await });
    asked.notified().await;
    let asked_at = Instant::now();
    drop(running.trigger);
    running.task.await.unwrap();
    assert_eq!(asked_at.elapsed().as_secs(), 10);
    assert_eq!(request.await.unwrap(), "");
}

/// Seconds until the server closes `stream`, reading whatever it says before.
async fn seconds_until_closed(mut stream: TcpStream) -> u64 {
    let since = Instant::now();
    let _ = stream.read_to_end(&mut Vec::new()).await;
    since.elapsed().as_secs()
}

#[tokio::test(start_paused = true)]
async fn slow_and_idle_connections_are_closed() {
    let running = start(who(), "127.0.0.0/8", Limits::default()).await;
    for (sent, on, expected) in [
        (&b""[..], running.plain, 30),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ", running.plain, 30),
        // Kept alive after an answer, but not for ever.
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", running.plain, 30),
        // Silent, and in the middle of a TLS handshake.
        (b"", running.tls, 10),
        (b"\x16\x03\x01", running.tls, 10),
    ] {
        let mut stream = TcpStream::connect(on).await.unwrap();
        stream.write_all(sent).await.unwrap();
        assert_eq!(seconds_until_closed(stream).await, expected, "{sent:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn no_more_connections_are_served_than_there_is_room_for() {
    let limits = Limits {
        connections: 1,
        ..Limits::default()
    };
    let running = start(who(), "127.0.0.0/8", limits).await;
    let mut first = TcpStream::connect(running.plain).await.unwrap();
    first
        .write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    assert_ne!(first.read(&mut [0; 1024]).await.unwrap(), 0);

    let second = TcpStream::connect(running.plain).await.unwrap();
    let mut second = tokio::spawn(async move { ask(second, "").await });
    assert!(timeout(Duration::from_secs(5), &mut second).await.is_err());
    // Operators have room of their own.
    let operator = tls_stream(&running, running.admin, &rustls::version::TLS13).await;
    assert_eq!(ask(operator, "").await, "operator");
    drop(first);
    assert_eq!(second.await.unwrap(), "127.0.0.1 false 0");
}

/// Fails some times, as `accept` does without file descriptors, then works.
struct Exhausted {
    listener: TcpListener,
    failures: AtomicUsize,
}

impl Accept for Exhausted {
    async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        let left = self.failures.load(Ordering::SeqCst);
        if left == 0 {
            return Accept::accept(&self.listener).await;
        }
        self.failures.store(left - 1, Ordering::SeqCst);
        const EMFILE: i32 = 24;
        Err(io::Error::from_raw_os_error(EMFILE))
    }
}

#[tokio::test(start_paused = true)]
async fn a_failing_accept_is_tried_again_without_spinning() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let local = IpAddr::from([127, 0, 0, 1]);
    let serving = Serving {
        router: who(),
        protocol: Protocol::BehindProxy,
        proxies: Arc::new(TrustedProxies::new(vec![local.into()])),
        limits: Limits::default(),
    };
    let (_trigger, shutdown) = Shutdown::new();
    let accept = Exhausted {
        listener,
        failures: AtomicUsize::new(10),
    };
    let since = Instant::now();
    let room = Arc::new(Semaphore::new(1));
    tokio::spawn(serve_all(accept, serving, Arc::clone(&room), shutdown));
    let stream = TcpStream::connect(address).await.unwrap();
    assert_eq!(ask(stream, "").await, "127.0.0.1 false 0");
    assert_eq!(since.elapsed(), Duration::from_millis(500) * 10);
}
