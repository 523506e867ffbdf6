//! A device that remembers all that the server told it, and holds the server to it.

use std::time::{Duration, Instant};

use gangplank_server::onboarding::v2024::onboarding::OnboardingResponse;
use gangplank_server::token::{ClientId, ClientSecret, TokenRequest};
use reqwest::Method;
use serde_json::Value;

use crate::Tally;
use crate::support::{Answer, Api, Device, Lost, Sealed};

pub(crate) struct Member {
    pub(crate) device: Device,
    /// As the operator was told; absent as long as the registration's answer is lost.
    pub(crate) device_id: Option<String>,
    client_id: Option<ClientId>,
    /// The secret that the token endpoint last took.
    used: Option<ClientSecret>,
    /// The secret acknowledged last, if it was not used yet.
    newest: Option<ClientSecret>,
    /// Acknowledged since the last start, to be sent again after the next.
    acknowledged: Vec<Sealed>,
    /// Its answer is lost: it may have been accepted or not.
    in_doubt: Option<InDoubt>,
    /// All that was accepted, and when it was signed at the latest.
    pub(crate) accepted: Vec<(Instant, Sealed)>,
}

struct InDoubt {
    request: Sealed,
    /// Of an answer whose beginning arrived.
    status: Option<u16>,
}

impl Member {
    pub(crate) fn new(device: Device) -> Self {
        Self {
            device,
            device_id: None,
            client_id: None,
            used: None,
            newest: None,
            acknowledged: Vec::new(),
            in_doubt: None,
            accepted: Vec::new(),
        }
    }

    pub(crate) async fn register(&mut self, api: &Api) -> Result<(), Lost> {
        let answer = api.register(&self.device).await?;
        assert!(matches!(answer.status, 200 | 201), "{}", answer.text());
        let id = answer.json()["deviceId"].as_str().unwrap().to_owned();
        self.device_id = Some(id);
        Ok(())
    }

    /// Onboards with a newly signed request. Calls `answered` before it so much as looks at the
    /// answer.
    pub(crate) async fn onboard(
        &mut self,
        api: &Api,
        answered: impl Fn(),
        tally: &mut Tally,
    ) -> Result<(), Lost> {
        let request = self.device.request();
        match api.onboard(&request.bytes).await {
            Ok(answer) => {
                answered();
                self.acknowledge(api, request, &answer, tally);
                Ok(())
            }
            Err(lost) => {
                let status = lost.status;
                self.in_doubt = Some(InDoubt { request, status });
                Err(lost)
            }
        }
    }

    fn acknowledge(&mut self, api: &Api, request: Sealed, answer: &Answer, tally: &mut Tally) {
        assert!(matches!(answer.status, 200 | 201), "{}", answer.text());
        let name = &self.device.id;
        let response = self.device.open(&api.root, &request, answer);
        let OnboardingResponse {
            client_id,
            device_id,
            client_secret,
            ..
        } = response;
        if answer.status == 201 && self.client_id.is_some() {
            tally
                .doubled
                .push(format!("{name} came aboard for the first time, again"));
        }
        if self.device_id.as_deref() != Some(device_id.as_str()) {
            tally
                .doubled
                .push(format!("{name} is {:?} and {device_id}", self.device_id));
        }
        if *self.client_id.get_or_insert(client_id.clone()) != client_id {
            tally
                .doubled
                .push(format!("{name} is also the client {client_id}"));
        }
        self.newest = client_secret;
        self.accepted.push((Instant::now(), request.clone()));
        self.acknowledged.push(request);
        tally.acknowledged += 1;
    }

    /// Compares the server, just started again, with what it had acknowledged.
    pub(crate) async fn inspect(&mut self, api: &Api, listed: Option<&Value>) -> Tally {
        let mut tally = Tally::default();
        if self.device_id.is_some() {
            let Some(listed) = listed else {
                tally
                    .lost
                    .push(format!("{} is not registered", self.device.id));
                return tally;
            };
            self.compare(listed, &mut tally);
        } else {
            self.register(api).await.unwrap();
        }
        let was_used = self.used.is_some();
        let newest_works = self.check_secrets(api, &mut tally).await;
        for request in std::mem::take(&mut self.acknowledged) {
            self.replay(api, &request, &mut tally).await;
        }
        if let Some(doubt) = self.in_doubt.take() {
            // Of the older secrets only the used one survives a newer one, so a newest that was
            // never used before and works says that the lost request had no effect at all.
            let accepted = match newest_works {
                Some(true) if was_used => Some(false),
                Some(false) => Some(true),
                _ => matches!(doubt.status, Some(200 | 201)).then_some(true),
            };
            self.resolve(api, doubt.request, accepted, &mut tally).await;
        }
        tally
    }

