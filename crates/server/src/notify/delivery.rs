use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use gangplank_trust::TenantId;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use super::{EventSink, Notification, SinkError};
use crate::listen::Shutdown;
use crate::store::{MAX_PAGE, OutboxRecord, Store, StoreError};

/// Delivers events until shutdown: of each tenant one at a time, in order; tenants do not wait for one
/// another. An event leaves the outbox when the sink has taken it.
///
/// What the sink does not take is tried again after a second, then after twice as long each time, and
/// every five minutes at last. Two processes on one store deliver an event twice at worst.
pub async fn deliver(store: Arc<dyn Store>, sink: Arc<dyn EventSink>, mut stop: Shutdown) {
    let mut delivery = Delivery::default();
    loop {
        if let Err(error) = delivery.start_ready(&store, &sink).await {
            tracing::warn!(%error, "events cannot be read; they wait");
        }
        tokio::select! {
            () = stop.requested() => break,
            Some(ended) = delivery.running.join_next() => {
                if let Ok(ended) = ended {
                    delivery.end(&store, ended).await;
                }
            }
            () = sleep(POLL) => {}
        }
    }
    let rest = async {
        while let Some(ended) = delivery.running.join_next().await {
            if let Ok(ended) = ended {
                delivery.end(&store, ended).await;
            }
        }
    };
    // What is not taken by then comes again.
    let _ = timeout(LAST_MOMENT, rest).await;
}

#[derive(Default)]
struct Delivery {
    running: JoinSet<Ended>,
    busy: HashSet<TenantId>,
    waiting: HashMap<TenantId, Waiting>,
}

/// A tenant whose sink did not take an event.
#[derive(Clone, Copy)]
struct Waiting {
    failures: u32,
    until: Instant,
}

struct Ended {
    record: OutboxRecord,
    result: Result<(), SinkError>,
}

impl Delivery {
    async fn start_ready(
        &mut self,
        store: &Arc<dyn Store>,
        sink: &Arc<dyn EventSink>,
    ) -> Result<(), StoreError> {
        // All pages: a thousand tenants whose receivers fail must not hide the next one.
        let mut after = None;
        loop {
            let page = store.oldest_events(after.as_ref()).await?;
            let next = page.last().map(|record| record.tenant.clone());
            let is_full = page.len() >= MAX_PAGE;
            self.start(page, sink);
            if !is_full || self.running.len() >= MAX_RUNNING {
                return Ok(());
            }
            after = next;
        }
    }

    fn start(&mut self, oldest: Vec<OutboxRecord>, sink: &Arc<dyn EventSink>) {
        let now = Instant::now();
        for record in oldest {
            let tenant = &record.tenant;
            let waits = self.waiting.get(tenant).is_some_and(|one| one.until > now);
            if self.running.len() >= MAX_RUNNING || waits || self.busy.contains(tenant) {
                continue;
            }
            self.busy.insert(tenant.clone());
            let sink = Arc::clone(sink);
            self.running.spawn(async move {
                let result = sink.deliver(&Notification::of(&record)).await;
                Ended { record, result }
            });
        }
    }

    async fn end(&mut self, store: &Arc<dyn Store>, ended: Ended) {
        let Ended { record, result } = ended;
        self.busy.remove(&record.tenant);
        let taken = match result {
            // Not acknowledged, it comes again: the receiver tells by its number.
            Ok(()) => store
                .acknowledge_event(record.seq)
                .await
                .map_err(|error| SinkError(error.to_string())),
            refused => refused,
        };
        let Err(error) = taken else {
            self.waiting.remove(&record.tenant);
            return;
        };
        let failures = self
            .waiting
            .get(&record.tenant)
            .map_or(0, |one| one.failures);
        let wait = FIRST_WAIT
            .saturating_mul(1 << failures.min(16))
            .min(LAST_WAIT);
        tracing::warn!(tenant = %record.tenant, sequence = record.seq, %error, ?wait, "an event waits");
        let until = Instant::now() + wait;
        let failures = failures.saturating_add(1);
        self.waiting
            .insert(record.tenant, Waiting { failures, until });
    }
}

/// How often the outbox is looked at while nothing else happens.
const POLL: Duration = Duration::from_secs(1);
/// How long a shutdown waits for deliveries under way.
const LAST_MOMENT: Duration = Duration::from_secs(2);
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LAST_WAIT: Duration = Duration::from_secs(300);
/// Deliveries at one time: a receiver that is slow costs one tenant's place.
const MAX_RUNNING: usize = 64;
