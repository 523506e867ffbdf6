//! Where devices race: a server that is there, or is being started again.
#![allow(dead_code)]

use std::sync::Arc;

use gangplank_server::onboarding::DeviceId;
use gangplank_server::onboarding::v2024::onboarding::OnboardingResponse;
use gangplank_server::token::{ClientId, ClientSecret};
use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;

use crate::support::{Api, DEADLINE, Device};

/// What all racers share with the one who kills.
pub(crate) struct Course {
    /// None while there is no server.
    serving: watch::Sender<Option<Api>>,
    answers: watch::Sender<u64>,
    room: Semaphore,
}

impl Course {
    pub(crate) fn new(api: Api) -> Self {
        Self {
            serving: watch::Sender::new(Some(api)),
            answers: watch::Sender::new(0),
            room: Semaphore::new(AT_ONCE),
        }
    }

    /// Who loses an answer from now on is not to blame the server.
    pub(crate) fn close(&self) {
        self.serving.send_replace(None);
    }

    pub(crate) fn open(&self, api: Api) {
        self.serving.send_replace(Some(api));
    }

    /// Returns when there have been so many answers.
    pub(crate) async fn answered(&self, answers: u64) {
        let mut seen = self.answers.subscribe();
        let reached = seen.wait_for(|count| *count >= answers);
        timeout(DEADLINE, reached).await.expect("in time").unwrap();
    }

    async fn server(&self) -> Api {
        let mut serving = self.serving.subscribe();
        let there = timeout(DEADLINE, serving.wait_for(Option::is_some)).await;
        let there = there.expect("a server in time").unwrap();
        there.clone().unwrap()
    }

    fn is(&self, api: &Api) -> bool {
        let serving = self.serving.borrow();
        serving.as_ref().is_some_and(|one| one.plain == api.plain)
    }
}

/// One of those who have a device's key and want to bring it aboard.
pub(crate) struct Racer {
    pub(crate) number: usize,
    pub(crate) device: Device,
}

/// How it went.
pub(crate) struct Ran {
    pub(crate) device: usize,
    pub(crate) acknowledged: Option<Acknowledged>,
    pub(crate) lost: usize,
    pub(crate) fault: Option<String>,
}

impl Racer {
    /// Asks, newly signed each time, until there is an answer.
    pub(crate) async fn run(mut self, course: Arc<Course>) -> Ran {
        let mut ran = Ran {
            device: self.number,
            acknowledged: None,
            lost: 0,
            fault: None,
        };
        // Kept until it is aboard: so those of a device are at it together.
        let _room = course.room.acquire().await.unwrap();
        loop {
            let api = course.server().await;
            let request = self.device.request();
            let plain = api.plain.as_ref().unwrap();
            match api.onboard_at(plain, &request.bytes).await {
                Ok(answer) if matches!(answer.status, 200 | 201) => {
                    course.answers.send_modify(|count| *count += 1);
                    let response = self.device.open(&api.root, &request, &answer);
                    ran.acknowledged = Some(Acknowledged::new(answer.status, response));
                    return ran;
                }
                Ok(answer) => {
                    course.answers.send_modify(|count| *count += 1);
                    ran.fault = Some(format!("{}: {}", self.device.id, answer.text()));
                    return ran;
                }
                Err(lost) => {
                    assert!(!course.is(&api), "the server lives: {lost:?}");
                    ran.lost += 1;
                }
            }
        }
    }
}

/// What an answer said.
pub(crate) struct Acknowledged {
    pub(crate) status: u16,
    pub(crate) device_id: DeviceId,
    pub(crate) client_id: ClientId,
    pub(crate) secret: ClientSecret,
}

impl Acknowledged {
    pub(crate) fn new(status: u16, response: OnboardingResponse) -> Self {
        Self {
            status,
            device_id: response.device_id,
            client_id: response.client_id,
            secret: response.client_secret.unwrap(),
        }
    }
}

/// All racers of some devices at a time: with all of all they would wait for a processor, not for
/// each other.
const AT_ONCE: usize = 160;
