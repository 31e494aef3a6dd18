//! Threads that each carry out tasks of their own.
//!
//! A pool of threads that take tasks from each other wakes another thread for almost every answer; under load that costs
//! more than the answer. Here a task stays on its thread, and so do its connections.

use std::thread;

use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

use crate::http;

/// Most threads: connections are kept apart for so many.
const MOST: usize = http::CREWS;

/// Threads that take no work from each other; they end when this is dropped.
#[derive(Debug, Default)]
pub struct Crew {
    handles: Vec<Handle>,
    ends: Vec<oneshot::Sender<()>>,
}

impl Crew {
    /// A thread for each processor, up to a few. Where none can be started, tasks are carried out where they are begun.
    #[must_use]
    pub fn muster() -> Self {
        let mut crew = Self::default();
        let threads = thread::available_parallelism().map_or(1, usize::from).min(MOST);
        for number in 0..threads {
            let Ok(runtime) = Builder::new_current_thread().enable_all().build() else { break };
            let handle = runtime.handle().clone();
            let (end, ended) = oneshot::channel();
            let started = thread::Builder::new().name(format!("crew-{number}")).spawn(move || {
                http::keep_apart(number);
                let _ = runtime.block_on(ended);
                // A name that is looked up is not awaited.
                runtime.shutdown_background();
            });
            if started.is_err() {
                break;
            }
            crew.handles.push(handle);
            crew.ends.push(end);
        }
        crew
    }

    /// Who carries out a task of this number.
    pub(super) fn member(&self, number: usize) -> Handle {
        match self.handles.len() {
            0 => Handle::current(),
            many => self.handles[number % many].clone(),
        }
    }
}
