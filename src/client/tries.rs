//! The tries of one request, and what each shows about the endpoint.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{MutexGuard, PoisonError};
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use tokio::time::Instant;

use super::hold::Hold;
use super::lane::{LONGEST_WAIT, usual_wait};
use super::meter::Reserved;
use super::{Ask, ClientError, Done, Exchange, ModelClient, Patience, Received};
use crate::cache::Journal;
use crate::manifest::Ended;
use crate::provider::model::is_stand_in;
use crate::provider::{Completion, Pending, ProviderError, Reach, Unmetered};
use crate::stats::real;
use crate::vocabulary::{ExchangeKind, Usage};

/// How often a request is sent again because the server can be reached again. A server that keeps going away counts as
/// down.
const RETURNS: u32 = 3;

/// What is known about a model's account.
#[derive(Debug, Default)]
pub(super) struct Account {
    /// Whether a request was answered.
    served: bool,
    /// Since when every request got a 429.
    refused_since: Option<Instant>,
    /// An error of key, permission, credit or limit that affects every request.
    fault: Option<ProviderError>,
}

/// Why a try got no answer.
enum Failed {
    /// The error, what to do next, and when it was sent and how long it took.
    Asked(Box<ProviderError>, Next, (Instant, Duration)),
    /// Nothing more is sent there.
    NotAsked(ProviderError),
}

/// What to do after a failed try.
enum Next {
    /// Retry after a delay, if a retry is left.
    Try,
    /// Retry when the rate limit allows it; nothing is sent for this long.
    Turn(Duration),
    /// Retry when the server is reachable again.
    Probe,
    /// Give up.
    End,
}

