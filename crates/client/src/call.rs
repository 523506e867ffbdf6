use alloc::{
    format,
    string::{String, ToString as _},
    vec::Vec,
};
use core::{mem, time::Duration};

use gangplank_envelope::MEDIA_TYPE;
use gangplank_key::{CryptoRng, Zeroizing};
use gangplank_token::{
    ErrorCode, ErrorResponse, FORM_MEDIA_TYPE, TokenRequest, TokenResponse, bearer_header,
};

use crate::{
    BadAnswer, Connection, MAX_ANSWER, Method, Now, Purpose, Refusal, Request, Response, Step,
    Stopped, Trouble,
    backoff::Pace,
    context::Context,
    plan::{Answer, Body, Plan, Read, Sealed, SentNonce, Stage, Tally},
};

mod refusals;
mod sealing;

/// One exchange with the orchestrator, tried until it is done or refused: it gets a token, signs,
/// sends, and reads the answer.
#[derive(Debug)]
pub(crate) struct Call<T> {
    plan: Plan,
    read: Read<T>,
    stage: Stage,
    pace: Pace,
    tally: Tally,
    trouble: Option<Trouble>,
    outcome: Option<Result<T, Stopped>>,
}

impl<T> Call<T> {
    pub(crate) fn new(plan: Plan, read: Read<T>) -> Self {
        Self {
            plan,
            read,
            stage: Stage::Ready,
            pace: Pace::default(),
            tally: Tally::default(),
            trouble: None,
            outcome: None,
        }
    }

    /// The same, begun after a wait.
    pub(crate) fn after(mut self, pace: Pace) -> Self {
        self.pace = pace;
        self
    }

    pub(crate) fn trouble(&self) -> Option<&Trouble> {
        self.trouble.as_ref()
    }

    pub(crate) fn next(
        &mut self,
        context: &mut Context,
        now: Now,
        rng: &mut dyn CryptoRng,
    ) -> Result<Step<T>, Stopped> {
        if let Some(outcome) = self.outcome.take() {
            return outcome.map(Step::Done);
        }
        if matches!(self.stage, Stage::Asked { .. } | Stage::AskedToken { .. }) {
            self.lost(context, now);
        }
        if let Some(until) = self.pace.until(now.monotonic, rng) {
            return Ok(Step::Wait(until));
        }
        let own_purpose = matches!(self.plan.body, Body::ClientCredentials);
        let token_missing = self.needs_token() && context.tokens.get(now.monotonic).is_none();
        if own_purpose || token_missing {
            return self.ask_for_token(context, now);
        }
        match mem::take(&mut self.stage) {
            Stage::Sealed(sealed) => Ok(self.send(context, now, sealed)),
            _ => self.begin(context, now, rng),
        }
    }

    pub(crate) fn receive(&mut self, context: &mut Context, response: &Response, now: Now) {
        let stage = mem::take(&mut self.stage);
        if !matches!(stage, Stage::Asked { .. } | Stage::AskedToken { .. }) {
            self.stage = stage;
            return;
        }
        if let Some(nonce) = SentNonce::of(response) {
            context.server_nonce = Some(nonce);
        }
        match stage {
            _ if response.body.len() > MAX_ANSWER => self.bad(context, BadAnswer::TooLarge, now),
            Stage::AskedToken { at } => self.receive_token(context, response, at, now),
            Stage::Asked { nonce } => self.receive_answer(context, response, nonce, now),
            _ => {}
        }
    }

    pub(crate) fn lost(&mut self, context: &Context, now: Now) {
        self.stage = Stage::Ready;
        self.trouble = Some(Trouble::Lost(self.plan.purpose));
        self.pace
            .wait(now.monotonic, Duration::ZERO, context.settings.quick);
    }

    fn needs_token(&self) -> bool {
        matches!(self.plan.body, Body::Nonce | Body::Report(..))
    }

    fn ask_for_token(&mut self, context: &Context, now: Now) -> Result<Step<T>, Stopped> {
        let aboard = context.aboard.as_ref().ok_or(Stopped::InvalidClient)?;
        let request = TokenRequest {
            client_id: aboard.client_id.clone(),
            client_secret: aboard.client_secret.clone(),
        };
        self.stage = Stage::AskedToken { at: now.monotonic };
        Ok(Step::Send(Request {
            purpose: Purpose::Token,
            method: Method::Post,
            url: aboard.token_endpoint_url.as_str().to_string(),
            headers: [
                ("authorization", request.basic_header()),
                ("content-type", plain(FORM_MEDIA_TYPE)),
                ("accept", plain("application/json")),
            ]
            .into(),
            body: request.form_beside_basic().as_bytes().to_vec(),
            connection: Connection::Verified,
        }))
    }

