//! Requests of a load test: each is sent at its time, once, and its result does not affect the others.

use tokio::time::Instant;

use super::{Ask, ClientError, Done, Exchange, ModelClient, Received};
use crate::manifest::Ended;
use crate::provider::{Pending, ProviderError};

impl ModelClient {
    /// Sends a request once. It is never retried: retries would add load beyond the plan.
    pub(super) async fn freely<'a>(
        &'a self,
        send: impl Fn() -> Pending<'a>,
        ask: &Ask<'_>,
    ) -> Result<Received, ClientError> {
        let (model, host, timeout) = (&ask.request.model, &self.endpoint().host, ask.patience.timeout);
        let unmetered = |why| ProviderError::Unmetered { host: host.clone(), why };
        let failed = |error: ProviderError| {
            let error = if ask.seal.is_some() { error.withheld() } else { error };
            ClientError::Provider { help: error.help(&self.said_by, model), error, tries: 1 }
        };
        let is_metered = self.road.is_metered();
        let worst = match is_metered.then(|| self.worst_ask(ask)).transpose() {
            Ok(worst) => worst.unwrap_or_default(),
            Err(why) => return Err(failed(unmetered(why))),
        };
        let Some(reserved) = self.paid(ask, worst).await else {
            self.road.close(Ended::Budget);
            return std::future::pending().await;
        };
        let mut in_flight = self.road.pass(reserved).await;
        if let Some(watch) = ask.watch {
            watch.sends();
        }
        let began = Instant::now();
        let late = ProviderError::Timeout { host: host.clone(), after: timeout };
        let found = tokio::time::timeout(timeout, send()).await.unwrap_or(Err(late));
        let took = began.elapsed();
        if let Some(watch) = ask.watch {
            watch.done(Done { began, sent: began, took, retries: 0, found: found.as_ref() });
        }
        let found = match found {
            Ok(completion) if is_metered => {
                // An answer of unknown cost counts as the worst case; the next request is sent anyway.
                in_flight.spend(self.charged(model, &completion, worst).0);
                Ok(completion)
            }
            Err(error) if is_metered && error.may_cost() => {
                in_flight.spend(worst);
                Err(error)
            }
            found => found,
        };
        drop(in_flight);
        let completion = found.map_err(failed)?;
        let latency_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        let exchange = Exchange { completion, at: crate::vocabulary::timestamp() };
        Ok(Received { exchange, latency_ms, recorded: false })
    }
}