    fn compare(&self, listed: &Value, tally: &mut Tally) {
        let name = &self.device.id;
        let (id, state) = (listed["deviceId"].as_str(), listed["state"].as_str());
        if id != self.device_id.as_deref() {
            tally
                .doubled
                .push(format!("{name} was {:?} and is {id:?}", self.device_id));
        }
        let Some(client) = &self.client_id else {
            return;
        };
        if state != Some("aboard") || listed["clientId"].as_str() != Some(client.as_str()) {
            tally.lost.push(format!(
                "{name} is {state:?}, or no longer the client {client}"
            ));
        }
    }

    /// The secret acknowledged last works; or a request whose answer is lost has pushed it out, and
    /// the one used before works (`docs/decisions/0008-which-secrets-stay.md`). Whether it was the
    /// newest that works; `None` without a newest.
    async fn check_secrets(&mut self, api: &Api, tally: &mut Tally) -> Option<bool> {
        let newest = self.newest.take();
        if let Some(secret) = &newest
            && self.works(api, secret).await
        {
            self.used = newest;
            return Some(true);
        }
        let pushed_out = self.in_doubt.is_some() && self.used.is_some();
        if newest.is_some() && !pushed_out {
            tally
                .lost
                .push(format!("the newest secret of {}", self.device.id));
        }
        if let Some(secret) = &self.used
            && !self.works(api, secret).await
        {
            tally
                .lost
                .push(format!("the used secret of {}", self.device.id));
        }
        newest.map(|_| false)
    }

    async fn works(&self, api: &Api, secret: &ClientSecret) -> bool {
        let asked = TokenRequest {
            client_id: self.client_id.clone().unwrap(),
            client_secret: secret.clone(),
        };
        let (url, form) = (format!("{}/oauth2/token", api.devices), asked.form());
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        let answer = api
            .send(Method::POST, &url, &headers, form.as_bytes())
            .await
            .unwrap();
        assert!(
            matches!(answer.status, 200 | 400 | 401),
            "{}",
            answer.text()
        );
        answer.status == 200
    }

    /// The very bytes of a request whose answer is lost: accepted once, before the kill or now.
    async fn resolve(
        &mut self,
        api: &Api,
        request: Sealed,
        accepted: Option<bool>,
        tally: &mut Tally,
    ) {
        let name = self.device.id.clone();
        let answer = api.onboard(&request.bytes).await.unwrap();
        tally.in_doubt += 1;
        if answer.status == 401 {
            tally.in_doubt_accepted += 1;
            tally.refused += 1;
            if accepted == Some(false) {
                tally.lost.push(format!(
                    "half a request of {name}: its bytes are seen, its secret is not there"
                ));
            }
            self.accepted.push((Instant::now(), request));
            return;
        }
        if accepted == Some(true) {
            tally
                .accepted_again
                .push(format!("a request of {name} whose answer was lost"));
        }
        self.acknowledge(api, request, &answer, tally);
        if self.check_secrets(api, tally).await != Some(true) {
            tally.lost.push(format!(
                "the secret of {name} that was issued after the start"
            ));
        }
        for request in std::mem::take(&mut self.acknowledged) {
            self.replay(api, &request, tally).await;
        }
    }

    /// Bytes that were accepted before.
    pub(crate) async fn replay(&self, api: &Api, request: &Sealed, tally: &mut Tally) {
        let answer = api.onboard(&request.bytes).await.unwrap();
        match answer.status {
            401 => tally.refused += 1,
            200 | 201 => tally
                .accepted_again
                .push(format!("a request of {}", self.device.id)),
            _ => panic!("a replay of {}: {}", self.device.id, answer.text()),
        }
    }

    /// Sends everything again that was ever accepted and is not refused for its age.
    pub(crate) async fn replay_everything(&self, api: &Api) -> Tally {
        let mut tally = Tally::default();
        for (at, request) in &self.accepted {
            if at.elapsed() < YOUNG {
                self.replay(api, request, &mut tally).await;
            }
        }
        tally
    }
}

/// Well within the 300 s for which `created` is believed.
const YOUNG: Duration = Duration::from_secs(200);
