//! Times in which this machine did not run what should have run.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    task::JoinHandle,
    time::{MissedTickBehavior, interval},
};

use crate::history::{Disturbance, Recorder, Scope};

/// How often the time is looked at.
const TICK: Duration = Duration::from_millis(100);

/// A tick that comes later by this is a stall: times of then say nothing about the nodes.
const STALL: Duration = Duration::from_millis(700);

/// Notes stalls of the machine until it is dropped.
#[derive(Debug)]
pub(super) struct Stalls {
    seen: Arc<Mutex<Vec<Disturbance>>>,
    task: JoinHandle<()>,
}

impl Stalls {
    pub(super) fn watch(recorder: Recorder) -> Self {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&seen);
        let task = tokio::spawn(async move {
            let mut ticks = interval(TICK);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            let mut from = recorder.now();
            loop {
                ticks.tick().await;
                let until = recorder.now();
                if until.saturating_sub(from) > TICK + STALL {
                    let stall = Disturbance { scope: Scope::All, fault: "stall of the machine", from, until };
                    println!("    {:>6.1} s  the machine has stalled for {:.1?}", until.as_secs_f64(), until - from);
                    noted.lock().unwrap_or_else(PoisonError::into_inner).push(stall);
                }
                from = until;
            }
        });
        Self { seen, task }
    }

    pub(super) fn take(&self) -> Vec<Disturbance> {
        std::mem::take(&mut self.seen.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Stalls {
    fn drop(&mut self) {
        self.task.abort();
    }
}
