//! Jobs, which count how often they ran on this node.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    Json,
    extract::{Path, State},
};
use serde_json::{Value, json};
use switchboard::WsError;

use super::messages::{Job, Jobbed};

/// How many jobs are counted.
const LIMIT: usize = 10_000;

/// The runs of each job.
#[derive(Debug, Clone, Default)]
pub(super) struct Jobs(Arc<Mutex<HashMap<String, u32>>>);

impl Jobs {
    fn ran(&self, job: &str) -> Result<u32, WsError> {
        let mut jobs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if jobs.len() >= LIMIT && !jobs.contains_key(job) {
            return Err(WsError::resource_exhausted("too many jobs"));
        }
        let runs = jobs.entry(job.to_owned()).or_default();
        *runs += 1;
        Ok(*runs)
    }
}

pub(super) async fn job(State(jobs): State<Jobs>, job: Job) -> Result<Jobbed, WsError> {
    tokio::time::sleep(Duration::from_millis(job.ms)).await;
    Ok(Jobbed { runs: jobs.ran(&job.job)?, job: job.job })
}

pub(super) async fn runs(State(jobs): State<Jobs>, Path(job): Path<String>) -> Json<Value> {
    let runs = jobs.0.lock().unwrap_or_else(PoisonError::into_inner).get(&job).copied().unwrap_or_default();
    Json(json!({ "runs": runs }))
}