impl ModelClient {
    pub(super) async fn live<'a>(
        &'a self,
        send: impl Fn() -> Pending<'a>,
        ask: &Ask<'_>,
    ) -> Result<Received, ClientError> {
        let Patience { retries, jitter, mut limited, .. } = ask.patience;
        let backoff = ExponentialBuilder::default()
            .with_min_delay(Duration::from_millis(250))
            .with_max_delay(Duration::from_secs(20))
            .with_max_times(retries as usize)
            .with_jitter()
            .with_jitter_seed(jitter);
        let mut backoff = backoff.build().peekable();
        self.asked.store(true, Ordering::Relaxed);
        if self.road.is_free() {
            return self.freely(send, ask).await;
        }
        let (mut tries, mut returns, mut refusals, mut last) = (0, RETURNS, 0, None::<ProviderError>);
        let help = |error: &ProviderError| error.help(&self.said_by, &ask.request.model);
        let mut first = None;
        let done = |first: Option<Instant>, (sent, took): (Instant, Duration), retries, found| {
            if let Some(watch) = ask.watch {
                watch.done(Done { began: first.unwrap_or(sent), sent, took, retries, found });
            }
        };
        let (completion, took) = loop {
            let is_last = retries > 0 && backoff.peek().is_none();
            let (error, next, span) = match self.tried(&send, ask, is_last).await {
                Ok((completion, span)) => {
                    done(first, span, tries, Ok(&completion));
                    break (completion, span.1);
                }
                Err(Failed::Asked(error, next, span)) => (*error, next, span),
                Err(Failed::NotAsked(error)) => {
                    return Err(match last {
                        Some(error) => ClientError::Provider { help: help(&error), error, tries },
                        None => ClientError::NotAsked { help: help(&error), error },
                    });
                }
            };
            tries += 1;
            let wait = match next {
                Next::Turn(of_all) => {
                    refusals += 1;
                    // A request that is always refused must not delay the others.
                    let own = usual_wait(refusals);
                    let left = limited.checked_sub(own.max(of_all));
                    limited = left.unwrap_or_default();
                    left.map(|_| own)
                }
                Next::Probe if returns > 0 => {
                    returns -= 1;
                    Some(Duration::ZERO)
                }
                Next::Try | Next::Probe => {
                    let asked = error.retry_after().unwrap_or_default().min(LONGEST_WAIT);
                    backoff.next().map(|own| own.max(asked))
                }
                Next::End => None,
            };
            let Some(wait) = wait else {
                done(first, span, tries - 1, Err(&error));
                return Err(ClientError::Provider { help: help(&error), error, tries });
            };
            first.get_or_insert(span.0);
            tokio::time::sleep(wait).await;
            last = Some(error);
        };
        let latency_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        let exchange = Exchange { completion, at: crate::vocabulary::timestamp() };
        Ok(Received { exchange, latency_ms, recorded: false })
    }

    /// One try; its timeout starts when it is sent.
    async fn tried<'a>(
        &'a self,
        send: &impl Fn() -> Pending<'a>,
        ask: &Ask<'_>,
        is_last: bool,
    ) -> Result<(Completion, (Instant, Duration)), Failed> {
        let (model, timeout) = (&ask.request.model, ask.patience.timeout);
        let unmetered = |why| ProviderError::Unmetered { host: self.endpoint().host.clone(), why };
        let is_metered = self.road.is_metered();
        let worst = match self.worst_ask(ask) {
            Err(why) if is_metered => return Err(Failed::NotAsked(unmetered(why))),
            worst => worst.ok(),
        };
        let tokens = real(ask.request.booked_tokens());
        let faulty = || self.faulty(model);
        // Checked before the budget, which may be used up for the same reason.
        faulty()?;
        let Some(reserved) = self.paid(ask, worst.unwrap_or_default()).await else {
            faulty()?;
            self.road.close(Ended::Budget);
            return std::future::pending().await;
        };
        // What the server counts is known only after its first answer, so only one request is risked until then.
        let is_served = || self.accounts().get(model).is_some_and(|account| account.served);
        let mut first = None;
        if is_metered && !is_served() {
            first = Some(self.first.lock().await).filter(|_| !is_served());
        }
        faulty()?;
        let entered = self.road.enter(&self.lane, reserved, tokens).await;
        let mut in_flight = entered.map_err(Failed::NotAsked)?;
        // An earlier request may have found a fault by now.
        faulty()?;
        // Recorded before the request is sent: if akit is killed in between, all of it may have been charged.
        let number = self.road.journal().map(Journal::next_try);
        let pay = |usd: Option<f64>| {
            if let (Some(journal), Some(number), Some(usd)) = (self.road.journal(), number, usd) {
                self.warn_unwritten(journal, journal.pay(number, usd));
            }
        };
        pay(worst);
        if let Some(watch) = ask.watch {
            watch.sends();
        }
        let began = Instant::now();
        let host = &self.endpoint().host;
        let late = ProviderError::Timeout { host: host.clone(), after: timeout };
        let found = tokio::time::timeout(timeout, send()).await.unwrap_or(Err(late));
        let took = began.elapsed();
        let error = match found {
            Ok(completion) => {
                if !is_metered {
                    pay(self.cost(model, completion.answer.usage));
                } else if let Some(worst) = worst {
                    let (cost, found) = self.charged(model, &completion, worst);
                    in_flight.spend(cost);
                    pay(Some(cost));
                    if let Err(why) = found {
                        let error = unmetered(why);
                        self.of_account(model, |account| account.fault = Some(error.clone()));
                        return Err(Failed::Asked(Box::new(error), Next::End, (began, took)));
                    }
                }
                if let Some(usage) = completion.answer.usage {
                    self.lane.settle(tokens, real(usage.total()));
                }
                self.lane.reached(began, true);
                self.of_account(model, |account| (account.served, account.refused_since) = (true, None));
                return Ok((completion, (began, took)));
            }
            // Other requests may show this error as their cause, and it must not contain this prompt.
            Err(error) if ask.seal.is_some() => error.withheld(),
            Err(error) => error,
        };
        if error.may_cost() {
            in_flight.spend(worst.unwrap_or_default());
        } else {
            self.lane.settle(tokens, 0.0);
            pay(worst.map(|_| 0.0));
        }
        let next = match error.reach() {
            Reach::Account => {
                self.lane.reached(began, false);
                self.of_account(model, |account| {
                    // A gateway also rejects single prompts with 403.
                    let is_of_prompt =
                        account.served && matches!(error, ProviderError::Status { status: 403, .. });
                    account.fault = account.fault.take().or((!is_of_prompt).then(|| error.clone()));
                });
                Next::End
            }
            Reach::Busy => self.refused(began, &error, ask),
            Reach::Server => {
                self.lane.reached(began, false);
                if error.transient() { Next::Try } else { Next::End }
            }
            Reach::Unclear if !in_flight.is_probe() => Next::Try,
            Reach::Nobody | Reach::Gateway | Reach::Unclear => {
                let is_last = is_last && error.transient();
                match self.lane.unreached(&error, ask.purpose, in_flight.is_probe(), is_last) {
                    true if error.transient() => Next::Probe,
                    _ if error.transient() => Next::Try,
                    _ => Next::End,
                }
            }
        };
        drop(in_flight);
        drop(first);
        Err(Failed::Asked(Box::new(error), next, (began, took)))
    }

    /// An error if nothing more is sent to this model.
    fn faulty(&self, model: &str) -> Result<(), Failed> {
        match self.accounts().get(model).and_then(|account| account.fault.clone()) {
            Some(error) => Err(Failed::NotAsked(error)),
            None => Ok(()),
        }
    }

    /// Reserves the most a request can cost; `None` if the budget does not allow it.
    pub(super) async fn paid(&self, ask: &Ask<'_>, worst: f64) -> Option<Reserved<'_>> {
        if let Some(hold) = ask.hold.filter(|_| ask.kind == ExchangeKind::Reply && self.road.is_metered())
            && !hold.take(&self.lane).await
        {
            return None;
        }
        self.road.book(&self.lane, worst, ask.hold.and_then(Hold::holder)).await
    }

    /// The most one try can cost, in US dollars.
    pub(super) fn worst_ask(&self, ask: &Ask<'_>) -> Result<f64, Unmetered> {
        match ask.kind {
            // The text is not in the request, and only numbers come back.
            ExchangeKind::Embedding => {
                self.worst_of(&ask.request.model, ask.content.to_string().len() as u64, Some(0))
            }
            ExchangeKind::Reply | ExchangeKind::Vote | ExchangeKind::Canary => self.worst(ask.request),
        }
    }

    /// The cost of an answer, or the worst case if unknown, and an error if no further request may be sent.
    pub(super) fn charged(
        &self,
        model: &str,
        completion: &Completion,
        worst: f64,
    ) -> (f64, Result<(), Unmetered>) {
        let answer = &completion.answer;
        let answered = answer.model.as_deref();
        let says_something = !answer.text.is_empty() || !answer.tool_calls.is_empty();
        // A server that does not count reports zeros.
        let is_counted =
            |usage: &Usage| usage.input_tokens > 0 && (usage.output_tokens > 0 || !says_something);
        let cost = self.cost(model, answer.usage.filter(is_counted));
        match (cost, answered.filter(|answered| is_stand_in(model, answered))) {
            (_, Some(answered)) => {
                let why = Unmetered::StandIn { model: answered.to_owned() };
                (worst.max(cost.unwrap_or_default()), Err(why))
            }
            (None, None) => (worst, Err(Unmetered::NoUsage)),
            (Some(cost), None) if !completion.is_limited() => (cost, Err(Unmetered::NoLimit)),
            (Some(cost), None) if cost > worst => (cost, Err(Unmetered::Beyond)),
            (Some(cost), None) => (cost, Ok(())),
        }
    }

    /// What to do after a 429 to a request sent at `sent`.
    fn refused(&self, sent: Instant, error: &ProviderError, ask: &Ask<'_>) -> Next {
        self.of_account(&ask.request.model, |account| {
            let since = *account.refused_since.get_or_insert_with(Instant::now);
            let wait = self.lane.refused([since, sent], error, ask.purpose, ask.patience);
            if wait.is_none() {
                // Other models at this address may have separate limits.
                account.fault = Some(error.clone());
            }
            wait.map_or(Next::End, Next::Turn)
        })
    }

    fn of_account<T>(&self, model: &str, note: impl FnOnce(&mut Account) -> T) -> T {
        note(self.accounts().entry(model.to_owned()).or_default())
    }

    fn accounts(&self) -> MutexGuard<'_, BTreeMap<String, Account>> {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
