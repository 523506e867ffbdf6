//! How the Secure Manager's port starts, and what it writes into the log. A process of its own: its
//! subscriber is for all threads.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod common;

use std::fmt::{Debug, Write as _};
use std::sync::{Mutex, Once};
use std::time::Duration;

use common::{World, request};
use gangplank_server::allowlist::OptionPolicy;
use gangplank_server::listen::Peer;
use gangplank_server::secure_manager::{SecureManager, secure_manager_router};
use gangplank_server::serve::{ServeConfig, ServeError, start};
use gangplank_server::store::DEFAULT_TENANT;
use gangplank_server::trust::TenantId;
use gangplank_testkit::temp_dir;
use http::Method;
use serde_json::json;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

/// Who reads the log, each from where it began to.
static READERS: Mutex<Vec<UnboundedSender<(Level, String)>>> = Mutex::new(Vec::new());

fn log() -> UnboundedReceiver<(Level, String)> {
    static SET: Once = Once::new();
    SET.call_once(|| tracing::subscriber::set_global_default(Log).unwrap());
    let (sender, receiver) = unbounded_channel();
    READERS.lock().unwrap().push(sender);
    receiver
}

struct Log;

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("gangplank")
    }
    fn event(&self, event: &Event<'_>) {
        let mut line = Line::default();
        event.record(&mut line);
        for reader in READERS.lock().unwrap().iter() {
            // A test that is over reads no more.
            let _ = reader.send((*event.metadata().level(), line.0.clone()));
        }
    }
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

/// `name=value;` for each field.
#[derive(Default)]
struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, "{field}={value:?};").unwrap();
    }
}

#[tokio::test]
async fn how_many_images_were_printed_is_said() {
    let mut log = log();
    let world = World::new().await;
    let tenant = TenantId::parse(DEFAULT_TENANT).unwrap();
    let router = secure_manager_router(world.server.clone(), SecureManager::new(tenant));
    for images in 0..3_usize {
        if images > 0 {
            let add = json!({ "add": [{ "digest": format!("{images:064x}") }] }).to_string();
            let path = "/admin/tenants/default/allowlist";
            world.operator(Method::POST, path, &add).await;
        }
        let path = "/api/v1/orchestration/securemgr";
        let authorization = [("authorization", world.admin_token.as_str())];
        let print = json!({ "CmdType": "printAllHashCWL" }).to_string();
        let mut request = request(Method::POST, path, &authorization, print.as_bytes());
        let address = "127.0.0.1".parse().unwrap();
        let over_tls = false;
        request.extensions_mut().insert(Peer { address, over_tls });
        let answer = world.send(&router, request).await;
        assert_eq!(answer.json()["Message"], "ERROR_NONE");
        let mut listed = 0;
        let last = loop {
            let next = tokio::time::timeout(DEADLINE, log.recv()).await;
            let (level, line) = next.unwrap().unwrap();
            if line.contains("message=on the allowlist;") {
                listed += 1;
            } else if line.contains("printed whole") {
                break (level, line);
            }
        };
        assert_eq!((last.0, listed), (Level::INFO, images));
        assert!(last.1.contains(&format!("images={images};")), "{}", last.1);
    }
}

#[tokio::test]
async fn a_port_that_judges_no_options_says_so() {
    for (options, warnings) in [(OptionPolicy::Strict, 0), (OptionPolicy::Compat, 1)] {
        let mut log = log();
        let folder = temp_dir();
        let any = "127.0.0.1:0".parse().unwrap();
        let mut config = ServeConfig::new(folder.path().join("data"), any, any);
        let mut settings = SecureManager::new(TenantId::parse(DEFAULT_TENANT).unwrap());
        settings.options = options;
        config.secure_manager = Some((any, settings));
        start(config).await.unwrap().shutdown().await;
        let lines = std::iter::from_fn(|| log.try_recv().ok());
        let warned =
            |(level, line): &(Level, String)| *level == Level::WARN && line.contains("no options");
        assert_eq!(lines.filter(warned).count(), warnings, "{options:?}");
    }
}

#[tokio::test]
async fn without_its_tenant_the_server_does_not_start() {
    let folder = temp_dir();
    let any = "127.0.0.1:0".parse().unwrap();
    let mut config = ServeConfig::new(folder.path().join("data"), any, any);
    let settings = SecureManager::new(TenantId::parse("nobody").unwrap());
    config.secure_manager = Some((any, settings));
    let error = start(config).await.unwrap_err();
    assert!(matches!(&error, ServeError::NoSuchTenant(tenant) if tenant.as_str() == "nobody"));
    assert!(error.to_string().contains("nobody"), "{error}");
}

const DEADLINE: Duration = Duration::from_secs(60);
