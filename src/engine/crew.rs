//! Threads that keep their own tasks.
//!
//! In a work-stealing pool, almost every answer wakes another thread, which costs more under load than the answer
//! itself. Here, a task and its connections stay on their thread.

use std::thread;

use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

use crate::http;

/// Maximum number of threads: each has its own connections.
const MOST: usize = http::CREWS;

/// Threads that do not share work; they end when this is dropped.
#[derive(Debug, Default)]
pub struct Crew {
    handles: Vec<Handle>,
    ends: Vec<oneshot::Sender<()>>,
}

impl Crew {
    /// Starts a thread per processor, up to a maximum. If none can be started, tasks run on the calling runtime.
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
                // Does not wait for a pending name lookup.
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

    /// The thread that runs the task with this number.
    pub(super) fn member(&self, number: usize) -> Handle {
        match self.handles.len() {
            0 => Handle::current(),
            many => self.handles[number % many].clone(),
        }
    }
}
