//! What becomes of a call that was not answered as hoped.

use core::time::Duration;

use super::Call;
use crate::{
    BadAnswer, Now, Purpose, Refusal, ReportForm, Response, Stopped, Trouble,
    context::Context,
    plan::{Body, SentNonce},
};

impl<T> Call<T> {
    pub(super) fn not_authenticated(
        &mut self,
        context: &mut Context,
        response: &Response,
        now: Now,
    ) {
        let refusal = Refusal::read(self.plan.purpose, 401, &response.body);
        self.trouble = Some(Trouble::NotAuthenticated(refusal.clone()));
        if self.clock_was_wrong(context, response, now) {
            return;
        }
        // The header signs no nonce, and the server does not look at that of an HTTP message: without
        // another token the report would get the same answer.
        let seals = match self.plan.body {
            Body::Introduction(..) => true,
            Body::Report(..) => context.settings.report_form == ReportForm::Envelope,
            _ => false,
        };
        let new_nonce = seals && SentNonce::of(response).is_some() && self.tally.nonces < NONCES;
        let new_token = self.needs_token() && !self.tally.token_dropped;
        if new_nonce {
            self.tally.nonces += 1;
        }
        if new_token {
            self.tally.token_dropped = true;
            context.tokens.clear();
        }
        if new_nonce || new_token {
            return;
        }
        self.tally.nonces = 0;
        self.tally.not_authenticated += u32::from(response.authenticated);
        if self.tally.not_authenticated >= NOT_AUTHENTICATED {
            self.outcome = Some(Err(Stopped::Refused(refusal)));
            return;
        }
        let floor = response.retry_after().unwrap_or_default();
        self.pace.wait(now.monotonic, floor, context.settings.slow);
    }

    /// Whether the refused report said a wrong time, which `Date` of this answer has now put right:
    /// once, and only where nobody but the orchestrator itself can have answered. An envelope needs
    /// no such help, since it can carry the server's nonce.
    fn clock_was_wrong(&self, context: &mut Context, response: &Response, now: Now) -> bool {
        let by_clock = matches!(self.plan.body, Body::Report(..))
            && context.settings.report_form.says_when_by_the_clock();
        match response.date() {
            Some(date) if by_clock && response.authenticated => {
                context.time.authenticated(date, now)
            }
            _ => false,
        }
    }

    pub(super) fn other_status(
        &mut self,
        context: &mut Context,
        purpose: Purpose,
        response: &Response,
        now: Now,
    ) {
        let refusal = Refusal::read(purpose, response.status, &response.body);
        let floor = response.retry_after().unwrap_or_default();
        match response.status {
            408 | 425 | 429 | 500..=599 => {
                self.trouble = Some(Trouble::Busy(refusal));
                self.pace.wait(now.monotonic, floor, context.settings.quick);
            }
            // A redirect is a refusal: following it would carry a secret to another place.
            300..=499 if response.authenticated => {
                self.outcome = Some(Err(Stopped::Refused(refusal)))
            }
            300..=499 => {
                self.trouble = Some(Trouble::Refused(refusal));
                // A box in between may have exchanged the token for one that opens another door.
                if self.needs_token() {
                    context.tokens.clear();
                }
                self.pace.wait(now.monotonic, floor, context.settings.slow);
            }
            other => self.bad(context, BadAnswer::Status(other), now),
        }
    }

    pub(super) fn bad(&mut self, context: &Context, reason: BadAnswer, now: Now) {
        let purpose = self.plan.purpose;
        self.tally.bad_answers += 1;
        if self.tally.bad_answers >= context.settings.bad_answers {
            self.outcome = Some(Err(Stopped::BadAnswer { purpose, reason }));
            return;
        }
        self.trouble = Some(Trouble::BadAnswer { purpose, reason });
        self.pace
            .wait(now.monotonic, Duration::ZERO, context.settings.slow);
    }
}

/// Tries with a server's nonce without a wait: one without `created`, one with.
const NONCES: u32 = 2;
/// A 401 may pass: a clock is set, a key is registered. After this many waits, each of them answered
/// by the orchestrator itself, it will not.
const NOT_AUTHENTICATED: u32 = 6;
