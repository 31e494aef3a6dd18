//! One question until it is answered or given up: its tries, and what each of them tells of the endpoint.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use backon::{BackoffBuilder, ExponentialBuilder};
use tokio::time::Instant;

use super::hold::Hold;
use super::lane::{LONGEST_WAIT, own_wait};
use super::meter::Reserved;
use super::{Ask, ClientError, Done, Exchange, Had, ModelClient, Patience, timestamp};
use crate::cache::Journal;
use crate::manifest::Ended;
use crate::provider::model::is_stand_in;
use crate::provider::{Completion, Pending, ProviderError, Reach, Unmetered};
use crate::stats::real;
use crate::vocabulary::{ExchangeKind, Usage};

/// How often a question is sent again because somebody listens again. A server that comes and goes is none.
const RETURNS: u32 = 3;

/// What is known of a model's account.
#[derive(Debug, Default)]
pub(super) struct Account {
    /// It was answered once.
    served: bool,
    /// Since when it was answered with nothing but 429.
    refused_since: Option<Instant>,
    /// Its key, its rights, its money or its limit serve nobody.
    fault: Option<ProviderError>,
}

/// Why a try brought no answer.
enum Failed {
    /// With what comes next; when it was sent, and how long that took.
    Asked(Box<ProviderError>, Next, (Instant, Duration)),
    /// Nothing is sent there any more.
    NotAsked(ProviderError),
}

/// What comes after a try in vain.
enum Next {
    /// A further try after a while, if one is left.
    Try,
    /// Another turn, when the endpoint bears one; for so long nobody has one.
    Turn(Duration),
    /// Another turn, when somebody listens there.
    Probe,
    /// Nothing.
    End,
}

impl ModelClient {
    pub(super) async fn live<'a>(
        &'a self,
        send: impl Fn() -> Pending<'a>,
        ask: &Ask<'_>,
    ) -> Result<Had, ClientError> {
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
                    // One that is always refused must not hold up the others.
                    let own = own_wait(refusals);
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
        let exchange = Exchange { completion, at: timestamp(SystemTime::now()) };
        Ok(Had { exchange, latency_ms, recorded: false })
    }

    /// One try: its time begins when it is sent.
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
        // Before the money is looked at, which may be gone for the same reason.
        faulty()?;
        let Some(reserved) = self.paid(ask, worst.unwrap_or_default()).await else {
            faulty()?;
            self.road.close(Ended::Budget);
            return std::future::pending().await;
        };
        // What a server counts is known from its first answer on; until then one is risked, not as many as there are seats.
        let is_served = || self.accounts().get(model).is_some_and(|account| account.served);
        let mut first = None;
        if is_metered && !is_served() {
            first = Some(self.first.lock().await).filter(|_| !is_served());
        }
        faulty()?;
        let entered = self.road.enter(&self.lane, reserved, tokens).await;
        let mut under_way = entered.map_err(Failed::NotAsked)?;
        // Those before may have found it out.
        faulty()?;
        // Before it is sent: whoever is killed meanwhile may have paid all of it.
        let number = self.road.journal().map(Journal::next_try);
        let pay = |usd: Option<f64>| {
            if let (Some(journal), Some(number), Some(usd)) = (self.road.journal(), number, usd) {
                self.tell_gap(journal, journal.pay(number, usd));
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
                    under_way.spend(cost);
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
            // Others may be told why they are not asked, and this one's prompt must not be in it.
            Err(error) if ask.seal.is_some() => error.withheld(),
            Err(error) => error,
        };
        if error.may_cost() {
            under_way.spend(worst.unwrap_or_default());
        } else {
            self.lane.settle(tokens, 0.0);
            pay(worst.map(|_| 0.0));
        }
        let next = match error.reach() {
            Reach::Account => {
                self.lane.reached(began, false);
                self.of_account(model, |account| {
                    // A gateway forbids single prompts with the same status.
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
            Reach::Unclear if !under_way.is_probe() => Next::Try,
            Reach::Nobody | Reach::Gateway | Reach::Unclear => {
                let is_last = is_last && error.transient();
                match self.lane.unreached(&error, ask.purpose, under_way.is_probe(), is_last) {
                    true if error.transient() => Next::Probe,
                    _ if error.transient() => Next::Try,
                    _ => Next::End,
                }
            }
        };
        drop(under_way);
        drop(first);
        Err(Failed::Asked(Box::new(error), next, (began, took)))
    }

    /// Errs where nothing is asked of a model any more.
    fn faulty(&self, model: &str) -> Result<(), Failed> {
        match self.accounts().get(model).and_then(|account| account.fault.clone()) {
            Some(error) => Err(Failed::NotAsked(error)),
            None => Ok(()),
        }
    }

    /// Books what a request costs at most; nothing where that is not to be had.
    pub(super) async fn paid(&self, ask: &Ask<'_>, worst: f64) -> Option<Reserved<'_>> {
        if let Some(hold) = ask.hold.filter(|_| ask.kind == ExchangeKind::Reply && self.road.is_metered())
            && !hold.take(&self.lane).await
        {
            return None;
        }
        self.road.book(&self.lane, worst, ask.hold.and_then(Hold::holder)).await
    }

    /// Most US dollars that one try of a question can cost.
    pub(super) fn worst_ask(&self, ask: &Ask<'_>) -> Result<f64, Unmetered> {
        match ask.kind {
            // Its text is no part of the request, and nothing but numbers comes back.
            ExchangeKind::Embedding => {
                self.worst_of(&ask.request.model, ask.content.to_string().len() as u64, Some(0))
            }
            ExchangeKind::Reply | ExchangeKind::Vote | ExchangeKind::Canary => self.worst(ask.request),
        }
    }

    /// What an answer cost, the worst where that is not known, and why the next one must not be asked for, if it must not.
    pub(super) fn charged(
        &self,
        model: &str,
        completion: &Completion,
        worst: f64,
    ) -> (f64, Result<(), Unmetered>) {
        let answer = &completion.answer;
        let answered = answer.model.as_deref();
        let says_something = !answer.text.is_empty() || !answer.tool_calls.is_empty();
        // Zeros are how a server leaves the count out.
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

    /// What comes after a 429 to a request that was sent at a time.
    fn refused(&self, sent: Instant, error: &ProviderError, ask: &Ask<'_>) -> Next {
        self.of_account(&ask.request.model, |account| {
            let since = *account.refused_since.get_or_insert_with(Instant::now);
            let wait = self.lane.refused([since, sent], error, ask.purpose, ask.patience);
            if wait.is_none() {
                // Others at this address may have a limit of their own.
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
