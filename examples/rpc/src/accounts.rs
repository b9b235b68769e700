//! Accounts: an operation of two steps that must both happen, exactly once.

use std::{collections::HashMap, sync::Arc, time::Duration};

use axum::extract::State;
use parking_lot::Mutex;
use tokio::time::sleep;

use crate::messages::{Balance, Deposit, GetBalance};

/// How long booking takes.
const BOOKING: Duration = Duration::from_millis(200);

/// A stand-in for a bank.
#[derive(Clone, Default)]
pub(crate) struct Accounts(Arc<Mutex<HashMap<String, Account>>>);

#[derive(Clone, Copy, Default)]
struct Account {
    balance: u64,
    pending: u64,
}

impl Accounts {
    fn update(&self, id: &str, change: impl FnOnce(&mut Account)) -> Balance {
        let mut accounts = self.0.lock();
        let account = accounts.entry(id.to_owned()).or_default();
        change(account);
        Balance { balance: account.balance, pending: account.pending }
    }
}

/// The route uses `run_to_completion`: otherwise an abort, a deadline or a lost connection between
/// the two steps would leave the amount pending forever.
///
/// A client that does not know whether its deposit arrived sends it again with the same
/// `meta.idempotencyKey`. It is booked once, and the first result is returned again.
pub(crate) async fn deposit(State(accounts): State<Accounts>, request: Deposit) -> Balance {
    let Deposit { account_id, amount } = request;
    accounts.update(&account_id, |account| account.pending += amount);
    sleep(BOOKING).await;
    accounts.update(&account_id, |account| {
        account.pending -= amount;
        account.balance += amount;
    })
}

pub(crate) async fn balance(State(accounts): State<Accounts>, request: GetBalance) -> Balance {
    let account = accounts.0.lock().get(&request.account_id).copied().unwrap_or_default();
    Balance { balance: account.balance, pending: account.pending }
}
