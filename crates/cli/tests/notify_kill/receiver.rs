//! Takes events over HTTPS, and says when one has come.

use std::io;
use std::sync::{Arc, Mutex};

use gangplank_testkit::{Leaf, TestCa};
use rustls_pki_types::PrivateKeyDer;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// When it is told that an event has come.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Moment {
    /// Before it is answered; it never is, nor taken.
    Unanswered,
    /// When it has been answered with a 503, not taken, and its tenant's next one comes.
    Refused,
    /// When the answer has been sent.
    Answered,
    /// While it is answered.
    Any,
}

/// An event that was answered with a 2xx.
#[derive(Clone, Debug)]
pub(crate) struct Taken {
    pub(crate) sequence: u64,
    pub(crate) tenant_id: String,
    pub(crate) device_id: String,
}

pub(crate) struct Receiver {
    pub(crate) url: String,
    /// What its certificate is under.
    pub(crate) ca: TestCa,
    shared: Arc<Mutex<Shared>>,
}

#[derive(Default)]
struct Shared {
    taken: Vec<Taken>,
    plan: Option<Plan>,
    /// The tenant whose next event is waited for.
    refused: Option<(String, oneshot::Sender<()>)>,
}

/// With which of the events to come whoever waits is told.
struct Plan {
    left: u64,
    moment: Moment,
    tell: oneshot::Sender<()>,
}

impl Receiver {
    pub(crate) async fn start() -> Self {
        let ca = TestCa::new("Receivers");
        let issued = ca.issue(&Leaf::new("receiver").dns_name("localhost"));
        let key = PrivateKeyDer::try_from(issued.private_key).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![issued.certificate], key)
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!(
            "https://localhost:{}/",
            listener.local_addr().unwrap().port()
        );
        let shared = Arc::<Mutex<Shared>>::default();
        tokio::spawn(accept(
            listener,
            TlsAcceptor::from(Arc::new(tls)),
            Arc::clone(&shared),
        ));
        Self { url, ca, shared }
    }

    /// Tells with the `event`th event from now on.
    pub(crate) fn tell_of(&self, event: u64, moment: Moment) -> oneshot::Receiver<()> {
        let (tell, told) = oneshot::channel();
        let left = event;
        self.shared.lock().unwrap().plan = Some(Plan { left, moment, tell });
        told
    }

    pub(crate) fn taken(&self) -> Vec<Taken> {
        self.shared.lock().unwrap().taken.clone()
    }
}

async fn accept(listener: TcpListener, tls: TlsAcceptor, shared: Arc<Mutex<Shared>>) {
    while let Ok((stream, _)) = listener.accept().await {
        let (tls, shared) = (tls.clone(), Arc::clone(&shared));
        tokio::spawn(async move {
            if let Ok(stream) = tls.accept(stream).await {
                // The server's end of it may be killed at any time.
                let _ = serve(BufReader::new(stream), &shared).await;
            }
        });
    }
}

async fn serve(
    mut stream: BufReader<TlsStream<TcpStream>>,
    shared: &Mutex<Shared>,
) -> io::Result<()> {
    loop {
        let event: Value = serde_json::from_slice(&read(&mut stream).await?).unwrap();
        let event = taken(&event);
        let (moment, mut tell) = shared.lock().unwrap().due(&event).unzip();
        let mut tell_now = || tell.take().map(|tell| tell.send(()));
        match moment {
            Some(Moment::Unanswered) => {
                tell_now();
                // Until its other end is gone.
                stream.read_u8().await?;
                return Ok(());
            }
            Some(Moment::Refused) => {
                answer(&mut stream, "503 Busy").await?;
                continue;
            }
            Some(Moment::Any) => drop(tell_now()),
            Some(Moment::Answered) | None => {}
        }
        shared.lock().unwrap().taken.push(event);
        answer(&mut stream, "204 No Content").await?;
        tell_now();
    }
}

impl Shared {
    /// What is to be done with this event, other than to take it.
    fn due(&mut self, event: &Taken) -> Option<(Moment, oneshot::Sender<()>)> {
        let again = |(tenant, _): &mut (String, _)| *tenant == event.tenant_id;
        if let Some((_, tell)) = self.refused.take_if(again) {
            return Some((Moment::Any, tell));
        }
        let plan = self.plan.as_mut()?;
        plan.left -= 1;
        let Plan { moment, tell, .. } = self.plan.take_if(|plan| plan.left == 0)?;
        if moment == Moment::Refused {
            let (nobody, _) = oneshot::channel();
            self.refused = Some((event.tenant_id.clone(), tell));
            return Some((moment, nobody));
        }
        Some((moment, tell))
    }
}

async fn answer(stream: &mut BufReader<TlsStream<TcpStream>>, status: &str) -> io::Result<()> {
    let head = match status.starts_with("204") {
        true => format!("HTTP/1.1 {status}\r\n\r\n"),
        false => format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n"),
    };
    stream.write_all(head.as_bytes()).await?;
    stream.flush().await
}

fn taken(event: &Value) -> Taken {
    let text = |name: &str| event[name].as_str().unwrap().to_owned();
    Taken {
        sequence: event["sequence"].as_u64().unwrap(),
        tenant_id: text("tenantId"),
        device_id: text("deviceId"),
    }
}

/// The body of the next request (RFC 9112), which says how long it is.
async fn read(stream: &mut BufReader<TlsStream<TcpStream>>) -> io::Result<Vec<u8>> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let line = line.trim_end().to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line.is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await?;
    Ok(body)
}
