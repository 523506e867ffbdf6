//! One orchestrator, one box in front of it, and as many devices as there are meddlings.

use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use gangplank_client::Stopped;
use gangplank_testkit::{Leaf, self_signed};

use crate::forge::Thief;
use crate::proxy_support::site::Site;
use crate::proxy_support::{Answer, Asked, Proxy, Upstream, hook};
use crate::victim::{Machine, Victim};

pub struct World {
    pub site: Site,
    pub proxy: Proxy,
    pub thief: Arc<Thief>,
    /// A device that has a desired state.
    deployed: OnceLock<Victim>,
    devices: AtomicUsize,
    meddled: Arc<AtomicUsize>,
}

impl World {
    pub async fn new() -> Self {
        let proxy = Proxy::start().await;
        let site = Site::behind(&proxy).await;
        let issued = self_signed(&Leaf::new("device").serial_number("SN-accomplice"));
        site.register("SN-accomplice", &issued).await;
        let thief = Arc::new(Thief::new(&site, issued));
        let meddled = Arc::default();
        let world = Self {
            site,
            proxy,
            thief,
            deployed: OnceLock::new(),
            devices: AtomicUsize::new(0),
            meddled,
        };
        world.thief.come_aboard(&world).await;
        let deployed = world.aboard().await;
        world.site.push(&deployed.aboard().unwrap().device_id);
        world.deployed.set(deployed).ok().unwrap();
        world
    }

    /// A device that nobody registered.
    pub fn stranger(&self) -> Victim {
        let id = format!("SN-{:04}", self.devices.fetch_add(1, Ordering::SeqCst));
        let issued = self_signed(&Leaf::new("device").serial_number(&id));
        Victim::new(self, &id, issued)
    }

    pub async fn victim(&self) -> Victim {
        let victim = self.stranger();
        self.site.register(victim.id.as_str(), &victim.issued).await;
        victim
    }

    pub async fn aboard(&self) -> Victim {
        let mut victim = self.victim().await;
        self.comes_aboard(&mut victim).await;
        victim
    }

    /// A device that is aboard and has a desired state; always the same.
    pub async fn with_desired_state(&self) -> Victim {
        let deployed = self.deployed.get().unwrap();
        let mut victim = Victim::new(self, deployed.id.as_str(), deployed.issued.clone());
        victim.state.clone_from(&deployed.state);
        victim
    }

    /// The first `times` exchanges with a path that ends so are meddled with, all others passed on.
    pub fn meddle<F>(
        &self,
        route: &'static str,
        times: usize,
        act: impl Fn(usize, Asked, Upstream) -> F + Send + Sync + 'static,
    ) where
        F: Future<Output = Option<Answer>> + Send + 'static,
    {
        self.meddled.store(0, Ordering::SeqCst);
        let (act, meddled) = (Arc::new(act), Arc::clone(&self.meddled));
        self.proxy.meddle(Some(hook(move |asked, upstream| {
            let (act, meddled) = (Arc::clone(&act), Arc::clone(&meddled));
            async move {
                let path = asked.target.split('?').next().unwrap();
                let count = match path.ends_with(route) {
                    true => meddled.fetch_add(1, Ordering::SeqCst),
                    false => times,
                };
                match count < times {
                    true => act(count, asked, upstream).await,
                    false => Some(upstream.send(asked).await),
                }
            }
        })));
    }

    /// How often the box has met the route.
    pub fn met(&self) -> usize {
        self.meddled.load(Ordering::SeqCst)
    }

    /// The box is gone: the device comes aboard, and there is one of it.
    pub async fn comes_aboard(&self, victim: &mut Victim) {
        self.proxy.meddle(None);
        let mut onboarding = victim.onboarding();
        self.goes_on(victim, &mut onboarding).await;
        self.is_sound(victim).await;
    }

    /// The box is gone: what was begun is done.
    pub async fn goes_on<M: Machine>(&self, victim: &mut Victim, machine: &mut M) -> M::Output {
        self.proxy.meddle(None);
        self.drive_to_the_end(victim, machine).await
    }

    pub async fn drive_to_the_end<M: Machine>(
        &self,
        victim: &mut Victim,
        machine: &mut M,
    ) -> M::Output {
        let done: Option<Result<_, Stopped>> = victim.drive(self, machine, 20).await;
        let outcome = done
            .unwrap_or_else(|| panic!("still on its way: {:?} {:?}", victim.sent, victim.troubles));
        outcome.unwrap_or_else(|stopped| panic!("{stopped}: {:?}", victim.sent))
    }

    /// One device on the server, aboard, under the name that the device knows; nothing of the box's
    /// was ever written on the device.
    pub async fn is_sound(&self, victim: &Victim) {
        let known = self.site.device(victim.id.as_str()).await;
        let aboard = victim.aboard().expect("it is aboard");
        assert_eq!(known["state"], "aboard");
        assert_eq!(known["deviceId"], aboard.device_id.as_str());
        assert_eq!(known["clientId"], aboard.client_id.as_str());
        let url = format!("{}/", self.site.url());
        for given in [
            &aboard.token_endpoint_url,
            &aboard.git_repository_url,
            &aboard.git_credential_url,
        ] {
            assert!(given.as_str().starts_with(&url));
        }
        self.believed_nothing(victim);
    }

    pub fn believed_nothing(&self, victim: &Victim) {
        for text in &victim.written {
            assert!(
                !text.contains("attacker") && !text.contains(self.thief.device_id()),
                "{text}"
            );
        }
    }
}