    fn send(&mut self, context: &Context, now: Now, sealed: Sealed) -> Step<T> {
        let Sealed {
            body,
            nonce,
            signed_by,
        } = sealed;
        let mut headers = Vec::new();
        if self.needs_token()
            && let Some(token) = context.tokens.get(now.monotonic)
        {
            headers.push(("authorization", bearer_header(token)));
        }
        let method = self.plan.body.method();
        let connection = match self.plan.body {
            Body::Bootstrap => Connection::Bootstrap,
            _ => Connection::Verified,
        };
        let media_type = match signed_by.is_empty() {
            true => MEDIA_TYPE,
            false => "application/json",
        };
        if method == Method::Post {
            headers.push(("content-type", plain(media_type)));
        }
        headers.extend(
            signed_by
                .into_iter()
                .map(|(name, value)| (name, Zeroizing::new(value))),
        );
        let url = match (&self.plan.body, &nonce) {
            (Body::Nonce, Some(nonce)) => format!("{}?nonce={}", self.plan.url, nonce.nonce),
            _ => self.plan.url.clone(),
        };
        self.stage = Stage::Asked { nonce };
        Step::Send(Request {
            purpose: self.plan.purpose,
            method,
            url,
            headers,
            body,
            connection,
        })
    }

    fn receive_token(
        &mut self,
        context: &mut Context,
        response: &Response,
        at: Duration,
        now: Now,
    ) {
        if response.status == 200 {
            return match TokenResponse::decode(&response.body) {
                Ok(granted) => {
                    context
                        .tokens
                        .put(granted.access_token, granted.expires_in, at);
                    if let Body::ClientCredentials = self.plan.body {
                        self.finish(
                            context,
                            &Answer {
                                response,
                                nonce: None,
                                now,
                            },
                        );
                    }
                }
                Err(error) => self.bad(context, BadAnswer::Token(error), now),
            };
        }
        let error = ErrorResponse::decode(&response.body)
            .ok()
            .map(|refused| refused.error);
        let unknown = matches!(
            error,
            Some(ErrorCode::InvalidClient | ErrorCode::UnauthorizedClient)
        );
        if unknown || (response.status == 401 && response.authenticated) {
            self.trouble = (!response.authenticated).then(|| {
                Trouble::Refused(Refusal::read(
                    Purpose::Token,
                    response.status,
                    &response.body,
                ))
            });
            self.outcome = Some(Err(Stopped::InvalidClient));
        } else {
            self.other_status(context, Purpose::Token, response, now);
        }
    }

    fn receive_answer(
        &mut self,
        context: &mut Context,
        response: &Response,
        nonce: Option<SentNonce>,
        now: Now,
    ) {
        match response.status {
            200 | 201 => self.finish(
                context,
                &Answer {
                    response,
                    nonce: nonce.as_ref(),
                    now,
                },
            ),
            202 if self.plan.purpose == Purpose::Onboarding => {
                self.tally = Tally::default();
                self.trouble = Some(Trouble::Pending);
                self.pace.forgive();
                let floor = response.retry_after().unwrap_or(PENDING).max(PENDING_LEAST);
                self.pace.wait(now.monotonic, floor, context.settings.quick);
            }
            401 => self.not_authenticated(context, response, now),
            _ => self.other_status(context, self.plan.purpose, response, now),
        }
    }

    fn finish(&mut self, context: &mut Context, answer: &Answer<'_>) {
        match (self.read)(context, answer) {
            Ok(value) => self.outcome = Some(Ok(value)),
            Err(reason) => self.bad(context, reason, answer.now),
        }
    }
}

fn plain(value: &str) -> Zeroizing<String> {
    Zeroizing::new(value.to_string())
}

/// Between two questions while an operator makes up their mind, unless the server says.
const PENDING: Duration = Duration::from_secs(30);
const PENDING_LEAST: Duration = Duration::from_secs(1);
